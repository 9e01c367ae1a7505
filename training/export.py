"""`sketchgan-train export`: a run's averaged generator as a pencil that others can use."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load_file

from sketchgan_core.controls import Controls
from sketchgan_core.discriminator import MultiScaleDiscriminator
from sketchgan_core.errors import SketchGANError
from sketchgan_core.generators import build_generator
from sketchgan_core.weights import Card, save_discriminator, save_pencil

from .card import write_card
from .checkpoint import below, latest
from .config import TrainConfig, load_config
from .networks import discriminator_config, generator_config, unconditional_config

HELP = "write the averaged generator of a run as one safetensors file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="the -o of sketchgan-train run")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the pencil, .safetensors")
    parser.add_argument("--title", help="name shown to users; the run folder's name if not given")
    parser.add_argument("--author", default="", help="who made it")
    parser.add_argument("--licence", default="", help="an SPDX identifier, such as CC0-1.0")
    parser.add_argument("--notes", default="", help="which lines and controls suit it")
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
    export(args.run_folder, card, args.output, args.discriminator, overwrite=args.overwrite)
    print(args.output)
    if args.card:
        text = args.text.read_text(encoding="utf-8").strip() if args.text else ""
        print(write_card(args.output, args.run_folder, args.report, text))
    return 0


def export(
    run_folder: Path, card: Card, pencil: Path, discriminator: Path | None = None, *, overwrite: bool = False
) -> None:
    """Write the latest checkpoint of a run as a pencil and, if asked, its discriminators.

    The unconditional one, which adversarial augmentation trains, goes beside it: unconditional.safetensors beside
    discriminator.safetensors.

    Raises:
        SketchGANError: the run has no checkpoint, or a file exists.
    """
    folder = latest(run_folder)
    if folder is None:
        raise SketchGANError(f"{run_folder}: has no checkpoint; train first: sketchgan-train run -o {run_folder}")
    config = load_config(run_folder / "config.toml")
    weights = load_file(folder / "weights.safetensors")
    state = json.loads((folder / "state.json").read_text())
    story = _story(config, state)

    generator = build_generator(generator_config(config))
    generator.load_state_dict(below("average", weights))
    obeyed = {name: value for name, value in Controls().items() if name in generator.config.planes}
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


def _story(config: TrainConfig, state: dict[str, Any]) -> dict[str, Any]:
    """How the pencil came about: what somebody needs to make it again."""
    told = {
        key: state[key] for key in ("crops", "seconds", "command", "data", "commit", "perceptual") if state.get(key)
    }
    return {**told, "seed": config.seed, "settings": asdict(config)}
