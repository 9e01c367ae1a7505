"""What every generator must provide, and what SketchGAN's own have in common: planes in, load out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..materials.deposition import deposit
from ..planning.planes import PLANES
from .config import GeneratorConfig

# Before the first training step a pencil already draws what is planned, neither saturated nor blank.
PRIOR_GAIN = 2.4
PRIOR_BIAS = -2.2
PRIOR_WEIGHTS = {"ink": 0.4, "take": 1.0, "restated": 0.6, "construction": 0.2, "hatch": 0.7}
BARE, DRAWN = 0.01, 0.04  # load up to which the paper is bare, and from which it is drawn in full
LEAK = 0.2  # a plain ReLU dies where 95 % of the pixels are paper and all push one way


@dataclass(frozen=True)
class Region:
    """A part of an image, px; it may stick out."""

    top: int
    left: int
    height: int
    width: int

    def of(self, image: Tensor, scale: int = 1) -> Tensor:
        """That part of an image (..., H, W) at 1 / `scale` of the resolution, as far as there is one."""
        bottom, right = (self.top + self.height) // scale, (self.left + self.width) // scale
        return image[..., self.top // scale : bottom, self.left // scale : right]

    def wider(self, margin: int, page: Region) -> Region:
        """The region with a margin, as far as the page goes."""
        top, left = max(page.top, self.top - margin), max(page.left, self.left - margin)
        bottom = min(page.top + page.height, self.top + self.height + margin)
        right = min(page.left + page.width, self.left + self.width + margin)
        return Region(top, left, bottom - top, right - left)

    def within(self, other: Region) -> Region:
        """The region as seen from the upper left corner of another."""
        return Region(self.top - other.top, self.left - other.left, self.height, self.width)


def whole(image: Tensor) -> Region:
    """All of an image (..., H, W)."""
    return Region(0, 0, image.shape[-2], image.shape[-1])


class Generator(nn.Module):
    """All that is known about an architecture, in one place; the registry lists the classes.

    Attributes:
        name: what a config and a weights file call it.
        bytes_per_pixel: peak bytes of activations per pixel of a tile and channel of width, float32, as measured by
            bench/tile_memory.py.
        draws_load: whether it lays down load, which deposition puts on paper, or draws ink and paper itself.
        input_planes: the planes it is shown.
        encoder_names, tail_names: how the names of its first and last parameters begin, which learn at rates of their
            own; the rest is the decoder.
        stride: its input's height and width are multiples of this.
        receptive_radius: px that it can see around a pixel.
    """

    name: ClassVar[str]
    bytes_per_pixel: ClassVar[float]
    draws_load: ClassVar[bool] = True
    input_planes: ClassVar[tuple[str, ...]] = PLANES
    encoder_names: ClassVar[tuple[str, ...]] = ()
    tail_names: ClassVar[tuple[str, ...]] = ()
    stride: int
    receptive_radius: int

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config

    def lay(self, planes: Tensor, reach: Tensor, part: Region | None = None) -> Tensor:
        """What it lays down for planes (B, P, H, W) within reach (B, 1, H, W); 0 is bare paper.

        Args:
            part: of the planes, on the stride: all that is returned; the rest is there to be seen. The whole if None.

        Returns:
            (B, 1, H, W), or the part of it.
        """
        raise NotImplementedError


class LoadGenerator(Generator):
    """A generator that predicts load. Subclasses define `half_logits`."""

    prior: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__(config)
        self.marks = [index for index, name in enumerate(config.planes) if name in PRIOR_WEIGHTS]
        prior = [PRIOR_GAIN * PRIOR_WEIGHTS[config.planes[index]] for index in self.marks]
        self.register_buffer("prior", torch.tensor(prior).view(1, -1, 1, 1), persistent=False)

    def half_logits(self, planes: Tensor, part: Region | None = None) -> Tensor:
        """Half the logit of the load, less its prior: (B,P,H,W) -> (B,1,H,W) or a part of it, any float type."""
        raise NotImplementedError

    def load(self, planes: Tensor, part: Region | None = None) -> Tensor:
        """How much graphite the hand puts down.

        Args:
            planes: (B, P, H, W) as named by `config.planes`; H and W multiples of `stride`.
            part: see `lay`.

        Returns:
            (B, 1, H, W) float32 in 0..1, or the part of it.
        """
        part = part or whole(planes)
        prior = (part.of(planes)[:, self.marks].float() * self.prior.float()).amax(1, keepdim=True) + PRIOR_BIAS
        return torch.sigmoid(2 * (self.half_logits(planes, part).float() + prior))

    def lay(self, planes: Tensor, reach: Tensor, part: Region | None = None) -> Tensor:
        """The load within reach: exactly 0 where the paper is to stay bare, without an edge."""
        load = self.load(planes, part) * (part or whole(reach)).of(reach).float()
        share = ((load - BARE) / (DRAWN - BARE)).clamp(0, 1)
        return load * share * share * (3 - 2 * share)

    def forward(self, planes: Tensor, reach: Tensor, paper: Tensor) -> Tensor:
        """Draws, as training sees it.

        Args:
            planes: (B, P, H, W).
            reach: (B, 1, H, W), 0..1; where it is 0 the paper stays bare.
            paper: (B, 1, H, W) heights.

        Returns:
            The sketch (B, 1, H, W) float32, 0 black .. 1 white.
        """
        return 1 - deposit(self.load(planes) * reach.float(), paper.float())


def initialise(module: nn.Module, residual_branches: list[nn.Conv2d], output: nn.Conv2d) -> None:
    """He initialisation for a network without normalisation: signals neither shrink nor grow with depth."""
    if output.weight.is_meta:
        return  # values are loaded later; without any, torch would import its compiler here, slower than the loading
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=LEAK, nonlinearity="leaky_relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    with torch.no_grad():
        for branch in residual_branches:
            branch.weight.mul_(0.3)
        output.weight.mul_(0.1)
