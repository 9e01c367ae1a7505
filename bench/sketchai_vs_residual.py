"""A 2048 x 2048 drawing done the original project's way and ours, side by side in one run on one machine.

    python bench/sketchai_vs_residual.py [--size 2048] [--dtype float32]

Original: its generator, float32, 384 px patches one after the other, edge patches padded, no margin; its weights are
random, which changes neither time nor memory. Ours, once before and once after: the whole of `Sketcher` with the
bundled pencil, including plan and paper, with the tiles it chooses itself, in the type it chooses or the one asked for.
Writes bench/results/sketchai_vs_residual.json, with an entry for each size and kind of processor, since bfloat16 speeds
up ours and AVX512 the original.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from measure import in_own_process, machine, timed
from torch.nn import functional as F

from sketchgan_core.generators.registry import build_generator
from sketchgan_core.generators.sketchai import sketchai_config
from sketchgan_core.sketcher import Sketcher

RESULT = Path(__file__).parent / "results" / "sketchai_vs_residual.json"
PATCH = 384


def sketchai_patches(lines: np.ndarray) -> np.ndarray:
    """The original's way: (H, W) 0..1 in and out, padded to whole patches and cut back."""
    generator = build_generator(sketchai_config()).eval()
    height, width = lines.shape
    ink = F.pad(torch.from_numpy(1 - lines)[None, None], (0, -width % PATCH, 0, -height % PATCH))
    sketch = torch.empty_like(ink)
    with torch.inference_mode():
        for top in range(0, ink.shape[2], PATCH):
            for left in range(0, ink.shape[3], PATCH):
                patch = ink[..., top : top + PATCH, left : left + PATCH]
                sketch[..., top : top + PATCH, left : left + PATCH] = generator(patch, patch, patch)
    return sketch[0, 0, :height, :width].numpy()


def residual_tiles(lines: np.ndarray, dtype: str) -> np.ndarray:
    """Ours, with the defaults of a user without a GPU; includes loading the pencil."""
    sketch: np.ndarray = Sketcher.load("default", "cpu", dtype)(lines)
    return sketch


def drawing(size: int) -> np.ndarray:
    """Lines all over the page, so that no tile is blank; a larger page is the same drawing, larger."""
    lines = np.ones((size, size), np.float32)
    for centre in range(size // 16, size, size // 8):
        for radius in range(size // 16, size, size // 8):
            cv2.circle(lines, (centre, size - centre), radius, 0, max(1, 3 * size // 2048), cv2.LINE_AA)
    return lines


WAYS = ("sketchai_patches", "residual_tiles")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048)
    parser.add_argument("--dtype", choices=("auto", "float32", "bfloat16"), default="auto")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        lines = drawing(options.size)
        ways = {
            "sketchai_patches": sketchai_patches,
            "residual_tiles": lambda page: residual_tiles(page, options.dtype),
        }
        print(json.dumps(timed(lambda: ways[options.way](lines))))
        return
    chosen = ("--size", str(options.size), "--dtype", options.dtype)
    # Ours takes seconds and the original minutes, after which a shared processor may be slower: ours before and after.
    runs = [in_own_process(__file__, "--way", way, *chosen) for way in ("residual_tiles", *WAYS)]
    results = {"sketchai_patches": runs[1], "residual_tiles": _mean(runs[0], runs[2])}
    ratio = results["sketchai_patches"]["seconds"] / results["residual_tiles"]["seconds"]
    this = machine() | ({} if options.dtype == "auto" else {"dtype": options.dtype})
    report = {"size": options.size, "machine": this, **results, "times_faster": round(ratio, 1)}
    known = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    name = f"{options.size}, {this['capability']}, {this['dtype']}"
    RESULT.write_text(json.dumps({**known, name: report}, indent=2) + "\n")
    print(json.dumps(report, indent=2))


def _mean(first: dict[str, float], second: dict[str, float]) -> dict[str, float]:
    return {name: round((first[name] + second[name]) / 2, 3) for name in first}


if __name__ == "__main__":
    main()
