"""The tab where a picture becomes a sketch: at once, and again whenever something changes."""

from __future__ import annotations

import time as clock
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from sketchgan_core.choices import CONTROLS, GRADES, MODEL_SIZE, PAPERS, PRESETS, STYLES
from sketchgan_core.errors import Cancelled, SketchGANError
from sketchgan_core.pencils.header import Header
from sketchgan_core.planning.controls import Controls
from sketchgan_core.sketcher import Medium

from .desk import Desk, Kept, Wish
from .parts import EXAMPLES, HERE, LINE_MODES, complain, picture_input
from .studio import Studio, another_seed, pencil_header

# The last input is the time at which the browser asked.
_NOW = "(...values) => [...values.slice(0, -1), Date.now()]"
_AS_IT_IS = (gr.skip(),) * 4
_DRAWN, _DRAWING = gr.update(visible=False), gr.update(visible=True)  # the stop button


def sketch_tab(studio: Studio) -> tuple[gr.Image, gr.Dropdown, Callable[[Callable[..., Any]], Any]]:
    """Lays out the tab; returns its picture, its choice of line mode, and a function that makes an event draw."""
    own_values = _defaults(studio.first)
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            picture, uploaded = picture_input(studio, "picture")
            with gr.Row(elem_classes="beside"):
                pencil = gr.Dropdown(
                    [*map(_choice, studio.pencils())],
                    value=str(studio.first.path),
                    label="Pencil",
                    scale=3,
                    elem_id="pencil",
                )
                own = gr.UploadButton("Own file…", file_types=[".safetensors"], size="sm", scale=1, min_width=96)
            with gr.Row(elem_id="presets"):
                presets = {
                    name: gr.Button(name.capitalize(), size="sm", min_width=60) for name in ("pencil's own", *PRESETS)
                }
            with gr.Group(elem_id="controls"):
                sliders = [
                    gr.Slider(0, 1, value=own_values[name], step=0.05, label=name.capitalize(), info=info, elem_id=name)
                    for name, info in CONTROLS.items()
                ]
            with gr.Row(elem_classes="beside"):
                medium = [
                    gr.Dropdown(
                        [(kind[0].upper() + kind[1:], kind) for kind in kinds],
                        value=next(iter(kinds)),
                        label=name,
                        min_width=90,
                        elem_id=name.lower(),
                    )
                    for name, kinds in (("Grade", GRADES), ("Style", STYLES), ("Paper", PAPERS))
                ]
            with gr.Accordion("Leads and styles", open=False):
                gallery = gr.Gallery(
                    [(str(HERE / "media" / f"{name}.jpg"), name) for name in (*GRADES, *STYLES)],
                    show_label=False,
                    columns=4,
                    height="auto",
                    allow_preview=False,
                    elem_id="media",
                )
            with gr.Row(elem_classes="beside"):
                seed = gr.Number(0, label="Seed", precision=0, minimum=0, min_width=90, elem_id="seed")
                dice = gr.Button(
                    "New take", icon=str(HERE / "dice.svg"), size="sm", scale=0, min_width=96, elem_id="dice"
                )
            with gr.Accordion("Lines and scale", open=False):
                mode = gr.Dropdown(LINE_MODES, value="auto", label="Lines", info="how they are made of the picture")
                patch_size = gr.Slider(
                    0, 1536, value=0, step=32, label="Patch size", info="0 chooses by the picture", elem_id="patch-size"
                )
                model_size = gr.Slider(128, 1536, value=MODEL_SIZE, step=32, label="Model size", elem_id="model-size")
                gr.Markdown(
                    "A patch of *patch size* pixels is drawn at *model size*: a larger patch, a thicker pencil."
                )
        with gr.Column(scale=5, min_width=320, elem_id="sheet"):
            result = gr.ImageSlider(
                label="Before and after",
                height=600,
                max_height=600,
                buttons=["fullscreen"],
                elem_id="result",
            )
            with gr.Row(elem_classes="tight"):
                note = gr.Markdown(elem_id="note")
                status = gr.Markdown(elem_id="status")
                stop = gr.Button(
                    "Stop", variant="stop", size="sm", scale=0, min_width=90, visible=False, elem_id="stop"
                )
                download = gr.DownloadButton(
                    "Download", size="sm", scale=0, min_width=120, interactive=False, elem_id="download"
                )
            examples = gr.Examples(
                [[str(file)] for file in EXAMPLES],
                picture,
                label="Examples",
                elem_id="examples",
                examples_per_page=len(EXAMPLES) or 1,
            )
    desk = gr.State(Desk())
    asked_at = gr.Number(visible="hidden")
    taken_away = gr.Checkbox(visible="hidden")

    def preview(desk: Desk, *asked: Any) -> tuple[Any, ...]:
        *values, time = asked
        wish = _wish(studio, values)
        if wish is None or not desk.begin_preview(time, wish):
            return _AS_IT_IS
        try:
            kept = studio.read(wish, desk, in_full=False)
            file = studio.preview(wish, kept)
        except SketchGANError as error:
            complain(error, wish.picture)
            return _AS_IT_IS
        if not desk.counts(time):
            return _AS_IT_IS
        desk.show(wish)
        return (studio.before(wish.picture), file), gr.update(interactive=False), _note(kept, "preview"), _DRAWN

    # Gradio finds the progress bar by this default.
    def draw(desk: Desk, progress: gr.Progress = gr.Progress(), *asked: Any) -> Iterator[tuple[Any, ...]]:  # noqa: B008
        *values, time = asked
        start = clock.monotonic()
        wish = _wish(studio, values)
        if wish is None or not desk.begin(time, wish):
            yield _AS_IT_IS
            return
        yield gr.skip(), gr.update(interactive=False), gr.skip(), _DRAWING
        try:
            progress(0, "Reading")
            kept, before = studio.read(wish, desk), studio.before(wish.picture)
            if desk.counts(time) and desk.show(wish):
                small = studio.preview(wish, kept)
                # The drawing may have been stopped in the meantime, and then the page says so.
                if desk.counts(time):
                    yield (before, small), gr.skip(), _note(kept, "preview"), gr.skip()
            file = studio.draw(wish, kept, progress, lambda: not desk.counts(time))
        except Cancelled:
            yield _AS_IT_IS
        except SketchGANError as error:
            complain(error, wish.picture)
            desk.clear()
            yield *_AS_IT_IS[:-1], _DRAWN
        else:
            height, width = kept.subject.size
            made = _note(kept, f"{width} × {height} px", f"{clock.monotonic() - start:.1f} s")
            yield (before, file), gr.update(value=file, interactive=True), made, _DRAWN

    def clear(desk: Desk, taken_away: bool) -> tuple[Any, ...]:
        if not taken_away:
            return _AS_IT_IS
        desk.clear()
        return (None, None), gr.update(value=None, interactive=False), "", _DRAWN

    def halt(desk: Desk) -> tuple[Any, ...]:
        desk.clear()
        return "Stopped. Any change draws again.", _DRAWN

    asked = [desk, picture, pencil, mode, patch_size, model_size, *medium, seed, *sliders, asked_at]
    shown = [result, download, note, stop]

    def draws(event: Callable[..., Any]) -> None:
        """Makes an event draw."""
        # A newer drawing starts while the older one runs, which then sees that it no longer counts.
        event(
            draw,
            asked,
            shown,
            js=_NOW,
            show_progress="minimal",
            show_progress_on=status,
            trigger_mode="multiple",
            concurrency_limit=8,
            concurrency_id="draw",
        )

    for slider in sliders:
        draws(slider.release)
    for event in (
        *(uploaded.then, examples.load_input_event.then),
        *(mode.input, patch_size.release, model_size.release, seed.submit, seed.blur),
        *(choice.input for choice in medium),
        dice.click(another_seed, seed, seed, queue=False, show_progress="hidden").then,
    ):
        draws(event)
    gr.on(
        [slider.input for slider in sliders],
        preview,
        asked,
        shown,
        js=_NOW,
        show_progress="hidden",
        trigger_mode="always_last",
        concurrency_limit=1,
        concurrency_id="preview",
    )
    # Gradio sends no clear event if the picture was an example.
    picture.change(
        lambda picture: picture is None, picture, taken_away, preprocess=False, queue=False, show_progress="hidden"
    ).then(clear, [desk, taken_away], shown, queue=False, show_progress="hidden")
    stop.click(halt, desk, [note, stop], queue=False, show_progress="hidden")

    def take(shown: gr.SelectData) -> tuple[Any, Any]:
        name = shown.value["caption"]
        return (name, gr.skip()) if name in GRADES else (gr.skip(), name)

    draws(gallery.select(take, None, medium[:2], queue=False, show_progress="hidden").then)

    def chosen(pencil: str, preset: str) -> list[Any]:
        return [*(_defaults(pencil_header(Path(pencil))) | PRESETS.get(preset, {})).values()]

    for name, button in presets.items():
        set_sliders = button.click(
            lambda pencil, name=name: chosen(pencil, name), pencil, sliders, queue=False, show_progress="hidden"
        )
        draws(set_sliders.then)
    draws(pencil.change(lambda pencil: chosen(pencil, ""), pencil, sliders, queue=False, show_progress="hidden").then)

    def take_own(file: str, owned: list[Header]) -> tuple[Any, ...]:
        try:
            owned = [*owned, pencil_header(Path(file))]
        except SketchGANError as error:
            complain(error, file)
            return gr.skip(), owned
        return gr.update(choices=[*map(_choice, [*studio.pencils(), *owned])], value=file), owned

    owned = gr.State([])
    own.upload(take_own, [own, owned], [pencil, owned], show_progress="hidden")
    return picture, mode, draws


def _wish(studio: Studio, values: list[Any]) -> Wish | None:
    """What the page asks for, or None without a picture."""
    picture, pencil, mode, patch_size, model_size, grade, style, paper, seed, *controls = values
    if picture is None:
        return None
    settings = studio.controls(Path(pencil), controls)
    medium = Medium(paper, grade, style)
    return Wish(Path(picture), Path(pencil), mode, patch_size, model_size, medium, seed or 0, settings)


def _note(kept: Kept, *more: str) -> str:
    """What was read, why, and what became of it."""
    return " · ".join([f"Read as {kept.subject.said()}", *more])


def _choice(header: Header) -> tuple[str, str]:
    return header.card.title or header.path.stem, str(header.path)


def _defaults(header: Header) -> dict[str, Any]:
    controls = Controls.from_mapping(header.controls)
    return {name: getattr(controls, name) for name in CONTROLS}
