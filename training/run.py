"""`sketchgan-train run`: pairs in, a pencil out. The same command again goes on where the last one stopped."""

from __future__ import annotations

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import torch
from accelerate import Accelerator

from sketchgan_core.errors import SketchGANError
from sketchgan_core.weights import Card

from .checkpoint import latest, restore, save_checkpoint
from .config import load_config, refuse_difference, save_config
from .crops import loader
from .data import Data, open_data
from .export import export
from .loop import Training, train
from .perceptual import build_features
from .report import Report
from .start import Start, load_start
from .unpaired import UnpairedCrops, unpaired_crops

HELP = "train a pencil on folders of pairs; the same command resumes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", type=Path, nargs="+", required=True, metavar="DIR", help="pair folders, or one folder of shards"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RUN", help="the run's folder")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file of settings (see training/config.py)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="one setting; may be repeated")
    parser.add_argument("--crops", type=int, metavar="N", help="length of the run, as --set crops=N")
    parser.add_argument(
        "--minutes", type=float, metavar="M", help="end after M minutes of training, all sessions together"
    )
    parser.add_argument(
        "--from",
        dest="start",
        metavar="WEIGHTS",
        help="fine-tune a pencil: a name such as default, a file, or a run's folder; the discriminators beside it are "
        "taken along, and the settings that suit fine-tuning",
    )
    parser.add_argument("--unpaired-lines", type=Path, metavar="DIR", help="line images that have no sketch, and")
    parser.add_argument(
        "--unpaired-sketches", type=Path, metavar="DIR", help="sketches of other things: adversarial augmentation"
    )
    parser.add_argument(
        "--plans", type=Path, metavar="DIR", help="where planned pairs are kept; RUN/plans if not given"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads; all cores if not given")
    parser.add_argument("--dry-run", action="store_true", help="check settings and pairs, say what would be done, end")


def run(args: argparse.Namespace) -> int:
    start = None if args.start is None else load_start(args.start)
    overrides = args.set + ([f"crops={args.crops}"] if args.crops is not None else [])
    config = load_config(args.config, overrides, None if start is None else start.settings())
    plans = args.plans or args.output / "plans"
    data = open_data(args.data, plans, config)
    if (args.unpaired_lines is None) != (args.unpaired_sketches is None):
        raise SketchGANError("--unpaired-lines and --unpaired-sketches go together; give both")
    saved = args.output / "config.toml"
    if saved.exists():
        refuse_difference(config, saved)
    accelerator = _accelerator(args.device, args.threads)
    if accelerator.is_main_process:
        print(f"{data.summary}; on {accelerator.device}, {accelerator.num_processes} process(es)", flush=True)
    if args.dry_run:
        print(f"planned pairs will take {data.missing_bytes() / 1e9:.2f} GB in {plans}; nothing was started")
        return 0
    args.output.mkdir(parents=True, exist_ok=True)
    data.prepare()
    unpaired = (
        None
        if args.unpaired_lines is None
        else unpaired_crops(args.unpaired_lines, args.unpaired_sketches, plans, config)
    )
    save_config(config, saved)

    perceptual, features = build_features(config.perceptual, accelerator.device)
    training = Training(config, accelerator, features, unpaired=unpaired is not None)
    state = {
        "command": shlex.join(["sketchgan-train", *sys.argv[1:]]),
        "data": data.summary,
        "commit": _commit(),
        "perceptual": perceptual,
    }
    _start(training, start, args.output)
    complete = _train(training, data, unpaired, args, state)
    if accelerator.is_main_process:
        _finish(training, args.output, complete)
    accelerator.end_training()
    return 0


def _train(
    training: Training,
    data: Data,
    unpaired: UnpairedCrops | None,
    args: argparse.Namespace,
    state: dict[str, Any],
) -> bool:
    config, accelerator = training.config, training.accelerator
    crops = data.crops(config.identity if unpaired is not None else 0.0)
    main = accelerator.is_main_process
    with _interrupts_ignored():
        planner = data.plan_ahead(crops) if main else None
        place = accelerator.process_index, accelerator.num_processes
        batches = iter(loader(crops, training.crops, config, *place))
        others = None
        if unpaired is not None:
            first = training.crops // config.batch * config.unpaired_batch
            others = iter(loader(unpaired, first, config, *place))
    stop = _StopSignals()
    report = Report(args.output, training, data.validation_batch()) if main else None
    saved = time.monotonic()

    def save() -> None:
        nonlocal saved
        whole = {**state, "seconds": round(training.seconds, 3), "bad_steps": training.bad_steps}
        save_checkpoint(args.output, training.crops, training.modules, training.optimizers, whole)
        saved = time.monotonic()

    def after_step(scalars: dict[str, torch.Tensor], waited: float) -> None:
        if report is None:
            return
        report.after_step(scalars, waited)
        if time.monotonic() - saved > 60 * config.checkpoint_minutes:
            save()

    try:
        complete = train(training, batches, others, minutes=args.minutes, stopped=stop, after_step=after_step)
        if main:
            save()
        if report is not None and complete:
            report.show()
    finally:
        stop.restore()
        if report is not None:
            report.close()
        if planner is not None:
            planner.kill()
    return complete


def _start(training: Training, start: Start | None, folder: Path) -> None:
    """Resume from the latest checkpoint, or take over the weights asked for."""
    checkpoint = latest(folder)
    if checkpoint is not None:
        state = restore(checkpoint, training.modules, training.optimizers)
        training.crops, training.seconds = state["crops"], state["seconds"]
        training.bad_steps = state["bad_steps"]
        print(f"resuming {folder} at {training.crops} crops", flush=True)
    elif start is not None:
        start.hand_over(training)


def _finish(training: Training, folder: Path, complete: bool) -> None:
    if not complete:
        print(f"{folder}: stopped at {training.crops} crops; the same command goes on from there")
        return
    pencil = folder / "pencil.safetensors"
    export(folder, Card(title=folder.resolve().name), pencil, folder / "discriminator.safetensors", overwrite=True)
    print(f"{pencil}: complete after {training.crops} crops in {training.seconds / 60:.0f} min")


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """For starting helpers: Ctrl-C reaches the whole process group, but the trainer alone decides when to end."""
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


class _StopSignals:
    """Turns the first SIGINT or SIGTERM into an answer to "stopped?", so that a step is never cut in two."""

    def __init__(self) -> None:
        self.asked = False
        self.previous = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}

    def __call__(self) -> bool:
        return self.asked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def restore(self) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)


def _accelerator(device: str, threads: int | None) -> Accelerator:
    torch.set_num_threads(threads or os.cpu_count() or 1)
    cv2.setNumThreads(1)
    if device not in ("auto", "cpu", "cuda", "mps"):
        raise SketchGANError(f"--device {device}: choose auto, cpu, cuda or mps")
    accelerator = Accelerator(cpu=device == "cpu")
    if device not in ("auto", accelerator.device.type):
        raise SketchGANError(f"--device {device}: not available here; this machine offers {accelerator.device.type}")
    return accelerator


def _commit() -> str:
    """The revision of the source this runs from, empty if it does not run from a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
