"""Thicker and thinner lines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchgan_core.lines.prepare import prepare_lines
from sketchgan_core.lines.settings import LineSettings
from sketchgan_core.lines.thickness import change_thickness
from tests.conftest import draw_lines


def width(lines: np.ndarray) -> float:
    """The width of the one upright line at half height, in pixels of ink."""
    return float((1 - lines[lines.shape[0] // 2]).sum())


@pytest.fixture
def line() -> np.ndarray:
    lines = np.ones((60, 60), np.float32)
    cv2.line(lines, (30, 5), (30, 55), 0, 7)
    return lines


def test_nothing_added_changes_nothing() -> None:
    lines = draw_lines(100, 120)
    assert change_thickness(lines, 0) is lines
    np.testing.assert_array_equal(prepare_lines(lines, "none", LineSettings(thickness=0.0)).lines, lines)


@pytest.mark.parametrize("pixels", [-8, -4, -2, -1, -0.5, 0.25, 1, 3, 8])
def test_the_width_changes_by_so_many_pixels(line: np.ndarray, pixels: float) -> None:
    assert width(prepare_lines(line, "none", LineSettings(thickness=pixels)).lines) == pytest.approx(
        max(1, width(line) + pixels), abs=0.01
    )


def test_thin_lines_stay_whole() -> None:
    lines = draw_lines(200, 260)
    thin = change_thickness(lines, -8)
    parts = [cv2.connectedComponents((image < 0.9).astype(np.uint8))[0] for image in (lines, thin)]
    assert parts[0] == parts[1]
    assert (1 - thin).sum() < 0.7 * (1 - lines).sum()
    assert thin.min() >= 0
    assert (thin >= lines - 1e-6).all()
