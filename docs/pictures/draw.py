"""Draws the pictures of README and registry with the bundled pencil: python docs/pictures/draw.py"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sketchgan_core import Sheet, Sketcher, lay_on_paper, parse_colour, read_image
from sketchgan_core.choices import CONTROLS, GRADES, STYLES

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
DRAWINGS = EXAMPLES / "drawings"
PAPER, GRAPHITE = parse_colour("#f4efe4"), parse_colour("#26262b")
APP = HERE.parents[1] / "web" / "app" / "media"
HELP = HERE.parents[1] / "web" / "extension" / "docs"
CELL, THUMBNAIL = 360, 190  # px of one picture of a sheet, and of one that is shown beside its name
SHOWN = (
    "pictures/astronaut.jpg",
    "pictures/girl.jpg",
    "pictures/cat.jpg",
    "pictures/dogs.jpg",
    "drawings/gull.png",
    "drawings/portrait.png",
)
STEPS = (0.0, 0.5, 1.0)


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
        sketch = sketcher(page, darkness=0.8, roughness=0.5, shading=0.9, seed=3, lines="none")
        share = np.clip((np.arange(width, dtype=np.float32) / width - 0.35) / 0.15, 0, 1)
        graphite = (1 - page) * (1 - share) + (1 - sketch) * share
        picture, _ = lay_on_paper(graphite, Sheet(seed=3, colour=PAPER, tooth=0.5), GRAPHITE)
        return Image.fromarray(np.rint(picture * 255).astype(np.uint8))

    sketched(drawing("squirrel"), (400, 400)).save(HERE / "icon.png")
    row = [drawing(name) for name in ("gull", "elephant", "squirrel")]
    height = max(lines.shape[0] for lines in row)
    padded = [np.pad(lines, ((height - lines.shape[0], 0), (20, 20)), constant_values=1) for lines in row]
    sketched(np.concatenate(padded, 1), (1260, 540)).save(HERE / "banner.jpg", quality=90)
    examples(sketcher).save(HERE / "examples.jpg", quality=85, optimize=True)
    controls(sketcher).save(HERE / "controls.jpg", quality=85, optimize=True)
    drawn = media(sketcher)
    names = list(drawn)
    contact(drawn, names).save(HERE / "media.jpg", quality=85, optimize=True)
    contact(drawn, names[: len(GRADES)], THUMBNAIL).save(HELP / "grades.jpg", quality=85, optimize=True)
    contact(drawn, names[len(GRADES) :], THUMBNAIL).save(HELP / "styles.jpg", quality=85, optimize=True)
    APP.mkdir(exist_ok=True)
    for name, picture in drawn.items():
        picture.resize((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS).save(APP / f"{name}.jpg", quality=85)


def examples(sketcher: Sketcher) -> Image.Image:
    """Pictures and line drawings, each beside its sketch, two pairs in a row."""
    sheet = Image.new("RGB", (4 * CELL, -(-len(SHOWN) // 2) * CELL), "white")
    for index, name in enumerate(SHOWN):
        image = read_image(EXAMPLES / name).pixels
        for side, picture in enumerate((image, sketcher(image, seed=3))):
            sheet.paste(cell(picture), ((2 * (index % 2) + side) * CELL, index // 2 * CELL))
    return sheet


def controls(sketcher: Sketcher) -> Image.Image:
    """A row for each control, from 0 to 1."""
    picture = read_image(EXAMPLES / "pictures" / "cat.jpg").pixels
    lines = read_image(DRAWINGS / "gull.png").pixels
    sheet = Image.new("L", (len(STEPS) * CELL, len(CONTROLS) * CELL), "white")
    write = ImageDraw.Draw(sheet)
    for row, name in enumerate(CONTROLS):
        for column, step in enumerate(STEPS):
            left, top = column * CELL, row * CELL
            sheet.paste(cell(sketcher(lines if name == "roughness" else picture, **{name: step})), (left, top))
            write.text((left + 12, top + 10), f"{name} {step:g}", fill=90, font=ImageFont.load_default(17))
    return sheet


def media(sketcher: Sketcher) -> dict[str, Image.Image]:
    """One picture in every grade, then in every style."""
    picture = read_image(EXAMPLES / "pictures" / "castle.jpg").pixels[:520, 250:770]
    drawn = {name: cell(sketcher(picture, grade=name)) for name in GRADES}
    return drawn | {name: cell(sketcher(picture, style=name)) for name in STYLES}


def contact(drawn: dict[str, Image.Image], names: list[str], side: int = CELL) -> Image.Image:
    """Some of the pictures under their names, `side` px each, in rows."""
    across = min(len(names), len(STYLES))
    sheet = Image.new("L", (across * side, -(-len(names) // across) * side), "white")
    write = ImageDraw.Draw(sheet)
    for place, name in enumerate(names):
        left, top = place % across * side, place // across * side
        sheet.paste(drawn[name].resize((side, side), Image.Resampling.LANCZOS), (left, top))
        write.text((left + 14, top + 8), name, fill=60, font=ImageFont.load_default(max(11, side // 21)))
    return sheet


def cell(picture: np.ndarray) -> Image.Image:
    """A picture (H, W) or (H, W, 3) in the middle of a white square."""
    small = Image.fromarray(to_bytes(picture))
    page = Image.new(small.mode, (CELL, CELL), "white")
    small.thumbnail((CELL - 20, CELL - 20), Image.Resampling.LANCZOS)
    page.paste(small, ((CELL - small.width) // 2, (CELL - small.height) // 2))
    return page


def to_bytes(picture: np.ndarray) -> np.ndarray:
    return picture if picture.dtype == np.uint8 else np.rint(picture * 255).astype(np.uint8)


def drawing(name: str) -> np.ndarray:
    """An example drawing without its margins."""
    lines = read_image(DRAWINGS / f"{name}.png").grey
    rows, columns = (np.flatnonzero((lines < 0.9).any(axis)) for axis in (1, 0))
    return lines[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


if __name__ == "__main__":
    main()
