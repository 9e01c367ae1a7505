"""The curves of a run as SVG that stands alone: in the report's page, and as a file beside a pencil's card."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any

from .metrics import curve

Points = Sequence[tuple[float, float]]

# Title and the metrics shown, or the beginnings of their names.
PANELS: dict[str, tuple[str, ...]] = {
    "Losses": ("loss/",),
    "Share of each loss in the gradient": ("share/",),
    "Validation: mean difference in grey": ("validation/l1_1px/", "validation/l1_8px/"),
    "Validation: distance to the target, to a network": ("validation/perceptual/",),
    "Validation: texture (sliced Wasserstein distance)": ("validation/sliced_wasserstein/",),
    "Validation: texture (KID)": ("validation/kid/",),
    "Validation: lines kept": ("validation/line_recall/average", "validation/line_precision/average"),
    "Validation: graphite": ("validation/graphite/",),
    "Crops per second": ("speed/crops_per_second",),
    "Weights (root mean square): generator": ("weights/generator/",),
    "Weights (root mean square): discriminator": ("weights/discriminator/",),
    "Weights (root mean square): second discriminator": ("weights/unconditional/",),
}
COLOURS = ("#1f5a8c", "#c4572b", "#3c7d4e", "#8a5aa3", "#a8862c", "#5b6b75", "#b23a5e", "#2b8c8c")  # apart in grey too
WIDTH, HEIGHT = 430, 264  # px of one panel
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 62, 30
LEGEND = 13  # px from one row of names to the next; there is room for two
NAMES = 100  # px for names to the right of the curves' ends, where curves are too many for those rows
APART = 10.5  # px from one such name to the next
PUSHES = 100  # rounds in which names that touch are pushed a little up and a little down
DRAWN = 240  # points drawn of a curve: more than the pixels can show are averaged


def panels(entries: list[dict[str, Any]], best: int | None = None) -> list[str]:
    """An <svg> for every panel that something was measured for; the checkpoint at `best` crops is marked."""
    return [_svg(panel, 1) for panel in _panels(entries, best)]


def sheet(entries: list[dict[str, Any]], columns: int = 3) -> str:
    """All panels in one SVG file."""
    drawn = _panels(entries, None)
    placed = "".join(
        f'<g transform="translate({number % columns * WIDTH},{number // columns * HEIGHT})">{panel}</g>'
        for number, panel in enumerate(drawn)
    )
    return _svg(placed, min(columns, len(drawn)) or 1, math.ceil(len(drawn) / columns) or 1)


def _panels(entries: list[dict[str, Any]], best: int | None) -> list[str]:
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    drawn = []
    for title, beginnings in PANELS.items():
        series = {_short(name): curve(entries, name) for name in names if name.startswith(beginnings)}
        if series:
            drawn.append(_panel(title, _merged(series), best))
    return drawn


def _merged(series: Mapping[str, Points]) -> Mapping[str, Points]:
    """Curves that differ only by number (`eighth.0`, `eighth.1` ...) averaged, if there is no room for every name."""
    if len(series) <= (HEIGHT - TOP - BOTTOM) / APART:
        return series
    alike: dict[str, list[Points]] = {}
    for name, points in series.items():
        alike.setdefault(name.split(".")[0], []).append(points)
    return {
        name if len(group) == 1 else f"{name} ({len(group)})": [
            (moment[0][0], sum(y for _, y in moment) / len(group)) for moment in zip(*group, strict=False)
        ]
        for name, group in alike.items()
    }


def _short(name: str) -> str:
    if name.startswith("weights/"):
        return name.rsplit("/", 1)[-1]
    return name.removeprefix("validation/").split("/", 1)[-1] if name.count("/") == 1 else name.split("/", 1)[1]


def _panel(title: str, series: Mapping[str, Points], best: int | None) -> str:
    right = max(x for points in series.values() for x, _ in points)
    values = [y for points in series.values() for _, y in points]
    bottom, top = min(0.0, min(values)), _ceiling(values)
    named_at_end = len(series) > len(COLOURS)
    beside = NAMES if named_at_end else RIGHT

    def place(x: float, y: float) -> tuple[float, float]:
        across, up = x / (right or 1), (min(y, top) - bottom) / (top - bottom)
        return LEFT + across * (WIDTH - LEFT - beside), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    parts = [f'<text x="{LEFT}" y="16" font-size="12" font-weight="600" fill="#222">{escape(title)}</text>']
    for y in _ticks(bottom, top):
        (x1, height), (x2, _) = place(0, y), place(right, y)
        parts.append(f'<path d="M{x1:.1f} {height:.1f}H{x2:.1f}" stroke="#e4e0d8"/>')
        parts.append(_text(x1 - 5, height + 3.5, _number(y), "end"))
    for x in _ticks(0, right):
        parts.append(_text(place(x, 0)[0], HEIGHT - BOTTOM + 15, _number(x), "middle"))
    if best is not None and best <= right:
        across = place(best, 0)[0]
        parts.append(f'<path d="M{across:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#999" stroke-dasharray="2 3"/>')
        parts.append(_text(across, TOP - 3, "best", "middle"))
    across, down = LEFT, 29
    heights = _spread([place(*points[-1])[1] for points in series.values()])
    for number, (name, points) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        drawn = [place(x, y) for x, y in _thinned(points)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in drawn)
        last = f"{name}: {points[-1][1]:.4g} at {points[-1][0]:,.0f} crops"
        if len(drawn) == 1:
            parts.append(f'<circle cx="{drawn[0][0]:.1f}" cy="{drawn[0][1]:.1f}" r="2.5" fill="{colour}"/>')
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6" stroke-linejoin="round">'
            f"<title>{escape(last)}</title></polyline>"
        )
        if named_at_end:
            (x, y), height = place(*points[-1]), heights[number]
            parts.append(f'<path d="M{x + 2:.1f} {y:.1f}L{x + 10:.1f} {height:.1f}" stroke="{colour}" fill="none"/>')
            parts.append(
                f'<text x="{x + 12:.1f}" y="{height + 3.5:.1f}" font-size="10" fill="{colour}">{escape(name)}</text>'
            )
            continue
        length = 28 + round(5.6 * len(name))
        if across > LEFT and across + length > WIDTH:
            across, down = LEFT, down + LEGEND
        parts.append(f'<path d="M{across} {down}h12" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{across + 16}" y="{down + 3.5}" font-size="10" fill="#333">{escape(name)}</text>')
        across += length
    return "".join(parts)


def _spread(heights: Sequence[float]) -> list[float]:
    """Heights for names, in px from the top: as near to the curves' ends as they can be without touching each other."""
    order = sorted(range(len(heights)), key=lambda number: heights[number])
    placed = list(heights)
    for _ in range(PUSHES):
        for above, below in pairwise(order):
            push = max(0.0, APART - placed[below] + placed[above]) / 2
            placed[above], placed[below] = placed[above] - push, placed[below] + push
    lowest = float(HEIGHT - BOTTOM)
    for number in reversed(order):
        placed[number] = lowest = min(placed[number], lowest)
        lowest -= APART
    highest = float(TOP)
    for number in order:
        placed[number] = highest = max(placed[number], highest)
        highest += APART
    return placed


def _svg(content: str, columns: int, rows: int = 1) -> str:
    width, height = columns * WIDTH, rows * HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="system-ui, sans-serif"><rect width="{width}" height="{height}" fill="#fff"/>{content}</svg>\n'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="10" fill="#777" text-anchor="{anchor}">{text}</text>'


def _thinned(points: Points) -> Points:
    size = math.ceil(len(points) / DRAWN)
    groups = [points[first : first + size] for first in range(0, len(points), size)]
    return [(sum(x for x, _ in group) / len(group), sum(y for _, y in group) / len(group)) for group in groups]


def _ceiling(values: Sequence[float]) -> float:
    """The top of the axis: an early value that towers over all others would press them flat."""
    ordered = sorted(values)
    usual = ordered[min(len(ordered) - 1, int(0.98 * len(ordered)))]
    return (min(ordered[-1], 1.5 * usual) if usual > 0 else ordered[-1]) * 1.05 or 1.0


def _ticks(low: float, high: float) -> list[float]:
    """About four round numbers between `low` and `high`."""
    rough = (high - low) / 4
    if rough <= 0:
        return [low]
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step)
    return [step * number for number in range(first, math.floor(high / step) + 1)]


def _number(value: float) -> str:
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:.3g}"
