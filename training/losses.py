"""The loss terms of one step, as plain functions of tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

Judgement = Sequence[tuple[Tensor, list[Tensor]]]  # what a MultiScaleDiscriminator returns


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


def discriminator_loss(real: Judgement, fake: Judgement) -> Tensor:
    """Binary cross-entropy over the scales; 2 ln 2 per scale is chance."""
    terms = [
        F.softplus(-r.float()).mean() + F.softplus(f.float()).mean() for (r, _), (f, _) in zip(real, fake, strict=True)
    ]
    return torch.stack(terms).sum()


def adversarial_loss(fake: Judgement) -> Tensor:
    """Non-saturating binary cross-entropy over the scales; ln 2 per scale is chance."""
    return torch.stack([F.softplus(-logits.float()).mean() for logits, _ in fake]).sum()


def feature_matching(real: Judgement, fake: Judgement) -> Tensor:
    """L1 between the discriminator's features of real and fake (Wang et al., pix2pixHD, 2018)."""
    terms = [
        F.l1_loss(f, r.detach()).float()
        for (_, features), (_, wanted) in zip(fake, real, strict=True)
        for f, r in zip(features, wanted, strict=True)
    ]
    return torch.stack(terms).sum()


def feature_sizes(features: Sequence[Tensor]) -> Tensor:
    """The mean magnitude of each layer (layers,)."""
    return torch.stack([f.abs().mean().float() for f in features])


def feature_distance(features: Sequence[Tensor], wanted: Sequence[Tensor], sizes: Tensor) -> Tensor:
    """Mean over layers of L1, each as a share of its layer's size, so that any network gives the same magnitude."""
    terms = [(f - w).abs().mean().float() / (size + 1e-6) for f, w, size in zip(features, wanted, sizes, strict=True)]
    return torch.stack(terms).mean()
