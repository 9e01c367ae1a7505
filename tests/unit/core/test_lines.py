"""Clean lines out of drawings, scans and photographs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchgan_core.errors import SketchGANError
from sketchgan_core.images import to_lines
from sketchgan_core.lines.prepare import prepare_lines
from sketchgan_core.lines.settings import LineSettings
from sketchgan_core.lines.tidy import tidy
from tests.conftest import draw_lines


@pytest.fixture(scope="module")
def clean() -> np.ndarray:
    return draw_lines(400, 500)


def scan(lines: np.ndarray) -> np.ndarray:
    """Pencil on yellowed paper under a lamp, with the grain of a cheap sensor."""
    height, width = lines.shape
    light = (
        np.linspace(0.5, 0.9, width, dtype=np.float32)[None] * np.linspace(1, 0.85, height, dtype=np.float32)[:, None]
    )
    grain = np.random.default_rng(0).normal(0, 0.015, lines.shape)
    return np.clip(light * (1 - 0.6 * (1 - lines)) + grain, 0, 1).astype(np.float32)


def photograph(name: str) -> np.ndarray:
    data = pytest.importorskip("skimage.data")
    return to_lines(getattr(data, name)())


def recall_and_precision(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Recall and precision of dark pixels, within two pixels."""
    near = np.ones((5, 5), np.uint8)
    found, truth = ((image < 0.5).astype(np.uint8) for image in (found, truth))
    recall = (cv2.dilate(found, near) & truth).sum() / truth.sum()
    precision = (found & cv2.dilate(truth, near)).sum() / max(1, found.sum())
    return float(recall), float(precision)


def test_none_changes_nothing(clean: np.ndarray) -> None:
    np.testing.assert_array_equal(prepare_lines(clean, "none").lines, clean)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda lines: lines,
        lambda lines: 1 - lines,
        scan,
        lambda lines: 1 - 0.2 * (1 - lines),
        lambda lines: 0.3 + 0.5 * lines,
    ],
    ids=["clean", "white on black", "scan", "faint", "grey paper"],
)
def test_a_drawing_keeps_its_lines_and_loses_its_paper(clean: np.ndarray, spoil: object) -> None:
    lines = prepare_lines(spoil(clean), "drawing").lines  # type: ignore[operator]
    recall, precision = recall_and_precision(lines, clean)
    assert recall > 0.97
    assert precision > 0.97
    assert (lines[clean == 1] > 0.95).mean() > 0.98


def test_one_pixel_grey_lines_are_kept() -> None:
    lines = np.ones((300, 300), np.float32)
    lines[::30] = 0.7
    cleaned = prepare_lines(lines, "drawing").lines
    assert (cleaned[::30] < 0.5).all()


def test_a_blank_page_stays_blank() -> None:
    for mode in ("drawing", "photo", "classic", "auto"):
        assert (prepare_lines(np.ones((64, 80), np.float32), mode).lines == 1).all()


def test_auto_tells_drawings_from_photographs(clean: np.ndarray) -> None:
    assert prepare_lines(clean).mode == "none"
    assert prepare_lines(1 - clean).mode == "drawing"
    assert prepare_lines(scan(clean)).mode == "drawing"


@pytest.mark.parametrize("name", ["astronaut", "coffee", "camera", "chelsea"])
def test_auto_finds_outlines_in_photographs(name: str) -> None:
    prepared = prepare_lines(photograph(name), "auto")
    assert prepared.mode == "photo"
    assert 0.01 < (prepared.lines < 0.5).mean() < 0.2


