"""Between ComfyUI's image tensors and the core's arrays."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F


def to_image(grey: torch.Tensor) -> torch.Tensor:
    """IMAGE of grey frames; each channel has its own memory, because other nodes write into what they are given."""
    return grey[..., None].repeat(1, 1, 1, 3)  # BHW -> BHWC


def frames(image: torch.Tensor, name: str) -> torch.Tensor:
    """An IMAGE as any pack may hand it over, as floats (B, H, W, C) with one, three or four channels.

    Raises:
        ValueError: it is none, or there is nothing in it.
    """
    if image.ndim != 4 or image.shape[-1] not in (1, 3, 4):
        raise ValueError(
            f"{name} has the shape {tuple(image.shape)}, where an IMAGE is (batch, height, width, 1, 3 or 4 channels); "
            "find the node before that makes it"
        )
    return _filled(image, name)


def masks(mask: torch.Tensor, name: str) -> torch.Tensor:
    """A MASK, or several, as floats (B, H, W).

    Raises:
        ValueError: it is none, or there is nothing in it.
    """
    if mask.ndim < 2:
        raise ValueError(
            f"{name} has the shape {tuple(mask.shape)}, where a MASK is (batch, height, width); "
            "find the node before that makes it"
        )
    return _filled(mask, name).reshape(-1, *mask.shape[-2:])


def _filled(values: torch.Tensor, name: str) -> torch.Tensor:
    if not values.numel():
        raise ValueError(f"{name} is empty, {tuple(values.shape)}; connect one with a picture in it")
    if values.dtype.is_complex:
        raise ValueError(f"{name} holds complex numbers; find the node before that makes it")
    whole = values.dtype != torch.bool and not values.dtype.is_floating_point
    return values.float() / torch.iinfo(values.dtype).max if whole else values.float()


def to_colours(frame: torch.Tensor, height: int, width: int) -> np.ndarray:
    """A frame (H, W, C) of `frames` as colours (height, width, 3) on white."""
    colours = frame[..., :3].expand(*frame.shape[:-1], 3)
    if frame.shape[-1] == 4:
        colours = 1 - (1 - colours) * frame[..., 3:]
    channels = colours.movedim(-1, 0)[None]  # HWC -> BCHW
    if channels.shape[-2:] != (height, width):
        channels = F.interpolate(channels, (height, width), mode="bilinear", antialias=True)
    return channels[0].movedim(0, -1).cpu().numpy()  # BCHW -> HWC
