"""Inputs of many kinds whose reading is known: pictures, drawings on every ground, clean lines; made from packages."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
from line_truth import by_lot, emoji, jpeg, line_drawing, on_paper, openclipart
from PIL import Image

from training.errors import TrainingError
from training.synthesis.vector import ColourShape, parse_colours

SIDE = 800
LINE_DRAWINGS = 64
DOTTED = ("screentone", "dots of two sizes")  # grounds that need regions to be filled
EMOJI = 48
CLIP_ART = 40
INK = (0.01, 0.15)  # share of a line drawing: neither next to nothing nor a silhouette
WALLPAPERS = (
    "gnome-backgrounds",
    "mate-backgrounds",
    "plasma-workspace-wallpapers",
    "lomiri-wallpapers-16.04",
    "lomiri-wallpapers-20.04",
    "ukui-wallpapers",
    "sway-backgrounds",
)
TEXTURES = "openarena-081-textures"  # walls, floors and skies of a game
TEXTURE_COUNT = {True: 60, False: 25}  # True: fitted on, False: kept from fitting
# Left out, because they are neither, and nobody could say how they should be read.
NEITHER = ("GreenTraditional", "MATE-Stripes-Dark")  # names in thin letters on even ground
_SOLID = 0.01  # share of the page; with more it is a silhouette
_BLOT = 0.3  # share of the ink in solids; with more it is a blot, and not drawn in lines
# Photographs that ship in scikit-image; micrographs and patterns are left out, since nobody could say what they are.
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee", "rocket", "moon", "coins", "brick", "grass", "gravel",
               "retina", "motorcycle_left")  # fmt: skip


@dataclass(frozen=True)
class Input:
    """Attributes:
    kind: of input, for the table.
    source: what it was made from; everything made from one source is held back together, or not at all.
    truth: picture, drawing, light drawing or lines.
    pixels: (H, W) or (H, W, 3) uint8.
    """

    kind: str
    source: str
    truth: str
    pixels: np.ndarray


def held_back(source: str) -> bool:
    """Which half a source belongs to: decided by its hash, so by nobody."""
    return hashlib.sha256(source.encode()).digest()[0] % 2 == 1


def inputs(held: bool) -> Iterator[Input]:
    """The inputs of the half that is held back, or of the other; prints what is not installed."""
    for make in (_photographs, _wallpapers, _gradients, _colour_art, _drawings):
        try:
            yield from make(held)
        except (TrainingError, FileNotFoundError, ImportError) as error:
            print(f"skipped {make.__name__.strip('_').replace('_', ' ')}: {error}")


def in_bytes(picture: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def random_of(source: str) -> np.random.Generator:
    return np.random.default_rng(int.from_bytes(hashlib.sha256(source.encode()).digest()[8:12], "big"))


def read_picture(path: str | Path | io.BytesIO) -> np.ndarray:
    with Image.open(path) as image:
        image.draft("RGB", (2048, 2048))
        full = image.convert("RGBA") if image.mode in ("RGBA", "LA", "P") else image.convert("RGB")
        full.thumbnail((2048, 2048))
        if full.mode == "RGBA":
            full = Image.alpha_composite(Image.new("RGBA", full.size, "white"), full).convert("RGB")
        return np.asarray(full)


# Pictures


def _photographs(held: bool) -> Iterator[Input]:
    import skimage

    folder = Path(skimage.__file__).parent / "data"
    for name in PHOTOGRAPHS:
        source = f"scikit-image/{name}"
        if held_back(source) == held:
            yield from _of_picture("photograph", source, read_picture(next(folder.glob(f"{name}.*"))))


def _wallpapers(held: bool) -> Iterator[Input]:
    for package in WALLPAPERS:
        listing = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True)
        if listing.returncode:
            print(f"skipped {package}: not installed; apt-get install {package}")
            continue
        # One of each picture: packages carry the same one in many sizes, in light and dark, and as a preview.
        chosen: dict[str, Path] = {}
        for path in sorted(map(Path, listing.stdout.split("\n"))):
            if path.suffix in (".jpg", ".png", ".webp") and "screenshot" not in path.name and not path.is_symlink():
                name = path.parts[-4] if "contents" in path.parts else path.stem
                chosen.setdefault(name.split("_", 1)[0].removesuffix("-d").removesuffix("-l"), path)
        for name, path in chosen.items():
            source = f"{package}/{name}"
            if held_back(source) == held and name not in NEITHER:
                picture = read_picture(path)
                if picture.std() > 1:  # some are transparent patterns, to lie on the desktop's own colour
                    yield from _of_picture("wallpaper", source, picture)


def textures(fitted: bool) -> Iterator[Input]:
    """Textures whole, in grey and in part; a third of the folders, chosen by hash, is kept from fitting."""
    listing = subprocess.run(["dpkg", "-L", TEXTURES], capture_output=True, text=True)
    if listing.returncode:
        print(f"skipped textures: not installed; apt-get install {TEXTURES}")
        return
    count = 0
    with zipfile.ZipFile(next(path for path in listing.stdout.split("\n") if path.endswith(".pk3"))) as archive:
        # Signs, lamps and effects are left out: some are light lines on black.
        plain = "wall|floor|block|trim|stone|ceiling|cath|roof|proto|organics|acc_|skies|door|support"
        names = [name for name in archive.namelist() if re.fullmatch(rf"textures/.*({plain}).*/[^/]*\.jpg", name)]
        for name in by_lot(names, set()):
            folder = name.rsplit("/", 1)[0]
            kept = hashlib.sha256(folder.encode()).digest()[0] % 3 == 0
            if kept == fitted or count == TEXTURE_COUNT[fitted] or archive.getinfo(name).file_size < 20000:
                continue
            picture = read_picture(io.BytesIO(archive.read(name)))
            height, width = picture.shape[:2]
            if min(height, width) < 120 or picture.std() < 3:
                continue
            count += 1
            source = f"openarena/{name.removeprefix('textures/')}"
            grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
            yield Input("texture", source, "picture", picture)
            yield Input("texture, grey", source, "picture", grey)
            side, random = int(0.6 * min(height, width)), random_of(source)
            top, left = random.integers(0, height - side), random.integers(0, width - side)
            part = (grey if random.random() < 0.5 else picture)[top : top + side, left : left + side]
            yield Input("texture, part", source, "picture", np.ascontiguousarray(part))


def _of_picture(kind: str, source: str, picture: np.ndarray) -> Iterator[Input]:
    """A picture whole, in parts, in grey, relit on dark ground and dulled."""
    random = random_of(source)
    height, width = picture.shape[:2]
    picture = np.ascontiguousarray(picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, 2))
    yield Input(kind, source, "picture", picture)
    side = int(0.6 * min(height, width))
    for _ in range(2):
        top, left = random.integers(0, height - side), random.integers(0, width - side)
        part = picture[top : top + side, left : left + side]
        yield Input(f"{kind}, part", source, "picture", part)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    yield Input(f"{kind}, grey", source, "picture", grey)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    spot = np.exp(-((((x - random.uniform(-0.3, 0.3)) / 0.45) ** 2 + (y / 0.65) ** 2) ** 2))[..., None]
    ground = np.float32(random.uniform(0, 0.12)) * random.uniform(0.6, 1, 3).astype(np.float32)
    yield Input(
        f"{kind}, on dark ground", source, "picture", in_bytes(picture / np.float32(255) * spot + ground * (1 - spot))
    )
    yield Input(f"{kind}, vignette on white", source, "picture", in_bytes(grey / 255 * spot[..., 0] + 1 - spot[..., 0]))


def _gradients(held: bool) -> Iterator[Input]:
    y, x = np.mgrid[0:1:500j, 0:1:700j].astype(np.float32)
    for number in range(24):
        source = f"gradient/{number}"
        if held_back(source) != held:
            continue
        random = random_of(source)
        stops = random.random((4, 3)).astype(np.float32) ** 1.5
        sky = np.stack([np.interp(y, (0, 0.4, 0.6, 1), stops[:, channel]) for channel in range(3)], -1)
        if number % 3 == 0:
            yield Input("flat", source, "picture", in_bytes(np.full((300, 400), random.random())))
        elif number % 3 == 1:
            yield Input("gradient", source, "picture", in_bytes(sky + random.normal(0, 0.004, sky.shape)))
        else:
            sun = np.exp(-((x - random.random()) ** 2 + (y - 0.45) ** 2) / 0.004)[..., None]
            hills = y > 0.7 + 0.1 * np.sin(5 * x + number) + 0.02 * np.sin(31 * x)
            dusk = np.where(hills[..., None], 0.3 * stops[3], sky + sun)
            yield Input("sunset", source, "picture", in_bytes(cv2.GaussianBlur(dusk, (0, 0), 1)))


def rendered(svg: str, side: int = SIDE) -> np.ndarray:
    """(H, W, 4) float32 of an SVG text."""
    command = ["rsvg-convert", "-a", "-w", str(side), "-h", str(side)]
    png = subprocess.run(command, input=svg.encode(), check=True, capture_output=True).stdout
    image = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED)
    return cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA).astype(np.float32) / 255


def _placed(art: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours and coverage of a rendered object, in the middle of a somewhat larger square."""
    margin = SIDE // 8
    side = SIDE + 2 * margin
    height, width = art.shape[:2]
    top, left = (side - height) // 2, (side - width) // 2
    framed = np.zeros((side, side, 4), np.float32)
    framed[top : top + height, left : left + width] = art
    return framed[..., :3], framed[..., 3:]


