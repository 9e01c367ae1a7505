"""The card of a pencil: a page beside the weights that says what it is, how it was made and what it is worth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2

from sketchgan_core.errors import SketchGANError
from sketchgan_core.files import written_whole
from sketchgan_core.pencils.header import Header, read_header

from .curves import sheet
from .metrics import read_metrics

SHEET_WIDTH = 1600  # px


def write_card(pencil: Path, run_folder: Path, report: Path | None = None, closing: str = "") -> Path:
    """Write PENCIL.md, PENCIL.curves.svg and, given a report, PENCIL.sheet.jpg beside a pencil.

    Args:
        pencil: the exported weights.
        run_folder: the run they came from.
        report: what `sketchgan-train evaluate -o` wrote.
        closing: what else a user should know, in Markdown: how the pairs came about, known weaknesses.

    Raises:
        SketchGANError: the run or the report is incomplete.
    """
    header = read_header(pencil)
    curves = pencil.with_suffix(".curves.svg")
    entries = read_metrics(run_folder)
    if not entries:
        raise SketchGANError(f"{run_folder}: no metrics to draw curves of; train first")
    with written_whole(curves) as file:
        file.write(sheet(entries).encode())
    text = [f"# {header.card.title}", _facts(header), "## How it was made", _story(header)]
    text += [f"![Losses and validation over the crops seen]({curves.name})"]
    if report is not None:
        measured = _read_json(report / "report.json")
        pictures = pencil.with_suffix(".sheet.jpg")
        _shrink(report / "sheet.png", pictures)
        text += ["## What was measured", _measures(measured), f"![Drawings never trained on]({pictures.name})"]
    if closing:
        text += [closing]
    page = pencil.with_suffix(".md")
    with written_whole(page) as file:
        file.write(("\n\n".join(text) + "\n").encode())
    return page


def _facts(header: Header) -> str:
    rows = {
        "architecture": f"{header.architecture}, {header.parameters:,} weights, {header.bytes / 1e6:.1f} MB",
        "controls": ", ".join(f"{name} (default {value})" for name, value in header.controls.items()),
        "author": header.card.author,
        "licence": header.card.license,
        "made": header.card.date,
        "use": header.card.usage_hint,
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items() if value)])


def _story(header: Header) -> str:
    told = header.training
    facts = [
        f"- command: `{told['command']}`",
        f"- data: {told['data']}",
        f"- source revision: {told.get('commit', 'unknown')}; seed {told['seed']}",
        f"- {told['crops']:,} crops seen in {told['seconds'] / 3600:.1f} hours",
        f"- perceptual loss: {told['perceptual']}",
    ]
    settings = "\n".join(f"{name} = {json.dumps(value)}" for name, value in told["settings"].items())
    return "\n".join(facts) + f"\n\nSettings, as `--config` reads them:\n\n```toml\n{settings}\n```"


def _measures(report: dict[str, Any]) -> str:
    lines, light, distances = report["lines"], report["light"], dict(report["distance_to_targets"])
    network, crops = distances.pop("features"), distances.pop("crops")
    rows = [
        f"On {report['drawings']} drawings that were held back, in {report['precision']}:",
        f"- lines at shading 0, within 3 px at 512: recall {lines['recall']:.3f}, precision {lines['precision']:.3f}",
        f"- light of {light['pictures']} pictures: rank correlation of dark with dark {light['correlation']:.3f}",
        *(
            f"- {name}: rank correlation {found['correlation']:.3f} with {found['measure'].replace('_', ' ')}"
            for name, found in report["rank_correlation"].items()
        ),
    ]
    table = [
        f"| distance to the rendered targets ({crops} crops, {network}) | KID | sliced Wasserstein | told apart |",
        "|---|---|---|---|",
        *(
            f"| {name} | {found['kid']:.3f} | {found['sliced_wasserstein']:.0f} | {_share(found.get('told_apart'))} |"
            for name, found in distances.items()
        ),
        "",
        "*Told apart* is how often a network that is new to the pencil, and to the drawings it is asked about, tells",
        "their parts from rendered ones; 50 % is chance.",
    ]
    return "\n".join([rows[0], "", *rows[1:], "", *table])


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _shrink(sheet: Path, picture: Path) -> None:
    image = cv2.imread(str(sheet), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise SketchGANError(f"{sheet}: no sheet of pictures; evaluate again")
    scale = min(1.0, SHEET_WIDTH / image.shape[1])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    with written_whole(picture) as file:
        file.write(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes())


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SketchGANError(f"{path}: not a report ({error}); run sketchgan-train evaluate again") from error
