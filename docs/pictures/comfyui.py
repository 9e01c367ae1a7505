"""Makes the pictures of the nodes from what the tests keep: pytest tests/browser && python docs/pictures/comfyui.py

The examples' thumbnails show their images before and after; the one of Stable Diffusion, for which the tests have no
checkpoint, shows examples/drawings/books.png in the place of a generated image; that of a folder shows all its
pictures above their sketches. The template browser wants JPEG, of
which the page reads no workflow: the same picture as WebP carries it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from sketchgan_core import Sketcher

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXAMPLES = ROOT / "example_workflows"
SCREENSHOTS = ROOT / ".cache" / "screenshots"
STABLE_DIFFUSION = "3 Behind Stable Diffusion"
FOLDER = "9 Folder"
APP, SAME_GRAPH = "10 App", "1 Picture to pencil"
IN_FOLDER = ("astronaut", "cat", "coffee")
README = {
    "comfyui-canvas": "canvas-1 Picture to pencil-graph",
    "comfyui-nodes-2": "nodes-2-5 Painted shading-graph",
    "comfyui-coloured-pencil": "canvas-6 Coloured pencil on toned paper-graph",
    "comfyui-templates": "templates",
}
THUMBNAIL = 400
SPLIT = 0.36
WIDTH = 1400
EXIF_MAKE = 0x010F  # where the host's own WebP files have their workflow


def main() -> None:
    for picture, screenshot in README.items():
        taken = Image.open(SCREENSHOTS / f"{screenshot}.png").convert("RGB")
        taken.thumbnail((WIDTH, WIDTH), Image.Resampling.LANCZOS)
        taken.save(HERE / f"{picture}.jpg", quality=85, optimize=True)
    for example in EXAMPLES.glob("*.json"):
        shown = sheet(folder()) if example.stem == FOLDER else thumbnail(*results(example.stem))
        shown.save(example.with_suffix(".jpg"), quality=88, optimize=True)
        shown.save(example.with_suffix(".webp"), quality=88, method=6, exif=carrying(example))


def results(name: str) -> tuple[Image.Image, Image.Image]:
    if name == STABLE_DIFFUSION:
        lines = Image.open(ROOT / "examples" / "drawings" / "books.png").convert("L")
        return lines, Sketcher.load()(lines, lines="auto", shading=0.6)
    name = SAME_GRAPH if name == APP else name
    return tuple(Image.open(SCREENSHOTS / f"result-{name}-{side}.png") for side in ("before", "after"))  # type: ignore[return-value]


def folder() -> list[tuple[Image.Image, Image.Image]]:
    pictures = [Image.open(EXAMPLES / "inputs" / f"sketchgan-{name}.jpg") for name in IN_FOLDER]
    sketcher = Sketcher.load()
    return [(picture, sketcher(picture)) for picture in pictures]


def sheet(pairs: Sequence[tuple[Image.Image, Image.Image]]) -> Image.Image:
    """Above the images before, below them the images after."""
    whole = Image.new("RGB", (THUMBNAIL, THUMBNAIL), "white")
    edges = [round(THUMBNAIL * index / len(pairs)) for index in range(len(pairs) + 1)]
    for left, right, pair in zip(edges, edges[1:], pairs, strict=False):
        for row, image in enumerate(pair):
            part = ImageOps.fit(image.convert("RGB"), (right - left, THUMBNAIL // 2), Image.Resampling.LANCZOS)
            whole.paste(part, (left, row * THUMBNAIL // 2))
    ImageDraw.Draw(whole).line([(0, THUMBNAIL // 2), (THUMBNAIL, THUMBNAIL // 2)], fill="#4a9eff", width=2)
    return whole


def thumbnail(before: Image.Image, after: Image.Image) -> Image.Image:
    """Left the image before, right the image after."""
    square = (THUMBNAIL, THUMBNAIL)
    fitted = [ImageOps.pad(image.convert("RGB"), square, color="white") for image in (before, after)]
    split = round(SPLIT * THUMBNAIL)
    whole = fitted[1].copy()
    whole.paste(fitted[0].crop((0, 0, split, THUMBNAIL)), (0, 0))
    ImageDraw.Draw(whole).line([(split, 0), (split, THUMBNAIL)], fill="#4a9eff", width=2)
    return whole


def carrying(workflow: Path) -> Image.Exif:
    exif = Image.Exif()
    exif[EXIF_MAKE] = f"workflow:{json.dumps(json.loads(workflow.read_text()), separators=(',', ':'))}"
    return exif


if __name__ == "__main__":
    main()
