"""A network that tries to tell real renderings from drawn ones: at chance it finds nothing to tell them by.

Unlike KID and sliced Wasserstein distance it looks for whatever betrays a pencil, and unlike an adversary it is new to
it: it learns from crops of some drawings and is asked about crops of others.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STEPS, BATCH = 240, 32
_RATE = 1e-3


def told_apart(real: Tensor, drawn: Tensor, each: int, steps: int = STEPS, seed: int = 0) -> float:
    """How well crops are told apart that the network has not learned from.

    Args:
        real, drawn: (N, 1, H, W) crops of the same places, `each` of every drawing in turn.
        each: crops of one drawing; no drawing is learned from and asked about.
        steps: batches that are learned from.
        seed: of the network and of the order of the batches.

    Returns:
        The share that is told right, 0..1; 0.5 is chance.
    """
    generator = torch.Generator().manual_seed(seed)
    half = len(real) // each // 2 * each
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _network()
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=_RATE, total_steps=steps)
    for _ in range(steps):
        chosen = torch.randint(half, (BATCH // 2,), generator=generator)
        crops = torch.cat([real[chosen], drawn[chosen]])
        flips = [axis for axis in (2, 3) if torch.rand((), generator=generator) < 0.5]
        logits = network(crops.flip(flips))[:, 0]
        truth = torch.cat([torch.ones(BATCH // 2), torch.zeros(BATCH // 2)])
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(logits, truth).backward()
        optimizer.step()
        schedule.step()
    network.eval()
    with torch.no_grad():
        right = [network(part)[:, 0] > 0 for part in real[half:].split(BATCH)]
        wrong = [network(part)[:, 0] > 0 for part in drawn[half:].split(BATCH)]
    return float((torch.cat(right).float().mean() + 1 - torch.cat(wrong).float().mean()) / 2)


def _network() -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs, stride in ((1, 24, 1), (24, 32, 2), (32, 48, 2), (48, 64, 2), (64, 96, 2)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(96, 1))
