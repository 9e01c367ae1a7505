"""Checkpoints of the original project (Standchen/SketchAI): `.pt` pickles, read without running what is in them."""

from __future__ import annotations

from pathlib import Path

import torch

from ..errors import SketchGANError
from ..generators.sketchai import SketchAIGenerator, read_sketchai_state, sketchai_config


def read_checkpoint(path: Path) -> SketchAIGenerator:
    """The generator in a `.pt` file: a state dict, or a dict with one somewhere inside.

    Raises:
        SketchGANError: no such file, not a checkpoint, unsafe to read, or another layout.
    """
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise SketchGANError(f"{path}: {error.strerror or error}; check the name, and that it may be read") from error
    except Exception as error:  # a broken or malicious pickle can raise anything
        raise SketchGANError(
            f"{path}: not a checkpoint that can be read safely; save the generator's state_dict() and import that"
        ) from error
    try:
        state = read_sketchai_state(checkpoint)
    except ValueError as error:
        raise SketchGANError(f"{path}: {error}") from error
    generator = SketchAIGenerator(sketchai_config())
    generator.load_state_dict(state)
    return generator.eval()
