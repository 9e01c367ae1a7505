"""The names of line modes, polarities and papers, for a menu: importing them costs nothing."""

from __future__ import annotations

MODES = ("auto", "drawing", "photo", "classic", "none")
POLARITIES = ("auto", "dark", "light")
PAPERS = ("cartridge", "smooth", "rough")
