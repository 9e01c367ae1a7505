"""Errors that a user of the trainer can mend."""

from __future__ import annotations

from sketchgan_core.errors import SketchGANError


class TrainingError(SketchGANError):
    """One clear line that names the file and the remedy; the command line prints it and exits with status 2."""


class Diverged(TrainingError):
    """The run has gone wrong for good; the message says what shows it."""
