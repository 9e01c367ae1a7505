"""What is thrown, and what it is thrown at."""

from __future__ import annotations

import importlib.util
import io
import json
import random
import resource
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageCms

from sketchgan_core.errors import SketchGANError
from sketchgan_core.images import INPUT_FORMATS, read_image, read_made_with, to_lines, to_pixels
from sketchgan_core.lines.prepare import prepare_lines
from sketchgan_core.lines.settings import SETTINGS, LineSettings
from sketchgan_core.pencils.header import Card, read_header
from sketchgan_core.pencils.weights import load_pencil, save_pencil
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.planes import PLAN_VERSION
from tests import forged
from tests.conftest import random_generator
from training.data.pairs import find_pairs
from training.learning.validation import Best
from training.runs.checkpoint import newest_intact, read_state, save_checkpoint
from training.runs.state import Origin, RunState

ROOT = Path(__file__).parents[2]
SECONDS = 5.0
# A few bytes can hold a picture of a hundred megapixels, the most that is read.
MEGABYTES = {"images": 2500, "records": 2500}
MOST_MEGABYTES = 500  # for all others
FORMATS = (*INPUT_FORMATS, "TGA")
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().replace(b"\0s\0R\0G\0B", b"\0o\0t\0h\0r")
ODD = (
    0,
    1,
    -1,
    2**31,
    2**63,
    -(2**63),
    1e308,
    -1e308,
    float("nan"),
    float("inf"),
    None,
    True,
    "",
    "\n",
    "x" * 5000,
    [],
    {},
)


@dataclass
class Told:
    """What became of the cases of one kind."""

    name: str
    taken: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name}: {self.taken} taken, {self.refused} refused, {len(self.faults)} faults"


