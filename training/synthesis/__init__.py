"""`sketchgan-train synthesize`: training pairs without an artist.

Clip art becomes line images; a libmypaint pencil draws the plan of each, with the hand of its seed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

BRUSH = "deevad/2B_pencil"  # the hand of the bundled pencil
TONE = 0.6  # share of the pairs of vector drawings whose light is drawn as well as their lines
HELP = "Make training pairs without an artist: line images from clip art, and pencil drawings of them."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the pairs")
    parser.add_argument("--count", type=_positive, default=2000, help="pairs to make (default 2000)")
    parser.add_argument("--size", type=_positive, default=512, help="side of the images in pixels (default 512)")
    parser.add_argument("--seed", type=int, default=0, help="of the data set; the same seed makes the same pairs")
    parser.add_argument(
        "--brush",
        default=BRUSH,
        metavar="NAME",
        help=f"libmypaint preset to draw all with, such as ramon/2B_pencil (default: {BRUSH} and those of other leads)",
    )
    parser.add_argument(
        "--tone",
        type=_share,
        default=TONE,
        metavar="SHARE",
        help=f"share of the pairs of vector drawings that are of a picture with tone (default {TONE})",
    )
    parser.add_argument("--workers", type=_positive, default=2, help="processes (default 2)")
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        metavar="[NAME=]PATH",
        help="a folder of SVG or raster line drawings, an iconify package or its tarball, or openclipart=FOLDER; "
        "may be repeated, the sources take turns (default: Debian's openclipart-svg)",
    )
    parser.add_argument("--licence", default="unstated", help="of the drawings in folders that state none")
    parser.add_argument("--fetch", action="append", default=[], choices=["noto"], help="download this source with npm")
    parser.add_argument(
        "--cache", type=Path, default=Path.home() / ".cache" / "sketchgan", help="folder of downloaded sources"
    )


def run(args: argparse.Namespace) -> int:
    from .dataset import Job, synthesize
    from .sources import OPENCLIPART_FOLDER, fetch, find_drawings

    specifications = [*args.source, *(f"{name}={fetch(name, args.cache)}" for name in args.fetch)]
    if args.fetch and not args.source and OPENCLIPART_FOLDER.is_dir():
        specifications.append(f"openclipart={OPENCLIPART_FOLDER}")
    sources = find_drawings(specifications, args.licence)
    job = Job(args.output, sources, args.seed, args.size, args.brush, args.tone)
    pairs, skipped = synthesize(job, args.count, args.workers)
    print(f"{args.output}: {pairs} pairs; {skipped} drawings skipped as unusable", file=sys.stderr)
    return 0 if pairs >= args.count else 1


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: must be at least 1")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: must lie in 0..1")
    return value
