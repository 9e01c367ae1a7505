"""A run of training, from pairs to a pencil; started again, it goes on where it stopped.

Example:
    >>> from training.config import load_config
    >>> from training.runs.session import Request, train
    >>> request = Request([Path("pairs")], Path("run"), load_config(overrides=["crops=20000"]))
    >>> train(request)  # doctest: +SKIP
    True
"""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import cv2
import torch
from accelerate import Accelerator
from safetensors import SafetensorError
from torch import Tensor

from sketchgan_core.errors import SketchGANError
from sketchgan_core.planning.plan import PLAN_VERSION

from ..config import TrainConfig, refuse_difference, save_config
from ..data.crops import loader
from ..data.plan_version import KEY, another_plan
from ..data.stacks import prepare
from ..data.training_set import Data, open_data
from ..data.unpaired import UnpairedCrops, unpaired_crops
from ..errors import Diverged, TrainingError
from ..learning.loop import Training, steps
from ..learning.start import Start
from ..learning.validation import Best, better, choice, may_be_best
from ..measuring.perceptual import build_features
from ..processes import STOPPING, keep_freed_memory, locked, signals_held_back
from .checkpoint import checkpoints, latest, newest_intact, read_state, restore, save_checkpoint, set_aside
from .health import DIVERGED, Health
from .metrics import curve, forget_after, read_metrics
from .progress import Progress
from .record import FILE as RECORD
from .record import add_session, command, commit, write_record
from .rehearsal import rehearse
from .report_page import WORSE_THAN_GUESSING, misjudging, write_page
from .space import is_full, refuse_lack, wanted
from .state import Origin, RunState


@dataclass(frozen=True)
class Request:
    """What is to be trained.

    Attributes:
        data: pair folders, or one folder of shards.
        output: the run's folder.
        config: every knob.
        start: weights to go on from, see `load_start`.
        unpaired_lines, unpaired_sketches: folders for adversarial augmentation; both or neither.
        plans: where planned pairs are kept; in the run's folder if None.
        minutes: end after this much training, over all sessions.
    """

    data: Sequence[Path]
    output: Path
    config: TrainConfig
    start: Start | None = None
    unpaired_lines: Path | None = None
    unpaired_sketches: Path | None = None
    plans: Path | None = None
    minutes: float | None = None

    def sources(self) -> list[str]:
        """Whatever decides how the run turns out and is not in `config.toml`, as options of the command."""
        given = {
            "--from": None if self.start is None else self.start.asked,
            "--unpaired-lines": self.unpaired_lines,
            "--unpaired-sketches": self.unpaired_sketches,
            "--minutes": self.minutes,
        }
        others = [str(part) for option, value in given.items() if value is not None for part in (option, value)]
        return ["--data", *map(str, self.data), *others]


def train(request: Request, accelerator: Accelerator | None = None, dry_run: bool = False) -> bool:
    """Train, or go on training, until the run is complete or the process is asked to stop.

    Args:
        request: what to train.
        accelerator: where to train, see `make_accelerator`; under `accelerate launch`, every process calls this.
        dry_run: check settings and pairs, say what would be done, and end.

    Returns:
        Whether the run is complete; its checkpoints lie in its folder.

    Raises:
        SketchGANError: settings or pairs that cannot be used, or training that has failed.
    """
    if request.output.exists() and not request.output.is_dir():
        raise TrainingError(f"{request.output}: is a file; give a folder for the run")
    accelerator = accelerator or make_accelerator()
    stop = Stopping()
    try:
        return _train(request, accelerator, stop, dry_run)
    finally:
        accelerator.end_training()
        stop.restore()


def make_accelerator(device: str = "auto", threads: int | None = None) -> Accelerator:
    """Where to train.

    Args:
        device: auto, cpu, cuda or mps.
        threads: of the CPU; all cores if None.

    Raises:
        SketchGANError: no such device.
    """
    torch.set_num_threads(threads or os.cpu_count() or 1)
    cv2.setNumThreads(1)
    keep_freed_memory()
    if device not in ("auto", "cpu", "cuda", "mps"):
        raise SketchGANError(f"--device {device}: choose auto, cpu, cuda or mps")
    accelerator = Accelerator(cpu=device == "cpu")
    if device not in ("auto", accelerator.device.type):
        raise SketchGANError(f"--device {device}: not available here; this machine offers {accelerator.device.type}")
    return accelerator


