"""The node that draws."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from comfy_api.latest import io

from .. import sketchgan_core as core
from ..sketchgan_core.choices import PAPERS
from . import host
from .images import to_image
from .pencils import HostPencil, PencilSocket

OUTPUTS = ("input size", "model size")


class Generate(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SketchGANGenerate",
            display_name="Pencil Sketch (SketchGAN)",
            category="SketchGAN",
            description="Draws a line image as a pencil sketch: at its own size, without seams, and the same way again "
            "for the same seed. A batch is drawn frame by frame, with grain and hatching that stand still.",
            inputs=[
                PencilSocket.Input("model", tooltip="The pencil, from Load SketchGAN Model."),
                io.Image.Input("lines", tooltip="Dark lines on white paper, from Extract Lines or drawn by you."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="The take: the same seed draws the same sketch, another one draws it anew.",
                ),
                _control("darkness", 0.5, "How hard the pencil is pressed."),
                _control("roughness", 0.4, "Wobble, restated strokes, overshoot and construction lines."),
                _control("shading", 0.5, "How much of what the lines enclose is hatched; 0 is pure outline."),
                io.Int.Input(
                    "patch_size",
                    default=384,
                    min=64,
                    max=4096,
                    step=8,
                    tooltip="So many pixels of the image are drawn at model_size pixels. "
                    "Twice the model size draws at half the scale, and the pencil is twice as thick.",
                ),
                io.Int.Input(
                    "model_size",
                    default=384,
                    min=64,
                    max=4096,
                    step=8,
                    tooltip="The size a patch is drawn at; equal to patch_size it draws the image at its own size.",
                ),
                io.Int.Input(
                    "tile",
                    default=0,
                    min=0,
                    max=4096,
                    step=8,
                    tooltip="Pixels drawn at once. It changes memory and time, not the picture; 0 chooses what fits.",
                ),
                io.Combo.Input(
                    "paper", options=list(PAPERS), default="cartridge", tooltip="The tooth that breaks the strokes."
                ),
                io.Combo.Input(
                    "output",
                    options=list(OUTPUTS),
                    default="input size",
                    tooltip="The size of the sketch: that of the lines, or the one it was drawn at.",
                ),
                *(
                    io.Mask.Input(
                        f"{name}_map",
                        optional=True,
                        tooltip=f"Where to use how much {name}: full white means the number above, black means none.",
                    )
                    for name in ("darkness", "roughness", "shading")
                ),
            ],
            outputs=[
                io.Image.Output(display_name="sketch", tooltip="Graphite on white."),
                io.Mask.Output(display_name="graphite", tooltip="How much graphite lies where, for Composite."),
            ],
            **host.search_words("pencil", "sketch", "drawing", "hatching", "graphite"),
        )

    @classmethod
    def execute(
        cls,
        model: HostPencil,
        lines: torch.Tensor,
        seed: int,
        darkness: float,
        roughness: float,
        shading: float,
        patch_size: int,
        model_size: int,
        tile: int,
        paper: str,
        output: Any,
        darkness_map: torch.Tensor | None = None,
        roughness_map: torch.Tensor | None = None,
        shading_map: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        batch, height, width, _ = lines.shape
        drawn_at = core.scaled_size(height, width, patch_size, model_size)
        generator = host.load(model.patcher, core.useful_memory(model.patcher.model, *drawn_at))
        sketcher = core.Sketcher(generator)
        size = output.removesuffix(" size")
        sketch = torch.empty(batch, *((height, width) if size == "input" else drawn_at))
        progress = host.Progress(batch)
        for index, frame in enumerate(lines):
            host.cancelled()
            sketch[index] = sketcher(
                frame,
                darkness=_of_frame(index, darkness, darkness_map),
                roughness=_of_frame(index, roughness, roughness_map),
                shading=_of_frame(index, shading, shading_map),
                seed=seed,
                patch_size=patch_size,
                model_size=model_size,
                tile=tile or None,
                paper=paper,
                output=size,
                progress=partial(progress.show, index),
                cancelled=host.cancelled,
            )
        return io.NodeOutput(to_image(sketch), 1 - sketch)


def _control(name: str, default: float, meaning: str) -> io.Float.Input:
    return io.Float.Input(
        name,
        default=default,
        min=0.0,
        max=1.0,
        step=0.01,
        display_mode=io.NumberDisplay.slider,
        tooltip=f"{meaning} 0 is none, 1 a lot.",
    )


def _of_frame(index: int, number: float, maps: torch.Tensor | None) -> Any:
    """The number, or a frame's map times the number; where frames outnumber maps, the maps repeat."""
    if maps is None:
        return number
    maps = maps.reshape(-1, *maps.shape[-2:])
    return (maps[index % len(maps)].clamp(0, 1) * number).cpu().numpy()
