"""What the page does when a button is pressed, without the page."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from sketchgan_core.errors import SketchGANError
from sketchgan_core.header import DISCRIMINATOR, Header, list_pencils, read_header, resolve_pencil
from sketchgan_core.images import Picture, read_image, write_image
from sketchgan_core.line_settings import LineSettings
from sketchgan_core.lines import LineMode, PreparedLines, prepare_lines
from sketchgan_core.sketcher import Sketcher

# What every browser shows; a TIFF scan is turned into a PNG for the page.
SHOWN_BY_BROWSERS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"}

_MADE = {"none": "as they are", "drawing": "cleaned", "photo": "found", "classic": "found the classic way"}


@dataclass(frozen=True)
class Drawn:
    """A sketch beside what it was made of.

    Attributes:
        before, after: images of one size.
        file: the sketch as a PNG.
        note: one line about how it was made.
    """

    before: Image.Image
    after: Image.Image
    file: Path
    note: str


class Studio:
    """Pencils, pictures and a folder for what is made of them."""

    def __init__(self, folder: Path, weights: str = "default", device: str = "auto") -> None:
        """Opens a studio.

        Args:
            folder: where products are written; whoever gives it deletes it.
            weights: name or file of the pencil that is chosen first.
            device: auto, cpu, cuda, mps ...

        Raises:
            SketchGANError: no such pencil.
        """
        self.folder = folder
        self.device = device
        self.first = pencil_header(resolve_pencil(weights))

    def pencils(self) -> list[Header]:
        """The pencil chosen first, then the bundled ones."""
        others = [header for header in list_pencils()[0] if header.path != self.first.path]
        return [self.first, *others]

    def sketch(
        self,
        picture: Path,
        pencil: Path,
        *,
        lines: LineMode,
        progress: Callable[[float, str], None],
        cancelled: Callable[[], bool],
        **settings: Any,
    ) -> Drawn:
        """Draws a picture; `settings` are those of `Sketcher`.

        Raises:
            SketchGANError: a picture, pencil or setting that cannot be used.
            Cancelled: `cancelled()` returned true.
        """
        start = time.monotonic()
        progress(0, "Reading")
        grey = read_picture(picture).grey
        sketcher = _sketcher(pencil, pencil.stat().st_mtime_ns, self.device)
        prepared = prepare_lines(read_picture(picture).pixels, lines, device=self.device)
        progress(0, "Planning the strokes")
        sketch = sketcher(
            prepared.lines,
            progress=lambda done, total, _: progress(done / total, "Drawing"),
            cancelled=cancelled,
            **settings,
        )
        file = self.write(sketch, f"{picture.stem}-sketch")
        height, width = sketch.shape
        note = f"{_about(prepared, lines)} · {width} × {height} px · {time.monotonic() - start:.1f} s"
        return Drawn(_image(grey), _image(sketch), file, note)

    def lines(self, picture: Path, mode: LineMode, settings: LineSettings) -> tuple[Path, str]:
        """The line image of a picture as a PNG, and one line about how it was made.

        Raises:
            SketchGANError: the picture cannot be read.
        """
        prepared = prepare_lines(read_picture(picture).pixels, mode, settings, device=self.device)
        height, width = prepared.lines.shape
        return self.write(prepared.lines, f"{picture.stem}-lines"), f"{_about(prepared, mode)} · {width} × {height} px"

    def shown(self, picture: Path) -> Path:
        """The picture itself, or a PNG of it where browsers do not show its format.

        Raises:
            SketchGANError: the picture cannot be read.
        """
        grey = read_picture(picture).grey
        return picture if picture.suffix.lower() in SHOWN_BY_BROWSERS else self.write(grey, picture.stem)

    def write(self, grey: np.ndarray, name: str) -> Path:
        """Writes a PNG of its own into the folder; the name is what a download of it will be called."""
        file = Path(tempfile.mkdtemp(dir=self.folder)) / f"{name}.png"
        write_image(file, grey)
        return file


def pencil_header(path: Path) -> Header:
    """What a pencil says of itself.

    Raises:
        SketchGANError: the file is no pencil.
    """
    header = read_header(path)
    if header.architecture == DISCRIMINATOR:
        raise SketchGANError(f"{path}: is a discriminator, which judges sketches; choose a pencil to draw with")
    return header


def another_seed(seed: int) -> int:
    """A take that is not this one."""
    return next(number for number in iter(lambda: random.randrange(1_000_000), None) if number != seed)


@lru_cache(maxsize=2)
def read_picture(path: Path) -> Picture:
    """`read_image`, once per picture: it is asked for at every move of a slider."""
    return read_image(path)


@lru_cache(maxsize=2)
def _sketcher(path: Path, changed: int, device: str) -> Sketcher:
    return Sketcher.load(path, device)


def _about(prepared: PreparedLines, asked: LineMode) -> str:
    made = f"Lines {_MADE[prepared.mode]}"
    return f"{made}: {prepared.reason}" if asked == "auto" else made


def _image(grey: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(grey * 255).astype(np.uint8))
