"""Clean lines out of drawings, scans and photographs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchgan_core.errors import SketchGANError
from sketchgan_core.images import to_lines
from sketchgan_core.lines import choose_mode, prepare_lines
from tests.conftest import draw_lines


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return draw_lines(400, 500)


def scan(lines: np.ndarray) -> np.ndarray:
    """Pencil on yellowed paper under a lamp, with the grain of a cheap sensor."""
    height, width = lines.shape
    light = (
        np.linspace(0.5, 0.9, width, dtype=np.float32)[None] * np.linspace(1, 0.85, height, dtype=np.float32)[:, None]
    )
    grain = np.random.default_rng(0).normal(0, 0.015, lines.shape)
    return np.clip(light * (1 - 0.6 * (1 - lines)) + grain, 0, 1).astype(np.float32)


def photograph(name: str) -> np.ndarray:
    data = pytest.importorskip("skimage.data")
    return to_lines(getattr(data, name)())


def recall_and_precision(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Of dark pixels, within two pixels."""
    near = np.ones((5, 5), np.uint8)
    found, truth = ((image < 0.5).astype(np.uint8) for image in (found, truth))
    recall = (cv2.dilate(found, near) & truth).sum() / truth.sum()
    precision = (found & cv2.dilate(truth, near)).sum() / max(1, found.sum())
    return float(recall), float(precision)


def test_none_changes_nothing(clean: np.ndarray) -> None:
    np.testing.assert_array_equal(prepare_lines(clean, "none").lines, clean)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines,
        lambda lines: 1 - lines,
        scan,
        lambda lines: 1 - 0.2 * (1 - lines),
        lambda lines: 0.3 + 0.5 * lines,
    ],
    ids=["clean", "white on black", "scan", "faint", "grey paper"],
)
def test_a_drawing_keeps_its_lines_and_loses_its_paper(clean: np.ndarray, spoil: object) -> None:
    lines = prepare_lines(spoil(clean), "drawing").lines  # type: ignore[operator]
    recall, precision = recall_and_precision(lines, clean)
    assert recall > 0.97
    assert precision > 0.97
    assert (lines[clean == 1] > 0.95).mean() > 0.98


def test_one_pixel_grey_lines_are_kept() -> None:
    lines = np.ones((300, 300), np.float32)
    lines[::30] = 0.7
    cleaned = prepare_lines(lines, "drawing").lines
    assert (cleaned[::30] < 0.5).all()


def test_a_blank_page_stays_blank() -> None:
    for mode in ("drawing", "photo", "classic", "auto"):
        assert (prepare_lines(np.ones((64, 80), np.float32), mode).lines == 1).all()


def test_auto_tells_drawings_from_photographs(clean: np.ndarray) -> None:
    assert choose_mode(clean)[0] == "none"
    assert choose_mode(1 - clean)[0] == "drawing"
    assert choose_mode(scan(clean))[0] == "drawing"


@pytest.mark.parametrize("name", ["astronaut", "coffee", "camera", "chelsea"])
def test_auto_finds_outlines_in_photographs(name: str) -> None:
    prepared = prepare_lines(photograph(name), "auto")
    assert prepared.mode == "photo"
    assert 0.01 < (prepared.lines < 0.5).mean() < 0.2


def test_photo_lines_do_not_depend_on_resolution() -> None:
    small = photograph("camera")
    large = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    found = cv2.resize(prepare_lines(large, "photo").lines, small.shape[::-1], interpolation=cv2.INTER_AREA)
    recall, precision = recall_and_precision(found, prepare_lines(small, "photo").lines)
    assert min(recall, precision) > 0.8


@pytest.mark.parametrize("mode", ["none", "drawing", "photo", "classic", "auto"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2, 2), (37, 53)])
def test_every_mode_takes_every_size(mode: str, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    lines = prepare_lines(image, mode).lines  # type: ignore[arg-type]
    assert lines.shape == shape
    assert lines.dtype == np.float32
    assert lines.min() >= 0
    assert lines.max() <= 1


def test_an_unknown_mode_names_the_known_ones() -> None:
    with pytest.raises(SketchGANError, match="drawing"):
        prepare_lines(np.ones((4, 4), np.float32), "pencil")  # type: ignore[arg-type]
