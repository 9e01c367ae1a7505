"""Pair folders: finds line images and sketches of the same name, and splits them by drawing."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from sketchgan_core.choices import PAPER, PAPERS
from sketchgan_core.errors import SketchGANError, one_line
from sketchgan_core.files import digest, files_in
from sketchgan_core.images import open_image, read_image, upright
from sketchgan_core.materials.paper import EVEN
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.drawing_size import LARGEST, SEEN, size_for_lines
from sketchgan_core.scaling import side

from ..errors import TrainingError
from .folder import OWN_HAND
from .plan_version import another_plan

LAYOUTS = (("line", "sketch"), ("raw/line", "raw/sketch"), ("raw", "sketch"))
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
SMALLEST = 16  # px of the shorter side of a pair
SHOWN = 20  # problems that are listed one by one

Candidate = tuple[Path, Path, Path | None, dict | None]


@dataclass(frozen=True)
class Pair:
    """A line image, its sketch, and what is known of how the sketch came about.

    With `tone`, a picture of the same size, the sketch shows its light as well as the lines. `own` is a drawing of an
    artist's, whose controls were measured.
    """

    line: Path
    sketch: Path
    size: tuple[int, int]  # height and width it is drawn at; its files may be larger
    drawing: str
    seed: int
    controls: Controls
    paper: str
    licence: str
    tone: Path | None = None
    own: bool = False

    @property
    def images(self) -> tuple[Path, ...]:
        """Its files."""
        return (self.line, self.sketch) if self.tone is None else (self.line, self.sketch, self.tone)


def find_pairs(folders: Iterable[Path]) -> list[Pair]:
    """Every pair in `folders`, in a stable order.

    Each folder is laid out as `line` + `sketch`, `raw/line` + `raw/sketch`, or `raw` + `sketch`. Pairs listed in
    its `manifest.jsonl` take seed, controls, paper and drawing from there, and those with `style.tone` also take the
    picture of the same name in `tone`. For all others nothing is known of the artist's hand: controls are neutral, the
    paper is cartridge, the seed is derived from the name, and a picture of that name in `tone` is used if there is one.

    Raises:
        TrainingError: all that is wrong, a line each: a folder without pairs, names without a partner or given twice,
            images of a pair that differ in size, files that cannot be read, pairs rendered from another plan.
    """
    problems: list[str] = []
    candidates = [candidate for folder in folders for candidate in _candidates(folder, problems)]
    # decoding lets other threads run
    with ThreadPoolExecutor() as pool:
        pairs = list(pool.map(lambda found: _pair(found, problems), candidates))
    if problems:
        raise TrainingError(_told(sorted(problems)))
    return [pair for pair in pairs if pair is not None]


def split(pairs: list[Pair], share: float) -> tuple[list[int], list[int]]:
    """Indices for training and for validation; no drawing is on both sides, and both sides have at least one.

    A drawing's side depends on the hash of its name, so adding pairs moves none of the others. A folder with a single
    drawing has nothing to hold back: it validates on what it trains on.
    """
    ranked = sorted({pair.drawing for pair in pairs}, key=_hash)
    held_back = {drawing for drawing in ranked if _hash(drawing) < share * 2**64} or set(ranked[:1])
    if len(held_back) == len(ranked):
        held_back = set(ranked[:1])
    validation = [index for index, pair in enumerate(pairs) if pair.drawing in held_back]
    training = [index for index, pair in enumerate(pairs) if pair.drawing not in held_back]
    return training or validation, validation


def summary(folders: Sequence[Path], pairs: Sequence[Pair], training: Sequence[int], validation: Sequence[int]) -> str:
    """What a run is about to train on, in one line."""
    drawings = len({pair.drawing for pair in pairs})
    names = ", ".join(str(folder) for folder in folders)
    # a drawing's key begins with its source, where it has one
    sources = Counter((pair.drawing.split("/")[0] if "/" in pair.drawing else "drawn", pair.licence) for pair in pairs)
    told = ", ".join(f"{count} of {source} ({licence})" for (source, licence), count in sorted(sources.items()))
    return (
        f"{len(pairs)} pairs of {drawings} drawings in {names}: "
        f"{len(training)} to train on, {len(validation)} held back; {told}"
    )


def _told(problems: list[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    more = [f"... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    shown = [f"  {line}" for line in problems[:SHOWN] + more]
    return "\n".join([f"{len(problems)} problems in the pairs, so nothing was started:", *shown])


def _candidates(folder: Path, problems: list[str]) -> list[Candidate]:
    """Line, sketch, tone and manifest entry of every complete pair; what is wrong is added to `problems`."""
    layout = _layout(folder)
    if layout is None:
        known = ", ".join(f"{line} + {sketch}" for line, sketch in LAYOUTS)
        problems.append(f"{folder}: not a pair folder; it needs subfolders {known}")
        return []
    files = [_images(subfolder, problems) for subfolder in layout]
    for here, other in ((0, 1), (1, 0)):
        for name in sorted(files[here].keys() - files[other].keys()):
            problems.append(f"{files[here][name]}: no partner of that name in {layout[other]}; add it, or remove this")
    names = sorted(files[0].keys() & files[1].keys())
    if not files[0] and not files[1]:
        problems.append(f"{folder}: no images in {layout[0].relative_to(folder)}; a pair is two files of one name")
    manifest = _manifest(folder / "manifest.jsonl", problems)
    pictures = layout[0].parent / "tone"
    tones = _images(pictures, problems) if pictures.is_dir() else {}
    candidates: list[Candidate] = []
    for name in names:
        entry, tone = manifest.get(name), tones.get(name)
        if entry is not None and not entry["style"].get("tone"):
            tone = None
        elif entry is not None and tone is None:
            problems.append(
                f"{pictures / name}.png: missing, the picture whose tone is drawn; synthesize the pair again"
            )
            continue
        candidates.append((files[0][name], files[1][name], tone, entry))
    return candidates


def _layout(folder: Path) -> tuple[Path, Path] | None:
    for line, sketch in LAYOUTS:
        if (folder / line).is_dir() and (folder / sketch).is_dir():
            return folder / line, folder / sketch
    return None


def _images(folder: Path, problems: list[str]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for file in files_in(folder, SUFFIXES):
        if file.stem in found:
            problems.append(f"{file}: the name of {found[file.stem].name} a second time; rename or remove one of them")
        found.setdefault(file.stem, file)
    return found


def _manifest(file: Path, problems: list[str]) -> dict[str, dict]:
    if not file.exists():
        return {}
    entries = {}
    others: Counter[str] = Counter()
    for number, text in enumerate(file.read_bytes().splitlines(), 1):
        try:
            entry = json.loads(text)
            entries[entry["name"]] = _entry(entry)
            others[_another_plan(entry)] += 1
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            problems.append(f"{file}:{number}: not a pair's entry ({one_line(repr(error))}); synthesize again")
    for other, count in sorted(others.items()):
        if other:
            problems.append(f"{file}: {count} pairs are of {other}; make them again with sketchgan-train synthesize")
    return entries


def _entry(said: dict) -> dict:
    """What a manifest says of a pair.

    Raises:
        ValueError, KeyError, TypeError: something is missing or invalid.
    """
    entry = {key: said[key] for key in ("drawing", "licence", "seed", "controls", "style")}
    for key, kind in (("drawing", str), ("licence", str), ("seed", int), ("controls", dict), ("style", dict)):
        if not isinstance(entry[key], kind) or isinstance(entry[key], bool):
            raise TypeError(f"{key} is {entry[key]!r}")
    Controls(**entry["controls"])
    if (paper := entry["style"].get("paper", PAPER)) not in (*PAPERS, EVEN):
        raise ValueError(f"unknown paper {paper!r}")
    return entry


def _another_plan(entry: dict) -> str:
    """As `another_plan`, for a manifest's entry. What an artist drew depends on no plan of ours and goes with any."""
    return another_plan(entry) if _is_rendered(entry) else ""