def _train(request: Request, accelerator: Accelerator, stop: Stopping, dry_run: bool) -> bool:
    config, run, main = request.config, request.output, accelerator.is_main_process
    plans = request.plans or run / "plans"
    data = open_data(list(request.data), plans, config)
    unpaired = _unpaired(request, plans)
    saved = run / "config.toml"
    if saved.exists():
        refuse_difference(config, saved)
    if main:
        print(f"{data.summary}; on {accelerator.device}, {accelerator.num_processes} process(es)", flush=True)
    perceptual, features = build_features(config.perceptual, accelerator.device)
    training = Training(config, accelerator, features, unpaired=unpaired is not None)
    needs = wanted(run, training, data)
    if unpaired is not None:
        needs["planned unpaired drawings", plans] = unpaired.missing_bytes()
    if dry_run:
        plan = rehearse(training, data, needs, request.minutes)
        if main:
            print("\n".join(plan))
    refuse_lack(needs)
    if dry_run:
        return False
    with locked(run) if main else contextlib.nullcontext():
        # The main process goes first and tidies up, so that all see the same checkpoints afterwards.
        with accelerator.main_process_first():
            # A folder of plans that was named may serve other runs, too.
            own = {*data.plans(), *(unpaired.lines.files if unpaired is not None else ())}
            prepare(plans, None if request.plans is not None else own)
            checkpoint = newest_intact(run)
        origin = Origin(command(), data.summary, commit(), perceptual, PLAN_VERSION, data.controls())
        state = _begin(training, request, checkpoint, origin)
        if main:
            save_config(config, saved)
            add_session(run, training.crops, config, data.describe(), request.sources(), _device(training, perceptual))
        complete = _learn(training, request, data, unpaired, state, stop)
        if main:
            write_record(run, crops=training.crops, seconds=round(training.seconds, 1), complete=complete)
            write_page(run)
    return complete


def _unpaired(request: Request, plans: Path) -> UnpairedCrops | None:
    lines, sketches = request.unpaired_lines, request.unpaired_sketches
    if lines is None and sketches is None:
        return None
    if lines is None or sketches is None:
        raise TrainingError("--unpaired-lines and --unpaired-sketches go together; give both")
    return unpaired_crops(lines, sketches, plans, request.config)


def _begin(training: Training, request: Request, checkpoint: Path | None, origin: Origin) -> RunState:
    """Go on from a checkpoint, or from the weights asked for, or from nothing."""
    run = request.output
    if checkpoint is None:
        if request.start is not None:
            request.start.hand_over(training)
        return RunState(origin, 0, 0.0, training.crops_per_step)
    state = read_state(checkpoint)
    _refuse_change(training, state, origin, run)
    restore(checkpoint, training.modules, training.optimizers)
    training.crops, training.seconds, training.bad_steps = state.crops, state.seconds, state.bad_steps
    if training.accelerator.is_main_process:
        print(f"resuming {run} at {training.crops} crops", flush=True)
    return state


def _refuse_change(training: Training, state: RunState, origin: Origin, run: Path) -> None:
    """Raise if the run would go on differently from how it began, in ways that its settings do not show."""
    before, processes = state.crops_per_step, training.accelerator.num_processes
    if training.crops_per_step != before:
        raise TrainingError(
            f"{run}: was started with {before} crops a step, and {processes} process(es) x "
            f"batch {training.config.batch} x accumulate {training.config.accumulate} are {training.crops_per_step}; "
            f"--set batch={max(1, before // processes)} --set accumulate=1 goes on as before"
        )
    if other := another_plan({KEY: state.origin.plan_version}):
        raise TrainingError(
            f"{run / RECORD}: the run is of {other}; make the pairs again with sketchgan-train synthesize and start "
            "another run with another -o"
        )
    if origin.perceptual != state.origin.perceptual:
        raise TrainingError(
            f"{run}: was started with the perceptual loss of {state.origin.perceptual}, and perceptual = auto finds "
            f"{origin.perceptual} here; install what is missing, or start another run with another -o"
        )


def _learn(
    training: Training, request: Request, data: Data, unpaired: UnpairedCrops | None, state: RunState, stop: Stopping
) -> bool:
    """Train until the run is complete or somebody stops it; returns whether it is complete."""
    config, accelerator = training.config, training.accelerator
    crops = data.crops(config.identity if unpaired is not None else 0.0)
    stop.listen()
    with signals_held_back():
        planner = data.plan_ahead(crops) if accelerator.is_main_process else None
        place = accelerator.process_index, accelerator.num_processes
        batches = iter(loader(crops, training.crops, config, *place))
        first = training.crops // config.batch * config.unpaired_batch
        others = None if unpaired is None else iter(loader(unpaired, first, config, *place))
    watch: Watch | None = None
    try:
        with stop.on_failure():
            if accelerator.is_main_process:
                watch = Watch.over(training, request, data.validation_batch(), state)
            for step in steps(training, batches, others, stop, request.minutes):
                if watch is None or stop.failure is not None:
                    continue
                with stop.on_failure():
                    watch.progress.take(step)
                    watch.health.check(step)
                    if watch.progress.validation_due(step):
                        watch.validate()
                    if watch.saver.due():
                        watch.save()
            if watch is not None and stop.failure is None:
                watch.finish(complete=not stop.agreed)
    finally:
        if watch is not None:
            with contextlib.suppress(OSError):  # of a full disk, which is reported below
                watch.progress.close()
        if planner is not None:
            planner.kill()
    if stop.failure is not None:
        raise _explained(stop.failure, request.output, training, watch) from stop.failure
    return not stop.agreed


