"""Throws mutated inputs at everything that reads: python -m tests.fuzz [--cases 10000] [--only images] [--seed 0].

A case may be taken, or refused with a SketchGANError of one line; anything else, or more than SECONDS or
MEGABYTES for one case, is a fault, which is printed with the seed that makes it again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from .cases import TARGETS, throw


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="of each kind (default: 10000)")
    parser.add_argument("--only", choices=TARGETS)
    parser.add_argument("--seed", type=int, default=0, help="of the first case (default: 0)")
    options = parser.parse_args()
    faults = 0
    for name in [options.only] if options.only else TARGETS:
        with tempfile.TemporaryDirectory() as folder:
            told = throw(name, range(options.seed, options.seed + options.cases), Path(folder))
        faults += len(told.faults)
        print(told)
        print(*told.faults, sep="\n", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
