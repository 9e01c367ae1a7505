"""The generators, by the name that a config and a weights file carry."""

from __future__ import annotations

from .base import Generator
from .config import GeneratorConfig
from .residual import ResidualGenerator
from .sketchai import SketchAIGenerator
from .unet import UNetGenerator

REGISTRY: dict[str, type[Generator]] = {
    architecture.name: architecture for architecture in (ResidualGenerator, UNetGenerator, SketchAIGenerator)
}


def build_generator(config: GeneratorConfig) -> Generator:
    """A freshly initialised generator.

    Raises:
        ValueError: no such architecture.
    """
    return architecture(config.architecture)(config)


def architecture(name: str) -> type[Generator]:
    """The class that describes an architecture.

    Raises:
        ValueError: no such architecture.
    """
    try:
        return REGISTRY[name]
    except KeyError:
        raise ValueError(f"unknown architecture {name!r}; this version knows {', '.join(REGISTRY)}") from None


__all__ = ["REGISTRY", "Generator", "GeneratorConfig", "architecture", "build_generator"]
