"""The default generator: an encoder-decoder with residual blocks.

After Simo-Serra et al., "Learning to Simplify", 2016, without normalisation, so that a tile is drawn as in the whole
image, and with a space-to-depth stem, so that no wide layer runs at full resolution.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .base import LEAK, LoadGenerator, Region, initialise, whole
from .config import GeneratorConfig

TAIL = 16  # channels at full resolution
TAIL_REACH, DECODER_REACH = 4, 24  # px around a place that the tail sees, and the decoder with it


def _active(x: Tensor) -> Tensor:
    return F.leaky_relu(x, LEAK, inplace=True)


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(_active(self.first(x))).add_(x)


class ResidualGenerator(LoadGenerator):
    """Stages at 1/2, 1/4 and 1/8 of the resolution with 1, 2 and 3 times `width` channels, skips between them."""

    name = "residual"
    bytes_per_pixel = 11.0
    encoder_names = ("stem", "encode", "down", "eighth")
    tail_names = ("up_full", "tail", "output")
    stride = 8

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        planes, width = len(config.planes), config.width
        self.stem = nn.Conv2d(4 * planes, width, 3, padding=1)
        self.encode_half = ResidualBlock(width)
        self.down_quarter = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.encode_quarter = ResidualBlock(2 * width)
        self.down_eighth = nn.Conv2d(2 * width, 3 * width, 3, stride=2, padding=1)
        self.eighth = nn.Sequential(*[ResidualBlock(3 * width) for _ in range(config.blocks)])
        self.up_quarter = nn.Conv2d(3 * width, 2 * width, 3, padding=1)
        self.decode_quarter = ResidualBlock(2 * width)
        self.up_half = nn.Conv2d(2 * width, width, 3, padding=1)
        self.decode_half = ResidualBlock(width)
        self.up_full = nn.Conv2d(width, TAIL, 3, padding=1)
        self.tail = nn.Conv2d(TAIL + planes, TAIL, 3, padding=1)
        self.output = nn.Conv2d(TAIL, 1, 3, padding=1)
        branches = [block.second for block in self.modules() if isinstance(block, ResidualBlock)]
        initialise(self, branches, self.output)
        # 3x3 convolutions reach one pixel of their own scale, a block two; stem and nearest upsampling
        # reach up to one pixel of the coarser scale, less one of the finer.
        full, half, quarter, eighth = 2, 1 + 2 + 1 + 2 + 1 + 1, 2 + 1 + 2 + 1 + 1, 2 * config.blocks + 1
        self.receptive_radius = full + 2 * half + 4 * quarter + 8 * eighth

    def half_logits(self, planes: Tensor, part: Region | None = None) -> Tensor:
        page = whole(planes)
        part = part or page
        half = self.encode_half(_active(self.stem(F.pixel_unshuffle(planes, 2))))
        quarter = self.encode_quarter(_active(self.down_quarter(half)))
        eighth = self.eighth(_active(self.down_eighth(quarter)))
        # What is far from the part has been seen by now.
        near = part.wider(DECODER_REACH, page)
        half, quarter, eighth = near.of(half, 2), near.of(quarter, 4), near.of(eighth, 8)
        quarter = self.decode_quarter(self.up_quarter(_twice(eighth)).add_(quarter))
        half = self.decode_half(self.up_half(_twice(quarter)).add_(half))
        beside = part.wider(TAIL_REACH, page)
        half, planes = beside.within(near).of(half, 2), beside.of(planes)
        full = _twice(_active(self.up_full(half)))
        output: Tensor = self.output(_active(self.tail(torch.cat([full, planes.to(full.dtype)], 1))))
        return part.within(beside).of(output)


def _twice(x: Tensor) -> Tensor:
    # Nearest upsampling before a convolution leaves no checkerboard; depth-to-space does.
    return F.interpolate(x, scale_factor=2.0, mode="nearest")
