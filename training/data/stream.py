"""Crops from the WebDataset shards that `sketchgan-train shard` wrote, read from one end to the other."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import webdataset

from sketchgan_core.errors import SketchGANError
from sketchgan_core.planning.controls import Controls

from ..config import TrainConfig
from .crops import Crops
from .plan_version import another_plan
from .shards import INDEX, PARTS
from .stacks import STORED, levels


@dataclass(frozen=True)
class Shard:
    path: Path
    pairs: int


class Stream:
    """The planned pairs of some shards, over and over: every epoch shuffles the shards and keeps the order within each.

    Only the pairs between the place last given to `forget` and the last place asked for are in memory; places are asked
    for in roughly rising order.

    Attributes:
        total: pairs in one epoch.
    """

    def __init__(self, shards: Sequence[Shard], seed: int) -> None:
        self.shards = list(shards)
        self.seed = seed
        self.total = sum(shard.pairs for shard in shards)
        self._held: deque[tuple[np.ndarray, np.ndarray]] = deque()
        self._first = 0  # place of the first pair held
        self._rest: Iterator[tuple[np.ndarray, np.ndarray]] | None = None

    def __getitem__(self, place: int) -> np.ndarray:
        """The stack (H, W, len(STORED)) uint8 at a place of the endless stream."""
        return self._at(place)[0]

    def controls(self, place: int) -> np.ndarray:
        """(len(CONTROLS),) uint8."""
        return self._at(place)[1]

    def forget(self, place: int) -> None:
        """Drop the pairs before `place`; if it lies outside what is held, read anew from there."""
        if self._rest is None or place < self._first or place > self._first + len(self._held):
            self._held.clear()
            self._first, self._rest = place, self._read(place)
        while self._first < place:
            self._held.popleft()
            self._first += 1

    def _at(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        if self._rest is None or place < self._first:
            self.forget(place)
        assert self._rest is not None
        while len(self._held) <= place - self._first:
            self._held.append(next(self._rest))
        return self._held[place - self._first]

    def _read(self, place: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        epoch, skip = divmod(place, self.total)
        while True:
            for number in np.random.default_rng((self.seed, epoch)).permutation(len(self.shards)):
                shard = self.shards[number]
                if skip < shard.pairs:
                    yield from _pairs(shard, skip)
                skip = max(0, skip - shard.pairs)
            epoch += 1


class StreamedCrops(Crops):
    """As `Crops`; crop n comes from one of the `first_pairs` pairs that follow where the stream has got to by then.

    It is a pure function of seed, n and the shards, so a resumed run sees what an uninterrupted one would have seen.
    """

    stacks: Stream

    def __init__(self, stream: Stream, config: TrainConfig, identity: float = 0.0) -> None:
        super().__init__(stream, (), config, identity)

    def _choose(self, rng: np.random.Generator, number: int) -> int:
        place = number // self.config.crops_per_pair
        self.stacks.forget(place)
        return place + int(rng.integers(min(self.config.first_pairs, self.stacks.total)))


def is_sharded(folders: Sequence[Path]) -> bool:
    return any((folder / INDEX).exists() or any(folder.glob("*.tar")) for folder in folders)


def find_shards(folder: Path) -> tuple[list[Shard], list[Shard], str]:
    """The shards to train on, those to validate on, and a summary of what is in them.

    Raises:
        SketchGANError: the folder's index is missing, a shard is missing or truncated, or they are of another plan.
    """
    index = folder / INDEX
    try:
        entries: dict[str, Any] = json.loads(index.read_text())
        if other := another_plan(entries):
            raise SketchGANError(
                f"{index}: the shards are of {other}; make the pairs again with sketchgan-train synthesize, "
                "then shard them again"
            )
        parts = [[_shard(folder, entry) for entry in entries[part]] for part in PARTS]
        return parts[0], parts[1], str(entries["summary"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SketchGANError(
            f"{index}: not readable ({error!r}); write the shards with sketchgan-train shard"
        ) from error


def _shard(folder: Path, entry: dict[str, Any]) -> Shard:
    path = folder / entry["name"]
    size = path.stat().st_size if path.exists() else 0
    if size != entry["bytes"]:
        raise SketchGANError(f"{path}: {size} bytes where {INDEX} says {entry['bytes']}; copy the shard again")
    return Shard(path, entry["pairs"])


def _pairs(shard: Shard, skip: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    samples = webdataset.WebDataset(str(shard.path), shardshuffle=False, workersplitter=None).decode()
    for number, sample in enumerate(samples):
        stack = sample["stack.npy"]
        if stack.ndim != 3 or stack.shape[2] != len(STORED):
            raise SketchGANError(f"{shard.path}: made for another version of the planes; shard the pairs again")
        if number >= skip:
            yield stack, levels(Controls(**sample["pair.json"]["controls"]))
