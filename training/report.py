"""What a run tells while it goes: scalars and sample grids, for TensorBoard and as plain files."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from sketchgan_core.files import written_whole

from .loop import Training
from .stacks import decode, pick

SHOWN = 8  # validation crops in the grid


class Report:
    """Averages scalars over `log_crops` and draws a grid of validation crops every `sample_crops`."""

    def __init__(self, run: Path, training: Training, validation: Tensor) -> None:
        self.run, self.training = run, training
        self.validation = validation
        # a resumed run repeats what came after its checkpoint: its old points would show twice
        self.board = SummaryWriter(str(run / "tensorboard"), purge_step=training.crops)
        self.samples = run / "samples"
        self.scalars: dict[str, list[Tensor]] = defaultdict(list)
        self.shown_at: int | None = None
        self.waited = 0.0
        self.since, self.crops = time.monotonic(), training.crops

    def after_step(self, scalars: dict[str, Tensor], waited: float) -> None:
        """Take in one step; log or show samples when they are due."""
        config, crops = self.training.config, self.training.crops
        self.waited += waited
        for name, value in scalars.items():
            self.scalars[name].append(value)
        before = crops - self.training.crops_per_step
        if crops // config.log_crops > before // config.log_crops:
            self._log()
        if crops // config.sample_crops > before // config.sample_crops:
            self.show()

    def show(self) -> None:
        """Measure and draw the validation crops, unless that has just been done."""
        if self.shown_at == self.training.crops:
            return
        self.shown_at = self.training.crops
        started = time.monotonic()
        values = decode(self.validation.to(self.training.device))
        target = pick(values, "sketch")
        with torch.no_grad(), self.training.precision():
            drawn = {
                name: self.training.draw(network, values)
                for name, network in (("generator", self.training.generator), ("average", self.training.average))
            }
        scalars = {"validation/graphite/target": float((1 - target).mean())}
        for name, sketch in drawn.items():
            scalars[f"validation/graphite/{name}"] = float((1 - sketch).mean())
            for scale in (1, 8):
                difference = torch.nn.functional.avg_pool2d(sketch - target, scale).abs().mean()
                scalars[f"validation/l1_{scale}px/{name}"] = float(difference)
        self._write(scalars)
        columns = [1 - pick(values, "ink"), target, *drawn.values()]
        grid = _grid([column[:SHOWN] for column in columns])
        self.board.add_image("input, target, generator, average", grid, self.training.crops, dataformats="HW")
        with written_whole(self.samples / f"{self.training.crops:010d}.png") as file:
            file.write(cv2.imencode(".png", grid)[1].tobytes())
        # the time is not the training's
        self.since += time.monotonic() - started

    def close(self) -> None:
        self.board.close()

    def _log(self) -> None:
        seconds, crops = time.monotonic() - self.since, self.training.crops - self.crops
        scalars = {name: float(torch.stack(values).float().mean()) for name, values in self.scalars.items()}
        scalars["speed/crops_per_second"] = crops / seconds
        scalars["speed/loader_wait"] = self.waited / seconds
        self._write(scalars)
        losses = " ".join(f"{name[5:]} {value:.3f}" for name, value in scalars.items() if name.startswith("loss/"))
        print(f"{self.training.crops} crops, {scalars['speed/crops_per_second']:.1f}/s, {losses}", flush=True)
        self.scalars.clear()
        self.waited, self.since, self.crops = 0.0, time.monotonic(), self.training.crops

    def _write(self, scalars: dict[str, float]) -> None:
        for name, value in scalars.items():
            self.board.add_scalar(name, value, self.training.crops)
        self.board.flush()
        entry = {"crops": self.training.crops, "seconds": round(self.training.seconds, 1)}
        with (self.run / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({**entry, **{key: float(f"{value:.5g}") for key, value in scalars.items()}}) + "\n")


def _grid(columns: list[Tensor]) -> np.ndarray:
    """Columns of (N, 1, H, W) side by side, 8-bit grey (N * H, columns * W), with a hairline between."""
    framed = [torch.nn.functional.pad(column, (0, 2, 0, 2), value=0.6) for column in columns]
    picture = torch.cat([column.reshape(-1, column.shape[-1]) for column in framed], 1)
    return picture.float().mul(255).round().clamp(0, 255).byte().cpu().numpy()
