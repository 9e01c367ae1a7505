"""The loss terms of one step, as plain functions of tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Judgement = Sequence[tuple[Tensor, list[Tensor]]]  # what a MultiScaleDiscriminator returns


TERMS = ("fidelity", "perceptual", "adversarial", "unconditional", "unpaired")  # of the generator's loss


class Balance(nn.Module):
    """Keeps the terms of a loss within one order of magnitude, by running magnitudes of their gradients.

    A term whose gradient is more than the square root of ten times larger or smaller than the fidelity's is scaled to
    that; within, the weights decide. The magnitudes are state, so a resumed run balances as if never interrupted.
    """

    MEMORY = 0.98  # of the running magnitudes, per step
    LIMIT = math.sqrt(10)

    magnitudes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("magnitudes", torch.zeros(len(TERMS)))

    @torch.no_grad()
    def forward(self, norms: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Take in the norms of the terms' gradients; returns the factor of each."""
        for name, norm in norms.items():
            running = self.magnitudes[TERMS.index(name)]
            running.copy_(torch.where(running > 0, self.MEMORY * running + (1 - self.MEMORY) * norm, norm))
        reference = self.magnitudes[TERMS.index("fidelity")]
        factors = {}
        for name in norms:
            ratio = self.magnitudes[TERMS.index(name)] / reference.clamp_min(1e-12)
            factors[name] = ratio.clamp(1 / self.LIMIT, self.LIMIT) / ratio.clamp_min(1e-12)
        return factors


def fidelity(sketch: Tensor, target: Tensor, weights: Sequence[float]) -> Tensor:
    """L1 on the graphite, averaged over 1, 2, 4, 8 ... px, one weight each.

    The target is predictable from the plan down to the pixel, so fine scales teach strokes, not blur.
    """
    difference = sketch - target
    total = weights[0] * difference.abs().mean()
    for weight in weights[1:]:
        difference = F.avg_pool2d(difference, 2)
        total = total + weight * difference.abs().mean()
    return total


def discriminator_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """Binary cross-entropy of each scale's logits, summed over the scales; 2 ln 2 per scale is chance."""
    terms = [F.softplus(-r.float()).mean() + F.softplus(f.float()).mean() for r, f in zip(real, fake, strict=True)]
    return torch.stack(terms).sum()


def adversarial_loss(fake: Sequence[Tensor]) -> Tensor:
    """Non-saturating binary cross-entropy of each scale's logits, summed over them; ln 2 per scale is chance."""
    return torch.stack([F.softplus(-logits.float()).mean() for logits in fake]).sum()


def feature_matching(judged: Judgement) -> Tensor:
    """L1 between the discriminator's features of real and fake (Wang et al., pix2pixHD, 2018).

    Args:
        judged: of one batch whose first half is real. It is compared whole, the real half with itself: the gradients
            of halved features would have another memory layout, which every layer before would have to convert.
    """
    terms = []
    for _, features in judged:
        for feature in features:
            real = feature.detach()[: len(feature) // 2]
            terms.append(2 * _mean_size(feature - torch.cat([real, real])))
    return torch.stack(terms).sum()


def _mean_size(difference: Tensor) -> Tensor:
    """The mean of the absolute values; unlike that of abs().mean(), its gradient keeps the memory layout."""
    return torch.linalg.vector_norm(difference, 1, dtype=torch.float32) / difference.numel()


def feature_sizes(features: Sequence[Tensor]) -> Tensor:
    """The mean magnitude of each layer (layers,)."""
    return torch.stack([f.abs().mean().float() for f in features])


def feature_distance(features: Sequence[Tensor], wanted: Sequence[Tensor], sizes: Tensor) -> Tensor:
    """L1 as a share of each layer's size, averaged over the layers, so that any network gives the same magnitude."""
    terms = [_mean_size(f - w) / (size + 1e-6) for f, w, size in zip(features, wanted, sizes, strict=True)]
    return torch.stack(terms).mean()
