"""Line drawings to pencil sketches with a small GAN.

`Sketcher.load("default")(image, seed=7)` is all that most callers need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .composite import Sheet, lay_on_paper, parse_colour
    from .config import GeneratorConfig
    from .controls import Controls
    from .errors import Cancelled, SketchGANError
    from .header import Card, Header, list_pencils, read_header
    from .images import read_image, thumbnail_url, to_lines, to_pixels, write_image
    from .line_settings import LineSettings
    from .lines import prepare_lines
    from .merge import merge_generators
    from .sketcher import Sketcher, Subject, scaled_size
    from .tiling import draw_tiled, useful_memory
    from .weights import load_pencil, save_pencil

_HOMES = {
    "Cancelled": "errors",
    "Card": "header",
    "Controls": "controls",
    "GeneratorConfig": "config",
    "Header": "header",
    "LineSettings": "line_settings",
    "Sheet": "composite",
    "SketchGANError": "errors",
    "Sketcher": "sketcher",
    "Subject": "sketcher",
    "lay_on_paper": "composite",
    "list_pencils": "header",
    "load_pencil": "weights",
    "merge_generators": "merge",
    "parse_colour": "composite",
    "prepare_lines": "lines",
    "read_header": "header",
    "read_image": "images",
    "save_pencil": "weights",
    "scaled_size": "sketcher",
    "draw_tiled": "tiling",
    "thumbnail_url": "images",
    "to_lines": "images",
    "to_pixels": "images",
    "useful_memory": "tiling",
    "write_image": "images",
}

__all__ = [
    "Cancelled",
    "Card",
    "Controls",
    "GeneratorConfig",
    "Header",
    "LineSettings",
    "Sheet",
    "SketchGANError",
    "Sketcher",
    "Subject",
    "draw_tiled",
    "lay_on_paper",
    "list_pencils",
    "load_pencil",
    "merge_generators",
    "parse_colour",
    "prepare_lines",
    "read_header",
    "read_image",
    "save_pencil",
    "scaled_size",
    "thumbnail_url",
    "to_lines",
    "to_pixels",
    "useful_memory",
    "write_image",
]


def __getattr__(name: str) -> Any:
    # Torch and OpenCV take seconds to import: a host that only lists its nodes must not wait for them.
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
