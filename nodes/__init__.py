"""The nodes, as ComfyUI asks for them."""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from . import host, pencils
from .compare import Compare
from .composite import Composite
from .generate import Generate
from .lines import ExtractLines
from .load import LoadModel
from .models import MergeModels, ModelInfo, SaveModel

host.register_model_folder()
host.answer("/sketchgan/pencil", pencils.describe)


class SketchGAN(ComfyExtension):
    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [LoadModel, ExtractLines, Generate, Composite, Compare, MergeModels, SaveModel, ModelInfo]
