"""Known lines, extracted by us and by other methods; speed and memory compared with scikit-image's Canny.

    python bench/lines.py [--quick]

Drawings: public-domain vector art in lines of 1 to 8 px at 1024 px, at three contrasts, on three kinds of paper
(scanned; photographed under a lamp; stained with another drawing showing through), JPEG 60; and clean, reported apart.
Renders: emoji in colour, in even, soft and hard light, textured and noisy, JPEG 75. Recall, precision and F1 are within
2 px. Drawings and emoji are chosen by hash from those that the extractors were not tuned on. Each method has one
setting for the whole set: Canny, XDoG and OpenCV's adaptive threshold their best. Writes bench/results/lines.json and
lines.jpg.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from line_truth import (
    BACK,
    CONTRASTS,
    LIGHTS,
    PAPERS,
    SEEN_EMOJI,
    WIDTHS,
    by_lot,
    coloured,
    drawings_by_lot,
    emoji,
    line_drawing,
    on_paper,
    score,
)
from measure import in_own_process, machine, timed

RESULTS = Path(__file__).parent / "results"
SPEED_SIZE, MEMORY_SIZE = 4096, 8192
DRAWN, COLOURED = 8, 24  # drawings and emoji
CANNY = (5, 7, 10, 12, 15, 20, 25, 30, 45, 60)
ADAPTIVE = tuple((block, below) for block in (11, 31, 51) for below in (2, 5, 8, 12))
TUTORIAL = "adaptiveThreshold 11 2"
XDOG = tuple((p, epsilon, phi) for p in (20, 60, 200) for epsilon in (0.0, 0.1, 0.3, 0.6) for phi in (2, 10))
Extractor = Callable[[np.ndarray], np.ndarray]
Score = tuple[float, float, float]  # recall, precision, F1


def ours(mode: str) -> Extractor:
    from sketchgan_core.lines.prepare.prepare import prepare_lines

    return lambda image: prepare_lines(image, mode, device="cpu").lines  # type: ignore[arg-type]


def adaptive_threshold(block: int, below: int) -> Extractor:
    """OpenCV's, after a small blur; its tutorial uses 11 and 2."""

    def extract(image: np.ndarray) -> np.ndarray:
        grey, kind = cv2.GaussianBlur(_bytes(image), (5, 5), 0), cv2.ADAPTIVE_THRESH_GAUSSIAN_C
        return cv2.adaptiveThreshold(grey, 255, kind, cv2.THRESH_BINARY, block, below) / np.float32(255)

    return extract


def canny(low: int) -> Extractor:
    return lambda image: 1 - cv2.Canny(cv2.GaussianBlur(_bytes(image), (0, 0), 1.4), low, 2 * low) / np.float32(255)


def xdog(p: float, epsilon: float, phi: float) -> Extractor:
    """Winnemoeller et al., 2012, without the flow; sigma 1.4, k 1.6."""

    def extract(image: np.ndarray) -> np.ndarray:
        grey = _grey(image)
        narrow, wide = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.4, 1.4 * 1.6))
        sharp = (1 + p) * narrow - p * wide
        return np.where(sharp >= epsilon, 1, 1 + np.tanh(phi * (sharp - epsilon))).astype(np.float32)

    return extract


