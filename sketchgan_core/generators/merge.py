"""Two pencils of the same build blended into a third."""

from __future__ import annotations

from copy import deepcopy

import torch

from ..errors import SketchGANError
from .registry import Generator


def merge_generators(first: Generator, second: Generator, ratio: float) -> Generator:
    """A generator whose every weight lies between those of two others; neither is changed.

    Args:
        first, second: of one architecture and configuration.
        ratio: 0 is the first, 1 the second.

    Raises:
        SketchGANError: they are built differently.
    """
    if first.config != second.config:
        ours, theirs = first.config.to_dict(), second.config.to_dict()
        name = next(key for key in ours if ours[key] != theirs[key])
        raise SketchGANError(
            f"the two pencils are built differently ({name}: {ours[name]} and {theirs[name]}); "
            "merge pencils of one architecture and size"
        )
    merged = deepcopy(first)
    others = second.state_dict()
    with torch.no_grad():
        for key, value in merged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(others[key].to(value), ratio)
    return merged
