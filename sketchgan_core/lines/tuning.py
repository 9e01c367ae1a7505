"""The numbers of line extraction, each with what it decides, in one place.

Lengths are pixels of a picture whose `side` is 1024, unless it says otherwise: they grow with the picture, so that the
settings mean the same at every resolution. Unless it says otherwise, bench/lines.py chose them, by F1 within 2 px on
the drawings (`Drawing`) and the renders (`Photo`) that bench/line_truth.py lists as seen.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Photo:
    """Of `photo`: a difference of Gaussians that follows the flow.

    Attributes:
        smallest: px, side of the smallest picture that is computed on; smaller ones are drawn larger.
        smallest_scale, smallest_spread: px for each px at 1024, and px: the Gaussians need a few pixels.
        spread: unit of what is measured across the flow, at middle detail; `detail` takes it from twice to half.
        narrow, wide: of the spread: the narrow Gaussian finds lines of up to some 5 px, and the wide one is so many
            times as wide, which approximates a Laplacian best (Marr and Hildreth, 1980).
        steep: of the spread: the Gaussian whose slope finds edges.
        sides: in deviations of the wide Gaussian, how far it is followed to either side.
        as_edges: makes a line's contrast that of its edges.
        edge, line: contrast of a line as a share of that of its edges: less is an edge, more a line.
        beside: of the spread, to either side: where the contrast beside a place is looked for.
        settle, decided: of the spread, the stretch of a stroke that has one answer to that, and how soon it is plain.
        flow, colour: the stretch over which firm edges direct their surroundings; of the spread, over which a colour
            is the strongest.
        lighter: which side of an edge is the lighter is decided so far around it.
        along: the stretch along the flow that is averaged at middle smoothing; `smoothing` takes it from half to twice.
        around: of the surroundings that a contrast is judged against, where nothing is it is `quiet`.
        level_around: of those whose own lines count: hair, wood and grass are many lines side by side.
        weak: contrast of a line at middle threshold; `threshold` takes it from 1/sqrt(6) to sqrt(6) times that.
        above: times the level of contrast around, of a line at middle detail.
        firm, shortest: times the weakest contrast of a line that is drawn although it is short, and how short.
        fair, long: the same of a line that is drawn because it is long.
        per_length: pixels of a line for each px of its length, over all directions; by arithmetic.
        width: of a line of middling contrast, by eye.
        faintest, firmest, growth: share of the width of a faint and a firm line, and what doubling the contrast adds;
            by eye.
        on_crest: px: half a diagonal, so that a line has no gaps; by arithmetic.
        reach: px to the crest that a pixel may belong to.
        luminance: weights of red, green and blue where no colour stands out.
    """

    smallest: int = 720
    smallest_scale: float = 0.35
    smallest_spread: float = 0.7
    spread: float = 1.0
    narrow: float = 1.5
    wide: float = 1.6
    steep: float = 1.2
    sides: float = 2.5
    as_edges: float = 4.3
    edge: float = 0.78
    line: float = 0.86
    beside: tuple[float, ...] = (2.0, 3.5, 5.0)
    settle: float = 4.0
    decided: float = 4.0
    flow: float = 2.0
    colour: float = 1.5
    lighter: float = 5.0
    along: float = 3.0
    around: float = 16.0
    quiet: float = 0.05
    level_around: float = 45.0
    weak: float = 0.34
    above: float = 1.5
    firm: float = 1.8
    shortest: float = 24.0
    fair: float = 1.3
    long: float = 60.0
    per_length: float = 1.2
    width: float = 2.0
    faintest: float = 0.7
    firmest: float = 1.3
    growth: float = 0.2
    on_crest: float = 0.71
    reach: float = 2.5
    luminance: tuple[float, float, float] = (0.3, 0.55, 0.15)


@dataclass(frozen=True)
class Drawing:
    """Of `drawing`: the paper divided out, the strokes told from noise by hysteresis.

    Attributes:
        survey: px, side at which the whole picture is judged.
        working: px, largest side at which strokes are told from noise at middle detail.
        window: share of the survey's side that the closing takes out, which a stroke is narrower than.
        sharp: logarithm of the step from paper to ink over a few px that no shadow makes.
        rise: times what it falls on the other side, what a solid's border rises.
        holes: px, ever narrower surroundings from which a hole in the paper is filled.
        clean, inked, speckled: paper at least this white, ink at least this black, and at most this share of the paper
            that is not quite white: such a drawing is left as it is.
        palest: ink of the palest drawing that is told from empty paper.
        dark: quantile of the strong ink that counts as the drawing's full darkness, and the least that it can be.
        across, along: deviations of the stroke filter at middle smoothing; `smoothing` takes `along` from half to
            twice.
        angles: of the stroke filter.
        local: surroundings that a stroke stands out from.
        seed, seed_grain, seed_least, seed_pale: ink that begins a stroke: of the full darkness, in deviations of the
            grain, and at least, which is less where the full darkness is pale.
        low, low_grain, low_least, low_pale: the same of ink that goes on with one.
        near_seed, of_seed: how far from where it begins, and with which share of its ink, a stroke goes on.
        surely: share of the full darkness that is ink whatever lies around.
        peak_near: within which a stroke's highest ink is looked for.
        trust: deviations of the grain, for each unit of the stroke's ink, from which a pixel alone is not believed.
        tone, tone_growth: darkness to draw with: of a stroke without ink, and what that of a full one adds; by eye.
        broad, stain_smooth, beside_solid: half the breadth of a stain, how smooth it is, and how far from a solid no
            stain is looked for.
        gate, half, contrast: share of its peak under which a stroke ends, at which its edge is, and how sharp that is;
            by eye.
    """

    survey: int = 640
    working: int = 1536
    window: float = 1 / 24
    sharp: float = 0.08
    rise: float = 2.0
    holes: tuple[int, ...] = (64, 16, 4)
    clean: float = 0.985
    inked: float = 0.9
    speckled: float = 0.02
    palest: float = 0.04
    dark: tuple[float, float] = (0.75, 0.15)
    across: float = 0.7
    along: float = 3.0
    angles: int = 12
    local: float = 3.0
    seed: float = 0.07
    seed_grain: float = 6.0
    seed_least: float = 0.05
    seed_pale: float = 0.1
    low: float = 0.05
    low_grain: float = 3.0
    low_least: float = 0.03
    low_pale: float = 0.06
    near_seed: float = 5.0
    of_seed: float = 0.4
    surely: float = 0.6
    peak_near: float = 4.0
    trust: float = 10.0
    tone: float = 0.65
    tone_growth: float = 0.5
    broad: float = 6.0
    stain_smooth: float = 1.5
    beside_solid: float = 9.0
    gate: float = 0.4
    half: float = 0.5
    contrast: float = 1.4


@dataclass(frozen=True)
class Rules:
    """Of `rules`: printed rules and squares. By eye, on pages that were made, and kept strict: what is drawn stays.

    Attributes:
        smallest: px, side of the smallest page that is looked at.
        thick: px, more than the thickness of a rule.
        pieces: a line is made of straight pieces of at least this part of the width.
        faintest: ink of a rule, at least.
        reach, reach_of_fainter: share of the page that a rule reaches across, at least; and one between others.
        tilt: of the width, how far it may rise or fall on its way.
        fewest: rules on a page.
        closest: px between two.
        uneven, mostly: how far, of their step, distances may be off, and the share of them that must not be.
        pale: of the drawing's ink, at most.
        margin: share of the page that a single line the other way reaches across, at least.
        beside: px, breadth by which a rule is taken away.
        darkest: quantile of the ink that is the darkness of what is drawn.
        darker: times the ink of a rule, of a stroke on it.
        crossing: of the drawing's ink, on both sides of a rule, of a stroke that goes on across it.
    """

    smallest: int = 96
    thick: int = 9
    pieces: int = 16
    faintest: float = 0.03
    reach: float = 0.6
    reach_of_fainter: float = 0.2
    tilt: float = 0.05
    fewest: int = 5
    closest: float = 8.0
    uneven: float = 0.2
    mostly: float = 0.8
    pale: float = 0.7
    margin: float = 0.8
    beside: int = 3
    darkest: float = 0.95
    darker: float = 1.5
    crossing: float = 0.4


PHOTO, DRAWING, RULES = Photo(), Drawing(), Rules()
