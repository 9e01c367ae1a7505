"""The plan: everything a drawing needs that cannot be seen through a small window.

Computed once on the whole image before tiling, from the lines, the light, the controls and the hand. The generator
sees it as input planes; the renderer of training pairs draws it with real strokes.

What a pencil has learned depends on the exact numbers of the plan. A change to them, here or in `form`, `flow`, `hand`,
`light` or `strokes`, must raise PLAN_VERSION in `planes`; weights, pairs and shards carry that version and are refused
where it differs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from ..fields import blurred, smoothstep
from .controls import PLANE_CONTROLS, Controls
from .flow import read_flow
from .form import Form, read_form
from .hand import SLANT, Hand
from .light import Light
from .planes import PLAN_VERSION as PLAN_VERSION
from .planes import PLANES
from .strokes import Shading, Strokes, band_plane, lay_strokes, stroke_plane

MOVE_STEPS = 3  # enough, since the largest moves change by a quarter of their length within that length
REACH = 24.0  # px that graphite may lie away from the nearest planned mark
RIM = 1  # px of a solid that are drawn as its outline
BOW = 0.16  # how far the relief of a form bends the strokes on it
SHORTER = 0.9  # share of its full length that a stroke has on things; behind them it has all
SPACING, FINER = 3.3, 1.4  # px between strokes, and how much less where detail is fine
FORM_TONE = 0.33  # mean graphite of the shadow sides of a line drawing's form, at most
FORM_SIDE = 0.15  # how much of that is laid with the side of the lead
FORM_STROKES, FORM_SPACING = 0.68, 3.9  # tone of the strokes there, and px between them: one open layer
RICH, RICH_FROM, MANY = 0.8, (0.22, 0.34), 5  # how much less in all, from which share of forms with marks, of many
MARKED = 0.6  # how much less is shaded where a mark lies alone in a form, for each of up to four
CLEAN_TO = 0.25  # shading up to which both count fully; the more is asked for, the less they do
LEFT = (0.3, 0.6)  # what RICH leaves is shaded not at all, and firmly: a faint hatching looks like a screen
SOLID_SIDE = 0.45  # how much of a solid black is laid with the side of the lead
FEW_SOLIDS = 0.002  # share of the page in solids; in so few nobody sees how they are shaded
WIDE = 0.8  # share of solid around a place from which on it is shaded in one direction
SOLID_TONE = 0.85  # of a solid black, which is layered like any dark tone, but in one direction
SOLID_DARKEST, JOINT = 0.77, 0.84  # mean graphite of a solid: it is grey, not ink; and where lines merely meet
DARKEST = 0.82  # mean graphite of the darkest tone
DARK_SIDE = 0.25  # how much more of a black than of a light tone is laid with the side of the lead
PLAIN_SIDE = 0.1  # and how much more where a tone is plain
LIGHT_CALM, LIGHT = 0.45, (0.2, 0.5)  # see `Style.calm`; tones that are light, and no longer
LIT = (0.06, 0.16)  # tones of a subject that are laid with the side alone, and as any other
# The side of the lead on plain tones: px of its strokes, px between them, their layer, and how much they stand out.
BAND, BAND_SPACING, BAND_LAYER, BANDED = 6, np.float32(6.0), 7, 0.3
# Share of strokes that are thick where a picture is plain: behind things, and on them.
THICK_BEHIND, THICK_ON = 0.6, 0.15
PALE = (0.05, 0.4)  # tones that end far from the border of the page, and near it
PALE_AROUND, PALE_NEAR = 30.0, 8.0  # px over which such a tone is seen, and in a frame, which sees nothing far away
PRESSED, SWING, IN_DARK, IN_DETAIL = 0.58, 0.45, 0.35, 0.6  # a line's pressure: mean, by chance, by tone, by detail
# By softness, for the grades from 4H to charcoal: how far apart strokes lie, as a share of those of a 2B.
GRADED, GRADED_APART = (0, 1 / 3, 2 / 3, 1), (0.85, 1.0, 1.15, 1.5)
DETAIL = (0.17, 0.36)  # share of ink around a line in the open and in fine detail, like an eye
REGION = (0.06, 0.16)  # of the longer side: size of a form that is not shaded, and of one that is
# Stippling: px between dots in black, and at most; px between the points of a dot; its share of a stroke's length.
DOT_SPACING, DOTS_APART, DOT_STEP, DOT_LENGTH = 1.7, 8.0, 0.35, 0.19


@dataclass(frozen=True)
class Style:
    """How tone is laid.

    Attributes:
        layers: for each, its turn from the direction of the shading, and the tone from which on it is laid.
        share: how much of the tone, for each unit of `shading`, is laid in strokes and not with the side of the lead.
        calm: how much less of it where detail is fine, as in a face; LIGHT_CALM of that where it is light, as in a sky.
        dots: whether dots are laid instead of strokes.
    """

    layers: tuple[tuple[float, float], ...]
    share: float
    calm: float = 0.0
    dots: bool = False


# Layers that lie nearly alike add up to streaks, as a hand leaves them; where they cross, what is left between looks
# like the cracks in leather. So only the deepest darks are crossed.
LAYERED = Style(
    ((0.0, 0.0), (math.radians(3.5), 0.2), (math.radians(-6), 0.5), (math.radians(22), 0.86)), 1.5, calm=0.6
)
STYLES = {
    "layered": LAYERED,
    "hatching": Style(((0.0, 0.0), (0.0, 0.55)), 1.7),
    "cross-hatching": Style(((0.0, 0.0), (math.radians(75), 0.12), (math.radians(-38), 0.45)), 1.4),
    "blended": Style((), 0.0),
    "stippled": Style(((0.0, 0.0),), 1.6, dots=True),
}


@dataclass(frozen=True)
class Plan:
    """Attributes:
    planes: (len(PLANES), H, W) float32, what the generator sees.
    reach: (1, H, W) float32, 1 near a planned mark, 0 where the pencil does not go.
    tone: (H, W) float32, the mean graphite the paper is to show, 0 where strokes alone decide.
    side_share: (H, W) float32, how much of that is laid with the side of the lead.
    """

    planes: Tensor
    reach: Tensor
    tone: np.ndarray
    side_share: np.ndarray


@dataclass(frozen=True)
class _Ink:
    """The ink of a line image, (H, W) each: all of it, the inside of its solids, its solids, and all but the inside."""

    whole: np.ndarray
    inside: np.ndarray
    solid: np.ndarray
    line: np.ndarray


@dataclass(frozen=True)
class _Tones:
    """What is to be shaded: strokes, and the tone they are to reach together with the side of the lead.

    The pressure (H, W), 0..1, is that of the lines: the hand's, heavier on the shadow side and lighter in the light.
    """

    shading: Shading
    pressure: np.ndarray
    tone: np.ndarray
    side_share: np.ndarray


def plan(lines: np.ndarray, controls: Controls, seed: int, light: Light | None = None, style: Style = LAYERED) -> Plan:
    """Plans the drawing of a line image, of a picture with its lines, or of both.

    Args:
        lines: (H, W) float32, 0 black .. 1 white.
        controls: numbers, or maps of the image's size.
        seed: the take.
        light: of the picture; without one, light is invented from the form that the lines enclose.
        style: how tone is laid; pencils are trained on LAYERED.
    """
    height, width = lines.shape
    hand = Hand(seed)
    maps = controls.maps(height, width)
    ink = _ink(lines)
    # Lines and shading know nothing of each other, and each keeps a core busy.
    with ThreadPoolExecutor(1) as beside:
        passes = beside.submit(_passes, ink.line, controls, seed)
        tones = _tones(ink, maps, hand, light, style)
        hatch = np.zeros((height, width), np.float32)
        for layer in _laid(tones.shading, hand, style):
            np.maximum(hatch, stroke_plane(layer, height, width), out=hatch)
        planes = np.empty((len(PLANES), height, width), np.float32)
        values = {
            "ink": ink.line,
            "hatch": hatch,
            "tone": 0.6 * tones.shading.tone,
            "pressure": tones.pressure,
            "noise": hand.noise(height, width),
            **{name: maps[name] for name in PLANE_CONTROLS},
        }
        for name, plane in values.items():
            planes[PLANES.index(name)] = plane
        for name, plane in passes.result().items():
            planes[PLANES.index(name)] = plane
    marked = planes[: PLANES.index("tone")].max(0) > 0.04
    return Plan(torch.from_numpy(planes), torch.from_numpy(_reach(marked))[None], tones.tone, tones.side_share)


def strokes(
    lines: np.ndarray, controls: Controls, seed: int, light: Light | None = None
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The plan's shading, its thin strokes and its thick ones; arguments as for `plan`.

    Returns:
        Polylines (N, 3) each: x, y in pixels and pressure 0..1.
    """
    hand = Hand(seed)
    tones = _tones(_ink(lines), controls.maps(*lines.shape), hand, light, LAYERED)
    thin: list[np.ndarray] = []
    thick: list[np.ndarray] = []
    for layer in _laid(tones.shading, hand, LAYERED):
        for stroke, wide in zip(layer.polylines(), layer.thick, strict=True):
            (thick if wide else thin).append(stroke)
    return thin, thick


