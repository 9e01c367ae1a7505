"""From a host's image tensors to arrays and back, whatever another pack hands over."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from sketchgan_core.errors import SketchGANError
from sketchgan_core.materials.composite import Sheet, lay_on_paper

SOURCE = Path(__file__).parents[2] / "nodes" / "images.py"
_spec = importlib.util.spec_from_file_location("node_images", SOURCE)
assert _spec is not None
assert _spec.loader is not None
images = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(images)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_any_frame_has_three_colours(channels: int) -> None:
    frame = torch.full((4, 5, channels), 0.5)
    for values in (frame, (255 * frame).to(torch.uint8)):
        colours = images.to_colours(values, 4, 5)
        assert colours.shape == (4, 5, 3)
        np.testing.assert_allclose(colours, 0.5 if channels < 4 else 0.75, atol=0.01)


def test_no_number_is_no_picture() -> None:
    graphite = np.zeros((8, 8), np.float32)
    graphite[0, 0] = np.nan
    with pytest.raises(SketchGANError, match="the graphite contains NaN"):
        lay_on_paper(graphite, Sheet())
