"""The plan: what is decided before a tile is cut."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.form import read_form
from sketchgan_core.planning.hand import Hand
from sketchgan_core.planning.light import Light
from sketchgan_core.planning.plan import PLANES, plan, strokes


def page(height: int = 256, width: int = 256) -> np.ndarray:
    return np.full((height, width), 255, np.uint8)


def as_lines(image: np.ndarray) -> np.ndarray:
    return image.astype(np.float32) / 255


@pytest.fixture
def circle() -> np.ndarray:
    image = page()
    cv2.circle(image, (128, 128), 80, 0, 2, cv2.LINE_AA)
    return as_lines(image)


def plane(lines: np.ndarray, name: str, controls: Controls | None = None, seed: int = 0) -> np.ndarray:
    return plan(lines, controls or Controls(), seed).planes[PLANES.index(name)].numpy()


def outside_circle(radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:256, :256]
    return np.hypot(rows - 128, columns - 128) > radius


def test_shading_stays_inside_a_closed_outline(circle: np.ndarray) -> None:
    hatch = plane(circle, "hatch", Controls(shading=1.0))
    assert hatch.max() > 0.5
    assert hatch[outside_circle(83)].max() == 0


def test_shading_bridges_a_gap_in_the_outline(circle: np.ndarray) -> None:
    circle[120:130, 200:215] = 1
    hatch = plane(circle, "hatch", Controls(shading=1.0))
    assert (hatch[~outside_circle(70)] > 0.3).mean() > 0.05
    assert (hatch[outside_circle(90)] > 0).mean() < 0.001


def test_a_frame_around_the_page_is_not_an_object(circle: np.ndarray) -> None:
    cv2.rectangle(circle, (4, 4), (251, 251), 0, 2)
    hatch = plane(circle, "hatch", Controls(shading=1.0))
    assert hatch[outside_circle(83)].max() == 0
    assert hatch.max() > 0.5


def test_an_object_cut_off_by_the_page_is_still_shaded() -> None:
    image = page()
    cv2.circle(image, (128, 256), 90, 0, 2, cv2.LINE_AA)
    assert plane(as_lines(image), "hatch", Controls(shading=1.0)).max() > 0.5


def test_a_thin_grey_line_encloses() -> None:
    image = page()
    cv2.circle(image, (128, 128), 80, 190, 1)
    assert plane(as_lines(image), "hatch", Controls(shading=1.0)).max() > 0.5


def test_more_shading_is_more_hatching_and_none_is_none(circle: np.ndarray) -> None:
    areas = [(plane(circle, "hatch", Controls(shading=s)) > 0.1).mean() for s in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert areas[0] == 0
    assert areas == sorted(areas)
    assert areas[-1] > 2 * areas[2] > 0
    assert strokes(circle, Controls(shading=0.0), 0) == ([], [])


def test_a_painted_map_shades_where_it_is_painted(circle: np.ndarray) -> None:
    painted = np.zeros((256, 256), np.float32)
    painted[:, 128:] = 1
    hatch = plane(circle, "hatch", Controls(shading=painted))
    # A stroke is as wide as a pencil, so it may cover the pixel beside the border.
    assert hatch[:, :126].max() == 0
    assert hatch[:, 128:].max() > 0.5


def test_strokes_lie_on_the_plane_that_the_generator_sees(circle: np.ndarray) -> None:
    controls = Controls(shading=0.8)
    hatch = plane(circle, "hatch", controls, seed=5)
    points = np.concatenate(strokes(circle, controls, 5)[0])
    columns, rows = np.round(points[:, :2]).astype(int).T
    assert (hatch[rows, columns] > 0).mean() > 0.95


def test_regions_are_hatched_in_their_own_directions() -> None:
    image = page(256, 512)
    cv2.rectangle(image, (20, 20), (230, 60), 0, 2)
    cv2.rectangle(image, (300, 20), (340, 230), 0, 2)
    form = read_form(1 - as_lines(image))
    first, second = form.angles[form.region[40, 120]], form.angles[form.region[120, 320]]
    assert abs(np.sin(first - second)) > 0.3


def test_roughness_moves_the_line_and_restates_it(circle: np.ndarray) -> None:
    def moved(roughness: float) -> float:
        return float(np.abs(plane(circle, "take", Controls(roughness=roughness)) - plane(circle, "ink")).mean())

    def restated(roughness: float) -> float:
        return float(plane(circle, "restated", Controls(roughness=roughness)).sum())

    assert moved(0.0) < moved(0.5) < moved(1.0)
    assert restated(0.0) == 0 < restated(0.4) < restated(1.0)


def test_solid_black_is_layered_by_strokes_and_not_filled() -> None:
    image = page()
    cv2.circle(image, (128, 128), 60, 0, -1)
    controls = Controls(roughness=1.0, shading=0.0)
    inside = (slice(100, 156), slice(100, 156))
    assert plane(as_lines(image), "take", controls)[inside].max() == 0
    assert plane(as_lines(image), "restated", controls)[inside].max() == 0
    hatch = plane(as_lines(image), "hatch", controls)[inside]
    assert hatch.mean() > 0.4
    assert hatch.std() > 0.08
    assert plan(as_lines(image), controls, 0).tone[inside].min() > 0.6


def test_a_seed_is_a_take(circle: np.ndarray) -> None:
    first, again, other = (plan(circle, Controls(), seed).planes for seed in (3, 3, 4))
    assert first.equal(again)
    assert (first[PLANES.index("take")] - other[PLANES.index("take")]).abs().max() > 0.2


def test_the_hand_does_not_depend_on_the_size_of_the_image() -> None:
    hand = Hand(9)
    np.testing.assert_array_equal(hand.pressure(64, 48), hand.pressure(2100, 1500)[:64, :48])
    np.testing.assert_array_equal(hand.wobble(64, 48, 11.0), hand.wobble(1024, 2048, 11.0)[:, :64, 1024:1072])


def test_a_blank_page_is_out_of_reach() -> None:
    assert plan(np.ones((40, 60), np.float32), Controls(), 0).reach.max() == 0


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (3, 20000), (17, 33)])
def test_any_size_can_be_planned(shape: tuple[int, int]) -> None:
    for value in (0.0, 0.5, 1.0):
        result = plan(np.full(shape, value, np.float32), Controls(1.0, 1.0, 1.0), 1)
        assert result.planes.shape == (len(PLANES), *shape)
        assert bool(result.planes.isfinite().all())
    dashes = np.ones(shape, np.float32)
    dashes.ravel()[::5] = 0
    assert bool(plan(dashes, Controls(1.0, 1.0, 1.0), 1).planes.isfinite().all())


def test_strokes_are_longer_behind_than_on_the_subject() -> None:
    even = np.full((300, 300), 0.4, np.float32)
    lengths = []
    for focus in (0, 1):
        light = Light(1 - even, even, even, np.full_like(even, focus), None)
        thin, thick = strokes(np.ones_like(even), Controls(), 3, light)
        laid = thin + thick
        lengths.append(np.mean([np.hypot(*np.diff(stroke[:, :2], axis=0).T).sum() for stroke in laid]))
    assert lengths[0] > 1.05 * lengths[1]


def test_a_pupil_is_an_accent_and_a_black_coat_is_not() -> None:
    drawing = as_lines(page())
    for centre, radius in (((60, 60), 7), ((170, 160), 50)):
        cv2.circle(drawing, centre, radius, 0.0, -1, cv2.LINE_AA)
    tone = plan(drawing, Controls(), 0).tone
    assert tone[60, 60] > tone[160, 170] + 0.05
