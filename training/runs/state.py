"""The state of a run besides its tensors: what a checkpoint keeps of it, and where the run came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sketchgan_core.errors import SketchGANError
from sketchgan_core.planning.controls import Controls

from ..data.plan_version import KEY
from ..learning.validation import Best


@dataclass(frozen=True)
class Origin:
    """What a run learns from: its command and data, the revision of the source, the perceptual network, the plan.

    `controls` holds the mean of those that were measured in an artist's own drawings: the pencil's defaults.
    """

    command: str
    data: str
    commit: str
    perceptual: str
    plan_version: int
    controls: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class RunState:
    """How far a run has come.

    Attributes:
        origin: where it came from.
        crops, seconds: of training, over all sessions.
        crops_per_step: of all processes together.
        bad_steps: steps in a row that taught nothing.
        good_at: crops up to which checkpoints are known to be good: their weights have been measured.
        best: the best checkpoint in validation.
        unlogged: scalars of the steps since the last point of the curves.
    """

    origin: Origin
    crops: int
    seconds: float
    crops_per_step: int
    bad_steps: int = 0
    good_at: int = 0
    best: Best | None = None
    unlogged: dict[str, list[float]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Flat, as `state.json` has it."""
        flat = asdict(self)
        origin = flat.pop("origin")
        return {**origin, **flat}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> RunState:
        """The inverse of `as_json`.

        Raises:
            ValueError: something is missing or of the wrong kind.
        """
        if not isinstance(state, Mapping):
            raise ValueError("is not an object")
        best, unlogged = state.get("best"), state.get("unlogged", {})
        try:
            command, data, commit, perceptual = (
                _text(state, name) for name in ("command", "data", "commit", "perceptual")
            )
            controls = asdict(Controls(**state["controls"])) if state.get("controls") else {}
            origin = Origin(command, data, commit, perceptual, _count(state, KEY), controls)
            return cls(
                origin,
                _count(state, "crops"),
                float(state["seconds"]),
                _count(state, "crops_per_step"),
                _count(state, "bad_steps"),
                _count(state, "good_at"),
                None if best is None else Best(**best),
                {name: [float(value) for value in values] for name, values in unlogged.items()},
            )
        except KeyError as error:
            raise ValueError(f"lacks {error}") from error
        except (TypeError, AttributeError, SketchGANError) as error:
            raise ValueError(str(error)) from error


def _text(state: Mapping[str, Any], name: str) -> str:
    if not isinstance(state[name], str):
        raise ValueError(f"{name} is {state[name]!r}, not a text")
    return state[name]


def _count(state: Mapping[str, Any], name: str) -> int:
    value = state[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name} is {value!r}, not a count")
    return value
