"""The numbers of line extraction, each with what it decides, in one place.

Lengths are pixels of a picture whose `side` is 1024, unless noted otherwise: they grow with the picture, so that the
settings mean the same at every resolution. Unless noted otherwise, bench/lines.py chose them, by F1 within 2 px on
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
        narrow, wide: of the spread: the narrow Gaussian finds lines of up to about 5 px, and the wide one is `wide`
            times as wide, which approximates a Laplacian best (Marr and Hildreth, 1980).
        steep: of the spread: the Gaussian whose slope finds edges.
        sides: in deviations of the wide Gaussian, how far it is followed to either side.
        as_edges: factor that makes a line's contrast that of its edges.
        edge, line: contrast of a line as a share of that of its edges: below is an edge, above a line.
        beside: of the spread, to either side: where the contrast beside a place is looked for.
        settle, decided: of the spread, the stretch of a stroke that is all one or the other, and how sharply.
        flow, colour: the stretch over which firm edges direct their surroundings; of the spread, that over which the
            strongest colour is found.
        lighter: how far around an edge it is decided which of its sides is lighter.
        along: the stretch along the flow that is averaged at middle smoothing; `smoothing` takes it from half to twice.
        around, quiet: surroundings that a contrast is judged against, and their contrast where they are empty.
        level_around: surroundings whose lines a line must stand out from, as in hair, wood and grass.
        weak: contrast of a line at middle threshold; `threshold` takes it from 1/sqrt(6) to sqrt(6) times that.
        above: contrast of a line at middle detail, as a multiple of the level around it.
        firm, shortest: contrast, as a multiple of the weakest, of a line that is drawn though short; and how short.
        fair, long: the same for a line that is drawn because it is long.
        per_length: pixels of a line for each px of its length, over all directions; by arithmetic.
        width: of a line of middling contrast, by eye.
        faintest, firmest, growth: share of the width that a faint and a firm line have, and what doubling the
            contrast adds; by eye.
        on_crest: px: half a diagonal, so that a line has no gaps; by arithmetic.
        reach: px, at most, from a pixel to the crest that it belongs to.
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
        window: of the closing, as a share of the survey's side; a stroke is narrower.
        sharp: logarithm of a step over a few px, from paper to ink, that no shadow makes.
        rise: how many times as much the picture rises around a solid as it falls.
        holes: px, ever narrower surroundings from which a hole in the paper is filled.
        clean, inked, speckled: paper at least this white, ink at least this black, and at most this share of the paper
            that is not quite white: such a drawing is left as it is.
        palest: ink of the palest drawing that is told from empty paper.
        dark: quantile of the strong ink that counts as the drawing's full darkness, and the least that it can be.
        across, along: deviations of the stroke filter at middle smoothing; `smoothing` takes `along` from half to
            twice.
        angles: directions of the stroke filter.
        local: surroundings that a stroke stands out from.
        seed, seed_grain, seed_least, seed_pale: ink that begins a stroke: as a share of the full darkness, in
            deviations of the grain, the least, and the least in a pale drawing as a share of its full darkness.
        low, low_grain, low_least, low_pale: the same for ink that continues one.
        near_seed, of_seed: how far from where it begins, and with what share of the ink there, a stroke may continue.
        surely: share of the full darkness from which on it is ink, whatever lies around.
        peak_near: distance within which a stroke's highest ink is looked for.
        trust: where this many deviations of the grain reach the stroke's ink, a pixel alone is not believed.
        tone, tone_growth: darkness to draw with: of a stroke without ink, and what full ink adds; by eye.
        broad, stain_smooth, beside_solid: half the breadth of a stain, how smooth it is, and how far from a solid no
            stain is looked for.
        gate, half, contrast: share of its peak below which a stroke ends, at which its edge lies, and how sharp that
            is; by eye.
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
    """Of `rules`: printed rules and squares. By eye, on pages made for it, and strict, so that what is drawn stays.

    Attributes:
        smallest: px, side of the smallest page that is looked at.
        thick: px, more than the thickness of a rule.
        pieces: a line is made of straight pieces at least as long as the width divided by this.
        faintest: ink of a rule, at least.
        reach, reach_of_fainter: share of the page that a rule reaches across, at least; and that a fainter one
            between others does.
        tilt: how far a rule may rise or fall on its way, as a share of the width.
        fewest: rules on a page.
        closest: px between two.
        uneven, mostly: how far distances may be off, as a share of their step, and the share of them that must not be.
        pale: ink of a rule as a share of the drawing's, at most.
        pale_on_white: the same where all else is black on white already, of the darkest pixels across a rule.
        margin: share of the page that a single line the other way reaches across, at least.
        beside: px, breadth over which a rule is taken away.
        darkest: quantile of the ink that is the darkness of what is drawn.
        darker: ink of a stroke on a rule, as a multiple of the rule's.
        crossing: ink on both sides of a rule of a stroke that crosses it, as a share of the drawing's.
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
    pale_on_white: float = 0.4
    margin: float = 0.8
    beside: int = 3
    darkest: float = 0.95
    darker: float = 1.5
    crossing: float = 0.4


PHOTO, DRAWING, RULES = Photo(), Drawing(), Rules()
