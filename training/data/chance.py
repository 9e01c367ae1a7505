"""Random controls, for drawings that come with none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sketchgan_core.planning.controls import Controls


def sample_controls(rng: np.random.Generator, with_tone: bool = False) -> Controls:
    """Uniformly random controls, with extra chances of no shading, no roughness and other extremes.

    Args:
        with_tone: choose those that act on pictures alone at random as well.
    """
    darkness, roughness, shading = rng.uniform(0, 1, 3)
    no_shading, no_roughness, extreme = rng.random(3) < (0.2, 0.1, 0.1)
    if extreme:
        darkness, roughness, shading = np.round((darkness, roughness, shading))
    controls = Controls(
        darkness=round(float(darkness), 4),
        roughness=0.0 if no_roughness else round(float(roughness), 4),
        shading=0.0 if no_shading else round(float(shading), 4),
    )
    if not with_tone:
        return controls
    tone, detail, background = rng.uniform((0.4, 0, 0), 1)
    return replace(
        controls, tone=round(float(tone), 4), detail=round(float(detail), 4), background=round(float(background), 4)
    )
