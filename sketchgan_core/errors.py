"""What can go wrong for a user, each as one line that names the file and the remedy."""

from __future__ import annotations

import contextlib
import io
import os
import sys


class SketchGANError(Exception):
    """A bad input, weights file or setting; `str(error)` is one line fit to be shown to the user."""


def one_line(text: str, longest: int = 80) -> str:
    """Text from a stranger's file, fit for a line on a terminal: nothing that moves the cursor, and not too long."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[:longest]}..."


def unreachable(error: OSError) -> str:
    """An error of the system's, fit to be shown to the user."""
    said = error.strerror or str(error)
    if error.filename is None:
        return f"{said}; is the disk full, or a pipe closed?"
    name = one_line(os.fsencode(error.filename).decode(errors="replace"), 200)
    return f"{name}: {said}; check the name, and who may read or write there"


def show_every_name() -> None:
    """Lets the console write a name that it has no letters for, such as one that is not UTF-8, in another way."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError):  # its file was changed for another in the meantime
                stream.reconfigure(errors="backslashreplace")


class Cancelled(Exception):
    """The caller's `cancelled()` returned true; nothing was written."""
