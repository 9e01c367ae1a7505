"""Crops trained on per second: ours, a straightforward loop around the same generator, and the original's way.

    python bench/training_speed.py [--steps 4] [--threads 1]

Ours: `sketchgan-train run` in its last phase, with all losses on, pairs already planned, and crops cut and augmented by
a separate process. Straightforward: the same generator, discriminator and losses in float32 and NCHW; between the
steps, every crop decodes its two files and plans the line image anew; the generator's step judges its sketch a second
time. It is timed once with our perceptual network, EfficientNet-lite0, and once with the original's, VGG-19. Original:
its generator and its batch of 6, float32, NCHW, three discriminators, VGG-19 perceptual loss (with random weights,
which do not change the time), Adadelta; every crop decodes its files. All run at 192 px, in turns, each in a process of
its own. Writes bench/results/training.json.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
from accelerate import Accelerator
from measure import in_own_process, machine
from torch import Tensor
from torch.nn import functional as F
from torchvision.models import vgg19

sys.path.insert(0, str(Path(__file__).parents[1]))

from sketchgan_core.generators.discriminator import MultiScaleDiscriminator
from sketchgan_core.generators.registry import build_generator
from sketchgan_core.generators.sketchai import sketchai_config
from sketchgan_core.sketcher import Sketcher
from training.config import TrainConfig
from training.data.crops import Crops, inked_window, loader
from training.data.pairs import Pair, find_pairs
from training.data.stacks import CONTROLS, Stacks, decode, grey, levels, pick, plan_pair
from training.learning.loop import Training
from training.learning.losses import (
    Judgement,
    adversarial_loss,
    discriminator_loss,
    feature_distance,
    feature_sizes,
    fidelity,
)
from training.learning.networks import CONDITION, discriminator_config, generator_config
from training.measuring.perceptual import VGG_TAPS, Features, build_features
from training.processes import keep_freed_memory

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "bench" / "results" / "training.json"
SIZE = 512  # px, of the drawings
ORIGINAL_BATCH = 6
WAYS = ("ours", "straightforward", "straightforward, VGG-19", "original")
TURNS = 3

Step = Callable[[], int]  # one step; the crops it trained on


def write_pairs(folder: Path) -> list[Pair]:
    """The bundled drawings and what the bundled pencil makes of them."""
    sketcher = Sketcher.load("default", "cpu")
    for file in sorted((ROOT / "examples/drawings").glob("*.png")):
        line = cv2.resize(grey(file), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        sketch = sketcher(line.astype(np.float32) / 255)
        for kind, image in (("line", line), ("sketch", np.rint(255 * np.asarray(sketch)).astype(np.uint8))):
            (folder / kind).mkdir(exist_ok=True)
            cv2.imwrite(str(folder / kind / file.name), image)
    return find_pairs([folder])


def ours(pairs: list[Pair], plans: Path, config: TrainConfig) -> tuple[Step, list[float]]:
    """A step of the trainer, and the list of seconds it waited for the loader."""
    stacks = Stacks(pairs, plans)
    stacks.prepare()
    for index in range(len(pairs)):
        stacks[index]
    training = Training(config, Accelerator(cpu=True), build_features("efficientnet-lite0", torch.device("cpu"))[1])
    training.crops = config.fidelity_crops + config.adversarial_ramp
    batches = iter(loader(Crops(stacks, range(len(pairs)), config), 0, config))
    waits: list[float] = []

    def step() -> int:
        asked = time.perf_counter()
        batch = next(batches)
        waits.append(time.perf_counter() - asked)
        training.step(batch, 0.5)
        return len(batch)

    return step, waits


def straightforward(pairs: list[Pair], config: TrainConfig, features: Features) -> Step:
    generator = build_generator(generator_config(config))
    judge = MultiScaleDiscriminator(**discriminator_config(config))
    optimizers = [torch.optim.Adam(network.parameters(), 2e-4, fused=False) for network in (generator, judge)]
    rng = np.random.default_rng(0)

    def crop() -> Tensor:
        pair = pairs[int(rng.integers(len(pairs)))]
        window = inked_window(plan_pair(pair), config.crop, rng, config.minimum_ink)
        controls = np.broadcast_to(levels(pair.controls), (*window.shape[:2], len(CONTROLS)))
        return torch.from_numpy(np.concatenate([window, controls], 2).transpose(2, 0, 1).copy())

    def step() -> int:
        values = decode(torch.stack([crop() for _ in range(config.batch)]))
        condition, target = pick(values, *CONDITION), pick(values, "sketch")
        sketch = generator(pick(values, *generator.config.planes), pick(values, "reach"), pick(values, "paper"))
        real, fake = judge(torch.cat([condition, target], 1)), judge(torch.cat([condition, sketch.detach()], 1))
        _descend(optimizers[1], discriminator_loss(logits(real), logits(fake)))
        fake = judge(torch.cat([condition, sketch], 1))
        with torch.no_grad():
            wanted = features(target)
            real = judge(torch.cat([condition, target], 1))
        loss = fidelity(sketch, target, (config.fidelity_1, config.fidelity_2, config.fidelity_4, config.fidelity_8))
        loss = loss + config.perceptual_weight * feature_distance(features(sketch), wanted, feature_sizes(wanted))
        loss = loss + config.adversarial * adversarial_loss(logits(fake))
        alike = sum(
            F.l1_loss(a, b) for (_, f), (_, r) in zip(fake, real, strict=True) for a, b in zip(f, r, strict=True)
        )
        _descend(optimizers[0], loss + config.feature_matching * alike)
        return config.batch

    return step


def logits(judged: Judgement) -> list[Tensor]:
    return [found for found, _ in judged]


def vgg19_features() -> Features:
    return Features(list(vgg19(weights=None).features), VGG_TAPS)


def original(pairs: list[Pair], config: TrainConfig) -> Step:
    generator = build_generator(sketchai_config()).train()
    judge = MultiScaleDiscriminator(2, 32)
    features = vgg19_features()
    optimizers = [torch.optim.Adadelta(network.parameters()) for network in (generator, judge)]
    rng = np.random.default_rng(0)

    def crop() -> Tensor:
        pair = pairs[int(rng.integers(len(pairs)))]
        both = np.stack([255 - grey(pair.line), grey(pair.sketch)], 2)
        window = inked_window(both, config.crop, rng, config.minimum_ink, channel=0)
        return torch.from_numpy(window.transpose(2, 0, 1).copy())

    def step() -> int:
        values = torch.stack([crop() for _ in range(ORIGINAL_BATCH)]).float() / 255
        ink, target = values[:, :1], values[:, 1:]
        sketch = generator(ink, ink, ink)
        real, fake = judge(torch.cat([ink, target], 1)), judge(torch.cat([ink, sketch.detach()], 1))
        _descend(optimizers[1], discriminator_loss(logits(real), logits(fake)))
        with torch.no_grad():
            wanted = features(target)
        loss = adversarial_loss(logits(judge(torch.cat([ink, sketch], 1)))) + F.l1_loss(sketch, target)
        _descend(optimizers[0], loss + feature_distance(features(sketch), wanted, feature_sizes(wanted)))
        return ORIGINAL_BATCH

    return step


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def crops_per_second(step: Step, steps: int) -> float:
    start = time.perf_counter()
    return sum(step() for _ in range(steps)) / (time.perf_counter() - start)


def measure(way: str, steps: int) -> dict[str, float]:
    """Crops per second of one way, and the share of the time that ours waits for its loader."""
    config = TrainConfig(decay=0.0)
    with tempfile.TemporaryDirectory() as folder:
        pairs = write_pairs(Path(folder))
        if way == "ours":
            keep_freed_memory()
            step, waits = ours(pairs, Path(folder) / "plans", config)
            # more steps than the loader fetches ahead, or its own speed would not show
            crops_per_second(step, 12)
            waits.clear()
            speed = crops_per_second(step, 4 * steps)
            return {"crops_per_second": speed, "wait": sum(waits) * speed / (4 * steps * config.batch)}
        if way == "original":
            step = original(pairs, config)
        elif way == "straightforward, VGG-19":
            step = straightforward(pairs, config, vgg19_features())
        else:
            efficientnet = build_features("efficientnet-lite0", torch.device("cpu"))[1]
            assert efficientnet is not None
            step = straightforward(pairs, config, efficientnet)
        step()
        return {"crops_per_second": crops_per_second(step, steps)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--steps", type=int, default=4, help="of each way and turn (default 4; four times that of ours)"
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    if options.way:
        print(json.dumps(measure(options.way, options.steps)))
        return
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(TURNS):
        for way, turns in found.items():
            arguments = ("--way", way, "--steps", str(options.steps), "--threads", str(options.threads))
            turns.append(in_own_process(__file__, *arguments))
    speed = {way: float(np.mean([turn["crops_per_second"] for turn in turns])) for way, turns in found.items()}
    report = {
        "machine": machine(),
        "crop": TrainConfig().crop,
        "crops_per_second": {way: round(value, 2) for way, value in speed.items()},
        "times_faster_than": {way: round(speed["ours"] / value, 2) for way, value in speed.items() if way != "ours"},
        "loader_wait": round(float(np.mean([turn["wait"] for turn in found["ours"]])), 4),
    }
    RESULT.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
