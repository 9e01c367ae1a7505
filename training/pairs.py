"""Pair folders: finds line image and sketch of the same name, and splits them by drawing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from sketchgan_core.controls import Controls
from sketchgan_core.errors import SketchGANError

LAYOUTS = (("line", "sketch"), ("raw/line", "raw/sketch"), ("raw", "sketch"))
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}


@dataclass(frozen=True)
class Pair:
    """A line image, its sketch, and what is known of how the sketch came about."""

    line: Path
    sketch: Path
    size: tuple[int, int]  # height, width
    drawing: str
    seed: int
    controls: Controls
    paper: str
    licence: str


def find_pairs(folders: Iterable[Path]) -> list[Pair]:
    """Every pair in `folders`, in a stable order.

    Each folder is laid out as `line` + `sketch`, `raw/line` + `raw/sketch`, or `raw` + `sketch`. Pairs listed in
    its `manifest.jsonl` take seed, controls, paper and drawing from there. For all others nothing is known of the
    artist's hand: controls are neutral, the paper is cartridge and the seed is derived from the name.

    Raises:
        SketchGANError: a folder has no pairs, a partner is missing, sizes differ, or a file cannot be read.
    """
    return [pair for folder in folders for pair in _pairs_of(folder)]


def split(pairs: list[Pair], share: float) -> tuple[list[int], list[int]]:
    """Indices for training and for validation; no drawing is on both sides, and both sides have at least one.

    A drawing's side hangs on the hash of its name, so adding pairs moves none of the others. A folder with a single
    drawing has nothing to hold back: it validates on what it trains on.
    """
    ranked = sorted({pair.drawing for pair in pairs}, key=_hash)
    held_back = {drawing for drawing in ranked if _hash(drawing) < share * 2**64} or set(ranked[:1])
    if len(held_back) == len(ranked):
        held_back = set(ranked[:1])
    validation = [index for index, pair in enumerate(pairs) if pair.drawing in held_back]
    training = [index for index, pair in enumerate(pairs) if pair.drawing not in held_back]
    return training or validation, validation


def _pairs_of(folder: Path) -> list[Pair]:
    lines, sketches = _layout(folder)
    line_files, sketch_files = _images(lines), _images(sketches)
    for here, there, files, others in (
        (lines, sketches, line_files, sketch_files),
        (sketches, lines, sketch_files, line_files),
    ):
        alone = sorted(files.keys() - others.keys())
        if alone:
            raise SketchGANError(f"{files[alone[0]]}: no partner of that name in {there} ({len(alone)} such in {here})")
    if not line_files:
        raise SketchGANError(f"{folder}: no images in {lines.relative_to(folder)}; a pair is two files of one name")
    manifest = _manifest(folder / "manifest.jsonl")
    return [_pair(line_files[name], sketch_files[name], manifest.get(name)) for name in sorted(line_files)]


def _layout(folder: Path) -> tuple[Path, Path]:
    for line, sketch in LAYOUTS:
        if (folder / line).is_dir() and (folder / sketch).is_dir():
            return folder / line, folder / sketch
    known = ", ".join(f"{line} + {sketch}" for line, sketch in LAYOUTS)
    raise SketchGANError(f"{folder}: not a pair folder; it needs subfolders {known}")


def _images(folder: Path) -> dict[str, Path]:
    return {file.stem: file for file in sorted(folder.iterdir()) if file.suffix.lower() in SUFFIXES}


def _manifest(file: Path) -> dict[str, dict]:
    if not file.exists():
        return {}
    entries = {}
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(text)
            entries[entry["name"]] = {key: entry[key] for key in ("drawing", "licence", "seed", "controls", "style")}
        except (ValueError, KeyError, TypeError) as error:
            raise SketchGANError(f"{file}:{number}: not a pair's entry ({error!r}); synthesize again") from error
    return entries


def _pair(line: Path, sketch: Path, entry: dict | None) -> Pair:
    size = _size(line)
    if _size(sketch) != size:
        raise SketchGANError(f"{sketch}: not the size of {line} ({_size(sketch)} against {size} px, height x width)")
    if entry is None:
        return Pair(line, sketch, size, line.stem, _hash(line.stem) % 2**31, Controls(), "cartridge", "unstated")
    style = entry["style"]
    return Pair(
        line,
        sketch,
        size,
        entry["drawing"],
        entry["seed"],
        Controls(**entry["controls"]),
        style.get("paper", "cartridge"),
        entry["licence"],
    )


def _size(file: Path) -> tuple[int, int]:
    try:
        with Image.open(file) as image:
            width, height = image.size
            # finds truncated files now, without decoding, rather than hours into the run
            image.verify()
    except (OSError, SyntaxError, ValueError) as error:
        raise SketchGANError(f"{file}: cannot be read as an image ({error}); replace or remove the pair") from error
    return height, width


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
