"""What PLAN_VERSION stands for: the numbers of the plan, as pencils have learned them.

`python -m tests.unit.core.test_plan_version` records them again.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sketchgan_core.choices import PAPERS
from sketchgan_core.materials.paper import paper
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.light import read_light
from sketchgan_core.planning.plan import PLAN_VERSION, PLANES, plan

RECORDED = Path(__file__).with_name("plan_version.json")
SIZE, GRID = 256, 4
# How much a part of the page may change: where another processor's rounding leaves out a stroke, and otherwise.
STROKE, ROUNDING = 0.006, 0.0008


def seen(plane: np.ndarray) -> list[float]:
    """Coarse numbers that tell planes (SIZE, SIZE) apart: how much each part of the page has, and how it lies."""
    y, x = np.mgrid[:SIZE, :SIZE]
    parts = [plane * wave for wave in (1, np.sin(0.7 * x + 0.3 * y), np.sin(0.3 * x - 0.8 * y))]
    means = [part.reshape(GRID, SIZE // GRID, GRID, SIZE // GRID).mean((1, 3)).ravel() for part in parts]
    return [round(float(value), 5) for value in np.concatenate(means)]


def drawing() -> np.ndarray:
    """A ball with a black spot on a table, (SIZE, SIZE) float32."""
    page = np.full((SIZE, SIZE), 255, np.uint8)
    cv2.circle(page, (120, 110), 76, 0, 2, cv2.LINE_AA)
    cv2.circle(page, (150, 90), 14, 0, -1, cv2.LINE_AA)
    cv2.line(page, (0, 200), (255, 190), 90, 2, cv2.LINE_AA)
    return page.astype(np.float32) / 255


def picture() -> np.ndarray:
    """The ball in the light, (SIZE, SIZE, 3) float32."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    depth = np.sqrt(np.clip(76**2 - (x - 120) ** 2 - (y - 110) ** 2, 0, None))
    lit = (0.5 * depth - 0.5 * (x - 120) - 0.6 * (y - 110)) / 76
    light = np.where(depth > 0, 0.15 + 0.75 * np.clip(lit, 0, 1), 0.45 + 0.4 * y / SIZE)
    return np.dstack([light, 0.9 * light, 0.8 * light]).astype(np.float32)


def measured() -> dict[str, dict[str, list[float]]]:
    slope = np.linspace(0, 1, SIZE, dtype=np.float32)[None].repeat(SIZE, 0)
    cases = {
        "drawing": plan(drawing(), Controls(roughness=0.8, shading=0.9), 7),
        "picture": plan(drawing(), Controls(), 8, read_light(picture())),
        "maps": plan(
            drawing(), Controls(darkness=slope, roughness=slope.T.copy(), tone=1 - slope), 9, read_light(picture())
        ),
    }
    found = {
        case: {name: seen(plane) for name, plane in zip(PLANES, planned.planes.numpy(), strict=True)}
        | {"reach": seen(planned.reach[0].numpy())}
        for case, planned in cases.items()
    }
    return found | {"paper": {kind: seen(paper(SIZE, SIZE, kind, 10)) for kind in PAPERS}}


@pytest.fixture(scope="module")
def now() -> dict[str, dict[str, list[float]]]:
    return measured()


def test_the_record_is_of_this_version() -> None:
    assert json.loads(RECORDED.read_text())["version"] == PLAN_VERSION, "record again: see the top of this file"


@pytest.mark.parametrize("case", ["drawing", "picture", "maps", "paper"])
def test_the_plan_is_what_pencils_have_learned(now: dict[str, dict[str, list[float]]], case: str) -> None:
    recorded = json.loads(RECORDED.read_text())["seen"][case]
    assert recorded.keys() == now[case].keys()
    for name, values in recorded.items():
        off = float(np.abs(np.subtract(values, now[case][name])).max())
        assert off <= (STROKE if name in ("hatch", "reach") else ROUNDING), (
            f"{case}, {name}: changed by {off:.4f}. Raise PLAN_VERSION, train the bundled pencil on with pairs of the "
            f"new plan, and record again: python -m {__spec__.name}"
        )


if __name__ == "__main__":
    lines = [
        f"{json.dumps(case)}: {{\n"
        + ",\n".join(f"{json.dumps(name)}: {values}" for name, values in planes.items())
        + "}"
        for case, planes in measured().items()
    ]
    RECORDED.write_text(f'{{"version": {PLAN_VERSION}, "seen": {{\n' + ",\n".join(lines) + "}}\n")
