"""One pair as a stack of 8-bit planes on disk: planned once, then read through the page cache."""

from __future__ import annotations

import contextlib
import hashlib
import multiprocessing
import os
import re
import time
from collections.abc import Collection, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
from torch import Tensor

from sketchgan_core.files import digest, written_whole
from sketchgan_core.images import read_image
from sketchgan_core.materials.paper import paper
from sketchgan_core.planning.controls import PLANE_CONTROLS, Controls
from sketchgan_core.planning.light import Light, read_light
from sketchgan_core.planning.plan import PLAN_VERSION, PLANES, plan
from sketchgan_core.scaling import fitted

from ..processes import single_thread
from .pairs import Pair

CONTROLS = PLANE_CONTROLS
# controls are numbers in a pair, so their planes are only filled in when a window is cut
STORED = ("sketch", "paper", "reach", *(name for name in PLANES if name not in CONTROLS))
CHANNELS = (*STORED, *CONTROLS)

# everything lies in 0..1 except the noise, which is unit normal: four deviations either side are kept
NOISE = CHANNELS.index("noise")
NOISE_ZERO, NOISE_STEP = 128, 1 / 32

_PRESENT = f"plan-{PLAN_VERSION}-"  # how the names of the present plan's stacks begin
_ANY = re.compile(r"(plan-\d+-)?[0-9a-f]{24}\.npy")  # the name of any plan's stack


class Stacks:
    """The planned pairs, (H, W, len(STORED)) uint8 each, memory-mapped from `folder`.

    The operating system keeps what is used in memory and drops it when memory is short, and every process that
    reads the folder shares it, so there is no budget to set.
    """

    def __init__(self, pairs: Sequence[Pair], folder: Path) -> None:
        self.pairs = pairs
        self.folder = folder
        self.files = [folder / f"{_PRESENT}{_key(pair)}.npy" for pair in pairs]

    def __getitem__(self, index: int) -> np.ndarray:
        """The stack of a pair, planned now if it has not been yet."""
        file = self.files[index]
        try:
            return np.load(file, mmap_mode="r")
        except (FileNotFoundError, ValueError, EOFError):  # not there yet, or truncated
            stack = plan_pair(self.pairs[index])
        with written_whole(file) as stream:
            np.save(stream, stack)
        return np.load(file, mmap_mode="r")

    def controls(self, index: int) -> np.ndarray:
        """(len(CONTROLS),) uint8."""
        return levels(self.pairs[index].controls)

    def missing_bytes(self) -> int:
        """Disk space that the pairs not planned yet will take."""
        missing = (pair for pair, file in zip(self.pairs, self.files, strict=True) if not file.exists())
        return sum(pair.size[0] * pair.size[1] * len(STORED) for pair in missing)

    def plan_ahead(self, order: Sequence[int]) -> BaseProcess:
        """Start a process that plans the pairs in the `order` in which training will ask for them."""
        process = multiprocessing.get_context("spawn").Process(target=_plan_all, args=(self, list(order)), daemon=True)
        process.start()
        return process


def prepare(folder: Path, wanted: Collection[Path] | None = None) -> None:
    """Create a folder of stacks, and clear away what a killed planner or another version of the plan has left in it.

    With the stacks that are `wanted`, those of pairs that are no longer there go as well.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for part in folder.glob(".*.part"):
        # a younger one may belong to a planner of another run
        with contextlib.suppress(FileNotFoundError):
            if time.time() - part.stat().st_mtime > 3600:
                part.unlink()
    for stack in folder.glob("*.npy"):
        old = not stack.name.startswith(_PRESENT) or (wanted is not None and stack not in wanted)
        if old and _ANY.fullmatch(stack.name):
            stack.unlink(missing_ok=True)


def decode(batch: Tensor) -> Tensor:
    """A batch (B, len(CHANNELS), H, W) uint8 as the float32 values the planes had."""
    values = batch.float().div_(255)
    values[:, NOISE] = (batch[:, NOISE].float() - NOISE_ZERO) * NOISE_STEP
    return values


def pick(values: Tensor, *names: str) -> Tensor:
    """The channels (B, len(names), H, W) of decoded `values` (B, len(CHANNELS), H, W)."""
    return values[:, [CHANNELS.index(name) for name in names]]


def levels(controls: Controls) -> np.ndarray:
    """Controls that are numbers as (len(CONTROLS),) uint8."""
    return np.array([round(float(value) * 255) for name, value in controls.items() if name in CONTROLS], np.uint8)


def plan_pair(pair: Pair) -> np.ndarray:
    """The stack of a pair (H, W, len(STORED)) uint8."""
    line, sketch = grey(pair.line, pair.size), grey(pair.sketch, pair.size)
    planned = plan(line.astype(np.float32) / 255, pair.controls, pair.seed, light_of(pair))
    values = dict(zip(PLANES, planned.planes.numpy(), strict=True))
    values["reach"] = planned.reach.numpy()[0]
    values["paper"] = paper(line.shape[0], line.shape[1], pair.paper, pair.seed)
    stack = np.empty((*line.shape, len(STORED)), np.uint8)
    for channel, name in enumerate(STORED):
        if name == "sketch":
            stack[..., channel] = sketch
        elif channel == NOISE:
            stack[..., channel] = np.clip(np.rint(values[name] / NOISE_STEP + NOISE_ZERO), 0, 255)
        else:
            stack[..., channel] = np.rint(values[name] * 255)
    return stack


def light_of(pair: Pair) -> Light | None:
    """The light that the sketch of a pair shows besides its lines, if any."""
    if pair.tone is None:
        return None
    picture = read_image(pair.tone)
    pixels = picture.grey if picture.colour is None else picture.colour.astype(np.float32) / 255
    return read_light(fitted(pixels, pair.size), float(np.mean(pair.controls.detail)))


def grey(file: Path, size: tuple[int, int] | None = None) -> np.ndarray:
    """An image file as (H, W) uint8, on white, upright; at a size (height, width), or at its own."""
    whole = read_image(file).grey
    return np.rint((whole if size is None else fitted(whole, size)) * 255).astype(np.uint8)


def _key(pair: Pair) -> str:
    # By what is in the files: a copy is known wherever it lies, and what was replaced is not, whatever its date.
    files = [digest(file) for file in pair.images]
    key = repr((files, pair.size, pair.seed, pair.controls, pair.paper, STORED))
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def _plan_all(stacks: Stacks, order: list[int]) -> None:
    os.nice(10)
    single_thread()
    trainer = multiprocessing.parent_process()
    with contextlib.suppress(OSError):  # a full disk: the trainer says so when it gets there
        for index in order:
            if trainer is None or not trainer.is_alive():
                return
            stacks[index]
