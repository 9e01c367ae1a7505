"""Contact sheets: every input beside its sketch, labelled."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .errors import SketchGANError
from .images import LONGEST_SIDE, OUTPUT_FORMATS, read_image

CELL = 384  # px, the longest side of a picture
GAP = 12
LABEL = 28
COLUMNS = 2  # pairs side by side, or more where the sheet would become too long
LONGEST, MOST = 30_000, 500_000_000  # px of a side, and in all
BUNDLED_FONT = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"  # Latin, Greek and Cyrillic letters
# Fonts of systems that have more letters; the first that has all of a name is used, or the one that has most.
FONTS = (
    "NotoSansCJK-Regular.ttc", "wqy-zenhei.ttc", "DroidSansFallbackFull.ttf", "msyh.ttc", "malgun.ttf", "YuGothM.ttc",
    "Arial Unicode.ttf", "Hiragino Sans GB.ttc", "AppleSDGothicNeo.ttc", "DejaVuSans.ttf", "FreeSans.ttf", "arial.ttf",
)  # fmt: skip
_MISSING = "\uffff"


def columns_of(count: int, path: Path) -> int:
    """How many of `count` pairs are put side by side on a sheet, in a file of this name.

    Raises:
        SketchGANError: they do not fit on one sheet.
    """
    longest = min(LONGEST, LONGEST_SIDE.get(OUTPUT_FORMATS.get(path.suffix.lower(), ""), LONGEST))
    wide, high = 2 * CELL + 2 * GAP, CELL + LABEL + GAP
    columns = COLUMNS
    while -(-count // columns) * high > longest:
        columns += 1
    if columns * wide > longest or count * wide * high > MOST:
        raise SketchGANError(f"{path}: {count} pictures do not fit on one sheet; draw fewer at a time, or without it")
    return min(columns, count)


def contact_sheet(pairs: Iterable[tuple[Path, Path]], path: Path) -> Image.Image:
    """A grey sheet of (input file, sketch file) pairs, for a file of this name.

    Raises:
        SketchGANError: one of the files cannot be read, or they do not fit on one sheet.
    """
    pairs = list(pairs)
    columns = columns_of(len(pairs), path)
    cells = [_cell(source, sketch) for source, sketch in pairs]
    rows = -(-len(cells) // columns)
    wide, high = cells[0].size
    sheet = Image.new("L", (columns * (wide + GAP) + GAP, rows * (high + GAP) + GAP), 224)
    for index, cell in enumerate(cells):
        sheet.paste(cell, (GAP + index % columns * (wide + GAP), GAP + index // columns * (high + GAP)))
    return sheet


def _cell(source: Path, sketch: Path) -> Image.Image:
    cell = Image.new("L", (2 * CELL + GAP, CELL + LABEL), "white")
    for index, path in enumerate((source, sketch)):
        grey = read_image(path, at_most=2 * CELL).grey
        picture = Image.fromarray(np.rint(grey * 255).astype(np.uint8))
        factor = min(CELL / picture.width, CELL / picture.height)
        # A strip may be less than a pixel wide here.
        picture = picture.resize((max(1, round(picture.width * factor)), max(1, round(picture.height * factor))))
        cell.paste(picture, (index * (CELL + GAP) + (CELL - picture.width) // 2, (CELL - picture.height) // 2))
    name = os.fsencode(source.name).decode(errors="replace")
    ImageDraw.Draw(cell).text((GAP, CELL + 6), name, fill=0, font=_font(name))
    return cell


def _font(text: str) -> ImageFont.FreeTypeFont:
    """The bundled font, or if it lacks letters of a text the one of this system that lacks fewest."""
    best = ImageFont.truetype(BUNDLED_FONT, 14)
    lacking = _lacking(best, text)
    for name in FONTS if lacking else ():
        with contextlib.suppress(OSError):
            font = ImageFont.truetype(name, 14)
            if (lacks := _lacking(font, text)) < lacking:
                best, lacking = font, lacks
    return best


def _lacking(font: ImageFont.FreeTypeFont, text: str) -> int:
    """How many letters of a text a font shows as the box that stands for none."""
    box = bytes(font.getmask(_MISSING))
    return sum(not letter.isspace() and bytes(font.getmask(letter)) == box for letter in set(text))
