"""`sketchgan-train`: one subcommand per module, each with HELP, add_arguments(parser) and run(args) -> exit status."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from sketchgan_core.errors import SketchGANError, show_every_name, unreachable

PROGRAM = "sketchgan-train"

# Each subcommand's module and what it does. The module is imported only when it is asked for,
# so that synthesizing neither waits for the training libraries nor needs them.
COMMANDS = {
    "synthesize": ("synthesis", "make training pairs without an artist"),
    "pair": ("commands.pair", "make training pairs of an artist's own pencil drawings"),
    "shard": ("commands.shard", "plan pairs and write them as WebDataset shards, for large sets"),
    "run": ("commands.run", "train a pencil on a folder of pairs"),
    "evaluate": ("commands.evaluate", "measure a pencil against drawings"),
    "export": ("commands.export", "write a pencil as one safetensors file"),
}


def _module(command: str) -> ModuleType:
    return importlib.import_module(f".{COMMANDS[command][0]}", __package__)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items())
    return f"usage: {PROGRAM} COMMAND ...\n\n{commands}\n\n{PROGRAM} COMMAND --help lists a command's options."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand.

    Returns:
        0 when all is done, 1 when some input failed, 2 for bad usage.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        return 0 if arguments else 2
    command = arguments[0]
    if command == "--version":
        from importlib.metadata import version

        print(f"{PROGRAM} {version('sketchgan')}")
        return 0
    if command not in COMMANDS:
        print(f"{PROGRAM}: unknown command {command!r}; choose one of {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    show_every_name()
    try:
        return _run(command, arguments[1:])
    except KeyboardInterrupt:
        print(f"{PROGRAM}: interrupted", file=sys.stderr)
        return 130


def _run(command: str, arguments: Sequence[str]) -> int:
    module = _module(command)
    parser = argparse.ArgumentParser(prog=f"{PROGRAM} {command}", description=module.HELP)
    module.add_arguments(parser)
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    args = parser.parse_args(arguments)
    try:
        return int(module.run(args))
    except SketchGANError as error:
        if args.debug:
            raise
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        if args.debug:
            raise
        print(f"{PROGRAM}: {unreachable(error)}", file=sys.stderr)
        return 1
