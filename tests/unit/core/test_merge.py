"""Pencils blended."""

from __future__ import annotations

import pytest
import torch

from sketchgan_core.errors import SketchGANError
from sketchgan_core.generators.merge import merge_generators
from tests.conftest import random_generator


def test_a_blend_lies_between_and_changes_neither() -> None:
    first, second = random_generator(), random_generator()
    with torch.no_grad():
        for parameter in second.parameters():
            parameter.add_(1)
    before = [parameter.clone() for parameter in first.parameters()]
    for ratio in (0, 0.25, 1):
        merged = merge_generators(first, second, ratio)
        for parameter, original in zip(merged.parameters(), before, strict=True):
            torch.testing.assert_close(parameter, original + ratio)
    for parameter, original in zip(first.parameters(), before, strict=True):
        torch.testing.assert_close(parameter, original, rtol=0, atol=0)


@pytest.mark.parametrize(("other", "says"), [({"width": 16}, "width: 8 and 16"), ({"architecture": "unet"}, "unet")])
def test_different_builds_are_one_clear_line(other: dict, says: str) -> None:
    with pytest.raises(SketchGANError, match=says):
        merge_generators(random_generator(), random_generator(**other), 0.5)