def test_photo_lines_do_not_depend_on_resolution() -> None:
    small = photograph("camera")
    large = cv2.resize(small, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    found = cv2.resize(prepare_lines(large, "photo").lines, small.shape[::-1], interpolation=cv2.INTER_AREA)
    recall, precision = recall_and_precision(found, prepare_lines(small, "photo").lines)
    assert min(recall, precision) > 0.8


@pytest.mark.parametrize("mode", ["none", "drawing", "photo", "classic", "auto"])
@pytest.mark.parametrize("shape", [(1, 1), (3, 2000), (2, 2), (37, 53)])
def test_every_mode_takes_every_size(mode: str, shape: tuple[int, int]) -> None:
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    lines = prepare_lines(image, mode).lines  # type: ignore[arg-type]
    assert lines.shape == shape
    assert lines.dtype == np.float32
    assert lines.min() >= 0
    assert lines.max() <= 1


def test_an_unknown_mode_names_the_known_ones() -> None:
    with pytest.raises(SketchGANError, match="drawing"):
        prepare_lines(np.ones((4, 4), np.float32), "pencil")  # type: ignore[arg-type]


def phone(lines: np.ndarray, contrast: float) -> np.ndarray:
    """A drawing photographed under a lamp, with the shadow of the hand, noise, and JPEG 60."""
    height, width = lines.shape
    y, x = np.mgrid[:height, :width].astype(np.float32) / max(height, width)
    light = 0.45 + 0.5 * np.exp(-((x - 0.8) ** 2 + (y - 0.2) ** 2) / 0.5)
    light *= 1 - 0.3 / (1 + np.exp(-(y - 0.6 + 0.2 * np.sin(5 * x)) / 0.03))
    seen = cv2.GaussianBlur(light * (1 - contrast * (1 - lines)), (0, 0), 0.7)
    seen += np.random.default_rng(0).normal(0, 0.015, seen.shape)
    encoded = cv2.imencode(".jpg", np.rint(255 * seen.clip(0, 1)).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 60])[1]
    return cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255


