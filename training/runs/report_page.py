"""report.html: a run at a glance, in one file that needs no other; made from what the run's folder holds."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import asdict
from html import escape
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from sketchgan_core.files import written_whole

from ..config import TrainConfig, load_config
from .curves import panels
from .metrics import curve, read_metrics
from .record import read_record

FILE = "report.html"
MOMENTS = 4  # at which the drawings are shown: input and target must fit beside them at full size
ROWS = 4  # drawings
INPUT, TARGET, AVERAGE, COLUMNS = 0, 1, 3, 4  # of a sample grid
GUESSING = 6 * math.log(2)  # the discriminator's loss over its three scales when it cannot tell
WORSE_THAN_GUESSING = 1.4 * GUESSING
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #faf8f4; margin: 0 auto; padding: 24px;
max-width: 1340px }
h1 { font-size: 26px; margin: 0 } h2 { font-size: 18px; margin: 34px 0 10px } .quiet { color: #6d6a64 }
.facts { display: flex; flex-wrap: wrap; gap: 12px; margin: 18px 0 }
.facts div { background: #fff; border: 1px solid #e4e0d8; border-radius: 6px; padding: 8px 14px }
.facts b { display: block; font-size: 19px } .scroll { overflow-x: auto } .drawings { border-collapse: collapse }
.drawings th { font-weight: 500; font-size: 13px; padding: 4px 8px; text-align: left } .drawings td { padding: 2px }
.drawings img { display: block; border: 1px solid #e4e0d8 }
.best { color: #c4572b } .curves { display: flex; flex-wrap: wrap; gap: 12px } .curves svg { border: 1px solid #e4e0d8;
border-radius: 6px; max-width: 100%; height: auto } table.plain td { padding: 1px 14px 1px 0; vertical-align: top }
code, pre { font: 13px ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
pre { columns: 260px } li { margin: 4px 0; max-width: 90ch } .changed { font-weight: 700 }
"""


def write_page(run: Path) -> Path:
    """Write `run/report.html` anew.

    Raises:
        SketchGANError: the run's configuration cannot be read.
    """
    entries, record, config = read_metrics(run), read_record(run), load_config(run / "config.toml")
    best = record.get("best")
    body = [
        f"<h1>{escape(run.resolve().name)}</h1>",
        f'<div class="quiet">{escape(record.get("data", {}).get("told", ""))}</div>',
        _facts(entries, record, config),
        "<h2>What to make of it</h2>",
        "<ul>" + "".join(f"<li>{escape(text)}</li>" for text in words(entries, record, config)) + "</ul>",
        "<h2>The drawings over time</h2>",
        _drawings(run, best),
        "<h2>Curves, over the crops seen</h2>",
        f'<div class="curves">{"".join(panels(entries, best["crops"] if best else None))}</div>',
        "<h2>Settings</h2>",
        _settings(config),
        "<h2>Where and how it was run</h2>",
        _sessions(record),
    ]
    title = escape(run.resolve().name)
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        + "\n".join(body)
        + "</body></html>\n"
    )
    with written_whole(run / FILE) as file:
        file.write(page.encode())
    return run / FILE


def words(entries: list[dict[str, Any]], record: dict[str, Any], config: TrainConfig) -> list[str]:
    """What the numbers say and what they do not, a sentence each."""
    told = []
    data, best = record.get("data", {}), record.get("best")
    if data and not data["held_back"]:
        told.append(
            "There is one drawing only, so it is measured on what it was trained on: the validation curves "
            "say how well it remembers, not how well it draws anything else."
        )
    elif data:
        told.append(
            f"The validation curves are measured on {config.validation_crops} crops of {data['validation']} pairs "
            "that are never trained on. So few tell a good pencil from a bad one, not two good ones from each other."
        )
    if best:
        told.append(f"The best checkpoint is the one at {best['crops']:,} crops. It was chosen by {best['why']}.")
        measured = curve(entries, best["metric"])
        worse = measured[-1][1] / best["value"] - 1 if measured and best["value"] > 0 else 0.0
        if worse > 0.1:
            told.append(
                f"Since then it has become worse, by {100 * worse:.0f} %. With few pairs that is a pencil that learns "
                "them by heart: more pairs help, more training does not."
            )
        elif worse > 0:
            told.append(f"The last one is {100 * worse:.1f} % worse by that measure, which may be chance.")
    else:
        told.append("No checkpoint counts as the best yet: that begins when the adversary is fully listened to.")
    recall = curve(entries, "validation/line_recall/average")
    if recall and recall[-1][1] < 0.9:
        told.append(
            f"{100 * (1 - recall[-1][1]):.0f} % of the lines have no mark within 3 px: "
            "it does not yet draw what it is given."
        )
    judge = curve(entries, "loss/discriminator")
    if judge and judge[-1][1] > WORSE_THAN_GUESSING:
        told.append(misjudging(judge[-1][1], config))
    elif judge and judge[-1][1] > 0.97 * GUESSING:
        told.append(
            f"The discriminator is guessing ({judge[-1][1]:.2f}, and {GUESSING:.2f} is chance): either the drawing is "
            "as good as its target to it, or it has not learned to look yet. The drawings tell which."
        )
    elif judge and judge[-1][1] < 0.15 * GUESSING:
        told.append(
            f"The discriminator sees through nearly every drawing ({judge[-1][1]:.2f}; {GUESSING:.2f} is chance), "
            "and from then on teaches little. If that stays, a lower discriminator_rate helps."
        )
    waits = curve(entries, "speed/loader_wait")
    # the median and not the last value: the first crops after a start are always waited for
    usual = float(np.median([share for _, share in waits])) if waits else 0.0
    if usual > 0.05:
        told.append(
            f"{100 * usual:.0f} % of the time went to waiting for crops: --set workers={config.workers + 1} "
            "if cores are free."
        )
    told.append("No number here knows whether you like it. Look at the drawings below, at their full size.")
    return told