def _is_rendered(entry: dict) -> bool:
    return entry["style"].get("brush", OWN_HAND) != OWN_HAND


def _pair(candidate: Candidate, problems: list[str]) -> Pair | None:
    line, sketch, tone, entry = candidate
    size = _size(line, problems)
    fitting = [_fits(file, line, size, problems) for file in (sketch, tone) if file is not None]
    if size is None or not all(fitting):
        return None
    if min(size) < SMALLEST:
        problems.append(
            f"{line}: {size[1]} x {size[0]} px; a pair needs {SMALLEST} px at least: scan it larger, or remove it"
        )
        return None
    if entry is None or not _is_rendered(entry):
        size = drawn_size(line, size)
    if entry is None:
        seed = _hash(line.stem) % 2**31
        return Pair(line, sketch, size, line.stem, seed, Controls(), PAPER, "unstated", tone)
    style = entry["style"]
    return Pair(
        line,
        sketch,
        size,
        entry["drawing"],
        entry["seed"],
        Controls(**entry["controls"]),
        style.get("paper", PAPER),
        entry["licence"],
        tone,
        style.get("brush") == OWN_HAND,
    )


def _fits(file: Path, line: Path, wanted: tuple[int, int] | None, problems: list[str]) -> bool:
    """Whether an image has the size of its line image."""
    size = _size(file, problems)
    if size is None or wanted is None:
        return False
    if size != wanted:
        told = " against ".join(f"{width} x {height}" for height, width in (size, wanted))
        problems.append(f"{file}: not the size of {line} ({told} px); scan or scale both alike")
    return size == wanted


