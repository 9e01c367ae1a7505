"""Checkpoints: a folder per moment, tensors in safetensors and the rest in JSON, written whole or not at all."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sketchgan_core.errors import SketchGANError

KEPT = 3  # the last ones; an older one may be wanted when the newest has just gone wrong
FOLDER = "checkpoints"


def save_checkpoint(
    run: Path,
    crops: int,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
    state: Mapping[str, Any],
) -> Path:
    """Write `run/checkpoints/<crops>` and drop all but the last few."""
    folder = run / FOLDER / f"{crops:010d}"
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    weights = {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    save_file(_plain(weights), part / "weights.safetensors")
    moments = {
        f"{name}.{index}.{key}": value
        for name, optimizer in optimizers.items()
        for index, values in optimizer.state_dict()["state"].items()
        for key, value in values.items()
    }
    save_file(_plain({**moments, "random": torch.get_rng_state()}), part / "optimizers.safetensors")
    (part / "state.json").write_text(json.dumps({**state, "crops": crops}, indent=1))
    # a second save at the same count holds the same training state
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
    for old in _checkpoints(run)[:-KEPT]:
        shutil.rmtree(old)
    return folder


def latest(run: Path) -> Path | None:
    """The checkpoint with the most crops seen, by number and not by the order of strings."""
    return _checkpoints(run)[-1] if _checkpoints(run) else None


def restore(
    folder: Path, modules: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer]
) -> dict[str, Any]:
    """Load everything `save_checkpoint` wrote into `modules` and `optimizers`, in place; returns the state.

    Raises:
        SketchGANError: the checkpoint is damaged or of another configuration.
    """
    try:
        weights = load_file(folder / "weights.safetensors")
        moments = load_file(folder / "optimizers.safetensors")
        torch.set_rng_state(moments.pop("random"))
        for name, module in modules.items():
            module.load_state_dict(below(name, weights))
        for name, optimizer in optimizers.items():
            _restore_optimizer(optimizer, below(name, moments))
        return json.loads((folder / "state.json").read_text())
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise SketchGANError(
            f"{folder}: cannot be resumed from ({error}); remove this folder to go on from the one before"
        ) from error


def _restore_optimizer(optimizer: torch.optim.Optimizer, moments: dict[str, Tensor]) -> None:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for path, value in moments.items():
        index, key = path.split(".")
        parameter = parameters[int(index)]
        # in the parameter's own memory layout, or a resumed step takes another path through the kernels
        state.setdefault(int(index), {})[key] = (
            torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value
        )
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def _checkpoints(run: Path) -> list[Path]:
    folder = run / FOLDER
    found = [path for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
    return sorted(found, key=lambda path: int(path.name))


def below(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
