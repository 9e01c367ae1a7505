"""What a safetensors file holds and where, read from its head alone and believed only where everything adds up."""

from __future__ import annotations

import json
from math import prod
from pathlib import Path
from typing import Any, TypeGuard

from ..errors import SketchGANError

SUFFIX = ".safetensors"

# A pencil's header takes about 20 kB, and a thumbnail in it as much again. A parser may turn a forged one into up to
# forty times its bytes.
MAX_HEADER_BYTES = 2**18
MAX_DIMENSIONS = 8

# What safetensors calls the types of values, and their bytes.
TYPE_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E5M2": 1,
    "U16": 2, "I16": 2, "F16": 2, "BF16": 2,
    "U32": 4, "I32": 4, "F32": 4,
    "U64": 8, "I64": 8, "F64": 8,
}  # fmt: skip

Tensors = dict[str, tuple[str, tuple[int, ...]]]


def read_head(path: Path) -> tuple[dict[str, Any], int, int]:
    """The JSON object at the head of a safetensors file, without trusting what is in it.

    Returns:
        The object, where the data begin and where they end, in bytes.

    Raises:
        SketchGANError: no such file, a pickle, truncated, forged, or far more than a pencil says about itself.
    """
    try:
        if path.exists() and not path.is_file():
            raise SketchGANError(f"{path}: cannot be read (a folder or a device); give a {SUFFIX} file")
        size = path.stat().st_size
        with open(path, "rb") as file:
            start = file.read(8)
            length = int.from_bytes(start, "little")
            if start[:4] == b"PK\x03\x04" or (start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05"):
                raise SketchGANError(
                    f"{path}: is a PyTorch pickle, whatever its name; convert it with: "
                    f"sketchgan import {path.name} -o NEW{SUFFIX}"
                )
            if size < 8 or length < 2 or length > size - 8:
                raise SketchGANError(f"{path}: not a safetensors file, or a damaged one; download it again")
            if length > MAX_HEADER_BYTES:
                raise SketchGANError(
                    f"{path}: is not a SketchGAN pencil (its header takes {length >> 10} kB, a pencil's at most "
                    f"{MAX_HEADER_BYTES >> 10}); choose one from: sketchgan list"
                )
            raw = file.read(length)
    except FileNotFoundError:
        raise SketchGANError(f"{path}: no such file; check the name") from None
    except OSError as error:
        raise SketchGANError(f"{path}: cannot be read ({error.strerror}); give a {SUFFIX} file") from error
    try:
        contents = parse_json(raw.decode())
    except ValueError:
        contents = None
    if not isinstance(contents, dict):
        raise SketchGANError(f"{path}: the header is damaged; download it again")
    return contents, 8 + length, size


def parse_json(text: str) -> Any:
    """A JSON value that can be printed, and sent on as JSON.

    Raises:
        ValueError: not JSON, NaN or infinity in it, half a character (a lone surrogate), or too deep to be walked.
    """
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def tensors_in(path: Path, entries: dict[str, Any], data_bytes: int) -> Tensors:
    """Name -> (type, shape), in the order in which the values lie in the file and fill it without gap or overlap.

    Raises:
        SketchGANError: an entry that is not what the format says, or that does not fit the file.
    """
    damaged = SketchGANError(f"{path}: the header is damaged; download it again")
    placed = []
    for name, entry in entries.items():
        if not isinstance(entry, dict):
            raise damaged
        kind, shape, place = (entry.get(key) for key in ("dtype", "shape", "data_offsets"))
        if not isinstance(kind, str) or kind not in TYPE_BYTES:
            raise damaged
        if not _are_integers(shape, MAX_DIMENSIONS) or not _are_integers(place, 2) or len(place) != 2:
            raise damaged
        # No weight is empty; a file of another length than the header says is refused below.
        longest = max(data_bytes, place[1])
        if not all(1 <= length <= longest for length in shape):
            raise damaged
        if place[1] - place[0] != prod(shape) * TYPE_BYTES[kind]:
            raise damaged
        placed.append((place[0], place[1], name, kind, tuple(shape)))
    placed.sort()
    end = 0
    for first, last, *_ in placed:
        if first != end:
            raise damaged
        end = last
    if end != data_bytes:
        raise SketchGANError(f"{path}: has {data_bytes} bytes of weights where {end} belong; download it again")
    return {name: (kind, shape) for _, _, name, kind, shape in placed}


def _are_integers(value: Any, most: int) -> TypeGuard[list[int]]:
    # A bool is an int to Python.
    return isinstance(value, list) and len(value) <= most and all(type(number) is int for number in value)
