"""Strokes of shading: evenly spaced, along the form, ended by contours."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import cv2
import numpy as np
import pytest

from sketchgan_core.planning.flow import read_flow
from sketchgan_core.planning.hand import SLANT, Hand
from sketchgan_core.planning.light import read_light
from sketchgan_core.planning.strokes import Shading, Strokes, lay_strokes, stroke_plane

SIZE = 320


def even(tone: float = 0.5, angle: float = SLANT, size: int = SIZE) -> Shading:
    full = np.full((size, size), 1, np.float32)
    return Shading(tone * full, tone * full, np.float32(angle) * full, 4 * full, full, 0 * full, 0 * full)


def directions(strokes: list[np.ndarray]) -> np.ndarray:
    ends = np.array([stroke[-1, :2] - stroke[0, :2] for stroke in strokes])
    return np.arctan2(ends[:, 1], ends[:, 0])


def test_strokes_run_along_the_direction_that_is_given() -> None:
    for angle in (0.0, 0.7, -1.2):
        off = np.sin(directions(lay_strokes(even(angle=angle), Hand(0), 0).polylines()) - angle)
        assert np.abs(off).mean() < 0.06


def test_strokes_leave_paper_between_them_but_no_holes() -> None:
    plane = stroke_plane(lay_strokes(even(0.8), Hand(3), 0), SIZE, SIZE)[40:-40, 40:-40]
    covered = plane > 0.2
    assert 0.25 < covered.mean() < 0.75
    hole = cv2.distanceTransform((~covered).astype(np.uint8), cv2.DIST_L2, 5)
    assert hole.max() < 9


def test_darker_means_firmer_and_fuller() -> None:
    laid = [stroke_plane(lay_strokes(even(tone), Hand(0), 0), SIZE, SIZE).mean() for tone in (0.05, 0.2, 0.5, 0.9)]
    assert all(lighter < darker for lighter, darker in pairwise(laid))
    assert lay_strokes(even(0.0), Hand(0), 0).polylines() == []


def test_a_stroke_ends_at_a_contour_and_at_a_step_of_tone() -> None:
    barrier = np.zeros((SIZE, SIZE), np.float32)
    barrier[:, 158:162] = 1
    for shading in (
        replace(even(angle=0.0), barrier=barrier),
        replace(
            even(angle=0.0),
            broad=np.where(np.arange(SIZE) < 160, 0.2, 0.8).astype(np.float32) * np.ones((SIZE, 1), np.float32),
        ),
    ):
        for stroke in lay_strokes(shading, Hand(0), 0).polylines():
            assert stroke[:, 0].max() < 164 or stroke[:, 0].min() > 156


def test_a_stroke_tapers() -> None:
    long = [stroke for stroke in lay_strokes(even(), Hand(0), 0).polylines() if len(stroke) > 15]
    assert long
    for stroke in long:
        assert max(stroke[0, 2], stroke[-1, 2]) < 0.7 * stroke[:, 2].max()


def test_a_seed_is_a_take_and_layers_differ() -> None:
    first, again, other = (stroke_plane(lay_strokes(even(), Hand(seed), 0), SIZE, SIZE) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.abs(first - other).mean() > 0.02
    assert np.abs(first - stroke_plane(lay_strokes(even(), Hand(1), 1), SIZE, SIZE)).mean() > 0.02


def test_what_changes_in_one_place_leaves_far_strokes_alone() -> None:
    """Otherwise an animation's frames would not stand still."""
    changed = even(size=640)
    tone = changed.tone.copy()
    tone[:120, :120] = 0.9
    other = replace(changed, tone=tone)
    still, moved = (stroke_plane(lay_strokes(shading, Hand(0), 0), 640, 640) for shading in (changed, other))
    assert not np.array_equal(still[:100, :100], moved[:100, :100])
    assert np.array_equal(still[400:, 400:], moved[400:, 400:])


def test_a_larger_page_shows_the_same_strokes_in_its_corner() -> None:
    small, large = (stroke_plane(lay_strokes(even(size=size), Hand(0), 0), size, size) for size in (384, 640))
    assert np.array_equal(small[:160, :160], large[:160, :160])


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (7, 90)])
def test_any_size(shape: tuple[int, int]) -> None:
    full = np.ones(shape, np.float32)
    shading = Shading(0.8 * full, 0.8 * full, 0 * full, 3 * full, full, 0 * full, 0 * full)
    assert stroke_plane(lay_strokes(shading, Hand(0), 0), *shape).shape == shape


def test_hair_is_followed_and_an_empty_sky_has_one_slant() -> None:
    y, x = np.mgrid[:400, :400].astype(np.float32)
    hair = 0.5 + 0.3 * np.sin((x + 0.6 * y) / 1.8)
    along = read_flow(read_light(hair.astype(np.float32)), Hand(0))[100:300, 100:300]
    assert np.abs(np.sin(along - np.arctan2(1, -0.6))).mean() < 0.1
    sky = read_flow(read_light((0.7 + 0.1 * y / 400).astype(np.float32)), Hand(0))
    assert np.abs(np.sin(sky - SLANT)).max() < 0.4


def test_a_blurred_ground_has_no_swirls() -> None:
    rng = np.random.default_rng(5)
    ground = cv2.GaussianBlur(rng.random((500, 500), dtype=np.float32), (0, 0), 25)
    ground = (ground - ground.min()) / np.ptp(ground)
    assert np.abs(np.sin(read_flow(read_light(ground), Hand(0)) - SLANT)).mean() < 0.2


def test_the_last_stroke_is_drawn_as_any_other() -> None:
    one = np.array([[10, 10, 0.5], [12.5, 10, 0.5], [15, 10, 0.5]], np.float32)
    both = np.concatenate([one, one + np.float32([40, 40, 0])])
    last = stroke_plane(Strokes(one, np.array([3]), np.array([False])), 80, 80)
    first = stroke_plane(Strokes(both, np.array([3, 6]), np.array([False, False])), 80, 80)
    assert first.max() > 0
    np.testing.assert_array_equal(last[:30, :30], first[:30, :30])
