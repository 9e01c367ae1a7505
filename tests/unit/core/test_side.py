"""The tone that is asked for is the tone that the paper shows."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from sketchgan_core.materials.deposition import darkness_of, deposit
from sketchgan_core.materials.paper import paper
from sketchgan_core.materials.side import lay_side
from sketchgan_core.planning.hand import SLANT, Hand
from sketchgan_core.planning.strokes import Shading, lay_strokes, stroke_plane

SIZE = 256


def strokes(tone: float) -> np.ndarray:
    full = np.ones((SIZE, SIZE), np.float32)
    shading = Shading(tone * full, tone * full, np.float32(SLANT) * full, 4 * full, full, 0 * full, 0 * full)
    return 0.8 * cv2.GaussianBlur(stroke_plane(lay_strokes(shading, Hand(0), 0), SIZE, SIZE), (0, 0), 0.6)


@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
@pytest.mark.parametrize("wanted", [0.1, 0.3, 0.6, 0.8])
def test_strokes_and_side_together_show_the_tone(wanted: float, share: float) -> None:
    full = np.ones((SIZE, SIZE), np.float32)
    load = lay_side(strokes(wanted), 0 * full, wanted * full, share * full)
    laid = deposit(torch.from_numpy(load), torch.from_numpy(paper(SIZE, SIZE).copy())).numpy()
    assert laid[40:-40, 40:-40].mean() == pytest.approx(wanted, abs=0.035)


def test_more_side_is_less_stroke() -> None:
    full = np.ones((SIZE, SIZE), np.float32)
    texture = [
        lay_side(strokes(0.4), 0 * full, 0.4 * full, share * full)[40:-40, 40:-40].std() for share in (0.1, 0.5, 1)
    ]
    assert texture[0] > texture[1] > texture[2]


def test_bare_paper_stays_exactly_bare() -> None:
    tone = np.zeros((SIZE, SIZE), np.float32)
    tone[:, : SIZE // 2] = 0.5
    load = lay_side(np.zeros_like(tone), np.zeros_like(tone), tone, 0.5 * np.ones_like(tone))
    assert load[:, SIZE // 2 :].max() == 0


def test_without_a_tone_lines_are_left_as_they_are() -> None:
    line = np.zeros((SIZE, SIZE), np.float32)
    line[100:103] = 0.7
    nothing = np.zeros_like(line)
    assert np.array_equal(lay_side(line, line, nothing, nothing), line)


def test_fine_detail_is_drawn_as_it_is() -> None:
    # An eye: a dark iris of 24 px with a glint, under strokes that take no notice of it.
    y, x = np.mgrid[:SIZE, :SIZE]
    tone = np.full((SIZE, SIZE), 0.3, np.float32)
    tone[np.hypot(x - 128, y - 128) < 12] = 0.75
    tone[np.hypot(x - 133, y - 123) < 3] = 0.02
    load = lay_side(strokes(0.3), 0 * tone, tone, 0.5 * np.ones_like(tone))
    laid = darkness_of(load)
    assert laid[132:137, 120:128].mean() > 0.65
    assert laid[122:125, 132:135].mean() < 0.15


def test_what_is_pressed_across_fine_lights_is_lifted_with_the_side_alone() -> None:
    tone = np.full((80, 120), 0.5, np.float32)
    tone[::6] = 0.1
    load = np.zeros_like(tone)
    load[40:43, 20:100] = 0.9
    laid = darkness_of(lay_side(load, np.zeros_like(tone), tone, np.ones_like(tone)))
    assert laid[40:43, 30:90].mean() < 0.6
