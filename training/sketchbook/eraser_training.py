"""How the eraser of `sketchgan-train pair` was trained: `python -m training.sketchbook.eraser_training PAIRS -o FILE`.

It learned from rendered pairs read backwards, from the sketch to the lines that the hand drew, with more ways to hatch,
smudge and scan than the renderer knows.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from skimage.morphology import skeletonize
from torch import Tensor
from torch.nn import functional as F

from sketchgan_core.choices import PAPERS
from sketchgan_core.devices import choose_device, choose_dtype
from sketchgan_core.generators.base import PRIOR_BIAS
from sketchgan_core.generators.config import GeneratorConfig
from sketchgan_core.generators.residual import ResidualGenerator
from sketchgan_core.images import read_image
from sketchgan_core.materials.paper import paper
from sketchgan_core.pencils.weights import Card, save_pencil
from sketchgan_core.planning import plan

from ..data.augment import turn
from ..data.pairs import Pair, find_pairs
from ..synthesis.tracing import ink_mask

CONFIG = GeneratorConfig("residual", width=24, blocks=3, planes=("ink",))
CROP, BATCH = 192, 8
LINE_WEIGHT = 3.0  # of the few line pixels against the many others
RATE = 6e-4
_POOL = 1200  # pairs that crops are cut from; half a megabyte each


def example(pair: Pair) -> np.ndarray:
    """(H, W, 2) uint8: the graphite of a pair, and the lines as the hand drew them, 3 px wide."""
    line, sketch = (read_image(file).grey for file in (pair.line, pair.sketch))
    planes = plan.plan(line, pair.controls, pair.seed).planes.numpy()
    solid = plan.solid(1 - line) > 0.3
    centre = skeletonize(ink_mask(planes[plan.PLANES.index("take")]) & ~solid).astype(np.uint8)
    filled = (ink_mask(1 - line) & solid).astype(np.uint8)
    target = np.maximum(255 * cv2.dilate(centre, np.ones((3, 3), np.uint8)), 255 * filled)
    return np.dstack([np.rint(255 * (1 - sketch)).astype(np.uint8), target])


def crop(pool: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A window (CROP, CROP) of graphite, and its lines; float32, 0..1."""
    while True:
        source = pool[rng.integers(len(pool))]
        window = turn(_placed(source, rng), rng)
        if (window[..., 1] > 127).mean() > 0.01:
            break
    graphite, lines = np.moveaxis(window.astype(np.float32) / 255, 2, 0)
    graphite *= rng.uniform(0.35, 1.15) if rng.random() < 0.6 else 1
    for _ in range(rng.integers(1, 4) if rng.random() < 0.45 else 0):
        graphite = 1 - (1 - graphite.clip(0, 1)) * (1 - _hatching(rng))
    if rng.random() < 0.3:
        graphite = 1 - (1 - graphite.clip(0, 1)) * (1 - _smudge(rng))
    return _scanned(graphite, rng), lines


