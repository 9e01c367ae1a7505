"""The generator of the original project (Standchen/SketchAI, 2024), in its layout of parameters.

Kept so that pencils trained there still draw, and as the baseline of the benchmarks. It sees ink alone and draws
the sketch directly: reach, paper and controls have no effect on it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .base import Generator, Region, whole
from .config import GeneratorConfig

BASE_WIDTH = 64
RESIDUAL_BLOCKS = 1

# The normalisation of its training data: nearly white pages.
MEAN, DEVIATION = 0.98, 0.11


class ConvUnit(nn.Module):
    """Convolution, batch norm, ReLU; the last two can be left out."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int = 3,
        stride: int = 1,
        *,
        bias: bool = False,
        transposed: bool = False,
        norm: bool = True,
        relu: bool = True,
    ) -> None:
        super().__init__()
        if transposed:
            self.conv: nn.Module = nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding=1, bias=bias)
        else:
            padding = kernel // 2
            self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=bias, padding_mode="reflect")
        self.norm = nn.BatchNorm2d(outputs) if norm else nn.Identity()
        self.relu = nn.ReLU(inplace=True) if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.norm(self.conv(x)))


class ResidualUnit(nn.Module):
    """Two convolutions beside a shortcut, which is a 1x1 convolution where the width changes."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.block = nn.Sequential(ConvUnit(inputs, inputs), ConvUnit(inputs, outputs, relu=False))
        self.skip = (
            nn.Identity() if inputs == outputs else ConvUnit(inputs, outputs, 1, bias=True, norm=False, relu=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.skip(x) + self.block(x))


class SketchAIGenerator(Generator):
    """Encoder-decoder of 4.44 M parameters, after Simo-Serra et al. 2016, "Learning to Simplify".

    `config.width` and `config.blocks` are fixed by the layout; see `sketchai_config`.
    """

    name = "sketchai"
    bytes_per_pixel = 38.0
    draws_load = False  # it draws the paper as well, and not exactly white
    input_planes = ("ink",)  # it knows nothing of plans
    stride = 4
    receptive_radius = 35

    def __init__(self, config: GeneratorConfig) -> None:
        fixed = sketchai_config()
        if config != fixed:
            raise ValueError(f"sketchai comes in one size; set width={fixed.width} and blocks={fixed.blocks} as well")
        super().__init__(config)
        w = BASE_WIDTH
        self.generator = nn.Sequential(
            ConvUnit(1, w, 5),
            ResidualUnit(w, w),
            ConvUnit(w, 2 * w, stride=2),
            ResidualUnit(2 * w, 2 * w),
            ConvUnit(2 * w, 4 * w, stride=2),
            *(ResidualUnit(4 * w, 4 * w) for _ in range(RESIDUAL_BLOCKS)),
            ConvUnit(4 * w, 4 * w, 4, 2, transposed=True),
            ResidualUnit(4 * w, 2 * w),
            ConvUnit(2 * w, 2 * w, 4, 2, transposed=True),
            ResidualUnit(2 * w, w),
            ResidualUnit(w, w // 2),
            ConvUnit(w // 2, 1, 5, norm=False, relu=False),
            nn.Tanh(),
        )

    def lay(self, planes: Tensor, reach: Tensor, part: Region | None = None) -> Tensor:
        """The ink of the sketch; reach is ignored."""
        ink = 1 - self.forward(planes, reach, reach)
        return (part or whole(ink)).of(ink)

    def forward(self, planes: Tensor, reach: Tensor, paper: Tensor) -> Tensor:
        """Ink (B, 1, H, W), H and W multiples of 4 -> sketch (B, 1, H, W) in 0..1; reach and paper are ignored."""
        lines = 1 - planes
        sketch: Tensor = self.generator((lines - MEAN) / DEVIATION)
        return sketch.float().clamp(0, 1)


def sketchai_config() -> GeneratorConfig:
    """The only configuration of the original generator."""
    return GeneratorConfig(SketchAIGenerator.name, BASE_WIDTH, RESIDUAL_BLOCKS, SketchAIGenerator.input_planes)


def read_sketchai_state(checkpoint: object) -> dict[str, Tensor]:
    """The generator's parameters from whatever a `.pt` file of the original project held.

    Args:
        checkpoint: a state dict, or a dict with one somewhere inside (`{"model": {...}, "epoch": 3}`); the names
            may have any prefix (`module.`, `netG.`) before `generator.<i>`.

    Returns:
        A state dict that fits SketchAIGenerator exactly.

    Raises:
        ValueError: nothing of that layout in it; says what is missing or has another shape.
    """
    with torch.device("meta"):
        expected = SketchAIGenerator(sketchai_config()).state_dict()
    found = _find_state(checkpoint)
    if not found:
        raise ValueError("holds no parameters called generator.<i>...; it is not a generator of the original project")
    for name, tensor in expected.items():
        if name.endswith("num_batches_tracked"):
            # Only training reads this counter, and old checkpoints lack it.
            found.setdefault(name, torch.zeros((), dtype=torch.long))
        if name not in found:
            raise ValueError(f"lacks {name}; it has another layout than the original generator")
        if found[name].shape != tensor.shape:
            shapes = f"{tuple(found[name].shape)} instead of {tuple(tensor.shape)}"
            raise ValueError(f"{name} is {shapes}; only the original's default size is supported")
        if not torch.isfinite(found[name].float()).all():
            raise ValueError(f"{name} contains NaN or infinite values; take an earlier checkpoint")
    unknown = sorted(set(found) - set(expected))
    if unknown:
        raise ValueError(f"has the unknown parameter {unknown[0]}; only the original's default size is supported")
    return found


def _find_state(checkpoint: object) -> dict[str, Tensor]:
    if not isinstance(checkpoint, dict):
        return {}
    state = {}
    for name, value in checkpoint.items():
        prefix, found, rest = str(name).partition("generator.")
        if found and isinstance(value, Tensor) and (not prefix or prefix.endswith(".")):
            state[found + rest] = value
    if state:
        return state
    return next((inner for inner in map(_find_state, checkpoint.values()) if inner), {})