def circles(size: int, width: int) -> np.ndarray:
    lines = np.full((size, size), 255, np.uint8)
    for radius in (0.42, 0.3, 0.2, 0.12):
        cv2.circle(lines, (size // 2, size // 2), round(radius * size), 0, width, cv2.LINE_AA)
    cv2.line(lines, (size // 20, size // 20), (size // 3, size // 2), 0, width, cv2.LINE_AA)
    return lines.astype(np.float32) / 255


@pytest.mark.parametrize("width", [1, 2, 8])
@pytest.mark.parametrize("contrast", [1.0, 0.25])
def test_a_phone_picture_of_a_drawing_keeps_every_stroke(width: int, contrast: float) -> None:
    lines = circles(1024, width)
    recall, precision = recall_and_precision(prepare_lines(phone(lines, contrast), "drawing").lines, lines)
    assert recall >= 0.97
    assert precision >= 0.97


def test_what_is_clean_stays_as_it_is() -> None:
    lines = circles(700, 2)
    assert np.abs(prepare_lines(lines, "drawing").lines - lines).max() <= 2 / 255


@pytest.mark.parametrize("mode", ["drawing", "photo"])
def test_pieces_make_the_same_picture_as_the_whole(mode: str) -> None:
    image = phone(circles(900, 3), 0.6)
    whole, pieces = (prepare_lines(image, mode, device="cpu", tile=tile).lines for tile in (900, 64))  # type: ignore[arg-type]
    assert np.abs(whole - pieces).max() <= 1 / 255


@pytest.mark.parametrize("mode", ["drawing", "photo"])
def test_settings_mean_the_same_at_every_size(mode: str) -> None:
    settings = LineSettings(specks=30, minimum_length=20)
    small, large = (
        prepare_lines(phone(circles(size, round(3 * size / 512)), 0.8), mode, settings, device="cpu").lines  # type: ignore[arg-type]
        for size in (512, 2048)
    )
    shrunk = cv2.resize(large, (512, 512), interpolation=cv2.INTER_AREA)
    recall, precision = recall_and_precision(shrunk, small)
    assert min(recall, precision) > 0.95


def test_a_photograph_shows_edges_between_colours_of_one_grey() -> None:
    image = np.empty((300, 300, 3), np.float32)
    image[:] = (0.2, 0.55, 0.3)
    cv2.circle(image, (150, 150), 80, (0.75, 0.28, 0.27), -1)
    lines = prepare_lines(image, "photo", device="cpu").lines
    truth = np.ones((300, 300), np.float32)
    cv2.circle(truth, (150, 150), 80, 0, 1)
    recall, precision = recall_and_precision(lines, truth)
    assert recall > 0.9
    assert precision > 0.8


@pytest.mark.parametrize("thickness", [1, 2])
@pytest.mark.parametrize("brightness", [0.2, 0.8])
def test_a_thin_line_in_a_photograph_is_drawn_once(brightness: float, thickness: int) -> None:
    image = np.full((800, 800, 3), 0.5, np.float32)
    cv2.line(image, (100, 130), (700, 610), (brightness,) * 3, thickness, cv2.LINE_AA)
    ink = prepare_lines(image, "photo", device="cpu").lines < 0.5
    runs = [np.flatnonzero(np.diff(ink[:, column].astype(int)) == 1) for column in range(150, 650, 10)]
    middles = 130 + (np.arange(150, 650, 10) - 100) * 0.8
    for run, middle in zip(runs, middles, strict=True):
        assert len(run) == 1
        assert abs(run[0] - middle) < 3


def test_a_photograph_keeps_small_round_things_such_as_eyes() -> None:
    image = np.full((1000, 1000, 3), (0.8, 0.6, 0.5), np.float32)
    truth = np.ones((1000, 1000), np.float32)
    for x in (300, 700):
        cv2.circle(image, (x, 400), 8, (0.3, 0.2, 0.2), -1, cv2.LINE_AA)
        cv2.circle(truth, (x, 400), 8, 0, 1)
    recall, precision = recall_and_precision(prepare_lines(image, "photo", device="cpu").lines, truth)
    assert min(recall, precision) > 0.95


def test_photographs_are_not_drawn_full_of_texture() -> None:
    rng = np.random.default_rng(0)
    image = 0.5 + 0.06 * cv2.GaussianBlur(rng.normal(0, 1, (400, 400)).astype(np.float32), (0, 0), 1.5) / 0.2
    image[120:280, 120:280] += 0.3
    lines = prepare_lines(image.clip(0, 1), "photo", device="cpu").lines
    outline = np.ones((400, 400), np.float32)
    cv2.rectangle(outline, (120, 120), (279, 279), 0, 2)
    recall, precision = recall_and_precision(lines, outline)
    assert recall > 0.95
    assert precision > 0.7


def test_frames_are_judged_by_the_first() -> None:
    first, second = phone(circles(400, 3), 0.8), phone(circles(400, 3), 0.4)
    prepared = prepare_lines(first, "drawing")
    following = prepare_lines(second, "auto", like=prepared)
    assert following.mode == prepared.mode == "drawing"
    assert following.measured.levels is prepared.measured.levels
    assert prepare_lines(second, "drawing").measured.levels != prepared.measured.levels


def test_polarity_can_be_said() -> None:
    lines = circles(300, 3)
    found = prepare_lines(1 - lines, "drawing", LineSettings(polarity="light")).lines
    assert recall_and_precision(found, lines)[0] > 0.97


def test_specks_and_short_strokes_go_and_the_rest_stays() -> None:
    lines = circles(1024, 3)
    dirty = lines.copy()
    for x, y in ((30, 990), (500, 700), (900, 60)):
        cv2.circle(dirty, (x, y), 1, 0, -1)
    cv2.line(dirty, (700, 990), (715, 990), 0, 3)
    np.testing.assert_array_equal(tidy(dirty, LineSettings(specks=30, minimum_length=30)), lines)
    np.testing.assert_array_equal(tidy(dirty, LineSettings(specks=0)), dirty)


def test_gaps_are_bridged_where_strokes_face_each_other() -> None:
    whole = np.ones((1024, 1024), np.float32)
    cv2.line(whole, (100, 300), (900, 340), 0, 4)
    broken = whole.copy()
    broken[:, 500:507] = 1
    # Strokes that lie side by side do not face each other.
    for lines in (whole, broken):
        cv2.line(lines, (100, 600), (900, 600), 0, 4)
        cv2.line(lines, (100, 609), (900, 609), 0, 4)
    closed = tidy(broken, LineSettings(close_gaps=10))
    recall, precision = recall_and_precision(closed, whole)
    assert cv2.connectedComponents((closed < 0.5).astype(np.uint8))[0] == 4
    assert min(recall, precision) > 0.999


@pytest.mark.parametrize("width", [1.0, 2.5, 6.0])
def test_lines_are_stroked_anew_at_one_width(width: float) -> None:
    lines = np.ones((400, 400), np.float32)
    for x, thick in ((80, 1), (200, 4), (320, 11)):
        cv2.line(lines, (x, 30), (x, 370), 0, thick)
    drawn = prepare_lines(lines, "none", LineSettings(uniform_width=width)).lines
    row = 1 - drawn[200]
    for x in (80, 200, 320):
        assert row[x - 30 : x + 30].sum() == pytest.approx(width, abs=0.6)


def test_classic_enlarges_as_asked_and_comes_back_to_size() -> None:
    image = phone(circles(240, 2), 0.9)
    drawn = [prepare_lines(image, "classic", LineSettings(classic_scale=scale)).lines for scale in (1, 2, 3, 4)]
    assert {lines.shape for lines in drawn} == {image.shape}
    # Its sizes are pixels of the enlarged picture, so the more it enlarges, the finer its strokes are.
    ink = [float((1 - lines).sum()) for lines in drawn]
    assert ink == sorted(ink, reverse=True)
    assert ink[3] < 0.8 * ink[0]


@pytest.mark.parametrize("mode", ["drawing", "photo", "classic", "none"])
def test_eight_bits_and_transparency_change_nothing(mode: str) -> None:
    grey = np.rint(255 * phone(circles(240, 3), 0.9)).astype(np.uint8)
    colour = np.repeat(grey[..., None], 3, 2)
    opaque = np.concatenate([colour, np.full((240, 240, 1), 255, np.uint8)], 2)
    floats, *others = (
        prepare_lines(image, mode, device="cpu").lines  # type: ignore[arg-type]
        for image in (colour.astype(np.float32) / 255, colour, opaque)
    )
    for lines in others:
        np.testing.assert_allclose(lines, floats, atol=1 / 255)


@pytest.mark.parametrize(
    ("ground", "ink"),
    [
        ((255, 255, 255), (255, 230, 40)),
        ((255, 255, 255), (230, 230, 230)),
        ((255, 255, 255), (242, 242, 242)),
        ((229, 229, 229), (206, 206, 206)),
    ],
    ids=["yellow", "pale", "paler", "on grey"],
)
def test_lines_that_are_nearly_as_light_as_their_ground_are_found(
    ground: tuple[int, int, int], ink: tuple[int, int, int]
) -> None:
    picture = np.full((500, 500, 3), ground, np.uint8)
    cv2.circle(picture, (250, 230), 150, ink, 4, cv2.LINE_AA)
    found = prepare_lines(picture, "drawing").lines
    wanted = np.zeros((500, 500), np.uint8)
    cv2.circle(wanted, (250, 230), 150, 1, 4)
    assert (found < 0.5)[wanted > 0].mean() > 0.9
    assert (found < 0.5)[cv2.dilate(wanted, np.ones((7, 7))) == 0].mean() < 0.001


def on_ruled_paper(squared: bool) -> tuple[np.ndarray, np.ndarray]:
    """The scan of a drawing on printed paper, and where its strokes are."""
    page = np.full((600, 500), 0.96, np.float32)
    for at in range(13, 600, 24):
        cv2.line(page, (0, at), (499, at + 3), 0.66, 1, cv2.LINE_AA)
        if squared and at < 500:
            cv2.line(page, (at, 0), (at, 599), 0.66, 1, cv2.LINE_AA)
    if not squared:
        cv2.line(page, (60, 0), (60, 599), 0.62, 1, cv2.LINE_AA)
    strokes = np.zeros(page.shape, np.uint8)
    cv2.circle(strokes, (270, 280), 140, 1, 3)
    cv2.line(strokes, (120, 520), (420, 430), 1, 3)
    page[strokes > 0] = 0.25
    noise = np.random.default_rng(3).normal(0, 0.01, page.shape).astype(np.float32)
    return cv2.GaussianBlur(page + noise, (0, 0), 0.7).clip(0, 1), strokes


@pytest.mark.parametrize("squared", [False, True])
def test_printed_rules_are_left_out_and_strokes_go_on_across_them(squared: bool) -> None:
    page, strokes = on_ruled_paper(squared)
    found = prepare_lines(page, "drawing").lines < 0.5
    assert found[strokes > 0].mean() > 0.88  # except for their edges
    away = cv2.dilate(strokes, np.ones((7, 7), np.uint8)) == 0
    assert found[away].mean() < 0.001
    kept = prepare_lines(page, "drawing", LineSettings(rules="keep")).lines < 0.7
    assert kept[away].mean() > 0.02


@pytest.mark.parametrize("light", [0.7, 0.85])
@pytest.mark.parametrize("squared", [False, True])
def test_faint_rules_beneath_clean_black_lines_are_left_out(squared: bool, light: float) -> None:
    drawn = draw_lines(800, 800)
    page = np.ones_like(drawn)
    for at in range(12, 800, 25):
        cv2.line(page, (0, at), (799, at + 2), light, 1, cv2.LINE_AA)
        if squared:
            cv2.line(page, (at, 0), (at, 799), light, 1, cv2.LINE_AA)
    page = np.minimum(page, drawn)
    away = cv2.dilate((drawn < 1).astype(np.uint8), np.ones((7, 7), np.uint8)) == 0
    prepared = prepare_lines(page)
    assert prepared.mode == "drawing"
    assert (prepared.lines[away] < 0.98).mean() < 0.0005
    assert recall_and_precision(prepared.lines, drawn)[0] > 0.99
    kept = prepare_lines(page, settings=LineSettings(rules="keep")).lines
    assert (kept[away] < 0.98).mean() > 0.03


@pytest.mark.parametrize("size", [900, 2700])
@pytest.mark.parametrize("rows", [0, 0.5])
def test_a_clean_drawing_of_many_straight_lines_stays_bit_for_bit(size: int, rows: float) -> None:
    facade = np.ones((size, size), np.float32)
    for at in range(size // 20, size, size // 40):  # hair lines of black, which shrink to pale ones
        facade[at, size // 20 : -size // 20] = rows
        facade[at + 1, size // 20 : -size // 20] = rows or 1
    cv2.rectangle(facade, (size // 20, size // 20), (size - size // 20, size - size // 20), 0, max(4, size // 200))
    for at in range(size // 8, size - size // 8, size // 6):
        cv2.rectangle(facade, (at, size // 3), (at + size // 15, size // 2), 0, max(3, size // 250))
    for mode in ("auto", "drawing"):
        np.testing.assert_array_equal(prepare_lines(facade, mode).lines, facade)


def test_drawn_lines_at_even_distances_stay() -> None:
    page = np.full((500, 600), 0.95, np.float32)
    fence = np.zeros(page.shape, np.uint8)
    for at in range(40, 480, 40):
        cv2.line(fence, (10, at), (590, at), 1, 2)
    for at in range(60, 560, 120):
        cv2.line(fence, (at, 20), (at, 480), 1, 3)
    page[fence > 0] = 0.3
    found = prepare_lines(cv2.GaussianBlur(page, (0, 0), 0.7), "drawing").lines < 0.5
    assert found[fence > 0].mean() > 0.95
