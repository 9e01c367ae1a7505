"""Real training on tiny drawings: what it learns from, what it goes on from, and what comes out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from accelerate import Accelerator

from sketchgan_core.errors import SketchGANError
from sketchgan_core.generators.discriminator import MultiScaleDiscriminator
from sketchgan_core.generators.registry import build_generator
from sketchgan_core.pencils.weights import load_pencil
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.plan import PLAN_VERSION, PLANES
from sketchgan_core.sketcher import Sketcher
from training.cli import main
from training.config import TrainConfig
from training.data.crops import Crops
from training.data.pairs import find_pairs
from training.data.stacks import CHANNELS, Stacks, prepare
from training.data.stream import Stream, StreamedCrops, find_shards
from training.data.unpaired import UnpairedCrops, unpaired_crops
from training.learning.loop import Training
from training.learning.losses import TERMS, Balance
from training.learning.networks import CONDITION
from training.learning.start import FINE_TUNING, load_start

SMALL = {
    "width": 8, "blocks": 1, "discriminator_width": 8, "crop": 96, "batch": 4, "perceptual": "none", "log_crops": 8,
    "sample_crops": 1000, "validation_crops": 2, "fidelity_crops": 8, "discriminator_lead": 8, "adversarial_ramp": 8,
    "warmup_crops": 8, "ema_half_life": 16, "learning_rate": 1e-3, "decay": 0.0, "unpaired_batch": 2, "workers": 0,
}  # fmt: skip


def _run(data: Path, run: Path, *more: str, **settings: object) -> list[dict[str, float]]:
    """Train, and return what was logged."""
    sets = [part for key, value in {**SMALL, **settings}.items() for part in ("--set", f"{key}={value}")]
    command = ["run", "--data", str(data), "-o", str(run), "--threads", "1", "--device", "cpu", "--debug"]
    assert main([*command, *more, *sets]) == 0
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def unpaired(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Lines and sketches of different things: squares as lines, scribbled discs as sketches."""
    folder = tmp_path_factory.mktemp("unpaired")
    rng = np.random.default_rng(1)
    for kind in ("lines", "sketches"):
        (folder / kind).mkdir()
        for number in range(3):
            image = np.full((120, 140), 255, np.uint8)
            for _ in range(5):
                x, y = map(int, rng.integers(10, 80, 2))
                if kind == "lines":
                    cv2.rectangle(image, (x, y), (x + 30, y + 25), 0, 2)
                else:
                    cv2.circle(image, (x, y), 18, 0, -1)
            if kind == "sketches":
                image[rng.random(image.shape) < 0.5] = 255
            cv2.imwrite(str(folder / kind / f"{number}.png"), image)
        cv2.imwrite(str(folder / kind / "blank.png"), np.full((120, 140), 255, np.uint8))
    return ["--unpaired-lines", str(folder / "lines"), "--unpaired-sketches", str(folder / "sketches")]


