"""The ways of a picture and of a pair, as docs/design.md describes them: the calls it lists are made, in that order."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from PIL import Image

from sketchgan_core import Sketcher
from tests.unit.training.runs import arguments
from training.cli import main

ROOT = Path(__file__).parents[2]


def told(package: str) -> list[str]:
    """The calls of a package's way, as module and function, in the order of docs/design.md."""
    page = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    block = page.split("The way of a picture,")[1].split("\n\n")[1]
    columns = [re.split(r" {2,}", line.strip()) for line in block.splitlines()[1:]]
    place = {"sketchgan_core": 0, "training": 1}[package]
    return [f"{package}.{column[place]}" for column in columns if len(column) > place]


def made(package: str, act: Callable[[], Any]) -> list[str]:
    """The functions of a package that `act` calls, each once, in the order of their first calls."""
    called: dict[str, None] = {}

    def notice(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and str(frame.f_globals.get("__name__", "")).startswith(f"{package}."):
            owner = frame.f_locals.get("self")
            name = [frame.f_globals["__name__"], *([type(owner).__name__] if owner is not None else [])]
            called.setdefault(".".join([*name, frame.f_code.co_name]))

    sys.setprofile(notice)
    try:
        act()
    finally:
        sys.setprofile(None)
    return list(called)


def test_the_way_of_a_picture() -> None:
    sketcher = Sketcher.load("default", device="cpu")
    picture = Image.open(ROOT / "examples" / "pictures" / "coffee.jpg").crop((0, 0, 200, 200))
    way = told("sketchgan_core")
    assert len(way) > 10
    calls = made("sketchgan_core", lambda: sketcher(picture))
    assert [call for call in calls if call in way] == way


def test_the_way_of_a_pair(tmp_path: Path) -> None:
    drawing = tmp_path / "drawing.svg"
    circles = "".join(f'<circle cx="{x}" cy="90" r="{x / 3}" fill="#a{x % 9}c"/>' for x in (40, 80, 120))
    drawing.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 180 180" stroke="black">{circles}</svg>')
    pairs, run = tmp_path / "pairs", tmp_path / "run"

    def act() -> None:
        source = ["--source", str(tmp_path), "--size", "128", "--workers", "1"]
        assert main(["synthesize", "-o", str(pairs), "--count", "4", *source]) == 0
        assert main(arguments(pairs, run, workers=0)) == 0

    way = told("training")
    assert len(way) > 8
    calls = made("training", act)
    assert [call for call in calls if call in way] == way
