"""Which networks a training configuration stands for."""

from __future__ import annotations

from sketchgan_core.config import GeneratorConfig

from .config import TrainConfig

# What the discriminator sees beside the sketch: what to draw and how, but not the noise, the pressure and the
# later takes it would need to check every pixel, which is the fidelity loss's task.
CONDITION = ("ink", "take", "hatch", "tone", "darkness", "roughness", "shading")


def generator_config(config: TrainConfig) -> GeneratorConfig:
    return GeneratorConfig(config.architecture, config.width, config.blocks)


def discriminator_config(config: TrainConfig) -> dict[str, int]:
    """The arguments of MultiScaleDiscriminator."""
    return {"in_channels": len(CONDITION) + 1, "base_width": config.discriminator_width}
