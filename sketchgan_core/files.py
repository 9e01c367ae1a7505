"""Files that are written whole or not at all, and known by what is in them."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def distinct(name: str, taken: set[str]) -> str:
    """A name, or with a number after it, that is not in `taken` yet, in upper or lower case; it is then."""
    found, number = name, 2
    while found.lower() in taken:
        found, number = f"{name}-{number}", number + 1
    taken.add(found.lower())
    return found


def files_in(folder: Path, endings: Collection[str]) -> list[Path]:
    """The files directly in a folder whose names have one of these endings, in lower case, sorted.

    A name with a dot first is some program's own, like macOS's `._a.png`.

    Raises:
        OSError: there is no such folder, or it may not be read.
    """
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix.lower() in endings and not file.name.startswith(".") and not file.is_dir()
    )


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write to that takes its place at `path` only when the block ends without an error.

    Missing folders are made.

    Raises:
        OSError: the disk refuses.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, because a rename is atomic only within one file system.
    # Its name is short, as the file's own may be as long as names can be.
    temporary = path.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            # or a power cut may leave the name with nothing behind it
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def digest(file: Path) -> str:
    """The SHA-256 of what is in a file, in hexadecimal."""
    known = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            known.update(block)
    return known.hexdigest()
