"""A folder of pairs: made by several processes, continued after an interruption, the same each time."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from sketchgan_core.files import written_whole

from ..errors import TrainingError
from . import BRUSH, mypaint
from .pairs import make_pair
from .sources import Drawing

_RECORDS = ".records"  # one JSON file per finished pair, from which the manifest is put together
_MANIFEST_EVERY = 100  # pairs, so that a trainer can start on an unfinished folder


@dataclass(frozen=True)
class Job:
    """What to make: see `make_pair`."""

    folder: Path
    sources: Sequence[Sequence[Drawing]]
    seed: int
    size: int
    brush: str = BRUSH


def synthesize(job: Job, count: int, workers: int) -> tuple[int, int]:
    """Make the pairs 0 .. count-1 that are not there yet, and the manifest.

    Returns:
        (pairs in the folder, drawings that were skipped as unusable).

    Raises:
        TrainingError: libmypaint or the brush is missing, or the folder holds pairs made otherwise.
    """
    mypaint.library()
    mypaint.find_preset(job.brush)
    _claim(job)
    missing = [index for index in range(count) if not _record_path(job, index).exists()]
    try:
        with tqdm(total=count, initial=count - len(missing), unit="pair") as progress:
            for done, _ in enumerate(_results(job, missing, workers), 1):
                progress.update()
                if done % _MANIFEST_EVERY == 0:
                    write_manifest(job.folder)
    finally:
        counts = write_manifest(job.folder)
    return counts


def _claim(job: Job) -> None:
    """Bind the folder to the job's settings, on which every pair depends."""
    path = job.folder / _RECORDS / "settings.json"
    settings = {"seed": job.seed, "size": job.size, "drawings": [len(source) for source in job.sources]}
    settings["brush"] = job.brush
    if path.exists():
        if {"brush": BRUSH, **json.loads(path.read_text())} != settings:
            raise TrainingError(
                f"{job.folder}: holds pairs of another seed, size, brush or source; choose another -o folder"
            )
    else:
        _write_json(path, settings)


def _results(job: Job, indices: list[int], workers: int) -> Iterator[None]:
    make = partial(_make_and_save, job)
    if workers <= 1:
        yield from map(make, indices)
        return
    # A forked child would inherit the threads of torch in an undefined state.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, initializer=_single_thread) as pool:
        yield from pool.imap_unordered(make, indices, chunksize=1)


def _single_thread() -> None:
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _make_and_save(job: Job, index: int) -> None:
    pair = make_pair(job.sources, job.seed, index, job.size, job.brush)
    name = f"{index:06d}"
    record: dict[str, Any] = {"skipped": []}
    if pair is not None:
        _write_png(job.folder / "line" / f"{name}.png", pair.line)
        _write_png(job.folder / "sketch" / f"{name}.png", pair.sketch)
        record = {"pair": {"name": name, **pair.record}, "skipped": pair.skipped}
    # Last, because its presence says that the pair is complete.
    _write_json(_record_path(job, index), record)


def _record_path(job: Job, index: int) -> Path:
    return job.folder / _RECORDS / f"{index:06d}.json"


def write_manifest(folder: Path) -> tuple[int, int]:
    """Put the manifest together from the finished pairs: (pairs, drawings skipped)."""
    records = [json.loads(path.read_text()) for path in sorted((folder / _RECORDS).glob("[0-9]*.json"))]
    lines = [json.dumps(record["pair"], sort_keys=True) for record in records if "pair" in record]
    with written_whole(folder / "manifest.jsonl") as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    return len(lines), len({key for record in records for key in record["skipped"]})


def _write_json(path: Path, value: Any) -> None:
    with written_whole(path) as file:
        file.write(json.dumps(value).encode())


def _write_png(path: Path, image: np.ndarray) -> None:
    with written_whole(path) as file:
        file.write(cv2.imencode(".png", image)[1].tobytes())