def misjudging(loss: float, config: TrainConfig) -> str:
    """What to make of a discriminator that has learned something that is not so."""
    return (
        f"The discriminator judges worse than by guessing ({loss:.2f}; {GUESSING:.2f} is chance), so what it teaches "
        "of texture counts for little; lines and tone are kept by the other losses. Look at the drawings; another run "
        f"with --set discriminator_rate={config.discriminator_rate / 2:g} may do better."
    )


def _facts(entries: list[dict[str, Any]], record: dict[str, Any], config: TrainConfig) -> str:
    best = record.get("best")
    speed = curve(entries, "speed/crops_per_second")
    facts = {
        "crops seen": f"{record.get('crops', 0):,} of {config.crops:,}",
        "training": f"{record.get('seconds', 0) / 3600:.1f} h",
        "crops per second": f"{speed[-1][1]:.1f}" if speed else "",
        "best checkpoint, crops": f"{best['crops']:,}" if best else "",
        "state": "complete" if record.get("complete") else "not complete",
    }
    return '<div class="facts">' + "".join(f"<div><b>{v}</b>{k}</div>" for k, v in facts.items() if v) + "</div>"


def _drawings(run: Path, best: dict[str, Any] | None) -> str:
    """A table of validation crops: the input, the averaged generator at some moments, the target."""
    files = {int(file.stem): file for file in sorted((run / "samples").glob("*.png")) if file.stem.isdigit()}
    shown = _spread(list(files), best["crops"] if best else None)
    grids = [grid for crops in shown if (grid := cv2.imread(str(files[crops]), cv2.IMREAD_GRAYSCALE)) is not None]
    if not grids:
        return "<p>None yet.</p>"
    side = grids[-1].shape[1] // COLUMNS
    rows = min(ROWS, grids[-1].shape[0] // side)
    titles = ["input", *(f"{crops:,} crops" for crops in shown), "target"]
    marked = [best is not None and title == f"{best['crops']:,} crops" for title in titles]
    head = "".join(
        f'<th class="best">{title} (best)</th>' if mark else f"<th>{title}</th>"
        for title, mark in zip(titles, marked, strict=True)
    )
    columns = [(grids[-1], INPUT), *((grid, AVERAGE) for grid in grids), (grids[-1], TARGET)]
    body = "".join(
        "<tr>" + "".join(f"<td>{_picture(_cell(grid, row, column, side))}</td>" for grid, column in columns) + "</tr>"
        for row in range(rows)
    )
    return f'<div class="scroll"><table class="drawings"><tr>{head}</tr>{body}</table></div>'


def _spread(moments: list[int], best: int | None) -> list[int]:
    """The first, the last, and some between them; the best takes the place of the nearest of those."""
    places = np.linspace(0, len(moments) - 1, min(MOMENTS, len(moments))).round().astype(int)
    chosen = [moments[place] for place in places]
    if best in moments and best not in chosen:
        nearest = min(chosen[1:-1], key=lambda moment: abs(moment - best))
        chosen[chosen.index(nearest)] = best
    return sorted(chosen)


def _cell(grid: np.ndarray, row: int, column: int, side: int) -> np.ndarray:
    top, left = row * side, column * side
    return grid[top : top + side - 2, left : left + side - 2]


def _picture(image: np.ndarray) -> str:
    data = base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()
    return f'<img src="data:image/png;base64,{data}" width="{image.shape[1]}" height="{image.shape[0]}" alt="">'


def _settings(config: TrainConfig) -> str:
    usual = asdict(TrainConfig())
    lines = [
        f'<span class="changed">{escape(line)}</span>' if value != usual[name] else escape(line)
        for name, value in asdict(config).items()
        for line in [f"{name} = {json.dumps(value)}"]
    ]
    return '<p class="quiet">Bold is what differs from the defaults.</p><pre>' + "\n".join(lines) + "</pre>"


def _sessions(record: dict[str, Any]) -> str:
    rows = []
    for session in record.get("sessions", []):
        environment = session["environment"]
        versions = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
        machine = f"{environment['device']}, {environment['processes']} process(es), {environment['precision']}"
        rows += [
            ("started", f"{session['started']}, at {session['from_crops']:,} crops"),
            ("command", session["command"]),
            ("source", session["commit"] or "no checkout"),
            (
                "machine",
                f"{machine}; {environment['processor']}, {environment['cores']} cores; {environment['platform']}",
            ),
            ("versions", f"Python {environment['python']}, {versions}"),
        ]
    again = record.get("again", "")
    table = "".join(f'<tr><td class="quiet">{name}</td><td>{escape(text)}</td></tr>' for name, text in rows)
    return f'<table class="plain">{table}</table><p>To do it again: <code>{escape(again)}</code></p>'
