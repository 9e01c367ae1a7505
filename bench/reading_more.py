"""More inputs whose reading is known, of which half are kept from the fit: those of every second source, by its hash.

Photographs, cut-out objects and colouring pages of a children's paint program, wallpapers, and line drawings further
down the lot than those of reading_inputs.py; pale, dark, dull and noisy as pictures are, and faint, shaded, on tinted
sheets, boards and desks as drawings are.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from line_truth import jpeg
from PIL import Image
from reading_inputs import (
    LINE_DRAWINGS,
    SIDE,
    Ground,
    Input,
    fibres,
    in_bytes,
    lamp,
    line_drawings,
    mixed,
    on_grounds,
    patches_of_ink,
    random_of,
    read_picture,
    regions,
    rendered,
)

from training.errors import TrainingError

MORE_DRAWINGS = 110  # further down the lot than LINE_DRAWINGS
# Colouring pages that are neither frames nor grids nor in colour.
PAGES = ("bald_eagle", "car2", "desert_tortoise", "elephant", "gecko", "hat", "jigsaw", "manatee", "nagasaki",
         "old_soviet_car", "spirograph", "stained_glass", "woodpecker", "carcassone", "chicken", "frog", "jetplane",
         "pansy", "shipwreck", "street", "worldmap_africa", "worldmap_america_south", "worldmap_asia_north",
         "worldmap_canada", "worldmap_europe", "worldmap_japan")  # fmt: skip
PHOTOGRAPHED = ("animals", "food", "plants", "vehicles", "household", "hobbies", "space", "clothes", "military")


def kept(source: str) -> bool:
    """Whether a source is kept from the fit: decided by its hash."""
    return hashlib.sha256(source.encode()).digest()[2] % 2 == 1


def more(fitted: bool) -> Iterator[Input]:
    """The inputs of the sources that are fitted on, or of those that are not; prints what is not installed."""
    for make in (_photographs, _cut_out, _drawings):
        try:
            yield from (made for made in make(fitted))
        except (TrainingError, FileNotFoundError) as error:
            print(f"skipped {make.__name__.strip('_').replace('_', ' ')}: {error}")


def _files(package: str, folder: str) -> list[Path]:
    listing = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True)
    if listing.returncode:
        raise FileNotFoundError(f"{package} is not installed; apt-get install {package}")
    return sorted(path for path in map(Path, listing.stdout.split("\n")) if folder in str(path) and path.suffix)


# Pictures


def _photographs(fitted: bool) -> Iterator[Input]:
    files = _files("tuxpaint-data", "/templates/") + _files("lxqt-themes", "/lxqt/wallpapers/")
    for path in files:
        source = f"photograph/{path.name}"
        if path.suffix in (".jpg", ".jpeg", ".png") and kept(source) != fitted:
            yield from of_photograph(source, np.ascontiguousarray(read_picture(path)))


def of_photograph(source: str, picture: np.ndarray) -> Iterator[Input]:
    """A picture (H, W, 3) uint8 as it is, and as photographs come: pale, in fog, dark, noisy, in snow, faded."""
    yield Input("photograph", source, "picture", picture)
    small = cv2.resize(picture, None, None, *[SIDE / max(picture.shape)] * 2, interpolation=cv2.INTER_AREA)
    for name, make in LOOKS.items():
        yield Input(
            f"photograph, {name}", source, "picture", in_bytes(make(small / np.float32(255), random_of(source)))
        )


def _cut_out(fitted: bool) -> Iterator[Input]:
    for path in _files("tuxpaint-stamps-default", "/stamps/"):
        source = f"stamp/{path.parent.name}/{path.stem}"
        drawn = "cartoon" in path.parts or "toys" in path.parts or path.parts[5] not in PHOTOGRAPHED
        if drawn or path.suffix != ".png" or path.stat().st_size < 30_000 or kept(source) == fitted:
            continue
        random = random_of(source)
        with Image.open(path) as image:
            image.thumbnail((SIDE, SIDE))
            cut = np.asarray(image.convert("RGBA")).astype(np.float32) / 255
        margin = int(0.12 * max(cut.shape))
        cut = np.pad(cut, ((margin, margin), (margin, margin), (0, 0)))
        colour, cover = cut[..., :3], cut[..., 3:]
        if float(cover.mean()) > 0.6:
            continue
        y = np.linspace(0, 1, len(cut), dtype=np.float32)[:, None, None]
        shadow = cv2.GaussianBlur(np.roll(cover[..., 0], margin // 3, 0), (0, 0), margin / 4)[..., None]
        for name, behind in (
            ("white", np.ones((1, 1, 3))),
            ("dark ground", random.uniform(0, 0.15, 3) * (1.3 - 0.6 * y)),
            ("soft ground", random.uniform(0.4, 0.9, 3) * (1 - 0.3 * y) * (1 - 0.4 * shadow)),
        ):
            shot = colour * cover + behind * (1 - cover)
            seen = jpeg((shot + random.normal(0, 0.006, shot.shape)).astype(np.float32), 85)
            yield Input(f"object on {name}", source, "picture", in_bytes(seen))


def _grey(picture: np.ndarray) -> np.ndarray:
    return picture.mean(-1, keepdims=True)


def _pale(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As a portrait before a light wall."""
    lightest = 1 - random.uniform(0.15, 0.45) * (1 - picture)
    spot = np.clip(1.3 * _spot(picture.shape, random), 0, 1)
    return spot * lightest + (1 - spot) * random.uniform(0.9, 1)


