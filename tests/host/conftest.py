"""One ComfyUI for all tests of a session, with small pencils of random weights in its model folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sketchgan_core.pencils.header import Card
from sketchgan_core.pencils.weights import save_pencil
from tests.comfyui import Host, Unavailable, serving
from tests.conftest import draw_lines, random_generator


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    root = tmp_path_factory.mktemp("comfyui")
    fill(root)
    try:
        with serving(root) as running:
            yield running
    except Unavailable as reason:
        pytest.skip(str(reason))


def fill(root: Path) -> None:
    """Gives a host pencils and a drawing."""
    pencils = root / "models" / "sketchgan"
    for name, width in (("small", 8), ("twin", 8), ("wide", 16), ("unet", 8)):
        generator = random_generator("unet" if name == "unet" else "residual", width)
        if name == "twin":
            with torch.no_grad():
                generator.output.bias.sub_(1)  # type: ignore[union-attr, operator]
        save_pencil(
            pencils / f"{name}.safetensors",
            generator,
            Card(f"A {name} pencil", "Anna", "CC0-1.0"),
            controls={"darkness": 0.6},
            dtype=torch.float32,
        )
    (root / "input").mkdir(parents=True, exist_ok=True)
    grey = np.rint(draw_lines(150, 200) * 255).astype(np.uint8)
    Image.fromarray(grey).convert("RGB").save(root / "input" / "drawing.png")
