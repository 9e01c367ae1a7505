"""Fits the weights of sketchgan_core/lines/reading.py, and says how they read what they were not fitted on.

    python bench/fit_reading.py

A logistic regression for each polarity over the traits of a page, on all inputs of reading_inputs.py, half of those of
reading_more.py and the textures: brick, wood and metal are most easily taken for strokes. Five more fits each leave a
fifth of the sources out and are tried on it. Prints the weights to put into reading.py, and writes how sources that
were left out are read to results/reading.json: those of reading_inputs.py, which are as people bring them, and those of
reading_more.py, which are made hard on purpose. Needs what bench/reading.py needs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import cv2
import numpy as np
from reading import keep
from reading_inputs import inputs, textures
from reading_more import more

from sketchgan_core.lines.desk import find_sheet
from sketchgan_core.lines.reading import Page, Weights, is_clean, pages, survey, weighed

FOLDS = 5
RIDGE = 1.0  # with traits of spread 1: holds weights near 0 unless hundreds of inputs say otherwise
# A picture read as a drawing is worse than a drawing read as a picture; a picture that gets inverted is worst.
PICTURES_COUNT = {"drawing": 2.0, "light drawing": 4.0}


@dataclass(frozen=True)
class Row:
    """An input that is not recognised as clean lines, how its page looks for dark and light strokes, and its set."""

    kind: str
    source: str
    truth: str
    dark: Page
    light: Page
    hard: bool

    @property
    def fold(self) -> int:
        # Textures of one folder are alike: they count as one source.
        source = self.source.rsplit("/", 1)[0] if self.kind.startswith("texture") else self.source
        return hashlib.sha256(source.encode()).digest()[5] % FOLDS


def rows() -> list[Row]:
    found = []
    usual = chain(inputs(held=False), inputs(held=True), textures(fitted=True))
    for made, hard in chain(zip(usual, repeat(False)), zip(more(fitted=True), repeat(True))):
        if made.truth != "picture" and find_sheet(made.pixels) is not None:
            continue  # what is on a sheet that lies on something is read without what is around it
        seen = survey(made.pixels)
        if made.truth != "lines" and not is_clean(*seen):
            found.append(Row(made.kind, made.source, made.truth, *pages(*seen), hard))
    return found


def fitted(some: list[Row]) -> tuple[Weights, Weights]:
    """The weights for dark and for light strokes."""
    dark, light = [row.dark for row in some], [row.light for row in some]
    return _regression(dark, some, "drawing"), _regression(light, some, "light drawing")


def _regression(looks: list[Page], some: list[Row], wanted: str) -> Weights:
    names = list(looks[0].traits)
    values = np.array([list(page.traits.values()) for page in looks])
    truth = np.array([row.truth == wanted for row in some], float)
    count = np.where([row.truth == "picture" for row in some], PICTURES_COUNT[wanted], 1.0)
    mean, spread = values.mean(0), values.std(0)
    held = np.clip((values - mean) / spread, -Weights.FAR, Weights.FAR)
    known = np.hstack([held, np.ones((len(held), 1))])
    ridge = np.diag([RIDGE] * len(names) + [1e-6])
    answer = np.zeros(len(names) + 1)
    for _ in range(25):  # Newton's method
        odds = 1 / (1 + np.exp(-np.clip(known @ answer, -30, 30)))
        slope = known.T @ (count * (odds - truth)) + ridge @ answer
        bend = (known * (count * np.maximum(odds * (1 - odds), 1e-6))[:, None]).T @ known + ridge
        answer -= np.linalg.solve(bend, slope)
    traits = {
        name: (round(float(mean[i]), 3), round(float(spread[i]), 3), round(float(answer[i]), 2))
        for i, name in enumerate(names)
    }
    return Weights(round(float(answer[-1]), 2), traits)


def left_out(some: list[Row]) -> list[tuple[Row, str]]:
    """Each row, and how it is read by weights that were fitted without its source."""
    found = []
    for fold in range(FOLDS):
        weights = fitted([row for row in some if row.fold != fold])
        for row in some:
            if row.fold == fold:
                reading = weighed(row.dark, row.light, *weights)
                found.append((row, f"light {reading.kind}" if reading.light_lines else reading.kind))
    return found


def table(found: list[tuple[Row, str]]) -> dict[str, Any]:
    """How rows were read, for bench/results/reading.json."""
    return {
        "inputs": len(found),
        "wrong": sum(read_as != row.truth for row, read_as in found),
        "pictures inverted": sum((row.truth, read_as) == ("picture", "light drawing") for row, read_as in found),
        "read as": {
            truth: Counter(read_as for row, read_as in found if row.truth == truth)
            for truth in ("picture", "drawing", "light drawing")
        },
        "each that is wrong": [
            f"{row.kind}: {row.source} read as {read_as}" for row, read_as in found if read_as != row.truth
        ],
    }


def main() -> None:
    cv2.setNumThreads(1)
    some = rows()
    found = left_out(some)
    keep("left out", table([(row, read_as) for row, read_as in found if not row.hard]))
    keep("left out, made hard", table([(row, read_as) for row, read_as in found if row.hard]))
    for name, weights in zip(("DARK", "LIGHT"), fitted(some), strict=True):
        print(f"{name}, bias {weights.bias}")
        for trait, numbers in weights.traits.items():
            print(f'        "{trait}": {numbers},')


if __name__ == "__main__":
    main()
