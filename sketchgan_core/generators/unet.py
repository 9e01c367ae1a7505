"""A U-Net generator, after Ronneberger et al., "U-Net", 2015, without normalisation."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .base import LEAK, LoadGenerator, Region, initialise, whole
from .config import GeneratorConfig

MAX_BLOCKS = 6  # the receptive radius doubles with each, and so does the margin of a tile


class ConvPair(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(self.second(F.leaky_relu(self.first(x), LEAK)), LEAK)


class UNetGenerator(LoadGenerator):
    """`blocks` halvings (4 in the paper), channels doubling from half of `width` at full resolution."""

    name = "unet"
    bytes_per_pixel = 18.0
    encoder_names = ("encode",)
    tail_names = ("output",)

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        if not 1 <= config.blocks <= MAX_BLOCKS:
            raise ValueError(f"a unet has 1 to {MAX_BLOCKS} blocks, not {config.blocks}")
        widths = [max(1, config.width // 2) * 2**level for level in range(config.blocks + 1)]
        finer = [len(config.planes), *widths]
        self.encode = nn.ModuleList(ConvPair(finer[level], width) for level, width in enumerate(widths))
        self.decode = nn.ModuleList(
            ConvPair(widths[level] + widths[level + 1], widths[level]) for level in range(config.blocks)
        )
        self.output = nn.Conv2d(widths[0], 1, 1)
        initialise(self, [], self.output)
        self.stride = coarsest = 2**config.blocks
        # Each pair of 3x3 convolutions reaches two pixels of its own scale, on the way down and on the way up;
        # pooling reaches one finer pixel to the right, nearest upsampling as far to the left.
        convolutions = 2 * 2 * (coarsest - 1) + 2 * coarsest
        self.receptive_radius = convolutions + coarsest - 1

    def half_logits(self, planes: Tensor, part: Region | None = None) -> Tensor:
        x = planes
        skips: list[Tensor] = []
        for encode in self.encode:
            x = encode(F.max_pool2d(x, 2) if skips else x)
            skips.append(x)
        skips.pop()
        for level in reversed(range(len(self.decode))):
            x = F.interpolate(x, scale_factor=2.0, mode="nearest")
            x = self.decode[level](torch.cat([skips.pop(), x], 1))
        output: Tensor = self.output((part or whole(x)).of(x))
        return output
