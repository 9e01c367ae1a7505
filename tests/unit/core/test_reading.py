"""Pictures stay pictures, drawings are cleaned, clean lines are taken as they are; on any ground, at any size."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchgan_core.lines.prepare import prepare_lines
from sketchgan_core.lines.reading import light_lines, read
from tests.conftest import draw_lines


@pytest.fixture(scope="module")
def lines() -> np.ndarray:
    return draw_lines(480, 600)


def coloured(lines: np.ndarray, ground: tuple[float, ...], ink: tuple[float, ...]) -> np.ndarray:
    """(H, W, 3)"""
    paper, pen = np.array(ground, np.float32), np.array(ink, np.float32)
    return paper * lines[..., None] + pen * (1 - lines[..., None])


def grain(shape: tuple[int, ...], strength: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, strength, shape).astype(np.float32)


def photograph(name: str) -> np.ndarray:
    return getattr(pytest.importorskip("skimage.data"), name)().astype(np.float32) / 255


def spot(shape: tuple[int, ...], x: float, y: float) -> np.ndarray:
    """(H, W, 1): 1 in an oval, falling to 0."""
    down, across = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j].astype(np.float32)
    return np.exp(-((((across - x) / 0.5) ** 2 + ((down - y) / 0.6) ** 2) ** 2))[..., None]


def portrait() -> np.ndarray:
    picture = photograph("astronaut")
    lit = spot(picture.shape, -0.1, -0.4)
    return picture * lit + 0.03 * (1 - lit)


def statue() -> np.ndarray:
    height, width = 600, 500
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    marble = np.full((height, width), 0.06, np.float32)
    for centre, wide, high in ((0.9, 0.75, 0.4), (0.4, 0.2, 0.4), (-0.1, 0.4, 0.5)):
        form = 1 - (x / wide) ** 2 - ((y - centre) / high) ** 2
        light = 0.35 + 0.6 * np.clip(np.sqrt(np.maximum(form, 0)) - 0.5 * x / wide, 0, 1)
        marble = np.where(form > 0, light, marble)
    for eye in (-0.15, 0.15):
        marble -= 0.3 * np.exp(-((x - eye) ** 2 / 0.004 + (y + 0.15) ** 2 / 0.0008))
    return cv2.GaussianBlur(marble, (0, 0), 1).clip(0, 1)


def sunset() -> np.ndarray:
    y, x = np.mgrid[0:1:400j, 0:1:600j].astype(np.float32)
    stops = np.array([(0.15, 0.15, 0.4), (0.9, 0.4, 0.3), (1, 0.8, 0.4), (0.1, 0.1, 0.1)])
    sky = np.stack([np.interp(y, (0, 0.5, 0.65, 0.8), stops[:, channel]) for channel in range(3)], -1)
    return np.where((y > 0.8 - 0.05 * np.sin(9 * x))[..., None], 0.05, sky).astype(np.float32)


def product(ground: float) -> np.ndarray:
    y, x = np.mgrid[-1:1:500j, -1:1:500j].astype(np.float32)
    form = 1 - (x / 0.5) ** 2 - (y / 0.5) ** 2
    ball = np.sqrt(np.maximum(form, 0))[..., None] * np.array([0.9, 0.3, 0.2], np.float32)
    return np.where(form[..., None] > 0, 0.1 + ball, ground).astype(np.float32).clip(0, 1)


def flat_colours(lines: np.ndarray) -> np.ndarray:
    height, width = lines.shape
    scene = np.full((height, width, 3), (0.78, 0.88, 0.96), np.float32)
    scene[height * 3 // 4 :] = (0.5, 0.75, 0.4)
    cv2.circle(scene, (width // 3, height // 2), min(height, width) // 3, (0.95, 0.82, 0.68), -1)
    return scene * lines[..., None]


def bricks() -> np.ndarray:
    """Grey courses in half bond, dark and light bricks, light mortar, a little relief."""
    height, width, high, wide = 512, 512, 44, 96
    y, x = np.mgrid[0:height, 0:width]
    course = y // high
    across = x + course % 2 * (wide // 2)
    tone = np.random.default_rng(1).uniform(0.3, 0.5, (height // high + 1, 2 * width // wide + 1))
    wall = tone[course, across // wide]
    wall = np.where((y % high < 5) | (across % wide < 5), 0.62, wall).astype(np.float32)
    relief = cv2.GaussianBlur(grain(wall.shape, 1), (0, 0), 2) * 0.25
    return (cv2.GaussianBlur(wall, (0, 0), 1) + relief + grain(wall.shape, 0.03)).clip(0, 1)


def grid_wallpaper() -> np.ndarray:
    """Soft light lines over a slope of deep colours, as desktops have them."""
    y, x = np.mgrid[0:1:600j, 0:1:900j].astype(np.float32)
    slope = np.stack([0.1 + 0.35 * x, 0.1 + 0.25 * y, 0.35 + 0.3 * x * y], -1)
    lines = np.zeros(y.shape, np.float32)
    lines[::60] = lines[:, ::60] = 1
    return (slope + 0.2 * cv2.GaussianBlur(lines, (0, 0), 2)[..., None]).clip(0, 1)


def wood() -> np.ndarray:
    """Grey planks: fibres far longer than wide, dark gaps between the boards."""
    fibre = cv2.GaussianBlur(grain((500, 700), 1), (0, 0), sigmaX=60, sigmaY=1.5)
    board = 0.45 + 0.08 * fibre / fibre.std()
    board[::125] = board[1::125] = 0.15
    return (board + grain(board.shape, 0.02)).clip(0, 1)


def pale(picture: np.ndarray) -> np.ndarray:
    """Before a light wall."""
    lit = spot(picture.shape, 0, 0)
    return (1 - 0.3 * (1 - picture)) * lit + 0.97 * (1 - lit)


def fog(picture: np.ndarray) -> np.ndarray:
    share = np.linspace(0.85, 0.3, len(picture), dtype=np.float32)[:, None, None]
    return cv2.GaussianBlur(picture, (0, 0), 1.5) * (1 - share) + 0.8 * share


PICTURES = {
    "pale portrait": lambda: pale(photograph("astronaut")),
    "fog": lambda: fog(photograph("coffee")),
    "negative of a photograph": lambda: 1 - photograph("camera"),
    "fast film": lambda: (photograph("camera") + grain((512, 512), 0.06)).clip(0, 1),
    "bricks": bricks,
    "dark bricks": lambda: 0.5 * bricks(),
    "grid wallpaper": grid_wallpaper,
    "grid wallpaper in grey": lambda: grid_wallpaper().mean(-1),
    "grey wood": wood,
    "dark wood": lambda: 0.4 * wood(),
    "light wood": lambda: (0.3 + wood()).clip(0, 1),
    "portrait on dark ground": portrait,
    "portrait in grey": lambda: portrait().mean(-1),
    "statue": statue,
    "sunset": sunset,
    "product on black": lambda: product(0.0),
    "product on white": lambda: product(1.0),
    "product on grey": lambda: product(0.5),
    "flat grey": lambda: np.full((300, 400), 0.5, np.float32),
    "photograph": lambda: photograph("coffee"),
    "grey photograph": lambda: photograph("camera"),
    "64 px": lambda: cv2.resize(photograph("astronaut"), (64, 64), interpolation=cv2.INTER_AREA),
    "flat colours with black outlines": lambda: flat_colours(draw_lines(480, 600)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_a_picture_and_is_never_inverted(name: str) -> None:
    reading = read(PICTURES[name]())
    assert reading.kind == "picture"
    assert not reading.light_lines
    assert reading.reason.startswith("a picture")


def jpeg(page: np.ndarray, quality: int = 60) -> np.ndarray:
    levels = np.rint(page.clip(0, 1) * 255).astype(np.uint8)
    return cv2.imdecode(cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_UNCHANGED)


def lamp(shape: tuple[int, ...]) -> np.ndarray:
    """(H, W, 1): light that falls off to a corner."""
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j].astype(np.float32)
    return (1 - 0.4 * ((x - 0.2) ** 2 + (y - 0.2) ** 2))[..., None]


def pencil(lines: np.ndarray, contrast: float) -> np.ndarray:
    """(H, W) strokes pressed more here than there."""
    press = 0.7 + 0.3 * np.sin(np.arange(lines.shape[1]) / 60)
    return 1 - contrast * press * (1 - cv2.GaussianBlur(lines, (0, 0), 0.8))


def blackboard(lines: np.ndarray) -> np.ndarray:
    board = coloured(lines, (0.13, 0.22, 0.18), (0.9, 0.9, 0.85))
    return (cv2.GaussianBlur(board, (0, 0), 0.8) + grain(board.shape, 0.01)).clip(0, 1)


def wiped_blackboard(lines: np.ndarray) -> np.ndarray:
    wiped = cv2.GaussianBlur(grain(lines.shape, 1), (0, 0), sigmaX=90, sigmaY=6)
    dust = 0.06 + 0.03 * wiped / wiped.std()
    board = np.array((0.12, 0.2, 0.16), np.float32) * lamp(lines.shape) + dust[..., None]
    chalk = (1 - pencil(lines, 0.8))[..., None]
    return jpeg(board * (1 - chalk) + 0.85 * chalk + grain(board.shape, 0.012), 75)


def blueprint(lines: np.ndarray) -> np.ndarray:
    sheet = lines.copy()
    sheet[::24] = np.minimum(sheet[::24], 0.85)
    sheet[:, ::24] = np.minimum(sheet[:, ::24], 0.85)
    return coloured(sheet, (0.1, 0.27, 0.6), (1, 1, 1))


@pytest.mark.parametrize("ground", [blackboard, wiped_blackboard, blueprint, lambda lines: 1 - lines])
def test_light_strokes_on_dark_ground_become_dark_ones_on_white(ground: object, lines: np.ndarray) -> None:
    prepared = prepare_lines(ground(lines))  # type: ignore[operator]
    assert prepared.mode == "drawing"
    assert prepared.measured.light_lines
    assert "light strokes" in prepared.reason
    assert np.median(prepared.lines) > 0.95


def screentone(lines: np.ndarray) -> np.ndarray:
    y, x = np.mgrid[0 : lines.shape[0], 0 : lines.shape[1]]
    dots = (np.sin(x * 2 * np.pi / 5) * np.sin(y * 2 * np.pi / 5) > 0.3) & (np.hypot(x - 200, y - 240) < 100)
    return np.where(dots, 0, lines).astype(np.float32)


def ruled(lines: np.ndarray) -> np.ndarray:
    sheet = np.full((*lines.shape, 3), (0.94, 0.93, 0.9), np.float32)
    sheet[20::26] = (0.6, 0.7, 0.88)
    lamp = np.linspace(0.6, 1, lines.shape[1], dtype=np.float32)[None, :, None]
    return (sheet * (0.25 + 0.75 * lines[..., None]) * lamp + grain(sheet.shape, 0.01)).clip(0, 1)


def faint_scan(lines: np.ndarray) -> np.ndarray:
    return jpeg(0.93 * pencil(lines, 0.12) + grain(lines.shape, 0.02), 50)


def faint_by_phone(lines: np.ndarray) -> np.ndarray:
    sheet = np.array((0.7, 0.73, 0.76), np.float32) * lamp(lines.shape)
    return jpeg(sheet * pencil(lines, 0.15)[..., None] + grain((*lines.shape, 3), 0.02), 60)


def on_bluish_paper(lines: np.ndarray) -> np.ndarray:
    fibres = 1 + cv2.GaussianBlur(grain(lines.shape, 0.1), (0, 0), 1)
    sheet = np.array((0.58, 0.63, 0.7), np.float32) * (fibres * pencil(lines, 0.5))[..., None]
    return jpeg(sheet * lamp(lines.shape) + grain(sheet.shape, 0.02), 60)


def whiteboard(lines: np.ndarray) -> np.ndarray:
    """Two markers, and a lamp that shines in it."""
    y, x = np.mgrid[0 : 1 : lines.shape[0] * 1j, 0 : 1 : lines.shape[1] * 1j].astype(np.float32)
    glare = np.exp(-((x - 0.7) ** 2 + (y - 0.2) ** 2) / 0.03)[..., None]
    board = np.minimum(0.74 * lamp(lines.shape) + 0.2 * glare, 1)
    marker = np.where((x < 0.5)[..., None], np.float32((0.8, 0.15, 0.1)), np.float32((0.1, 0.3, 0.7)))
    drawn = (1 - pencil(lines, 1)).clip(0, 1)[..., None]
    return jpeg(board * (1 - drawn) + marker * drawn + grain((*lines.shape, 3), 0.01), 75)


DRAWINGS = {
    "whiteboard": whiteboard,
    "faint pencil, scanned": faint_scan,
    "faint pencil, by phone": faint_by_phone,
    "pencil on bluish paper": on_bluish_paper,
    "screentone": screentone,
    "coloured line art": lambda lines: coloured(lines, (1, 1, 1), (0.9, 0.3, 0.1)),
    "yellow on white": lambda lines: coloured(lines, (1, 1, 1), (1, 0.9, 0.2)),
    "pale": lambda lines: 1 - 0.1 * (1 - lines),
    "pale scan": lambda lines: (0.9 - 0.25 * (1 - lines) + grain(lines.shape, 0.01)).clip(0, 1),
    "ruled paper": ruled,
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_needs_cleaning(name: str, lines: np.ndarray) -> None:
    reading = read(DRAWINGS[name](lines))
    assert reading.kind == "drawing"
    assert not reading.light_lines


@pytest.mark.parametrize("shape", [(64, 64), (480, 600), (2000, 2500), (800, 12000)])
def test_clean_lines_are_taken_as_they_are(shape: tuple[int, int]) -> None:
    clean = draw_lines(*shape)
    reading = read(clean)
    assert reading.kind == "lines"
    assert read(np.rint(clean * 255).astype(np.uint8)) == reading


def test_the_reason_is_told(lines: np.ndarray) -> None:
    prepared = prepare_lines(lines)
    assert prepared.mode == "none"
    assert prepared.reason == read(lines).reason == "clean lines on white paper"


@pytest.mark.parametrize("shape", [(1, 1), (2, 2, 3), (1, 900), (3, 2000, 3), (12000, 800)])
def test_every_size_is_read(shape: tuple[int, ...]) -> None:
    for value in (0, 127, 255):
        reading = read(np.full(shape, value, np.uint8))
        assert not reading.light_lines
        assert reading.reason


@pytest.mark.parametrize("value", [0.0, 0.5, 0.9])
def test_an_even_tone_is_called_so(value: float) -> None:
    assert read(np.full((300, 400), value, np.float32)).reason == "a picture: one even tone"


def test_polarity_of_a_drawing(lines: np.ndarray) -> None:
    assert light_lines(1 - lines)
    assert not light_lines(lines)
