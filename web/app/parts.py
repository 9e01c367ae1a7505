"""What both tabs are made of."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import gradio as gr

from sketchgan_core.errors import SketchGANError

from .studio import Studio

HERE = Path(__file__).parent
# In a wheel the examples lie beside this file, in a checkout at the top.
_EXAMPLES = next((folder for folder in (HERE / "examples", HERE.parents[1] / "examples") if folder.is_dir()), HERE)
EXAMPLES = [*sorted(_EXAMPLES.glob("pictures/*.jpg")), *sorted(_EXAMPLES.glob("drawings/*.png"))]

LINE_MODES = [
    ("Choose for me", "auto"),
    ("As it is", "none"),
    ("Drawing or scan", "drawing"),
    ("Photo", "photo"),
    ("Classic", "classic"),
]


def picture_file(**look: Any) -> gr.Image:
    """An image component that passes on the path of a file, which only the core opens."""
    component = gr.Image(type="filepath", **look)
    # Gradio's own preprocessing opens any format Pillow knows, and some of those start a program.
    component.preprocess = lambda sent: None if sent is None else sent.path
    return component


def picture_input(studio: Studio, name: str) -> tuple[gr.Image, Any]:
    """An image input that passes on the path of a file the core can read, and the event after its upload."""
    picture = picture_file(label="Picture", sources=["upload", "clipboard"], height=230, elem_id=name)

    def shown(sent: str | None) -> Path | None:
        if sent is None:
            return None
        try:
            return studio.shown(Path(sent))
        except SketchGANError as error:
            complain(error, sent)
            return None

    return picture, picture.upload(shown, picture, picture, show_progress="hidden")


def complain(error: SketchGANError, file: str | Path | None = None) -> None:
    """Shows an error on the page, with the file's own name: Gradio's path of an upload means nothing to anybody."""
    said = str(error).replace(str(file), Path(file).name) if file else str(error)
    gr.Warning(html.escape(said))
