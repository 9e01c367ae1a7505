"""The jobs of a command line: which inputs become which outputs, done one by one whatever becomes of the others."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import glob
import mimetypes
import os
import re
import sys
import traceback
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .errors import SketchGANError
from .files import distinct, files_in

Given = TypeVar("Given")

PIPED = "-"  # instead of a file's name
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")  # letters that break a line or move the cursor
_ARENA_MAX = -8  # a parameter of glibc's mallopt


class BadUsage(SketchGANError):
    """Arguments that cannot be used together."""


def find_jobs(options: argparse.Namespace) -> tuple[list[tuple[Path, Path]], int]:
    """The (input, output) pairs that are left to do of a command line, and how many arguments gave no input."""
    sources, failures = [], 0
    for text in options.inputs:
        try:
            sources += _sources(text)
        except SketchGANError as error:
            failures += 1
            complain(error, options.debug)
    sources = list(dict.fromkeys(sources))
    jobs = list(zip(sources, _targets(sources, options), strict=True))
    refuse_collisions(jobs, getattr(options, "sheet", None))
    part, parts = options.shard
    jobs = jobs[part - 1 :: parts]
    if options.resume:
        left = [(source, target) for source, target in jobs if str(target) == PIPED or not target.exists()]
        if len(left) < len(jobs):
            tell(f"{len(jobs) - len(left)} of {len(jobs)} are there already")
        jobs = left
    return jobs, failures


def _sources(text: str) -> list[Path]:
    if not text:
        raise SketchGANError("an empty name was given as input; name a file, a folder or a pattern")
    path = Path(text)
    if text == PIPED:
        return [path]
    try:
        if path.is_dir():
            from .images import INPUT_SUFFIXES

            found = files_in(path, INPUT_SUFFIXES)
            if not found:
                raise SketchGANError(f"{path}: no images directly in this folder; give another, or a pattern with **")
            return found
        path.resolve()  # raises if links form a loop
        if path.exists() or not glob.has_magic(text):
            return [path]
        # A folder whose own name looks like a pattern is meant literally.
        folder = glob.escape(str(path.parent)) if path.parent.is_dir() else str(path.parent)
        names = glob.glob(str(Path(folder, path.name)), recursive=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise SketchGANError(f"{text}: {_why(error)}; check the name") from error
    # Links that lead back to a folder above give a file many names; the shortest is taken.
    known: dict[tuple[str, str], Path] = {}
    for path in sorted(map(Path, names), key=lambda path: (len(path.parts), path)):
        if path.is_file():
            known.setdefault((os.path.realpath(path.parent), path.name), path)
    found = sorted(known.values())
    if not found:
        raise SketchGANError(f"{text}: no file matches this pattern; check it")
    return found


def _why(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _targets(sources: list[Path], options: argparse.Namespace) -> list[Path]:
    from .images import INPUT_SUFFIXES, OUTPUT_FORMATS

    output: Path = options.output
    if str(output) == PIPED:
        if sys.stdout is None:
            raise BadUsage("-o - pipes the drawing out, but standard output is closed")
        if len(sources) > 1:
            raise BadUsage("-o - pipes one drawing out; give one input, or a folder to write to")
        return [output for _ in sources]
    folders = [text for text in options.inputs if os.path.isdir(text)]
    several = len(sources) > 1 or bool(folders)
    if output.suffix.lower() in INPUT_SUFFIXES | OUTPUT_FORMATS.keys() and not output.is_dir():
        if several:
            raise BadUsage(f"{output}: is one file for several inputs; give a folder")
        return [output for _ in sources]
    ending = output.suffix[1:]
    if not output.is_dir() and (ending.isalpha() or mimetypes.guess_type(output.name)[0]):
        raise BadUsage(
            f"{output}: no picture of that kind can be written; end its name in {', '.join(OUTPUT_FORMATS)}, "
            "or give a folder: one that is there may be called so"
        )
    for folder in folders:
        if output.is_dir() and os.path.samefile(folder, output):
            raise BadUsage(
                f"{output}: is the folder that is read, where outputs would be inputs next time; give another"
            )
    return [output / f"{name}.png" for name in _names(sources)]


def _names(sources: list[Path]) -> list[str]:
    """What the output of each input is called, without its ending: like the input.

    Where inputs are called alike, their endings tell them apart (cat-jpg, cat-png), or their folders (old-cat,
    new-cat): a number would stand for another input as soon as one more is there, and --resume would not see it.
    """
    alike: defaultdict[str, list[Path]] = defaultdict(list)
    for source in sources:
        alike[source.stem.lower()].append(source)
    named: dict[Path, str] = {}
    for group in alike.values():
        endings = [source.suffix.lower() for source in group]
        with_ending = len(set(endings)) > 1
        deepest = max(len(Path(os.path.abspath(source)).parts) for source in group)
        for folders in range(deepest):
            called = [_name(source, with_ending, folders) for source in group]
            if len({name.lower() for name in called}) == len(group):
                break
        named |= zip(group, called, strict=True)
    taken: set[str] = set()
    return [distinct(named[source], taken) for source in sources]


def _name(source: Path, with_ending: bool, folders: int) -> str:
    if str(source) == PIPED:
        return "sketch"
    stem = source.stem + source.suffix.replace(".", "-") * with_ending
    above = Path(os.path.abspath(source)).parent.parts
    return "-".join([*above[max(1, len(above) - folders) :], stem])


def refuse_collisions(jobs: list[tuple[Path, Path]], sheet: Path | None = None) -> None:
    """Raises BadUsage if an output is an input or another output, by whatever name."""
    inputs = {_identity(source) for source, _ in jobs if str(source) != PIPED}
    outputs: set[object] = set()
    for output in [target for _, target in jobs] + ([sheet] if sheet else []):
        if str(output) == PIPED:
            continue
        identity = _identity(output)
        if identity in inputs:
            raise BadUsage(f"{output}: is an input itself; choose another output")
        if identity in outputs:
            raise BadUsage(f"{output}: is written twice; choose another output")
        outputs.add(identity)


def _identity(path: Path) -> object:
    """The same for all names of one file: links, `./`, and upper or lower case where the disk ignores it."""
    real = os.path.realpath(path)  # which takes links that form a loop as they are
    # A name may lead through a folder that is not there until the output is written: `new/../cat.png`.
    for name in (path, real):
        with contextlib.suppress(OSError):
            status = os.stat(name)
            return status.st_dev, status.st_ino
    return real.casefold()


def each(
    jobs: list[tuple[Path, Path]],
    read: Callable[[Path], Given],
    work: Callable[[Path, Path, Given], Callable[[], None]],
    options: argparse.Namespace,
) -> int:
    """Does each job, whatever becomes of the others; the next is read and the last written while one is worked on.

    Args:
        jobs: (input, output) pairs.
        read: what is needed of an input before it is worked on.
        work: of that, what writes the output.
        options: overwrite, debug.

    Returns:
        How many failed.
    """
    from .images import check_output

    failures = 0
    if not jobs:
        return failures
    share_heap()

    def begin(source: Path, target: Path) -> Given:
        if str(target) != PIPED:
            check_output(target, options.overwrite)
        return read(source)

    def finish(source: Path, target: Path, step: Callable[[], Any]) -> Any:
        nonlocal failures
        try:
            return step()
        except BrokenPipeError:
            raise
        except SketchGANError as error:
            failures += 1
            named = str(source) in (PIPED, "") or str(source) in str(error) or str(target) in str(error)
            complain(error if named else f"{source}: {error}", options.debug)
        except Exception as error:  # a bug that one image triggers must not cost the others
            failures += 1
            complain(f"{source}: {type(error).__name__}: {error}; please report it with --debug", options.debug)
        return None

    with ThreadPoolExecutor(1) as reader, ThreadPoolExecutor(1) as writer:
        writing: Future[Any] | None = None
        try:
            reading = reader.submit(begin, *jobs[0])
            for number, job in enumerate(jobs, 1):
                given = finish(*job, reading.result)
                if number < len(jobs):
                    reading = reader.submit(begin, *jobs[number])
                write = None if given is None else finish(*job, partial(work, *job, given))
                if writing is not None:
                    writing.result()
                writing = None if write is None else writer.submit(finish, *job, write)
            if writing is not None:
                writing.result()
        except BaseException:
            reader.shutdown(wait=False, cancel_futures=True)
            raise
    return failures


def share_heap() -> None:
    """Lets threads share one heap: by default, glibc gives each its own, which keeps what was freed in it."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def tell(line: str) -> None:
    """Says something on standard error, in one line whatever the names in it are made of."""
    # Perhaps nobody is listening any more; the drawing goes on.
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            print(_CONTROL.sub(" ", line), file=sys.stderr, flush=True)


def complain(error: object, debug: bool) -> None:
    if debug and sys.exc_info()[0] is not None:
        traceback.print_exc()
    tell(f"sketchgan: {error}")
