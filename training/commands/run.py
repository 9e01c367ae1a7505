"""`sketchgan-train run`: pairs in, a pencil out. The same command again goes on where the last one stopped."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path

from sketchgan_core.errors import SketchGANError
from sketchgan_core.pencils.weights import Card

from ..config import load_config
from ..learning.start import load_start
from ..runs.record import read_record
from ..runs.session import Request, make_accelerator, train
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
    accelerator = make_accelerator(args.device, args.threads)
    try:
        complete = train(_request(args), accelerator, args.dry_run)
    except SketchGANError:
        if accelerator.is_main_process:
            raise
        return 2  # every process has found the same error, and one reports it
    if accelerator.is_main_process and not args.dry_run:
        _finish(args.output, complete)
    return 0


def _request(args: argparse.Namespace) -> Request:
    start = None if args.start is None else load_start(args.start)
    overrides = args.set + ([f"crops={args.crops}"] if args.crops is not None else [])
    config = load_config(args.config, overrides, None if start is None else start.settings())
    return Request(
        args.data, args.output, config, start, args.unpaired_lines, args.unpaired_sketches, args.plans, args.minutes
    )


def _finish(run_folder: Path, complete: bool) -> None:
    crops, seconds = (read_record(run_folder)[name] for name in ("crops", "seconds"))
    if not complete:
        print(f"{run_folder}: stopped at {crops} crops; the same command goes on from there")
        return
    pencil = run_folder / "pencil.safetensors"
    chosen = export(
        run_folder, Card(title=run_folder.resolve().name), pencil, run_folder / "discriminator.safetensors",
        overwrite=True,
    )  # fmt: skip
    print(
        f"{pencil}: complete after {crops} crops in {seconds / 60:.0f} min, {chosen}; "
        f"{run_folder / 'report.html'} shows how it went"
    )
