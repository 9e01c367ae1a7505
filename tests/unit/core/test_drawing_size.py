"""A stroke is equally wide on the page, whatever the resolution of the input."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchgan_core.planning.drawing_size import (
    LARGEST,
    LONGEST,
    SMALLEST,
    line_width,
    size_for_lines,
    size_for_picture,
)
from sketchgan_core.scaling import side


def lines(size: int, width: int) -> np.ndarray:
    page = np.full((size, size), 255, np.uint8)
    cv2.circle(page, (size // 2, size // 2), size // 3, 0, width)
    cv2.line(page, (size // 8, size // 8), (size - size // 8, size // 3), 0, width)
    return page.astype(np.float32) / 255


@pytest.mark.parametrize("width", [2, 4, 7, 12])
def test_the_width_of_lines_is_measured(width: int) -> None:
    assert line_width(lines(900, width)) == pytest.approx(width, abs=1.6)


def test_the_same_drawing_is_drawn_at_the_same_size_whatever_its_resolution() -> None:
    small, large = size_for_lines(lines(1000, 3)), size_for_lines(lines(4000, 12))
    assert abs(side(small) - side(large)) < 0.15 * side(small)


def test_sizes_stay_in_bounds_and_keep_the_shape_of_the_page() -> None:
    for width in (1, 40):
        assert SMALLEST - 1 <= side(size_for_lines(lines(3000, width))) <= LARGEST + 1
    height, width = size_for_picture((800, 12000, 3))
    assert width / height == pytest.approx(15, rel=0.02)
    assert side(size_for_picture((4000, 4000), 0.0)) < side(size_for_picture((4000, 4000), 1.0))


def test_a_small_picture_is_hardly_enlarged_and_one_pixel_is_drawn() -> None:
    assert max(size_for_picture((64, 64))) <= 96
    assert size_for_picture((1, 1)) in {(1, 1), (2, 2)}
    assert size_for_lines(np.ones((3, 2), np.float32))[0] >= 3


def test_a_long_strip_is_drawn_within_what_can_be_moved_about() -> None:
    assert max(size_for_picture((45000, 30))) == LONGEST
