"""How inputs are read: a confusion table over many kinds of pictures, drawings and clean lines, made from packages.

    python bench/reading.py [--tuned]

Photographs and wallpapers whole, in parts, grey, relit on dark ground and fading into white; rendered objects as
product shots, statues and flat-coloured scenes; clip art; line art on every ground. The weights are fitted on both
halves, so this measures what is shipped; fit_reading.py measures how sources left out of the fit are read. Needs
openclipart-svg, librsvg2-bin, npm and the wallpaper packages in reading_inputs.py; says what it skips. Writes
results/reading.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
from reading_inputs import Input, inputs

from sketchgan_core.lines.reading import read

RESULTS = Path(__file__).parent / "results" / "reading.json"


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tuned", action="store_true", help="the half that the reading was tuned on at first")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    report = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    half = "tuned on" if options.tuned else "held back"
    report[half] = measured(inputs(held=not options.tuned))
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report[half], indent=2))


if __name__ == "__main__":
    main()
