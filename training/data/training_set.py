"""What a run trains on, be it folders of pairs or shards: crops without end, and a batch to validate on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from sketchgan_core.errors import SketchGANError

from ..config import TrainConfig
from .crops import Crops, validation_batch
from .pairs import describe_data, find_pairs, split, summary
from .stacks import Stacks, plan_pair
from .stream import Stream, StreamedCrops, find_shards, is_sharded


class Data(Protocol):
    """Attributes:
    summary: one line for the log and the pencil's card.
    folder: where plans are kept.
    """

    summary: str
    folder: Path

    def describe(self) -> dict[str, Any]:
        """Numbers, and a fingerprint that shows when the data have changed."""

    def controls(self) -> dict[str, float]:
        """The mean of the controls that were measured in an artist's own drawings; empty if there are none."""

    def plans(self) -> list[Path]:
        """The files of the planned pairs, whether they are there or not."""

    def missing(self) -> int:
        """Pairs that are not planned yet."""

    def plan_one(self) -> None:
        """Plan one of the pairs and throw the plan away, to see how long it takes."""

    def missing_bytes(self) -> int:
        """Disk space that planning will take."""

    def crops(self, identity: float) -> Crops: ...

    def validation_batch(self) -> Tensor: ...

    def plan_ahead(self, crops: Crops) -> BaseProcess | None:
        """A process that plans what `crops` will ask for, if anything is left to plan."""


class PairData:
    """Folders of pairs."""

    def __init__(self, folders: Sequence[Path], plans: Path, config: TrainConfig) -> None:
        pairs = find_pairs(folders)
        self.config = config
        self.training, self.validation = split(pairs, config.validation)
        self.stacks = Stacks(pairs, plans)
        self.folder = plans
        self.summary = summary(folders, pairs, self.training, self.validation)

    def describe(self) -> dict[str, Any]:
        return describe_data(self.summary, self.stacks.pairs, self.training, self.validation)

    def controls(self) -> dict[str, float]:
        own = [asdict(pair.controls) for pair in map(self.stacks.pairs.__getitem__, self.training) if pair.own]
        return {name: round(sum(one[name] for one in own) / len(own), 2) for name in own[0]} if own else {}

    def plans(self) -> list[Path]:
        return self.stacks.files

    def missing(self) -> int:
        return sum(not file.exists() for file in self.stacks.files)

    def plan_one(self) -> None:
        plan_pair(self.stacks.pairs[self.training[0]])

    def missing_bytes(self) -> int:
        return self.stacks.missing_bytes()

    def crops(self, identity: float) -> Crops:
        return Crops(self.stacks, self.training, self.config, identity)

    def validation_batch(self) -> Tensor:
        return validation_batch(self.stacks, self.validation, self.config)

    def plan_ahead(self, crops: Crops) -> BaseProcess | None:
        return self.stacks.plan_ahead(crops.order) if self.stacks.missing_bytes() else None


class ShardData:
    """A folder of shards: planned already, and split when they were written."""

    def __init__(self, folder: Path, config: TrainConfig) -> None:
        self.config = config
        self.training, self.validation, self.summary = find_shards(folder)

        self.folder = folder

    def describe(self) -> dict[str, Any]:
        names = [(shard.path.name, shard.pairs, shard.path.stat().st_size) for shard in self.training + self.validation]
        return {
            "told": self.summary,
            "pairs": sum(pairs for _, pairs, _ in names),
            "training": sum(shard.pairs for shard in self.training),
            "validation": sum(shard.pairs for shard in self.validation),
            "held_back": True,
            "sha256": hashlib.sha256(repr(names).encode()).hexdigest(),
        }

    def controls(self) -> dict[str, float]:
        return {}

    def plans(self) -> list[Path]:
        return []

    def missing(self) -> int:
        return 0

    def plan_one(self) -> None:
        return None

    def missing_bytes(self) -> int:
        return 0

    def crops(self, identity: float) -> Crops:
        return StreamedCrops(Stream(self.training, self.config.seed), self.config, identity)

    def validation_batch(self) -> Tensor:
        stream = Stream(self.validation, self.config.seed)
        return validation_batch(stream, range(stream.total), self.config)

    def plan_ahead(self, crops: Crops) -> BaseProcess | None:
        return None


def open_data(folders: Sequence[Path], plans: Path, config: TrainConfig) -> Data:
    """Pair folders, or one folder of shards.

    Raises:
        SketchGANError: something is wrong with them; the message says what.
    """
    if not is_sharded(folders):
        return PairData(folders, plans, config)
    if len(folders) > 1:
        raise SketchGANError(f"{folders[1]}: shards are given as one folder; shard all the pairs together")
    return ShardData(folders[0], config)
