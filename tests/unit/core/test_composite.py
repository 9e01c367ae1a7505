"""Graphite and coloured pencil on paper."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchgan_core.choices import MODES, PAPERS
from sketchgan_core.errors import SketchGANError
from sketchgan_core.lines.prepare import MODES as LINE_MODES
from sketchgan_core.materials.composite import Sheet, lay_on_paper, parse_colour
from sketchgan_core.materials.paper import TOOTH

CREAM, BLUE = parse_colour("#f4efe4"), (0.1, 0.2, 0.6)


@pytest.fixture
def graphite() -> np.ndarray:
    """None on the left, half in the middle, full on the right."""
    return np.repeat(np.float32([0, 0.5, 1]), 64)[None].repeat(96, 0)


def test_the_menus_name_what_there_is() -> None:
    assert set(MODES) == set(LINE_MODES)
    assert set(PAPERS) == set(TOOTH)


@pytest.mark.parametrize(("text", "colour"), [("#ff0000", (1, 0, 0)), ("00f", (0, 0, 1)), (" #FFFFFF ", (1, 1, 1))])
def test_colours_are_read(text: str, colour: tuple[float, float, float]) -> None:
    assert parse_colour(text) == colour


@pytest.mark.parametrize("text", ["", "#12345", "red", "#gggggg", "#12345678"])
def test_what_is_no_colour_is_one_clear_line(text: str) -> None:
    with pytest.raises(SketchGANError, match="#rrggbb"):
        parse_colour(text)


def test_black_on_smooth_white_is_the_sketch(graphite: np.ndarray) -> None:
    picture, cover = lay_on_paper(graphite, Sheet())
    np.testing.assert_allclose(picture, (1 - graphite)[..., None].repeat(3, -1), atol=1e-6)
    np.testing.assert_array_equal(cover, graphite)


def test_paper_and_graphite_have_their_colours(graphite: np.ndarray) -> None:
    picture, _ = lay_on_paper(graphite, Sheet(colour=CREAM, tooth=1), BLUE)
    bare, full = picture[:, :60], picture[:, 132:]
    np.testing.assert_allclose(bare.mean((0, 1)), CREAM, atol=0.01)
    np.testing.assert_allclose(full, np.broadcast_to(np.float32(BLUE), full.shape), atol=1e-6)
    assert 0.005 < bare.std((0, 1)).max() < 0.1


def test_the_tooth_is_the_same_for_every_size_and_another_for_every_seed(graphite: np.ndarray) -> None:
    def lay(part: np.ndarray, seed: int = 0) -> np.ndarray:
        return lay_on_paper(part, Sheet(seed=seed, tooth=1))[0]

    whole = lay(graphite)
    np.testing.assert_allclose(lay(graphite[:40, :50])[:32, :40], whole[:32, :40], atol=1e-5)
    assert np.abs(lay(graphite, 1) - whole).max() > 0.01


def test_coloured_pencil_gives_the_image_seen_from_afar(graphite: np.ndarray) -> None:
    image = np.ones((128, 128, 3), np.float32)
    image[:, :64], image[:, 64:] = (0.9, 0.5, 0.2), (0.6, 0.6, 0.6)
    nothing = np.zeros((128, 128), np.float32)
    picture, cover = lay_on_paper(nothing, Sheet(), image=image)
    np.testing.assert_allclose(cv2.resize(picture, (2, 1), interpolation=cv2.INTER_AREA)[0], image[0, ::64], atol=0.02)
    assert picture[:, :64].std() > image[:, :64].std()
    weak, weaker = lay_on_paper(nothing, Sheet(), image=image, image_strength=0.4)
    assert weaker.mean() < cover.mean()
    assert weak.mean() > picture.mean()
    white, _ = lay_on_paper(nothing, Sheet(), image=np.ones_like(image))
    assert white.min() > 0.999


def test_transparent_is_the_same_picture_without_its_paper(graphite: np.ndarray) -> None:
    image = np.full((*graphite.shape, 3), 0.6, np.float32)
    opaque, cover = lay_on_paper(graphite, Sheet(colour=CREAM), BLUE, image, 0.5)
    picture, alpha = lay_on_paper(graphite, Sheet(transparent=True), BLUE, image, 0.5)
    assert picture.shape == (*graphite.shape, 4)
    np.testing.assert_array_equal(alpha, cover)
    np.testing.assert_array_equal(picture[..., 3], cover)
    laid = picture[..., :3] * picture[..., 3:] + (1 - picture[..., 3:]) * np.float32(CREAM)
    np.testing.assert_allclose(laid, opaque, atol=2 / 255)


def test_what_does_not_fit_is_one_clear_line(graphite: np.ndarray) -> None:
    with pytest.raises(SketchGANError, match="silk"):
        lay_on_paper(graphite, Sheet("silk"))
    with pytest.raises(SketchGANError, match="scale it"):
        lay_on_paper(graphite, Sheet(), image=np.ones((8, 8, 3), np.float32))
