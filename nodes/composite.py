"""The node that lays a sketch on paper."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from .. import sketchgan_core as core
from ..sketchgan_core.choices import PAPER, PAPERS
from . import host
from .images import frames, masks, to_colours


class Composite(io.ComfyNode):
    @classmethod
    @host.lenient
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SketchGANComposite",
            display_name="Sketch on Paper",
            category="SketchGAN",
            description="Lays graphite on toned paper, over an image in coloured pencil if one is connected, "
            "or gives it out transparent.",
            inputs=[
                io.Mask.Input("graphite", tooltip="From Pencil Sketch."),
                io.Combo.Input(
                    "paper",
                    options=list(PAPERS),
                    default=PAPER,
                    tooltip="As in Pencil Sketch, so that the grain lies on the tooth.",
                ),
                _colour("paper_color", "#f4efe4", "The paper, as #rrggbb."),
                _unit("tooth", 0.4, "How plainly light shows the relief of the paper."),
                _colour("graphite_color", "#26262b", "Full graphite, as #rrggbb."),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="Which piece of paper; use the seed of the sketch.",
                ),
                io.Boolean.Input("transparent", default=False, tooltip="No paper: an image with alpha, RGBA."),
                io.Image.Input(
                    "image",
                    optional=True,
                    tooltip="Drawn with coloured pencils under the graphite; brought to the sketch's size.",
                ),
                _unit("image_strength", 0.7, "How hard the coloured pencils are pressed.", optional=True),
            ],
            outputs=[
                io.Image.Output(display_name="image", tooltip="The sketch on its paper."),
                io.Mask.Output(display_name="mask", tooltip="1 where graphite or pigment covers the paper."),
            ],
            **host.search_words(
                "toned paper", "paper texture", "coloured pencil", "colored pencil", "sepia", "transparent"
            ),
        )

    @classmethod
    def execute(
        cls,
        graphite: torch.Tensor,
        paper: str = PAPER,
        paper_color: str = "#f4efe4",
        tooth: float = 0.4,
        graphite_color: str = "#26262b",
        seed: int = 0,
        transparent: bool = False,
        image: torch.Tensor | None = None,
        image_strength: float = 0.7,
    ) -> io.NodeOutput:
        sheet = core.Sheet(paper, seed, core.parse_colour(paper_color), tooth, transparent)
        graphite_colour = core.parse_colour(graphite_color)
        graphite = masks(graphite, "graphite")
        image = None if image is None else frames(image, "image")
        batch, height, width = graphite.shape
        pictures = torch.empty(batch, height, width, 4 if transparent else 3)
        covers = torch.empty(batch, height, width)
        progress = host.Progress(batch)
        for index, frame in enumerate(graphite):
            host.cancelled()
            colours = None if image is None else to_colours(image[index % len(image)], height, width)
            picture, cover = core.lay_on_paper(frame.cpu().numpy(), sheet, graphite_colour, colours, image_strength)
            pictures[index], covers[index] = torch.from_numpy(picture), torch.from_numpy(cover)
            progress.show(index, 1, 1)
        return io.NodeOutput(pictures, covers)


def _colour(name: str, default: str, tooltip: str) -> io.Input:
    """A colour as #rrggbb: picked where the host has a picker, typed where it has none."""
    kind = io.Color if hasattr(io, "Color") else io.String
    return kind.Input(name, default=default, tooltip=tooltip)


def _unit(name: str, default: float, meaning: str, optional: bool = False) -> io.Float.Input:
    return io.Float.Input(
        name,
        default=default,
        min=0.0,
        max=1.0,
        step=0.01,
        display_mode=io.NumberDisplay.slider,
        tooltip=f"{meaning} 0 is none, 1 a lot.",
        optional=optional,
    )
