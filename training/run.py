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
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import torch
from accelerate import Accelerator

from sketchgan_core.errors import SketchGANError
from sketchgan_core.weights import Card, load_discriminator, load_pencil

from .checkpoint import latest, restore, save_checkpoint
from .config import load_config, refuse_difference, save_config
from .crops import Crops, loader, validation_batch
from .export import export
from .loop import Training, train
from .networks import discriminator_config, generator_config
from .pairs import Pair, find_pairs, split
from .perceptual import build_features
from .report import Report
from .stacks import Stacks

HELP = "train a pencil on folders of pairs; the same command resumes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR", help="pair folders")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="RUN", help="the run's folder")
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML file of settings (see training/config.py)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="one setting; may be repeated")
    parser.add_argument("--crops", type=int, metavar="N", help="length of the run, as --set crops=N")
    parser.add_argument(
        "--minutes", type=float, metavar="M", help="end after M minutes of training, all sessions together"
    )
    parser.add_argument("--init", metavar="WEIGHTS", help="start from a pencil of the same architecture")
    parser.add_argument(
        "--init-discriminator", type=Path, metavar="WEIGHTS", help="and from the discriminator beside it"
    )
    parser.add_argument(
        "--plans", type=Path, metavar="DIR", help="where planned pairs are kept; RUN/plans if not given"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads; all cores if not given")
    parser.add_argument("--dry-run", action="store_true", help="check settings and pairs, say what would be done, end")


def run(args: argparse.Namespace) -> int:
    config = load_config(args.config, args.set + ([f"crops={args.crops}"] if args.crops is not None else []))
    pairs = find_pairs(args.data)
    training_pairs, validation_pairs = split(pairs, config.validation)
    stacks = Stacks(pairs, args.plans or args.output / "plans")
    saved = args.output / "config.toml"
    if saved.exists():
        refuse_difference(config, saved)
    accelerator = _accelerator(args.device, args.threads)
    summary = _summary(args.data, pairs, training_pairs, validation_pairs)
    if accelerator.is_main_process:
        print(f"{summary}; on {accelerator.device}, {accelerator.num_processes} process(es)", flush=True)
    if args.dry_run:
        print(f"planned pairs will take {stacks.missing_bytes() / 1e9:.2f} GB in {stacks.folder}; nothing was started")
        return 0
    args.output.mkdir(parents=True, exist_ok=True)
    stacks.prepare()
    save_config(config, saved)

    perceptual, features = build_features(config.perceptual, accelerator.device)
    training = Training(config, accelerator, features)
    state = {
        "command": shlex.join(["sketchgan-train", *sys.argv[1:]]),
        "data": summary,
        "commit": _commit(),
        "perceptual": perceptual,
    }
    _start(training, args)
    complete = _train(training, stacks, training_pairs, validation_pairs, args, state)
    if accelerator.is_main_process:
        _finish(training, args.output, complete)
    accelerator.end_training()
    return 0


def _train(
    training: Training,
    stacks: Stacks,
    training_pairs: Sequence[int],
    validation_pairs: Sequence[int],
    args: argparse.Namespace,
    state: dict[str, Any],
) -> bool:
    config, accelerator = training.config, training.accelerator
    crops = Crops(stacks, training_pairs, config)
    main = accelerator.is_main_process
    with _interrupts_ignored():
        planner = stacks.plan_ahead(crops.order) if main and stacks.missing_bytes() else None
        batches = iter(loader(crops, training.crops, config, accelerator.process_index, accelerator.num_processes))
    stop = _StopSignals()
    report = Report(args.output, training, validation_batch(stacks, validation_pairs, config)) if main else None
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
        complete = train(training, batches, minutes=args.minutes, stopped=stop, after_step=after_step)
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


def _start(training: Training, args: argparse.Namespace) -> None:
    """Resume from the latest checkpoint, or take over the weights asked for."""
    checkpoint = latest(args.output)
    if checkpoint is not None:
        state = restore(checkpoint, training.modules, training.optimizers)
        training.crops, training.seconds = state["crops"], state["seconds"]
        training.bad_steps = state["bad_steps"]
        print(f"resuming {args.output} at {training.crops} crops", flush=True)
        return
    if args.init is not None:
        pencil = load_pencil(args.init)
        wanted = generator_config(training.config)
        if pencil.generator.config != wanted:
            raise SketchGANError(f"{args.init}: is {pencil.generator.config}, this run trains {wanted}; set them alike")
        for network in (training.generator, training.average):
            network.load_state_dict(pencil.generator.state_dict())
    if args.init_discriminator is not None:
        judge = load_discriminator(args.init_discriminator)
        try:
            training.discriminator.load_state_dict(judge.state_dict())
        except RuntimeError as error:
            raise SketchGANError(
                f"{args.init_discriminator}: not of the shape {discriminator_config(training.config)}; "
                "set discriminator_width to its width"
            ) from error


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


def _summary(folders: Sequence[Path], pairs: Sequence[Pair], training: Sequence[int], validation: Sequence[int]) -> str:
    drawings = len({pair.drawing for pair in pairs})
    names = ", ".join(str(folder) for folder in folders)
    # a drawing's key begins with its source, where it has one
    sources = Counter((pair.drawing.split("/")[0] if "/" in pair.drawing else "drawn", pair.licence) for pair in pairs)
    told = ", ".join(f"{count} of {source} ({licence})" for (source, licence), count in sorted(sources.items()))
    return (
        f"{len(pairs)} pairs of {drawings} drawings in {names}: "
        f"{len(training)} to train on, {len(validation)} held back; {told}"
    )


def _commit() -> str:
    """The revision of the source this runs from, empty if it does not run from a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
