"""`sketchgan-train shard`: planned pairs as WebDataset shards, for sets too large for a folder of files."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from sketchgan_core.errors import SketchGANError
from sketchgan_core.files import written_whole
from sketchgan_core.planning.plan import PLAN_VERSION

from ..config import TrainConfig
from ..data.pairs import find_pairs, split, summary
from ..data.plan_version import KEY
from ..data.shards import INDEX, PARTS, write_shards

HELP = "plan pairs and write them as WebDataset shards, which run --data reads from one end to the other"


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
        # shuffled, because neighbours in a shard are neighbours in training
        order = np.random.default_rng(args.seed).permutation(np.asarray(indices)).tolist()
        index[part] = write_shards(args.output, part, [pairs[i] for i in order], args.pairs, args.workers)
    # last, because its presence says that the shards are complete
    with written_whole(args.output / INDEX) as file:
        file.write(json.dumps(index, indent=1).encode())
    count = sum(len(index[part]) for part in PARTS)
    print(f"{args.output}: {index['summary']}; {count} shards", file=sys.stderr)
    return 0
