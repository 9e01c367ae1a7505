"""Between ComfyUI's image tensors and the core's arrays."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F


def to_image(grey: torch.Tensor) -> torch.Tensor:
    """IMAGE of grey frames; each channel has its own memory, because other nodes write into what they are given."""
    return grey[..., None].repeat(1, 1, 1, 3)  # BHW -> BHWC


def to_colours(frame: torch.Tensor, height: int, width: int) -> np.ndarray:
    """A frame (H, W, C) of an IMAGE with one, three or four channels, as colours (height, width, 3) on white."""
    frame = frame.float() if frame.dtype.is_floating_point else frame.float() / torch.iinfo(frame.dtype).max
    colours = frame[..., :3].expand(*frame.shape[:-1], 3)
    if frame.shape[-1] == 4:
        colours = 1 - (1 - colours) * frame[..., 3:]
    channels = colours.movedim(-1, 0)[None]  # HWC -> BCHW
    if channels.shape[-2:] != (height, width):
        channels = F.interpolate(channels, (height, width), mode="bilinear", antialias=True)
    return channels[0].movedim(0, -1).cpu().numpy()  # BCHW -> HWC
