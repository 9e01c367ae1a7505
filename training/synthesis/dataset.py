"""A folder of pairs: made by several processes, continued after an interruption, the same each time."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sketchgan_core.planning.plan import PLAN_VERSION

from ..data import folder as pair_folder
from ..data.plan_version import KEY
from ..processes import single_thread
from . import BRUSH, TONE, mypaint
from .rendered_pair import make_pair
from .sources import Drawing

_MANIFEST_EVERY = 100  # pairs, so that a trainer can start on an unfinished folder


@dataclass(frozen=True)
class Job:
    """What to make: see `make_pair`."""

    folder: Path
    sources: Sequence[Sequence[Drawing]]
    seed: int
    size: int
    brush: str = BRUSH
    tone: float = TONE


def synthesize(job: Job, count: int, workers: int) -> tuple[int, int]:
    """Make the pairs 0 .. count-1 that are not there yet, and the manifest.

    Returns:
        (pairs in the folder, drawings that were skipped as unusable).

    Raises:
        SketchGANError: libmypaint or the brush is missing, or the folder holds pairs made with other settings.
    """
    mypaint.library()
    mypaint.find_preset(job.brush)
    settings: dict[str, Any] = {
        "seed": job.seed,
        "size": job.size,
        "drawings": list(map(len, job.sources)),
        "brush": job.brush,
        "tone": job.tone,
        KEY: PLAN_VERSION,
    }
    pair_folder.claim(job.folder, settings, "seed, size, brush, share of tone, source or version of the plan")
    missing = [index for index in range(count) if pair_folder.read_record(job.folder, _name(index)) is None]
    try:
        with tqdm(total=count, initial=count - len(missing), unit="pair") as progress:
            for done, _ in enumerate(_results(job, missing, workers), 1):
                progress.update()
                if done % _MANIFEST_EVERY == 0:
                    write_manifest(job.folder)
    finally:
        counts = write_manifest(job.folder)
    return counts


def _results(job: Job, indices: list[int], workers: int) -> Iterator[None]:
    make = partial(_make_and_save, job)
    if workers <= 1:
        yield from map(make, indices)
        return
    # A forked child would inherit the threads of torch in an undefined state.
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, initializer=single_thread) as pool:
        yield from pool.imap_unordered(make, indices, chunksize=1)


def _make_and_save(job: Job, index: int) -> None:
    pair = make_pair(job.sources, job.seed, index, job.size, job.brush, job.tone)
    record: dict[str, Any] = {"skipped": []}
    if pair is not None:
        pair_folder.write_pair(job.folder, _name(index), pair.line, pair.sketch, pair.tone)
        record = {"pair": {"name": _name(index), **pair.record}, "skipped": pair.skipped}
    pair_folder.write_record(job.folder, _name(index), record)


def _name(index: int) -> str:
    return f"{index:06d}"


def write_manifest(folder: Path) -> tuple[int, int]:
    """Put the manifest together from the finished pairs: (pairs, drawings skipped)."""
    records = list(pair_folder.records(folder).values())
    pairs = [record["pair"] for record in records if "pair" in record]
    pair_folder.write_manifest(folder, pairs)
    return len(pairs), len({key for record in records for key in record["skipped"]})