def throw(name: str, seeds: Iterable[int], folder: Path) -> Told:
    """Throws the cases of some seeds at one target, in a folder of its own."""
    told, target = Told(name), TARGETS[name]
    for seed in seeds:
        start, before = time.monotonic(), _peak()
        try:
            target(random.Random(seed), folder)
            told.taken += 1
        except SketchGANError as error:
            told.refused += 1
            longest = 4000 if name == "pairs" else 1000  # several problems, one line each
            if ("\n" in str(error) and name != "pairs") or not 5 < len(str(error)) < longest:
                told.faults.append(f"{name}, seed {seed}: told in {str(error)[:200]!r}")
        except Exception:
            told.faults.append(f"{name}, seed {seed}: {traceback.format_exc(limit=-3)}")
        seconds, megabytes = time.monotonic() - start, _peak() - before
        if seconds > SECONDS or megabytes > MEGABYTES.get(name, MOST_MEGABYTES):
            told.faults.append(f"{name}, seed {seed}: {seconds:.1f} s, {megabytes} MB")
    return told


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut out, put in or put twice; or the end cut off."""
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(changed)) if changed else 0
        # What matters most is at the beginning.
        at = rng.randrange(min(len(changed), 64)) if changed and rng.random() < 0.3 else at
        size = rng.choice((1, 2, 4, 8, 64))
        kind = rng.randrange(6)
        if kind == 0:
            changed[at : at + size] = rng.randbytes(size)
        elif kind == 1:
            changed[at : at + size] = rng.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * size
        elif kind == 2:
            del changed[at : at + size]
        elif kind == 3:
            changed[at:at] = rng.randbytes(size)
        elif kind == 4:
            changed[at:at] = changed[at : at + size * 8]
        else:
            del changed[at:]
    return bytes(changed)


def _images(rng: random.Random, folder: Path) -> None:
    kind, profile = rng.choice(FORMATS), rng.random() < 0.2
    content = _picture(kind, rng.choice(("L", "RGB", "RGBA", "P", "I;16", "1")))
    if profile and kind in ("PNG", "JPEG", "TIFF", "WEBP"):
        content = _with_profile(content, kind, mutated(PROFILE, rng))
    else:
        content = mutated(content, rng)
    picture = read_image(f"case.{kind.lower()}", content)
    assert picture.grey.dtype == np.float32
    assert picture.grey.ndim == 2
    assert picture.grey.size
    assert np.isfinite(picture.grey).all()
    assert picture.grey.min() >= 0
    assert picture.grey.max() <= 1
    assert picture.colour is None or picture.colour.shape == (*picture.grey.shape, 3)


def _with_profile(content: bytes, kind: str, profile: bytes) -> bytes:
    changed = io.BytesIO()
    with Image.open(io.BytesIO(content)) as image:
        image.save(changed, kind, icc_profile=profile)
    return changed.getvalue()


def _records(rng: random.Random, folder: Path) -> None:
    file = folder / "case.png"
    file.write_bytes(mutated(_picture("PNG", "L", "--seed 7 --darkness 0.5"), rng))
    read_made_with(file)


@cache
def _picture(kind: str, mode: str, said: str = "") -> bytes:
    values = np.random.default_rng(0).integers(0, 255, (24, 31, 4), dtype=np.uint8)
    image = Image.fromarray(values).convert("RGBA" if mode == "RGBA" else "RGB")
    if mode == "I;16":
        image = Image.fromarray(values[..., 0].astype(np.uint16) * 200)
    elif mode != image.mode:
        image = image.convert(mode)
    if kind == "JPEG" and image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    if (kind in ("WEBP", "JPEG2000", "GIF", "BMP") and image.mode == "I;16") or (
        kind == "JPEG2000" and image.mode in "1P"
    ):
        image = image.convert("L")
    if kind == "PPM" and image.mode in ("P", "RGBA"):
        image = image.convert("RGB")
    if (kind == "TGA" and image.mode == "I;16") or (kind == "AVIF" and image.mode in ("1", "I;16")):
        image = image.convert("L")
    if kind == "ICO":
        image = image.convert("RGBA")
    content = io.BytesIO()
    options: dict[str, Any] = {"dpi": (300, 300)} if kind in ("PNG", "JPEG", "TIFF") else {}
    if said:
        from PIL.PngImagePlugin import PngInfo

        options["pnginfo"] = text = PngInfo()
        text.add_text("sketchgan", said)
    image.save(content, kind, **options)
    return content.getvalue()


def _weights(rng: random.Random, folder: Path) -> None:
    file = folder / "case.safetensors"
    if rng.random() < 0.5:
        contents, data = json.loads(_pencil()[8 : 8 + _header()]), _pencil()[8 + _header() :]
        forged.mutate(contents, rng)
        forged.write(file, contents, data)
    else:
        file.write_bytes(mutated(_pencil(), rng))
    header = read_header(file)
    Controls.from_mapping(header.controls)
    load_pencil(file)


def _header() -> int:
    return int.from_bytes(_pencil()[:8], "little")


@cache
def _pencil() -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pencil.safetensors")
        save_pencil(file, random_generator(), Card("A pencil", "somebody", "CC0-1.0"), controls={"darkness": 0.5})
        return file.read_bytes()


def _arrays(rng: random.Random, folder: Path) -> None:
    shape = tuple(rng.choice((0, 1, 2, 3, 4, 5, 17)) for _ in range(rng.randrange(5)))
    kind = rng.choice(
        (np.uint8, np.uint16, np.int32, np.int64, np.float16, np.float32, np.float64, np.bool_, np.complex64)
    )
    values = np.random.default_rng(rng.randrange(99)).normal(0.5, rng.choice((0.1, 0.5, 100.0)), shape)
    with np.errstate(all="ignore"):
        image = values.astype(kind)
    if image.size and rng.random() < 0.1 and np.issubdtype(kind, np.floating):
        image.flat[0] = rng.choice((np.nan, np.inf, -np.inf))
    grey, pixels = to_lines(image), to_pixels(image)
    assert grey.shape == pixels.shape[:2]
    assert grey.min() >= 0
    assert grey.max() <= 1


def _settings(rng: random.Random, folder: Path) -> None:
    def value(low: float, high: float) -> Any:
        return rng.choice((rng.uniform(low, high), low, high, rng.choice(ODD)))

    chosen = {name: value(known.low, known.high) for name, known in SETTINGS.items() if rng.random() < 0.3}
    settings = LineSettings(**chosen)
    side = rng.choice((1, 2, 7, 40))
    picture = np.random.default_rng(rng.randrange(9)).random((side, rng.choice((1, 3, 40)), 3)).astype(np.float32)
    lines = prepare_lines(
        picture, rng.choice(("drawing", "photo", "none", "classic", "auto")), settings, device="cpu"
    ).lines
    assert lines.shape == picture.shape[:2]
    assert np.isfinite(lines).all()


def _checkpoints(rng: random.Random, folder: Path) -> None:
    run = _run(folder)
    newest = run / "checkpoints" / "0000000004"
    file = newest / rng.choice(("state.json", "state.json", "weights.safetensors", "optimizers.safetensors"))
    whole = file.read_bytes()
    if file.name == "state.json" and rng.random() < 0.5:
        told = json.loads(whole)
        told[rng.choice(list(told))] = rng.choice(ODD)
        file.write_text(json.dumps(told))
    else:
        file.write_bytes(mutated(whole, rng))
    changed = _told(file) != (json.dumps(json.loads(whole)) if file.name == "state.json" else whole)
    try:
        found = newest_intact(run)
        assert found is not None
        assert read_state(found).crops == (2 if changed else 4)
    finally:
        for aside in (run / "checkpoints").glob("*.damaged"):
            aside.rename(newest)
        file.write_bytes(whole)


def _told(file: Path) -> Any:
    """What a file says; spaces in JSON do not count."""
    content = file.read_bytes()
    try:
        return json.dumps(json.loads(content)) if file.name == "state.json" else content
    except ValueError:
        return content


def _run(folder: Path) -> Path:
    run = folder / "run"
    if not run.exists():
        import torch

        network = {"generator": torch.nn.Linear(2, 2)}
        origin = Origin("sketchgan-train run", "4 pairs", "", "none", 1)
        for crops in (2, 4):
            best = Best(2, "validation/l1_1px/average", 0.5, "it is")
            save_checkpoint(run, network, {}, RunState(origin, crops, 1.0, 2, best=best, unlogged={"loss": [0.5]}))
    return run


def _pairs(rng: random.Random, folder: Path) -> None:
    pairs = folder / "pairs"
    if not pairs.exists():
        for kind in ("line", "sketch"):
            (pairs / kind).mkdir(parents=True)
            for name in "ab":
                (pairs / kind / f"{name}.png").write_bytes(_picture("PNG", "L"))
    entry: dict[str, Any] = {
        "name": "a", "drawing": "a", "licence": "CC0-1.0", "seed": 3, "plan_version": PLAN_VERSION,
        "style": {"paper": "cartridge", "brush": "2B"}, "controls": {"darkness": 0.5, "roughness": 0.4, "shading": 0.5},
    }  # fmt: skip
    for _ in range(rng.choice((0, 1, 2))):
        part = entry.get(rng.choice(("style", "controls", "")), entry)
        part = part if isinstance(part, dict) else entry
        if part:
            part[rng.choice(list(part))] = rng.choice(ODD)
    content = json.dumps(entry).encode()
    (pairs / "manifest.jsonl").write_bytes(mutated(content, rng) if rng.random() < 0.5 else content)
    find_pairs([pairs])


@cache
def _node_inputs() -> ModuleType:
    """nodes/images.py by itself: the package around it can only be imported in a host."""
    spec = importlib.util.spec_from_file_location("node_images", ROOT / "nodes" / "images.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _nodes(rng: random.Random, folder: Path) -> None:
    """What another node may hand over as an IMAGE or a MASK."""
    sizes = [rng.choice((0, 1, 1, 2, 3, 4, 5, 17, 64)) for _ in range(rng.choice((0, 1, 2, 3, 3, 4, 4, 4, 5)))]
    dtypes = (torch.float32, torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.complex64)
    dtype = rng.choice((*dtypes, torch.bool, torch.uint8, torch.int8, torch.int16, torch.int64))
    given = (torch.rand(sizes, generator=torch.Generator().manual_seed(rng.randrange(2**31))) * 255).to(dtype)
    if given.numel() and dtype.is_floating_point and rng.random() < 0.5:
        given.view(-1)[rng.randrange(given.numel())] = rng.choice((float("nan"), float("inf"), -1e4))
    if given.ndim > 1 and rng.random() < 0.3:
        given = given.transpose(0, -1)  # not contiguous
    images, kind = _node_inputs(), rng.choice(("frames", "masks"))
    try:
        taken = getattr(images, kind)(given, "image")
    except ValueError as error:
        raise SketchGANError(str(error)) from None
    assert taken.numel()
    assert (taken.dtype, taken.ndim) == (torch.float32, 4 if kind == "frames" else 3)
    if kind == "frames":
        assert images.to_colours(taken[0], rng.choice((1, 7)), rng.choice((1, 9))).shape[-1] == 3


TARGETS: dict[str, Callable[[random.Random, Path], None]] = {
    "images": _images,
    "records": _records,
    "arrays": _arrays,
    "settings": _settings,
    "weights": _weights,
    "checkpoints": _checkpoints,
    "pairs": _pairs,
    "nodes": _nodes,
}


def _peak() -> int:
    """Peak resident memory of this process, MB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit
