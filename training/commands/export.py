"""`sketchgan-train export`: the averaged generator of a run as a pencil that others can use."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from sketchgan_core.choices import CONTROLS
from sketchgan_core.errors import SketchGANError
from sketchgan_core.generators.discriminator import MultiScaleDiscriminator
from sketchgan_core.generators.registry import build_generator
from sketchgan_core.pencils.weights import Card, save_discriminator, save_pencil
from sketchgan_core.planning.controls import Controls

from ..config import TrainConfig, load_config
from ..data.plan_version import KEY, another_plan
from ..errors import TrainingError
from ..learning.networks import discriminator_config, generator_config, unconditional_config
from ..runs.card import write_card
from ..runs.checkpoint import WEIGHTS, below, best, latest, read_state
from ..runs.state import RunState

HELP = "write the averaged generator of a run as one safetensors file"


_FOLDERS = re.compile(r"""(?<![^\s"'=])(?:[A-Za-z]:|~)?[/\\](?:[^\s"'/\\]+[/\\])*(?=[^\s"'/\\])""")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="the -o of sketchgan-train run")
    target = parser.add_mutually_exclusive_group(required=True)
    target.add_argument("-o", "--output", type=Path, metavar="FILE", help="the pencil, .safetensors")
    target.add_argument(
        "--comfyui", type=Path, metavar="DIR", help="straight into the models of the ComfyUI in DIR, named after RUN"
    )
    parser.add_argument(
        "--checkpoint",
        choices=("best", "latest"),
        default="best",
        help="the one that measured best in validation (the default; the latest if none has), or the latest",
    )
    parser.add_argument("--title", help="name shown to users; the run folder's name if not given")
    parser.add_argument("--author", default="", help="who made it")
    parser.add_argument("--licence", default="", help="an SPDX identifier, such as CC0-1.0")
    parser.add_argument("--notes", default="", help="which lines and controls suit it")
    parser.add_argument(
        "--default", action="append", default=[], metavar="CONTROL=VALUE", help="what a control is where nobody asks"
    )
    parser.add_argument(
        "--discriminator", type=Path, metavar="FILE", help="write the discriminator too, to train on from"
    )
    parser.add_argument("--card", action="store_true", help="write a page about it beside it, with the run's curves")
    parser.add_argument("--report", type=Path, metavar="DIR", help="for the card: what sketchgan-train evaluate wrote")
    parser.add_argument("--text", type=Path, metavar="FILE", help="for the card: Markdown, such as known weaknesses")
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")


def run(args: argparse.Namespace) -> int:
    card = Card(
        title=args.title or args.run_folder.resolve().name,
        author=args.author,
        license=args.licence,
        usage_hint=args.notes,
    )
    pencil = args.output or models_folder(args.comfyui) / f"{args.run_folder.resolve().name}.safetensors"
    chosen = export(
        args.run_folder,
        card,
        pencil,
        args.discriminator,
        checkpoint=args.checkpoint,
        overwrite=args.overwrite,
        defaults=_defaults(args.default),
    )
    print(f"{pencil}: {chosen}")
    if args.card:
        text = args.text.read_text(encoding="utf-8").strip() if args.text else ""
        print(write_card(pencil, args.run_folder, args.report, text))
    return 0


def _defaults(given: Iterable[str]) -> dict[str, float]:
    """Controls out of `name=value`.

    Raises:
        TrainingError: no control of a pencil's, or no number in 0..1.
    """
    found = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            if name not in CONTROLS:
                raise ValueError(name)
            Controls(**{name: float(value)})
            found[name] = float(value)
        except (ValueError, SketchGANError):
            known = ", ".join(CONTROLS)
            raise TrainingError(f"--default {text}: write it as darkness=0.6; there are {known}") from None
    return found


def models_folder(comfyui: Path) -> Path:
    """Where the ComfyUI in a folder looks for pencils.

    Raises:
        TrainingError: the folder holds no ComfyUI.
    """
    # the desktop version keeps its models in a folder without main.py
    if not (comfyui / "models").is_dir() or not any((comfyui / mark).exists() for mark in ("main.py", "custom_nodes")):
        raise TrainingError(
            f"{comfyui}: holds no ComfyUI; give the folder that has models and custom_nodes in it, or -o FILE"
        )
    return comfyui / "models" / "sketchgan"


def export(
    run_folder: Path,
    card: Card,
    pencil: Path,
    discriminator: Path | None = None,
    *,
    checkpoint: str = "best",
    overwrite: bool = False,
    defaults: Mapping[str, float] | None = None,
) -> str:
    """Write a checkpoint of a run as a pencil and, if asked, its discriminators; returns which one it was.

    The unconditional one, which adversarial augmentation trains, goes next to it: unconditional.safetensors beside
    discriminator.safetensors.

    Args:
        defaults: of controls; where they say nothing, those that were measured in an artist's own drawings, or neutral.
        checkpoint: best or latest. If validation has found no best one yet, the latest is taken.

    Raises:
        SketchGANError: the run has no checkpoint, was trained for another plan, or a file exists.
    """
    folder = (best(run_folder) if checkpoint == "best" else None) or latest(run_folder)
    if folder is None:
        raise TrainingError(f"{run_folder}: has no checkpoint; train first: sketchgan-train run -o {run_folder}")
    config = load_config(run_folder / "config.toml")
    weights = load_file(folder / WEIGHTS)
    state = read_state(folder)
    if other := another_plan({KEY: state.origin.plan_version}):
        raise TrainingError(f"{run_folder}: was trained for {other}; export it with the program it was trained with")
    story = _story(config, state)

    generator = build_generator(generator_config(config))
    generator.load_state_dict(below("average", weights))
    wanted = dict(Controls().items()) | state.origin.controls | dict(defaults or {})
    obeyed = {name: value for name, value in wanted.items() if name in generator.config.planes and name in CONTROLS}
    save_pencil(pencil, generator, card, controls=obeyed, training=story, overwrite=overwrite)

    if discriminator is not None:
        stem = discriminator.stem.removesuffix("discriminator")
        beside = discriminator.with_name(f"{stem}unconditional.safetensors")
        judges = {
            "discriminator": (discriminator, discriminator_config(config)),
            "unconditional": (beside, unconditional_config(config)),
        }
        for name, (file, shape) in judges.items():
            if tensors := below(name, weights):
                judge = MultiScaleDiscriminator(**shape)
                judge.load_state_dict(tensors)
                save_discriminator(file, judge, card, config=shape, training=story, overwrite=overwrite)
    found = state.best
    if found is not None and found.crops == state.crops:
        return f"the best in validation, at {state.crops} crops ({found.metric} {found.value:.4g})"
    return f"the latest checkpoint, at {state.crops} crops"


def _story(config: TrainConfig, state: RunState) -> dict[str, Any]:
    """How the pencil came about: what somebody needs to make it again."""
    told = {"crops": state.crops, "seconds": state.seconds, **asdict(state.origin)}
    told = {key: value for key, value in told.items() if value and key != "controls"}
    # Users of the pencil need not know what its maker's folders are called.
    told |= {key: _FOLDERS.sub("", told[key]) for key in ("command", "data") if key in told}
    return {**told, "seed": config.seed, "settings": asdict(config)}
