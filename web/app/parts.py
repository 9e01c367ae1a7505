"""What both tabs are made of."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import gradio as gr

from sketchgan_core.errors import SketchGANError

from .studio import Studio

HERE = Path(__file__).parent
# In a wheel they lie beside this file, in a checkout where everybody sees them.
_EXAMPLES = next((folder for folder in (HERE / "examples", HERE.parents[1] / "examples") if folder.is_dir()), HERE)
EXAMPLES = [*sorted(_EXAMPLES.glob("pictures/*.jpg")), *sorted(_EXAMPLES.glob("drawings/*.png"))]

LINE_MODES = [
    ("Choose for me", "auto"),
    ("As it is", "none"),
    ("Drawing or scan", "drawing"),
    ("Photo", "photo"),
    ("Classic", "classic"),
]


def picture_input(studio: Studio, name: str) -> tuple[gr.Image, Any]:
    """An image input that hands on the path of a file the core can read; and the event of its having been uploaded."""
    picture = gr.Image(
        label="Picture",
        sources=["upload", "clipboard"],
        type="filepath",
        image_mode=None,  # hands on the file as it is
        height=230,
        elem_id=name,
    )

    def shown(sent: dict[str, Any]) -> Path | None:
        file = Path(sent["path"])
        try:
            return studio.shown(file)
        except SketchGANError as error:
            complain(error, file)
            return None

    # Without preprocessing, since Gradio's opens the file itself and says less about a bad one.
    return picture, picture.upload(shown, picture, picture, preprocess=False, show_progress="hidden")


def complain(error: SketchGANError, file: str | Path | None = None) -> None:
    """Shows an error on the page, by the file's own name: where Gradio keeps an upload tells nobody anything."""
    said = str(error).replace(str(file), Path(file).name) if file else str(error)
    gr.Warning(html.escape(said))
