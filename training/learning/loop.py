"""The training loop: generator against discriminator, one step at a time."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from sketchgan_core.generators.discriminator import MultiScaleDiscriminator
from sketchgan_core.generators.registry import build_generator

from ..config import TrainConfig
from ..data.stacks import decode, pick
from ..errors import Diverged, TrainingError
from ..measuring.perceptual import Features
from ..processes import average, average_scalars, share_batch_norm
from .losses import (
    Balance,
    Judgement,
    adversarial_loss,
    discriminator_loss,
    feature_distance,
    feature_matching,
    feature_sizes,
    fidelity,
)
from .networks import CONDITION, discriminator_config, generator_config, parameter_groups, unconditional_config

AnyModule = TypeVar("AnyModule", bound=nn.Module)

BETAS = (0.5, 0.99)


class Training:
    """Everything a checkpoint restores: networks, optimizers and how far they have come.

    Args:
        features: the network of the perceptual loss, or None.
        unpaired: whether there is a discriminator for unpaired drawings too.
    """

    def __init__(
        self, config: TrainConfig, accelerator: Accelerator, features: Features | None, unpaired: bool = False
    ) -> None:
        self.config, self.accelerator, self.features = config, accelerator, features
        self.device = accelerator.device
        torch.manual_seed(config.seed)
        shape = generator_config(config)
        self.generator = self._place(build_generator(shape))
        self.planes = shape.planes
        self.discriminator = self._place(MultiScaleDiscriminator(**discriminator_config(config)))
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.optimizers = {
            "generator": _adam(parameter_groups(self.generator, config)),
            "discriminator": _adam([{"params": list(self.discriminator.parameters()), "share": 1.0}]),
        }
        self.unconditional: nn.Module | None = None
        if unpaired:
            self.unconditional = self._place(MultiScaleDiscriminator(**unconditional_config(config)))
            group = {"params": list(self.unconditional.parameters()), "share": 1.0}
            self.optimizers["unconditional"] = _adam([group])
        self.balance = Balance().to(self.device) if config.balance == "auto" else None
        self.crops = 0
        self.seconds = 0.0
        self.bad_steps = 0
        self.half_precision = _half_precision(config.precision, accelerator)

    @property
    def modules(self) -> dict[str, nn.Module]:
        always = {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}
        optional = {"unconditional": self.unconditional, "balance": self.balance}
        return {**always, **{name: module for name, module in optional.items() if module is not None}}

    @property
    def crops_per_step(self) -> int:
        return self.config.batch * self.config.accumulate * self.accelerator.num_processes

    def step(self, batch: Tensor, done: float, unpaired: Tensor | None = None) -> dict[str, Tensor]:
        """Learn from one batch of crops.

        Args:
            batch: as `Crops` gives them, stacked; beyond the config's batch, gradients are accumulated.
            done: share of the run that is done, 0..1; the rates fall towards the end.
            unpaired: as `UnpairedCrops` gives them, for adversarial augmentation (Simo-Serra et al., "Mastering
                Sketching", 2017): planned lines, and in the sketch's place a sketch of something else.

        Returns:
            Scalars to log: losses, the share of each in the gradient at the sketch, rates.
        """
        config = self.config
        ramp = _rise(self.crops - config.fidelity_crops, config.adversarial_ramp)
        rate = config.learning_rate * _rise(self.crops + self.crops_per_step, config.warmup_crops)
        rate *= min(1.0, (1 - done) / config.decay) if config.decay else 1.0

        parts = batch.split(config.batch)
        others: Sequence[Tensor | None] = [None] * len(parts)
        if unpaired is not None:
            others = unpaired.split(config.unpaired_batch)
        buffers = [buffer for module in self.modules.values() for buffer in module.buffers()]
        before = [buffer.clone() for buffer in buffers]
        found = [self._learn(part, other, ramp) for part, other in zip(parts, others, strict=True)]
        scalars = average_scalars({name: torch.stack([part[name] for part in found]).mean(0) for name in found[0]})
        judges = {"loss/discriminator": "discriminator", "loss/unconditional_discriminator": "unconditional"}
        norms = {
            name: self._update(name, self.modules[name], rate * config.discriminator_rate, len(parts))
            for loss, name in judges.items()
            if loss in scalars
        }
        norms["generator"] = self._update("generator", self.generator, rate, len(parts))
        if not all(map(torch.isfinite, norms.values())):
            for buffer, kept in zip(buffers, before, strict=True):
                buffer.copy_(kept)
        self._count_bad_steps(norms, scalars["loss/fidelity"])
        scalars["gradient/generator"] = norms["generator"]
        self._average()
        self.crops += self.crops_per_step
        scalars["rate/generator"] = torch.tensor(rate)
        return scalars

    def _learn(self, batch: Tensor, unpaired: Tensor | None, ramp: float) -> dict[str, Tensor]:
        """Add the gradients of one batch; `ramp`, 0..1, is the adversary's share of its full weight."""
        config = self.config
        paired, both = len(batch), batch if unpaired is None else torch.cat([batch, unpaired])
        values = decode(both.to(self.device, non_blocking=True))
        condition, target = pick(values[:paired], *CONDITION), pick(values[:paired], "sketch")

        with self.precision():
            sketch = self.draw(self.generator, values)

        # Every loss is differentiated down to the sketch and no further, so that their shares can be
        # told apart and the generator is backpropagated through only once.
        shown = sketch.detach().requires_grad_()
        drawn = shown[:paired]
        scalars: dict[str, Tensor] = {}
        gradients: dict[str, Tensor] = {}

        def pull(name: str, loss: Tensor, keep: bool = False) -> None:
            scalars[f"loss/{name}"] = loss.detach()
            (gradients[name],) = torch.autograd.grad(loss, shown, retain_graph=keep)

        fine = config.fidelity_1 * (1 - ramp * (1 - config.fidelity_fade))
        pull("fidelity", fidelity(drawn, target, (fine, config.fidelity_2, config.fidelity_4, config.fidelity_8)))

        if self.features is not None and config.perceptual_weight:
            with self.precision():
                with torch.no_grad():
                    wanted = self.features(target)
                    sizes = average(feature_sizes(wanted))
                distance = feature_distance(self.features(drawn), wanted, sizes)
            pull("perceptual", config.perceptual_weight * distance)

        if self.crops >= config.fidelity_crops - config.discriminator_lead:
            with self.precision():
                # in one batch, or batch norm would hide from each half how it differs from the other
                judged = self.discriminator(torch.cat([_beside(condition, target), _beside(condition, drawn)]))
            real, fake = _halves(judged)
            if ramp:
                texture = config.adversarial * adversarial_loss(fake)
                texture = texture + config.feature_matching * feature_matching(judged)
                pull("adversarial", ramp * texture, keep=True)
            scalars["loss/discriminator"] = _learn_to_judge(self.discriminator, real, fake)

            if self.unconditional is not None and unpaired is not None:
                with self.precision():
                    real, fake = _halves(self.unconditional(_beside(torch.cat([pick(values, "sketch"), shown]))))
                if ramp:
                    ours, others = [logits[:paired] for logits in fake], [logits[paired:] for logits in fake]
                    pull("unconditional", ramp * config.alpha * adversarial_loss(ours), keep=True)
                    pull("unpaired", ramp * config.beta * adversarial_loss(others), keep=True)
                scalars["loss/unconditional_discriminator"] = _learn_to_judge(self.unconditional, real, fake)

        if self.balance is not None:
            self._level(gradients, ramp, scalars)
        sketch.backward(torch.stack(list(gradients.values())).sum(0))

        norms = {name: gradient.norm() for name, gradient in gradients.items()}
        total = torch.stack(list(norms.values())).sum()
        scalars.update({f"share/{name}": norm / total for name, norm in norms.items()})
        return scalars

    def _level(self, gradients: dict[str, Tensor], ramp: float, scalars: dict[str, Tensor]) -> None:
        """Scale the terms' gradients in place to one order of magnitude; the ramp stays as it is."""
        assert self.balance is not None
        ramps = {name: 1.0 if name in ("fidelity", "perceptual") else ramp for name in gradients}
        norms = torch.stack([gradients[name].norm() / ramps[name] for name in gradients])
        for name, factor in self.balance(dict(zip(gradients, average(norms), strict=True))).items():
            gradients[name] = factor * gradients[name]
            scalars[f"balance/{name}"] = factor

    def draw(self, generator: nn.Module, values: Tensor) -> Tensor:
        """What a `generator` makes of decoded crops: sketches (B, 1, H, W)."""
        planes = pick(values, *self.planes).contiguous(memory_format=torch.channels_last)
        return generator(planes, pick(values, "reach"), pick(values, "paper"))

    def precision(self) -> contextlib.AbstractContextManager[Any]:
        """bfloat16 where the hardware multiplies it, else float32."""
        if not self.half_precision:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def _place(self, network: AnyModule) -> AnyModule:
        if self.accelerator.num_processes > 1:
            share_batch_norm(network)
        return network.to(self.device).to(memory_format=torch.channels_last).train()

    def _update(self, name: str, network: nn.Module, rate: float, batches: int) -> Tensor:
        """One step on the mean gradients of all batches and processes; returns their norm before clipping."""
        parameters = [parameter for parameter in network.parameters() if parameter.grad is not None]
        if self.accelerator.num_processes > 1:
            # by hand, because autograd.grad bypasses the hooks of DistributedDataParallel
            flat = torch.cat([parameter.grad.reshape(-1) for parameter in parameters])  # type: ignore[union-attr]
            parts = self.accelerator.reduce(flat, "mean").split([parameter.numel() for parameter in parameters])
            for parameter, part in zip(parameters, parts, strict=True):
                parameter.grad.copy_(part.view_as(parameter))  # type: ignore[union-attr]
        if batches > 1:
            torch._foreach_div_([parameter.grad for parameter in parameters if parameter.grad is not None], batches)
        norm = nn.utils.clip_grad_norm_(parameters, self.config.gradient_clip)
        optimizer = self.optimizers[name]
        if torch.isfinite(norm):
            for group in optimizer.param_groups:
                group["lr"] = rate * group["share"]
            optimizer.step()
        optimizer.zero_grad()
        return norm

    def _count_bad_steps(self, norms: dict[str, Tensor], fidelity: Tensor) -> None:
        """Raise Diverged after too many steps in a row that taught a network nothing, judged by its gradient's norm."""
        what = {name: "NaN or infinite" for name, norm in norms.items() if not torch.isfinite(norm)}
        # zero means that every load lies far outside 0..1: the drawing is blank or black
        if norms["generator"] == 0 and fidelity > 0:
            what["generator"] = "zero"
        self.bad_steps = self.bad_steps + 1 if what else 0
        if self.bad_steps >= self.config.bad_steps:
            name, gradient = next(iter(what.items()))
            raise Diverged(f"the {name}'s gradient was {gradient} {self.bad_steps} times in a row")

    @torch.no_grad()
    def _average(self) -> None:
        # the half-life grows with the run, or the random start would linger in the average (Karras et al., EDM)
        half_life = min(self.config.ema_half_life, 0.1 * (self.crops + self.crops_per_step))
        keep = 0.5 ** (self.crops_per_step / half_life)
        torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 1 - keep)
        for kept, current in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(current)


