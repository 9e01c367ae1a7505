"""What every generator of SketchGAN's own has in common: planes in, load out, graphite on paper."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..materials.deposition import deposit
from .config import GeneratorConfig

# Before the first training step a pencil already draws what is planned, neither saturated nor blank.
PRIOR_GAIN = 2.4
PRIOR_BIAS = -2.2
PRIOR_WEIGHTS = {"ink": 0.4, "take": 1.0, "restated": 0.6, "construction": 0.2, "hatch": 0.7}
BARE, DRAWN = 0.01, 0.04  # load up to which the paper is bare, and from which it is drawn in full
LEAK = 0.2  # a plain ReLU dies where 95 % of the pixels are paper and all push one way


class LoadGenerator(nn.Module):
    """A generator that predicts load. Subclasses set `stride` and `receptive_radius` and define `load_logits`."""

    stride: int
    receptive_radius: int
    prior: Tensor

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        prior = [PRIOR_GAIN * PRIOR_WEIGHTS.get(name, 0.0) for name in config.planes]
        self.register_buffer("prior", torch.tensor(prior).view(1, -1, 1, 1), persistent=False)

    def load_logits(self, planes: Tensor) -> Tensor:
        """What the network adds to the prior: (B,P,H,W) -> (B,1,H,W), any float type."""
        raise NotImplementedError

    def load(self, planes: Tensor) -> Tensor:
        """How much graphite the hand puts down.

        Args:
            planes: (B, P, H, W) as named by `config.planes`; H and W multiples of `stride`.

        Returns:
            (B, 1, H, W) float32 in 0..1.
        """
        prior = (planes.float() * self.prior.float()).amax(1, keepdim=True) + PRIOR_BIAS
        return 0.5 + 0.5 * torch.tanh(self.load_logits(planes).float() + prior)

    def lay(self, planes: Tensor, reach: Tensor) -> Tensor:
        """The load (B, 1, H, W) within reach: exactly 0 where the paper is to stay bare, without an edge."""
        load = self.load(planes) * reach.float()
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
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, a=LEAK, nonlinearity="leaky_relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    with torch.no_grad():
        for branch in residual_branches:
            branch.weight.mul_(0.3)
        output.weight.mul_(0.1)
