"""Starting points: the weights a run goes on from, and the settings that suit fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from sketchgan_core.errors import SketchGANError
from sketchgan_core.generators.discriminator import MultiScaleDiscriminator
from sketchgan_core.pencils.weights import Pencil, load_discriminator, load_pencil

from .loop import Training
from .networks import generator_config

# A pencil that can draw takes on another hand from a few pairs in a few thousand crops. The layers that read the plan
# move least, those that lay down grain and edge most. Where each grain of another hand falls cannot be foreseen from
# the plan, so the fine scales of the fidelity, which would smooth grain away, give way to the judges of texture.
FINE_TUNING: dict[str, object] = {
    "crops": 6000,
    "learning_rate": 4e-4,
    "encoder_rate": 0.3,
    "discriminator_rate": 1.0,
    "warmup_crops": 200,
    "decay": 0.4,
    "ema_half_life": 300,
    "fidelity_1": 1.5,
    "fidelity_2": 3.0,
    "adversarial": 1.0,
    "feature_matching": 4.0,
    "fidelity_crops": 200,
    "discriminator_lead": 200,
    "adversarial_ramp": 200,
    "log_crops": 100,
    "sample_crops": 500,
}


@dataclass(frozen=True)
class Start:
    """A pencil, the name it was asked for by, and its discriminators, if they lie beside it."""

    asked: str
    pencil: Pencil
    discriminator: MultiScaleDiscriminator | None
    unconditional: MultiScaleDiscriminator | None

    def settings(self) -> dict[str, object]:
        """Defaults of a run that starts here: those of fine-tuning, and the shapes of the networks."""
        config = self.pencil.generator.config
        shape: dict[str, object] = {
            "architecture": config.architecture, "width": config.width, "blocks": config.blocks
        }  # fmt: skip
        if self.discriminator is not None:
            shape["discriminator_width"] = _width(self.discriminator)
        return FINE_TUNING | shape

    def hand_over(self, training: Training) -> None:
        """Load everything there is into a run that has not begun.

        Raises:
            SketchGANError: the run's settings ask for networks of another shape.
        """
        wanted, given = generator_config(training.config), self.pencil.generator.config
        # Planes that are new since then are the last, and begin without a say.
        known = wanted.planes[: len(given.planes)]
        if given.planes != known or replace(given, planes=wanted.planes) != wanted:
            raise SketchGANError(f"{self.pencil.header.path}: is {given}, this run trains {wanted}; set them alike")
        for network in (training.generator, training.average):
            network.load_state_dict(_grown(self.pencil.generator.state_dict(), network))
        width = training.config.discriminator_width
        if self.discriminator is not None:
            self._hand_over(self.discriminator, training.discriminator, width)
        if self.unconditional is not None and training.unconditional is not None:
            self._hand_over(self.unconditional, training.unconditional, width)

    def _hand_over(self, judge: MultiScaleDiscriminator, network: nn.Module, width: int) -> None:
        if _width(judge) != width:
            raise SketchGANError(
                f"{self.pencil.header.path}: its discriminator has width {_width(judge)}; "
                f"leave out discriminator_width = {width}"
            )
        # What it judges comes after the planes.
        network.load_state_dict(_grown(judge.state_dict(), network, last=1))


def load_start(weights: str) -> Start:
    """The pencil called `weights` (a bundled pencil's name, a file, or the folder of a complete run).

    One of an earlier plan will do: it has learned most of what this plan asks for.

    Raises:
        SketchGANError: not found, or not a pencil.
    """
    file = str(Path(weights) / "pencil.safetensors") if Path(weights).is_dir() else weights
    pencil = load_pencil(file, any_plan=True)
    path = pencil.header.path
    return Start(weights, pencil, _beside(path, "discriminator"), _beside(path, "unconditional"))


def _grown(state: dict[str, Tensor], network: nn.Module, last: int = 0) -> dict[str, Tensor]:
    """Weights of a network that saw fewer planes: 0 for the others, which come before the `last` channels."""
    grown = {}
    for name, wanted in network.state_dict().items():
        given = state[name]
        missing = wanted.shape[1] - given.shape[1] if wanted.ndim == 4 else 0
        if missing:
            known, beyond = given.split([given.shape[1] - last, last], dim=1)
            given = torch.cat([known, known.new_zeros(len(given), missing, *given.shape[2:]), beyond], 1)
        grown[name] = given
    return grown


def _beside(pencil: Path, kind: str) -> MultiScaleDiscriminator | None:
    """PENCIL.discriminator.safetensors, as pencils are shared, or discriminator.safetensors, as a run leaves it."""
    own, runs = pencil.with_name(f"{pencil.stem}.{kind}.safetensors"), pencil.with_name(f"{kind}.safetensors")
    if own.is_file():
        return load_discriminator(own)
    return load_discriminator(runs) if pencil.name == "pencil.safetensors" and runs.is_file() else None


def _width(judge: MultiScaleDiscriminator) -> int:
    return int(judge.scales[0].logits.in_channels) // 8  # type: ignore[union-attr, arg-type]
