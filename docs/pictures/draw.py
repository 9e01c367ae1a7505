"""Draws the icon and the banner of the registry with the bundled pencil: python docs/pictures/draw.py"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from sketchgan_core import Sheet, Sketcher, lay_on_paper, parse_colour, read_image

HERE = Path(__file__).parent
DRAWINGS = HERE.parents[1] / "examples" / "drawings"
PAPER, GRAPHITE = parse_colour("#f4efe4"), parse_colour("#26262b")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="default")
    sketcher = Sketcher.load(parser.parse_args().weights)

    def sketched(lines: np.ndarray, size: tuple[int, int]) -> Image.Image:
        """The lines turning into their sketch from left to right, on paper of (width, height)."""
        width, height = size
        page = np.ones((height, width), np.float32)
        scale = min(0.92 * height / lines.shape[0], 0.92 * width / lines.shape[1])
        scaled = Image.fromarray(lines).resize((round(lines.shape[1] * scale), round(lines.shape[0] * scale)))
        left, top = (width - scaled.width) // 2, (height - scaled.height) // 2
        page[top : top + scaled.height, left : left + scaled.width] = np.asarray(scaled).clip(0, 1)
        sketch = sketcher(page, darkness=0.8, roughness=0.5, shading=0.9, seed=3)
        share = np.clip((np.arange(width, dtype=np.float32) / width - 0.35) / 0.15, 0, 1)
        graphite = (1 - page) * (1 - share) + (1 - sketch) * share
        picture, _ = lay_on_paper(graphite, Sheet(seed=3, colour=PAPER, tooth=0.5), GRAPHITE)
        return Image.fromarray(np.rint(picture * 255).astype(np.uint8))

    sketched(drawing("squirrel"), (400, 400)).save(HERE / "icon.png")
    row = [drawing(name) for name in ("gull", "elephant", "squirrel")]
    height = max(lines.shape[0] for lines in row)
    padded = [np.pad(lines, ((height - lines.shape[0], 0), (20, 20)), constant_values=1) for lines in row]
    sketched(np.concatenate(padded, 1), (1260, 540)).save(HERE / "banner.jpg", quality=90)


def drawing(name: str) -> np.ndarray:
    """An example drawing without its margins."""
    lines = read_image(DRAWINGS / f"{name}.png").grey
    rows, columns = (np.flatnonzero((lines < 0.9).any(axis)) for axis in (1, 0))
    return lines[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


if __name__ == "__main__":
    main()
