"""Draws the gallery with the bundled pencil, beside what else there is: python docs/gallery/draw.py (make gallery)"""

from __future__ import annotations

import argparse
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from sketchgan_core import Sketcher, read_image
from sketchgan_core.choices import CONTROLS, GRADES, PRESETS, STYLES
from sketchgan_core.lines.prepare import prepare_lines

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
CELL, LABEL = 300, 22  # px
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)
# A crop that is shown at 100 %: left, top, width, height; of the picture enlarged so many times.
CLOSE = {
    "pictures/girl.jpg": (0.28, 0.15),
    "pictures/cat.jpg": (0.35, 0.15),
    "pictures/castle.jpg": (0.35, 0.3),
    "drawings/portrait.png": (0.3, 0.15),
}
CLOSE_SIZE = (620, 460)
# What does not go well, and what to do.
FAILURES = {
    "pictures/dogs.jpg": "Small eyes in the shade run together; detail 0.8 or a larger drawing size helps.",
    "pictures/library.jpg": "Strokes are much alike on leaves and on stones; background 0.7 quiets the ground.",
    "drawings/mover.png": "What lines enclose is shaded by an invented light; shading 0 leaves it.",
}

Cell = tuple[np.ndarray, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", default="default")
    pencil = Sketcher.load(parser.parse_args().weights)
    pages = {
        "beside": ("Beside other ways", [row for name in _pictures() for row in [beside(pencil, name)]]),
        "media": ("Grades of the lead and styles of shading, at 100 %", media(pencil)),
        "controls": ("Each control from 0 to 1", controls(pencil)),
        "presets": ("Presets", presets(pencil)),
    }
    text = [
        "# Gallery",
        "Made by `make gallery` with the bundled pencil at its defaults, seed 0, from [examples](../../examples).",
    ]
    for name, (title, rows) in pages.items():
        page(rows).save(HERE / f"{name}.jpg", quality=82, optimize=True)
        text += [f"## {title}", f"![{title}]({name}.jpg)"]
    text += ["## At 100 %"]
    for name, place in CLOSE.items():
        file = f"close-{Path(name).stem}.jpg"
        close(pencil, name, place).save(HERE / file, quality=88, optimize=True)
        text += [f"![{Path(name).stem} at 100 %]({file})"]
    text += ["## What does not go well"]
    for name, why in FAILURES.items():
        file = f"weak-{Path(name).stem}.jpg"
        page(
            [[(read_image(EXAMPLES / name).pixels, "given"), (pencil(read_image(EXAMPLES / name).pixels), "drawn")]],
            460,
        ).save(HERE / file, quality=82, optimize=True)
        text += [why, f"![{why}]({file})"]
    (HERE / "README.md").write_text("\n\n".join(text) + "\n", encoding="utf-8")


def _pictures() -> list[str]:
    return [f"pictures/{file.name}" for file in sorted((EXAMPLES / "pictures").glob("*.jpg"))] + [
        f"drawings/{name}.png" for name in ("portrait", "elephant", "books")
    ]


def beside(pencil: Sketcher, name: str) -> list[Cell]:
    """A picture; drawn; by the dodge filter; by OpenCV's pencilSketch; and its lines alone."""
    pixels = read_image(EXAMPLES / name).pixels
    colour = pixels if pixels.ndim == 3 else np.repeat((255 * pixels).astype(np.uint8)[..., None], 3, 2)
    grey = cv2.cvtColor(colour, cv2.COLOR_RGB2GRAY)
    dodge = np.minimum(1, grey / np.maximum(cv2.GaussianBlur(grey.astype(np.float32), (0, 0), 10), 1)).astype(
        np.float32
    )
    opencv, _ = cv2.pencilSketch(cv2.cvtColor(colour, cv2.COLOR_RGB2BGR), sigma_s=60, sigma_r=0.07, shade_factor=0.05)
    return [
        (pixels, "given"),
        (pencil(pixels), "SketchGAN"),
        (dodge, "dodge filter"),
        (opencv, "cv2.pencilSketch"),
        (prepare_lines(pixels).lines, "lines alone"),
    ]


def media(pencil: Sketcher) -> list[list[Cell]]:
    """Grades by styles, at 100 %."""
    pixels = read_image(EXAMPLES / "pictures" / "cat.jpg").pixels
    top, left = 10, 0
    crop = slice(top, top + CELL - 8), slice(left, left + CELL - 8)
    return [
        [(pencil(pixels, grade=grade, style=style)[crop], f"{grade}, {style}") for style in STYLES] for grade in GRADES
    ]


def controls(pencil: Sketcher) -> list[list[Cell]]:
    picture, lines = (read_image(EXAMPLES / name).pixels for name in ("pictures/cat.jpg", "drawings/gull.png"))
    return [
        [(pencil(lines if name == "roughness" else picture, **{name: step}), f"{name} {step:g}") for step in STEPS]
        for name in CONTROLS
    ]


def presets(pencil: Sketcher) -> list[list[Cell]]:
    names = ("pictures/astronaut.jpg", "pictures/castle.jpg", "pictures/cat.jpg")
    rows = [
        [(pencil(read_image(EXAMPLES / name).pixels, **chosen), preset) for name in names]
        for preset, chosen in PRESETS.items()
    ]
    return [first + second for first, second in zip_longest(rows[::2], rows[1::2], fillvalue=[])]


def close(pencil: Sketcher, name: str, place: tuple[float, float]) -> Image.Image:
    """A part of the sketch, not scaled, of a picture that is large enough."""
    with Image.open(EXAMPLES / name) as opened:
        image = opened.convert("RGB")
    image = image.resize(
        [round(side * max(1.0, 1200 / min(image.size))) for side in image.size], Image.Resampling.LANCZOS
    )
    left, top = (round(share * side) for share, side in zip(place, image.size, strict=True))
    width, height = CLOSE_SIZE
    return pencil(image).crop((left, top, left + width, top + height))


def page(rows: list[list[Cell]], side: int = CELL) -> Image.Image:
    """Rows of pictures with a word under each."""
    sheet = Image.new("RGB", (max(map(len, rows)) * side, len(rows) * (side + LABEL)), "white")
    write, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for row, cells in enumerate(rows):
        for column, (pixels, said) in enumerate(cells):
            values = pixels if pixels.dtype == np.uint8 else np.rint(255 * pixels).astype(np.uint8)
            picture = Image.fromarray(values).convert("RGB")
            picture.thumbnail((side - 8, side - 8), Image.Resampling.LANCZOS)
            left, top = column * side + (side - picture.width) // 2, row * (side + LABEL)
            sheet.paste(picture, (left, top + (side - picture.height) // 2))
            write.text((column * side + 8, top + side), said, fill="#555", font=font)
    return sheet


if __name__ == "__main__":
    main()