def pressure(lines: np.ndarray, controls: Controls, seed: int, light: Light | None = None) -> np.ndarray:
    """How hard the lines are pressed (H, W), 0..1; arguments as for `plan`."""
    return _tones(_ink(lines), controls.maps(*lines.shape), Hand(seed), light, LAYERED).pressure


def displacement(of: str, controls: Controls, seed: int, height: int, width: int) -> np.ndarray:
    """How far from its line a point is drawn in a pass over the lines, take, restated or construction.

    Returns:
        (2, H, W) px, x then y.
    """
    hand = Hand(seed)
    rough = controls.maps(height, width)["roughness"]
    if of == "restated":
        return (0.8 + 1.6 * rough + 2.6 * rough**2) * hand.wobble(height, width, 20.0, part=1)
    if of == "construction":
        return (2.0 + 1.5 * rough + 5.0 * rough**2) * hand.wobble(height, width, 40.0, part=2)
    # A confident line sways slowly and trembles little; one wavelength alone would look like a machine's.
    take = 0.75 * hand.wobble(height, width, 30.0, part=5) + 0.3 * hand.wobble(height, width, 12.0)
    take += 0.15 * hand.wobble(height, width, 3.0)
    return (0.2 + rough + 0.9 * rough**2) * take


def presence(ink: np.ndarray, controls: Controls, seed: int) -> dict[str, np.ndarray]:
    """How firmly the later passes are drawn at each place of ink (H, W): (H, W), 0 not at all .. 1 fully."""
    rough = controls.maps(*ink.shape)["roughness"]
    chance = Hand(seed ^ 0x5EED).pressure(*ink.shape)
    # Where lines are crowded a second statement would only clog them.
    free = np.clip((0.42 - blurred(ink, 7)) / 0.2, 0, 1)
    return {
        "restated": np.clip(4 * (1.25 * rough - chance), 0, 1) * free,
        "construction": np.clip(2.5 * (rough - 0.5), 0, 1) * (1 - 0.6 * chance) * free,
    }


