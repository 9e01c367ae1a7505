"""What a run reports as it goes: progress, scalars and sample grids, in TensorBoard, a browser and plain files."""

from __future__ import annotations

import math
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from sketchgan_core.files import written_whole

from ..learning.loop import Step, Training, share_done
from ..learning.validation import measure
from .metrics import append
from .space import SHOWN

# tqdm's own, but never seconds per crop.
BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} crops [{elapsed}, {remaining} left, {rate_noinv_fmt}{postfix}]"


@dataclass
class Progress:
    """Averages scalars over `log_crops`, and measures and draws the validation crops every `sample_crops`.

    Attributes:
        run: the run's folder.
        training: at the crops to go on from.
        validation: crops, as `validation_batch` gives them.
        minutes: of training, after which the run ends; None for no such limit.
        unlogged: scalars of the steps since the last point of the curves.
        measured_at: crops of the last validation, -1 before the first.
    """

    run: Path
    training: Training
    validation: Tensor
    minutes: float | None = None
    unlogged: dict[str, list[Tensor]] = field(default_factory=lambda: defaultdict(list))
    measured_at: int = -1

    def __post_init__(self) -> None:
        training = self.training
        # TensorBoard also hides what is at purge_step itself, and what was measured at the checkpoint must stay.
        self.board = SummaryWriter(str(self.run / "tensorboard"), purge_step=training.crops + 1)
        self.samples = self.run / "samples"
        for file in self.samples.glob("*.png"):
            if file.stem.isdigit() and int(file.stem) > training.crops:
                file.unlink()
        self.waited = 0.0
        self.since, self.crops = time.monotonic(), training.crops
        self.started, self.done = time.monotonic(), share_done(training, self.minutes)
        self.bar = tqdm(
            total=training.config.crops, initial=training.crops, unit=" crops", dynamic_ncols=True, smoothing=0.05,
            disable=not sys.stderr.isatty(), bar_format=BAR,
        )  # fmt: skip

    def take(self, step: Step) -> None:
        """Take in one step, and add a point to the curves when it is due."""
        self.waited += step.waited
        for name, value in step.scalars.items():
            self.unlogged[name].append(value)
        self.bar.update(self.training.crops_per_step)
        if self._passed(step, self.training.config.log_crops):
            self._log()

    def validation_due(self, step: Step) -> bool:
        return self._passed(step, self.training.config.sample_crops) and self.measured_at != step.crops

    def validate(self) -> dict[str, float]:
        """Measure and draw the validation crops; returns what was measured."""
        crops = self.measured_at = self.training.crops
        started = time.monotonic()
        scalars, columns = measure(self.training, self.validation)
        self._write(scalars)
        grid = _grid([column[:SHOWN] for column in columns])
        self.board.add_image("input, target, generator, average", grid, crops, dataformats="HW")
        with written_whole(self.samples / f"{crops:010d}.png") as file:
            file.write(cv2.imencode(".png", grid)[1].tobytes())
        # This time does not count as training.
        self.since += time.monotonic() - started
        self.started += time.monotonic() - started
        return scalars

    def close(self) -> None:
        self.bar.close()
        self.board.close()

    def _passed(self, step: Step, every: int) -> bool:
        return step.crops // every > (step.crops - self.training.crops_per_step) // every

    def _log(self) -> None:
        seconds, crops = time.monotonic() - self.since, self.training.crops - self.crops
        scalars = {name: _finite_mean(values) for name, values in self.unlogged.items()}
        scalars["speed/crops_per_second"] = crops / seconds
        scalars["speed/loader_wait"] = self.waited / seconds
        scalars.update(_magnitudes(self.training))
        self._write(scalars)
        self._tell(scalars)
        self.unlogged.clear()
        self.waited, self.since, self.crops = 0.0, time.monotonic(), self.training.crops

    def _tell(self, scalars: dict[str, float]) -> None:
        wait = f"loader wait {100 * scalars['speed/loader_wait']:.0f} %"
        losses = " ".join(f"{name[5:]} {value:.3f}" for name, value in scalars.items() if name.startswith("loss/"))
        done = share_done(self.training, self.minutes)
        if not self.bar.disable:
            self.bar.total = round(self.training.crops / done)
            self.bar.set_postfix_str(f"{wait}, {losses}")
            return
        gone = done - self.done
        left = (1 - done) * (time.monotonic() - self.started) / gone if gone > 0 else math.inf
        print(
            f"{self.training.crops} crops, {scalars['speed/crops_per_second']:.1f}/s, {duration(left)} left, "
            f"{wait}, {losses}",
            flush=True,
        )

    def _write(self, scalars: dict[str, float]) -> None:
        for name, value in scalars.items():
            self.board.add_scalar(name, value, self.training.crops)
        self.board.flush()
        append(self.run, self.training.crops, self.training.seconds, scalars)


def duration(seconds: float) -> str:
    """A duration as a person says it: 40 s, 12 min, 3 h 20 min."""
    if not math.isfinite(seconds):
        return "unknown time"
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _finite_mean(values: list[Tensor]) -> float:
    # a step whose gradient was not finite has changed nothing
    found = torch.stack([value.float() for value in values])
    return float(found[torch.isfinite(found)].mean())


def _magnitudes(training: Training) -> dict[str, float]:
    """The root mean square of the weights of every part of the networks that learn."""
    sums: dict[str, list[Tensor]] = defaultdict(list)
    for network in training.optimizers:
        for name, weight in training.modules[network].named_parameters():
            if weight.ndim > 1:
                parts = name.split(".")
                part = ".".join(parts[:2]) if parts[1].isdigit() else parts[0]
                sums[f"weights/{network}/{part}"].append(weight.detach().flatten())
    return {name: float(torch.cat(weights).square().mean().sqrt()) for name, weights in sums.items()}


def _grid(columns: list[Tensor]) -> np.ndarray:
    """Columns of (N, 1, H, W) side by side, 8-bit grey (N * H, columns * W), with a hairline between."""
    framed = [torch.nn.functional.pad(column, (0, 2, 0, 2), value=0.6) for column in columns]
    picture = torch.cat([column.reshape(-1, column.shape[-1]) for column in framed], 1)
    return picture.float().mul(255).round().clamp(0, 255).byte().cpu().numpy()
