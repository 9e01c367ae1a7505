from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from sketchgan_core.planning.plan import PLANES, plan
from training.config import TrainConfig
from training.data.augment import INK, SKETCH, affine_matrix, change_thickness, overlap, turn, warp
from training.data.crops import Crops, loader, validation_batch
from training.data.pairs import find_pairs
from training.data.stacks import CHANNELS, CONTROLS, STORED, Stacks, decode, pick, prepare

CONFIG = replace(TrainConfig(), crop=96, batch=2, affine=0.5, overlap=0.5, thickness=0.5, validation_crops=3)


@pytest.fixture
def stacks(pair_folder: Path, tmp_path: Path) -> Stacks:
    stacks = Stacks(find_pairs([pair_folder]), tmp_path / "plans")
    prepare(stacks.folder)
    return stacks


def _window(stacks: Stacks, index: int) -> np.ndarray:
    stack = stacks[index][:96, :96]
    return np.concatenate([stack, np.broadcast_to(stacks.controls(index), (96, 96, len(CONTROLS)))], axis=2)


def test_a_stack_holds_the_plan_within_a_grey_level(stacks: Stacks) -> None:
    pair = stacks.pairs[1]
    planned = plan(cv2.imread(str(pair.line), 0).astype(np.float32) / 255, pair.controls, pair.seed)
    assert stacks[1].shape == (128, 136, len(STORED))
    values = decode(torch.from_numpy(_window(stacks, 1).transpose(2, 0, 1).copy())[None])
    wanted = planned.planes[None, :, :96, :96]
    difference = (pick(values, *PLANES) - wanted.clamp(-4, 127 / 32)).abs().amax((0, 2, 3))
    for name, worst in zip(PLANES, difference.tolist(), strict=True):
        assert worst <= (1 / 64 if name == "noise" else 0.5 / 255) + 1e-6, name


def test_a_changed_pair_is_planned_anew(stacks: Stacks, tmp_path: Path) -> None:
    before = stacks.files[0]
    line = stacks.pairs[0].line
    date = line.stat().st_mtime_ns
    Image.fromarray(255 - np.asarray(Image.open(line))).save(line)
    os.utime(line, ns=(date, date))
    assert Stacks(stacks.pairs, tmp_path / "plans").files[0] != before


def test_a_copied_pair_is_not_planned_again(stacks: Stacks, pair_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(pair_folder, tmp_path / "copy")
    assert Stacks(find_pairs([tmp_path / "copy"]), tmp_path / "plans").files == stacks.files


def test_what_another_plan_has_left_is_cleared_away_and_nothing_else(stacks: Stacks) -> None:
    stacks[0]
    others = [stacks.folder / name for name in ("notes.npy", "plan-1.npy", f"{24 * 'a'}.sketch.npy")]
    old = [stacks.folder / f"{24 * 'a'}.npy", stacks.folder / f"plan-1-{24 * 'a'}.npy"]
    for file in (*others, *old):
        file.touch()
    prepare(stacks.folder)
    assert {file for file in stacks.folder.iterdir()} == {stacks.files[0], *others}


def test_crop_n_is_a_function_of_n_alone(stacks: Stacks) -> None:
    first, second = Crops(stacks, [0, 1, 2], CONFIG), Crops(stacks, [0, 1, 2], CONFIG)
    forwards = [first[number] for number in range(12)]
    backwards = [second[number] for number in reversed(range(12))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forwards, backwards, strict=True))
    assert forwards[0].shape == (len(CHANNELS), 96, 96)
    assert not torch.equal(forwards[0], forwards[1])


def test_processes_share_each_step_without_overlap(stacks: Stacks) -> None:
    crops = Crops(stacks, [0, 1, 2], CONFIG)
    batches = [next(iter(loader(crops, 8, CONFIG, process, 2))) for process in range(2)]
    assert torch.equal(torch.cat(batches), torch.stack([crops[number] for number in range(8, 12)]))


def test_crops_hold_ink(stacks: Stacks) -> None:
    plain = replace(CONFIG, affine=0.0, overlap=0.0, thickness=0.0)
    crops = Crops(stacks, [0, 1, 2], plain)
    assert all((crops[number][INK] > 128).float().mean() >= plain.minimum_ink for number in range(20))


def test_a_crop_larger_than_the_drawing_mirrors_it(stacks: Stacks) -> None:
    assert Crops(stacks, [0], replace(CONFIG, crop=160))[0].shape == (len(CHANNELS), 160, 160)


def test_validation_crops_are_fixed(stacks: Stacks) -> None:
    assert torch.equal(validation_batch(stacks, [2, 3], CONFIG), validation_batch(stacks, [2, 3], CONFIG))


def test_thickness_changes_the_ink_alone(stacks: Stacks) -> None:
    for seed in range(12):
        window = _window(stacks, 0)
        before = window.copy()
        change_thickness(window, np.random.default_rng(seed))
        others = [channel for channel in range(len(CHANNELS)) if channel != INK]
        assert np.array_equal(window[..., others], before[..., others])
        assert not np.array_equal(window[..., INK], before[..., INK])


def test_overlapping_adds_marks_and_multiplies_graphite(stacks: Stacks) -> None:
    below, above = _window(stacks, 0), _window(stacks, 1)
    both = overlap(below, above)
    assert np.array_equal(both[..., INK], np.maximum(below[..., INK], above[..., INK]))
    product = below[..., SKETCH].astype(float) * above[..., SKETCH] / 255
    assert np.abs(both[..., SKETCH] - product).max() <= 0.51


def test_a_turn_loses_nothing(stacks: Stacks) -> None:
    window = _window(stacks, 0)
    turned = turn(window, np.random.default_rng(3))
    assert np.array_equal(np.sort(turned, axis=None), np.sort(window, axis=None))


def test_a_warp_moves_every_plane_alike() -> None:
    rng = np.random.default_rng(0)
    plane = rng.integers(0, 255, (96, 96, 1), np.uint8)
    source = np.repeat(plane, len(CHANNELS), axis=2)
    warped = warp(source, affine_matrix(rng, 64, 96), 64)
    assert warped.shape == (64, 64, len(CHANNELS))
    assert (warped == warped[..., :1]).all()
    identity = np.array([[1.0, 0, 16], [0, 1, 16]])
    assert np.array_equal(warp(source, identity, 64), source[16:80, 16:80])