@dataclass(frozen=True)
class Step:
    """What is known after a step: the crops seen so far, its scalars, and the seconds spent waiting for the loader."""

    crops: int
    scalars: dict[str, Tensor]
    waited: float


class Stop(Protocol):
    """Whether this process is asked to stop; `agreed`, set after every step: whether all of them stop."""

    agreed: bool

    def __call__(self) -> bool: ...


def steps(
    training: Training,
    batches: Iterator[Tensor],
    unpaired: Iterator[Tensor] | None,
    stop: Stop,
    minutes: float | None = None,
) -> Iterator[Step]:
    """Steps until the run is complete, or until all processes have agreed to stop.

    Args:
        unpaired: batches for adversarial augmentation.
        minutes: end after this much training, over all its sessions, unless the crops are reached before.
    """
    last = time.monotonic()
    while not stop.agreed and (done := share_done(training, minutes)) < 1:
        asked = time.monotonic()
        batch, others = next(batches), None if unpaired is None else next(unpaired)
        waited = time.monotonic() - asked
        scalars = training.step(batch, done, others)
        now = time.monotonic()
        training.seconds, stop.agreed = _agree(training.accelerator, training.seconds + now - last, stop())
        last = now
        yield Step(training.crops, scalars, waited)


def share_done(training: Training, minutes: float | None) -> float:
    """Share of the run that is done, 0..1."""
    by_crops = training.crops / training.config.crops
    return min(1.0, by_crops if minutes is None else max(by_crops, training.seconds / (60 * minutes)))


