"""Checkpoints: a folder per moment, tensors in safetensors and the rest in JSON, written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sketchgan_core.files import digest

from ..errors import TrainingError
from .state import RunState

KEPT = 3  # the latest ones; an older one may be wanted when the newest has just gone wrong
FOLDER = "checkpoints"
WEIGHTS, MOMENTS, STATE = "weights.safetensors", "optimizers.safetensors", "state.json"
LEFTOVERS = (".part", ".old", ".damaged", ".diverged")  # of an interrupted write, or set aside


def save_checkpoint(
    run: Path, modules: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer], state: RunState
) -> Path:
    """Write `run/checkpoints/<crops>` and drop all but the last few, the best and the last good one.

    Whatever stops the process or the machine in the meantime, a folder whose name is a number is complete.
    """
    folder = run / FOLDER / f"{state.crops:010d}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(run)
    part = folder.with_name(f"{folder.name}.part")
    try:
        part.mkdir()
        _write(part, modules, optimizers, state)
    except BaseException:
        # on a full disk, half a checkpoint would take the room that the next one needs
        shutil.rmtree(part, ignore_errors=True)
        raise
    if folder.exists():
        folder.rename(folder.with_name(f"{folder.name}.old"))
    part.rename(folder)
    _sync(folder.parent)
    remove_leftovers(run)
    for old in _superfluous(checkpoints(run), state):
        shutil.rmtree(old)
    return folder


def _superfluous(found: list[Path], state: RunState) -> list[Path]:
    """The checkpoints to drop: all but the last few, the best, and the newest that is known to be good."""
    good = max((int(folder.name) for folder in found if int(folder.name) <= state.good_at), default=None)
    kept = {state.best.crops if state.best else None, good}
    return [folder for folder in found[:-KEPT] if int(folder.name) not in kept]


def _write(
    part: Path, modules: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer], state: RunState
) -> None:
    weights = {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    save_file(_plain(weights), part / WEIGHTS)
    moments = {
        f"{name}.{index}.{key}": value
        for name, optimizer in optimizers.items()
        for index, values in optimizer.state_dict()["state"].items()
        for key, value in values.items()
    }
    save_file(_plain({**moments, "random": torch.get_rng_state()}), part / MOMENTS)
    digests = {name: digest(part / name) for name in (WEIGHTS, MOMENTS)}
    told = state.as_json()
    (part / STATE).write_text(json.dumps({**told, "sha256": {**digests, STATE: _digest_of(told)}}, indent=1))
    for name in (WEIGHTS, MOMENTS, STATE):
        _sync(part / name)
    _sync(part)


def checkpoints(run: Path) -> list[Path]:
    """All checkpoints by crops seen, in the order of numbers, not of strings."""
    folder = run / FOLDER
    found = [path for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
    return sorted(found, key=lambda path: int(path.name))


def latest(run: Path) -> Path | None:
    """The checkpoint with the most crops seen."""
    found = checkpoints(run)
    return found[-1] if found else None


def best(run: Path) -> Path | None:
    """The checkpoint that measured best in validation, if there is one yet."""
    newest = latest(run)
    chosen = read_state(newest).best if newest else None
    folder = run / FOLDER / f"{chosen.crops:010d}" if chosen else None
    return folder if folder is not None and folder.is_dir() else None


def newest_intact(run: Path) -> Path | None:
    """The newest checkpoint whose files are as they were written; damaged ones are set aside with a message.

    Raises:
        TrainingError: there are checkpoints, and all are damaged.
    """
    damaged: list[tuple[Path, str]] = []
    for folder in reversed(checkpoints(run)):
        damage = _damage(folder)
        if damage is None:
            for newer, why in damaged:
                print(f"{newer}: damaged ({why}); going on from the one before", flush=True)
                set_aside(newer, "damaged")
            return folder
        damaged.append((folder, damage))
    if damaged:
        folder, why = damaged[0]
        raise TrainingError(
            f"{folder}: damaged ({why}), and no other checkpoint is whole; remove {run / FOLDER} to start anew"
        )
    return None


def set_aside(folder: Path, why: str) -> None:
    """Keep a checkpoint that must not be used, until the next one is written."""
    aside = folder.with_name(f"{folder.name}.{why}")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)


def remove_leftovers(run: Path) -> None:
    """Delete what an interrupted write left behind, and what was set aside."""
    for path in (run / FOLDER).glob("*"):
        if path.suffix in LEFTOVERS:
            shutil.rmtree(path, ignore_errors=True)


def read_state(folder: Path) -> RunState:
    """The state that a checkpoint keeps besides its tensors.

    Raises:
        TrainingError: it is not what was written.
    """
    try:
        return RunState.from_json(_told(folder))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{folder}: damaged ({error}); remove this folder to use the checkpoint before") from error


def restore(folder: Path, modules: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer]) -> None:
    """Load the tensors that `save_checkpoint` wrote into `modules` and `optimizers`, in place.

    Raises:
        TrainingError: the checkpoint is of another configuration.
    """
    try:
        weights = load_file(folder / WEIGHTS)
        moments = load_file(folder / MOMENTS)
        torch.set_rng_state(moments.pop("random"))
        for name, module in modules.items():
            module.load_state_dict(below(name, weights))
        for name, optimizer in optimizers.items():
            _restore_optimizer(optimizer, below(name, moments))
    except (OSError, KeyError, ValueError, IndexError, RuntimeError, SafetensorError) as error:
        raise TrainingError(
            f"{folder}: cannot be resumed from ({error}); remove this folder to go on from the one before"
        ) from error


def _restore_optimizer(optimizer: torch.optim.Optimizer, moments: dict[str, Tensor]) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for path, value in moments.items():
        index, key = path.split(".")
        parameter = parameters[int(index)]
        # in the parameter's own memory layout, or a resumed step would take another path through the kernels
        state.setdefault(int(index), {})[key] = (
            torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
        )
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _damage(folder: Path) -> str | None:
    try:
        told = _told(folder)
        RunState.from_json(told)
        for name in (WEIGHTS, MOMENTS):
            if digest(folder / name) != told["sha256"][name]:
                return f"{name} is not what was written"
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        return str(error)
    return None


def _told(folder: Path) -> dict[str, Any]:
    """All that a checkpoint's state.json says."""
    told = json.loads((folder / STATE).read_text(encoding="utf-8"))
    if not isinstance(told, dict) or not isinstance(told.get("sha256"), dict):
        raise ValueError(f"{STATE} is not what was written")
    if _digest_of({name: value for name, value in told.items() if name != "sha256"}) != told["sha256"].get(STATE):
        raise ValueError(f"{STATE} is not what was written")
    return told


def _digest_of(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _sync(path: Path) -> None:
    """Flush to the disk: a rename may otherwise get there before the bytes it names."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle on a folder, and journals its renames
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def below(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
