"""The tone that is read from a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.light import AS_IT_IS, judge_tones, read_light, weigh_lines
from sketchgan_core.planning.plan import strokes


def ramp(height: int = 200, width: int = 300) -> np.ndarray:
    return np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))


def test_lighter_is_never_drawn_darker() -> None:
    light = read_light(ramp())
    columns = light.broad.mean(0)
    assert columns[0] > 0.85
    assert columns[-1] < 0.05
    assert (np.diff(columns) < 0.02).all()


@pytest.mark.parametrize("level", [0.1, 0.5, 0.95])
def test_a_flat_picture_gives_one_even_tone(level: float) -> None:
    light = read_light(np.full((120, 160), level, np.float32))
    assert np.ptp(light.tone) < 0.01
    assert light.focus.max() < 0.01


def test_a_pale_page_stays_pale() -> None:
    rng = np.random.default_rng(0)
    page = (0.93 + 0.02 * rng.standard_normal((120, 160))).clip(0, 1).astype(np.float32)
    assert read_light(page).tone.mean() < 0.2


def test_colours_of_equal_grey_have_the_lightness_one_sees() -> None:
    picture = np.zeros((80, 160, 3), np.float32)
    picture[:, :80], picture[:, 80:] = (0.95, 0.85, 0.1), (0.1, 0.2, 0.8)
    light = read_light(picture)
    assert light.broad[:, :60].mean() + 0.3 < light.broad[:, 100:].mean()


def test_detail_brings_out_what_is_fine() -> None:
    picture = np.full((200, 200), 0.6, np.float32)
    picture[::6] = 0.45
    contrast = [float(read_light(picture, detail).tone[60:140].std()) for detail in (0.0, 0.5, 1.0)]
    assert contrast[0] < contrast[1] < contrast[2]


def test_focus_is_where_the_picture_is_sharp() -> None:
    rng = np.random.default_rng(1)
    texture = cv2.GaussianBlur(rng.random((400, 400), dtype=np.float32), (0, 0), 1.5)
    picture = cv2.GaussianBlur(texture, (0, 0), 12)
    picture[120:280, 120:280] = texture[120:280, 120:280]
    focus = read_light(picture).focus
    assert focus[160:240, 160:240].min() > 0.9
    assert focus[:40].max() < 0.1


def test_frames_are_read_with_the_curve_of_the_first() -> None:
    first = read_light(ramp())
    darker = ramp() * 0.5
    again = read_light(darker, curve=first.curve)
    assert again.curve == first.curve
    assert again.broad.mean() > read_light(darker).broad.mean() + 0.05


def test_the_soft_edge_of_a_shadow_is_no_line_and_a_sharp_edge_is() -> None:
    x = np.arange(400, dtype=np.float32)
    sharp = np.tile(np.where(x < 200, 0.2, 0.8).astype(np.float32), (200, 1))
    soft = cv2.GaussianBlur(sharp, (0, 0), 8)
    lines = np.ones((200, 400), np.float32)
    lines[:, 199:202] = 0
    kept = [1 - weigh_lines(lines, read_light(picture))[80:120, 200].mean() for picture in (sharp, soft)]
    assert kept[0] > 0.5
    assert kept[1] < 0.2


def test_a_light_line_is_reserved_and_a_dark_one_is_drawn() -> None:
    kept = []
    for line in (0.9, 0.1):
        picture = np.full((200, 400), 0.5, np.float32)
        picture[:, 199:202] = line
        lines = np.ones_like(picture)
        lines[:, 199:202] = 0
        kept.append(1 - weigh_lines(lines, read_light(picture))[80:120, 200].mean())
    assert kept[0] < 0.1
    assert kept[1] > 0.5


def test_a_map_of_detail_counts_where_it_lies() -> None:
    picture = cv2.resize(data.chelsea(), (300, 200), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    detail = np.zeros((200, 300), np.float32)
    detail[:, 150:] = 1
    light, lines = read_light(picture, 0.5), np.ones((200, 300), np.float32)

    def laid(asked: float | np.ndarray) -> list[int]:
        thin, thick = strokes(lines, Controls(detail=asked), 0, light)
        middles = np.array([stroke[len(stroke) // 2, 0] for stroke in thin + thick])
        return [int((middles < 150).sum()), int((middles >= 150).sum())]

    even, mapped = laid(0.5), laid(detail)
    assert mapped[0] < even[0], "fewer, longer strokes where little detail is asked for"
    assert mapped[1] > even[1], "more, finer ones where much is"


def test_what_differs_in_colour_alone_is_told_and_what_differs_in_lightness_is_left() -> None:
    lab = np.empty((200, 300, 3), np.float32)
    lab[:] = 70, -40, 25
    lab[80:84] = 70, 15, -12
    picture = cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1)
    light = read_light(picture, curve=judge_tones(picture))
    assert light.tone[82].mean() > light.tone[60].mean() + 0.2
    assert weigh_lines(1 - np.isclose(lab[..., 1], 15).astype(np.float32), light)[82].mean() < 0.5
    lab[..., 0] = np.where(lab[..., 1] > 0, 30, 70)
    assert judge_tones(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB).clip(0, 1)).colour == AS_IT_IS.colour
