"""Tiny runs of the trainer."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file

from training.runs.checkpoint import latest

SMALL = {
    "width": 8, "blocks": 1, "discriminator_width": 4, "crop": 96, "batch": 2, "perceptual": "none", "log_crops": 4,
    "sample_crops": 8, "validation_crops": 2, "fidelity_crops": 4, "discriminator_lead": 4, "adversarial_ramp": 4,
    "warmup_crops": 4, "ema_half_life": 8, "crops": 16,
}  # fmt: skip


def arguments(data: Path, run: Path, **settings: object) -> list[str]:
    chosen = {**SMALL, **settings}
    sets = [part for key, value in chosen.items() for part in ("--set", f"{key}={value}")]
    return ["run", "--data", str(data), "-o", str(run), "--threads", "1", "--device", "cpu", "--debug", *sets]


def tensors(run: Path) -> dict[str, torch.Tensor]:
    folder = latest(run)
    assert folder is not None
    return {**load_file(folder / "weights.safetensors"), **load_file(folder / "optimizers.safetensors")}
