"""The pencils in this host: which ones there are, what their files say, and how one is made ready to draw."""

from __future__ import annotations

import logging
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from .. import sketchgan_core as core
from ..sketchgan_core.pencils.header import BUNDLED_FOLDER, DISCRIMINATOR, SUFFIX
from . import host

if TYPE_CHECKING:
    from ..sketchgan_core.generators.registry import Generator

_log = logging.getLogger(__name__)

PencilSocket = io.Custom("SKETCHGAN_MODEL")


@dataclass(frozen=True, eq=False)
class HostPencil:
    """A pencil as nodes pass it on.

    Attributes:
        generator: float32 on the CPU, for merging and saving.
        patcher: the same generator, for drawing.
        card, controls, training: as in a `Header`.
    """

    generator: Generator
    patcher: Any
    card: core.Card
    controls: dict[str, Any]
    training: dict[str, Any]

    @classmethod
    def of(
        cls, generator: Generator, card: core.Card, controls: dict[str, Any], training: dict[str, Any]
    ) -> HostPencil:
        return cls(generator, host.managed(deepcopy(generator)), card, controls, training)

    def describe(self) -> dict[str, Any]:
        parameters = sum(parameter.numel() for parameter in self.generator.parameters())
        return _description(self.card, self.generator.config.architecture, parameters, self.controls, self.training)


def names() -> list[str]:
    """What the loader offers: the bundled pencils by name, then the pencils among the host's files."""
    headers = {name: _header(path) for name, path in _files().items()}
    return [
        name
        for name, header in headers.items()
        if isinstance(header, core.Header) and header.architecture != DISCRIMINATOR
    ]


def find(name: str) -> core.Header:
    """The header of the pencil with a listed name.

    Raises:
        SketchGANError: no pencil has this name, or the file is not a pencil.
    """
    path = _files().get(name)
    if path is None:
        raise core.SketchGANError(f"{name}: no such pencil; put the file into models/{host.FOLDER} or choose another")
    header = _header(path)
    if isinstance(header, str):
        raise core.SketchGANError(header)
    return header


def fingerprint(path: Path) -> tuple[int, int]:
    """Changes when the file does."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def load(name: str) -> HostPencil:
    """Makes a pencil ready to draw.

    Raises:
        SketchGANError: not found or damaged.
    """
    path = find(name).path
    return _load(path, *fingerprint(path))


def describe(name: str) -> dict[str, Any] | None:
    """A description of a listed pencil, for the page; None if no pencil has this name."""
    try:
        header = find(name)
    except core.SketchGANError:
        return None
    return _description(header.card, header.architecture, header.parameters, header.controls, header.training)


def _description(
    card: core.Card, architecture: str, parameters: int, controls: dict[str, Any], training: dict[str, Any]
) -> dict[str, Any]:
    shown = {key: value for key, value in asdict(card).items() if key != "license"}
    return shown | {
        "licence": card.license,
        "architecture": architecture,
        "parameters": parameters,
        "controls": controls,
        "training": training,
    }


def _files() -> dict[str, Path]:
    # Without a suffix, so that a user's file of the same name is a separate entry.
    bundled = {path.stem: path for path in sorted(BUNDLED_FOLDER.glob(f"*{SUFFIX}"))}
    return bundled | host.model_files()


def _header(path: Path) -> core.Header | str:
    """The header of a file, or what is wrong with it."""
    try:
        return _read(path, *fingerprint(path))
    except OSError as error:  # a link to nowhere, or deleted since the folder was listed
        return f"{path}: cannot be read ({error.strerror}); put it back or choose another"


# The host asks for the list at every prompt; a file is read again only when it has changed. An error is kept as its
# words: an exception that is raised again and again would keep alive what all of its raisers had in their hands.
@lru_cache(maxsize=1024)
def _read(path: Path, modified: int, size: int) -> core.Header | str:
    try:
        return core.read_header(path)
    except core.SketchGANError as error:
        _log.warning("SketchGAN: not listed: %s", error)
        return str(error)


# The host forgets what its last graph did not use; a few megabytes save loading it again.
@lru_cache(maxsize=4)
def _load(path: Path, modified: int, size: int) -> HostPencil:
    pencil = core.load_pencil(path)
    header = pencil.header
    return HostPencil.of(pencil.generator, header.card, header.controls, header.training)
