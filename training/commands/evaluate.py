"""`sketchgan-train evaluate`: what a pencil is worth, as numbers and as a sheet of pictures.

The pencil draws every drawing with a fresh seed. Its sketches are compared with the rendered targets, and so are a
second rendering of the same drawings, which no pencil can be expected to beat, and some simple peers. Targets lack the
side of the lead, so these sketches are the generator's alone; lines, controls and light are measured on whole sketches.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from sketchgan_core.choices import GRADE, GRADES
from sketchgan_core.errors import SketchGANError
from sketchgan_core.files import written_whole
from sketchgan_core.materials.deposition import grade_of
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.light import Light
from sketchgan_core.planning.plan import PLANES, plan
from sketchgan_core.sketcher import Medium, Sketcher
from sketchgan_core.tiling import draw_tiled

from ..data.pairs import Pair, find_pairs, split
from ..data.stacks import grey, light_of
from ..measuring.discriminating import STEPS as STEPS_OF_TELLING
from ..measuring.discriminating import told_apart
from ..measuring.measures import (
    MOVED_BY,
    inked_crops,
    kid,
    light_followed,
    lines_kept,
    rank_correlation,
    sliced_wasserstein,
    texture_features,
)
from ..measuring.perceptual import build_features
from ..synthesis import BRUSH
from ..synthesis.pencil import draw, lay_on_paper

HELP = "Measure a pencil on a folder of pairs: a JSON report and a sheet of pictures."

CROP = 192
CROPS_EACH = 4
TOLD_CROP, TOLD_CROPS_EACH = 128, 24  # of the crops that a network tries to tell apart
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # settings at which each control is tried
OTHER_SEED = 1_000_003  # added to a pair's seed for a second take
SHEET_ROWS = 6
LABEL_HEIGHT = 18
WHOLE = Controls(background=0.0)  # nothing of a picture fades


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", metavar="WEIGHTS", help="a pencil's name or file")
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR", help="pair folders")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder of the report")
    parser.add_argument(
        "--held-back",
        type=float,
        metavar="SHARE",
        help="only the drawings that a run with this `validation` share did not train on",
    )
    parser.add_argument(
        "--grade",
        choices=GRADES,
        help="only the pairs drawn with this lead, and sketches with it (default: all, and 2B)",
    )
    parser.add_argument("--count", type=int, default=48, help="drawings to use at most (default 48)")
    parser.add_argument("--control-drawings", type=int, default=12, help="drawings to try the controls on (default 12)")
    parser.add_argument(
        "--telling-steps",
        type=int,
        default=STEPS_OF_TELLING,
        metavar="N",
        help=f"batches from which a network learns to tell drawn from rendered (default {STEPS_OF_TELLING}; 0: none)",
    )
    parser.add_argument("--features", default="efficientnet-lite0", help="network for KID, as `perceptual` of a run")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--dtype", default="auto", help="auto, float32, bfloat16 or float16")


def run(args: argparse.Namespace) -> int:
    sketcher = Sketcher.load(args.weights, args.device, args.dtype)
    pairs = find_pairs(args.data)
    if args.held_back is not None:
        pairs = [pairs[index] for index in split(pairs, args.held_back)[1]]
    if args.grade is not None:
        pairs = [pair for pair in pairs if grade_of(float(pair.controls.softness)) == args.grade]
    grade = args.grade or GRADE
    pairs = one_per_drawing(pairs)[: max(2, args.count)]
    if len(pairs) < 2:
        raise SketchGANError(
            f"{args.data[0]}: two drawings at least are needed to compare; raise --held-back or leave it out"
        )
    name, network = build_features(args.features, torch.device("cpu"))
    if network is None:
        raise SketchGANError("--features none: KID needs a network; choose efficientnet-lite0 or vgg19")

    lines = [grey(pair.line, pair.size).astype(np.float32) / 255 for pair in pairs]
    targets = [grey(pair.sketch, pair.size).astype(np.float32) / 255 for pair in pairs]
    columns: dict[str, list[np.ndarray]] = {"lines": lines, "target": targets}
    lights = [light_of(pair) for pair in pairs]
    columns["pencil"] = [draw_pair(sketcher, *given) for given in zip(pairs, lines, lights, strict=True)]
    columns |= _second_rendering(pairs, lines, lights)
    columns["cv2.pencilSketch"] = [_pencil_sketch(image) for image in lines]
    columns["grey lines"] = [1 - 0.55 * (1 - image) for image in lines]

    reference = inked_crops(targets, lines, CROP, CROPS_EACH)
    wanted = texture_features(network, reference)
    distances = {}
    for column, images in columns.items():
        if column not in ("lines", "target"):
            crops = inked_crops(images, lines, CROP, CROPS_EACH)
            distances[column] = {
                "kid": kid(texture_features(network, crops), wanted),
                "sliced_wasserstein": sliced_wasserstein(crops, reference),
            }
    if args.telling_steps:
        real = inked_crops(targets, lines, TOLD_CROP, TOLD_CROPS_EACH)
        for column in distances.keys() & {"pencil", "second rendering"}:
            drawn = inked_crops(columns[column], lines, TOLD_CROP, TOLD_CROPS_EACH)
            distances[column]["told_apart"] = told_apart(real, drawn, TOLD_CROPS_EACH, args.telling_steps)

    recall, precision = _outline(sketcher, pairs, lines, grade)
    correlations, sweeps = _controls(sketcher, pairs[: args.control_drawings], lines, grade)
    report: dict[str, Any] = {
        "pencil": str(args.weights),
        "grade": args.grade or "all",
        "drawings": len(pairs),
        "precision": str(next(sketcher.generator.parameters()).dtype).removeprefix("torch."),
        "lines": {"recall": recall, "precision": precision, "tolerance": "3 px at 512", "shading": 0},
        "distance_to_targets": {"features": name, "crops": len(reference), **distances},
        "light": _light(sketcher, pairs, lines, lights, grade),
        "rank_correlation": correlations,
        "seeds": _seeds(sketcher, pairs[0], lines[0], lights[0]),
    }
    args.output.mkdir(parents=True, exist_ok=True)
    with written_whole(args.output / "report.json") as file:
        file.write(json.dumps(report, indent=2).encode())
    sheet = _sheet(columns, sweeps)
    with written_whole(args.output / "sheet.png") as file:
        file.write(cv2.imencode(".png", sheet)[1].tobytes())
    print(json.dumps(report, indent=2))
    print(f"{args.output / 'sheet.png'}: the pictures", file=sys.stderr)
    return 0


def one_per_drawing(pairs: Sequence[Pair]) -> list[Pair]:
    """The first pair of every drawing, in their order."""
    return list({pair.drawing: pair for pair in reversed(pairs)}.values())[::-1]


def draw_pair(
    sketcher: Sketcher, pair: Pair, lines: np.ndarray, light: Light | None, seed: int = OTHER_SEED
) -> np.ndarray:
    """What the generator alone draws for a pair."""
    seed += pair.seed
    if not sketcher.generator.draws_load:
        return sketcher.draw(lines, pair.controls, seed, Medium(pair.paper))
    planned = plan(lines, pair.controls, seed, light)
    planes = planned.planes[[PLANES.index(name) for name in sketcher.generator.config.planes]]
    load = draw_tiled(sketcher.generator, planes, planned.reach)[0].cpu().numpy()
    return lay_on_paper(load, pair.paper, seed)


def _second_rendering(
    pairs: Sequence[Pair], lines: Sequence[np.ndarray], lights: Sequence[Light | None]
) -> dict[str, list[np.ndarray]]:
    """The renderer's own second take of each drawing, where libmypaint is installed."""
    try:
        return {"second rendering": [render_pair(*given) for given in zip(pairs, lines, lights, strict=True)]}
    except SketchGANError as error:
        print(f"no second rendering to compare with: {error}", file=sys.stderr)
        return {}