def _fog(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    y = np.linspace(0, 1, len(picture), dtype=np.float32)[:, None, None]
    share = np.clip(random.uniform(0.3, 0.5) + random.uniform(0.3, 0.6) * (1 - y), 0, 0.9)
    fog = random.uniform(0.6, 0.9) * np.array((0.97, 0.99, 1))
    soft = cv2.GaussianBlur(picture, (0, 0), 1.5)
    return soft * (1 - share) + fog * share + random.normal(0, 0.006, picture.shape)


def _dark(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As a face in the light of one lamp."""
    spot = _spot(picture.shape, random)
    return 0.85 * picture**1.4 * spot + random.uniform(0, 0.05) + random.normal(0, 0.01, picture.shape)


def _noisy(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As a grey photograph on fast film."""
    grain = cv2.GaussianBlur(random.normal(0, 1, picture.shape[:2]).astype(np.float32), (0, 0), 0.8)
    grey = _grey(picture)[..., 0] ** random.uniform(0.6, 1.3)
    return jpeg((grey + random.uniform(0.03, 0.07) / grain.std() * grain).astype(np.float32), 50)


def _snow(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Most of it white, what stands in it dark."""
    grey = 0.8 * _grey(picture) + 0.2 * picture
    level = np.quantile(grey, random.uniform(0.3, 0.5))
    return np.clip(0.93 * np.clip(grey / max(level, 0.02), 0, 1) ** 1.3 + 0.07 * picture, 0, 1)


def _faded(picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As an old print."""
    grey = 0.3 + 0.5 * _grey(picture)
    sheet = grey * np.array((1.0, 0.9, 0.72)) * fibres(picture.shape, random, 0.03, 3)
    return jpeg(sheet.astype(np.float32), 60)


def _spot(shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j].astype(np.float32)
    across, down = (x - random.uniform(-0.3, 0.3)) / 0.6, (y - random.uniform(-0.3, 0.3)) / 0.8
    return np.exp(-((across**2 + down**2) ** 2))[..., None]


LOOKS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "pale": _pale,
    "fog": _fog,
    "dark": _dark,
    "grey and noisy": _noisy,
    "snow": _snow,
    "faded": _faded,
}


# Drawings


def _drawings(fitted: bool) -> Iterator[Input]:
    for number, (source, lines) in enumerate(_lines()):
        if kept(source) == fitted:
            continue
        yield from on_grounds(source, lines, lines, MORE_GROUNDS, number * 5, 5)
        yield Input("clean lines", source, "lines", in_bytes(lines))


def _lines() -> Iterator[tuple[str, np.ndarray]]:
    """Colouring pages and line drawings (H, W) float32, with the source of each."""
    for path in _files("tuxpaint-data", "/starters/"):
        if path.stem in PAGES and not (path.suffix == ".png" and path.with_suffix(".svg").exists()):
            yield f"page/{path.stem}", _page(path)
    for name, _, lines in islice(line_drawings(), LINE_DRAWINGS, LINE_DRAWINGS + MORE_DRAWINGS):
        yield f"openclipart/{name}", lines


def _page(path: Path) -> np.ndarray:
    if path.suffix == ".svg":
        art = rendered(path.read_text())
        return (art[..., :3] * art[..., 3:] + 1 - art[..., 3:]).mean(-1)
    page = cv2.cvtColor(np.ascontiguousarray(read_picture(path)), cv2.COLOR_RGB2GRAY)
    big = cv2.resize(page, None, None, 2, 2, interpolation=cv2.INTER_CUBIC)
    return cv2.resize(big, None, None, *[SIDE / max(big.shape)] * 2, interpolation=cv2.INTER_AREA) / np.float32(255)


def _pressed(lines: np.ndarray, random: np.random.Generator, least: float = 0.35) -> np.ndarray:
    """The lines as a hand presses: here more, there less, broken by the grain of the paper."""
    slow = cv2.GaussianBlur(random.normal(0, 1, lines.shape).astype(np.float32), (0, 0), 40)
    press = np.clip(0.7 + 0.25 * slow / slow.std(), least, 1)
    tooth = np.clip(fibres(lines.shape, random, random.uniform(0.1, 0.4))[..., 0], 0.2, 1)
    soft = cv2.GaussianBlur(lines, (0, 0), random.uniform(0.4, 0.9))
    return (1 - (1 - soft) * press * tooth).astype(np.float32)


def _seen(
    page: np.ndarray, random: np.random.Generator, noise: tuple[float, float], quality: tuple[int, int]
) -> np.ndarray:
    """A page (H, W) or (H, W, 3) with the noise of a sensor and JPEG."""
    page = page + random.normal(0, random.uniform(*noise), page.shape)
    return jpeg(page.astype(np.float32), int(random.integers(*quality)))


def _faint_scan(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    sheet = random.uniform(0.85, 1) * fibres(lines.shape, random, random.uniform(0.004, 0.015))[..., 0]
    page = sheet * (1 - random.uniform(0.12, 0.4) * (1 - _pressed(lines, random)))
    return _seen(page, random, (0.004, 0.018), (40, 85))


def _faint_phone(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    cast = np.array(((0.92, 0.96, 1.0), (1.0, 0.95, 0.86), (1.0, 1.0, 1.0))[random.integers(3)])
    sheet = random.uniform(0.6, 0.9) * cast * lamp(lines.shape, random, random.uniform(0.2, 0.5))
    page = sheet * (1 - random.uniform(0.15, 0.45) * (1 - _pressed(lines, random)))[..., None]
    page = cv2.GaussianBlur(page.astype(np.float32), (0, 0), random.uniform(0.5, 1.2))
    return _seen(page, random, (0.006, 0.02), (45, 85))


def _tinted(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    tint = np.array(((0.7, 0.7, 0.7), (0.62, 0.68, 0.75), (0.75, 0.72, 0.62), (0.55, 0.6, 0.66))[random.integers(4)])
    sheet = tint * random.uniform(0.85, 1.15) * fibres(lines.shape, random, random.uniform(0.01, 0.04))
    sheet = sheet * fibres(lines.shape, random, random.uniform(0.005, 0.02), 5) * lamp(lines.shape, random, 0.2)
    lead = np.full(3, random.uniform(0.12, 0.35))
    return _seen(mixed(_pressed(lines, random, 0.5), sheet, lead), random, (0.005, 0.02), (50, 90))


def _two_chalks(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    sheet = random.uniform(0.1, 0.4, 3) * fibres(lines.shape, random, 0.05) * lamp(lines.shape, random, 0.3)
    inks = 0.6 + 0.4 * patches_of_ink(lines, random, 2)
    return _seen(mixed(_pressed(lines, random, 0.6), sheet, inks), random, (0.005, 0.015), (60, 90))


def _wiped_board(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    board = np.array(((0.12, 0.2, 0.16), (0.1, 0.1, 0.11), (0.16, 0.2, 0.26))[random.integers(3)])
    wiped = cv2.GaussianBlur(random.normal(0, 1, lines.shape).astype(np.float32), (0, 0), sigmaX=90, sigmaY=6)
    dust = cv2.GaussianBlur(random.normal(0, 1, lines.shape).astype(np.float32), (0, 0), 50)
    veil = np.clip(0.05 + 0.02 * wiped / wiped.std() + 0.03 * dust / dust.std(), 0, 1)[..., None]
    sheet = board * lamp(lines.shape, random, 0.4) + veil
    chalk = (
        0.5 + 0.5 * patches_of_ink(lines, random, 2) if random.random() < 0.4 else np.full(3, random.uniform(0.7, 0.95))
    )
    return _seen(mixed(_pressed(lines, random, 0.6), sheet, chalk), random, (0.005, 0.015), (60, 90))


def _whiteboard(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0 : 1 : lines.shape[0] * 1j, 0 : 1 : lines.shape[1] * 1j].astype(np.float32)
    glare = np.exp(-((x - random.random()) ** 2 + (y - random.random()) ** 2) / random.uniform(0.01, 0.05))[..., None]
    sheet = random.uniform(0.65, 0.85) * np.array((0.97, 0.99, 1)) * lamp(lines.shape, random, 0.25) + 0.2 * glare
    page = mixed(cv2.GaussianBlur(lines, (0, 0), 0.7), np.minimum(sheet, 1), patches_of_ink(lines, random, 3))
    return _seen(page, random, (0.004, 0.012), (60, 90))


def _on_colour(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Flat, as from a paint program: ink of one colour on a light ground of another."""
    ground = np.ones(3) - random.uniform(0.05, 0.45) * np.roll((0.1, 0.4, 1.0), random.integers(3))
    ink = random.uniform(0, 0.4, 3)
    return mixed(lines, ground, ink)


def _light_on_colour(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return mixed(lines, random.uniform(0.02, 0.4, 3), random.uniform(0.75, 1, 3))


def _negative(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return 1 - _faint_scan(lines, other, random) if random.random() < 0.3 else 1 - _old_print(lines, other, random)


def _two_dots(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0 : lines.shape[0], 0 : lines.shape[1]].astype(np.float32)
    page = lines
    for share, pitch in ((0.4, random.uniform(3.5, 6)), (0.4, random.uniform(6, 11))):
        wave = np.sin(2 * np.pi * (x + y) / pitch / 1.414) + np.sin(2 * np.pi * (x - y) / pitch / 1.414)
        rising = 1.2 - 1.6 * y / len(y) if random.random() < 0.5 else random.uniform(-0.2, 1.2)
        page = np.where(regions(lines, random, share), np.minimum(page, 1 - np.clip((wave - rising) * 2, 0, 1)), page)
    page = np.where(regions(lines, random, 0.1), 0, page).astype(np.float32)
    return page if random.random() < 0.5 else _seen(0.03 + 0.93 * page, random, (0.003, 0.012), (60, 90))


def _old_print(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    sheet = np.array((0.93, 0.87, 0.74)) * fibres(lines.shape, random, 0.02) * fibres(lines.shape, random, 0.02, 30)
    for _ in range(int(random.integers(0, 25))):  # foxing
        at = tuple(int(random.integers(0, length)) for length in lines.shape[::-1])
        spot = cv2.circle(np.zeros(lines.shape, np.float32), at, int(random.integers(2, 12)), 1, -1)
        sheet = sheet * (1 - 0.15 * cv2.GaussianBlur(spot, (0, 0), 3)[..., None] * np.array((0.5, 0.8, 1)))
    page = mixed(cv2.GaussianBlur(lines, (0, 0), 0.6), sheet, np.full(3, random.uniform(0.1, 0.3)))
    return _seen(page, random, (0.004, 0.012), (55, 90))


def _on_desk(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A sheet, seen a little from the side, on wood or cloth."""
    height, width = lines.shape
    grain = cv2.GaussianBlur(
        random.normal(0, 1, (2 * height, 2 * width)).astype(np.float32), (0, 0), sigmaX=50, sigmaY=2
    )
    desk = random.uniform(0.15, 0.45) * np.array((1.0, 0.8, 0.6)) * (1 + 0.12 * grain / grain.std())[..., None]
    ink = np.full(3, random.uniform(0.1, 0.4))
    sheet = mixed(_pressed(lines, random, 0.6), np.array((0.93, 0.92, 0.89)), ink)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    places = corners * 1.4 + (0.3 * width, 0.3 * height) + random.uniform(-0.06, 0.06, (4, 2)) * (width, height)
    warp = cv2.getPerspectiveTransform(corners, places.astype(np.float32))
    size = (2 * width, 2 * height)
    cover = cv2.warpPerspective(np.ones(lines.shape, np.float32), warp, size)[..., None]
    seen = cv2.warpPerspective(sheet, warp, size) * cover + desk * (1 - cover)
    small = cv2.resize(seen * lamp(seen.shape, random, 0.2), (width, height), interpolation=cv2.INTER_AREA)
    return _seen(small, random, (0.004, 0.012), (60, 90))


MORE_GROUNDS: dict[str, tuple[str, Ground]] = {
    "faint pencil, scan": ("drawing", _faint_scan),
    "faint pencil, by phone": ("drawing", _faint_phone),
    "pencil on tinted paper": ("drawing", _tinted),
    "chalks on dark paper": ("light drawing", _two_chalks),
    "wiped blackboard": ("light drawing", _wiped_board),
    "whiteboard": ("drawing", _whiteboard),
    "dark on light colour": ("drawing", _on_colour),
    "light on dark colour": ("light drawing", _light_on_colour),
    "negative": ("light drawing", _negative),
    "dots of two sizes": ("drawing", _two_dots),
    "old print": ("drawing", _old_print),
    "sheet on a desk": ("drawing", _on_desk),
}
