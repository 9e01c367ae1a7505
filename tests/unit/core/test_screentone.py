"""Screentone: dots that stand for a grey become a tone, and what is drawn stays."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from sketchgan_core import cli
from sketchgan_core.images import read_image, write_image
from sketchgan_core.lines.prepare import prepare_lines
from sketchgan_core.lines.screentone import tone_of_screen
from sketchgan_core.lines.settings import LineSettings
from sketchgan_core.sketcher import Sketcher
from tests.conftest import draw_lines, random_generator

SIZE = 800


def screen(angle: float, period: float, tone: float) -> np.ndarray:
    """Ink (SIZE, SIZE) of a print's screen, as bool."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    turn = np.radians(angle)
    along, across = (x * np.cos(turn) + y * np.sin(turn)) / period, (y * np.cos(turn) - x * np.sin(turn)) / period
    wave: np.ndarray = 0.25 * (np.cos(2 * np.pi * along) + np.cos(2 * np.pi * across))
    return wave > np.quantile(wave, 1 - tone)


def page(angle: float = 45, period: float = 6, tone: float = 0.25) -> np.ndarray:
    """A disc in screentone with an outline, a cross on white beside it."""
    lines = np.ones((SIZE, SIZE), np.float32)
    disc = cv2.circle(np.zeros((SIZE, SIZE), np.uint8), (280, 400), 200, 1, -1) > 0
    lines[disc & screen(angle, period, tone)] = 0
    cv2.circle(lines, (280, 400), 200, 0, 4, cv2.LINE_AA)
    cv2.line(lines, (560, 300), (760, 500), 0, 4, cv2.LINE_AA)
    cv2.line(lines, (760, 300), (560, 500), 0, 4, cv2.LINE_AA)
    return lines


SCREENS = [(45, 6, 0.25), (0, 8, 0.2), (15, 5, 0.35), (45, 12, 0.3), (45, 8, 0.75)]


@pytest.mark.parametrize(("angle", "period", "tone"), SCREENS)
def test_dots_become_a_tone(angle: float, period: float, tone: float) -> None:
    found = tone_of_screen(page(angle, period, tone))
    assert found is not None
    rest, dark = found
    inside = cv2.circle(np.zeros((SIZE, SIZE), np.uint8), (280, 400), 170, 1, -1) > 0
    assert dark[inside].mean() == pytest.approx(tone, abs=0.06)
    assert (rest[inside] < 0.5).mean() < 0.01
    beside = np.s_[280:520, 540:780]
    assert not dark[beside].any()
    np.testing.assert_array_equal(rest[beside], page()[beside])


def test_what_is_drawn_is_no_screen() -> None:
    assert tone_of_screen(draw_lines(600, 480)) is None
    letters = np.full((SIZE, SIZE), 255, np.uint8)
    text = 2 * "ilo cnue ro sxa mnuvw irto"
    for row in range(40, SIZE, 30):
        cv2.putText(letters, text, (10, row), cv2.FONT_HERSHEY_SIMPLEX, 0.45, 0, 1, cv2.LINE_AA)
    assert tone_of_screen(letters.astype(np.float32) / 255) is None
    stipples = np.ones((SIZE, SIZE), np.float32)
    for x, y in np.random.default_rng(0).integers(0, SIZE, (4000, 2)).tolist():
        cv2.circle(stipples, (x, y), 2, 0, -1)
    assert tone_of_screen(stipples) is None


@pytest.mark.parametrize(("angle", "period", "tone"), SCREENS)
def test_the_command_lines_leaves_the_dots_out_unless_they_are_to_be_kept(
    angle: float, period: float, tone: float, tmp_path: Path
) -> None:
    write_image(tmp_path / "manga.png", page(angle, period, tone))

    def made(*options: str) -> np.ndarray:
        out = str(tmp_path / "out.png")
        assert cli.main(["lines", str(tmp_path / "manga.png"), "-o", out, "--overwrite", *options]) == 0
        return read_image(Path(out)).grey < 0.5

    inside = cv2.circle(np.zeros((SIZE, SIZE), np.uint8), (280, 400), 170, 1, -1) > 0
    outline = cv2.circle(np.zeros((SIZE, SIZE), np.uint8), (280, 400), 200, 1, 1) > 0
    for options in ((), ("--mode", "drawing"), ("--thickness", "3")):
        lines = made(*options)
        assert lines[inside].mean() < 0.01
        assert lines[outline].mean() > 0.95
    for options in (("--rules", "keep"), ("--mode", "none")):
        assert made(*options)[inside].mean() == pytest.approx(tone, abs=0.1)


def test_the_lines_of_the_node_and_the_app_still_hold_the_tone() -> None:
    sketcher = Sketcher(random_generator())
    assert sketcher.subject(prepare_lines(page()).lines).pixels is not None


def test_the_sketch_shades_it() -> None:
    sketcher = Sketcher(random_generator())
    subject = sketcher.subject(page())
    assert subject.pixels is not None
    assert sketcher.subject(page(), settings=LineSettings(rules="keep")).pixels is None
    sketch = sketcher.draw_subject(subject, sketcher.controls())
    disc = sketch[300:500, 180:380]
    assert 0.6 < disc.mean() < 0.9
    _, parts = cv2.threshold((255 * cv2.GaussianBlur(disc, (0, 0), 1)).astype(np.uint8), 128, 1, cv2.THRESH_BINARY_INV)
    assert cv2.connectedComponents(parts)[0] < 400, "the dots are drawn one by one"
