"""The names of line modes and papers, for a menu: importing them costs nothing."""

from __future__ import annotations

MODES = ("auto", "drawing", "photo", "classic", "none")
PAPERS = ("cartridge", "smooth", "rough")
