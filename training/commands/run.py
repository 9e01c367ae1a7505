"""`sketchgan-train run`: pairs in, a pencil out. The same command again goes on where the last one stopped."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import shlex
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import torch
from accelerate import Accelerator
from safetensors import SafetensorError

from sketchgan_core.errors import SketchGANError
from sketchgan_core.pencils.weights import Card
from sketchgan_core.planning.plan import PLAN_VERSION

from ..config import TrainConfig, load_config, refuse_difference, save_config
from ..data.crops import loader
from ..data.plan_version import KEY, another_plan
from ..data.training_set import Data, open_data
from ..data.unpaired import UnpairedCrops, unpaired_crops
from ..errors import Diverged, TrainingError
from ..learning.loop import Training, train
from ..learning.start import Start, load_start
from ..measuring.perceptual import build_features
from ..processes import STOPPING, keep_freed_memory, signals_held_back
from ..runs.checkpoint import checkpoints, latest, newest_intact, read_state, restore, save_checkpoint, set_aside
from ..runs.progress import Report
from ..runs.record import FILE as RECORD
from ..runs.record import add_session, command, commit, write_record
from ..runs.rehearsal import rehearse
from ..runs.report_page import write_page
from ..runs.space import is_full, refuse_lack, wanted
from .export import export

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
        "--minutes",
        type=_more_than_nothing(float),
        metavar="M",
        help="end after M minutes of training, all sessions together",
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
    parser.add_argument(
        "--threads", type=_more_than_nothing(int), metavar="N", help="CPU threads; all cores if not given"
    )
    parser.add_argument("--dry-run", action="store_true", help="check settings and pairs, say what would be done, end")


def _more_than_nothing(kind: Callable[[str], float]) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = kind(text)
        if not 0 < value < math.inf:
            raise argparse.ArgumentTypeError(f"{text}: give a number above 0")
        return value

    return number


def run(args: argparse.Namespace) -> int:
    if args.output.exists() and not args.output.is_dir():
        raise TrainingError(f"{args.output}: is a file; give a folder for the run")
    accelerator = _accelerator(args.device, args.threads)
    stop = _StopSignals()
    try:
        _run(args, accelerator, stop)
    except SketchGANError:
        if accelerator.is_main_process:
            raise
        return 2  # every process has found the same, and one says it
    finally:
        accelerator.end_training()
        stop.restore()
    return 0


def _run(args: argparse.Namespace, accelerator: Accelerator, stop: _StopSignals) -> None:
    start = None if args.start is None else load_start(args.start)
    overrides = args.set + ([f"crops={args.crops}"] if args.crops is not None else [])
    config = load_config(args.config, overrides, None if start is None else start.settings())
    plans = args.plans or args.output / "plans"
    data = open_data(args.data, plans, config)
    unpaired = _unpaired(args, plans, config)
    saved = args.output / "config.toml"
    if saved.exists():
        refuse_difference(config, saved)
    main = accelerator.is_main_process
    if main:
        print(f"{data.summary}; on {accelerator.device}, {accelerator.num_processes} process(es)", flush=True)
    perceptual, features = build_features(config.perceptual, accelerator.device)
    training = Training(config, accelerator, features, unpaired=unpaired is not None)
    needs = wanted(args.output, training, data)
    if unpaired is not None:
        needs["planned unpaired drawings", plans] = unpaired.missing_bytes()
    if args.dry_run:
        plan = rehearse(training, data, needs, args.minutes)
        if main:
            print("\n".join(plan))
    refuse_lack(needs)
    if args.dry_run:
        return
    # whoever comes first makes them, and all see the same checkpoints afterwards
    with accelerator.main_process_first():
        args.output.mkdir(parents=True, exist_ok=True)
        plans.mkdir(parents=True, exist_ok=True)
        checkpoint = newest_intact(args.output)
    facts: dict[str, Any] = {"command": command(), "data": data.summary, "commit": commit(), "perceptual": perceptual}
    facts |= {KEY: PLAN_VERSION}
    kept = _start(training, start, args.output, checkpoint, facts)
    if main:
        save_config(config, saved)
        device = {
            "device": str(accelerator.device),
            "processes": accelerator.num_processes,
            "threads": torch.get_num_threads(),
            "precision": "bfloat16" if training.half_precision else "float32",
            "perceptual": perceptual,
        }
        add_session(args.output, training.crops, config, data.describe(), _sources(args), device)
    complete = _train(training, data, unpaired, args, facts, kept, stop)
    if main:
        _finish(training, args.output, complete)


def _sources(args: argparse.Namespace) -> list[str]:
    """What `config.toml` does not hold of what decides how a run ends."""
    given = {
        "--from": args.start,
        "--unpaired-lines": args.unpaired_lines,
        "--unpaired-sketches": args.unpaired_sketches,
        "--minutes": args.minutes,
    }
    others = [str(part) for option, value in given.items() if value is not None for part in (option, value)]
    return ["--data", *map(str, args.data), *others]


def _unpaired(args: argparse.Namespace, plans: Path, config: TrainConfig) -> UnpairedCrops | None:
    if args.unpaired_lines is None and args.unpaired_sketches is None:
        return None
    if args.unpaired_lines is None or args.unpaired_sketches is None:
        raise TrainingError("--unpaired-lines and --unpaired-sketches go together; give both")
    return unpaired_crops(args.unpaired_lines, args.unpaired_sketches, plans, config)


def _train(
    training: Training,
    data: Data,
    unpaired: UnpairedCrops | None,
    args: argparse.Namespace,
    facts: dict[str, Any],
    kept: dict[str, Any],
    stop: _StopSignals,
) -> bool:
    """Steps until the run is complete, which is returned, or somebody stops it."""
    config, accelerator, run = training.config, training.accelerator, args.output
    crops = data.crops(config.identity if unpaired is not None else 0.0)
    main = accelerator.is_main_process
    stop.listen()
    with signals_held_back():
        planner = data.plan_ahead(crops) if main else None
        place = accelerator.process_index, accelerator.num_processes
        batches = iter(loader(crops, training.crops, config, *place))
        others = None
        if unpaired is not None:
            first = training.crops // config.batch * config.unpaired_batch
            others = iter(loader(unpaired, first, config, *place))
    report: Report | None = None
    failure: Exception | None = None
    saved, saved_at = time.monotonic(), training.crops

    def save() -> None:
        nonlocal saved, saved_at
        assert report is not None
        whole = {
            **facts,
            **report.keep(),
            "seconds": round(training.seconds, 3),
            "bad_steps": training.bad_steps,
            "crops_per_step": training.crops_per_step,
        }
        save_checkpoint(run, training.crops, training.modules, training.optimizers, whole)
        saved, saved_at = time.monotonic(), training.crops

    def after_step(scalars: dict[str, torch.Tensor], waited: float) -> None:
        nonlocal failure
        if report is None or failure is not None:
            return
        # the other processes are told with the next step's news, or they would wait for this one for ever
        try:
            if report.after_step(scalars, waited) or time.monotonic() - saved > 60 * config.checkpoint_minutes:
                save()
        except (Diverged, OSError, SafetensorError) as error:
            failure = error
            stop.asked = True

    complete = False
    try:
        if main:
            report = Report(run, training, data.validation_batch(), args.minutes, kept)
        complete = train(training, batches, others, minutes=args.minutes, stopped=stop, after_step=after_step)
        if report is not None and failure is None and ((complete and report.validate()) or saved_at != training.crops):
            save()
    except (Diverged, OSError, SafetensorError) as error:
        failure = error
    finally:
        if report is not None:
            with contextlib.suppress(OSError):  # of a full disk, which is told below
                report.close()
        if planner is not None:
            planner.kill()
    if failure is not None:
        raise _explained(failure, run, training, report) from failure
    return complete


def _explained(failure: Exception, run: Path, training: Training, report: Report | None) -> Exception:
    """What has ended the run, the last good checkpoint, and what to do."""
    if isinstance(failure, Diverged):
        if report is not None:
            _set_bad_ones_aside(run, report.good_at)
            with contextlib.suppress(OSError):
                write_page(run)  # its curves show what has happened
        return TrainingError(
            f"{run}: stopped at {training.crops} crops: {failure}. {_last_good(run)}. "
            + _how_to_start_again(run, training.config.learning_rate / 2)
        )
    if is_full(failure):
        return TrainingError(
            f"{run}: the disk is full, stopped at {training.crops} crops. {_last_good(run)}. "
            "Make room, and the same command goes on from there"
        )
    return failure


def _set_bad_ones_aside(run: Path, good_at: int) -> None:
    for folder in checkpoints(run):
        if int(folder.name) > good_at:
            set_aside(folder, "diverged")


def _how_to_start_again(run: Path, rate: float) -> str:
    if latest(run) is None:
        return f"To start again: another -o and --set learning_rate={rate:g}"
    return (
        f"To start again from it: sketchgan-train export {shlex.quote(str(run))} --checkpoint latest "
        "-o good.safetensors --discriminator good.discriminator.safetensors, then run with another -o, "
        f"--from good.safetensors and --set learning_rate={rate:g}"
    )


def _last_good(run: Path) -> str:
    folder = latest(run)
    return f"The last good checkpoint is {folder}" if folder else "There is no good checkpoint yet"


def _start(
    training: Training, start: Start | None, run: Path, checkpoint: Path | None, facts: dict[str, Any]
) -> dict[str, Any]:
    """Resume from a checkpoint, or take over the weights asked for; returns the checkpoint's state."""
    if checkpoint is not None:
        state = read_state(checkpoint)
        _refuse_change(training, state, facts, run)
        restore(checkpoint, training.modules, training.optimizers)
        training.crops, training.seconds = state["crops"], state["seconds"]
        training.bad_steps = state["bad_steps"]
        if training.accelerator.is_main_process:
            print(f"resuming {run} at {training.crops} crops", flush=True)
        return state
    if start is not None:
        start.hand_over(training)
    return {}