def image_size(file: Path, remedy: str = "replace or remove it") -> tuple[int, int]:
    """Height and width of an image, turned upright, after checking that it can be decoded, even hours into the run.

    Raises:
        SketchGANError: it does not decode.
    """
    try:
        with open_image(file) as image:
            width, height = image.size
            # PNG carries checksums, which are quicker to compare; other formats must be decoded to be sure
            if image.format == "PNG":
                # Where no EXIF precedes the pixels, Pillow would decode them to look for it behind.
                turned = "exif" in image.info and image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
                width, height = (height, width) if turned else (width, height)
                image.verify()
            else:
                image.load()
                width, height = upright(image).size
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise TrainingError(f"{file}: cannot be read as an image ({error}); {remedy}") from error
    return height, width


def drawn_size(line: Path, size: tuple[int, int]) -> tuple[int, int]:
    """The size (height, width) at which a line image is drawn: its own, or smaller where a pencil draws it so.

    Strokes that were learned at 600 dpi would be as many pixels wide on any page.
    """
    if side(size) <= LARGEST:
        return size
    height, width = size_for_lines(read_image(line, at_most=SEEN).grey)
    return (height, width) if height < size[0] else size


def _size(file: Path, problems: list[str]) -> tuple[int, int] | None:
    try:
        return image_size(file, "replace or remove the pair")
    except SketchGANError as error:
        problems.append(str(error))
        return None


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def describe_data(
    told: str, pairs: Sequence[Pair], training: Sequence[int], validation: Sequence[int]
) -> dict[str, Any]:
    """The pairs in words and numbers, and a fingerprint that shows when they have changed."""
    known = hashlib.sha256()
    for pair in pairs:
        files = [(file.name, digest(file)) for file in pair.images]
        known.update(repr((files, pair.seed, pair.controls, pair.paper)).encode())
    return {
        "told": told,
        "pairs": len(pairs),
        "training": len(training),
        "validation": len(validation),
        "held_back": not set(training) & set(validation),
        "sha256": known.hexdigest(),
    }
