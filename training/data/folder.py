"""Pair folders as they are written: pair by pair, each complete or absent, with a manifest of the complete ones."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sketchgan_core.errors import SketchGANError
from sketchgan_core.files import written_whole

_RECORDS = ".records"  # one JSON file per finished pair, from which the manifest is put together
SETTINGS = "settings"  # no pair may have this name
OWN_HAND = "own hand"  # as `style.brush`: an artist's drawing, which no plan of ours decided


def claim(folder: Path, settings: dict[str, Any], differ: str) -> None:
    """Bind a folder to the settings that all its pairs depend on.

    Raises:
        SketchGANError: it holds pairs of other settings; `differ` names the settings.
    """
    path = _record_path(folder, SETTINGS)
    if not path.exists():
        _write_json(path, settings)
    elif json.loads(path.read_text()) != settings:
        raise SketchGANError(f"{folder}: holds pairs of another {differ}; choose another -o folder")


def write_pair(folder: Path, name: str, line: np.ndarray, sketch: np.ndarray, tone: np.ndarray | None = None) -> None:
    """Write the two images (H, W) uint8 of a pair, and the picture (H, W, 3) uint8 RGB whose tone is drawn, if any."""
    images = {"line": line, "sketch": sketch}
    if tone is not None:
        images["tone"] = cv2.cvtColor(tone, cv2.COLOR_RGB2BGR)
    for kind, image in images.items():
        with written_whole(folder / kind / f"{name}.png") as file:
            file.write(cv2.imencode(".png", image)[1].tobytes())


def write_record(folder: Path, name: str, record: dict[str, Any]) -> None:
    """Say what is known of a pair; last, because a record's presence says that the pair is complete."""
    _write_json(_record_path(folder, name), record)


def read_record(folder: Path, name: str) -> dict[str, Any] | None:
    """What is known of a pair, or None if it has not been finished."""
    path = _record_path(folder, name)
    return json.loads(path.read_text()) if path.exists() else None


def records(folder: Path) -> dict[str, dict[str, Any]]:
    """Every record by its pair's name, in the order of the names."""
    paths = sorted((folder / _RECORDS).glob("*.json"))
    return {path.stem: json.loads(path.read_text()) for path in paths if path.stem != SETTINGS}


def write_manifest(folder: Path, entries: Iterable[dict[str, Any]]) -> None:
    """Write `manifest.jsonl`, one entry a line; see docs/design.md, "Pairs"."""
    text = "".join(f"{json.dumps(entry, sort_keys=True)}\n" for entry in entries)
    with written_whole(folder / "manifest.jsonl") as file:
        file.write(text.encode())


def _record_path(folder: Path, name: str) -> Path:
    return folder / _RECORDS / f"{name}.json"


def _write_json(path: Path, value: Any) -> None:
    with written_whole(path) as file:
        file.write(json.dumps(value).encode())
