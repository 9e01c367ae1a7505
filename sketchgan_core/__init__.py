"""Line drawings to pencil sketches with a small GAN.

`Sketcher.load("default")(image, seed=7)` is all that most callers need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .config import GeneratorConfig
    from .controls import Controls
    from .errors import Cancelled, SketchGANError
    from .header import Card, Header, list_pencils, read_header
    from .images import read_image, to_lines, write_image
    from .lines import prepare_lines
    from .sketcher import Sketcher
    from .tiling import sketch_tiled
    from .weights import load_pencil, save_pencil

_HOMES = {
    "Cancelled": "errors",
    "Card": "header",
    "Controls": "controls",
    "GeneratorConfig": "config",
    "Header": "header",
    "SketchGANError": "errors",
    "Sketcher": "sketcher",
    "list_pencils": "header",
    "load_pencil": "weights",
    "prepare_lines": "lines",
    "read_header": "header",
    "read_image": "images",
    "save_pencil": "weights",
    "sketch_tiled": "tiling",
    "to_lines": "images",
    "write_image": "images",
}

__all__ = [
    "Cancelled",
    "Card",
    "Controls",
    "GeneratorConfig",
    "Header",
    "SketchGANError",
    "Sketcher",
    "list_pencils",
    "load_pencil",
    "prepare_lines",
    "read_header",
    "read_image",
    "save_pencil",
    "sketch_tiled",
    "to_lines",
    "write_image",
]


def __getattr__(name: str) -> Any:
    # Torch and OpenCV take seconds to import: a host that only lists its nodes must not wait for them.
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
