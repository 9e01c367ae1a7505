"""Random controls, for drawings that come with none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sketchgan_core.materials.deposition import GRADES
from sketchgan_core.planning.controls import Controls

# How often each grade is drawn with: most drawings are made with a 2B.
_GRADES = {"4H": 0.15, "2B": 0.5, "8B": 0.175, "charcoal": 0.175}


def sample_controls(rng: np.random.Generator, with_tone: bool = False) -> Controls:
    """Uniformly random controls and any grade, with extra chances of no shading, no roughness and other extremes.

    Args:
        with_tone: choose those that act on pictures alone at random as well.
    """
    darkness, roughness, shading = rng.uniform(0, 1, 3)
    no_shading, no_roughness, extreme = rng.random(3) < (0.2, 0.1, 0.1)
    grade = str(rng.choice(list(_GRADES), p=list(_GRADES.values())))
    if extreme:
        darkness, roughness, shading = np.round((darkness, roughness, shading))
    controls = Controls(
        darkness=round(float(darkness), 4),
        roughness=0.0 if no_roughness else round(float(roughness), 4),
        shading=0.0 if no_shading else round(float(shading), 4),
        softness=GRADES[grade].softness,
    )
    if not with_tone:
        return controls
    tone, detail, background = rng.uniform((0.4, 0, 0), 1)
    return replace(
        controls, tone=round(float(tone), 4), detail=round(float(detail), 4), background=round(float(background), 4)
    )
