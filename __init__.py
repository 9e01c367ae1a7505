"""SketchGAN for ComfyUI: the host's entry point."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .nodes import SketchGAN

WEB_DIRECTORY = "web/extension"

__all__ = ["WEB_DIRECTORY", "comfy_entrypoint"]


async def comfy_entrypoint() -> SketchGAN:
    """Called by ComfyUI, which alone can import the nodes."""
    from .nodes import SketchGAN

    return SketchGAN()
