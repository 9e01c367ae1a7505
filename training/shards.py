"""`sketchgan-train shard`: planned pairs as WebDataset shards, for sets too large for a folder of files."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import webdataset
from tqdm import tqdm

from sketchgan_core.errors import SketchGANError
from sketchgan_core.files import written_whole
from sketchgan_core.plan import PLAN_VERSION

from .config import TrainConfig
from .pairs import Pair, find_pairs, split, summary
from .plans import KEY
from .processes import single_thread
from .stacks import plan_pair

HELP = "plan pairs and write them as WebDataset shards, which run --data reads from one end to the other"
INDEX = "shards.json"
PARTS = ("training", "validation")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, nargs="+", required=True, metavar="DIR", help="pair folders")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SHARDS", help="folder of the shards")
    parser.add_argument(
        "--validation",
        type=float,
        default=TrainConfig.validation,
        metavar="SHARE",
        help=f"share of the drawings in shards of their own, to validate on (default {TrainConfig.validation})",
    )
    parser.add_argument("--pairs", type=int, default=256, metavar="N", help="pairs in a shard (default 256)")
    parser.add_argument("--seed", type=int, default=0, help="of the order of the pairs")
    parser.add_argument("--workers", type=int, default=2, help="processes that plan (default 2)")


def run(args: argparse.Namespace) -> int:
    if (args.output / INDEX).exists():
        raise SketchGANError(f"{args.output}: holds shards already; choose another -o folder")
    pairs = find_pairs(args.data)
    chosen = split(pairs, args.validation)
    index: dict[str, Any] = {KEY: PLAN_VERSION, "summary": summary(args.data, pairs, *chosen)}
    for part, indices in zip(PARTS, chosen, strict=True):
        # mixed, because neighbours in a shard are neighbours in training
        order = np.random.default_rng(args.seed).permutation(np.asarray(indices)).tolist()
        index[part] = _write(args.output, part, [pairs[i] for i in order], args.pairs, args.workers)
    # last, because its presence says that the shards are complete
    with written_whole(args.output / INDEX) as file:
        file.write(json.dumps(index, indent=1).encode())
    count = sum(len(index[part]) for part in PARTS)
    print(f"{args.output}: {index['summary']}; {count} shards", file=sys.stderr)
    return 0


def _write(folder: Path, part: str, pairs: Sequence[Pair], size: int, workers: int) -> list[dict[str, Any]]:
    """The pairs in shards of `size`; returns name, pairs and bytes of each."""
    planned = _planned(pairs, workers)
    entries = []
    for number, first in enumerate(range(0, len(pairs), size)):
        path = folder / f"{part}-{number:06d}.tar"
        shard = pairs[first : first + size]
        with written_whole(path) as file:
            writer = webdataset.TarWriter(file, mtime=0)
            for place, pair in enumerate(shard, first):
                controls = {name: float(value) for name, value in pair.controls.items()}
                told = {"drawing": pair.drawing, "licence": pair.licence, "seed": pair.seed, "controls": controls}
                writer.write({"__key__": f"{place:08d}", "stack.npy": next(planned), "pair.json": told})
            writer.close()
        entries.append({"name": path.name, "pairs": len(shard), "bytes": path.stat().st_size})
    return entries


def _planned(pairs: Sequence[Pair], workers: int) -> Iterator[np.ndarray]:
    with tqdm(total=len(pairs), unit="pair") as progress:
        if workers <= 1:
            for pair in pairs:
                yield plan_pair(pair)
                progress.update()
            return
        context = multiprocessing.get_context("spawn")
        with context.Pool(workers, initializer=single_thread) as pool:
            for stack in pool.imap(plan_pair, pairs, chunksize=4):
                yield stack
                progress.update()
