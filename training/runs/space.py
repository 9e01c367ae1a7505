"""Disk space: what a run will take, whether there is enough, and telling a full disk from other errors."""

from __future__ import annotations

import errno
import shutil
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from ..config import TrainConfig
from ..data.training_set import Data
from ..errors import TrainingError
from ..learning.loop import Training
from .checkpoint import FOLDER, KEPT

SHOWN = 8  # validation crops in a sample grid
COLUMNS = 4  # of a sample grid
SPARE = 0.95  # share of the free space that may be counted on: others write too
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
FULL_TOLD = ("No space left", "Disk quota exceeded", "File too large")  # from libraries that hide the number


def wanted(run: Path, training: Training, data: Data) -> dict[tuple[str, Path], int]:
    """Bytes that a run will still write, by what they are for and the folder they go to."""
    config = training.config
    there = sum(file.stat().st_size for file in (run / FOLDER).rglob("*") if file.is_file())
    # the last ones, the best one, the last good one, and the one that is being written
    saved = (KEPT + 3) * checkpoint_bytes(training)
    return {
        ("planned pairs", data.folder): data.missing_bytes(),
        ("checkpoints", run): max(0, saved - there),
        ("samples", run): _sample_bytes(config),
    }


def checkpoint_bytes(training: Training) -> int:
    """Weights and buffers of all networks, and Adam's two moments of the trained ones."""
    weights = sum(value.nbytes for module in training.modules.values() for value in module.state_dict().values())
    trained = [parameter for optimizer in training.optimizers.values() for parameter in _parameters(optimizer)]
    return weights + 2 * sum(parameter.nbytes for parameter in trained)


def refuse_lack(needs: Mapping[tuple[str, Path], int]) -> None:
    """Raise TrainingError if the disks cannot hold `needs`: bytes by what they are for and where they go."""
    by_disk: dict[int, list[tuple[str, Path, int]]] = defaultdict(list)
    for (name, folder), amount in needs.items():
        by_disk[_existing(folder).stat().st_dev].append((name, folder, amount))
    for parts in by_disk.values():
        folder = parts[0][1]
        needed, free = sum(amount for _, _, amount in parts), shutil.disk_usage(_existing(folder)).free
        if needed > SPARE * free:
            told = ", ".join(f"{size(amount)} of {name}" for name, _, amount in parts if amount)
            raise TrainingError(
                f"{folder}: {told} are to come and {size(free)} are free; make room, "
                "or give -o or --plans a folder on a larger disk"
            )


def size(amount: int) -> str:
    """Bytes as a person says them: 2.50 GB, 340 MB, 3.4 MB."""
    if amount >= 1e9:
        return f"{amount / 1e9:.2f} GB"
    return f"{amount / 1e6:.{0 if amount >= 1e7 else 1}f} MB"


def is_full(error: BaseException) -> bool:
    """Whether writing failed for want of disk space."""
    return getattr(error, "errno", None) in FULL or any(told in str(error) for told in FULL_TOLD)


def _sample_bytes(config: TrainConfig) -> int:
    grid = min(SHOWN, config.validation_crops) * COLUMNS * (config.crop + 2) ** 2
    # once as a file and once for TensorBoard; grain hardly compresses
    return 2 * grid * (config.crops // config.sample_crops + 1)


def _parameters(optimizer: object) -> list:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]  # type: ignore[attr-defined]


def _existing(folder: Path) -> Path:
    folder = folder.absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())
