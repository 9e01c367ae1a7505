"""What tiling and the weights rely on in every generator."""

from __future__ import annotations

import math

import pytest
import torch

from sketchgan_core.generators.base import LoadGenerator
from sketchgan_core.generators.config import GeneratorConfig
from sketchgan_core.generators.registry import REGISTRY, Generator, build_generator
from sketchgan_core.generators.sketchai import SketchAIGenerator, sketchai_config
from tests.conftest import random_generator

CONFIGS = [
    GeneratorConfig("residual", 8, 2),
    GeneratorConfig("unet", 8, 3),
    GeneratorConfig("unet", 8, 1),
    sketchai_config(),
]


def seen_by_one_pixel(generator: Generator) -> int:
    """How far away an input pixel can still change an output pixel, over every phase of the stride."""
    centre, width = generator.receptive_radius + 16, 32
    height = math.ceil((2 * centre + 16) / 16) * 16
    planes = torch.rand(1, len(generator.config.planes), height, width, dtype=torch.float64, requires_grad=True)
    # Without the final tanh of the original, which saturates here.
    network = generator.half_logits if isinstance(generator, LoadGenerator) else generator.generator[:-1]
    picture = network(planes)
    farthest = 0
    for phase in range(generator.stride):
        place = centre + phase
        (gradient,) = torch.autograd.grad(picture[0, 0, place, width // 2], planes, retain_graph=True)
        rows = gradient[0].abs().amax(0).amax(1).nonzero().flatten()
        farthest = max(farthest, place - int(rows.min()), int(rows.max()) - place)
    return farthest


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.architecture}-{config.blocks}")
def test_no_generator_sees_farther_than_it_says(config: GeneratorConfig) -> None:
    torch.manual_seed(0)
    generator = build_generator(config).eval().double()
    for parameter in generator.parameters():
        parameter.data.abs_()  # so that nothing cancels
    seen = seen_by_one_pixel(generator)
    assert seen <= generator.receptive_radius
    # A radius that is far too large would cost every tile its time.
    assert seen > generator.receptive_radius - generator.stride


@pytest.mark.parametrize("architecture", ["residual", "unet"])
def test_the_sketch_is_white_where_nothing_reaches(architecture: str) -> None:
    generator = random_generator(architecture)
    planes, paper = torch.rand(2, len(generator.config.planes), 64, 96), torch.rand(2, 1, 64, 96)
    sketch = generator(planes, torch.ones(2, 1, 64, 96), paper)
    assert sketch.shape == (2, 1, 64, 96)
    assert sketch.std() > 0.01
    assert (generator(planes, torch.zeros(2, 1, 64, 96), paper) == 1).all()


@pytest.mark.parametrize("architecture", REGISTRY)
def test_every_generator_is_rebuilt_from_its_config(architecture: str) -> None:
    config = sketchai_config() if architecture == "sketchai" else GeneratorConfig(architecture, 8, 2, ("ink", "noise"))
    first = build_generator(config)
    second = build_generator(GeneratorConfig.from_dict(first.config.to_dict()))
    second.load_state_dict(first.state_dict())


def test_the_original_layout() -> None:
    state = SketchAIGenerator(sketchai_config()).state_dict()
    trained = {name: value for name, value in state.items() if "running" not in name and "tracked" not in name}
    assert round(sum(value.numel() for value in trained.values()) / 1e6, 2) == 4.44
    shapes = {name: tuple(value.shape) for name, value in trained.items()}
    assert shapes["generator.0.conv.weight"] == (64, 1, 5, 5)
    assert shapes["generator.1.block.0.conv.weight"] == (64, 64, 3, 3)
    assert shapes["generator.2.conv.weight"] == (128, 64, 3, 3)
    assert shapes["generator.5.block.1.norm.weight"] == (256,)
    assert shapes["generator.6.conv.weight"] == (256, 256, 4, 4)
    assert shapes["generator.7.skip.conv.weight"] == (128, 256, 1, 1)
    assert shapes["generator.7.skip.conv.bias"] == (128,)
    assert shapes["generator.10.skip.conv.weight"] == (32, 64, 1, 1)
    assert shapes["generator.11.conv.weight"] == (1, 32, 5, 5)
    assert "generator.11.conv.bias" not in shapes
    assert "generator.11.norm.weight" not in shapes
    assert "generator.5.skip.conv.weight" not in shapes


def test_other_sizes_of_the_original_are_refused() -> None:
    with pytest.raises(ValueError, match="width=64 and blocks=1"):
        build_generator(GeneratorConfig("sketchai", 32, 1, ("ink",)))
    with pytest.raises(ValueError, match="blocks"):
        build_generator(GeneratorConfig("unet", 8, 20))
