"""`--dry-run`: what a run will do, need and take, judged by a few real steps on blank crops; nothing is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import torch

from ..data.stacks import CHANNELS
from ..data.training_set import Data
from ..learning.loop import Training
from .progress import duration
from .space import size

STEPS = 2  # steps that are timed, after one that is not, because it allocates memory


def rehearse(
    training: Training,
    data: Data,
    needs: Mapping[tuple[str, Path], int],
    minutes: float | None,
) -> list[str]:
    """Lines that state the plan, disk space, memory and time of a run. `training` must not be used afterwards.

    Args:
        needs: bytes, by what they are for and where they go.
        minutes: of training, after which the run ends; None for no such limit.
    """
    config, processes = training.config, training.accelerator.num_processes
    alone = min(config.crops, max(0, config.fidelity_crops - config.discriminator_lead))
    with_judge = config.crops - alone
    seconds = _step_seconds(training, 0) * alone / training.crops_per_step if alone else 0.0
    if with_judge:
        full = config.fidelity_crops + config.adversarial_ramp
        seconds += _step_seconds(training, full) * with_judge / training.crops_per_step
    time_told = f"{duration(seconds)} for {config.crops:,} crops"
    if minutes is not None:
        time_told = (
            f"{minutes:g} min as asked, about {config.crops * min(1, 60 * minutes / max(seconds, 1e-9)):,.0f} crops"
        )
    missing = data.missing()
    lines = [
        f"plan: {alone:,} crops of fidelity alone, then {with_judge:,} against the discriminator; "
        f"{training.crops_per_step} crops a step ({processes} process(es) x batch {config.batch} x "
        f"accumulate {config.accumulate}) in {'bfloat16' if training.half_precision else 'float32'}",
        f"time: {time_told}, going by {STEPS} steps of each kind on this machine as busy as it is now",
        f"memory: {_memory(training, bool(missing))}",
    ]
    if missing:
        seconds = _planning_seconds(data) * missing
        lines.append(
            f"planning: {missing} pairs, {duration(seconds)} in the background; "
            f"the first {min(missing, config.first_pairs)} are enough to start"
        )
    lines += [f"disk: {size(amount)} of {name} in {folder}" for (name, folder), amount in needs.items() if amount]
    return [*lines, "nothing was started, nothing was written"]


def _step_seconds(training: Training, crops: int) -> float:
    """How long one step takes once `crops` have been seen."""
    config = training.config
    batch = torch.full(
        (config.batch * config.accumulate, len(CHANNELS), config.crop, config.crop), 128, dtype=torch.uint8
    )
    unpaired = batch[:1].expand(config.unpaired_batch * config.accumulate, -1, -1, -1)
    others = None if training.unconditional is None else unpaired
    for number in range(1 + STEPS):
        if number == 1:
            started = time.perf_counter()
        training.crops = crops
        float(training.step(batch, 0.0, others)["loss/fidelity"])  # waits for the device
    return (time.perf_counter() - started) / STEPS


def _memory(training: Training, planning: bool) -> str:
    process = f"{psutil.Process().memory_info().rss / 1e9:.1f} GB per process"
    if training.device.type == "cuda":
        return f"{torch.cuda.max_memory_allocated(training.device) / 1e9:.1f} GB of the GPU, {process}"
    free = psutil.virtual_memory().available / 1e9
    others = f"each of the {training.config.workers} loader(s)" + (" and for planning" if planning else "")
    return f"{process} and about 0.5 GB for {others}; {free:.1f} GB are free now"


def _planning_seconds(data: Data) -> float:
    started = time.perf_counter()
    data.plan_one()
    return time.perf_counter() - started
