"""Weights files as a forger would make them."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

Contents = dict[str, Any]

# What a forger might put where something else belongs.
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 7, 2**31, 2**63, 2**64, 10**400, 0.5, -0.5, 1e308, float("nan"), float("inf"), "", "x",
    "F32", "\x1b[2J\n", "\ud800", "NaN", "[" * 2000, '{"a": NaN}', '{"darkness": "0.5"}', '{"darkness": [[0.5]]}',
    '{"width": 8.5}', '{"planes": ["ink", ["take"]]}', '{"a": "\\ud800"}', '{"a": 1e999}', "9" * 5000, [], [0],
    [[0], 2], [1, 2, 3], [None, None], [0, 1.9e9], ["0", "4"], {}, {"a": 1}, {"dtype": "F32"},
)  # fmt: skip


def contents_of(path: Path) -> Contents:
    raw = path.read_bytes()
    return dict(json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")]))


def write(path: Path, contents: Contents | bytes, data: bytes = b"", sparse: int = 0) -> Path:
    """A weights file with this header and data, or with `sparse` bytes of zeros that take no space on disk."""
    raw = contents if isinstance(contents, bytes) else json.dumps(contents).encode()
    with path.open("wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw + data)
        if sparse:
            file.truncate(8 + len(raw) + sparse)
    return path


def mutate(contents: Contents, chance: random.Random) -> None:
    """Changes, removes or adds a thing or two anywhere in a header, our own JSON in it included."""
    for _ in range(chance.randint(1, 2)):
        # Most entries are tensors, but most of what can be wrong is in the metadata.
        metadata = contents.get("__metadata__")
        place: Any = metadata if isinstance(metadata, dict) and chance.random() < 0.5 else contents
        trail: list[tuple[Contents, str]] = []
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = chance.choice(keys) if keys else None
            inner = None if key is None else place[key]
            if isinstance(place, dict) and isinstance(inner, str) and str(key).startswith("sketchgan."):
                try:
                    inner = json.loads(inner)
                except (ValueError, RecursionError):
                    inner = None
                if isinstance(inner, dict):
                    trail.append((place, key))
            if not isinstance(inner, (dict, list)) or chance.random() < 0.2:
                break
            place = inner
        value = chance.choice(VALUES)
        if isinstance(place, list):
            place[:] = [*place, value] if key is None or chance.random() < 0.3 else [*place[:key], value]
        elif key is not None and chance.random() < 0.2:
            del place[key]
        else:
            place["new" if key is None or chance.random() < 0.2 else key] = value
        if trail and place is not trail[-1][0]:
            trail[-1][0][trail[-1][1]] = json.dumps(place)
