"""Pictures drawn by the bundled pencil: their light, their controls, their sizes, and frames that stand still."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from sketchgan_core.choices import PRESETS
from sketchgan_core.planning.controls import Controls
from sketchgan_core.sketcher import Sketcher


@pytest.fixture(scope="module")
def sketcher() -> Sketcher:
    return Sketcher.load("default", device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return cv2.resize(data.astronaut()[:400, 60:460], (160, 160), interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def cat() -> np.ndarray:
    return cv2.resize(data.chelsea(), (180, 120), interpolation=cv2.INTER_AREA)


def ranks(values: np.ndarray) -> np.ndarray:
    return values.ravel().argsort(kind="stable").argsort(kind="stable").astype(np.float64)


def correlation(first: Any, second: Any) -> float:
    return float(np.corrcoef(ranks(np.asarray(first)), ranks(np.asarray(second)))[0, 1])


def from_afar(image: np.ndarray) -> np.ndarray:
    return cv2.resize(cv2.GaussianBlur(image.astype(np.float32), (0, 0), 0.015 * max(image.shape)), (60, 60))


def drawn(sketcher: Sketcher, picture: np.ndarray, **settings: Any) -> np.ndarray:
    return sketcher(picture.astype(np.float32) / 255, lines="photo", **settings)


def test_the_sketch_has_the_light_of_the_picture(sketcher: Sketcher, portrait: np.ndarray, cat: np.ndarray) -> None:
    for picture in (portrait, cat):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        assert correlation(from_afar(grey), from_afar(drawn(sketcher, picture))) > 0.85


def test_graphite_is_grey_and_never_black(sketcher: Sketcher, portrait: np.ndarray) -> None:
    sketch = drawn(sketcher, portrait)
    assert 0.08 <= np.percentile(sketch, 0.2) <= 0.3
    ink = 1 - sketch
    assert ((ink > 0.1) & (ink < 0.75)).sum() > 0.8 * (ink > 0.1).sum()
    assert sketch.min() > 0.08


STEPS = (0.0, 0.35, 0.7, 1.0)


def test_darkness_tone_and_background_do_what_they_say(sketcher: Sketcher, portrait: np.ndarray) -> None:
    darkness = [1 - drawn(sketcher, portrait, darkness=step).mean() for step in STEPS]
    tone = [1 - drawn(sketcher, portrait, tone=step).mean() for step in STEPS]
    bare = [(drawn(sketcher, portrait, background=step) > 0.97).mean() for step in STEPS]
    for values in (darkness, tone, bare):
        assert correlation(STEPS, values) >= 0.95
        assert values[-1] > 1.3 * values[0]


def test_detail_and_shading_do_what_they_say(sketcher: Sketcher, cat: np.ndarray) -> None:
    def fine(sketch: np.ndarray) -> float:
        return float(np.abs(sketch - cv2.GaussianBlur(sketch, (0, 0), 2.0)).mean())

    shading = [fine(drawn(sketcher, cat, shading=step, detail=0.2)) for step in STEPS]
    # The picture's own fine detail: strokes do not follow it, so they do not count.
    own = cv2.cvtColor(cat, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    own -= cv2.GaussianBlur(own, (0, 0), 2.0)

    def kept(sketch: np.ndarray) -> float:
        return float((own * sketch).mean())

    detail = [kept(drawn(sketcher, cat, detail=step, patch_size=256)) for step in STEPS]
    assert correlation(STEPS, shading) >= 0.95
    assert correlation(STEPS, detail) >= 0.95


def test_a_flat_grey_picture_is_an_even_light_tone_without_a_pattern(sketcher: Sketcher) -> None:
    sketch = sketcher(np.full((200, 200), 0.5, np.float32), lines="photo", background=0.0)
    middle = from_afar(sketch)[8:-8, 8:-8]
    assert 0.6 < middle.mean() < 0.95
    assert middle.std() < 0.03


def test_lines_of_ones_own_are_drawn_with_the_tone_of_the_picture(sketcher: Sketcher, portrait: np.ndarray) -> None:
    lines = np.full((400, 400), 255, np.uint8)
    cv2.circle(lines, (200, 200), 120, 0, 5)
    picture = portrait.astype(np.float32) / 255
    both = sketcher(picture, lines=lines)
    assert both.shape == (160, 160)
    ring = cv2.resize(lines, (160, 160), interpolation=cv2.INTER_AREA) < 100
    # The picture has no lines there, so the ring shows in its light places.
    bright = ring & (cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY) > 180)
    assert both[bright].mean() < drawn(sketcher, portrait)[bright].mean() - 0.1
    grey = cv2.cvtColor(portrait, cv2.COLOR_RGB2GRAY)
    assert correlation(from_afar(grey), from_afar(both)) > 0.8


@pytest.mark.parametrize("shape", [(64, 64, 3), (1, 1, 3), (3, 200, 3), (80, 1200, 3)])
def test_pictures_of_any_shape(sketcher: Sketcher, cat: np.ndarray, shape: tuple[int, int, int]) -> None:
    picture = cv2.resize(cat, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    sketch = drawn(sketcher, picture)
    assert sketch.shape == shape[:2]
    assert np.isfinite(sketch).all()


def test_alpha_grey_and_sixteen_bits_are_read_alike(sketcher: Sketcher, cat: np.ndarray) -> None:
    grey = cv2.cvtColor(cat, cv2.COLOR_RGB2GRAY)
    plain = np.asarray(sketcher(Image.fromarray(grey), lines="photo"), np.float32) / 255
    deep = sketcher(grey.astype(np.uint16) * 257, lines="photo").astype(np.float32) / 65535
    np.testing.assert_allclose(deep, plain, atol=0.02)
    clear = Image.fromarray(grey).convert("RGBA")
    clear.putalpha(Image.fromarray(np.where(np.arange(180) < 90, 255, 0).astype(np.uint8)[None].repeat(120, 0)))
    half = np.asarray(sketcher(clear, lines="photo"))
    assert half[:, 125:].min() > 245


@pytest.mark.parametrize("size", [120, 240])
def test_tiles_do_not_show_at_any_output_size(sketcher: Sketcher, cat: np.ndarray, size: int) -> None:
    picture = cv2.resize(cat, (size, size), interpolation=cv2.INTER_AREA)
    whole, tiled = (drawn(sketcher, picture, tile=tile, patch_size=256) for tile in (1024, 64))
    assert np.abs(whole - tiled).max() <= 1 / 255


def test_what_stands_still_in_a_film_is_bit_identical(sketcher: Sketcher) -> None:
    ground = cv2.resize(data.coffee(), (480, 320), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    frames = np.stack([ground, ground])
    cv2.circle(frames[1], (60, 60), 25, (0.05, 0.05, 0.05), -1)
    sketches = sketcher(torch.from_numpy(frames), lines="photo", patch_size=384).numpy()
    assert np.abs(sketches[0] - sketches[1])[40:80, 40:80].max() > 0.3
    assert np.array_equal(sketches[0, :, 320:], sketches[1, :, 320:])


@pytest.mark.parametrize("name", list(PRESETS))
def test_a_preset_is_a_drawing_of_its_own(sketcher: Sketcher, cat: np.ndarray, name: str) -> None:
    Controls(**PRESETS[name])
    sketch = drawn(sketcher, cat, **PRESETS[name])
    assert (1 - sketch).mean() > 0.012
    others = [PRESETS[other] for other in PRESETS if other != name]
    assert all(values != PRESETS[name] for values in others)
