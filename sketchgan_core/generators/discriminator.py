"""PatchGAN discriminators at three scales, after Li et al., "Im2Pencil", 2019."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SCALES = 3


class PatchDiscriminator(nn.Module):
    """Tells real from fake patch by patch (Isola et al., 2017): (B,C,H,W) -> logits (B,1,h,w) and features."""

    def __init__(self, in_channels: int, base_width: int) -> None:
        super().__init__()
        widths = [base_width, 2 * base_width, 4 * base_width, 8 * base_width]
        layers: list[nn.Module] = []
        channels = in_channels
        for depth, width in enumerate(widths):
            # Batch norm, since spectral norm made these features vanish.
            norm = [nn.BatchNorm2d(width)] if depth else []
            stride = 2 if depth < 3 else 1
            convolution = nn.Conv2d(channels, width, 4, stride=stride, padding=1)
            layers.append(nn.Sequential(convolution, *norm, nn.LeakyReLU(0.2)))
            channels = width
        self.layers = nn.ModuleList(layers)
        self.logits = nn.Conv2d(channels, 1, 4, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, list[Tensor]]:
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return self.logits(x), features


class MultiScaleDiscriminator(nn.Module):
    """One PatchDiscriminator each at full, half and quarter resolution.

    Conditional where the line image and the controls are stacked with the sketch, unconditional with the sketch alone.

    Args:
        in_channels: planes it is shown, the sketch included.
        base_width: channels of the first layer at each scale.
    """

    def __init__(self, in_channels: int, base_width: int = 32) -> None:
        super().__init__()
        self.scales = nn.ModuleList(PatchDiscriminator(in_channels, base_width) for _ in range(SCALES))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=0.2, nonlinearity="leaky_relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        with torch.no_grad():
            for scale in self.scales:
                scale.logits.weight.mul_(0.1)  # type: ignore[union-attr, operator]

    def forward(self, x: Tensor) -> list[tuple[Tensor, list[Tensor]]]:
        """(B,C,H,W), H and W at least 96 -> for each scale logits (B,1,h,w) and the features before them."""
        outputs = []
        for scale in self.scales:
            outputs.append(scale(x))
            x = F.avg_pool2d(x, 2)
        return outputs
