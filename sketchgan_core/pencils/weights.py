"""Pencils on disk: one generator, its config and its card in one safetensors file.

The metadata follows ModelSpec 1.0.1 (github.com/Stability-AI/ModelSpec), with three entries of our own:
`sketchgan.config`, `sketchgan.controls` and `sketchgan.training`, each a JSON object.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from math import prod
from pathlib import Path
from typing import Any, TypeVar

import safetensors.torch
import torch
from torch import Tensor, nn

from ..errors import SketchGANError, one_line
from ..files import written_whole
from ..generators.config import GeneratorConfig
from ..generators.discriminator import MultiScaleDiscriminator
from ..generators.registry import Generator, build_generator
from .header import ARCHITECTURE_PREFIX, DISCRIMINATOR, Card, Header, read_header, resolve_pencil
from .layout import MAX_HEADER_BYTES, SUFFIX, TYPE_BYTES

# Seventy times the usual pencil, and as much as can be checked in a second; a config can describe larger ones.
MAX_FILE_BYTES = 2**28
PIECE = 2**20  # bytes that are checked at a time

# What safetensors calls the types a parameter or a counter may be stored in.
_FLOATS = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
_INTEGERS = {"I64": torch.int64}

AnyModule = TypeVar("AnyModule", bound=nn.Module)


@dataclass(frozen=True)
class Pencil:
    """A loaded pencil: the generator, float32, on the CPU, in evaluation mode; and its header."""

    generator: Generator
    header: Header


def save_pencil(
    path: str | os.PathLike[str],
    generator: Generator,
    card: Card,
    *,
    controls: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float16,
    overwrite: bool = False,
) -> None:
    """Writes a generator, whole or not at all.

    Args:
        path: ends in .safetensors.
        generator: its floating-point parameters and buffers are stored as `dtype`.
        card: who made it and what for.
        controls: the defaults that suit this pencil, e.g. `{"darkness": 0.6}`.
        training: anything worth knowing later, as JSON: data, steps, losses.
        dtype: float16, bfloat16 or float32.
        overwrite: replace an existing file.

    Raises:
        SketchGANError: the file exists, a parameter is NaN or too large for `dtype`, or the disk refuses.
    """
    config = generator.config
    entries = {"config": config.to_dict(), "controls": dict(controls or {}), "training": dict(training or {})}
    _save(Path(path), generator, config.architecture, card, entries, dtype, overwrite)


def save_discriminator(
    path: str | os.PathLike[str],
    discriminator: MultiScaleDiscriminator,
    card: Card,
    *,
    config: Mapping[str, int],
    training: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float16,
    overwrite: bool = False,
) -> None:
    """Writes a discriminator, to continue training from; `config` holds its constructor's arguments.

    Raises:
        SketchGANError: as `save_pencil`.
    """
    entries = {"config": dict(config), "training": dict(training or {})}
    _save(Path(path), discriminator, DISCRIMINATOR, card, entries, dtype, overwrite)


def load_pencil(
    name: str | os.PathLike[str], folders: Iterable[str | os.PathLike[str]] = (), any_plan: bool = False
) -> Pencil:
    """Reads a pencil; a damaged or foreign file never gets as far as a half-loaded generator.

    Args:
        name: of a bundled pencil ("default"), of a pencil in one of `folders`, or a path.
        folders: further places where names are looked up.
        any_plan: see `read_header`.

    Raises:
        SketchGANError: not found, not a pencil, damaged, or made for another version; says what to do.
    """
    header = read_header(resolve_pencil(name, folders), any_plan)
    if header.architecture == DISCRIMINATOR:
        raise SketchGANError(f"{header.path}: is a discriminator, which judges sketches; choose a pencil to draw with")
    generator = _load(header, lambda: build_generator(GeneratorConfig.from_dict(header.config)))
    generator.eval()
    return Pencil(generator, header)


def load_discriminator(path: str | os.PathLike[str]) -> MultiScaleDiscriminator:
    """Reads a discriminator, float32, on the CPU, in training mode.

    Raises:
        SketchGANError: as `load_pencil`.
    """
    header = read_header(path)
    if header.architecture != DISCRIMINATOR:
        raise SketchGANError(f"{header.path}: is a pencil, not a discriminator; give the file saved beside it")
    return _load(header, lambda: MultiScaleDiscriminator(**header.config))


def _save(
    path: Path,
    module: nn.Module,
    architecture: str,
    card: Card,
    entries: Mapping[str, Any],
    dtype: torch.dtype,
    overwrite: bool,
) -> None:
    if path.suffix != SUFFIX:
        raise SketchGANError(f"{path}: weights are saved as safetensors; end the name in {SUFFIX}")
    if path.exists() and not overwrite:
        raise SketchGANError(f"{path}: exists already; choose another name or allow overwriting")
    tensors = {}
    for name, tensor in module.state_dict().items():
        tensors[name] = tensor.detach().cpu().to(dtype if tensor.is_floating_point() else tensor.dtype).contiguous()
        if not torch.isfinite(tensors[name]).all():
            raise SketchGANError(f"{path}: not saved, {name} is NaN or too large for {dtype}; train with a lower rate")
    metadata = {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": ARCHITECTURE_PREFIX + architecture,
        "modelspec.implementation": "sketchgan_core",
        "modelspec.prediction_type": "load" if "planes" in entries["config"] else "",
    }
    metadata |= {f"modelspec.{key}": getattr(card, key) for key in Card.__dataclass_fields__}
    metadata["modelspec.date"] = card.date or datetime.now(timezone.utc).isoformat(timespec="seconds")
    try:
        metadata |= {f"sketchgan.{key}": json.dumps(value, allow_nan=False) for key, value in entries.items()}
    except ValueError:
        raise SketchGANError(f"{path}: not saved, a number of its card is NaN or infinite; leave it out") from None
    metadata["modelspec.hash_sha256"] = "0x" + _data_hash(safetensors.torch.save(tensors))
    content = safetensors.torch.save(tensors, {key: value for key, value in metadata.items() if value})
    if int.from_bytes(content[:8], "little") > MAX_HEADER_BYTES:
        raise SketchGANError(f"{path}: not saved, its card takes more than {MAX_HEADER_BYTES >> 10} kB; shorten it")
    try:
        with written_whole(path) as file:
            file.write(content)
    except OSError as error:
        raise SketchGANError(f"{path}: cannot be written ({error.strerror}); choose another place") from error


def _load(header: Header, build: Callable[[], AnyModule]) -> AnyModule:
    path = header.path
    if header.bytes > MAX_FILE_BYTES:
        raise SketchGANError(f"{path}: {header.bytes >> 20} MB is too large for a pencil; download it again")
    try:
        # Shapes first, without memory, so that a forged config cannot ask for more than the file holds.
        with torch.device("meta"):
            expected = build().state_dict()
        _check_layout(header, expected)
        _check_values(header)
        module = build()
        tensors = safetensors.torch.load(path.read_bytes())
        module.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in tensors.items()})
    except ValueError as error:
        raise SketchGANError(f"{path}: {error}; it may need a newer version of SketchGAN") from error
    except (OSError, RuntimeError, safetensors.SafetensorError) as error:
        raise SketchGANError(f"{path}: damaged ({one_line(str(error))}); download it again") from error
    return module


def _check_layout(header: Header, expected: Mapping[str, Tensor]) -> None:
    for name, tensor in expected.items():
        if name not in header.tensors:
            raise SketchGANError(f"{header.path}: lacks {name}; ask its author for a complete copy")
        kind, shape = header.tensors[name]
        if shape != tuple(tensor.shape):
            raise SketchGANError(
                f"{header.path}: {name} has shape {shape} where its config says {tuple(tensor.shape)}; "
                "ask its author for a sound copy"
            )
        allowed = _FLOATS if tensor.is_floating_point() else _INTEGERS
        if kind not in allowed:
            raise SketchGANError(f"{header.path}: {name} is stored as {kind}; store it as {', '.join(allowed)}")
    extra = sorted(set(header.tensors) - set(expected))
    if extra:
        raise SketchGANError(
            f"{header.path}: holds the unknown tensor {one_line(extra[0])}; ask its author for a sound copy"
        )


def _check_values(header: Header) -> None:
    """Reads all values once, a piece at a time, so that a file that is refused costs no memory."""
    digest = hashlib.sha256()
    not_finite = None
    with open(header.path, "rb") as file:
        file.seek(header.start)
        for name, (kind, shape) in header.tensors.items():
            left = prod(shape) * TYPE_BYTES[kind]
            while left:
                piece = bytearray(file.read(min(left, PIECE)))
                if not piece:
                    raise SketchGANError(f"{header.path}: is shorter than it was; download it again")
                digest.update(piece)
                left -= len(piece)
                # The least and the greatest value reveal NaN as well, thirty times as fast as testing every value.
                if kind in _FLOATS and not all(
                    map(torch.isfinite, torch.frombuffer(piece, dtype=_FLOATS[kind]).aminmax())
                ):
                    not_finite = name
    stored_hash = header.metadata.get("modelspec.hash_sha256")
    if stored_hash and stored_hash.removeprefix("0x").lower() != digest.hexdigest():
        raise SketchGANError(f"{header.path}: the data differ from their checksum; download it again")
    if not_finite is not None:
        raise SketchGANError(
            f"{header.path}: {not_finite} contains NaN or infinite values; ask its author for a sound copy"
        )


def _data_hash(content: bytes) -> str:
    start = 8 + int.from_bytes(content[:8], "little")
    return hashlib.sha256(memoryview(content)[start:]).hexdigest()
