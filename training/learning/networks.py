"""Which networks a training configuration stands for."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from torch import nn

from sketchgan_core.generators.config import GeneratorConfig
from sketchgan_core.planning.plan import PLANES

from ..config import TrainConfig

_ENCODER = ("stem", "encode", "down", "eighth")
_TAIL = ("up_full", "tail", "output")

# What the discriminator sees beside the sketch: the strokes to draw and how hard. With more planes it takes far longer
# to notice the sketch among them; that every pixel is in its place is the fidelity loss's task.
CONDITION = ("take", "restated", "hatch", "darkness")


def generator_config(config: TrainConfig) -> GeneratorConfig:
    # the original generator knows nothing of plans
    planes = ("ink",) if config.architecture == "sketchai" else PLANES
    return GeneratorConfig(config.architecture, config.width, config.blocks, planes)


def discriminator_config(config: TrainConfig) -> dict[str, int]:
    """The arguments of MultiScaleDiscriminator."""
    return {"in_channels": len(CONDITION) + 1, "base_width": config.discriminator_width}


def unconditional_config(config: TrainConfig) -> dict[str, int]:
    """As `discriminator_config`, of the discriminator that sees sketches alone."""
    return {"in_channels": 1, "base_width": config.discriminator_width}


def parameter_groups(generator: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    """The generator's parameters for an optimizer, in their order; `share` is their share of the learning rate."""
    shares = {"encoder": config.encoder_rate, "decoder": config.decoder_rate, "tail": config.tail_rate}
    parts = groupby(generator.named_parameters(), key=lambda named: _part(named[0]))
    return [{"params": [parameter for _, parameter in named], "share": shares[part]} for part, named in parts]


def _part(name: str) -> str:
    return "encoder" if name.startswith(_ENCODER) else "tail" if name.startswith(_TAIL) else "decoder"
