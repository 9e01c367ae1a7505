"""What the artist asks of a drawing, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

Control = float | np.ndarray

# The controls that are input planes of the generator, in their order; the others act on the plan.
PLANE_CONTROLS = ("darkness", "roughness", "shading", "softness")


@dataclass(frozen=True)
class Controls:
    """What the artist asks for; each a number in 0..1 or a map (H, W) of such numbers.

    Attributes:
        darkness: how hard the pencil is pressed, from faint to nearly black.
        roughness: wobble, restated strokes, overshoot and construction lines, from none to a lot.
        shading: how much is shaded in strokes; 0 is pure outline, or for a picture the soft side of the lead alone.
        tone: how much of a picture's light is drawn; 0 leaves only its lines.
        detail: how finely and how plainly the detail of a picture is drawn.
        background: how far a picture fades into bare paper around its subject and towards the border.
        softness: of the lead, from a 4H to charcoal; the grade that is drawn with decides it.
    """

    darkness: Control = 0.5
    roughness: Control = 0.4
    shading: Control = 0.5
    tone: Control = 0.8
    detail: Control = 0.5
    background: Control = 0.35
    softness: Control = 1 / 3

    def __post_init__(self) -> None:
        for name, value in self.items():
            values = np.asarray(value, dtype=np.float32)
            if values.ndim not in (0, 2) or not values.size:
                raise ValueError(f"{name} must be a number or a map (H, W), not an array of shape {values.shape}")
            if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
                raise ValueError(f"{name} must lie in 0..1")

    def items(self) -> list[tuple[str, Control]]:
        """(name, value) of each."""
        return [(field.name, getattr(self, field.name)) for field in fields(self)]

    def maps(self, height: int, width: int) -> dict[str, np.ndarray]:
        """Every control as a float32 map: (H, W), or (1, 1) where it is a number.

        Raises:
            ValueError: a map has another size than the image.
        """
        maps = {}
        for name, value in self.items():
            values = np.asarray(value, dtype=np.float32)
            if values.ndim == 2 and values.shape != (height, width):
                raise ValueError(f"the {name} map is {values.shape}, but the image is {(height, width)}")
            maps[name] = values if values.ndim == 2 else values.reshape(1, 1)
        return maps

    def fitted(self, size: tuple[int, int]) -> Controls:
        """These controls with every map resized to (height, width); a map of one value everywhere becomes a number."""
        from ..scaling import fitted  # loads OpenCV, which a host that only lists pencils does not need

        values = {}
        for name, value in self.items():
            numbers = np.asarray(value, dtype=np.float32)
            even = numbers.min() == numbers.max()
            values[name] = float(numbers.flat[0]) if even else fitted(numbers, size)
        return Controls(**values)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        return tuple(field.name for field in fields(cls))

    @classmethod
    def from_mapping(cls, values: Mapping[str, float]) -> Controls:
        """From names and numbers, as a manifest has them; an unknown name is a TypeError."""
        return cls(**values)
