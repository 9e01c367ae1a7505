"""The node that extracts lines from any picture."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui

from .. import sketchgan_core as core
from ..sketchgan_core.choices import MODES
from ..sketchgan_core.lines.settings import POLARITIES, RULES, SETTINGS
from . import host
from .images import frames, to_image


class ExtractLines(io.ComfyNode):
    @classmethod
    @host.lenient
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SketchGANExtractLines",
            display_name="Extract Lines",
            category="SketchGAN",
            description="Makes dark lines on white paper out of a drawing, a scan of one, or a photograph, to be seen "
            "and changed before they are drawn. Pencil Sketch makes its own without this node.",
            inputs=[
                io.Image.Input("image", tooltip="One picture or a batch; transparency is laid on white."),
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="auto",
                    tooltip="auto: chooses by the first picture of the batch, and says below what. "
                    "drawing: cleans a drawing or a scan, also white on black. photo: finds the outlines. "
                    "classic: the extractor of the original SketchAI. none: takes the picture as it is.",
                ),
                *map(_number, ("detail", "threshold", "thickness")),
                *map(host.folded, _rarely_used()),
            ],
            outputs=[
                io.Image.Output(display_name="lines", tooltip="Dark lines on white."),
                io.Mask.Output(display_name="mask", tooltip="The ink: 1 on a line, 0 on paper."),
            ],
            **host.search_words(
                "controlnet lineart", "edge", "line art", "lineart", "preprocessor", "outline", "canny", "hed"
            ),
        )

    @classmethod
    def execute(cls, image: torch.Tensor, mode: Any = "auto", **settings: Any) -> io.NodeOutput:
        image = frames(image, "image")
        batch, height, width, _ = image.shape
        chosen = core.LineSettings(**settings)
        ink = torch.empty(batch, height, width)
        progress = host.Progress(batch)
        first = None
        for index, frame in enumerate(image):
            host.cancelled()
            # Whatever is decided from a picture is decided once, for all frames, or an animation would flicker.
            prepared = core.prepare_lines(core.to_pixels(frame), mode, chosen, like=first, device=host.device())
            first = first or prepared
            ink[index] = 1 - torch.from_numpy(prepared.lines)
            progress.show(index, 1, 1)
        said = "" if first is None else f"{first.mode}: {first.reason}"
        # Shown by web/extension/reading.js.
        return io.NodeOutput(to_image(1 - ink), ink, ui=ui.PreviewText(said))


def _rarely_used() -> list[io.Input]:
    return [
        *map(_number, ("uniform_width", "smoothing", "specks", "minimum_length", "close_gaps")),
        io.Combo.Input(
            "polarity",
            options=list(POLARITIES),
            default="auto",
            tooltip="dark: the lines are darker than their ground. light: they are lighter, as on a "
            "blackboard. auto: judges by the first picture of the batch.",
        ),
        _number("classic_scale"),
        io.Combo.Input(
            "rules",
            options=list(RULES),
            default="remove",
            tooltip="drawing: whether the printed rules and squares of the paper, and the desk around it, "
            "are left out.",
        ),
    ]


def _number(name: str) -> io.Input:
    """The widget of a setting."""
    setting, default = SETTINGS[name], getattr(core.LineSettings, name)
    low, high = map(type(default), setting.shown)
    if isinstance(default, int):
        return io.Int.Input(name, default=default, min=low, max=high, tooltip=setting.says)
    return io.Float.Input(name, default=default, min=low, max=high, step=float(setting.step), tooltip=setting.says)
