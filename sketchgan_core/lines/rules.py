"""Ruled and squared paper: printed rules are recognised as what no hand draws, and left out.

They are thin, pale and straight, reach across most of the page and are evenly spaced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from .tuning import RULES


@dataclass(frozen=True)
class Rules:
    """Attributes:
    level: (h, w) float32, the ink of printed rules where they are, 0 elsewhere; where two cross, that of both.
    dark: ink of the drawing.
    """

    level: np.ndarray
    dark: float


def find_rules(ink: np.ndarray) -> Rules | None:
    """The printed rules of a page.

    Args:
        ink: (h, w) float32, 0 paper .. 1 black, where the paper has been divided out.

    Returns:
        None where the page is not ruled.
    """
    if min(ink.shape) < RULES.smallest:
        return None
    marked = ink[ink > 2 * RULES.faintest]
    dark = float(np.quantile(marked, RULES.darkest)) if marked.size else 0.0
    pages = ink, cv2.transpose(ink)  # rules across and rules down
    lines = [_lines(page, RULES.reach) for page in pages]
    printed = [_are_printed(found, page, dark) for found, page in zip(lines, pages, strict=True)]
    if not any(printed):
        return None
    levels = []
    for found, page, is_printed in zip(lines, pages, printed, strict=True):
        if is_printed:
            found = found + _fainter(found, page)
        else:
            # A margin is a single rule across the others, from edge to edge.
            long = RULES.margin * page.shape[1]
            found = [line for line in found if _reach(line) > long and _level(line, page) < RULES.pale * dark]
        ruled = np.zeros_like(page)
        if found:
            # The ink is that of all rules together: a stroke may lie along the whole of one.
            ruled[np.any([*found, *map(_whole, found)], axis=0)] = np.median([_level(line, page) for line in found])
        levels.append(cv2.dilate(ruled, np.ones((RULES.beside, RULES.beside), np.uint8)))
    return Rules(levels[0] + levels[1].T, dark)


def are_pale(rules: Rules, grey: np.ndarray) -> bool:
    """Whether rules are pale in the picture itself (H, W): thin black lines are so only where it has been shrunk."""
    height, width = rules.level.shape
    at_most = max(1, math.ceil(max(grey.shape[0] / height, grey.shape[1] / width)))
    darkest = cv2.erode(grey, np.ones((at_most, at_most), np.uint8))
    darkest = cv2.resize(darkest, (width, height), interpolation=cv2.INTER_NEAREST)
    # Of all the pixels across a rule, the darkest is its ink: a hair line of black may lie between two.
    ink = 1 - cv2.erode(darkest, np.ones((RULES.beside, RULES.beside), np.uint8))[rules.level > 0]
    return float(np.median(ink)) < RULES.pale_on_white * rules.dark


def without_rules(ink: np.ndarray, rules: Rules, scale: float = 1.0) -> np.ndarray:
    """The ink (h, w) without the rules; strokes that cross one continue."""
    mask = rules.level > 0
    rest = np.where(mask, 0, ink).astype(np.float32)
    size = round((2 * RULES.beside + 3) * scale) | 1  # scaled from px at the size they were found at
    crossing = np.zeros_like(rest)
    for kernel in (np.ones((size, 1), np.uint8), np.ones((1, size), np.uint8), np.eye(size, dtype=np.uint8)):
        for turned in (kernel, np.ascontiguousarray(kernel[:, ::-1])):
            np.maximum(crossing, cv2.morphologyEx(rest, cv2.MORPH_CLOSE, turned), out=crossing)
    darker = ink > np.maximum(0.5 * (rules.dark + rules.level), RULES.darker * rules.level)
    kept = np.where(darker | (crossing > RULES.crossing * rules.dark), ink, 0)
    return np.where(mask, kept, ink).astype(np.float32)


def _lines(ink: np.ndarray, reach: float) -> list[np.ndarray]:
    """The thin lines (h, w) bool that reach across more than this share of a page, from left to right."""
    width = ink.shape[1]
    thick = cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones((RULES.thick, 1), np.uint8))
    # A little tilt takes a line from row to row.
    thin = cv2.dilate((ink - thick > RULES.faintest).astype(np.uint8), np.ones((3, 1), np.uint8))
    # Where a thin line the other way crosses it, it goes on.
    crossed = cv2.morphologyEx(thin, cv2.MORPH_CLOSE, np.ones((1, RULES.thick), np.uint8))
    thin = cv2.bitwise_or(thin, cv2.bitwise_and(crossed, (thick > RULES.faintest).astype(np.uint8)))
    length = max(8, width // RULES.pieces)
    straight = cv2.morphologyEx(thin, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    pieces = straight > 0
    joined = cv2.dilate(straight, np.ones((1, 2 * length + 1), np.uint8))
    count, label, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    found = []
    for number in range(1, count):
        high = stats[number, cv2.CC_STAT_HEIGHT]
        if stats[number, cv2.CC_STAT_WIDTH] > reach * width and high < max(RULES.thick, RULES.tilt * width):
            found.append((label == number) & pieces)
    return found


def _are_printed(lines: list[np.ndarray], ink: np.ndarray, dark: float) -> bool:
    """Whether lines are evenly spaced, and paler than the drawing."""
    if len(lines) < RULES.fewest:
        return False
    apart = np.diff(sorted(map(_place, lines)))
    step = float(np.median(apart))
    if step < RULES.closest:
        return False
    steps = apart / step
    even = (np.abs(steps - np.rint(steps)) < RULES.uneven) & (np.rint(steps) >= 1)
    levels = [_level(line, ink) for line in lines]
    return float(even.mean()) > RULES.mostly and float(np.median(levels)) < RULES.pale * dark


def _fainter(lines: list[np.ndarray], ink: np.ndarray) -> list[np.ndarray]:
    """Rules of which only a part was found, spaced like the others."""
    places = np.array(sorted(map(_place, lines)))
    step = float(np.median(np.diff(places)))
    found = []
    for line in _lines(ink, RULES.reach_of_fainter):
        nearest = float(np.abs(places - _place(line)).min()) / step
        if nearest > RULES.uneven and abs(nearest - round(nearest)) < RULES.uneven:
            found.append(line)
    return found


def _whole(line: np.ndarray) -> np.ndarray:
    """A line (h, w) bool from edge to edge of the page, through all that was found of it, bowed as the paper is."""
    rows, columns = np.nonzero(line)
    bow = np.polyfit(columns, rows, 2 if _reach(line) > RULES.reach * line.shape[1] else 1)
    x = np.arange(0, line.shape[1] + 8, 8)
    points = np.rint(np.stack([x, np.polyval(bow, x)], 1)).astype(np.int32)
    drawn = cv2.polylines(np.zeros(line.shape, np.uint8), [points], False, 1, RULES.beside)
    whole: np.ndarray = drawn > 0
    return whole


def _place(line: np.ndarray) -> float:
    """The row of a line, in the middle of what was found of it."""
    return float(np.nonzero(line.any(1))[0].mean())


def _reach(line: np.ndarray) -> int:
    """How far a line reaches, px."""
    columns = np.nonzero(line.any(0))[0]
    return int(columns[-1] - columns[0] + 1)


def _level(line: np.ndarray, ink: np.ndarray) -> float:
    """The ink of a line, which fills less than half of the stripe that was found."""
    return float(np.quantile(ink[line], 0.7))
