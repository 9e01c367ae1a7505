"""The node that takes a pencil out of the box."""

from __future__ import annotations

from comfy_api.latest import io

from .. import sketchgan_core as core
from . import host, pencils


class LoadModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="SketchGANLoadModel",
            display_name="Load Pencil",
            category="SketchGAN",
            description="Loads a pencil: a small trained generator that turns lines into pencil strokes.",
            inputs=[
                io.Combo.Input(
                    "pencil",
                    options=pencils.names(),
                    tooltip="The bundled pencil, or a .safetensors file of yours in models/sketchgan.",
                ),
            ],
            outputs=[pencils.PencilSocket.Output(display_name="model", tooltip="The pencil, for the sketch node.")],
            **host.search_words("sketchgan model", "pencil model"),
        )

    @classmethod
    def validate_inputs(cls, pencil: str) -> bool | str:
        # Replaces the host's check, which says that a pencil is not in the list, but not why.
        try:
            pencils.find(pencil)
        except core.SketchGANError as error:
            return str(error)
        return True

    @classmethod
    def fingerprint_inputs(cls, pencil: str) -> tuple[int, int]:
        return pencils.fingerprint(pencils.find(pencil).path)

    @classmethod
    def execute(cls, pencil: str) -> io.NodeOutput:
        return io.NodeOutput(pencils.load(pencil))
