"""Which device to compute on, and which type is fast on it."""

from __future__ import annotations

import torch

from .errors import SketchGANError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(name: str = "auto") -> torch.device:
    """The device called `name` (cpu, cuda, cuda:1, mps ...); "auto" takes a GPU where there is one.

    Raises:
        SketchGANError: no such device in this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        # A torch built without CUDA raises an AssertionError.
        raise SketchGANError(f"device {name!r} is not available here; use auto or cpu") from None
    return device


def choose_dtype(device: torch.device, name: str = "auto") -> torch.dtype:
    """The type called `name` (float32, bfloat16, float16); "auto" takes 16 bits where they are faster on the device.

    Raises:
        SketchGANError: unknown type.
    """
    if name != "auto":
        if name not in DTYPES:
            raise SketchGANError(f"unknown type {name!r}; use auto, {', '.join(DTYPES)}")
        return DTYPES[name]
    if device.type == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return torch.bfloat16
        return torch.float16 if torch.cuda.get_device_capability(device) >= (7, 0) else torch.float32
    # Without these instructions 16 bits are emulated, and slower than 32.
    if device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()):
        return torch.bfloat16
    return torch.float32
