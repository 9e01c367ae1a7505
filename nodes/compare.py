"""The node that shows two pictures under one slider."""

from __future__ import annotations

import torch
from comfy_api.latest import io, ui

from . import host
from .images import frames


class Compare(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SketchGANCompare",
            display_name="Compare",
            category="SketchGAN",
            description="Shows two pictures in one place, with a slider between them.",
            inputs=[
                io.Image.Input("before", tooltip="Left of the slider; one picture or a batch."),
                io.Image.Input("after", tooltip="Right of the slider; one picture or a batch."),
            ],
            outputs=[],
            is_output_node=True,
            **host.search_words("before after", "slider", "difference"),
        )

    @classmethod
    def execute(cls, before: torch.Tensor, after: torch.Tensor) -> io.NodeOutput:
        # web/extension/compare.js reads these.
        shown = {"before_images": _shown(before, "before"), "after_images": _shown(after, "after")}
        return io.NodeOutput(
            ui={key: ui.PreviewImage(images, cls=cls).as_dict()["images"] for key, images in shown.items()}
        )


def _shown(image: torch.Tensor, name: str) -> torch.Tensor:
    """What the host's preview takes: no picture of one channel, and no NaN, which shows as black."""
    image = frames(image, name).nan_to_num()
    return image.expand(-1, -1, -1, 3) if image.shape[-1] == 1 else image
