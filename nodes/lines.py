"""The node that makes lines of any picture."""

from __future__ import annotations

from typing import Any

import torch
from comfy_api.latest import io, ui

from .. import sketchgan_core as core
from ..sketchgan_core.choices import MODES
from ..sketchgan_core.lines.settings import POLARITIES
from . import host
from .images import to_image


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
                _share(
                    "detail",
                    "photo: how fine a structure becomes a line. drawing: how thin a stroke still counts.",
                ),
                _share("threshold", "How firm an edge of a photo, or how dark a stroke of a drawing, must be."),
                io.Float.Input(
                    "thickness",
                    default=0.0,
                    min=-8.0,
                    max=8.0,
                    step=0.25,
                    tooltip="Pixels added to the width of every line; negative makes lines thinner, 0 leaves them.",
                ),
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
        batch, height, width, _ = image.shape
        chosen = core.LineSettings(**settings)
        ink = torch.empty(batch, height, width)
        progress = host.Progress(batch)
        first = None
        for index, frame in enumerate(image):
            host.cancelled()
            # What is judged by a picture is judged once for all frames, or an animation would flicker.
            prepared = core.prepare_lines(core.to_pixels(frame), mode, chosen, like=first, device=host.device())
            first = first or prepared
            ink[index] = 1 - torch.from_numpy(prepared.lines)
            progress.show(index, 1, 1)
        said = "" if first is None else f"{first.mode}: {first.reason}"
        # Shown by web/extension/reading.js.
        return io.NodeOutput(to_image(1 - ink), ink, ui=ui.PreviewText(said))


def _rarely_used() -> list[io.Input]:
    return [
        io.Float.Input(
            "uniform_width",
            default=0.0,
            min=0.0,
            max=16.0,
            step=0.25,
            tooltip="Strokes every line anew from its middle, this many pixels wide; 0 leaves each its width.",
        ),
        _share(
            "smoothing",
            "photo: how far strokes are smoothed along their flow. drawing: how much noise is averaged out.",
        ),
        _length(
            "specks",
            6.0,
            1000.0,
            1.0,
            "Spots of less ink than this are removed, in square pixels of a 1024 pixel picture; 0 keeps all.",
        ),
        _length(
            "minimum_length",
            0.0,
            256.0,
            1.0,
            "Strokes shorter than this are removed, in pixels of a 1024 pixel picture; 0 keeps all.",
        ),
        _length(
            "close_gaps",
            0.0,
            32.0,
            0.5,
            "Bridges gaps up to this where two strokes end towards each other, in pixels of a 1024 pixel "
            "picture; 0 bridges none.",
        ),
        io.Combo.Input(
            "polarity",
            options=list(POLARITIES),
            default="auto",
            tooltip="dark: the lines are darker than their ground. light: they are lighter, as on a "
            "blackboard. auto: judges by the first picture of the batch.",
        ),
        io.Int.Input(
            "classic_scale",
            default=2,
            min=1,
            max=4,
            tooltip="classic: how many times it enlarges the picture first. The other modes do not use it.",
        ),
    ]


def _share(name: str, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=0.5, min=0.0, max=1.0, step=0.05, tooltip=tooltip)


def _length(name: str, default: float, most: float, step: float, tooltip: str) -> io.Float.Input:
    return io.Float.Input(name, default=default, min=0.0, max=most, step=step, tooltip=tooltip)