def _colour_art(held: bool) -> Iterator[Input]:
    chosen = by_lot(emoji(), set())[:EMOJI]
    for number, name in enumerate(chosen):
        source = f"noto/{name}"
        if held_back(source) == held:
            yield from _of_object(source, *_placed(rendered(emoji()[name].svg())), number)
    found = 0
    for name in by_lot(openclipart(), set()):
        source = f"openclipart/{name}"
        if found == CLIP_ART:
            break
        art = _clip_art(name)
        if art is None or _colour_share(art) < 0.1:
            continue
        found += 1
        if held_back(source) == held:
            colour, cover = art[..., :3], art[..., 3:]
            yield Input("clip art in colour", source, "picture", in_bytes(colour * cover + 1 - cover))


def _clip_art(name: str) -> np.ndarray | None:
    """The artwork in its own colours, or None where it cannot be rendered."""
    try:
        return rendered(openclipart()[name].svg())
    except subprocess.CalledProcessError:
        return None


def _colour_share(art: np.ndarray) -> float:
    """Share of a rendering that is painted in a tone other than black or white, lines left out."""
    painted = in_bytes(art[..., :3] * art[..., 3:] + 1 - art[..., 3:])
    tone = ((painted.min(-1) < 225) & (painted.max(-1) > 40)).astype(np.uint8)
    return float(cv2.erode(tone, np.ones((15, 15), np.uint8)).mean())


