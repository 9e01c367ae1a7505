"""A page on a desk: the drawing is drawn, not the desk."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchgan_core.lines.desk import find_sheet, without_desk
from sketchgan_core.lines.prepare import prepare_lines
from sketchgan_core.lines.reading import read
from sketchgan_core.lines.settings import LineSettings
from tests.conftest import draw_lines

DESKS = {"dark wood": (70, 50, 35), "grey table": (120, 122, 125), "green cloth": (60, 95, 70)}


def on_desk(colour: tuple[int, int, int], turn: float = 4, cut_off: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """A photograph (900, 800, 3) uint8 of a drawing on a sheet; and where its sheet lies, with a margin, as bool."""
    rng = np.random.default_rng(5)
    drawing = 255 * draw_lines(600, 480)
    sheet = cv2.copyMakeBorder(drawing, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=255)
    grain = cv2.GaussianBlur(rng.standard_normal((900, 800)).astype(np.float32), (0, 0), 1.5, sigmaY=30)
    photo = np.float32(colour) + 12 * (grain / grain.std())[..., None]
    middle = (sheet.shape[1] / 2, sheet.shape[0] / 2)
    move = cv2.getRotationMatrix2D(middle, turn, 1.0)
    move[:, 2] += np.array([400, 450 + (200 if cut_off else 0)]) - middle
    page = cv2.warpAffine(30 + 0.8 * sheet, move, (800, 900), borderValue=0)
    lies = cv2.warpAffine(np.ones_like(sheet), move, (800, 900)) > 0.5
    photo[lies] = page[lies][:, None] * np.float32([1.0, 0.98, 0.94])
    photo *= np.linspace(1.05, 0.85, 800, dtype=np.float32)[None, :, None]
    inside = cv2.erode(lies.astype(np.uint8), np.ones((41, 41), np.uint8)) > 0
    return photo.clip(0, 255).astype(np.uint8), inside


@pytest.mark.parametrize("desk", DESKS)
@pytest.mark.parametrize("cut_off", [False, True])
def test_the_drawing_alone_is_drawn(desk: str, cut_off: bool) -> None:
    photo, inside = on_desk(DESKS[desk], cut_off=cut_off)
    reading = read(photo)
    assert (reading.kind, reading.light_lines) == ("drawing", False)
    assert "a sheet" in reading.reason
    lines = prepare_lines(photo).lines
    assert (lines[~inside] < 0.7).mean() < 0.001, "the edge of the sheet or the desk is drawn"
    ink = lines < 0.5
    assert 0.01 < ink[inside].mean() < 0.2
    straight, where = on_desk(DESKS[desk], turn=0, cut_off=cut_off)
    assert (prepare_lines(straight).lines[where] < 0.5).mean() == pytest.approx(ink[inside].mean(), rel=0.2)


def test_the_desk_is_kept_where_that_is_asked() -> None:
    photo, _ = on_desk(DESKS["dark wood"])
    assert read(photo, with_desk=True).kind == "picture"
    assert prepare_lines(photo, settings=LineSettings(rules="keep")).mode == "photo"


def test_a_picture_with_something_light_in_it_stays_one() -> None:
    y, x = np.mgrid[:600, :800].astype(np.float32)
    room = np.stack([60 + x / 20, 50 + y / 20, 45 + x / 40], -1)
    window = room.copy()
    sky = np.stack([150 + y / 6, 180 + y / 8, 220 + 0 * y], -1)
    window[60:540, 150:700] = sky[60:540, 150:700]
    cv2.circle(window, (400, 420), 150, (60, 110, 50), -1)
    cv2.ellipse(window, (600, 500), (200, 60), 0, 0, 360, (90, 80, 60), -1)
    assert read(window.clip(0, 255).astype(np.uint8)).kind == "picture"


def test_a_scan_without_a_desk_is_left_alone() -> None:
    page = (255 * draw_lines(600, 480)).astype(np.uint8)
    assert find_sheet(page) is None
    assert find_sheet(np.full((300, 300), 250, np.uint8)) is None
    assert find_sheet(np.zeros((5, 3), np.uint8)) is None


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_paper_goes_on_over_the_desk(kind: type) -> None:
    photo, inside = on_desk(DESKS["dark wood"])
    pixels = photo if kind is np.uint8 else photo.astype(np.float32) / 255
    sheet = find_sheet(pixels)
    assert sheet is not None
    alone = without_desk(pixels, sheet)
    assert (alone.shape, alone.dtype) == (pixels.shape, pixels.dtype)
    np.testing.assert_array_equal(alone[inside], pixels[inside])
    paper = np.quantile(pixels[inside], 0.1)
    assert alone[~inside].min() > 0.8 * paper


def test_light_beside_dark_is_no_sheet() -> None:
    halves = np.full((300, 400), 40, np.uint8)
    halves[:, 180:] = 230
    assert read(halves).kind == "picture"
    blank = np.full((300, 400), 40, np.uint8)
    blank[30:270, 40:360] = 230
    assert read(blank).kind == "picture", "a sheet on which nothing is drawn"
