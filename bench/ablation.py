"""What each part of the training brings: short runs that differ in one thing, on the same crops: docs/ablation.

    python bench/ablation.py --data pairs [--crops 1500] [--work .cache/ablation]

Every way trains from nothing for the same number of crops of the same pairs and is measured on the same held-back
drawings. After an interruption, the same command goes on. Writes docs/ablation/ablation.json and sheet.jpg, and prints
the table that docs/ablation/README.md comments on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from sketchgan_core.pencils.weights import load_pencil
from training.commands.evaluate import LABEL_HEIGHT

RESULT = Path(__file__).parents[1] / "docs" / "ablation"
HELD_BACK = 0.03
DRAWINGS = 32  # that are measured
TELLING = 200  # batches from which a network learns to tell drawn from rendered
SPEED_SIDE, SPEED_ROUNDS = 768, 5  # px of a tile, and how often it is timed
# Of the sheet that `evaluate` draws: px of a drawing, the row that is shown, and its columns; and px that are shown.
SIDE, SHOWN_ROW, TARGET, DRAWN = 512, 2, 1, 2
COLUMN = 340

# The phases of a run of a few thousand crops; `width` and `blocks` are the bundled pencil's.
SHORT: dict[str, Any] = {
    "width": 32, "blocks": 2, "learning_rate": 6e-4, "warmup_crops": 200, "fidelity_crops": 400,
    "discriminator_lead": 200, "adversarial_ramp": 200, "ema_half_life": 150, "decay": 0.4, "sample_crops": 100_000,
    "validation": HELD_BACK,
}  # fmt: skip
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "base": ("all of it, as the bundled pencil is trained", {}),
    "adversary": ("without the adversary and its features", {"adversarial": 0.0, "feature_matching": 0.0}),
    "perceptual": ("without the perceptual loss", {"perceptual_weight": 0.0}),
    "grain": ("fidelity at 4 and 8 px only, not at the size of grain", {"fidelity_1": 0.0, "fidelity_2": 0.0}),
    "tone": ("fidelity at 1 and 2 px only, not at the size of tones", {"fidelity_4": 0.0, "fidelity_8": 0.0}),
    "narrow": ("20 channels in the place of 32", {"width": 20}),
    "wide": ("48 channels", {"width": 48}),
    "shallow": ("no residual block at the deepest stage", {"blocks": 0}),
    "small": ("crops of 128 px, 18 a step", {"crop": 128, "batch": 18}),
}  # fmt: skip


def train(data: Path, work: Path, way: str, crops: int) -> Path:
    """The run of one way, made now if that has not been done."""
    run = work / way
    if not (run / "pencil.safetensors").exists():
        settings = {**SHORT, **WAYS[way][1]}
        # As many pixels are seen, whatever the size of a crop.
        settings["crops"] = crops * 192**2 // settings.get("crop", 192) ** 2
        sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
        command = ["run", "--data", str(data), "-o", str(run), "--plans", str(work / "plans"), "--threads", "1"]
        _trainer(*command, *sets)
    return run


def measure(data: Path, run: Path) -> dict[str, Any]:
    """What `evaluate` finds, kept beside the run."""
    report = run / "measured"
    if not (report / "report.json").exists():
        options = ["--data", str(data), "--held-back", str(HELD_BACK), "--count", str(DRAWINGS), "-o", str(report)]
        more = ["--telling-steps", str(TELLING), "--control-drawings", "4"]
        _trainer("evaluate", str(run / "pencil.safetensors"), *options, *more)
    found: dict[str, Any] = json.loads((report / "report.json").read_text())
    return found


def seconds(run: Path) -> float:
    """The fastest of some drawings of a tile, in the type that a pencil computes in here."""
    generator = load_pencil(run / "pencil.safetensors").generator.eval()
    shape = (SPEED_SIDE, SPEED_SIDE)
    planes = torch.rand(1, len(generator.config.planes), *shape).to(memory_format=torch.channels_last)
    best = float("inf")
    with torch.inference_mode():
        for _ in range(SPEED_ROUNDS):
            start = time.perf_counter()
            generator.lay(planes, torch.ones(1, 1, *shape))
            best = min(best, time.perf_counter() - start)
    return best


def row(run: Path, report: dict[str, Any]) -> dict[str, float]:
    distance = report["distance_to_targets"]
    pencil, again = distance["pencil"], distance["second rendering"]
    return {
        "kid": round(pencil["kid"], 3),
        "kid_floor": round(again["kid"], 3),
        "sliced_wasserstein": round(pencil["sliced_wasserstein"], 1),
        "sliced_wasserstein_floor": round(again["sliced_wasserstein"], 1),
        "told_apart": round(pencil["told_apart"], 3),
        "recall": round(report["lines"]["recall"], 4),
        "precision": round(report["lines"]["precision"], 4),
        "light": round(report["light"]["correlation"], 4),
        "minutes": round(json.loads((run / "run.json").read_text())["seconds"] / 60, 1),
        "seconds_per_tile": round(seconds(run), 4),
    }


def table(rows: dict[str, dict[str, float]]) -> str:
    base, kid = rows["base"]["seconds_per_tile"], rows["base"]["kid_floor"]
    wasserstein = rows["base"]["sliced_wasserstein_floor"]
    text = [
        f"| | KID (floor {kid}) | sliced Wasserstein (floor {wasserstein}) "
        "| told apart | recall | precision | light | time of a tile |",
        "|---|---|---|---|---|---|---|---|",
    ]
    text += [
        f"| {WAYS[way][0]} | {row['kid']:.3f} | {row['sliced_wasserstein']:.0f} | {row['told_apart']:.0%} "
        f"| {row['recall']:.3f} | {row['precision']:.3f} | {row['light']:.3f} | {row['seconds_per_tile'] / base:.2f} |"
        for way, row in rows.items()
    ]
    return "\n".join(text)


def sheet(runs: dict[str, Path]) -> np.ndarray:
    """The middle of a held-back drawing: its target, and as each of the ways draws it."""
    cells = []
    places = [("target", next(iter(runs.values())), TARGET), *((way, run, DRAWN) for way, run in runs.items())]
    for label, run, column in places:
        page = cv2.imread(str(run / "measured" / "sheet.png"), cv2.IMREAD_GRAYSCALE)
        top, left = SHOWN_ROW * (SIDE + LABEL_HEIGHT) + LABEL_HEIGHT, column * SIDE
        edge = (SIDE - COLUMN) // 2
        part = page[top + edge : top + edge + COLUMN, left + edge : left + edge + COLUMN]
        head = np.full((22, COLUMN), 255, np.uint8)
        cv2.putText(head, label, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA)
        cells.append(np.vstack([head, part]))
    cells += [np.full_like(cells[0], 255)] * (-len(cells) % 4)
    return np.vstack([np.hstack(cells[first : first + 4]) for first in range(0, len(cells), 4)])


def _trainer(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "training", *arguments], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of pairs, as synthesize makes them")
    parser.add_argument("--crops", type=int, default=1500, help="of 192 px, of every way (default 1500)")
    parser.add_argument("--work", type=Path, default=Path(".cache/ablation"), help="folder of the runs")
    options = parser.parse_args()
    os.environ.setdefault("PYTHONPATH", str(Path(__file__).parents[1]))
    runs = {way: train(options.data, options.work, way, options.crops) for way in WAYS}
    rows = {way: row(run, measure(options.data, run)) for way, run in runs.items()}
    RESULT.mkdir(parents=True, exist_ok=True)
    results = {"crops": options.crops, "short": SHORT, "ways": WAYS, "rows": rows}
    (RESULT / "ablation.json").write_text(json.dumps(results, indent=2) + "\n")
    cv2.imwrite(str(RESULT / "sheet.jpg"), sheet(runs), [cv2.IMWRITE_JPEG_QUALITY, 88])
    print(table(rows))


if __name__ == "__main__":
    main()
