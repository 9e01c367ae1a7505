"""The nodes that blend, save and describe pencils."""

from __future__ import annotations

import json
import logging
from dataclasses import replace

import torch
from comfy_api.latest import io, ui

from .. import sketchgan_core as core
from . import host
from .images import frames, to_colours
from .pencils import HostPencil, PencilSocket

_log = logging.getLogger(__name__)


class MergeModels(io.ComfyNode):
    @classmethod
    @host.lenient
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SketchGANMergeModels",
            display_name="Merge Pencils",
            category="SketchGAN",
            description="Blends two pencils of the same architecture and size into a third.",
            inputs=[
                PencilSocket.Input("model_a", tooltip="The pencil at ratio 0."),
                PencilSocket.Input("model_b", tooltip="The pencil at ratio 1."),
                io.Float.Input(
                    "ratio",
                    default=0.5,
                    min=0.0,
                    max=1.0,
                    step=0.01,
                    display_mode=io.NumberDisplay.slider,
                    tooltip="0 is model_a, 1 is model_b.",
                ),
            ],
            outputs=[PencilSocket.Output(display_name="model", tooltip="The blend.")],
            **host.search_words("sketchgan model", "blend pencils", "mix pencils"),
        )

    @classmethod
    def execute(cls, model_a: HostPencil, model_b: HostPencil, ratio: float = 0.5) -> io.NodeOutput:
        generator = core.merge_generators(model_a.generator, model_b.generator, ratio)
        first, second = model_a.card, model_b.card
        card = core.Card(
            title=f"{first.title} + {second.title}",
            author=_both(first.author, second.author, ", "),
            license=_both(first.license, second.license, " AND "),
            description=f"{1 - ratio:.0%} {first.title}, {ratio:.0%} {second.title}",
        )
        training = {"merged": [first.title, second.title], "ratio": ratio}
        return io.NodeOutput(HostPencil.of(generator, card, model_a.controls, training))


class SaveModel(io.ComfyNode):
    @classmethod
    @host.lenient
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SketchGANSaveModel",
            display_name="Save Pencil",
            category="SketchGAN",
            description="Saves a pencil with its card as one .safetensors file in the output folder; never overwrites. "
            "What is saved under sketchgan/ is listed by Load Pencil.",
            inputs=[
                PencilSocket.Input("model", tooltip="The pencil to save."),
                io.String.Input(
                    "filename_prefix",
                    default="sketchgan/pencil",
                    tooltip="Folder and beginning of the name, below the output folder; a number is added.",
                ),
                io.String.Input("title", default="", tooltip="Empty keeps the title it has."),
                io.String.Input("author", default="", tooltip="Empty keeps the author it has."),
                io.String.Input("licence", default="", tooltip="Such as CC-BY-4.0; empty keeps the licence it has."),
                io.String.Input(
                    "notes",
                    default="",
                    multiline=True,
                    tooltip="What it draws well, what it was trained on; empty keeps the notes it has.",
                ),
                io.Image.Input(
                    "thumbnail", optional=True, tooltip="A picture to know it by, stored small in the file."
                ),
            ],
            outputs=[],
            is_output_node=True,
            **host.search_words("sketchgan model", "export pencil", "share pencil"),
        )

    @classmethod
    def execute(
        cls,
        model: HostPencil,
        filename_prefix: str = "sketchgan/pencil",
        title: str = "",
        author: str = "",
        licence: str = "",
        notes: str = "",
        thumbnail: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        given = {"title": title, "author": author, "license": licence, "description": notes}
        if thumbnail is not None:
            picture = frames(thumbnail, "thumbnail")[0]
            given["thumbnail"] = core.thumbnail_url(to_colours(picture, *picture.shape[:2]))
        # Saved now, so dated now.
        card = replace(model.card, date="", **{key: text for key, text in given.items() if text})
        path = host.new_output_file(filename_prefix, ".safetensors")
        core.save_pencil(path, model.generator, card, controls=model.controls, training=model.training)
        _log.info("SketchGAN: saved %s", path)
        return io.NodeOutput(ui=ui.PreviewText(str(path)))


class ModelInfo(io.ComfyNode):
    @classmethod
    @host.lenient
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SketchGANModelInfo",
            display_name="Pencil Card",
            category="SketchGAN",
            description="Shows a pencil's card: who made it, under which licence, and what for.",
            inputs=[PencilSocket.Input("model", tooltip="The pencil to describe.")],
            outputs=[io.String.Output(display_name="card", tooltip="The card as text, one fact a line.")],
            is_output_node=True,
            **host.search_words("sketchgan model info", "metadata", "licence"),
        )

    @classmethod
    def execute(cls, model: HostPencil) -> io.NodeOutput:
        card = model.describe()
        facts = {key: value for key, value in card.items() if value and key != "thumbnail"}
        text = "\n".join(f"{key}: {_plain(value)}" for key, value in facts.items())
        # web/extension/pencil_card.js reads this.
        return io.NodeOutput(text, ui={"card": [json.dumps(card)]})


def _both(first: str, second: str, between: str) -> str:
    return between.join(dict.fromkeys(text for text in (first, second) if text))


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