@dataclass
class Saver:
    """When to save: now and then, and at once when something is worth saving."""

    minutes: float
    saved_at: int
    worth_it: bool = False
    since: float = field(default_factory=time.monotonic)

    def due(self) -> bool:
        return self.worth_it or time.monotonic() - self.since > 60 * self.minutes

    def saved(self, crops: int) -> None:
        self.saved_at, self.worth_it, self.since = crops, False, time.monotonic()


@dataclass
class Watch:
    """What the main process keeps an eye on: progress, health, the best so far, and when to save."""

    run: Path
    training: Training
    origin: Origin
    progress: Progress
    health: Health
    saver: Saver
    best: Best | None
    warned: bool = False  # that the discriminator judges worse than by guessing

    @classmethod
    def over(cls, training: Training, request: Request, validation: Tensor, state: RunState) -> Watch:
        """A watch over training that goes on from a state."""
        run, config = request.output, training.config
        # A resumed run repeats what came after its checkpoint: those points would show twice.
        entries = forget_after(run, training.crops)
        unlogged = {name: [torch.tensor(value) for value in values] for name, values in state.unlogged.items()}
        measured = curve(entries, choice(training).metric)
        progress = Progress(
            run, training, validation, request.minutes, defaultdict(list, unlogged),
            int(measured[-1][0]) if measured else -1,
        )  # fmt: skip
        lowest = {name: min(value for _, value in points) for name in DIVERGED if (points := curve(entries, name))}
        health = Health(config.log_crops, training.crops_per_step, state.good_at, lowest)
        for name, values in health.since.items():
            values.extend(unlogged.get(name, []))
        saver = Saver(config.checkpoint_minutes, training.crops)
        return cls(run, training, state.origin, progress, health, saver, state.best)

    def validate(self) -> None:
        """Measure and draw the validation crops; a new best is worth saving."""
        training, crops = self.training, self.training.crops
        scalars = self.progress.validate()
        before = self.best
        if self.health.check_validation(crops, scalars, training.bad_steps) and may_be_best(training.config, crops):
            self.best = better(self.best, choice(training), scalars, crops)
        if not self.warned and may_be_best(training.config, crops):
            judge = curve(read_metrics(self.run), "loss/discriminator")
            if judge and judge[-1][1] > WORSE_THAN_GUESSING:
                self.warned = True
                print(f"{self.run}: {misjudging(judge[-1][1], training.config)}", file=sys.stderr, flush=True)
        best = None if self.best is None else asdict(self.best)
        write_record(self.run, crops=crops, seconds=round(training.seconds, 1), best=best)
        write_page(self.run)
        self.saver.worth_it |= self.best is not before

    def save(self) -> None:
        """A checkpoint of this moment."""
        training = self.training
        unlogged = {name: [float(value) for value in values] for name, values in self.progress.unlogged.items()}
        state = RunState(
            self.origin, training.crops, round(training.seconds, 3), training.crops_per_step, training.bad_steps,
            self.health.good_at, self.best, unlogged,
        )  # fmt: skip
        save_checkpoint(self.run, training.modules, training.optimizers, state)
        self.saver.saved(training.crops)

    def finish(self, complete: bool) -> None:
        """The last measurement of a complete run, and a checkpoint of whatever is not saved yet."""
        if complete and self.progress.measured_at != self.training.crops:
            self.validate()
        if self.saver.worth_it or self.saver.saved_at != self.training.crops:
            self.save()


class Stopping:
    """Whether to stop: asked by SIGINT, SIGTERM or a failure of this process, agreed by all processes.

    Neither a step nor the end is cut short. A launcher passes on what the whole process group has received already, so
    there may be several signals. A failure is kept until all processes stop after the next step; otherwise the others
    would wait for this one for ever.
    """

    def __init__(self) -> None:
        self.asked = self.agreed = False
        self.failure: Exception | None = None
        self.previous: dict[signal.Signals, Any] = {}

    def listen(self) -> None:
        self.previous = {number: signal.signal(number, self._ask) for number in STOPPING}

    def __call__(self) -> bool:
        return self.asked

    @contextlib.contextmanager
    def on_failure(self) -> Iterator[None]:
        try:
            yield
        except (Diverged, OSError, SafetensorError) as error:
            self.failure, self.asked = error, True

    def restore(self) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True


def _explained(failure: Exception, run: Path, training: Training, watch: Watch | None) -> Exception:
    """An error that says what ended the run, which checkpoint is the last good one, and what to do."""
    if isinstance(failure, Diverged):
        if watch is not None:
            _set_bad_ones_aside(run, watch.health.good_at)
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


def _device(training: Training, perceptual: str) -> dict[str, Any]:
    """What it is trained on, and in which precision, for the record."""
    return {
        "device": str(training.device),
        "processes": training.accelerator.num_processes,
        "threads": torch.get_num_threads(),
        "precision": "bfloat16" if training.half_precision else "float32",
        "perceptual": perceptual,
    }
