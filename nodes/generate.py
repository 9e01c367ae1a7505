"""The node that draws."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from comfy_api.latest import io, ui

from .. import sketchgan_core as core
from ..sketchgan_core.choices import (
    CONTROLS,
    GRADE,
    GRADES,
    MODEL_SIZE,
    PAPER,
    PAPERS,
    PRESETS,
    STYLE,
    STYLES,
    explained,
)
from . import host, pencils
from .images import frames, masks, to_image
from .pencils import HostPencil, PencilSocket

CUSTOM = "custom"
OUTPUTS = ("input size", "model size")
BUNDLED = "default"
# Detail is one number: it chooses the size that everything is drawn at.
MAPS = tuple(name for name in CONTROLS if name != "detail")


class Generate(io.ComfyNode):
    @classmethod
    @host.lenient
    def define_schema(cls) -> io.Schema:
        defaults = _defaults()
        return io.Schema(
            node_id="SketchGANGenerate",
            display_name="Pencil Sketch",
            category="SketchGAN",
            description="Draws any picture in pencil: a photo, a render, line art. It says below what it saw in the "
            "picture. The same seed draws the same sketch, and a batch stands still from frame to frame.",
            inputs=[
                io.Image.Input("image", tooltip="A photo, a generated picture, a painting or line art; or a batch."),
                host.with_options(
                    io.Combo.Input(
                        "preset",
                        options=[CUSTOM, *PRESETS],
                        default=CUSTOM,
                        tooltip="A kind of drawing: it sets the six sliders below. custom: the sliders as they are.",
                    ),
                    presets=PRESETS,  # web/extension/presets.js reads these
                    custom=CUSTOM,
                ),
                *(_control(name, getattr(defaults, name), meaning) for name, meaning in CONTROLS.items()),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    control_after_generate=True,
                    tooltip="The take: the same seed draws the same sketch, another one draws it anew.",
                ),
                io.Combo.Input("grade", options=list(GRADES), default=GRADE, tooltip=f"The lead. {explained(GRADES)}"),
                io.Combo.Input(
                    "style", options=list(STYLES), default=STYLE, tooltip=f"How tone is laid. {explained(STYLES)}"
                ),
                io.Combo.Input(
                    "paper", options=list(PAPERS), default=PAPER, tooltip="The tooth that breaks the strokes."
                ),
                host.folded(
                    io.Int.Input(
                        "patch_size",
                        default=0,
                        min=0,
                        max=4096,
                        step=8,
                        tooltip="So many pixels of the image are drawn at model_size pixels: twice the model size "
                        "draws at half the scale, and the pencil is twice as thick. 0 chooses by the picture.",
                    )
                ),
                host.folded(
                    io.Int.Input(
                        "model_size",
                        default=MODEL_SIZE,
                        min=64,
                        max=4096,
                        step=8,
                        tooltip="The size a patch is drawn at; equal to patch_size it draws the image at its own size. "
                        "Without a patch size it has no effect.",
                    )
                ),
                host.folded(
                    io.Int.Input(
                        "tile",
                        default=0,
                        min=0,
                        max=4096,
                        step=8,
                        tooltip="Pixels drawn at once. It changes memory and time, not the picture; "
                        "0 chooses what fits.",
                    )
                ),
                host.folded(
                    io.Combo.Input(
                        "output",
                        options=list(OUTPUTS),
                        default="input size",
                        tooltip="The size of the sketch: that of the image, or the one it was drawn at.",
                    )
                ),
                io.Image.Input(
                    "lines",
                    optional=True,
                    tooltip="Dark lines on white, from Extract Lines, a line-art preprocessor or your hand: then these "
                    "are drawn, and the image only gives their tone.",
                ),
                PencilSocket.Input(
                    "model", optional=True, tooltip="Another pencil, from Load Pencil; without one, the bundled pencil."
                ),
                *(
                    io.Mask.Input(
                        f"{name}_map",
                        optional=True,
                        tooltip=f"Where to use how much {name}: full white means the number above, black means none.",
                    )
                    for name in MAPS
                ),
            ],
            outputs=[
                io.Image.Output(display_name="sketch", tooltip="Graphite on white."),
                io.Mask.Output(display_name="graphite", tooltip="How much graphite lies where, for Sketch on Paper."),
            ],
            **host.search_words(
                *("photo to sketch", "image to sketch", "picture to pencil", "pencil drawing", "sketch", "drawing"),
                *("hatching", "graphite", "charcoal", "line art to sketch"),
            ),
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        preset: str = CUSTOM,
        seed: int = 0,
        grade: str = GRADE,
        style: str = STYLE,
        paper: str = PAPER,
        patch_size: int = 0,
        model_size: int = MODEL_SIZE,
        tile: int = 0,
        output: str = OUTPUTS[0],
        lines: torch.Tensor | None = None,
        model: HostPencil | None = None,
        **controls: Any,
    ) -> io.NodeOutput:
        """`controls` holds the numbers that are given and the maps that are connected."""
        image, lines = frames(image, "image"), None if lines is None else frames(lines, "lines")
        for name in (f"{name}_map" for name in MAPS):
            if controls.get(name) is not None:
                controls[name] = masks(controls[name], name)
        unused = [f"{name}_map" for name in MAPS if _says_nothing(controls.get(f"{name}_map"), image)]
        controls = {name: value for name, value in controls.items() if name not in unused}
        patcher = (model or pencils.load(BUNDLED)).patcher
        sketcher = core.Sketcher(host.load(patcher))
        defaults = _defaults()
        numbers = {name: controls.get(name, getattr(defaults, name)) for name in CONTROLS} | PRESETS.get(preset, {})
        medium = core.Medium(paper, grade, style)
        size = output.removesuffix(" size")
        progress = host.Progress(len(image))
        first: core.Subject | None = None
        moving = core.is_film(image)
        for index, frame in enumerate(image):
            host.cancelled()
            asked = sketcher.controls(
                **{name: _of_frame(index, number, controls.get(f"{name}_map")) for name, number in numbers.items()}
            )
            given = "auto" if lines is None else lines[index % len(lines)]
            # Whatever is decided from a picture is decided once, for all frames, or an animation would flicker.
            subject = sketcher.subject(frame, given, patch_size, model_size, asked, like=first, moving=moving)
            if first is None:
                first = subject
                host.load(patcher, core.useful_memory(sketcher.generator, *subject.lines.shape))
                height, width = subject.size if size == "input" else subject.lines.shape
                sketch = torch.empty(len(image), height, width)
            sketch[index] = torch.from_numpy(
                sketcher.draw_subject(
                    subject,
                    asked,
                    seed,
                    medium,
                    tile or None,
                    (height, width),
                    partial(progress.show, index),
                    host.cancelled,
                )
            )
        assert first is not None, "frames gives at least one"
        # Shown by web/extension/reading.js and drawing_scale.js.
        said = "; ".join([first.said(), *(f"{name} is empty, as Load Image gives it, and not used" for name in unused)])
        shown = {**ui.PreviewText(said).as_dict(), "drawn_at": list(first.lines.shape[::-1])}
        return io.NodeOutput(to_image(sketch), 1 - sketch, ui=shown)


def _says_nothing(mask: torch.Tensor | None, image: torch.Tensor) -> bool:
    """Whether a map is the 64 x 64 zeros that Load Image gives for a picture without transparency."""
    return mask is not None and mask.shape[-2:] == (64, 64) != image.shape[1:3] and not mask.any()


def _defaults() -> core.Controls:
    """The settings the bundled pencil draws best with."""
    try:
        return core.Controls.from_mapping(pencils.find(BUNDLED).controls)
    except core.SketchGANError:  # reported when it is used: the other nodes must not be lost
        return core.Controls()


def _control(name: str, default: float, meaning: str) -> io.Float.Input:
    return io.Float.Input(
        name,
        default=default,
        min=0.0,
        max=1.0,
        step=0.01,
        display_mode=io.NumberDisplay.slider,
        tooltip=f"{meaning[0].upper()}{meaning[1:]}. 0 is none, 1 a lot.",
    )


def _of_frame(index: int, number: float, maps: torch.Tensor | None) -> Any:
    """The number, or a frame's map times the number; where frames outnumber maps, the maps repeat."""
    if maps is None:
        return number
    return (maps[index % len(maps)].clamp(0, 1) * number).cpu().numpy()
