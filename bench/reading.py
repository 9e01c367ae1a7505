"""How inputs are read: a confusion table over many kinds of pictures, drawings and clean lines, made from packages.

    python bench/reading.py [--of held-back|tuned-on|kept]

Photographs and wallpapers whole, in parts, grey, relit on dark ground and fading into white; rendered objects as
product shots, statues and flat-coloured scenes; clip art; line art on every ground. The weights are fitted on both
halves of these, so they measure what is shipped; the sources that are `kept` from the fit measure how others are read.
Needs openclipart-svg, librsvg2-bin, npm and the packages in reading_inputs.py and reading_more.py; says what it skips.
Writes results/reading.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
from reading_inputs import Input, inputs, textures
from reading_more import more

from sketchgan_core.lines.reading import read

RESULTS = Path(__file__).parent / "results" / "reading.json"
CHOICES: dict[str, Callable[[], Iterable[Input]]] = {
    "held-back": lambda: inputs(held=True),
    "tuned-on": lambda: inputs(held=False),
    "kept": lambda: chain(more(fitted=False), textures(fitted=False)),
}


def measured(chosen: Iterable[Input]) -> dict[str, Any]:
    """What the inputs were read as."""
    table: defaultdict[str, Counter[str]] = defaultdict(Counter)
    truths: dict[str, str] = {}
    wrong: list[str] = []
    seconds: list[float] = []
    for made in chosen:
        start = time.process_time()
        reading = read(made.pixels)
        seconds.append(time.process_time() - start)
        found = f"light {reading.kind}" if reading.light_lines else reading.kind
        table[made.kind][found] += 1
        truths[made.kind] = made.truth
        if found != made.truth:
            wrong.append(f"{made.kind}: {made.source} read as {found}")
    pictures = [found for kind, found in table.items() if truths[kind] == "picture"]
    return {
        "inputs": len(seconds),
        "wrong": len(wrong),
        "pictures": sum(found.total() for found in pictures),
        "pictures taken for drawings": sum(found.total() - found["picture"] for found in pictures),
        "pictures inverted": sum(found["light drawing"] for found in pictures),
        "processor seconds a reading, median": round(sorted(seconds)[len(seconds) // 2], 4),
        "read as": {kind: {"truth": truths[kind], **found} for kind, found in table.items()},
        "each that is wrong": wrong,
    }


def keep(name: str, found: dict[str, Any]) -> None:
    """Prints what was found, and writes it to the results beside what is known of the others."""
    print(json.dumps({name: found}, indent=2))
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**known, name: found}, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", choices=CHOICES, help="all three, one after the other, if not given")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    for name in [options.of] if options.of else CHOICES:
        keep(name.replace("-", " "), measured(CHOICES[name]()))


if __name__ == "__main__":
    main()
