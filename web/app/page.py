"""The page: its two tabs, and the way from one to the other."""

from __future__ import annotations

import gradio as gr

from .lines_tab import lines_tab
from .sketch_tab import sketch_tab
from .studio import Studio

HOUR, DAY = 3600, 86400  # how often old uploads and sketches are deleted, and at what age


def build(studio: Studio) -> gr.Blocks:
    """The page of a studio."""
    with gr.Blocks(title="SketchGAN", analytics_enabled=False, fill_width=True, delete_cache=(HOUR, DAY)) as page:
        gr.Markdown("# SketchGAN\nPictures and drawings to pencil sketches", elem_id="title")
        with gr.Tabs() as tabs:
            with gr.Tab("Sketch", id="sketch"):
                picture, mode, draws = sketch_tab(studio)
            with gr.Tab("Lines", id="lines"):
                send, lines = lines_tab(studio)
        sent = send.click(
            lambda file: (file, "none", gr.Tabs(selected="sketch")),
            lines,
            [picture, mode, tabs],
            show_progress="hidden",
        )
        draws(sent.then)
    return page
