"""What a run tells while it goes: progress, scalars and sample grids, for TensorBoard, a browser and as plain files."""

from __future__ import annotations

import math
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from sketchgan_core.files import written_whole

from ..errors import Diverged
from ..learning.loop import Training, progress
from ..learning.validation import better, choice, may_be_best, measure
from .metrics import append, curve, forget_after
from .record import write_record
from .report_page import write_page
from .space import SHOWN

# tqdm's own, but never seconds per crop.
BAR = "{l_bar}{bar}| {n_fmt}/{total_fmt} crops [{elapsed}, {remaining} left, {rate_noinv_fmt}{postfix}]"
# A run has diverged when one of these grows to so many times its lowest value so far.
WATCHED = "loss/fidelity"  # in every step
DIVERGED = {WATCHED: 10.0, "validation/l1_1px/generator": 3.0}


class Report:
    """Averages scalars over `log_crops`, and measures and draws the validation crops every `sample_crops`.

    Args:
        run: the run's folder.
        training: at the crops to go on from.
        validation: crops, as `validation_batch` gives them.
        minutes: the end of the run, if it is a time.
        kept: what `keep` returned when the checkpoint was saved.

    Attributes:
        good_at: crops up to which checkpoints are known to be good: their weights have been measured.
    """

    def __init__(
        self, run: Path, training: Training, validation: Tensor, minutes: float | None, kept: dict[str, Any]
    ) -> None:
        self.run, self.training, self.validation, self.minutes = run, training, validation, minutes
        # a resumed run repeats what came after its checkpoint: its old points would show twice
        entries = forget_after(run, training.crops)
        # TensorBoard hides what is at purge_step too, and what was measured at the checkpoint stays
        self.board = SummaryWriter(str(run / "tensorboard"), purge_step=training.crops + 1)
        self.samples = run / "samples"
        for file in self.samples.glob("*.png"):
            if int(file.stem) > training.crops:
                file.unlink()
        self.choice = choice(training)
        self.best: dict[str, Any] | None = kept.get("best")
        self.scalars: dict[str, list[Tensor]] = defaultdict(list)
        for name, values in kept.get("unlogged", {}).items():
            self.scalars[name] = [torch.tensor(value) for value in values]
        self.lowest = {name: min((v for _, v in curve(entries, name)), default=math.inf) for name in DIVERGED}
        self.good_at = kept.get("good_at", training.crops)
        measured = curve(entries, self.choice.metric)
        self.measured_at = int(measured[-1][0]) if measured else -1
        self.waited = 0.0
        self.since, self.crops = time.monotonic(), training.crops
        self.started, self.done = time.monotonic(), progress(training, minutes)
        self.bar = tqdm(
            total=training.config.crops, initial=training.crops, unit=" crops", dynamic_ncols=True, smoothing=0.05,
            disable=not sys.stderr.isatty(), bar_format=BAR,
        )  # fmt: skip

    def after_step(self, scalars: dict[str, Tensor], waited: float) -> bool:
        """Take in one step; log or validate when it is due.

        Returns:
            Whether there is a new best checkpoint to save.

        Raises:
            Diverged: the losses or the validation have exploded.
        """
        config, crops = self.training.config, self.training.crops
        self.waited += waited
        for name, value in scalars.items():
            self.scalars[name].append(value)
        before = crops - self.training.crops_per_step
        self.bar.update(self.training.crops_per_step)
        if crops // config.log_crops > before // config.log_crops:
            self._log()
        return crops // config.sample_crops > before // config.sample_crops and self.validate()

    def validate(self) -> bool:
        """Measure and draw the validation crops, unless that has just been done; whether this is the new best."""
        crops = self.training.crops
        if self.measured_at == crops:
            return False
        self.measured_at = crops
        started = time.monotonic()
        scalars, columns = measure(self.training, self.validation)
        self._write(scalars)
        grid = _grid([column[:SHOWN] for column in columns])
        self.board.add_image("input, target, generator, average", grid, crops, dataformats="HW")
        with written_whole(self.samples / f"{crops:010d}.png") as file:
            file.write(cv2.imencode(".png", grid)[1].tobytes())
        before = self.best
        self._watch(scalars)
        if not self.training.bad_steps:
            self.good_at = crops
            if may_be_best(self.training.config, crops):
                self.best = better(self.best, self.choice, scalars, crops)
        write_record(self.run, crops=crops, seconds=round(self.training.seconds, 1), best=self.best)
        write_page(self.run)
        # the time is not the training's
        self.since += time.monotonic() - started
        self.started += time.monotonic() - started
        return self.best is not before

    def keep(self) -> dict[str, Any]:
        """What a checkpoint must hold for the curves to go on as if nothing had happened."""
        unlogged = {name: [float(value) for value in values] for name, values in self.scalars.items()}
        return {"best": self.best, "good_at": self.good_at, "unlogged": unlogged}

    def close(self) -> None:
        self.bar.close()
        self.board.close()

    def _log(self) -> None:
        seconds, crops = time.monotonic() - self.since, self.training.crops - self.crops
        scalars = {name: _finite_mean(values) for name, values in self.scalars.items()}
        scalars["speed/crops_per_second"] = crops / seconds
        scalars["speed/loader_wait"] = self.waited / seconds
        scalars.update(_magnitudes(self.training))
        self._write(scalars)
        self._tell(scalars)
        steady = self._steady()
        self.scalars.clear()
        self.waited, self.since, self.crops = 0.0, time.monotonic(), self.training.crops
        # steps without a number are counted by the training, which knows when there are too many
        self._watch({name: value for name, value in scalars.items() if math.isfinite(value)})
        if steady:
            # a loss is that of the weights before the step; what the step made of them is not known yet
            self.good_at = self.training.crops - self.training.crops_per_step

    def _tell(self, scalars: dict[str, float]) -> None:
        wait = f"loader wait {100 * scalars['speed/loader_wait']:.0f} %"
        losses = " ".join(f"{name[5:]} {value:.3f}" for name, value in scalars.items() if name.startswith("loss/"))
        done = progress(self.training, self.minutes)
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

    def _watch(self, scalars: dict[str, float]) -> None:
        for name, factor in DIVERGED.items():
            value = scalars.get(name)
            if value is None:
                continue
            if not value <= factor * self.lowest[name]:
                raise Diverged(f"{name} has risen to {value:.3g}, from {self.lowest[name]:.3g} at its lowest")
            self.lowest[name] = min(self.lowest[name], value)

    def _steady(self) -> bool:
        """Whether every step since the last log had a gradient, and none a loss that has exploded."""
        gradients, losses = (torch.stack(self.scalars[name]).float() for name in ("gradient/generator", WATCHED))
        learned, limit = (gradients > 0) | (losses == 0), DIVERGED[WATCHED] * self.lowest[WATCHED]
        return bool((learned & torch.isfinite(gradients) & (losses <= limit)).all())

    def _write(self, scalars: dict[str, float]) -> None:
        for name, value in scalars.items():
            self.board.add_scalar(name, value, self.training.crops)
        self.board.flush()
        append(self.run, self.training.crops, self.training.seconds, scalars)


def duration(seconds: float) -> str:
    """As a person says it: 40 s, 12 min, 3 h 20 min."""
    if not math.isfinite(seconds):
        return "unknown time"
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _finite_mean(values: list[Tensor]) -> float:
    # a step whose gradient was no number has changed nothing
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