def solid(ink: np.ndarray) -> np.ndarray:
    """Where ink (H, W) is a filled area rather than a line: 0..1, by an opening of 9 px."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    wider = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    return cv2.dilate(cv2.erode(ink, disc), wider)


def inside_of_solids(ink: np.ndarray) -> np.ndarray:
    """The inside of the filled areas of ink (H, W), 0..1, which is shaded; the rest of them is their outline."""
    return _inside(solid(ink), ink)


def _inside(filled: np.ndarray, ink: np.ndarray) -> np.ndarray:
    return cv2.erode(np.minimum(filled, ink), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8))


def _ink(lines: np.ndarray) -> _Ink:
    whole = 1 - np.ascontiguousarray(lines, np.float32)
    filled = solid(whole)
    inside = _inside(filled, whole)
    return _Ink(whole, inside, filled, whole * (1 - inside))


def _passes(ink: np.ndarray, controls: Controls, seed: int) -> dict[str, np.ndarray]:
    """The lines (H, W) as each pass over them draws them."""
    line = ink * (1 - solid(ink))
    passes = {"take": ink} | {name: line * firm for name, firm in presence(ink, controls, seed).items()}
    return {
        # Most drawings have no construction lines.
        name: _moved(drawn, displacement(name, controls, seed, *ink.shape)) if drawn.any() else drawn
        for name, drawn in passes.items()
    }


def _tones(ink: _Ink, maps: dict[str, np.ndarray], hand: Hand, light: Light | None, style: Style) -> _Tones:
    """What is to be shaded."""
    if light is None:
        tones = _of_form(ink.whole, ink.inside, ink.solid, maps, hand)
    else:
        tones = _of_light(ink.whole, ink.inside, light, maps, hand, style)
    # One lead draws the whole page.
    apart = np.float32(np.interp(maps["softness"].flat[0], GRADED, GRADED_APART))
    shading = replace(tones.shading, spacing=tones.shading.spacing * apart)
    return replace(tones, shading=_dotted(shading) if style.dots else shading)


def _of_light(
    ink: np.ndarray, inside: np.ndarray, light: Light, maps: dict[str, np.ndarray], hand: Hand, style: Style
) -> _Tones:
    """The tones of a picture: its own light, faded where the drawing is to fade."""
    height, width = ink.shape
    kept, side_kept = fading(light, maps["background"], hand)
    strength = 1.25 * maps["tone"] * (0.7 + 0.6 * maps["darkness"]) * kept
    dark = np.maximum(np.clip(light.tone * strength, 0, 1), inside * SOLID_TONE)
    dark = dark * smoothstep(dark, 0.015, 0.06)
    broad = np.maximum(np.clip(light.broad * strength, 0, 1), inside)
    # Strokes are finer and shorter where detail is fine, and long on the grounds behind.
    # The light was read with the mean of a map of detail, which counts where it lies.
    detail = maps["detail"]
    rough = np.abs(light.tone - light.broad) * ((0.25 + detail) / (0.25 + np.float32(detail.mean(dtype=np.float64))))
    fine = smoothstep(blurred(rough, 6), 0.012, 0.045)
    plain = 1 - smoothstep(blurred(rough, 10), 0.006, 0.024)
    angle = read_flow(light, hand)
    shade = maps["shading"]
    # A few strokes on lit skin look like dirt: what is pale and plain is toned with the side alone.
    smooth = (1 - fine) * light.focus * (1 - smoothstep(dark, *LIT))
    shading = Shading(
        tone=(dark * (1 - smooth) * np.clip(4 * shade, 0, 1)).astype(np.float32),
        broad=broad.astype(np.float32),
        angle=angle,
        spacing=((SPACING - FINER * fine) * _gathered(hand, height, width)).astype(np.float32),
        length=(SHORTER + (1 - SHORTER) * (1 - light.focus) - 0.6 * SHORTER * fine).astype(np.float32),
        barrier=ink * (1 - inside),
        thick=(plain * (THICK_BEHIND + (THICK_ON - THICK_BEHIND) * light.focus)).astype(np.float32),
    )
    tone = (DARKEST * dark).astype(np.float32)
    if style.layers and not style.dots:
        # Not across faces, and in blacks, which are layered until nothing shows between, hardly at all.
        open_ = plain**2 * (1 - 0.4 * light.focus) * (1 - 0.8 * smoothstep(dark, 0.4, 0.85))
        tone *= 1 + BANDED * np.clip(2 * shade, 0, 1) * open_ * (_bands(shading, hand) - 1)
    pressure = _pressed(hand, ink, blurred(light.tone, 4))
    # Dark strokes lie too close to be told apart, so the side helps there; at the border only strokes run out.
    calm = style.calm * np.maximum(fine, LIGHT_CALM * (1 - smoothstep(dark, *LIGHT)))
    in_strokes = style.share * shade * (1 - smooth) * (1 - calm)
    side_share = np.minimum(1 - in_strokes + DARK_SIDE * dark + PLAIN_SIDE * plain, 1)
    side_share *= side_kept
    return _Tones(shading, pressure, tone, np.maximum(side_share, 0.05).astype(np.float32))


def _bands(shading: Shading, hand: Hand) -> np.ndarray:
    """How the side of the lead leaves a plain tone (H, W), about 1: in broad strokes with paper showing between them.

    Without them a dark ground is an even grey, on which fine strokes look like the cracks in leather.
    """
    height, width = shading.tone.shape
    toned = np.where(shading.tone > 0.04, 0.6 + 0.4 * shading.tone, np.float32(0))
    even = np.ones_like(toned)
    strokes = lay_strokes(replace(shading, tone=toned, spacing=BAND_SPACING * even, length=even), hand, BAND_LAYER)
    lead, cover = band_plane(strokes, height, width, BAND)
    # Gaps between strokes are part of what is shaded; its rim, where they end, is not, nor is what lies along a line.
    within = cv2.morphologyEx(cover, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)).astype(np.float32)
    open_ = within * (1 - np.minimum(blurred(cv2.dilate(shading.barrier, np.ones((5, 5), np.uint8)), 3), 1))
    lead = cv2.GaussianBlur(lead, (0, 0), 1.6)
    usual = blurred(lead * within, 14) / (blurred(within, 14) + np.float32(1e-3))
    return 1 + blurred(open_, 2) * within * (np.clip(lead / (usual + np.float32(0.02)), 0.4, 1.6) - 1)


def _of_form(
    ink: np.ndarray, inside: np.ndarray, filled: np.ndarray, maps: dict[str, np.ndarray], hand: Hand
) -> _Tones:
    """The tones of a line drawing: solids, and sparingly the shadow sides of what its lines enclose."""
    form = read_form(ink)
    # Sparingly: at half the shading only the depths of the shadow sides. More looks like dirt, or a beard on a chin.
    wanted = 0.32 * maps["shading"] ** 0.35 + 0.68 * maps["shading"] ** 3
    # Of each region, as a share of the longer side.
    sizes = np.sqrt(np.bincount(form.region.ravel(), minlength=len(form.marks))) / max(form.region.shape)
    above = form.tone - (1 - 0.82 * wanted)
    # Most of a page is neither in shadow nor black: nothing need be known of it.
    some = (above > 0) | (inside > 0)
    region = form.region[some]
    wanted, kept_clean = (
        np.broadcast_to(control, ink.shape)[some]
        for control in (wanted, np.clip((1 - maps["shading"]) / (1 - CLEAN_TO), 0, 1))
    )
    amount, angle = np.zeros_like(ink), np.zeros_like(ink)
    amount[some] = _shadow(above[some], sizes[region], wanted) * (1 - filled[some])
    amount[some] *= _unmarked(form, region, sizes, kept_clean)
    slope_y, slope_x = np.gradient(form.relief) if min(ink.shape) > 1 else (np.zeros_like(ink), np.zeros_like(ink))
    up, along = np.sin(form.angles)[region], np.cos(form.angles)[region]
    angle[some] = np.arctan2(up - BOW * slope_x[some], along + BOW * slope_y[some])
    around = blurred(inside, 8)
    if inside.mean() > FEW_SOLIDS:
        white = 1 - ink
        outline = Light(white, inside, inside, np.ones_like(ink), None)
        # A narrow solid is shaded along its outline; in a wide one that would make swirls.
        narrow = (inside > 0.5) & (around < WIDE)
        angle = np.where(narrow, read_flow(outline, hand), np.where(inside > 0.5, np.float32(SLANT), angle))
    # A small solid, like a pupil, is an accent; a large one is layered like any dark tone.
    black = inside * (1 - (1 - np.float32(SOLID_TONE)) * smoothstep(around, 0.3, 0.9))
    dark = np.maximum(FORM_STROKES * np.sqrt(amount), black)
    spacing = np.where(black > 0, np.float32(SPACING), np.float32(FORM_SPACING))
    shading = Shading(dark, dark, angle, spacing, np.full_like(ink, SHORTER), ink * (1 - inside), np.zeros_like(ink))
    pressure = _pressed(hand, ink, blurred(form.tone, 4))
    side_share = np.where(black > 0, np.float32(SOLID_SIDE), np.float32(FORM_SIDE))
    # The tone of a solid goes on under its outline, or a pale ring would part the two.
    under = cv2.dilate(black, np.ones((5, 5), np.uint8)) * ink
    darkest = JOINT + (SOLID_DARKEST - JOINT) * smoothstep(around, 0.05, 0.3)
    return _Tones(shading, pressure, np.maximum(darkest * under, FORM_TONE * amount), side_share)


def _dotted(shading: Shading) -> Shading:
    """The same tones in dots, closer together where it is dark."""
    spacing = np.clip(DOT_SPACING / np.sqrt(np.maximum(shading.tone, 1e-3)), DOT_SPACING, DOTS_APART)
    length = np.full_like(shading.tone, DOT_LENGTH)
    return replace(shading, spacing=spacing.astype(np.float32), length=length, step=DOT_STEP)


def _gathered(hand: Hand, height: int, width: int) -> np.ndarray:
    """How far apart the strokes are put (H, W), about 1: closer here, looser there, as a hand works in patches."""
    return np.clip(1 + np.float32(0.16) * hand.drift(height, width, 40.0, part=10), 0.7, 1.4)


def _pressed(hand: Hand, ink: np.ndarray, dark: np.ndarray) -> np.ndarray:
    """How hard lines are pressed (H, W), 0..1.

    By the hand's own swing, but harder where it is dark (H, W) and where ink (H, W) is fine detail: no eye may fade.
    """
    swing = hand.pressure(*ink.shape) - np.float32(0.5)
    pressed = np.clip(PRESSED + SWING * swing + IN_DARK * (dark - 0.35), 0, 1)
    return (pressed + IN_DETAIL * smoothstep(blurred(ink, 9), *DETAIL) * (1 - pressed)).astype(np.float32)


def _unmarked(form: Form, region: np.ndarray, sizes: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """How much places of these regions (N,) are shaded, 0..1: what holds marks of its own, like a face, is kept clean.

    A drawing with many such forms says enough by its lines. `counts` (N,), 0..1: how much all this counts.
    """
    marked = form.marks[1:][sizes[1:] > REGION[0]] > 0
    share = np.float64(marked.mean() if len(marked) >= MANY else 0)
    left = np.float32(1 - RICH * smoothstep(share, *RICH_FROM)) ** counts
    kept_clean = (np.float32(MARKED) ** np.minimum(form.marks, 4))[region] ** counts
    return (left * smoothstep(left, *LEFT) * kept_clean).astype(np.float32)


def _shadow(above: np.ndarray, size: np.ndarray, shading: np.ndarray) -> np.ndarray:
    """How much of a line drawing's form is shaded (N,), 0..1: none at shading 0, all but the lights at 1.

    It is shaded where its tone is `above` what is left bare, in regions of this size.
    """
    amount = np.clip(above / 0.55, 0, 1) ** (1.15 - 0.15 * shading)
    # A small region is a detail: shaded, it would only look dirty, unless much shading is asked for.
    large = size / (1.25 - 0.85 * shading)
    return (amount * smoothstep(large, *REGION)).astype(np.float32)


def fading(light: Light, background: np.ndarray, hand: Hand) -> tuple[np.ndarray, np.ndarray]:
    """How much of a picture is kept at each place (H, W), and how much of the side of the lead: 0..1.

    Less around its subject and towards the border, where the side ends first and single strokes run out. The background
    is the control, (H, W) or (1, 1).
    """
    height, width = light.focus.shape
    around = 1 - blurred(light.focus, 5)
    far = background**2
    kept = 1 - far * background * around
    side = math.sqrt(height * width)
    y, x = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)[None]
    to_side = (np.minimum(x, width - 1 - x) + 1) / side
    to_end = (np.minimum(y, height - 1 - y) + 1) / side
    # Rounded at the corners.
    border = to_side * to_end / (to_side + to_end)
    # The strokes run out there, each at a length of its own.
    lengths = hand.table(24) ** 2
    across = (y * np.float32(math.cos(SLANT)) - x * np.float32(math.sin(SLANT))) / np.float32(SPACING)
    apart = np.clip(hand.drift(height, width, 40.0, part=9), -1.5, 1.5)
    patches = np.clip(hand.drift(height, width, 100.0, part=11), -1.5, 1.5)
    stroke = np.floor(across + 2 * apart).astype(np.int32)
    several = np.floor(across / 5 + apart).astype(np.int32)
    longer = 0.06 * lengths[stroke % len(lengths)] + 0.08 * lengths[several % len(lengths)]
    # Light tones end far from the border, dark ones near it, or the page would be lightest where the picture is dark.
    pale = (1 - smoothstep(blurred(light.broad, PALE_NEAR if light.moving else PALE_AROUND), *PALE)) * (1 - light.focus)
    far = far * (background + (1 - background) * pale)
    comes_and_goes = (0.04 + 0.06 * pale) * (patches - 0.8) - (0.5 + 0.5 * pale) * longer
    ragged = (border + far * comes_and_goes) / np.maximum((0.12 + 0.2 * pale) * far, 1e-6)
    side_kept = smoothstep(ragged, 0.2, 1.2)
    return (kept * smoothstep(ragged, 0.0, 1.0)).astype(np.float32), side_kept.astype(np.float32)


def _laid(shading: Shading, hand: Hand, style: Style) -> Iterator[Strokes]:
    """The strokes of each layer."""
    for number, (turn, start) in enumerate(style.layers):
        yield lay_strokes(replace(shading, angle=shading.angle + np.float32(turn)), hand, number, start)


def _moved(plane: np.ndarray, move: np.ndarray) -> np.ndarray:
    """A plane (H, W) with each point of it displaced by `move` (2, H, W)."""
    height, width = plane.shape
    grid_x, grid_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    # What lands here came from the place whose move leads here: a few steps towards that fixed point.
    there = move = move.astype(np.float32, copy=False)
    at_x, at_y = np.empty_like(grid_x), np.empty_like(grid_y)
    for _ in range(MOVE_STEPS):
        np.subtract(grid_x, there[0], out=at_x)
        np.subtract(grid_y, there[1], out=at_y)
        there = np.empty_like(move) if there is move else there
        for part, moved in zip(move, there, strict=True):
            cv2.remap(part, at_x, at_y, cv2.INTER_LINEAR, dst=moved, borderMode=cv2.BORDER_REPLICATE)
    np.subtract(grid_x, there[0], out=at_x)
    np.subtract(grid_y, there[1], out=at_y)
    return cv2.remap(plane, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def _reach(marked: np.ndarray) -> np.ndarray:
    if not marked.any():
        return np.zeros(marked.shape, np.float32)
    distance = cv2.distanceTransform((~marked).astype(np.uint8), cv2.DIST_L2, 5)
    return np.clip((REACH - distance) / 8, 0, 1)
