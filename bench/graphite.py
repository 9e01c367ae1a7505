"""How the texture of a sketch compares with scanned graphite, at the scale of single strokes.

    python bench/graphite.py Krita_4_Default_Resources.bundle

The bundle (CC0) is in Debian's krita-data, below /usr/share/krita/bundles; its brush `graphite_grain` is seven scanned
swatches of graphite. From the swatches come windows of 32 px; from the sketches of examples/pictures, for each of them,
the window that is as dark on average, so that what is compared is texture and not tone. The distance is the sliced
Wasserstein distance of 7x7 patches; the floor is that between the swatches, three against the other four. Beside the
leads stand cv2.pencilSketch and the dodge filter. Writes bench/results/graphite.json.
"""

from __future__ import annotations

import argparse
import json
import struct
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image, ImageOps

from sketchgan_core.choices import GRADES
from sketchgan_core.sketcher import Sketcher
from training.measuring.measures import sliced_wasserstein

ROOT = Path(__file__).parents[1]
RESULT = Path(__file__).parent / "results" / "graphite.json"
SWATCHES = "brushes/graphite_grain.gih"
WINDOW, STEP = 32, 8  # px
PALEST = 0.2  # mean darkness of a window that lies within a swatch
LONGER_SIDE = 900  # px: of the pictures, so that a stroke is as broad as in the swatches


def swatches(bundle: Path) -> list[np.ndarray]:
    """The cells (H, W), 0 black .. 1 white, of the GIMP brush pipe in Krita's bundle."""
    with zipfile.ZipFile(bundle) as archive:
        data = archive.read(SWATCHES)
    at = data.index(b"\n", data.index(b"\n") + 1) + 1
    cells = []
    while at < len(data):
        header, _, width, height, channels = struct.unpack(">5I", data[at : at + 20])
        at += header
        cell = np.frombuffer(data[at : at + width * height * channels], np.uint8)
        cells.append(1 - cell.reshape(height, width, channels)[:, :, 0].astype(np.float32) / 255)
        at += width * height * channels
    return cells


def windows(images: Sequence[np.ndarray]) -> np.ndarray:
    """All windows (N, WINDOW, WINDOW) of the images that are toned, darkest last."""
    found = [
        image[top : top + WINDOW, left : left + WINDOW]
        for image in images
        for top in range(0, image.shape[0] - WINDOW + 1, STEP)
        for left in range(0, image.shape[1] - WINDOW + 1, STEP)
    ]
    toned = np.stack([window for window in found if 1 - window.mean() > PALEST])
    return toned[np.argsort(-toned.mean((1, 2)), kind="stable")]


def as_dark(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """For every wanted window one that is as dark on average, in the middle of those that are."""
    means = -found.mean((1, 2))
    return found[np.searchsorted(means, -wanted.mean((1, 2))).clip(0, len(found) - 1)]


def distance(found: np.ndarray, wanted: np.ndarray) -> float:
    """Sliced Wasserstein distance of the windows nearest in darkness."""
    pair = (torch.from_numpy(part)[:, None] for part in (as_dark(found, wanted), wanted))
    return round(sliced_wasserstein(*pair), 1)


def dodge(picture: Image.Image) -> np.ndarray:
    """The plainest pencil filter: the picture divided by its blurred self (H, W)."""
    grey = np.asarray(picture.convert("L"), np.float32) / 255
    return np.clip(grey / np.maximum(cv2.GaussianBlur(grey, (0, 0), 9), 1e-3), 0, 1)


def pencil_sketch(picture: Image.Image) -> np.ndarray:
    """OpenCV's filter (H, W)."""
    return cv2.pencilSketch(cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2BGR))[0].astype(np.float32) / 255


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    options = parser.parse_args()
    scanned = swatches(options.bundle)
    wanted = windows(scanned)
    pictures = []
    for file in sorted((ROOT / "examples" / "pictures").glob("*.jpg")):
        picture = Image.open(file).convert("RGB")
        pictures.append(ImageOps.contain(picture, (LONGER_SIDE, LONGER_SIDE)))
    sketcher = Sketcher.load()

    def drawn_with(grade: str) -> Callable[[Image.Image], np.ndarray]:
        return lambda picture: np.asarray(sketcher(picture, grade=grade).convert("L"), np.float32) / 255

    ways = {grade: drawn_with(grade) for grade in GRADES}
    ways |= {"cv2.pencilSketch": pencil_sketch, "dodge filter": dodge}
    distances = {"floor": distance(windows(scanned[::2]), windows(scanned[1::2]))}
    for name, way in ways.items():
        distances[name] = distance(windows([way(picture) for picture in pictures]), wanted)
        print(f"{name}: {distances[name]}")
    result = {"windows": len(wanted), "pictures": len(pictures), "sliced_wasserstein": distances}
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
