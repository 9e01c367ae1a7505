"""From an image to a pencil sketch of it in one call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal

import cv2
import numpy as np
import torch
from PIL import Image

from .controls import Control, Controls
from .devices import choose_device, choose_dtype
from .errors import SketchGANError
from .generators import Generator, LoadGenerator
from .header import Header
from .images import MAX_PIXELS, to_pixels
from .lines import LineMode, prepare_lines
from .paper import KINDS
from .paper import paper as make_paper
from .plan import PLANES, plan
from .tiling import Progress, sketch_tiled
from .weights import load_pencil


class Sketcher:
    """A pencil in the hand: a generator on its device.

    Example:
        >>> sketcher = Sketcher.load("default")
        >>> sketch = sketcher(np.ones((64, 48), np.float32), seed=7)
        >>> sketch.shape
        (64, 48)
    """

    def __init__(self, generator: Generator, defaults: Controls | None = None, header: Header | None = None) -> None:
        """Wraps a generator that is on its device, in evaluation mode and in the type to compute in."""
        self.generator = generator
        self.defaults = defaults or Controls()
        self.header = header

    @classmethod
    def load(
        cls,
        name: str | os.PathLike[str] = "default",
        device: str = "auto",
        dtype: str = "auto",
        folders: Iterable[str | os.PathLike[str]] = (),
    ) -> Sketcher:
        """Loads a pencil by name or path.

        Args:
            name: see `load_pencil`.
            device: auto, cpu, cuda, mps ...
            dtype: auto, float32, bfloat16 or float16; auto is the fastest of the device.
            folders: further places where names are looked up.

        Raises:
            SketchGANError: no such pencil or device, or a damaged file.
        """
        pencil = load_pencil(name, folders)
        try:
            defaults = Controls.from_mapping(pencil.header.controls)
        except (TypeError, ValueError) as error:
            raise SketchGANError(f"{pencil.header.path}: its control defaults are wrong ({error})") from error
        where = choose_device(device)
        generator = pencil.generator.to(where, choose_dtype(where, dtype))
        return cls(generator.to(memory_format=torch.channels_last), defaults, pencil.header)

    def __call__(
        self,
        image: Any,
        *,
        darkness: Control | None = None,
        roughness: Control | None = None,
        shading: Control | None = None,
        seed: int = 0,
        patch_size: int = 384,
        model_size: int = 384,
        tile: int | None = None,
        paper: str = "cartridge",
        lines: LineMode = "none",
        output: Literal["input", "model"] = "input",
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Any:
        """Draws.

        Args:
            image: PIL image, numpy array or tensor; see `to_pixels`. A batch (B, ...) is drawn one by one.
            darkness, roughness, shading: numbers in 0..1 or maps (H, W); the pencil's own defaults if None.
            seed: the take: the same seed draws the same sketch, bit for bit on one device.
            patch_size, model_size: their ratio is the drawing scale: 768 and 384 draw at half the size, so that
                the pencil looks twice as thick.
            tile: tile size in pixels; chosen if None.
            paper: smooth, cartridge or rough.
            lines: how the line image is made of the input; see `prepare_lines`.
            output: "input" gives the input's size, "model" the size drawn at.
            progress, cancelled: see `sketch_tiled`.

        Returns:
            The sketch in grey, of the kind that was given: PIL "L"; or an array or tensor (H, W), for a batch
            (B, H, W), of the input's type and range, a tensor on the input's device.

        Raises:
            SketchGANError: an image, setting or control that cannot be used.
            Cancelled: `cancelled()` returned true.
        """
        if min(patch_size, model_size) < 1:
            raise SketchGANError(f"patch size {patch_size} and model size {model_size} must be positive")
        if paper not in KINDS:
            raise SketchGANError(f"unknown paper {paper!r}; choose one of {', '.join(KINDS)}")
        if output not in ("input", "model"):
            raise SketchGANError(f"unknown output {output!r}; choose input or model")
        chosen = {"darkness": darkness, "roughness": roughness, "shading": shading}
        try:
            controls = replace(self.defaults, **{name: value for name, value in chosen.items() if value is not None})
        except ValueError as error:
            raise SketchGANError(str(error)) from error

        device = str(next(self.generator.parameters()).device)

        def sketch(frame: Any) -> Any:
            grey = prepare_lines(to_pixels(frame), lines, device=device).lines
            height, width = grey.shape
            scaled = scaled_size(height, width, patch_size, model_size)
            drawn = self.draw(_resize(grey, *scaled), controls, seed, paper, tile, progress, cancelled)
            return _like(frame, _resize(drawn, height, width) if output == "input" else drawn)

        if isinstance(image, Image.Image) or np.ndim(image) < 4:
            return sketch(image)
        sketches = [sketch(frame) for frame in image]
        return torch.stack(sketches) if isinstance(image, torch.Tensor) else np.stack(sketches)

    def draw(
        self,
        lines: np.ndarray,
        controls: Controls,
        seed: int = 0,
        paper: str = "cartridge",
        tile: int | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> np.ndarray:
        """Draws a line image (H, W) float32 at its own size: plan, paper, tiles; control maps may have any size.

        Raises:
            SketchGANError, Cancelled: as `sketch_tiled`.
        """
        height, width = lines.shape
        if isinstance(self.generator, LoadGenerator):
            sized = {
                name: np.clip(_resize(np.asarray(value, np.float32), height, width), 0, 1) if np.ndim(value) else value
                for name, value in controls.items()
            }
            planned = plan(lines, Controls(**sized), seed)
            names = self.generator.config.planes
            planes = planned.planes if names == PLANES else planned.planes[[PLANES.index(name) for name in names]]
            reach = planned.reach
        else:
            # The original generator draws paper as well, not exactly white: no tile may be skipped.
            planes, reach = torch.from_numpy(1 - lines)[None], torch.ones((1, height, width))
        sheet = torch.from_numpy(make_paper(height, width, paper, seed))[None]
        return (
            sketch_tiled(self.generator, planes, reach, sheet, tile=tile, progress=progress, cancelled=cancelled)[0]
            .cpu()
            .numpy()
        )


def scaled_size(height: int, width: int, patch_size: int, model_size: int) -> tuple[int, int]:
    """The size (height, width) an image is drawn at when patches of `patch_size` px are drawn at `model_size` px.

    Raises:
        SketchGANError: it is larger than MAX_PIXELS.
    """
    height, width = (max(1, round(length * model_size / patch_size)) for length in (height, width))
    if height * width > MAX_PIXELS:
        raise SketchGANError(
            f"drawn at {width}x{height}, more than {MAX_PIXELS // 1_000_000} megapixels; "
            "lower the model size or raise the patch size"
        )
    return height, width


def _resize(image: np.ndarray, height: int, width: int) -> np.ndarray:
    if image.shape == (height, width):
        return image
    shrinks = height * width < image.size
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
    return np.clip(resized, 0, 1)


def _like(image: Any, sketch: np.ndarray) -> Any:
    """The sketch (H, W) 0..1 as what the image is: its kind, type, range and device."""
    if isinstance(image, Image.Image):
        return Image.fromarray(np.rint(sketch * 255).astype(np.uint8))
    if isinstance(image, torch.Tensor):
        if image.dtype.is_floating_point:
            return torch.from_numpy(sketch).to(image.device, image.dtype)
        return torch.from_numpy(_like(np.empty(0, np.dtype(str(image.dtype).removeprefix("torch."))), sketch)).to(
            image.device
        )
    kind = np.asarray(image).dtype
    if np.issubdtype(kind, np.integer):
        return np.rint(sketch * np.iinfo(kind).max).astype(kind)
    return sketch.astype(kind)
