"""Grades of lead and styles of shading, as seen by somebody who draws one picture with all of them."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from sketchgan_core import choices
from sketchgan_core.errors import SketchGANError
from sketchgan_core.materials.deposition import GRADES
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.light import Light
from sketchgan_core.planning.plan import PLANES, STYLES, plan
from sketchgan_core.sketcher import Sketcher

PICTURE = Path(__file__).parents[3] / "examples" / "pictures" / "castle.jpg"


@lru_cache
def drawn(grade: str = "2B", style: str = "layered") -> np.ndarray:
    picture = Image.open(PICTURE).resize((300, 294))
    return np.asarray(Sketcher.load("default", "cpu")(picture, grade=grade, style=style)) / np.float32(255)


def light(image: np.ndarray) -> np.ndarray:
    """How light each place of an image is, seen from afar."""
    return cv2.resize(image, (30, 30), interpolation=cv2.INTER_AREA).ravel()


def ranks(values: np.ndarray) -> np.ndarray:
    return values.argsort().argsort()


def test_menus_offer_what_there_is() -> None:
    assert list(choices.GRADES) == list(GRADES)
    assert list(choices.STYLES) == list(STYLES)


def test_a_softer_grade_draws_darker() -> None:
    darkest = [np.percentile(drawn(grade), 2) for grade in ("4H", "2B", "8B", "charcoal")]
    assert all(harder > softer + 0.01 for harder, softer in pairwise(darkest))
    assert darkest[0] > 0.35, "a hard lead has no blacks"
    assert darkest[-1] < 0.12, "charcoal has"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("grade", ["2B", "charcoal"])
def test_every_grade_and_style_keeps_the_light_of_the_picture(grade: str, style: str) -> None:
    picture = np.asarray(Image.open(PICTURE).convert("L").resize((300, 294)), np.float32)
    assert np.corrcoef(ranks(light(picture)), ranks(light(drawn(grade, style))))[0, 1] > 0.85
    assert (drawn(grade, style) == 1).any(), "bare paper is bare"


def test_styles_are_told_apart() -> None:
    """Over an even grey, hatching runs one way, cross-hatching and dots do not, and blended tone has no strokes."""
    grey = np.full((300, 300), 0.5, np.float32)
    light = Light(1 - grey, grey, grey, np.zeros_like(grey), None)
    one_way = {}
    for name, style in STYLES.items():
        planned = plan(np.ones_like(grey), Controls(), 0, light, style)
        strokes = cv2.GaussianBlur(planned.planes[PLANES.index("hatch")].numpy(), (0, 0), 1)[60:-60, 60:-60]
        if name == "blended":
            assert strokes.max() == 0
            continue
        right, down = (cv2.Sobel(strokes, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
        one_way[name] = abs(np.mean((right + 1j * down) ** 2)) / np.mean(right**2 + down**2)
    assert one_way["hatching"] > one_way["layered"] > one_way["cross-hatching"]
    assert one_way["hatching"] > 0.5
    assert one_way["stippled"] < 0.2


def test_an_unknown_medium_is_said() -> None:
    with pytest.raises(SketchGANError, match="unknown grade '9B'; choose one of 2B, 4H, 8B, charcoal"):
        Sketcher.load("default", "cpu")(np.ones((64, 64), np.float32), grade="9B")
