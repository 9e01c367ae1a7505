"""Which networks a training configuration stands for."""

from __future__ import annotations

from sketchgan_core.config import GeneratorConfig
from sketchgan_core.plan import PLANES

from .config import TrainConfig

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