def _grey(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 else image


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.rint(255 * _grey(image).clip(0, 1)).astype(np.uint8)


def drawings(quick: bool) -> tuple[dict[str, Any], np.ndarray]:
    """Mean scores of every way on paper, ours by width, contrast and paper; a row of pictures for each paper."""
    ways = {"drawing": ours("drawing"), "classic": ours("classic")}
    ways |= {f"adaptiveThreshold {block} {below}": adaptive_threshold(block, below) for block, below in ADAPTIVE}
    back = line_drawing(BACK, 4)
    found: dict[str, list[Score]] = defaultdict(list)
    groups: dict[str, list[Score]] = defaultdict(list)
    shown = []
    names = drawings_by_lot(2 if quick else DRAWN)
    for seed, name in enumerate(names):
        for width in WIDTHS:
            lines = line_drawing(name, width)
            truth = lines < 0.5
            for contrast in CONTRASTS:
                for kind in PAPERS:
                    image = on_paper(lines, contrast, kind, back, seed)
                    results = {way: extract(image) for way, extract in ways.items()}
                    scores = {way: score(result, truth) for way, result in results.items()}
                    if kind != "clean":
                        for way, values in scores.items():
                            found[way].append(values)
                        for group in (f"width {width}", f"contrast {contrast:g}"):
                            groups[group].append(scores["drawing"])
                    groups[f"paper {kind}"].append(scores["drawing"])
                    if (name, width, contrast) == (names[1], 2, 0.5):
                        shown.append([image, results])
    best = _best(found, "adaptiveThreshold")
    ways_told = ("drawing", "classic", TUTORIAL, best)
    report: dict[str, Any] = {"pictures": len(found["drawing"]), "drawings": names}
    report |= {way: _told(found[way]) for way in ways_told}
    report["drawing, by group"] = {group: _told(values) for group, values in groups.items()}
    columns = ("drawing", "classic", best)
    rows = [np.hstack([image, *(results[way] for way in columns)])[: image.shape[0] // 2] for image, results in shown]
    return report, np.vstack(rows)


def renders(quick: bool) -> tuple[dict[str, Any], np.ndarray]:
    """Mean scores of every way in every light, how often ours beats the best Canny; some rows of pictures."""
    ways = {"photo": ours("photo"), "classic": ours("classic")}
    ways |= {f"Canny {low}": canny(low) for low in CANNY}
    ways |= {f"XDoG {p} {epsilon} {phi}": xdog(p, epsilon, phi) for p, epsilon, phi in XDOG}
    found: dict[str, list[Score]] = defaultdict(list)
    lights, shown = [], []
    names = by_lot(emoji(), SEEN_EMOJI)[: 3 if quick else COLOURED]
    for seed, name in enumerate(names):
        for light in LIGHTS:
            known = coloured(emoji()[name], seed, light)
            results = {way: extract(known.picture) for way, extract in ways.items()}
            for way, result in results.items():
                found[way].append(score(result, known.truth))
            lights.append(light)
            if list(LIGHTS).index(light) == seed:  # another light for each of the first
                shown.append([_grey(known.picture), results])
    chosen = _best(found, "Canny")
    report: dict[str, Any] = {"pictures": len(lights), "emoji": names}
    for way in ("photo", chosen, "classic", _best(found, "XDoG")):
        by_light = {light: [s for s, of in zip(found[way], lights, strict=True) if of == light] for light in LIGHTS}
        report[way] = _told(found[way]) | {f"f1, {light} light": _told(by_light[light])["f1"] for light in LIGHTS}
    ahead = [mine[2] - theirs[2] for mine, theirs in zip(found["photo"], found[chosen], strict=True)]
    report["photo is better than Canny on"] = int(sum(gap > 0 for gap in ahead))
    report["f1 ahead of Canny, mean and its standard error over emoji"] = _mean_and_error(ahead, len(LIGHTS))
    columns = ("photo", "classic", chosen)
    return report, np.vstack([np.hstack([image, *(results[way] for way in columns)]) for image, results in shown])


def _best(found: dict[str, list[Score]], kind: str) -> str:
    """The setting of this kind whose mean F1 is highest."""
    return max((way for way in found if way.startswith(kind)), key=lambda way: float(np.mean(found[way], 0)[2]))


def _mean_and_error(values: list[float], together: int) -> list[float]:
    """Mean and standard error of values, of which every `together` in a row belong to one picture."""
    means = np.reshape(values, (-1, together)).mean(1)
    return [round(float(means.mean()), 4), round(float(means.std(ddof=1) / np.sqrt(len(means))), 4)]


def _told(values: list[Score]) -> dict[str, float]:
    table = np.array(values)
    told = {key: round(float(table[:, column].mean()), 4) for column, key in enumerate(("recall", "precision", "f1"))}
    return {
        **told,
        "lowest recall": round(float(table[:, 0].min()), 4),
        "lowest precision": round(float(table[:, 1].min()), 4),
    }


def page(size: int) -> np.ndarray:
    """A large picture with lines all over, on uneven paper."""
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
