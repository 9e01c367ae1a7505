from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from training.runs.curves import HEIGHT, WIDTH, panels

STAGES = ("stem", "encode_half", "down_quarter", "encode_quarter", "down_eighth")
BACK = ("up_quarter", "decode_quarter", "up_half", "decode_half", "up_full", "tail", "output")


def weights(blocks: int) -> list[dict[str, float]]:
    """What a run logs for a generator of so many blocks: many parts of nearly the same size."""
    parts = [*STAGES, *(f"eighth.{block}" for block in range(blocks)), *BACK]
    return [
        {"crops": crops, **{f"weights/generator/{part}": 0.05 + 1e-6 * crops for part in parts}}
        for crops in (100, 200, 300)
    ]


def texts(svg: str) -> dict[str, tuple[float, float]]:
    found = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return {text.text or "": (float(text.attrib["x"]), float(text.attrib["y"])) for text in found}


@pytest.mark.parametrize("blocks", [2, 20])
def test_every_part_of_a_network_is_named_and_no_name_touches_another(blocks: int) -> None:
    (svg,) = panels(weights(blocks))
    named = {text: place for text, place in texts(svg).items() if re.match(r"[a-z_]+(\.\d+| \(\d+\))?$", text)}
    middle = ["eighth.0", "eighth.1"] if blocks == 2 else ["eighth (20)"]
    assert named.keys() == {*STAGES, *middle, *BACK}
    heights = sorted(y for _, y in named.values())
    assert all(below - above >= 10 for above, below in pairwise(heights))
    assert heights[0] > 20
    assert heights[-1] <= HEIGHT
    assert all(x + 5.6 * len(name) <= WIDTH for name, (x, _) in named.items())
    assert svg.count("<polyline") == len(named)


def test_what_no_run_has_logged_has_no_chart() -> None:
    (svg,) = panels(weights(2))
    assert "Weights (root mean square): generator" in texts(svg)
