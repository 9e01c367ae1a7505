"""`sketchgan-train pair`: training pairs from an artist's own pencil drawings, reviewed by the artist."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from sketchgan_core.choices import PAPER
from sketchgan_core.errors import SketchGANError, unreachable
from sketchgan_core.files import digest, distinct, files_in
from sketchgan_core.images import INPUT_SUFFIXES, read_image

from ..data import folder as pair_folder
from ..sketchbook import review

HELP = """Make training pairs of scanned or photographed pencil drawings: finds the clean lines in each, and writes
review.html to look them through. What you reject is set aside; `sketchgan-train run` trains on the rest."""

# What phones and scanners write and Pillow cannot read: better reported than passed over in silence.
_FOREIGN = {".heic", ".heif", ".pdf", ".dng"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sketches", type=Path, nargs="+", default=[], metavar="DIR", help="folders of drawings, or image files"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="folder of the pairs")
    parser.add_argument(
        "--size", type=_size, default=1024, metavar="PX", help="make larger drawings this long (default 1024)"
    )
    parser.add_argument("--licence", default="unstated", help="of the drawings, for the card of the pencil")
    parser.add_argument("--reject", nargs="+", default=[], metavar="NAME", help="set these pairs aside")
    parser.add_argument("--keep", nargs="+", default=[], metavar="NAME", help="take these pairs back")


def run(args: argparse.Namespace) -> int:
    folder: Path = args.output
    sketches, failures = _find(args.sketches)
    if sketches:
        pair_folder.claim(folder, {"size": args.size}, "--size, or pairs made otherwise")
    elif failures:
        return 1
    elif not folder.is_dir():
        raise SketchGANError(f"{folder}: no pairs there; give --sketches, a folder of drawings")
    failures += _make_all(sketches, folder, args.size, args.licence)
    decided = review.decide(folder, args.reject, args.keep)
    kept = [name for name, keep in decided.items() if keep]
    print(f"{folder}: {len(kept)} pairs to train on, {len(decided) - len(kept)} rejected", file=sys.stderr)
    if decided:
        print(f"look them through: {folder / review.PAGE}", file=sys.stderr)
    return 1 if failures or not kept else 0


def _find(places: Iterable[Path]) -> tuple[dict[str, Path], int]:
    """The drawings by the names of their pairs, and how many places gave none."""
    files: list[Path] = []
    failures = 0
    for place in places:
        try:
            files += _drawings(place)
        except (SketchGANError, OSError) as error:
            failures += 1
            said = unreachable(error) if isinstance(error, OSError) else error
            print(f"sketchgan-train: {said}", file=sys.stderr)
    named: dict[str, Path] = {}
    taken = {pair_folder.SETTINGS}
    for file in dict.fromkeys(files):
        # Names are written into text files: no line may break in one, nor end in a space that nobody sees.
        stem = " ".join(os.fsencode(file.stem).decode(errors="replace").split()) or "drawing"
        named[distinct(stem, taken)] = file
    return named, failures


def _drawings(place: Path) -> list[Path]:
    if place.is_dir():
        inside = files_in(place, INPUT_SUFFIXES | _FOREIGN)
        if not inside:
            raise SketchGANError(f"{place}: no images directly in this folder; give the one that holds the scans")
        return inside
    if not place.exists():
        raise SketchGANError(f"{place}: no such file or folder; check --sketches")
    return [place]


def _make_all(sketches: dict[str, Path], folder: Path, size: int, licence: str) -> int:
    """Make the pairs that are not there yet; returns how many drawings could not be used."""
    failures = 0
    for name, file in tqdm(sketches.items(), unit="drawing", disable=not sys.stderr.isatty()):
        try:
            _make(file, name, folder, size, licence)
        except SketchGANError as error:
            failures += 1
            said = str(error) if str(file) in str(error) else f"{file}: {error}"
            tqdm.write(f"sketchgan-train: {said}", file=sys.stderr)
    return failures


def _make(file: Path, name: str, folder: Path, size: int, licence: str) -> None:
    from ..sketchbook import eraser, scans

    picture = read_image(file)
    drawing = digest(file)
    known = pair_folder.read_record(folder, name)
    # A line image that was mended by hand stays, as long as its drawing is the same.
    if known is not None and known["file"] == drawing and review.has_images(folder, name):
        return
    graphite = scans.graphite(scans.resized(picture.grey, size))
    lines = eraser.lines_in(graphite)
    if float((lines < 0.5).mean()) < 2e-4:
        raise SketchGANError("no lines found; is it a pencil drawing on light paper?")
    controls = scans.controls_of(graphite, lines)
    entry: dict[str, Any] = {
        "name": name,
        "source": file.name,
        "drawing": name,
        "licence": licence,
        "seed": int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") >> 1,
        "controls": {key: round(float(value), 3) for key, value in controls.items()},
        "style": {"line_width": eraser.LINE_WIDTH, "paper": PAPER, "brush": pair_folder.OWN_HAND},
    }
    review.take_back(folder, [name])
    pair_folder.write_pair(folder, name, _bytes(lines), _bytes(1 - graphite))
    pair_folder.write_record(folder, name, {"pair": entry, "file": drawing})


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.rint(image * 255).astype(np.uint8)


def _size(text: str) -> int:
    value = int(text)
    if not 192 <= value <= 4096:
        raise argparse.ArgumentTypeError(f"{text}: must lie in 192..4096")
    return value
