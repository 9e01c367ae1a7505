"""VGG-19 from a file, as a user who is offline gives it; the weights are random, the layout is torchvision's."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torchvision.models import vgg19

from sketchgan_core.errors import SketchGANError
from training.learning.losses import feature_distance, feature_sizes
from training.measuring.perceptual import MEAN, STD, VGG_TAPS, build_features

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def layers() -> nn.Sequential:
    """Up to relu4_1, the last layer that is used."""
    return vgg19(weights=None, init_weights=False).features[: VGG_TAPS[-1] + 1].eval().requires_grad_(False)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_vgg19_is_read_from_a_file(layers: nn.Sequential, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"vgg19{suffix}"
    weights = layers.state_dict(prefix="features.")
    if suffix == ".pth":
        torch.save(weights, file)
    else:
        save_file(weights, file)
    name, network = build_features(str(file), CPU)
    assert name == str(file)
    assert network is not None
    grey = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    found = network(grey)
    x = (grey - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)
    torch.testing.assert_close(found[-1], layers(x), rtol=1e-3, atol=1e-5)
    assert [feature.shape[-1] for feature in found] == [64, 32, 16, 8]
    sizes = feature_sizes(found)
    assert float(feature_distance(found, found, sizes)) == 0
    assert float(feature_distance(network(1 - grey), found, sizes)) > 0.01


def test_another_file_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "other.safetensors"
    save_file({"features.0.weight": torch.zeros(2, 2)}, file)
    with pytest.raises(SketchGANError, match="not VGG-19 weights"):
        build_features(str(file), CPU)
    with pytest.raises(SketchGANError, match="neither auto, vgg19"):
        build_features(str(tmp_path / "gone.pth"), CPU)
