"""What the parts of one drawing cost, side by side in one run: starting, planning, the network, the paper, a film.

    python bench/parts.py

Writes bench/results/parts.json. Every time is the best of a few; bench/table.py puts the ratios beside their bars.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from measure import machine
from PIL import Image
from sketchai_vs_residual import drawing

from sketchgan_core.film import Shot, draw_film
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.light import read_light
from sketchgan_core.planning.plan import PLANES, plan
from sketchgan_core.preview import Preview
from sketchgan_core.sketcher import DEFAULT_MEDIUM, Sketcher, Subject, on_paper
from sketchgan_core.tiling import draw_tiled

RESULT = Path(__file__).parent / "results" / "parts.json"
PICTURE = Path(__file__).parents[1] / "examples" / "pictures" / "astronaut.jpg"
ROUNDS = 2
FRAMES, FRAME = 4, (1280, 720)


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds of the fastest of some runs."""
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def cold(sketcher: Sketcher, picture: Image.Image, folder: Path) -> dict[str, float]:
    """A cold command for a picture of 512 px, less its drawing, against the bare imports."""
    source, target = folder / "picture.png", folder / "sketch.png"
    picture.resize((512, 512)).save(source)
    command = [sys.executable, "-m", "sketchgan_core", "sketch", str(source), "-o", str(target), "--overwrite"]
    bare = [sys.executable, "-c", "import torch, cv2"]

    def run(words: list[str]) -> None:
        subprocess.run(words, check=True, capture_output=True)

    run(command)  # fills the page cache
    found = {
        "command": best(lambda: run(command)),
        "bare": best(lambda: run(bare)),
        "drawing": best(lambda: sketcher(Image.open(source))),
    }
    return found | {"ratio": (found["command"] - found["drawing"]) / found["bare"]}


def planning(sketcher: Sketcher, subject: Subject) -> dict[str, float]:
    """The plan of a drawing against the network that draws it."""
    light = None if subject.pixels is None else read_light(subject.pixels)
    planned = plan(subject.lines, sketcher.defaults, 0, light)
    planes = planned.planes[[PLANES.index(name) for name in sketcher.generator.config.planes]]
    found = {
        "plan": best(lambda: plan(subject.lines, sketcher.defaults, 0, light)),
        "network": best(lambda: draw_tiled(sketcher.generator, planes, planned.reach)),
    }
    return found | {"ratio": found["plan"] / found["network"], "pixels": subject.lines.size}


def tiles(sketcher: Sketcher, subject: Subject) -> dict[str, float]:
    """Drawn in tiles against drawn whole."""
    planned = plan(subject.lines, sketcher.defaults, 0)
    planes = planned.planes[[PLANES.index(name) for name in sketcher.generator.config.planes]]
    found = {
        "tiled": best(lambda: draw_tiled(sketcher.generator, planes, planned.reach, 512)),
        "whole": best(lambda: draw_tiled(sketcher.generator, planes, planned.reach, 4096)),
    }
    return found | {"ratio": found["tiled"] / found["whole"]}


def paper(sketcher: Sketcher) -> dict[str, float]:
    """Nanoseconds for each pixel of the output beyond the drawing size, with graphite everywhere."""
    load = np.full((1000, 1000), 0.4, np.float32)
    small, large = (
        best(lambda side=side: on_paper(sketcher.generator, load, (side, side), 0, DEFAULT_MEDIUM, np.uint8))
        for side in (1000, 4000)
    )
    return {"nanoseconds": 1e9 * (large - small) / (4000**2 - 1000**2)}


def preview(sketcher: Sketcher, subject: Subject) -> dict[str, float]:
    """A control moved, until the preview is there."""
    shown = Preview(subject)
    steps = iter(np.linspace(0.1, 0.9, 50).tolist())
    return {"seconds": best(lambda: shown.draw(sketcher.generator, Controls(darkness=next(steps))))}


def arithmetic(sketcher: Sketcher) -> dict[str, float]:
    """Arithmetic that the network reaches, as a share of a matrix product's."""
    generator = sketcher.generator
    dtype = next(generator.parameters()).dtype
    counted = []
    hooks = [
        layer.register_forward_hook(
            lambda layer, _, out: counted.append(2 * out.numel() * layer.weight[0].numel())  # type: ignore[union-attr]
        )
        for layer in generator.modules()
        if isinstance(layer, torch.nn.Conv2d)
    ]
    planes = torch.rand(1, len(generator.config.planes), 1024, 1024, dtype=dtype)
    planes, reach = planes.to(memory_format=torch.channels_last), torch.ones(1, 1, 1024, 1024)
    with torch.inference_mode():
        generator.lay(planes, reach)
        for hook in hooks:
            hook.remove()
        seconds = best(lambda: generator.lay(planes, reach))
        factor = torch.rand(2048, 2048).to(dtype)
        product = best(lambda: factor @ factor, 8)
    reached, possible = sum(counted) / seconds / 1e9, 2 * 2048**3 / product / 1e9
    return {"network_gflops": reached, "product_gflops": possible, "ratio": reached / possible}


def film(sketcher: Sketcher, picture: Image.Image, folder: Path) -> dict[str, float]:
    """Frames of a film against single pictures, and how much of a still ground moves in it."""
    ground = np.asarray(picture.resize(FRAME))
    frames = []
    for number in range(FRAMES):
        frame = ground.copy()
        cv2.circle(frame, (200 + 30 * number, 500), 60, (240, 230, 60), -1, cv2.LINE_AA)
        frames.append(frame)
    source = folder / "film.mp4"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"crf": "0"})
        stream.width, stream.height, stream.pix_fmt = *FRAME, "yuv444p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    names = (folder / f"drawn{number}.mp4" for number in range(100))
    shot = Shot(sketcher.defaults)
    filmed = best(lambda: draw_film(sketcher, source, next(names), shot, "default", say=lambda _: None), 1)
    single = best(lambda: [sketcher(Image.fromarray(frame)) for frame in frames], 1)
    batch = sketcher(np.stack(frames))
    still = batch[:, :, 640:]
    return {
        "frames_per_second": FRAMES / filmed,
        "pictures_per_second": FRAMES / single,
        "ratio": single / filmed,
        "boil": float(np.abs(np.diff(still.astype(np.float32), axis=0)).mean()),
    }


def main() -> None:
    sketcher = Sketcher.load("default", "cpu")
    picture = Image.open(PICTURE)
    subject = sketcher.subject(picture.resize((1024, 1024)))
    lines = sketcher.subject(drawing(2048))
    with tempfile.TemporaryDirectory() as name:
        report = {
            "machine": machine(),
            "cold": cold(sketcher, picture, Path(name)),
            "planning, picture": planning(sketcher, subject),
            "planning, lines": planning(sketcher, lines),
            "tiles": tiles(sketcher, lines),
            "paper": paper(sketcher),
            "preview": preview(sketcher, subject),
            "arithmetic": arithmetic(sketcher),
            "film": film(sketcher, picture, Path(name)),
        }
    RESULT.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
