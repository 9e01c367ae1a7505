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
        colours = images.to_colours(images.frames(values[None], "image")[0], 4, 5)
        assert colours.shape == (4, 5, 3)
        np.testing.assert_allclose(colours, 0.5 if channels < 4 else 0.75, atol=0.01)


@pytest.mark.parametrize("shape", [(0, 4, 5, 3), (1, 0, 0, 3), (4, 5, 3), (1, 4, 5, 2), (1, 4, 5, 5), (1, 1, 4, 5, 3)])
def test_what_is_no_image_is_one_sentence(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"^lines (is empty,|has the shape) [^\n]+$"):
        images.frames(torch.zeros(shape), "lines")


@pytest.mark.parametrize("kind", [torch.uint8, torch.bool, torch.float16, torch.bfloat16, torch.float64])
def test_masks_of_any_kind_are_floats(kind: torch.dtype) -> None:
    full = torch.full((4, 5), 255 if kind == torch.uint8 else 1).to(kind)
    for given in (full, full[None], full[None, None]):
        mask = images.masks(given, "graphite")
        assert mask.shape == (1, 4, 5)
        assert mask.dtype == torch.float32
        assert (mask == 1).all()
    with pytest.raises(ValueError, match="graphite is empty"):
        images.masks(full[:0], "graphite")


def test_no_number_is_no_picture() -> None:
    graphite = np.zeros((8, 8), np.float32)
    graphite[0, 0] = np.nan
    with pytest.raises(SketchGANError, match="the graphite contains NaN"):
        lay_on_paper(graphite, Sheet())