@pytest.fixture(scope="module")
def augmented(
    shared_pairs: Path, unpaired: list[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[dict[str, float]]]:
    run = tmp_path_factory.mktemp("augmented") / "run"
    return run, _run(shared_pairs, run, *unpaired, crops=208, beta=2.0, workers=1)


def test_the_loss_falls(shared_pairs: Path, tmp_path: Path) -> None:
    logged = _run(shared_pairs, tmp_path / "run", crops=64, fidelity_crops=10_000)
    losses = [entry["loss/fidelity"] for entry in logged if "loss/fidelity" in entry]
    assert np.mean(losses[-3:]) < 0.75 * np.mean(losses[:2])


def test_adversarial_augmentation_moves_the_unpaired_terms(
    augmented: tuple[Path, list[dict[str, float]]],
) -> None:
    _, logged = augmented
    entries = [entry for entry in logged if "loss/unpaired" in entry]
    judge = [entry["loss/unconditional_discriminator"] for entry in entries]
    assert np.mean(judge[-3:]) < 0.9 * 6 * np.log(2)  # chance is 2 ln 2 per scale
    assert all(entry["share/unpaired"] > 0 and entry["share/unconditional"] > 0 for entry in entries)
    unpaired_term = [entry["loss/unpaired"] for entry in entries]
    assert np.ptp(unpaired_term) > 0.1 * np.mean(unpaired_term)


def test_a_run_goes_on_from_a_pencil_and_both_its_discriminators(
    augmented: tuple[Path, list[dict[str, float]]], shared_pairs: Path, unpaired: list[str], tmp_path: Path
) -> None:
    run, _ = augmented
    shared = tmp_path / "shared"
    shared.mkdir()
    # named as pencils are when they are passed on
    shutil.copy(run / "pencil.safetensors", shared / "anna.safetensors")
    shutil.copy(run / "discriminator.safetensors", shared / "anna.discriminator.safetensors")
    shutil.copy(run / "unconditional.safetensors", shared / "anna.unconditional.safetensors")
    for weights in (str(run), str(shared / "anna.safetensors")):
        start = load_start(weights)
        assert (start.settings()["width"], start.settings()["discriminator_width"]) == (8, 8)
        config = replace(TrainConfig(), width=8, blocks=1, discriminator_width=8)
        training = Training(config, Accelerator(cpu=True), None, unpaired=True)
        start.hand_over(training)
        for network, given in (
            (training.generator, start.pencil.generator),
            (training.discriminator, start.discriminator),
            (training.unconditional, start.unconditional),
        ):
            assert network is not None
            assert given is not None
            pairs = zip(network.state_dict().values(), given.state_dict().values(), strict=True)
            assert all(torch.equal(a, b) for a, b in pairs)


def test_a_pencil_that_knows_fewer_planes_goes_on_as_it_was(
    augmented: tuple[Path, list[dict[str, float]]], tmp_path: Path
) -> None:
    start = load_start(str(augmented[0]))
    before = build_generator(replace(start.pencil.generator.config, planes=PLANES[:-2])).eval()
    assert start.discriminator is not None
    older = MultiScaleDiscriminator(in_channels=len(CONDITION), base_width=8)
    start = replace(start, pencil=replace(start.pencil, generator=before), discriminator=older)
    config = replace(TrainConfig(), width=8, blocks=1, discriminator_width=8)
    training = Training(config, Accelerator(cpu=True), None)
    start.hand_over(training)
    planes, sketch = torch.rand(1, len(PLANES), 96, 96), torch.rand(1, 1, 96, 96)
    condition = torch.rand(1, len(CONDITION), 96, 96)
    with torch.inference_mode():
        assert torch.allclose(training.average.load(planes), before.load(planes[:, :-2]), atol=1e-5)
        judged = training.discriminator.eval()(torch.cat([condition, sketch], 1))
        as_before = older.eval()(torch.cat([condition[:, :-1], sketch], 1))
    for (now, _), (then, _) in zip(judged, as_before, strict=True):
        assert torch.allclose(now, then, atol=1e-4)


def test_an_augmented_run_resumes_with_its_unconditional_discriminator(
    augmented: tuple[Path, list[dict[str, float]]], shared_pairs: Path, unpaired: list[str], tmp_path: Path
) -> None:
    run, _ = augmented
    longer = tmp_path / "longer"
    shutil.copytree(run, longer)
    logged = _run(shared_pairs, longer, *unpaired, crops=224, beta=2.0)
    before, after = (entries[-1]["loss/unconditional_discriminator"] for entries in
                     (_terms(run), logged and _terms(longer)))  # fmt: skip
    assert abs(after - before) < 0.3 * before  # a fresh one would be back at chance


def _terms(run: Path) -> list[dict[str, float]]:
    entries = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [entry for entry in entries if "loss/unconditional_discriminator" in entry]


def test_unpaired_crops_have_lines_and_a_sketch_of_something_else(unpaired: list[str], tmp_path: Path) -> None:
    config = replace(TrainConfig(), crop=96, overlap=0.0, thickness=0.0, affine=0.0)
    crops = unpaired_crops(Path(unpaired[1]), Path(unpaired[3]), tmp_path / "plans", config)
    again = unpaired_crops(Path(unpaired[1]), Path(unpaired[3]), tmp_path / "plans", config)
    assert isinstance(crops, UnpairedCrops)
    controls = set()
    for number in range(12):
        crop = crops[number]
        assert torch.equal(crop, again[number])
        ink, sketch = (crop[CHANNELS.index(name)] for name in ("ink", "sketch"))
        # neither the blank line image nor the blank sketch
        assert (ink > 128).float().mean() >= config.minimum_ink
        assert (sketch < 128).float().mean() >= config.minimum_ink / 2
        controls.add(tuple(crop[CHANNELS.index(name), 0, 0].item() for name in ("darkness", "shading")))
    assert len(controls) > 1  # planned at random


def test_an_identity_crop_asks_for_its_input_back(shared_pairs: Path, tmp_path: Path) -> None:
    config = replace(TrainConfig(), crop=96)
    stacks = Stacks(find_pairs([shared_pairs]), tmp_path / "plans")
    prepare(stacks.folder)
    crop = Crops(stacks, [0, 1, 2], config, identity=1.0)[0]
    ink, take, sketch, roughness = (crop[CHANNELS.index(name)] for name in ("ink", "take", "sketch", "roughness"))
    assert torch.equal(ink, 255 - sketch)
    assert torch.equal(take, ink)
    assert not roughness.any()


def test_a_run_from_shards_resumed_equals_an_uninterrupted_one(
    shared_pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards, runs = tmp_path / "shards", [tmp_path / "whole", tmp_path / "halved"]
    assert main(["shard", "--data", str(shared_pairs), "-o", str(shards), "--pairs", "1", "--workers", "1"]) == 0
    settings = {"crops": 16, "fidelity_crops": 10_000, "crops_per_pair": 1, "first_pairs": 2}
    _run(shards, runs[0], **settings)
    asked = iter(range(1000))
    with monkeypatch.context() as patch:
        patch.setattr("training.runs.session.Stopping.__call__", lambda self: next(asked) == 1)
        _run(shards, runs[1], **settings)
    assert not (runs[1] / "pencil.safetensors").exists()
    _run(shards, runs[1], **settings)
    whole, halved = (load_pencil(run / "pencil.safetensors").generator.state_dict() for run in runs)
    assert all(torch.equal(tensor, halved[name]) for name, tensor in whole.items())
    assert "4 pairs of 2 drawings" in load_pencil(runs[0] / "pencil.safetensors").header.training["data"]


def test_shards_hold_what_the_pairs_plan_and_crop_n_hangs_on_n_alone(shared_pairs: Path, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    assert main(["shard", "--data", str(shared_pairs), "-o", str(shards), "--pairs", "2", "--workers", "1"]) == 0
    training, validation, _ = find_shards(shards)
    assert sum(shard.pairs for shard in [*training, *validation]) == 4
    stacks = Stacks(find_pairs([shared_pairs]), tmp_path / "plans")
    prepare(stacks.folder)
    stream = Stream([*training, *validation], seed=3)
    streamed = sorted(stream[place].tobytes() for place in range(4))
    assert streamed == sorted(stacks[index].tobytes() for index in range(4))
    config = replace(TrainConfig(), crop=96, crops_per_pair=2, first_pairs=3)
    forwards = StreamedCrops(Stream([*training, *validation], 0), config)
    wanted = [forwards[number] for number in range(24)]
    for number in (23, 11, 0, 12):  # in any order, as after a resume
        assert torch.equal(StreamedCrops(Stream([*training, *validation], 0), config)[number], wanted[number])


def test_a_truncated_shard_is_found_before_the_first_step(shared_pairs: Path, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    assert main(["shard", "--data", str(shared_pairs), "-o", str(shards), "--workers", "1"]) == 0
    shard = shards / "training-000000.tar"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(SketchGANError, match=r"training-000000\.tar.*copy the shard again"):
        _run(shards, tmp_path / "run")
    with pytest.raises(SketchGANError, match="holds shards already"):
        main(["shard", "--data", str(shared_pairs), "-o", str(shards), "--debug"])


def test_shards_of_another_plan_are_refused(shared_pairs: Path, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    assert main(["shard", "--data", str(shared_pairs), "-o", str(shards), "--workers", "1"]) == 0
    index = json.loads((shards / "shards.json").read_text())
    assert index.pop("plan_version") == PLAN_VERSION
    (shards / "shards.json").write_text(json.dumps(index))
    with pytest.raises(
        SketchGANError, match=r"shards\.json: the shards are of version 1 of the plan.*shard them again"
    ):
        find_shards(shards)


def test_unpaired_lines_without_sketches_are_refused(shared_pairs: Path, unpaired: list[str], tmp_path: Path) -> None:
    with pytest.raises(SketchGANError, match="give both"):
        _run(shared_pairs, tmp_path / "run", *unpaired[:2], crops=8)


def test_balance_brings_terms_within_one_order_of_magnitude() -> None:
    balance = Balance()
    norms = {"fidelity": torch.tensor(1.0), "perceptual": torch.tensor(50.0), "adversarial": torch.tensor(2e-4),
             "unpaired": torch.tensor(2.0)}  # fmt: skip
    factors = {}
    for _ in range(50):
        factors = balance(norms)
    scaled = {name: float(norm * factors[name]) for name, norm in norms.items()}
    assert max(scaled.values()) / min(scaled.values()) == pytest.approx(10, rel=1e-3)
    assert scaled["fidelity"] == pytest.approx(1.0)
    assert scaled["unpaired"] == pytest.approx(2.0)  # within the limit, the weights decide
    assert set(norms) <= set(TERMS)


def test_an_automatically_balanced_run_logs_its_factors_and_keeps_the_shares_together(
    shared_pairs: Path, tmp_path: Path
) -> None:
    logged = _run(shared_pairs, tmp_path / "run", crops=64, balance="auto", adversarial=1e-4, feature_matching=1e-4)
    last = [entry for entry in logged if "share/adversarial" in entry][-1]
    assert last["balance/adversarial"] > 10
    assert last["share/adversarial"] > 0.05


def test_a_unet_trains_and_exports_and_draws(shared_pairs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    logged = _run(shared_pairs, run, crops=48, architecture="unet", blocks=3, fidelity_crops=10_000)
    losses = [entry["loss/fidelity"] for entry in logged if "loss/fidelity" in entry]
    assert losses[-1] < losses[0]
    lines = cv2.imread(str(next((shared_pairs / "line").iterdir())), 0).astype(np.float32) / 255
    sketch = Sketcher.load(str(run / "pencil.safetensors"), "cpu").draw(lines, Controls(), 0)
    assert sketch.shape == lines.shape
    assert sketch[lines < 0.3].mean() < sketch[lines > 0.9].mean() - 0.2


def test_fine_tuning_takes_on_a_hand_and_keeps_the_lines(draw_pairs: Callable[..., None], tmp_path: Path) -> None:
    """From four pairs by a heavy black hand, the bundled pencil gets as dark and still draws the lines it is given."""
    data = tmp_path / "pairs"
    draw_pairs(data / "line", data / "sketch")
    for file in (data / "sketch").iterdir():
        line = cv2.imread(str(data / "line" / file.name), 0)
        cv2.imwrite(str(file), cv2.erode(line, np.ones((5, 5), np.uint8)))
    run = tmp_path / "run"
    sets = {"crops": 40, "crop": 96, "batch": 4, "perceptual": "none", "warmup_crops": 8, "log_crops": 16,
            "ema_half_life": 16, "fidelity_crops": 64, "learning_rate": 1e-3, "workers": 0}  # fmt: skip
    arguments = [part for key, value in sets.items() for part in ("--set", f"{key}={value}")]
    command = ["run", "--from", "default", "--data", str(data), "-o", str(run), "--threads", "1", "--device", "cpu"]
    assert main([*command, *arguments, "--debug"]) == 0
    before, after = load_pencil("default"), load_pencil(run / "pencil.safetensors")
    assert after.generator.config == before.generator.config

    moved = {}
    for (name, a), b in zip(before.generator.named_parameters(), after.generator.parameters(), strict=True):
        if name.endswith("weight"):
            moved[name.split(".")[0]] = ((a - b).norm() / a.norm()).item()
    assert moved["tail"] > 2 * moved["stem"]  # layer-wise rates

    line = cv2.imread(str(data / "line" / "ape.png"), 0).astype(np.float32) / 255
    target = cv2.imread(str(data / "sketch" / "ape.png"), 0).astype(np.float32) / 255
    drawn = [
        Sketcher.load(str(weights), "cpu").draw(line, Controls(), 0)
        for weights in ("default", run / "pencil.safetensors")
    ]
    distance = [float(np.abs(sketch - target).mean()) for sketch in drawn]
    assert distance[1] < 0.8 * distance[0]
    assert "fidelity_crops" in FINE_TUNING
