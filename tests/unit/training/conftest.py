"""Tiny pairs, drawn with OpenCV: an outline and its grainy copy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

NAMES = ("ape", "bee", "cat", "dog")


def _draw(lines: Path, sketches: Path, names: tuple[str, ...] = NAMES, size: int = 128) -> None:
    """One pair per name, (size, size + 8) px."""
    rng = np.random.default_rng(0)
    lines.mkdir(parents=True, exist_ok=True)
    sketches.mkdir(parents=True, exist_ok=True)
    for name in names:
        line = np.full((size, size + 8), 255, np.uint8)
        for _ in range(6):
            cv2.circle(
                line, tuple(map(int, rng.integers(10, size - 10, 2))), int(rng.integers(8, 30)), 0, 2, cv2.LINE_AA
            )
        sketch = 255 - (255 - line) * rng.uniform(0.3, 0.9, line.shape)
        cv2.imwrite(str(lines / f"{name}.png"), line)
        cv2.imwrite(str(sketches / f"{name}.png"), sketch.astype(np.uint8))


def _write_manifest(folder: Path, names: tuple[str, ...] = NAMES) -> None:
    """Two pairs to a drawing, each with controls of its own."""
    entries = (
        {
            "name": name, "source": "drawn", "drawing": f"drawing-{number // 2}", "licence": "CC0-1.0", "seed": number,
            "controls": {"darkness": 0.6, "roughness": 0.2, "shading": 0.1 * number}, "style": {"paper": "rough"},
        }
        for number, name in enumerate(names)
    )  # fmt: skip
    (folder / "manifest.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


def _add_tone(folder: Path, name: str) -> None:
    """Give a pair of a pair folder a picture, as if its sketch showed the light of it."""
    height, width = cv2.imread(str(folder / "line" / f"{name}.png"), cv2.IMREAD_GRAYSCALE).shape
    slope = np.linspace(20, 235, width, dtype=np.float32)[None].repeat(height, 0)
    (folder / "tone").mkdir(exist_ok=True)
    cv2.imwrite(str(folder / "tone" / f"{name}.png"), np.dstack([slope, 0.9 * slope, 0.7 * slope]).astype(np.uint8))
    entries = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    for entry in entries:
        if entry["name"] == name:
            entry["style"]["tone"] = True
    (folder / "manifest.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in entries))


@pytest.fixture
def add_tone() -> Callable[[Path, str], None]:
    return _add_tone


@pytest.fixture
def draw_pairs() -> Callable[..., None]:
    return _draw


@pytest.fixture(scope="module")
def shared_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `pair_folder`, for tests that leave it as it is."""
    return _pair_folder(tmp_path_factory.mktemp("shared") / "pairs")


@pytest.fixture
def pair_folder(tmp_path: Path) -> Path:
    """Four pairs of two drawings, with a manifest."""
    return _pair_folder(tmp_path / "pairs")


def _pair_folder(folder: Path) -> Path:
    _draw(folder / "line", folder / "sketch")
    _write_manifest(folder)
    return folder
