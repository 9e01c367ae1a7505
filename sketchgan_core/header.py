"""What a weights file says of itself, read without its weights, and the folders such files are found in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from .errors import SketchGANError

BUNDLED_FOLDER = Path(__file__).parent / "pencils"
SUFFIX = ".safetensors"
ARCHITECTURE_PREFIX = "sketchgan-v1/"
DISCRIMINATOR = "discriminator"

# A pencil's header takes about 20 kB; a thumbnail in it may take some more.
MAX_HEADER_BYTES = 8 * 2**20


@dataclass(frozen=True)
class Card:
    """What a sharer tells a receiver about a pencil.

    Attributes:
        title: its name, for people.
        author, license, description: free text; license is best an SPDX identifier.
        usage_hint: which lines and controls suit it.
        date: ISO 8601; the time of saving if left empty.
        tags: comma-separated.
        thumbnail: a small data URL (data:image/jpeg;base64,...).
    """

    title: str
    author: str = ""
    license: str = ""
    description: str = ""
    usage_hint: str = ""
    date: str = ""
    tags: str = ""
    thumbnail: str = ""


@dataclass(frozen=True)
class Header:
    """What a weights file says of itself.

    Attributes:
        path: the file.
        architecture: the generator's name in the registry, or "discriminator".
        card: title, author, licence ...
        config: the constructor's settings.
        controls: the default of each control.
        training: how it was trained; free form.
        metadata: everything, as stored.
        tensors: name -> (safetensors dtype, shape).
        bytes: size of the file.
    """

    path: Path
    architecture: str
    card: Card
    config: dict[str, Any]
    controls: dict[str, Any]
    training: dict[str, Any]
    metadata: dict[str, str] = field(repr=False)
    tensors: dict[str, tuple[str, tuple[int, ...]]] = field(repr=False)
    bytes: int

    @property
    def parameters(self) -> int:
        """Number of values in all tensors."""
        return sum(prod(shape) for _, shape in self.tensors.values())


def read_header(path: str | os.PathLike[str]) -> Header:
    """Reads what a weights file says of itself, in a few kB, without trusting any number in it.

    Raises:
        SketchGANError: no such file, a pickle, truncated, forged, or somebody else's safetensors.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if start[:4] == b"PK\x03\x04" or (start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05"):
                raise SketchGANError(
                    f"{path}: is a PyTorch pickle, whatever its name; convert it with: "
                    f"sketchgan import {path.name} -o NEW{SUFFIX}"
                )
            if size < 8 or length < 2 or length > min(size - 8, MAX_HEADER_BYTES):
                raise SketchGANError(f"{path}: not a safetensors file, or a damaged one; download it again")
            raw = file.read(length)
    except FileNotFoundError:
        raise SketchGANError(f"{path}: no such file; check the name") from None
    except OSError as error:
        raise SketchGANError(f"{path}: cannot be read ({error.strerror}); give a {SUFFIX} file") from error
    try:
        contents = json.loads(raw)
        metadata = contents.pop("__metadata__", {})
        tensors = {name: (str(entry["dtype"]), tuple(entry["shape"])) for name, entry in contents.items()}
        end = max((entry["data_offsets"][1] for entry in contents.values()), default=0)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        raise SketchGANError(f"{path}: the header is damaged; download it again") from None
    if end != size - 8 - length:
        raise SketchGANError(f"{path}: has {size} bytes where {end + 8 + length} belong; download it again")
    return _parse_metadata(path, metadata, tensors, size)


def _parse_metadata(path: Path, metadata: Any, tensors: dict[str, tuple[str, tuple[int, ...]]], size: int) -> Header:
    architecture = metadata.get("modelspec.architecture") if isinstance(metadata, dict) else None
    if not isinstance(architecture, str) or not architecture.startswith(ARCHITECTURE_PREFIX):
        what = f"made for {architecture}" if architecture else "without our metadata"
        raise SketchGANError(f"{path}: is not a SketchGAN pencil ({what}); choose one from: sketchgan list")

    def entry(name: str) -> dict[str, Any]:
        try:
            value = json.loads(metadata.get(f"sketchgan.{name}", "{}"))
        except (ValueError, TypeError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise SketchGANError(f"{path}: its sketchgan.{name} is damaged; download it again")
        return value

    card = Card(**{key: str(metadata.get(f"modelspec.{key}", "")) for key in Card.__dataclass_fields__})
    name = architecture.removeprefix(ARCHITECTURE_PREFIX)
    config, controls, training = entry("config"), entry("controls"), entry("training")
    return Header(path, name, card, config, controls, training, metadata, tensors, size)


def resolve_pencil(name: str | os.PathLike[str], folders: Iterable[str | os.PathLike[str]] = ()) -> Path:
    """The file a name stands for: a bundled pencil, then a pencil in `folders`, then a path.

    Raises:
        SketchGANError: nothing of that name; lists the names there are.
    """
    text = os.fspath(name)
    places = [BUNDLED_FOLDER, *map(Path, folders)]
    if Path(text).name == text:
        for place in places:
            for file in (place / text, place / f"{text}{SUFFIX}"):
                if file.suffix == SUFFIX and file.is_file():
                    return file
    if Path(text).exists():
        return Path(text)
    names = ", ".join(sorted(file.stem for place in places for file in place.glob(f"*{SUFFIX}"))) or "none"
    raise SketchGANError(f"{text}: no such pencil or file; there are: {names}")


def list_pencils(folders: Iterable[str | os.PathLike[str]] = ()) -> tuple[list[Header], list[SketchGANError]]:
    """The bundled pencils and those in `folders`, by reading headers only.

    Returns:
        The headers, and one error for each file that is no pencil; discriminators are left out of both.
    """
    headers, errors = [], []
    for folder in (BUNDLED_FOLDER, *map(Path, folders)):
        for file in sorted(folder.glob(f"*{SUFFIX}")):
            try:
                header = read_header(file)
            except SketchGANError as error:
                errors.append(error)
            else:
                if header.architecture != DISCRIMINATOR:
                    headers.append(header)
    return headers, errors