def _of_object(source: str, colour: np.ndarray, cover: np.ndarray, number: int) -> Iterator[Input]:
    """An object as a product shot, as a statue and as a figure in a drawn scene."""
    random = random_of(source)
    side = len(colour)
    y = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j][0].astype(np.float32)
    depth = cv2.GaussianBlur(cover[..., 0], (0, 0), side / 25)
    relief = cv2.GaussianBlur(depth + 0.3 * colour.mean(-1) * cover[..., 0], (0, 0), 4)
    slope = np.gradient(relief, axis=1) * random.choice([-1, 1]) - np.gradient(relief, axis=0)
    light = np.clip(0.85 + 14 * slope, 0.25, 1.4)[..., None].astype(np.float32)
    ground = {0: 1.0, 1: 0.02, 2: random.uniform(0.3, 0.8), 3: random.uniform(0.02, 0.15)}[number % 4]
    behind = np.float32(ground) * (1 + np.float32(0.1) * (y[..., None] - 0.5) * (ground < 1))
    if ground > 0.25:
        shadow = cv2.GaussianBlur(np.roll(cover[..., 0], side // 30, 0), (0, 0), side / 40)[..., None]
        behind = behind * (1 - 0.35 * shadow)
    shot = colour * light * cover + behind * (1 - cover)
    shot = jpeg(shot + random.normal(0, 0.008, shot.shape).astype(np.float32), 85)
    tint = ("white", "black", "grey", "dark grey")[number % 4]
    yield Input(f"product on {tint}", source, "picture", in_bytes(shot))
    marble = (0.55 + 0.3 * colour.mean(-1, keepdims=True)) * light
    statue = marble * cover + np.float32(random.uniform(0.03, 0.2)) * (1.2 - y[..., None]) * (1 - cover)
    yield Input("statue on dark ground", source, "picture", in_bytes(cv2.GaussianBlur(statue, (0, 0), 1)))
    edge = cv2.morphologyEx(in_bytes(colour * cover + 0.5 * (1 - cover)), cv2.MORPH_GRADIENT, np.ones((3, 3)))
    outline = 1 - np.clip(cv2.dilate(edge.max(-1), np.ones((2, 2))).astype(np.float32) / 70 - 0.2, 0, 1)[..., None]
    sky, field = random.uniform(0.5, 1, 3), random.uniform(0.2, 0.8, 3)
    horizon = random.uniform(0.5, 0.9)
    scene = np.where(y[..., None] < horizon, sky * (1 - 0.25 * y[..., None] * (number % 2)), field)
    if number % 3 == 0:
        scene = np.broadcast_to(sky * np.float32(0.9), scene.shape)
    flat = (colour * cover + scene * (1 - cover)) * outline
    yield Input("drawn in flat colours", source, "picture", in_bytes(flat))


# Drawings and lines


def on_grounds(
    source: str, lines: np.ndarray, other: np.ndarray, grounds: dict[str, tuple[str, Ground]], start: int, count: int
) -> Iterator[Input]:
    """A line drawing (H, W) on `count` of the grounds, from number `start` on; with dots if there is room for them."""
    kinds = list(grounds)
    for number in range(start, start + count):
        kind = kinds[number % len(kinds)]
        truth, make = grounds[kind]
        if kind not in DOTTED or can_be_filled(lines):
            yield Input(kind, source, truth, in_bytes(make(lines, other, random_of(f"{source}/{kind}"))))


def _drawings(held: bool) -> Iterator[Input]:
    other = line_drawing("rhinoceros_architetto_fr_01", 2, SIDE)
    for found, (name, width, lines) in enumerate(islice(line_drawings(), LINE_DRAWINGS), start=1):
        source = f"openclipart/{name}"
        if held_back(source) != held:
            continue
        yield from on_grounds(source, lines, other, GROUNDS, found * 7, 7)
        sizes = (64, 160, 400, 800, 2048)
        size = sizes[found % len(sizes)]
        clean = line_drawing(name, width * max(1.0, (size / SIDE) ** 0.5), size)
        yield Input("clean lines", source, "lines", in_bytes(clean))
    found = 0
    for name in by_lot(openclipart(), set()):
        source = f"openclipart/{name}"
        if found == LINE_DRAWINGS // 2:
            break
        try:
            if not _is_black_and_white(parse_colours(openclipart()[name].svg())):
                continue
        except ValueError:
            continue
        art = _clip_art(name)
        if art is None:
            continue
        page = (art[..., :3] * art[..., 3:] + 1 - art[..., 3:]).mean(-1)
        if INK[0] < 1 - page.mean() < 2 * INK[1]:
            found += 1
            if held_back(source) == held:
                yield Input("artwork in black on white", source, "lines", in_bytes(page))


def line_drawings() -> Iterator[tuple[str, float, np.ndarray]]:
    """By lot: the name of a drawing, the width of its lines and (SIDE, SIDE) float32."""
    found = 0
    for name in by_lot(openclipart(), set()):
        width = (1.5, 2.0, 3.0, 5.0)[found % 4]
        try:
            lines = line_drawing(name, width, SIDE)
        except ValueError:
            continue
        ink, solid = 1 - float(lines.mean()), _solid_share(lines)
        if INK[0] < ink < INK[1] and solid <= min(_SOLID, _BLOT * ink):
            found += 1
            yield name, width, lines


def _solid_share(lines: np.ndarray) -> float:
    """Share of the page that is black and wider than any line."""
    return float(cv2.erode((lines < 0.5).astype(np.uint8), np.ones((21, 21), np.uint8)).mean())


def can_be_filled(lines: np.ndarray) -> bool:
    """Whether enough regions are enclosed for a screentone to fill."""
    stats = cv2.connectedComponentsWithStats((lines > 0.5).astype(np.uint8), connectivity=4)[2][1:]
    inside = stats[:, cv2.CC_STAT_AREA]
    return bool((inside[inside < 0.25 * lines.size] > 0.01 * lines.size).sum() > 3)


def _is_black_and_white(shapes: list[ColourShape]) -> bool:
    colours = {colour for shape in shapes for colour in (shape.fill, shape.stroke) if colour is not None}
    return len(shapes) > 3 and all(max(colour) < 20 or min(colour) > 245 for colour in colours)


Ground = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]


def _seed(random: np.random.Generator) -> int:
    return int(random.integers(1 << 30))


def _scanned(contrast: float, kind: str) -> Ground:
    return lambda lines, other, random: on_paper(lines, contrast, kind, other, _seed(random))


def _pale(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return 1 - random.uniform(0.06, 0.3) * (1 - lines)


def mixed(lines: np.ndarray, ground: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """(H, W, 3): ink where the lines are, ground elsewhere; each may be one colour or (H, W, 3)."""
    return (ground * lines[..., None] + ink * (1 - lines[..., None])).astype(np.float32)


def fibres(shape: tuple[int, ...], random: np.random.Generator, contrast: float, size: float = 1) -> np.ndarray:
    """(H, W, 1) texture around 1."""
    noise = cv2.GaussianBlur(random.normal(0, 1, shape[:2]).astype(np.float32), (0, 0), size)
    return 1 + contrast * (noise / noise.std())[..., None]


def lamp(shape: tuple[int, ...], random: np.random.Generator, fall: float) -> np.ndarray:
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j].astype(np.float32)
    return (1 - fall * ((x - random.random()) ** 2 + (y - random.random()) ** 2))[..., None]


def _ruled(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    pitch = int(random.integers(24, 44))
    sheet = np.full((*lines.shape, 3), (0.94, 0.93, 0.9), np.float32)
    sheet[pitch::pitch] = (0.6, 0.7, 0.88)
    if random.random() < 0.5:
        sheet[:, pitch::pitch] = (0.6, 0.7, 0.88)  # squared
    else:
        sheet[:, 90:92] = (0.9, 0.5, 0.5)
    seen = mixed(lines, sheet, np.full(3, random.uniform(0.1, 0.45))) * lamp(lines.shape, random, 0.4)
    return jpeg((seen + random.normal(0, 0.012, seen.shape)).astype(np.float32), 75)


def _blueprint(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    blue = np.array((random.uniform(0.02, 0.2), random.uniform(0.15, 0.4), random.uniform(0.4, 0.7)))
    sheet = np.broadcast_to(blue, (*lines.shape, 3)).astype(np.float32).copy()
    if random.random() < 0.6:
        pitch = int(random.integers(16, 50))
        sheet[::pitch] += 0.12
        sheet[:, ::pitch] += 0.12
    sheet *= lamp(lines.shape, random, 0.3) * fibres(lines.shape, random, 0.03, 2)
    return mixed(lines, sheet, np.full(3, random.uniform(0.75, 1))) + random.normal(0, 0.01, (*lines.shape, 3))


def _blackboard(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    board = np.array(((0.13, 0.22, 0.18), (0.12, 0.12, 0.13), (0.2, 0.3, 0.25))[random.integers(3)])
    smear = cv2.GaussianBlur(random.normal(0, 1, lines.shape).astype(np.float32), (0, 0), sigmaX=60, sigmaY=15)
    sheet = board * lamp(lines.shape, random, 0.4) + 0.03 * (smear / smear.std())[..., None]
    chalk = 1 - (1 - lines) * np.clip(fibres(lines.shape, random, 0.35)[..., 0], 0, 1)
    seen = mixed(cv2.GaussianBlur(chalk.astype(np.float32), (0, 0), 0.8), sheet, np.full(3, random.uniform(0.75, 0.95)))
    return jpeg((seen + random.normal(0, 0.01, seen.shape)).astype(np.float32), 80)


def _kraft(ink: float) -> Ground:
    def make(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
        brown = np.array((0.69, 0.54, 0.36)) * random.uniform(0.8, 1.1)
        sheet = brown * fibres(lines.shape, random, 0.03) * fibres(lines.shape, random, 0.02, 4)
        return jpeg(mixed(lines, sheet * lamp(lines.shape, random, 0.2), np.full(3, ink)), 80)

    return make


def patches_of_ink(lines: np.ndarray, random: np.random.Generator, count: int) -> np.ndarray:
    """(H, W, 3): one of a few inks at each place of the page."""
    inks = random.random((count, 3))
    inks[np.arange(count), random.integers(0, 3, count)] *= 0.2
    patch = cv2.resize(random.integers(0, count, (5, 5)).astype(np.uint8), lines.shape[::-1], None, 0, 0, 0)
    return inks[patch]


def _coloured(count: int, scanned: bool) -> Ground:
    def make(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
        sheet = np.ones(3)
        if not scanned:
            return mixed(lines, sheet, patches_of_ink(lines, random, count))
        sheet = np.array((0.94, 0.93, 0.9)) * lamp(lines.shape, random, 0.25) * fibres(lines.shape, random, 0.01)
        return jpeg(mixed(lines, sheet, patches_of_ink(lines, random, count)), 80)

    return make


def regions(lines: np.ndarray, random: np.random.Generator, share: float) -> np.ndarray:
    """(H, W) bool: some of the enclosed regions."""
    count, label, stats, _ = cv2.connectedComponentsWithStats((lines > 0.5).astype(np.uint8), connectivity=4)
    inside = stats[:, cv2.CC_STAT_AREA] < 0.25 * lines.size
    chosen = inside & (random.random(count) < share)
    chosen[0] = False
    return chosen[label]


def _screentone(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0 : lines.shape[0], 0 : lines.shape[1]]
    pitch = random.uniform(4, 9)
    phase = np.sin(2 * np.pi * (x + y) / pitch / 1.414) + np.sin(2 * np.pi * (x - y) / pitch / 1.414)
    dots = np.clip((phase - random.uniform(-0.4, 1.2)) * 2, 0, 1)
    page = np.where(regions(lines, random, 0.6), np.minimum(lines, 1 - dots), lines)
    page = np.where(regions(lines, random, 0.12), 0, page)
    return page if random.random() < 0.6 else jpeg(page.astype(np.float32), 75)


def _hatched(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    y, x = np.mgrid[0 : lines.shape[0], 0 : lines.shape[1]].astype(np.float32)
    angle, pitch = random.uniform(0, np.pi), random.uniform(6, 14)
    bend = 3 * np.sin(x / 90) + 2 * np.sin(y / 53)
    stripes = np.clip(np.cos(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle) + bend) / pitch) * 2 - 1, 0, 1)
    pencil = np.minimum(lines, np.where(regions(lines, random, 0.5), 1 - 0.6 * stripes, 1))
    pencil = 1 - (1 - pencil) * np.clip(fibres(lines.shape, random, 0.3)[..., 0], 0, 1)
    return on_paper(pencil.astype(np.float32), 0.75, "scan", other, _seed(random))


def _inverted(lines: np.ndarray, other: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return 1 - lines


GROUNDS: dict[str, tuple[str, Ground]] = {
    "scan": ("drawing", _scanned(1.0, "scan")),
    "scan, half contrast": ("drawing", _scanned(0.5, "scan")),
    "scan, quarter contrast": ("drawing", _scanned(0.25, "scan")),
    "by phone": ("drawing", _scanned(1.0, "phone")),
    "by phone, half contrast": ("drawing", _scanned(0.5, "phone")),
    "stained, showing through": ("drawing", _scanned(0.5, "faded")),
    "pale on white": ("drawing", _pale),
    "ruled or squared paper": ("drawing", _ruled),
    "blueprint": ("light drawing", _blueprint),
    "blackboard": ("light drawing", _blackboard),
    "light on black": ("light drawing", _inverted),
    "white on kraft": ("light drawing", _kraft(0.97)),
    "dark on kraft": ("drawing", _kraft(0.12)),
    "coloured ink": ("drawing", _coloured(1, False)),
    "coloured inks": ("drawing", _coloured(4, False)),
    "coloured inks, scan": ("drawing", _coloured(4, True)),
    "screentone": ("drawing", _screentone),
    "hatched pencil": ("drawing", _hatched),
}
