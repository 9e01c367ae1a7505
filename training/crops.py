"""The stream of training crops: crop n is a pure function of seed, n and pairs, so a resumed run sees the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from .augment import INK, affine_matrix, change_thickness, overlap, turn, warp
from .config import TrainConfig
from .stacks import Stacks

TRIES = 12  # a drawing may have no window with enough ink; then its last one is taken
MARGIN = 1.35  # the largest shrinking rotation of affine_matrix looks this much further than the window
INK_LEVEL = 128


class Crops(Dataset[Tensor]):
    """`crops[n]` is augmented crop n of the run, (len(CHANNELS), crop, crop) uint8."""

    def __init__(self, stacks: Stacks, training: Sequence[int], config: TrainConfig) -> None:
        self.stacks = stacks
        self.config = config
        self.order = np.random.default_rng(config.seed).permutation(np.asarray(training)).tolist()

    def __getitem__(self, number: int) -> Tensor:
        config = self.config
        rng = np.random.default_rng((config.seed, number))
        # the pool grows with the crops seen, so that training starts before all pairs are planned
        pool = min(len(self.order), config.first_pairs + number // config.crops_per_pair)
        window = self._window(rng, pool)
        while rng.random() < config.overlap:
            window = overlap(window, self._window(rng, pool))
        if rng.random() < config.thickness:
            change_thickness(window, rng)
        return _tensor(turn(window, rng))

    def _window(self, rng: np.random.Generator, pool: int) -> np.ndarray:
        index = self.order[int(rng.integers(pool))]
        stack, size = self.stacks[index], self.config.crop
        if rng.random() < self.config.affine:
            source = round(size * MARGIN)
            window = inked_window(stack, source, rng, self.config.minimum_ink)
            window = warp(window, affine_matrix(rng, size, source), size)
        else:
            window = inked_window(stack, size, rng, self.config.minimum_ink)
        return _with_controls(window, self.stacks.controls(index))


def validation_batch(stacks: Stacks, validation: Sequence[int], config: TrainConfig) -> Tensor:
    """The fixed, unaugmented crops by which the run is measured, spread over the held-back pairs."""
    crops = []
    for number in range(config.validation_crops):
        rng = np.random.default_rng((config.seed, number, 1))
        index = validation[number * len(validation) // config.validation_crops % len(validation)]
        window = inked_window(stacks[index], config.crop, rng, config.minimum_ink)
        crops.append(_tensor(_with_controls(window, stacks.controls(index))))
    return torch.stack(crops)


def inked_window(stack: np.ndarray, size: int, rng: np.random.Generator, minimum_ink: float) -> np.ndarray:
    """A window (size, size, channels) whose input lines are dark enough, of a bounded number of tries."""
    height, width = stack.shape[:2]
    for _ in range(TRIES):
        top, left = int(rng.integers(max(height - size, 0) + 1)), int(rng.integers(max(width - size, 0) + 1))
        window = stack[top : top + size, left : left + size]
        if np.count_nonzero(window[..., INK] > INK_LEVEL) >= minimum_ink * size * size:
            break
    missing = (size - window.shape[0], size - window.shape[1])
    if any(missing):
        window = np.pad(window, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="reflect")
    return window


def loader(crops: Crops, first: int, config: TrainConfig, process: int = 0, processes: int = 1) -> DataLoader[Tensor]:
    """Batches of `crops` from number `first` on, without end; each process takes its share of every step."""
    return DataLoader(
        crops,
        batch_sampler=_Steps(first, config.batch * config.accumulate, process, processes),
        num_workers=config.workers,
        prefetch_factor=8 if config.workers else None,
        # a fork would inherit the locks of OpenCV's and OpenMP's threads without the threads
        multiprocessing_context="spawn" if config.workers else None,
        worker_init_fn=_settle,
        # a private generator: the loader must not advance the run's own random state
        generator=torch.Generator(),
        pin_memory=torch.cuda.is_available(),
    )


class _Steps:
    def __init__(self, first: int, batch: int, process: int, processes: int) -> None:
        self.first, self.batch, self.process, self.processes = first, batch, process, processes

    def __iter__(self) -> Iterator[list[int]]:
        start = self.first + self.process * self.batch
        while True:
            yield list(range(start, start + self.batch))
            start += self.processes * self.batch


def _settle(worker: int) -> None:
    cv2.setNumThreads(1)


def _with_controls(window: np.ndarray, controls: np.ndarray) -> np.ndarray:
    planes = np.broadcast_to(controls, (*window.shape[:2], len(controls)))
    return np.concatenate([window, planes], axis=2)


def _tensor(window: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(window.transpose(2, 0, 1)))
