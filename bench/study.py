"""What 42 pairs of a new hand are worth, compared over ways of training on them: docs/study.

    python bench/study.py [--crops 2000] [--work .cache/study]

The hands are other brushes of the renderer's; the drawings are clip art, half of them with tone. There are 42 pairs to
train on and 24, of other drawings, to measure on, as well as sketches by the same hand and line images without a
sketch, unpaired. Every way trains for the same number of crops: those of `REPEATED` on both hands with three seeds,
the others on the first hand with the first. After an interruption, the same command goes on. Writes
docs/study/study.json and a sheet for each hand, and prints the tables that docs/study/study.md comments on.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from sketchgan_core.images import read_image
from sketchgan_core.pencils.weights import read_header
from sketchgan_core.sketcher import Sketcher
from training.commands.evaluate import CROP, draw_pair, one_per_drawing, render_pair
from training.config import TrainConfig
from training.data.pairs import Pair, find_pairs, split
from training.data.stacks import light_of
from training.learning.start import FINE_TUNING
from training.measuring.measures import inked_crops, kid, lines_kept, sliced_wasserstein, texture_features
from training.measuring.perceptual import build_features

RESULT = Path(__file__).parents[1] / "docs" / "study"
HANDS = {"charcoal": "classic/charcoal", "ballpen": "deevad/ballpen"}
SEEDS = (0, 1, 2)  # of the runs; the pairs stay the same
PAIRS_SEED = 7
TRAINED, MEASURED, SKETCHES, LINES = 42, 24, 30, 120  # drawings for each purpose; no drawing serves two of them
CROPS_EACH = 6
SHOWN = 4  # drawings on the sheet
COLUMN = 300  # px
FEATURES = "efficientnet-lite0"
SHOWN_DIGITS = {"kid": 3, "sliced_wasserstein": 0, "line_recall": 3, "graphite": 3, "minutes": 0}

WAYS = {
    "a": "42 pairs, no augmentation",
    "b": "42 pairs, overlap, thickness and affine",
    "c": "as b, with unpaired drawings",
    "d": "42 pairs, fine-tuning recipe, from the bundled pencil",
    "d15": "15 pairs, fine-tuning recipe, from the bundled pencil",
    "d5": "5 pairs, fine-tuning recipe, from the bundled pencil",
    "e": "42 pairs, settings of b, from the bundled pencil: the start alone",
    "f": "42 pairs, fine-tuning recipe, from scratch: the recipe alone",
}
FROM_PENCIL = ("d", "d15", "d5", "e")
REPEATED = ("d", "e")
# the defaults are made for 400,000 crops: these are the same phases for a run of a few thousand
SHORT = {
    "warmup_crops": 400, "fidelity_crops": 600, "discriminator_lead": 400, "adversarial_ramp": 400,
    "ema_half_life": 300, "decay": 0.4,
}  # fmt: skip


def synthesize(work: Path, brush: str) -> list[Pair]:
    """One pair for every drawing needed, in the order in which they were made."""
    folder = work / "all"
    count = round(1.25 * (TRAINED + MEASURED + SKETCHES + LINES))  # some drawings come twice
    command = ["synthesize", "-o", str(folder), "--count", str(count), "--seed", str(PAIRS_SEED), "--brush", brush]
    _trainer(*command, "--fetch", "noto", "--workers", "1")
    return one_per_drawing(find_pairs([folder]))


def lay_out(work: Path, pairs: list[Pair]) -> float:
    """Folders of pairs for 42, 15 and 5 drawings, each with the 24 to measure on, and of unpaired drawings.

    Returns:
        The `validation` share that holds back exactly the 24.
    """
    paired, rest = pairs[: TRAINED + MEASURED], pairs[TRAINED + MEASURED :]
    share = next(s for s in np.arange(0.2, 0.5, 0.0005).tolist() if len(split(paired, s)[1]) == MEASURED)
    training, validation = split(paired, share)
    manifest = {json.loads(line)["name"]: line for line in (work / "all/manifest.jsonl").read_text().splitlines()}
    for count in (42, 15, 5):
        chosen = [paired[index] for index in (*training[:count], *validation)]
        for pair in chosen:
            for file in pair.images:
                _copy(file, work / f"pairs{count}" / file.parent.name)
        text = "".join(f"{manifest[pair.line.stem]}\n" for pair in chosen)
        (work / f"pairs{count}/manifest.jsonl").write_text(text)
    for pair in rest[:SKETCHES]:
        _copy(pair.sketch, work / "unpaired/sketches")
    for pair in rest[SKETCHES : SKETCHES + LINES]:
        _copy(pair.line, work / "unpaired/lines")
    return share


def train(work: Path, way: str, seed: int, crops: int, share: float, threads: int) -> Path:
    """The pencil of one way, trained now if that has not been done."""
    run = work / "runs" / f"{way}-{seed}"
    pencil = run / "pencil.safetensors"
    if not pencil.exists():
        settings: dict[str, Any] = {}
        if way == "e":
            settings = {name: getattr(TrainConfig(), name) for name in FINE_TUNING}
        if way == "f":
            settings = dict(FINE_TUNING)
        elif not way.startswith("d"):
            settings |= SHORT
        if way == "a":
            settings |= {"overlap": 0.0, "thickness": 0.0, "affine": 0.0}
        settings |= {"crops": crops, "validation": share, "sample_crops": 500, "seed": seed}
        more = ["--from", "default"] if way in FROM_PENCIL else []
        if way == "c":
            more += ["--unpaired-lines", f"{work}/unpaired/lines", "--unpaired-sketches", f"{work}/unpaired/sketches"]
        sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        data = work / f"pairs{way[1:] or 42}"
        common = ["run", "--data", str(data), "-o", str(run), "--plans", str(work / "plans")]
        _trainer(*common, "--threads", str(threads), *more, *sets)
    return pencil


def measure(
    work: Path, brush: str, pencils: dict[str, list[Path | str]], share: float
) -> tuple[dict[str, list[dict[str, Any]]], np.ndarray]:
    """Of each way, for each of its pencils: distances to the 24 drawings of the hand, lines kept; and the sheet."""
    pairs = find_pairs([work / "pairs42"])
    pairs = [pairs[index] for index in split(pairs, share)[1]]
    lines = [read_image(pair.line).grey for pair in pairs]
    targets = [read_image(pair.sketch).grey for pair in pairs]
    lights = [light_of(pair) for pair in pairs]
    _, network = build_features(FEATURES, torch.device("cpu"))
    assert network is not None
    reference = inked_crops(targets, lines, CROP, CROPS_EACH)
    wanted = texture_features(network, reference)

    def row(sketches: list[np.ndarray]) -> dict[str, float]:
        crops = inked_crops(sketches, lines, CROP, CROPS_EACH)
        kept = [lines_kept(line, sketch) for line, sketch in zip(lines, sketches, strict=True)]
        return {
            "kid": round(kid(texture_features(network, crops), wanted), 4),
            "sliced_wasserstein": round(sliced_wasserstein(crops, reference), 1),
            "line_recall": round(float(np.mean([recall for recall, _ in kept])), 4),
            "graphite": round(float(np.mean([1 - sketch.mean() for sketch in sketches])), 4),
        }

    # with another seed than the target's: how far apart two drawings by the same hand are
    again = [render_pair(*given, brush) for given in zip(pairs, lines, lights, strict=True)]
    rows: dict[str, list[dict[str, Any]]] = {"target": [row(targets)], "second rendering": [row(again)]}
    columns = {"lines": lines, "target": targets}
    for way, alike in pencils.items():
        rows[way] = []
        for pencil in alike:
            sketcher = Sketcher.load(pencil, "cpu")
            drawn = [draw_pair(sketcher, *given) for given in zip(pairs, lines, lights, strict=True)]
            rows[way].append(row(drawn))
            columns.setdefault(way, drawn)
    return rows, _sheet(columns)


def tables(results: dict[str, Any]) -> str:
    """For each hand, every way with the mean over its seeds, and the lowest and the highest."""
    texts = {"default": "the bundled pencil, untouched", **{way: f"({way}) {text}" for way, text in WAYS.items()}}
    lines = []
    for hand, rows in results["hands"].items():
        lines += [f"\n{hand}:\n", "| | KID | sliced Wasserstein | line recall | mean graphite | minutes |"]
        lines += ["|---|---|---|---|---|---|"]
        for way, alike in rows.items():
            cells = [
                _over_seeds([row[key] for row in alike if key in row], digits) for key, digits in SHOWN_DIGITS.items()
            ]
            lines.append(f"| {texts.get(way, way)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _over_seeds(values: list[float], digits: int) -> str:
    if not values:
        return ""
    mean = f"{np.mean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def _sheet(columns: dict[str, list[np.ndarray]]) -> np.ndarray:
    """The middle of some drawings in rows, the ways in columns."""
    cells = []
    for label, images in columns.items():
        column = []
        for image in images[:: max(1, len(images) // SHOWN)][:SHOWN]:
            top, left = (max(0, (length - COLUMN) // 2) for length in image.shape)
            page = np.full((COLUMN + 4, COLUMN + 4), 200, np.uint8)
            cut = image[top : top + COLUMN, left : left + COLUMN]
            page[: cut.shape[0], : cut.shape[1]] = np.rint(255 * cut)
            column.append(page)
        head = np.full((22, COLUMN + 4), 255, np.uint8)
        cv2.putText(head, label, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA)
        cells.append(np.vstack([head, *column]))
    return np.hstack(cells)


def _copy(file: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, folder / file.name)


def _trainer(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "training", *arguments], check=True)


def study(hand: str, work: Path, ways: Sequence[str], crops: int, threads: int) -> dict[str, list[dict[str, Any]]]:
    """One hand: of each way the rows of its table, one for each seed; keeps its sheet."""
    share = lay_out(work, synthesize(work, HANDS[hand]))
    first = hand == next(iter(HANDS))
    pencils: dict[str, list[Path | str]] = {
        way: [train(work, way, seed, crops, share, threads) for seed in (SEEDS if way in REPEATED else SEEDS[:1])]
        for way in ways
        if way in REPEATED or first
    }
    rows, sheet = measure(work, HANDS[hand], {"default": ["default"], **pencils}, share)
    for way, alike in pencils.items():
        for row, pencil in zip(rows[way], alike, strict=True):
            story = read_header(pencil).training
            row |= {"minutes": round(story["seconds"] / 60, 1), "command": story["command"]}
    cv2.imwrite(str(RESULT / f"{hand}.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", type=int, default=2000, help="of every way (default 2000)")
    parser.add_argument("--ways", default=",".join(WAYS), help="which of them, by letter")
    parser.add_argument("--work", type=Path, default=Path(".cache/study"), help="folder of pairs and runs")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    ways = [way for way in options.ways.split(",") if way in WAYS]
    RESULT.mkdir(parents=True, exist_ok=True)
    start = read_header("sketchgan_core/pencils/default.safetensors").training
    results = {
        "brushes": HANDS, "seeds": SEEDS, "crops_each": options.crops, "features": FEATURES,
        "bundled_pencil_crops": start["crops"],
        "hands": {
            hand: study(hand, options.work / hand, ways, options.crops, options.threads) for hand in HANDS
        },
    }  # fmt: skip
    (RESULT / "study.json").write_text(json.dumps(results, indent=2) + "\n")
    print(tables(results))


if __name__ == "__main__":
    main()
