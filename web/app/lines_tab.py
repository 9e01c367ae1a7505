"""The tab where the lines of a picture follow the sliders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from sketchgan_core.errors import SketchGANError

from .parts import LINE_MODES, complain, picture_input
from .studio import Studio


def lines_tab(studio: Studio) -> tuple[gr.Button, gr.Image]:
    """Lays out the tab; returns the button that sends the lines on, and the lines."""
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            picture, uploaded = picture_input(studio, "lines-picture")
            mode = gr.Radio(LINE_MODES, value="auto", label="Lines", elem_id="lines-mode")
            thickness = gr.Slider(
                -8, 8, value=0, step=0.5, label="Thickness", info="pixels more or less", elem_id="thickness"
            )
        with gr.Column(scale=5, min_width=320):
            lines = gr.Image(
                label="Lines",
                type="filepath",
                image_mode=None,
                height=600,
                interactive=False,
                buttons=["fullscreen"],
                elem_id="lines",
            )
            with gr.Row(elem_classes="tight"):
                note = gr.Markdown(elem_id="lines-note")
                download = gr.DownloadButton(
                    "Download", size="sm", scale=0, min_width=120, interactive=False, elem_id="lines-download"
                )
                send = gr.Button("Send to Sketch", size="sm", scale=0, min_width=140, interactive=False, elem_id="send")

    def preview(picture: str | None, mode: Any, thickness: float) -> tuple[Any, ...]:
        file, said = None, ""
        if picture is not None:
            try:
                file, said = studio.lines(Path(picture), mode, thickness)
            except SketchGANError as error:
                complain(error, picture)
        return file, said, gr.update(value=file, interactive=bool(file)), gr.update(interactive=bool(file))

    asked, shown = [picture, mode, thickness], [lines, note, download, send]
    uploaded.then(preview, asked, shown, show_progress="minimal", show_progress_on=lines)
    gr.on(
        [picture.clear, mode.change, thickness.change],
        preview,
        asked,
        shown,
        show_progress="minimal",
        show_progress_on=lines,
        trigger_mode="always_last",
        concurrency_limit=1,
    )
    return send, lines
