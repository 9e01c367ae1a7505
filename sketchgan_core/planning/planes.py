"""The input planes of a generator by name, and the version of the plan that fills them."""

from __future__ import annotations

PLAN_VERSION = 7  # see `plan`
# In the order in which the generator sees them.
PLANES = (
    "ink",
    "take",
    "restated",
    "construction",
    "hatch",
    "tone",
    "pressure",
    "noise",
    "darkness",
    "roughness",
    "shading",
    "softness",
)
