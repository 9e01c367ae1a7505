"""Planned pairs as WebDataset shards, for sets too large for a folder of files."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import webdataset
from tqdm import tqdm

from sketchgan_core.files import written_whole

from ..processes import single_thread
from .pairs import Pair
from .stacks import plan_pair

INDEX = "shards.json"
PARTS = ("training", "validation")


def write_shards(folder: Path, part: str, pairs: Sequence[Pair], size: int, workers: int) -> list[dict[str, Any]]:
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
