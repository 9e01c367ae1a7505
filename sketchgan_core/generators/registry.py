"""The generators, by the name that a config and a weights file carry."""

from __future__ import annotations

from .base import LoadGenerator
from .config import GeneratorConfig
from .residual import ResidualGenerator
from .sketchai import SketchAIGenerator
from .unet import UNetGenerator

Generator = LoadGenerator | SketchAIGenerator

REGISTRY: dict[str, type[Generator]] = {
    "residual": ResidualGenerator,
    "unet": UNetGenerator,
    "sketchai": SketchAIGenerator,
}


def build_generator(config: GeneratorConfig) -> Generator:
    """A freshly initialised generator.

    Raises:
        ValueError: no such architecture.
    """
    try:
        architecture = REGISTRY[config.architecture]
    except KeyError:
        known = ", ".join(REGISTRY)
        raise ValueError(f"unknown architecture {config.architecture!r}; this version knows {known}") from None
    return architecture(config)


__all__ = ["REGISTRY", "Generator", "GeneratorConfig", "LoadGenerator", "build_generator"]
