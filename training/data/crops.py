"""The stream of training crops: crop n is a pure function of seed, n and pairs, so a resumed run sees the same."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ..config import TrainConfig
from ..errors import TrainingError
from ..processes import STOPPING
from .augment import INK, SKETCH, affine_matrix, change_thickness, finish, overlap, turn, warp

TRIES = 12  # a drawing may have no window with enough ink; then the last one tried is taken
MARGIN = 1.35  # affine_matrix, at its most shrinking and rotating, reads this many times the window's side
INK_LEVEL = 128


class Planned(Protocol):
    """Where planned pairs come from."""

    def __getitem__(self, index: int) -> np.ndarray:
        """The stack (H, W, len(STORED)) uint8 of a pair."""

    def controls(self, index: int) -> np.ndarray:
        """(len(CONTROLS),) uint8."""


class Crops(Dataset[Tensor]):
    """`crops[n]` is augmented crop n of the run, (len(CHANNELS), crop, crop) uint8.

    Args:
        identity: chance of a crop whose input is the finished sketch, to be left as it is.
    """

    def __init__(self, stacks: Planned, training: Sequence[int], config: TrainConfig, identity: float = 0.0) -> None:
        self.stacks = stacks
        self.config = config
        self.identity = identity
        self.batch = config.batch  # crops a step and process
        self.order = np.random.default_rng(config.seed).permutation(np.asarray(training)).tolist()

    def __getitem__(self, number: int) -> Tensor:
        return tensor(self.crop(np.random.default_rng((self.config.seed, number)), number))

    def crop(self, rng: np.random.Generator, number: int) -> np.ndarray:
        """An augmented crop (crop, crop, len(CHANNELS)) of the pairs in play at crop `number`."""
        window = self._window(rng, number)
        while rng.random() < self.config.overlap:
            window = overlap(window, self._window(rng, number))
        if self.identity and rng.random() < self.identity:
            finish(window)
        elif rng.random() < self.config.thickness:
            change_thickness(window, rng)
        return turn(window, rng)

    def _choose(self, rng: np.random.Generator, number: int) -> int:
        # the pool grows with the crops seen, so that training starts before all pairs are planned
        pool = min(len(self.order), self.config.first_pairs + number // self.config.crops_per_pair)
        return self.order[int(rng.integers(pool))]

    def _window(self, rng: np.random.Generator, number: int) -> np.ndarray:
        index = self._choose(rng, number)
        stack, size = self.stacks[index], self.config.crop
        if rng.random() < self.config.affine:
            source = round(size * MARGIN)
            window = inked_window(stack, source, rng, self.config.minimum_ink)
            window = warp(window, affine_matrix(rng, size, source), size)
        else:
            window = inked_window(stack, size, rng, self.config.minimum_ink)
        return _with_controls(window, self.stacks.controls(index))


def validation_batch(stacks: Planned, validation: Sequence[int], config: TrainConfig) -> Tensor:
    """The fixed, unaugmented crops on which the run is measured, spread over the held-back pairs.

    Raises:
        TrainingError: there is not a line in them, or not a stroke.
    """
    crops, blank, undrawn = [], True, True
    for number in range(config.validation_crops):
        rng = np.random.default_rng((config.seed, number, 1))
        index = validation[number * len(validation) // config.validation_crops % len(validation)]
        window = inked_window(stacks[index], config.crop, rng, config.minimum_ink)
        blank &= int(np.ptp(window[..., INK])) < INK_LEVEL // 4
        undrawn &= int(np.ptp(window[..., SKETCH])) < INK_LEVEL // 4
        crops.append(tensor(_with_controls(window, stacks.controls(index))))
    if blank:
        raise TrainingError(
            "none of the held-back pairs shows a line; line images are dark lines on white: look at them"
        )
    if undrawn:
        raise TrainingError(
            "none of the held-back pairs has a stroke in its sketch, so nothing is to be learned: look at them"
        )
    return torch.stack(crops)


def inked_window(
    stack: np.ndarray, size: int, rng: np.random.Generator, minimum_ink: float, channel: int = INK
) -> np.ndarray:
    """A window (size, size, channels) whose input lines are dark enough, or the last of TRIES."""
    height, width = stack.shape[:2]
    for _ in range(TRIES):
        top, left = int(rng.integers(max(height - size, 0) + 1)), int(rng.integers(max(width - size, 0) + 1))
        window = stack[top : top + size, left : left + size]
        if is_inked(window[..., channel], size, minimum_ink):
            break
    missing = (size - window.shape[0], size - window.shape[1])
    if any(missing):
        window = np.pad(window, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="reflect")
    return window


def is_inked(ink: np.ndarray, size: int, minimum_ink: float) -> bool:
    """Whether enough of a window's ink (H, W) is dark, as a share of size * size."""
    return bool(np.count_nonzero(ink > INK_LEVEL) >= minimum_ink * size * size)


def loader(crops: Crops, first: int, config: TrainConfig, process: int = 0, processes: int = 1) -> DataLoader[Tensor]:
    """Batches of `crops` from number `first` on, without end; each process takes its share of every step."""
    return DataLoader(
        crops,
        batch_sampler=_Steps(first, crops.batch * config.accumulate, process, processes),
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
    for number in STOPPING:  # where the system cannot hold them back
        signal.signal(number, signal.SIG_IGN)


def _with_controls(window: np.ndarray, controls: np.ndarray) -> np.ndarray:
    planes = np.broadcast_to(controls, (*window.shape[:2], len(controls)))
    return np.concatenate([window, planes], axis=2)


def tensor(window: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(window.transpose(2, 0, 1)))
