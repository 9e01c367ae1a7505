"""Whether the renderer can draw here."""

from __future__ import annotations

import pytest

from sketchgan_core.errors import SketchGANError
from training.synthesis import mypaint
from training.synthesis.pencil import BRUSH


def _why_not() -> str:
    try:
        mypaint.library()
        mypaint.find_preset(BRUSH)
    except SketchGANError as error:
        return str(error)
    return ""


needs_libmypaint = pytest.mark.skipif(bool(_why_not()), reason=_why_not())
