"""All that the nodes need from ComfyUI besides its schema; no other module imports comfy, folder_paths or server."""

from __future__ import annotations

import inspect
import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import comfy.utils
import folder_paths
import torch
from aiohttp import web
from comfy import model_management
from comfy.cli_args import args
from comfy.model_patcher import ModelPatcher
from comfy_api.latest import io
from PIL import Image
from server import PromptServer

if TYPE_CHECKING:
    from ..sketchgan_core.generators.registry import Generator

FOLDER = "sketchgan"  # in models/, and in output/ for what the save node writes
PREVIEW_SIZE = 512
PREVIEW_SECONDS = 0.25


def register_model_folder() -> None:
    """Registers models/sketchgan, in addition to what extra_model_paths.yaml says about it."""
    folders, _ = folder_paths.folder_names_and_paths.get(FOLDER, ([], set()))
    places = [os.path.join(folder_paths.models_dir, FOLDER), os.path.join(folder_paths.get_output_directory(), FOLDER)]
    folders += [place for place in places if place not in folders]
    # Set directly: the host's own function would leave the suffixes empty, and every file would be listed.
    folder_paths.folder_names_and_paths[FOLDER] = (folders, {".safetensors"})
    os.makedirs(places[0], exist_ok=True)


def model_files() -> dict[str, Path]:
    """The weights files in the host's model folders, by the name the host shows."""
    paths = ((name, folder_paths.get_full_path(FOLDER, name)) for name in folder_paths.get_filename_list(FOLDER))
    return {name: Path(path) for name, path in paths if path is not None}


def new_output_file(prefix: str, suffix: str) -> Path:
    """A path in the output folder that does not exist yet, by the host's rules for prefixes."""
    folder, name, counter, _, _ = folder_paths.get_save_image_path(prefix, folder_paths.get_output_directory())
    return Path(folder, f"{name}_{counter:05}_{suffix}")


def managed(generator: Generator) -> ModelPatcher:
    """A generator under the host's model management, in the dtype that suits its device."""
    device = model_management.get_torch_device()
    generator = generator.to(_compute_dtype(device)).to(memory_format=torch.channels_last)
    return ModelPatcher(generator, load_device=device, offload_device=model_management.unet_offload_device())


def _compute_dtype(device: torch.device) -> torch.dtype:
    if device.type == "cpu" and not (args.force_fp32 or args.fp32_vae):
        # The host assumes that 16 bits are slow on any CPU; one with instructions for them is three times as fast.
        from ..sketchgan_core.devices import choose_dtype

        return choose_dtype(device)
    dtype: torch.dtype = model_management.vae_dtype(device, [torch.bfloat16, torch.float16])
    return dtype


def device() -> str:
    """The device the host computes on."""
    return str(model_management.get_torch_device())


def load(patcher: ModelPatcher, memory: int = 0) -> Generator:
    """Brings a generator to its device, with room for `memory` bytes beside it."""
    model_management.load_models_gpu([patcher], memory_required=memory, force_full_load=True)
    generator: Generator = patcher.model
    return generator


def cancelled() -> bool:
    """Raises the host's exception if the user has cancelled; otherwise false."""
    model_management.throw_exception_if_processing_interrupted()
    return False


class Progress:
    """The running node's progress bar over a number of frames, with a preview of the growing picture."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._bar = comfy.utils.ProgressBar(frames)
        self._previewed = 0.0

    def show(self, frame: int, done: int, total: int, picture: torch.Tensor | None = None) -> None:
        """Shows that `done` of `total` parts of a frame are finished; the picture is (1, H, W) in 0..1."""
        preview = None
        # The last preview stays in the node, so it is never skipped; the blank sheet before the first tile always is.
        due = done == total or (done > 0 and time.monotonic() - self._previewed > PREVIEW_SECONDS)
        if picture is not None and due:
            preview = ("JPEG", _small_image(picture), PREVIEW_SIZE)
            self._previewed = time.monotonic()
        self._bar.update_absolute(frame * total + done, self._frames * total, preview)


def _small_image(picture: torch.Tensor) -> Image.Image:
    shrink = min(1.0, PREVIEW_SIZE / max(picture.shape[-2:]))
    if shrink < 1:
        size = [max(1, round(length * shrink)) for length in picture.shape[-2:]]
        picture = torch.nn.functional.interpolate(picture[None], size, mode="area")[0]
    return Image.fromarray((picture[0] * 255).byte().cpu().numpy())


def search_words(*words: str) -> dict[str, list[str]]:
    """More names of a node for the search box, as a keyword of the schema if the host knows it."""
    return {"search_aliases": list(words)} if "search_aliases" in inspect.signature(io.Schema).parameters else {}


def with_options(given: io.Input, **options: Any) -> io.Input:
    """The same input, with options for the page besides those that the schema knows."""
    given.extra_dict.update(options)
    return given


def folded(given: io.Input) -> io.Input:
    """The same input, marked as rarely used: a page that knows the mark folds it away, any other shows it."""
    return with_options(given, advanced=True)


def lenient(define_schema: Callable[[type], io.Schema]) -> Callable[[type], io.Schema]:
    """The same schema, but inputs with a default may be left out of an API prompt: saved prompts survive new inputs."""

    @wraps(define_schema)
    def defined(cls: type) -> io.Schema:
        schema = define_schema(cls)
        for given in schema.inputs:
            given.optional = given.optional or getattr(given, "default", None) is not None
        return schema

    return defined


def answer(path: str, describe: Callable[[str], dict[str, Any] | None]) -> None:
    """Makes GET `path`?name=NAME answer with `describe(NAME)` as JSON, or with a 404 if that is empty."""
    server = getattr(PromptServer, "instance", None)
    if server is None:
        return

    async def respond(request: web.Request) -> web.Response:
        found = describe(request.query.get("name", ""))
        return web.json_response(found) if found else web.json_response({"error": "no such pencil"}, status=404)

    server.routes.get(path)(respond)
