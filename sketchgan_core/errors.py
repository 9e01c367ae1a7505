"""What can go wrong for a user, each as one line that names the file and the remedy."""

from __future__ import annotations


class SketchGANError(Exception):
    """A bad input, weights file or setting; `str(error)` is one line fit to be shown to the user."""


class Cancelled(Exception):
    """The caller's `cancelled()` said so; nothing was written."""
