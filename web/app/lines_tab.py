"""The tab where the lines of a picture follow the sliders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from sketchgan_core.errors import SketchGANError
from sketchgan_core.lines.settings import SETTINGS, LineSettings

from .parts import EXAMPLES, LINE_MODES, complain, picture_file, picture_input
from .studio import Studio

DEFAULTS = LineSettings()
SLIDERS = ("thickness", "uniform_width", "detail", "threshold", "smoothing")
CLEANING = ("specks", "minimum_length", "close_gaps")
RULES = [("Leave out", "remove"), ("Keep", "keep")]
POLARITY = [("Judge by the picture", "auto"), ("Dark on light", "dark"), ("Light on dark", "light")]


def lines_tab(studio: Studio) -> tuple[gr.Button, gr.Image]:
    """Lays out the tab; returns the button that sends the lines on, and the lines."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            picture, uploaded = picture_input(studio, "lines-picture")
            mode = gr.Radio(LINE_MODES, value="auto", label="Lines", elem_id="lines-mode")
            with gr.Group():
                sliders = {name: _slider(name) for name in SLIDERS}
            with gr.Accordion("Clean up", open=False, elem_id="clean-up"):
                sliders |= {name: _slider(name) for name in CLEANING}
                sliders["classic_scale"] = _slider("classic_scale")
                polarity = gr.Radio(POLARITY, value=DEFAULTS.polarity, label="Polarity", elem_id="polarity")
                rules = gr.Radio(RULES, value=DEFAULTS.rules, label="Ruled paper", elem_id="rules")
            reset = gr.Button("Reset", size="sm", elem_id="reset")
        with gr.Column(scale=5, min_width=320):
            lines = picture_file(label="Lines", height=600, interactive=False, buttons=["fullscreen"], elem_id="lines")
            with gr.Row(elem_classes="tight"):
                note = gr.Markdown(elem_id="lines-note")
                download = gr.DownloadButton(
                    "Download", size="sm", scale=0, min_width=120, interactive=False, elem_id="lines-download"
                )
                send = gr.Button("Send to Sketch", size="sm", scale=0, min_width=140, interactive=False, elem_id="send")
            examples = gr.Examples(
                [[str(file)] for file in EXAMPLES],
                picture,
                label="Examples",
                elem_id="lines-examples",
                examples_per_page=len(EXAMPLES) or 1,
            )

    controls = {**sliders, "polarity": polarity, "rules": rules}

    def preview(picture: str | None, mode: Any, *values: Any) -> tuple[Any, ...]:
        file, said = None, ""
        if picture is not None:
            try:
                settings = LineSettings(**dict(zip(controls, values, strict=True)))
                file, said = studio.lines(Path(picture), mode, settings)
            except SketchGANError as error:
                complain(error, picture)
        return file, said, gr.update(value=file, interactive=bool(file)), gr.update(interactive=bool(file))

    asked, shown = [picture, mode, *controls.values()], [lines, note, download, send]
    for given in (uploaded, examples.load_input_event):
        given.then(preview, asked, shown, show_progress="minimal", show_progress_on=lines)
    gr.on(
        [picture.clear, mode.change, *(control.change for control in controls.values())],
        preview,
        asked,
        shown,
        show_progress="minimal",
        show_progress_on=lines,
        trigger_mode="always_last",
        concurrency_limit=1,
    )
    reset.click(
        lambda: [getattr(DEFAULTS, name) for name in controls],
        None,
        list(controls.values()),
        queue=False,
        show_progress="hidden",
    )
    return send, lines


def _slider(name: str) -> gr.Slider:
    setting, title = SETTINGS[name], name.replace("_", " ").capitalize()
    value, low_high = getattr(DEFAULTS, name), setting.shown
    return gr.Slider(
        *low_high, value=value, step=setting.step, label=title, info=setting.says, elem_id=name.replace("_", "-")
    )
