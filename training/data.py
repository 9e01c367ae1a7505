"""What a run trains on, be it folders of pairs or shards: crops without end, and a batch to validate on."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Protocol

from torch import Tensor

from sketchgan_core.errors import SketchGANError

from .config import TrainConfig
from .crops import Crops, validation_batch
from .pairs import find_pairs, split, summary
from .stacks import Stacks
from .stream import Stream, StreamedCrops, find_shards, is_sharded


class Data(Protocol):
    """Attributes:
    summary: one line for the log and the pencil's card.
    """

    summary: str

    def missing_bytes(self) -> int:
        """Disk space that planning will take."""

    def prepare(self) -> None:
        """Make room for the plans; raises SketchGANError where there is none."""

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
        self.summary = summary(folders, pairs, self.training, self.validation)

    def missing_bytes(self) -> int:
        return self.stacks.missing_bytes()

    def prepare(self) -> None:
        self.stacks.prepare()

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

    def missing_bytes(self) -> int:
        return 0

    def prepare(self) -> None:
        return None

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
        SketchGANError: something is wrong with them; tells what.
    """
    if not is_sharded(folders):
        return PairData(folders, plans, config)
    if len(folders) > 1:
        raise SketchGANError(f"{folders[1]}: shards are given as one folder; shard all the pairs together")
    return ShardData(folders[0], config)
