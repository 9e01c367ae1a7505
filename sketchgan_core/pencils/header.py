"""What a weights file says about itself, read without its weights, and the folders such files are found in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from ..errors import SketchGANError, one_line
from ..generators.config import DiscriminatorConfig, GeneratorConfig
from ..planning.controls import Controls
from ..planning.planes import PLAN_VERSION
from .layout import SUFFIX, Tensors, parse_json, read_head, tensors_in

BUNDLED_FOLDER = Path(__file__).parent
ARCHITECTURE_PREFIX = "sketchgan-v1/"
DISCRIMINATOR = "discriminator"


@dataclass(frozen=True)
class Card:
    """What a sharer tells a receiver about a pencil.

    Attributes:
        title: its name, for people.
        author, license, description: free text; license is preferably an SPDX identifier.
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
    """What a weights file says about itself.

    Attributes:
        path: the file.
        architecture: the generator's name in the registry, or "discriminator".
        card: title, author, licence ...
        config: the constructor's settings.
        controls: the default of each control.
        training: how it was trained; free form.
        metadata: everything, as stored.
        tensors: name -> (safetensors dtype, shape), in the order of their values in the file.
        start: where the values begin, bytes.
        bytes: size of the file.
    """

    path: Path
    architecture: str
    card: Card
    config: dict[str, Any]
    controls: dict[str, Any]
    training: dict[str, Any]
    metadata: dict[str, str] = field(repr=False)
    tensors: Tensors = field(repr=False)
    start: int
    bytes: int

    @property
    def parameters(self) -> int:
        """Number of values in all tensors."""
        return sum(prod(shape) for _, shape in self.tensors.values())


def read_header(path: str | os.PathLike[str], any_plan: bool = False) -> Header:
    """Reads what a weights file says about itself, a few kB, and checks all of it.

    Args:
        path: of the file.
        any_plan: take a pencil of another version of the plan for one of this version, to train it further.

    Raises:
        SketchGANError: no such file, a pickle, truncated, forged, or somebody else's safetensors.
    """
    path = Path(path)
    contents, start, size = read_head(path)
    metadata = contents.pop("__metadata__", {})
    architecture = metadata.get("modelspec.architecture") if isinstance(metadata, dict) else None
    if not isinstance(architecture, str) or not architecture.startswith(ARCHITECTURE_PREFIX):
        what = f"made for {one_line(architecture)}" if isinstance(architecture, str) else "without our metadata"
        raise SketchGANError(f"{path}: is not a SketchGAN pencil ({what}); choose one from: sketchgan list")
    if not all(isinstance(value, str) for value in metadata.values()):
        raise SketchGANError(f"{path}: its metadata are damaged; download it again")
    if not re.fullmatch("(0x)?[0-9a-fA-F]{64}", metadata.get("modelspec.hash_sha256", "0" * 64)):
        raise SketchGANError(f"{path}: its checksum is damaged; download it again")
    tensors = tensors_in(path, contents, size - start)
    config, controls, training = (_entry(path, metadata, name) for name in ("config", "controls", "training"))
    name = architecture.removeprefix(ARCHITECTURE_PREFIX)
    if any_plan and name != DISCRIMINATOR:
        config = {**config, "plan": PLAN_VERSION}
    try:
        if name == DISCRIMINATOR:
            DiscriminatorConfig.from_dict(config)
        elif GeneratorConfig.from_dict(config).architecture != name:
            built = config.get("architecture", GeneratorConfig.architecture)
            raise ValueError(f"architecture {one_line(name)} and config {one_line(built)} disagree")
        _check_controls(controls)
    except ValueError as error:
        raise SketchGANError(f"{path}: {error}; it may need a newer version of SketchGAN") from None
    card = Card(**{key: metadata.get(f"modelspec.{key}", "") for key in Card.__dataclass_fields__})
    return Header(path, name, card, config, controls, training, metadata, tensors, start, size)


def _entry(path: Path, metadata: dict[str, str], name: str) -> dict[str, Any]:
    """One of our own entries, a JSON object."""
    try:
        value = parse_json(metadata.get(f"sketchgan.{name}", "{}"))
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise SketchGANError(f"{path}: its sketchgan.{name} is damaged; download it again")
    return value


def _check_controls(controls: dict[str, Any]) -> None:
    for name, value in controls.items():
        if name not in Controls.names():
            raise ValueError(f"unknown control {one_line(name)}")
        if type(value) not in (int, float) or not 0 <= value <= 1:
            raise ValueError(f"its {name} is not a number in 0..1")


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
    names = ", ".join(sorted(header.path.stem for header in list_pencils(folders)[0])) or "none"
    raise SketchGANError(f"{text}: no such pencil or file; there are: {names}")


def list_pencils(folders: Iterable[str | os.PathLike[str]] = ()) -> tuple[list[Header], list[SketchGANError]]:
    """The bundled pencils and those in `folders`, by reading headers only.

    Returns:
        The headers, and one error for each file that is no pencil; discriminators are left out of both.
    """
    headers, errors = [], []
    for folder in (BUNDLED_FOLDER, *map(Path, folders)):
        try:
            names = os.listdir(folder)
        except OSError as error:
            errors.append(SketchGANError(f"{folder}: {error.strerror}; give a folder of pencils"))
            continue
        for file in sorted(folder / name for name in names if name.endswith(SUFFIX)):
            try:
                header = read_header(file)
            except SketchGANError as error:
                errors.append(error)
            else:
                if header.architecture != DISCRIMINATOR:
                    headers.append(header)
    return headers, errors
