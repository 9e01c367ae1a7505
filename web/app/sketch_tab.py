"""The tab where a picture becomes a sketch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from sketchgan_core.controls import Controls
from sketchgan_core.errors import Cancelled, SketchGANError
from sketchgan_core.header import Header
from sketchgan_core.paper import KINDS

from .parts import EXAMPLES, HERE, LINE_MODES, complain, picture_input
from .studio import Studio, another_seed, pencil_header

UNCHANGED = (gr.skip(), gr.skip(), gr.skip())


def sketch_tab(studio: Studio) -> tuple[gr.Image, gr.Dropdown]:
    """Lays out the tab; returns its picture and how lines are made of it."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            picture, _ = picture_input(studio, "picture")
            with gr.Row(elem_classes="beside"):
                pencil = gr.Dropdown(
                    [*map(_choice, studio.pencils())],
                    value=str(studio.first.path),
                    label="Pencil",
                    scale=3,
                    elem_id="pencil",
                )
                own = gr.UploadButton("Own file…", file_types=[".safetensors"], size="sm", scale=1, min_width=96)
            with gr.Group():
                sliders = [
                    gr.Slider(0, 1, value=value, step=0.05, label=name.capitalize(), elem_id=name)
                    for name, value in _defaults(studio.first).items()
                ]
            with gr.Row(elem_classes="beside"):
                paper = gr.Dropdown([(kind.capitalize(), kind) for kind in KINDS], value="cartridge", label="Paper")
                seed = gr.Number(0, label="Seed", precision=0, minimum=0, min_width=90, elem_id="seed")
                dice = gr.Button(
                    "New take", icon=str(HERE / "dice.svg"), size="sm", scale=0, min_width=96, elem_id="dice"
                )
            with gr.Accordion("Lines and scale", open=False):
                mode = gr.Dropdown(LINE_MODES, value="auto", label="Lines", info="how they are made of the picture")
                patch_size = gr.Slider(128, 1536, value=384, step=32, label="Patch size", elem_id="patch-size")
                model_size = gr.Slider(128, 1536, value=384, step=32, label="Model size", elem_id="model-size")
                gr.Markdown(
                    "A patch of *patch size* pixels is drawn at *model size*: a larger patch, a thicker pencil."
                )
            draw = gr.Button("Draw", variant="primary", elem_id="draw")
            stop = gr.Button("Stop", variant="stop", visible=False, elem_id="stop")
        with gr.Column(scale=5, min_width=320):
            result = gr.ImageSlider(
                label="Before and after",
                format="png",
                height=600,
                max_height=600,
                buttons=["fullscreen"],
                elem_id="result",
            )
            with gr.Row(elem_classes="tight"):
                note = gr.Markdown(elem_id="note")
                download = gr.DownloadButton(
                    "Download", size="sm", scale=0, min_width=120, interactive=False, elem_id="download"
                )
            if EXAMPLES:
                gr.Examples([[str(file)] for file in EXAMPLES], picture, label="Examples", elem_id="examples")

    stopped: set[str] = set()

    def begin(request: gr.Request) -> tuple[Any, ...]:
        stopped.discard(str(request.session_hash))
        return gr.update(visible=False), gr.update(visible=True), gr.update(interactive=False)

    def halt(request: gr.Request) -> None:
        stopped.add(str(request.session_hash))

    def end() -> tuple[Any, ...]:
        return gr.update(visible=True), gr.update(visible=False), gr.update(interactive=True)

    def sketch(
        picture: str | None,
        pencil: str,
        darkness: float,
        roughness: float,
        shading: float,
        paper: str,
        seed: int | None,
        mode: Any,
        patch_size: int,
        model_size: int,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  Gradio finds it by its default
    ) -> tuple[Any, ...]:
        if picture is None:
            gr.Warning("Choose a picture first: drop one in, paste one, or click an example.")
            return UNCHANGED
        try:
            drawn = studio.sketch(
                Path(picture),
                Path(pencil),
                lines=mode,
                progress=progress,
                cancelled=lambda: request.session_hash in stopped,
                darkness=darkness,
                roughness=roughness,
                shading=shading,
                paper=paper,
                seed=seed or 0,
                patch_size=patch_size,
                model_size=model_size,
            )
        except Cancelled:
            return *UNCHANGED[:-1], "Stopped."
        except SketchGANError as error:
            complain(error, picture)
            return UNCHANGED
        return (drawn.before, drawn.after), gr.update(value=drawn.file, interactive=True), drawn.note

    buttons = [draw, stop, dice]
    asked = [draw.click, dice.click(another_seed, seed, seed, queue=False, show_progress="hidden").then]
    for ask in asked:
        drawing = ask(begin, None, buttons, queue=False, show_progress="hidden").then(
            sketch,
            [picture, pencil, *sliders, paper, seed, mode, patch_size, model_size],
            [result, download, note],
            show_progress_on=result,
            concurrency_limit=1,
            concurrency_id="pencil",
        )
        # Gradio does not do what `then` says after a failure.
        for finished in (drawing.then, drawing.failure):
            finished(end, None, buttons, queue=False, show_progress="hidden")
    stop.click(halt, queue=False)

    pencil.change(lambda path: list(_defaults(pencil_header(Path(path))).values()), pencil, sliders, queue=False)

    def take_own(file: str, owned: list[Header]) -> tuple[Any, ...]:
        try:
            owned = [*owned, pencil_header(Path(file))]
        except SketchGANError as error:
            complain(error, file)
            return gr.skip(), owned
        return gr.update(choices=[*map(_choice, [*studio.pencils(), *owned])], value=file), owned

    owned = gr.State([])
    own.upload(take_own, [own, owned], [pencil, owned], show_progress="hidden")
    return picture, mode


def _choice(header: Header) -> tuple[str, str]:
    return header.card.title or header.path.stem, str(header.path)


def _defaults(header: Header) -> dict[str, Any]:
    return dict(Controls.from_mapping(header.controls).items())
