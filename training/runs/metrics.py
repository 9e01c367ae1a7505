"""metrics.jsonl: the curves of a run, one JSON object per moment with `crops`, `seconds` and what was measured."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sketchgan_core.files import written_whole

FILE = "metrics.jsonl"


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Every entry, in order; a line that a crash cut short, or that is not an entry, is left out."""
    file = run / FILE
    entries = []
    for line in file.read_bytes().splitlines() if file.is_file() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("crops"), int):
            entries.append(entry)
    return entries


def append(run: Path, crops: int, seconds: float, scalars: Mapping[str, float]) -> None:
    """Add what was measured at `crops`; values that are not finite are left out."""
    measured = {name: float(f"{value:.5g}") for name, value in scalars.items() if math.isfinite(value)}
    with (run / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"crops": crops, "seconds": round(seconds, 1), **measured}) + "\n")


def forget_after(run: Path, crops: int) -> list[dict[str, Any]]:
    """Drop what was measured later than `crops`, for it will be measured again; returns the rest."""
    entries = [entry for entry in read_metrics(run) if entry["crops"] <= crops]
    if (run / FILE).is_file():
        with written_whole(run / FILE) as file:
            file.write("".join(json.dumps(entry) + "\n" for entry in entries).encode())
    return entries


def curve(entries: list[dict[str, Any]], name: str) -> list[tuple[float, float]]:
    """(crops, value) wherever `name` was measured."""
    return [(entry["crops"], entry[name]) for entry in entries if name in entry]
