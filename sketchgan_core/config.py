"""The frozen description of a generator: all that is needed to build it, saved with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from .plan import PLANES


@dataclass(frozen=True)
class GeneratorConfig:
    """Attributes:
    architecture: name in `generators.REGISTRY`.
    width: channels at half resolution; deeper stages have two and three times as many.
    blocks: residual blocks at the coarsest stage.
    planes: the input planes, in order.
    """

    architecture: str = "residual"
    width: int = 48
    blocks: int = 2
    planes: tuple[str, ...] = PLANES

    def __post_init__(self) -> None:
        object.__setattr__(self, "planes", tuple(self.planes))
        unknown = [name for name in self.planes if name not in PLANES]
        if unknown:
            raise ValueError(f"unknown input plane {unknown[0]!r}; this version knows {', '.join(PLANES)}")
        if not self.planes or self.planes[0] != "ink":
            raise ValueError("the first input plane must be 'ink'")
        if not 1 <= self.width <= 1024 or not 0 <= self.blocks <= 64:
            raise ValueError(f"width {self.width} or blocks {self.blocks} out of range")

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "planes": list(self.planes)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GeneratorConfig:
        """The inverse of `to_dict`.

        Raises:
            ValueError: an unknown key, or a value out of range.
        """
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ValueError(f"unknown generator setting {unknown[0]!r}")
        return cls(**values)
