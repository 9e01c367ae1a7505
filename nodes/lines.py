"""The node that makes lines of any picture."""

from __future__ import annotations

import logging
from typing import Any

import torch
from comfy_api.latest import io

from .. import sketchgan_core as core
from ..sketchgan_core.choices import MODES
from . import host
from .images import to_image

_log = logging.getLogger(__name__)


class ExtractLines(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SketchGANExtractLines",
            display_name="Extract Lines (SketchGAN)",
            category="SketchGAN",
            description="Makes dark lines on white paper out of a drawing, a scan of one, or a photograph.",
            inputs=[
                io.Image.Input("image", tooltip="One picture or a batch; transparency is laid on white."),
                io.Combo.Input(
                    "mode",
                    options=list(MODES),
                    default="auto",
                    tooltip="auto: chooses by the first picture of the batch, and says what in the log. "
                    "drawing: cleans a drawing or a scan, also white on black. photo: finds the outlines. "
                    "classic: the extractor of the original SketchAI. none: takes the picture as it is.",
                ),
                io.Float.Input(
                    "thickness",
                    default=0.0,
                    min=-8.0,
                    max=8.0,
                    step=0.25,
                    tooltip="Pixels added to the width of every line; negative makes lines thinner, 0 leaves them.",
                ),
            ],
            outputs=[
                io.Image.Output(display_name="lines", tooltip="Dark lines on white."),
                io.Mask.Output(display_name="mask", tooltip="The ink: 1 on a line, 0 on paper."),
            ],
            **host.search_words("line art", "lineart", "edge", "preprocessor", "sketch"),
        )

    @classmethod
    def execute(cls, image: torch.Tensor, mode: Any, thickness: float) -> io.NodeOutput:
        batch, height, width, _ = image.shape
        ink = torch.empty(batch, height, width)
        progress = host.Progress(batch)
        for index, frame in enumerate(image):
            host.cancelled()
            prepared = core.prepare_lines(core.to_pixels(frame), mode, core.LineSettings(thickness=thickness))
            if mode == "auto":
                _log.info("SketchGAN: lines: %s, %s", prepared.mode, prepared.reason)
                # One choice for all frames, or an animation would flicker.
                mode = prepared.mode
            ink[index] = 1 - torch.from_numpy(prepared.lines)
            progress.show(index, 1, 1)
        return io.NodeOutput(to_image(1 - ink), ink)
