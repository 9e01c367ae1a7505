"""The fixed crops of held-back drawings: what is measured on them, and which checkpoint is best by that."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..config import TrainConfig
from ..data.stacks import decode, pick
from ..measuring.measures import kid, lines_kept, sliced_wasserstein, texture_features
from .loop import Training
from .losses import feature_distance, feature_sizes

NEAR = 3  # px: a mark at most this far from a line belongs to it
ENOUGH_FOR_KID = 4  # crops; a distance between distributions of fewer says nothing at all


@dataclass(frozen=True)
class Choice:
    """How the best checkpoint is found: the one with the lowest `metric`."""

    metric: str
    why: str


def choice(training: Training) -> Choice:
    if training.features is None:
        return Choice(
            "validation/sliced_wasserstein/average",
            "how far its texture is from that of the target (sliced Wasserstein distance), since there is no "
            "perceptual network to compare crop by crop",
        )
    return Choice(
        "validation/perceptual/average",
        "how far it is from its target, crop by crop, to a network that knows images: unlike plain differences of "
        "pixels it does not prefer blur, and unlike a distance between textures it sees a stroke in the wrong place",
    )


def may_be_best(config: TrainConfig, crops: int) -> bool:
    """Whether the adversary is fully listened to: until then sketches are smooth, which measures may like."""
    return crops >= min(config.fidelity_crops + config.adversarial_ramp, config.crops)


@dataclass(frozen=True)
class Best:
    """The checkpoint with the lowest `value` of a `metric` so far, and `why` that metric chooses."""

    crops: int
    metric: str
    value: float
    why: str


def better(best: Best | None, choice: Choice, scalars: dict[str, float], crops: int) -> Best | None:
    """The best checkpoint so far, given what was measured at `crops`."""
    value = scalars[choice.metric]
    if not np.isfinite(value) or (best is not None and value >= best.value):
        return best
    return Best(crops, choice.metric, value, choice.why)


@torch.no_grad()
def measure(training: Training, crops: Tensor) -> tuple[dict[str, float], list[Tensor]]:
    """Let the generator and its average draw the validation crops.

    Args:
        crops: as `validation_batch` gives them.

    Returns:
        Scalars by name, and columns (N, 1, H, W) in 0..1: input, target, generator, average.
    """
    values = decode(crops.to(training.device))
    lines, target = 1 - pick(values, "ink"), pick(values, "sketch")
    scalars = {"validation/graphite/target": float((1 - target).mean())}
    columns = [lines, target]
    for name, network in (("generator", training.generator), ("average", training.average)):
        with training.precision():
            sketch = training.draw(network, values)
        sketch = sketch.float()
        scalars.update({f"validation/{key}/{name}": found for key, found in _compare(lines, sketch, target).items()})
        if training.features is not None:
            scalars.update(
                {f"validation/{key}/{name}": found for key, found in _look(training, sketch, target).items()}
            )
        columns.append(sketch)
    return scalars, columns


def _compare(lines: Tensor, sketch: Tensor, target: Tensor) -> dict[str, float]:
    tolerance = NEAR / max(lines.shape[-2:])
    recall, precision = np.mean(
        [
            lines_kept(line[0].cpu().numpy(), drawn[0].cpu().numpy(), tolerance)
            for line, drawn in zip(lines, sketch, strict=True)
        ],
        axis=0,
    )
    return {
        "graphite": float((1 - sketch).mean()),
        "l1_1px": float((sketch - target).abs().mean()),
        "l1_8px": float(F.avg_pool2d(sketch - target, 8).abs().mean()),
        "line_recall": float(recall),
        "line_precision": float(precision),
        "sliced_wasserstein": sliced_wasserstein(sketch.cpu(), target.cpu()),
    }


def _look(training: Training, sketch: Tensor, target: Tensor) -> dict[str, float]:
    """What the perceptual network sees."""
    network = training.features
    assert network is not None
    wanted = network(target)
    found = {"perceptual": float(feature_distance(network(sketch), wanted, feature_sizes(wanted)))}
    if len(sketch) >= ENOUGH_FOR_KID:
        found["kid"] = kid(texture_features(network, sketch), texture_features(network, target))
    return found
