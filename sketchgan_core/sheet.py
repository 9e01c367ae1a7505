"""Contact sheets: every input beside its sketch, labelled."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from .images import read_image

CELL = 384  # px, the longest side of a picture
GAP = 12
LABEL = 28
COLUMNS = 2  # pairs beside each other


def contact_sheet(pairs: Iterable[tuple[Path, Path]]) -> Image.Image:
    """A grey sheet of (input file, sketch file) pairs.

    Raises:
        SketchGANError: one of the files cannot be read.
    """
    cells = [_cell(source, sketch) for source, sketch in pairs]
    columns = min(COLUMNS, len(cells))
    rows = -(-len(cells) // columns)
    wide, high = cells[0].size
    sheet = Image.new("L", (columns * (wide + GAP) + GAP, rows * (high + GAP) + GAP), 224)
    for index, cell in enumerate(cells):
        sheet.paste(cell, (GAP + index % columns * (wide + GAP), GAP + index // columns * (high + GAP)))
    return sheet


def _cell(source: Path, sketch: Path) -> Image.Image:
    cell = Image.new("L", (2 * CELL + GAP, CELL + LABEL), "white")
    for index, path in enumerate((source, sketch)):
        grey = read_image(path).grey
        picture = ImageOps.contain(Image.fromarray(np.rint(grey * 255).astype(np.uint8)), (CELL, CELL))
        cell.paste(picture, (index * (CELL + GAP) + (CELL - picture.width) // 2, (CELL - picture.height) // 2))
    ImageDraw.Draw(cell).text((GAP, CELL + 6), source.name, fill=0, font=ImageFont.load_default(14))
    return cell
