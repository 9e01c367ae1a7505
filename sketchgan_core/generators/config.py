"""The frozen descriptions of the networks: all that is needed to build one, saved with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from ..errors import one_line
from ..planning.planes import PLAN_VERSION, PLANES

AnyConfig = TypeVar("AnyConfig", "GeneratorConfig", "DiscriminatorConfig")


@dataclass(frozen=True)
class GeneratorConfig:
    """Attributes:
    architecture: name in `generators.REGISTRY`.
    width: channels at half resolution; deeper stages have two and three times as many.
    blocks: residual blocks at the coarsest stage.
    planes: the input planes, in order.
    plan: version of the plan that its planes belong to.
    """

    architecture: str = "residual"
    width: int = 48
    blocks: int = 2
    planes: tuple[str, ...] = PLANES
    plan: int = PLAN_VERSION

    def __post_init__(self) -> None:
        if not isinstance(self.architecture, str):
            raise ValueError("the architecture must be a name")
        if not isinstance(self.planes, (tuple, list)) or not self.planes or self.planes[0] != "ink":
            raise ValueError("the first input plane must be 'ink'")
        unknown = [name for name in self.planes if name not in PLANES]
        if unknown:
            raise ValueError(f"unknown input plane {one_line(str(unknown[0]))}; this version knows {', '.join(PLANES)}")
        if len(self.planes) > len(PLANES):
            raise ValueError("an input plane is given twice")
        object.__setattr__(self, "planes", tuple(self.planes))
        _check_number("width", self.width, 1, 1024)
        _check_number("blocks", self.blocks, 0, 64)
        _check_number("plan", self.plan, 1, 1_000_000)
        if self.planes == ("ink",):
            # A generator that sees only the line image depends on no plan.
            object.__setattr__(self, "plan", PLAN_VERSION)
        if self.plan != PLAN_VERSION:
            raise ValueError(
                f"made for plan {self.plan}, and this version of SketchGAN draws plan {PLAN_VERSION}; "
                "get a copy made for it, or train a new one"
            )

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "planes": list(self.planes)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GeneratorConfig:
        """The inverse of `to_dict`.

        Raises:
            ValueError: an unknown key, or a value out of range.
        """
        # The first plan had no number.
        return _from_dict(cls, {"plan": 1, **values})


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Attributes:
    in_channels: planes it is shown, the sketch included.
    base_width: channels of the first layer at each scale.
    """

    in_channels: int
    base_width: int = 32

    def __post_init__(self) -> None:
        _check_number("in_channels", self.in_channels, 1, len(PLANES) + 1)
        _check_number("base_width", self.base_width, 1, 256)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DiscriminatorConfig:
        """From what is saved with its weights.

        Raises:
            ValueError: a missing or unknown key, or a value out of range.
        """
        return _from_dict(cls, values)


def _from_dict(kind: type[AnyConfig], values: Mapping[str, Any]) -> AnyConfig:
    unknown = sorted(set(values) - {field.name for field in fields(kind)})
    if unknown:
        raise ValueError(f"unknown setting {one_line(unknown[0])}")
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _check_number(name: str, value: Any, low: int, high: int) -> None:
    # A bool is an int to Python.
    if type(value) is not int or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number in {low}..{high}")