def _refuse_change(training: Training, state: dict[str, Any], facts: dict[str, Any], run: Path) -> None:
    """Raise if the run would go on otherwise than it began, by what the settings alone do not show."""
    before, processes = state.get("crops_per_step", training.crops_per_step), training.accelerator.num_processes
    if training.crops_per_step != before:
        raise TrainingError(
            f"{run}: was started with {before} crops a step, and {processes} process(es) x "
            f"batch {training.config.batch} x accumulate {training.config.accumulate} are {training.crops_per_step}; "
            f"--set batch={max(1, before // processes)} --set accumulate=1 goes on as before"
        )
    if other := another_plan(state):
        raise TrainingError(
            f"{run / RECORD}: the run is of {other}; make the pairs again with sketchgan-train synthesize and start "
            "another run with another -o"
        )
    if facts["perceptual"] != state["perceptual"]:
        raise TrainingError(
            f"{run}: was started with the perceptual loss of {state['perceptual']}, and perceptual = auto finds "
            f"{facts['perceptual']} here; install what is missing, or start another run with another -o"
        )


def _finish(training: Training, folder: Path, complete: bool) -> None:
    write_record(folder, crops=training.crops, seconds=round(training.seconds, 1), complete=complete)
    write_page(folder)
    if not complete:
        print(f"{folder}: stopped at {training.crops} crops; the same command goes on from there")
        return
    pencil = folder / "pencil.safetensors"
    chosen = export(
        folder, Card(title=folder.resolve().name), pencil, folder / "discriminator.safetensors", overwrite=True
    )
    print(
        f"{pencil}: complete after {training.crops} crops in {training.seconds / 60:.0f} min, {chosen}; "
        f"{folder / 'report.html'} shows how it went"
    )


class _StopSignals:
    """Turns SIGINT and SIGTERM into an answer to "stopped?", so that neither a step nor the end is cut in two.

    A launcher hands on what the whole process group has got already, so there may be several.
    """

    def __init__(self) -> None:
        self.asked = False
        self.previous: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        self.previous = {number: signal.signal(number, self._ask) for number in STOPPING}

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
    keep_freed_memory()
    if device not in ("auto", "cpu", "cuda", "mps"):
        raise SketchGANError(f"--device {device}: choose auto, cpu, cuda or mps")
    accelerator = Accelerator(cpu=device == "cpu")
    if device not in ("auto", accelerator.device.type):
        raise SketchGANError(f"--device {device}: not available here; this machine offers {accelerator.device.type}")
    return accelerator