def render_pair(pair: Pair, lines: np.ndarray, light: Light | None, brush: str = BRUSH) -> np.ndarray:
    """Another take of what the renderer drew for a pair."""
    seed = pair.seed + OTHER_SEED
    return lay_on_paper(draw(lines, lines, pair.controls, seed, brush, light), pair.paper, seed)


def _pencil_sketch(lines: np.ndarray) -> np.ndarray:
    image = cv2.cvtColor(np.rint(lines * 255).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    return cv2.pencilSketch(image, sigma_s=60, sigma_r=0.07, shade_factor=0.02)[0].astype(np.float32) / 255


def _outline(sketcher: Sketcher, pairs: Sequence[Pair], lines: Sequence[np.ndarray], grade: str) -> tuple[float, float]:
    """Recall and precision of the lines at shading 0, the other controls at the pencil's defaults."""
    controls = replace(sketcher.defaults, shading=0.0)
    kept = [
        lines_kept(image, sketcher.draw(image, controls, pair.seed, Medium(grade=grade)))
        for pair, image in zip(pairs, lines, strict=True)
    ]
    recall, precision = np.mean(kept, axis=0)
    return float(recall), float(precision)


def _controls(
    sketcher: Sketcher, pairs: Sequence[Pair], lines: Sequence[np.ndarray], grade: str
) -> tuple[dict[str, Any], list[list[np.ndarray]]]:
    """How each control moves its measure: rank correlations, mean curves and one drawing's pictures."""
    results: dict[str, Any] = {}
    pictures = []
    for name, measure in MOVED_BY.items():
        base = Controls() if name == "shading" else Controls(shading=0.0)
        curves = []
        for number, (pair, image) in enumerate(zip(pairs, lines, strict=False)):
            medium = Medium(pair.paper, grade)
            row = [sketcher.draw(image, replace(base, **{name: step}), pair.seed, medium) for step in STEPS]
            curves.append([measure(image, sketch) for sketch in row])
            if number == 0:
                pictures.append(row)
        moved = [curve for curve in curves if name != "shading" or max(curve) > 0.002]
        results[name] = {
            "measure": measure.__name__,
            "correlation": float(np.mean([rank_correlation(curve) for curve in moved])) if moved else 0.0,
            "curve": np.mean(moved, axis=0).round(5).tolist() if moved else [],
            "drawings": len(moved),
            "without_enclosed_form": len(curves) - len(moved),
        }
    return results, pictures


def _light(
    sketcher: Sketcher, pairs: Sequence[Pair], lines: Sequence[np.ndarray], lights: Sequence[Light | None], grade: str
) -> dict[str, Any]:
    """How well sketches of pictures follow their light, with nothing faded: rank correlation of wanted with drawn."""
    found = [
        light_followed(light.tone, sketcher.draw(image, WHOLE, pair.seed, Medium(pair.paper, grade), light=light))
        for pair, image, light in zip(pairs, lines, lights, strict=True)
        if light is not None
    ]
    return {"pictures": len(found), "correlation": float(np.mean(found)) if found else 0.0}


def _seeds(sketcher: Sketcher, pair: Pair, lines: np.ndarray, light: Light | None) -> dict[str, Any]:
    first, again, other = (draw_pair(sketcher, pair, lines, light, seed) for seed in (1, 1, 2))
    marked = np.minimum(first, other) < 0.9
    return {
        "same_seed_identical": bool(np.array_equal(first, again)),
        "mean_difference_of_two_seeds_where_marked": float(np.abs(first - other)[marked].mean()) if marked.any() else 0,
    }


def _sheet(columns: dict[str, list[np.ndarray]], sweeps: Sequence[Sequence[np.ndarray]]) -> np.ndarray:
    """Drawings in rows, ways of drawing them in columns; below, each control from 0 to 1."""
    size = max(max(image.shape) for image in columns["lines"])

    def cell(image: np.ndarray, label: str) -> np.ndarray:
        page = np.full((size + LABEL_HEIGHT, size), 255, np.uint8)
        page[LABEL_HEIGHT : LABEL_HEIGHT + image.shape[0], : image.shape[1]] = np.rint(image * 255)
        cv2.putText(page, label, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.42, 0, 1, cv2.LINE_AA)
        return page

    def row(cells: Sequence[np.ndarray], wide: int) -> np.ndarray:
        blank: Callable[[], np.ndarray] = lambda: np.full_like(cells[0], 255)  # noqa: E731
        return np.hstack([*cells, *(blank() for _ in range(wide - len(cells)))])

    wide = max(len(columns), len(STEPS))
    count = min(SHEET_ROWS, len(columns["lines"]))
    rows = [row([cell(images[i], label) for label, images in columns.items()], wide) for i in range(count)]
    for name, pictures in zip(MOVED_BY, sweeps, strict=True):
        cells = [cell(picture, f"{name} {step:g}") for picture, step in zip(pictures, STEPS, strict=True)]
        rows.append(row(cells, wide))
    return np.vstack(rows)
