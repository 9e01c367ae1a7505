"""Graphs in ComfyUI's API format, with words as ids."""

from __future__ import annotations

from typing import Any

Graph = dict[str, dict[str, Any]]
Link = list[Any]

IMAGE: Link = ["image", 0]
LINES: Link = ["lines", 0]
MODEL: Link = ["model", 0]
SKETCH: Link = ["sketch", 0]
GRAPHITE: Link = ["sketch", 1]


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def load_image(name: str = "drawing.png") -> dict[str, Any]:
    return node("LoadImage", image=name)


def extract(image: Link = IMAGE, mode: str = "auto", **settings: Any) -> dict[str, Any]:
    lengths = {"thickness": 0.0, "uniform_width": 0.0, "specks": 6.0, "minimum_length": 0.0, "close_gaps": 0.0}
    shares = {"detail": 0.5, "threshold": 0.5, "smoothing": 0.5}
    others = {"polarity": "auto", "classic_scale": 2, "rules": "remove"}
    return node("SketchGANExtractLines", image=image, mode=mode, **(lengths | shares | others | settings))


def load_model(pencil: str = "small.safetensors") -> dict[str, Any]:
    return node("SketchGANLoadModel", pencil=pencil)


def generate(image: Link = IMAGE, **inputs: Any) -> dict[str, Any]:
    sliders = {"darkness": 0.6, "roughness": 0.4, "shading": 0.5, "tone": 0.8, "detail": 0.5, "background": 0.35}
    others = {"preset": "custom", "seed": 0, "paper": "cartridge"}
    sizes = {"patch_size": 384, "model_size": 384, "tile": 0, "output": "input size"}
    return node("SketchGANGenerate", image=image, **(others | sliders | sizes | inputs))


def composite(**inputs: Any) -> dict[str, Any]:
    defaults = {"graphite": GRAPHITE, "paper": "cartridge", "paper_color": "#f4efe4", "tooth": 0.4}
    more = {"graphite_color": "#26262b", "seed": 0, "transparent": False}
    return node("SketchGANComposite", **(defaults | more | inputs))


def save_model(model: Link = MODEL, **inputs: Any) -> dict[str, Any]:
    defaults = {"filename_prefix": "sketchgan/saved", "title": "", "author": "", "licence": "", "notes": ""}
    return node("SketchGANSaveModel", model=model, **(defaults | inputs))


def show(images: Link) -> dict[str, Any]:
    return node("PreviewImage", images=images)


def sketching(name: str = "drawing.png", pencil: str = "small.safetensors", **inputs: Any) -> Graph:
    """An image, a pencil, the sketch at the image's own size, and the sketch shown as `shown`."""
    return {
        "image": load_image(name),
        "model": load_model(pencil),
        "sketch": generate(**({"model": MODEL} | inputs)),
        "shown": show(SKETCH),
    }
