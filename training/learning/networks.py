"""Which networks a training configuration stands for."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import torch

from sketchgan_core.generators.registry import Generator, GeneratorConfig, architecture, build_generator

from ..config import TrainConfig
from ..errors import TrainingError

# What the discriminator sees beside the sketch: the strokes to draw, how hard, and with which lead. With more planes it
# takes far longer to notice the sketch among them; that every pixel is in its place is the fidelity loss's task.
CONDITION = ("take", "restated", "hatch", "darkness", "softness")


def generator_config(config: TrainConfig) -> GeneratorConfig:
    """The generator to train.

    Raises:
        TrainingError: no such architecture, or it comes in another size only.
    """
    try:
        planes = architecture(config.architecture).input_planes
        shape = GeneratorConfig(config.architecture, config.width, config.blocks, planes)
        with torch.device("meta"):
            build_generator(shape)
    except ValueError as error:
        raise TrainingError(f"--set architecture={config.architecture}: {error}") from error
    return shape


def discriminator_config(config: TrainConfig) -> dict[str, int]:
    """The arguments of MultiScaleDiscriminator."""
    return {"in_channels": len(CONDITION) + 1, "base_width": config.discriminator_width}


def unconditional_config(config: TrainConfig) -> dict[str, int]:
    """As `discriminator_config`, for the discriminator that sees sketches alone."""
    return {"in_channels": 1, "base_width": config.discriminator_width}


def parameter_groups(generator: Generator, config: TrainConfig) -> list[dict[str, Any]]:
    """The generator's parameters for an optimizer, in order; `share` is their share of the learning rate."""
    shares = {"encoder": config.encoder_rate, "decoder": config.decoder_rate, "tail": config.tail_rate}

    def part(named: tuple[str, object]) -> str:
        if named[0].startswith(generator.encoder_names):
            return "encoder"
        return "tail" if named[0].startswith(generator.tail_names) else "decoder"

    parts = groupby(generator.named_parameters(), key=part)
    return [{"params": [parameter for _, parameter in named], "share": shares[part]} for part, named in parts]