def supports_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 on a device; without instructions for it, it is slower."""
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def _half_precision(wanted: str, accelerator: Accelerator) -> bool:
    if accelerator.mixed_precision not in ("no", "bf16"):
        raise TrainingError(
            f"mixed precision {accelerator.mixed_precision}: only bfloat16 needs no loss scaling; "
            "launch with --mixed_precision bf16, or leave it out and --set precision=bfloat16"
        )
    choices = {"float32": False, "bfloat16": True}
    if wanted not in ("auto", *choices):
        raise TrainingError(f"precision = {wanted}: choose auto, float32 or bfloat16")
    return choices.get(wanted, accelerator.mixed_precision == "bf16" or supports_bfloat16(accelerator.device))


def _agree(accelerator: Accelerator, seconds: float, stop: bool) -> tuple[float, bool]:
    """One clock and one decision for all processes, or they would wait for each other for ever."""
    if accelerator.num_processes == 1:
        return seconds, stop
    both = accelerator.reduce(torch.tensor([seconds, float(stop)], device=accelerator.device), "mean")
    return float(both[0]), bool(both[1] > 0)


def _adam(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    return torch.optim.Adam(groups, betas=BETAS, fused=True)


def _learn_to_judge(judge: nn.Module, real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Add the gradients of a discriminator; returns its loss."""
    loss = discriminator_loss(real, fake)
    # the fake's graph reaches down to the sketch, whose gradient is not wanted here
    loss.backward(inputs=list(judge.parameters()))
    return loss.detach()


def _beside(*planes: Tensor) -> Tensor:
    return torch.cat(planes, 1).contiguous(memory_format=torch.channels_last)


def _halves(judged: Judgement) -> tuple[list[Tensor], list[Tensor]]:
    """The logits of the first and of the second half of a batch, for each scale."""
    halves = [logits.chunk(2) for logits, _ in judged]
    return [first for first, _ in halves], [second for _, second in halves]


def _rise(crops: int, length: int) -> float:
    return min(1.0, max(0.0, crops / length)) if length else float(crops >= 0)
