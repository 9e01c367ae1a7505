"""Sources, tracing and vector drawings of `sketchgan-train synthesize`."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.errors import TrainingError
from training.synthesis import vector
from training.synthesis.sources import find_drawings
from training.synthesis.tracing import trace

BODY = '<path d="M10 10H90V90H10Z" fill="none" stroke="#000"/>'


def iconify(folder: Path) -> Path:
    folder.mkdir()
    names = ("owl", "flag-fr", "ok-button", "wave-dark-skin-tone", "heart")
    icons = {"prefix": "noto", "width": 100, "height": 100, "icons": {name: {"body": BODY} for name in names}}
    (folder / "icons.json").write_text(json.dumps(icons))
    (folder / "info.json").write_text(json.dumps({"license": {"spdx": "Apache-2.0"}}))
    (folder / "metadata.json").write_text(json.dumps({"categories": {"Symbols": ["heart"]}}))
    return folder


def test_iconify_package_without_flags_tones_and_signs(tmp_path: Path) -> None:
    (drawings,) = find_drawings([str(iconify(tmp_path / "package"))])
    assert [(d.key, d.licence) for d in drawings] == [("noto/owl", "Apache-2.0")]
    assert BODY in drawings[0].svg()


def test_openclipart_categories(tmp_path: Path) -> None:
    for name in ("svg/animals/cat.svg", "svg/shapes/star.svg", "svg/animals/flag_cat.svg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("<svg/>")
    (tmp_path / "svg/food").mkdir()
    (tmp_path / "svg/food/huge.svg").write_text("x" * 200_001)
    (drawings,) = find_drawings([f"openclipart={tmp_path}"])
    assert [d.key for d in drawings] == ["openclipart/animals/cat.svg"]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_bad_source_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match=name):
        find_drawings([str(tmp_path / name)])


def test_trace_goes_straight_through_a_crossing() -> None:
    image = np.zeros((100, 100), np.uint8)
    cv2.line(image, (10, 50), (90, 50), 1, 3)
    cv2.line(image, (50, 10), (50, 90), 1, 3)
    lines = trace(image > 0)
    assert sorted(round(line.extent, -1) for line in lines)[-2:] == [80, 80]
    assert len(lines) == 2


def test_trace_closes_a_circle_and_keeps_a_dot() -> None:
    image = np.zeros((120, 120), np.uint8)
    cv2.circle(image, (60, 60), 40, 1, 2)
    cv2.circle(image, (60, 60), 2, 1, -1)
    lines = sorted(trace(image > 0), key=lambda line: line.extent)
    assert [line.closed for line in lines] == [False, True]
    assert np.abs(np.hypot(*(lines[1].points - 60).T) - 40).max() < 2


def test_later_shapes_hide_earlier_lines() -> None:
    marks = vector.parse(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><path d="M0 50H100" stroke="#000"/>'
        '<rect x="30" y="0" width="40" height="100" fill="#fff" stroke="#000"/></svg>'
    )
    lines = vector.render(marks, 100, (100, 100, 0, 0))
    assert lines[48:53, 10].min() < 0.3
    assert lines[48:53, 50].min() > 0.9


def test_line_width_is_in_pixels() -> None:
    marks = vector.parse('<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0H100" stroke="#000"/></svg>')
    for width in (1.0, 2.5, 5.0):
        lines = vector.render(marks, 200, (180, 180, 10, 10), width)
        assert (1 - lines[:, 100]).sum() == pytest.approx(width, abs=0.35)


def test_broken_svg() -> None:
    with pytest.raises(ValueError, match="not usable SVG"):
        vector.parse("<svg")
