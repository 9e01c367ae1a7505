"""What the page does when a button is pressed, without the page."""

from __future__ import annotations

import math
import random
import tempfile
import threading
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from sketchgan_core.choices import CONTROLS
from sketchgan_core.errors import Cancelled, SketchGANError
from sketchgan_core.images import Picture, read_image, write_image
from sketchgan_core.lines.prepare import LineMode, PreparedLines, prepare_lines
from sketchgan_core.lines.settings import LineSettings
from sketchgan_core.pencils.header import DISCRIMINATOR, Header, list_pencils, read_header, resolve_pencil
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.drawing_size import SEEN
from sketchgan_core.preview import Preview
from sketchgan_core.sketcher import Sketcher, seen

from .desk import Desk, Kept, Wish

# Formats that every browser shows; a TIFF scan is turned into a PNG for the page.
SHOWN_BY_BROWSERS = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"}

LONGEST_BEFORE = 1600  # px; nobody compares the picture pixel by pixel

_MADE = {"none": "as they are", "drawing": "cleaned", "photo": "found", "classic": "found the classic way"}


class Studio:
    """Pencils, pictures and a folder for what is made from them."""

    def __init__(self, folder: Path, weights: str = "default", device: str = "auto") -> None:
        """Opens a studio.

        Args:
            folder: where results are written; the caller deletes it.
            weights: name or file of the pencil that is chosen first.
            device: auto, cpu, cuda, mps ...

        Raises:
            SketchGANError: no such pencil.
        """
        self.folder = folder
        self.device = device
        self.first = pencil_header(resolve_pencil(weights))
        self._reading, self._drawing = threading.Lock(), threading.Lock()

    def pencils(self) -> list[Header]:
        """The pencil chosen first, then the bundled ones."""
        others = [header for header in list_pencils()[0] if header.path != self.first.path]
        return [self.first, *others]

    def controls(self, pencil: Path, values: Iterable[float]) -> Controls:
        """The controls of a pencil with these values, in the order of `CONTROLS`."""
        return self._sketcher(pencil).controls(**dict(zip(CONTROLS, values, strict=True)))

    def read(self, wish: Wish, desk: Desk, in_full: bool = True) -> Kept:
        """The picture as it was read for drawing; read once, whichever slider moves.

        Raises:
            SketchGANError: a picture, pencil or setting that cannot be used.
        """
        with self._reading:  # a preview waits for a reading in progress instead of reading a second time
            if desk.kept is None or not desk.kept.serves(wish, in_full):
                picture = read_picture(wish.picture, seen(wish.lines, wish.patch_size))
                subject = self._sketcher(wish.pencil).subject(
                    picture, wish.lines, wish.patch_size, wish.model_size, wish.controls
                )
                desk.kept = Kept(wish, subject, Preview(subject))
            return desk.kept

    def preview(self, wish: Wish, kept: Kept) -> Path:
        """A small drawing, made in an instant and laid out like the full one."""
        generator = self._sketcher(wish.pencil).generator
        sketch = kept.preview.draw(generator, wish.controls, wish.seed, wish.medium)
        return self.write(sketch, f"{wish.picture.stem}-preview", ".jpg")

    def draw(
        self, wish: Wish, kept: Kept, progress: Callable[[float, str], None], cancelled: Callable[[], bool]
    ) -> Path:
        """The drawing in full, as a PNG.

        Raises:
            SketchGANError: out of memory.
            Cancelled: `cancelled()` returned true.
        """
        with self._drawing:  # two at once would take twice as long
            if cancelled():
                raise Cancelled
            progress(0, "Planning the strokes")
            sketch = self._sketcher(wish.pencil).draw_subject(
                kept.subject,
                wish.controls,
                wish.seed,
                wish.medium,
                progress=lambda done, total, _: progress(done / total, "Drawing"),
                cancelled=cancelled,
                dtype=np.uint8,
            )
            return self.write(sketch, f"{wish.picture.stem}-sketch")

    def before(self, picture: Path) -> Path:
        """The picture as it is shown beside the sketch."""
        return _before(self, picture)

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

    def write(self, image: np.ndarray | Image.Image, name: str, suffix: str = ".png") -> Path:
        """Writes a new file into the folder; a download of it will have this name."""
        file = Path(tempfile.mkdtemp(dir=self.folder)) / f"{name}{suffix}"
        write_image(file, image)
        return file

    def _sketcher(self, pencil: Path) -> Sketcher:
        return _sketcher(pencil, pencil.stat().st_mtime_ns, self.device)


def pencil_header(path: Path) -> Header:
    """The header of a pencil's file.

    Raises:
        SketchGANError: the file is not a pencil to draw with.
    """
    header = read_header(path)
    if header.architecture == DISCRIMINATOR:
        raise SketchGANError(f"{path}: is a discriminator, which judges sketches; choose a pencil to draw with")
    return header


def another_seed(seed: int) -> int:
    """A seed other than this one."""
    return next(number for number in iter(lambda: random.randrange(1_000_000), None) if number != seed)


@lru_cache(maxsize=2)
def read_picture(path: Path, at_most: float = math.inf) -> Picture:
    """`read_image`, once per picture: every move of a slider asks for it."""
    return read_image(path, at_most=at_most)


@lru_cache(maxsize=8)
def _before(studio: Studio, picture: Path) -> Path:
    pixels = read_picture(picture, SEEN).pixels
    image = Image.fromarray(pixels) if pixels.ndim == 3 else _image(pixels)
    image.thumbnail((LONGEST_BEFORE, LONGEST_BEFORE))
    return studio.write(image, f"{picture.stem}-before", ".jpg")


@lru_cache(maxsize=2)
def _sketcher(path: Path, changed: int, device: str) -> Sketcher:
    return Sketcher.load(path, device)


def _about(prepared: PreparedLines, asked: LineMode) -> str:
    made = f"Lines {_MADE[prepared.mode]}"
    return f"{made}: {prepared.reason}" if asked == "auto" else made


def _image(grey: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(grey * 255).astype(np.uint8))
