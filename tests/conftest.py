"""A small drawing, and a small pencil with random weights that still draws something."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from sketchgan_core.generators.base import LoadGenerator
from sketchgan_core.generators.config import GeneratorConfig
from sketchgan_core.generators.registry import build_generator
from sketchgan_core.pencils.header import Card
from sketchgan_core.pencils.weights import save_pencil

torch.set_num_threads(1)
cv2.setNumThreads(1)


def draw_lines(height: int, width: int) -> np.ndarray:
    """A clean drawing (H, W), 0..1: closed and open lines, near and on the edges, and an empty right quarter."""
    lines = np.ones((height, width), np.float32)
    for radius in (6, 4, 3):
        cv2.circle(lines, (width // 3, height // 2), min(height, width) // radius, 0, 3, cv2.LINE_AA)
    cv2.line(lines, (0, 0), (width * 2 // 3, height - 1), 0.2, 2, cv2.LINE_AA)
    cv2.rectangle(lines, (2, height * 2 // 3), (width // 2, height - 1), 0, 2)
    return lines


def random_generator(architecture: str = "residual", width: int = 8, blocks: int = 1) -> LoadGenerator:
    """A generator whose output, though untrained, is strong enough to show in a sketch."""
    torch.manual_seed(0)
    generator = build_generator(GeneratorConfig(architecture, width, blocks))
    assert isinstance(generator, LoadGenerator)
    with torch.no_grad():
        generator.output.weight.mul_(10)  # type: ignore[union-attr, operator]
    return generator.eval()


@pytest.fixture(scope="session")
def drawing() -> np.ndarray:
    return draw_lines(150, 200)


@pytest.fixture
def pencil(tmp_path: Path) -> Path:
    path = tmp_path / "weights" / "test.safetensors"
    save_pencil(path, random_generator(), Card("Test", "Anna", "CC0-1.0"), dtype=torch.float32)
    return path