def _placed(source: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    scale = float(np.exp(rng.uniform(np.log(0.6), np.log(1.6))))
    angle = np.radians(rng.uniform(-20, 20)) if rng.random() < 0.5 else 0.0
    turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) / scale
    middle = rng.uniform(0.15, 0.85, 2) * source.shape[1::-1]
    matrix = np.hstack([turned, (middle - turned @ np.full(2, CROP / 2))[:, None]])
    if scale < 0.9:
        source = cv2.GaussianBlur(source, (0, 0), 0.35 / scale)
    return cv2.warpAffine(source, matrix, (CROP, CROP), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


def _hatching(rng: np.random.Generator) -> np.ndarray:
    """A patch of parallel strokes, straight or bent, even or scribbled: (CROP, CROP) 0..1."""
    canvas = np.zeros((CROP, CROP), np.uint8)
    angle, spacing = rng.uniform(0, np.pi), rng.uniform(2.5, 9)
    along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    length, count = rng.uniform(12, 90), int(rng.integers(5, 28))
    start = rng.uniform(0, CROP, 2) - across * spacing * count / 2
    bend, uneven, width = rng.uniform(-0.15, 0.15), rng.uniform(0, 0.35), rng.choice([1, 1, 1, 2])
    darkness = rng.uniform(60, 235)
    t = np.linspace(-0.5, 0.5, 12)[:, None]
    ends = []
    for number in range(count):
        own = length * (1 + uneven * rng.normal())
        middle = start + across * spacing * (number + uneven * rng.normal())
        middle += along * uneven * length * rng.normal() / 3
        points = middle + along * own * t + across * bend * own * (t**2 - 0.1)
        ends.append(points if number % 2 else points[::-1])
        shade = float(np.clip(darkness * (1 + 0.3 * rng.normal()), 20, 255))
        cv2.polylines(canvas, [np.round(points * 8).astype(np.int32)], False, shade, int(width), cv2.LINE_AA, 3)
    if rng.random() < 0.25:
        zigzag = np.round(np.concatenate(ends) * 8).astype(np.int32)
        cv2.polylines(canvas, [zigzag], False, darkness, int(width), cv2.LINE_AA, 3)
    return canvas.astype(np.float32) / 255 * _tooth(rng)


def _smudge(rng: np.random.Generator) -> np.ndarray:
    """A soft grey patch, as the side of the lead or a finger leaves it: (CROP, CROP) 0..1."""
    coarse = rng.normal(size=(5, 5)).astype(np.float32)
    blob = cv2.resize(coarse, (CROP, CROP), interpolation=cv2.INTER_CUBIC)
    tone = rng.uniform(0.1, 0.5) * np.clip(blob * rng.uniform(0.5, 3), 0, 1)
    return tone * (_tooth(rng) if rng.random() < 0.7 else 1)


def _tooth(rng: np.random.Generator) -> np.ndarray:
    kind = str(rng.choice(PAPERS))
    relief = paper(CROP, CROP, kind, int(rng.integers(64)))
    return np.clip(0.5 + 3 * (relief - rng.uniform(0.3, 0.6)), 0, 1)


def _scanned(graphite: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if rng.random() < 0.5:
        graphite = np.asarray(cv2.GaussianBlur(graphite, (0, 0), rng.uniform(0.4, 1.3)))
    if rng.random() < 0.4:
        noise: np.ndarray = rng.normal(size=graphite.shape).astype(np.float32)
        if rng.random() < 0.5:
            noise = 2 * cv2.GaussianBlur(noise, (0, 0), 0.8)
        graphite = graphite + rng.uniform(0, 0.07) * noise
    if rng.random() < 0.3:
        grey = np.round(255 * (1 - graphite.clip(0, 1))).astype(np.uint8)
        coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 95))])[1]
        graphite = 1 - np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32) / 255
    return graphite.clip(0, 1)


def loss(logits: Tensor, lines: Tensor) -> Tensor:
    """Cross entropy with the lines weighted up, plus the share of them that is missed or invented (Dice)."""
    weight = 1 + (LINE_WEIGHT - 1) * lines
    entropy = F.binary_cross_entropy_with_logits(logits, lines, weight)
    drawn = torch.sigmoid(logits)
    dice = 1 - (2 * (drawn * lines).sum() + 1) / (drawn.sum() + lines.sum() + 1)
    return 3 * entropy + dice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, nargs="+", help="folders that `synthesize` made")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument("--steps", type=int, default=4000, help=f"of {BATCH} crops of {CROP} px (default 4000)")
    parser.add_argument("--leave-out", default="", help="drawings never to train on, comma-separated")
    args = parser.parse_args()
    left_out = set(args.leave_out.split(","))
    pairs = [pair for pair in find_pairs(args.pairs) if pair.drawing not in left_out]
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    device = choose_device()
    dtype = choose_dtype(device)
    network = ResidualGenerator(CONFIG).to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, args.steps, pct_start=0.05)
    waiting = [pairs[index] for index in rng.permutation(len(pairs))]
    pool = [example(waiting.pop()) for _ in range(min(24, len(waiting)))]
    average = 0.0
    for step in range(1, args.steps + 1):
        if waiting:
            pool = [*pool, example(waiting.pop())][-_POOL:]
        crops = [crop(pool, rng) for _ in range(BATCH)]
        graphite, lines = (np.stack(planes)[:, None] for planes in zip(*crops, strict=True))
        inputs = torch.from_numpy(graphite).to(device, memory_format=torch.channels_last)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            raw = network.half_logits(inputs)
        value = loss(2 * (raw.float() + network.prior * inputs + PRIOR_BIAS), torch.from_numpy(lines).to(device))
        optimizer.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average += (value.item() - average) / min(step, 100)
        if step % 100 == 0 or step == args.steps:
            print(json.dumps({"step": step, "loss": round(average, 4)}), file=sys.stderr, flush=True)
            about = {"steps": step, "crops": step * BATCH, "pairs": len(pairs), "loss": round(average, 4)}
            card = Card("Eraser", "SketchGAN", "Apache-2.0", "finds the line that a pencil drawing was drawn over")
            save_pencil(args.output, network, card, training=about, overwrite=True)


if __name__ == "__main__":
    main()
