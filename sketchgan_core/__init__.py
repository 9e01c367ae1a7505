"""Line drawings to pencil sketches with a small GAN.

`Sketcher.load("default")(image, seed=7)` is all that most callers need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .errors import Cancelled, SketchGANError
    from .generators.config import GeneratorConfig
    from .generators.merge import merge_generators
    from .images import read_image, thumbnail_url, to_lines, to_pixels, write_image
    from .lines.prepare import prepare_lines
    from .lines.settings import LineSettings
    from .materials.composite import Sheet, lay_on_paper, parse_colour
    from .pencils.header import Card, Header, list_pencils, read_header
    from .pencils.weights import load_pencil, save_pencil
    from .planning.controls import Controls
    from .sketcher import Medium, Sketcher, Subject, is_film, scaled_size
    from .tiling import draw_tiled, useful_memory

_HOMES = {
    "Cancelled": "errors",
    "Card": "pencils.header",
    "Controls": "planning.controls",
    "GeneratorConfig": "generators.config",
    "Header": "pencils.header",
    "LineSettings": "lines.settings",
    "Medium": "sketcher",
    "Sheet": "materials.composite",
    "SketchGANError": "errors",
    "Sketcher": "sketcher",
    "Subject": "sketcher",
    "lay_on_paper": "materials.composite",
    "list_pencils": "pencils.header",
    "load_pencil": "pencils.weights",
    "merge_generators": "generators.merge",
    "parse_colour": "materials.composite",
    "prepare_lines": "lines.prepare",
    "read_header": "pencils.header",
    "read_image": "images",
    "save_pencil": "pencils.weights",
    "is_film": "sketcher",
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
    "Medium",
    "Sheet",
    "SketchGANError",
    "Sketcher",
    "Subject",
    "draw_tiled",
    "is_film",
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
