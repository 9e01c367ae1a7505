"""The measures rank what a person would rank."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from training.measuring.discriminating import told_apart
from training.measuring.measures import (
    edge_spread,
    hatched_area,
    inked_crops,
    kid,
    light_followed,
    lines_kept,
    rank_correlation,
    sliced_wasserstein,
    texture_features,
)
from training.measuring.perceptual import build_features


def page_with_circle(shift: int = 0) -> np.ndarray:
    page = np.full((512, 512), 255, np.uint8)
    cv2.circle(page, (256 + shift, 256), 140, 0, 2, cv2.LINE_AA)
    return page.astype(np.float32) / 255


def test_a_line_drawn_nearby_is_kept_and_one_drawn_elsewhere_is_not() -> None:
    lines = page_with_circle()
    assert lines_kept(lines, page_with_circle(1)) == (1.0, 1.0)
    recall, precision = lines_kept(lines, page_with_circle(30))
    assert recall < 0.2
    assert precision < 0.2


def test_a_lost_line_costs_recall_and_an_invented_one_precision() -> None:
    lines = page_with_circle()
    half = lines.copy()
    half[:, 256:] = 1
    recall, precision = lines_kept(lines, half)
    assert recall == pytest.approx(0.5, abs=0.06)
    assert precision == 1
    extra = lines.copy()
    extra[10:14, 10:502] = 0
    recall, precision = lines_kept(lines, extra)
    assert recall == 1
    assert precision < 0.85


def test_strays_spread_the_edge_and_tone_is_hatched_area() -> None:
    lines = page_with_circle()
    stray = np.minimum(lines, page_with_circle(5))
    assert edge_spread(lines, stray) > edge_spread(lines, lines) + 0.5
    toned = lines.copy()
    toned[230:286, 230:286] = np.where(np.arange(56) % 4 < 1, 0.4, 1.0)
    assert hatched_area(lines, lines) == 0
    assert hatched_area(lines, toned) == pytest.approx(56 * 56 / 512**2, rel=0.3)


def grain(amount: float, seed: int) -> torch.Tensor:
    noise = torch.randn(24, 1, 64, 64, generator=torch.Generator().manual_seed(seed))
    return (0.8 + amount * noise).clamp(0, 1)


def test_distances_are_small_for_the_same_texture_and_grow_with_difference() -> None:
    reference = grain(0.1, 0)
    wasserstein = [sliced_wasserstein(grain(amount, 1), reference) for amount in (0.1, 0.15, 0.3)]
    assert wasserstein == sorted(wasserstein)
    assert wasserstein[2] > 3 * wasserstein[0]
    _, network = build_features("efficientnet-lite0", torch.device("cpu"))
    assert network is not None
    wanted = texture_features(network, reference)
    distances = [kid(texture_features(network, grain(amount, 1)), wanted) for amount in (0.1, 0.15, 0.3)]
    assert distances == sorted(distances)
    assert abs(distances[0]) < 0.1 * distances[2]


def test_crops_lie_on_the_lines_and_in_the_same_place_of_every_image() -> None:
    lines = np.ones((400, 300), np.float32)
    lines[300:303, 200:260] = 0
    crops = inked_crops([lines, 0.5 * lines], [lines, lines], 96, 2)
    assert crops.shape == (4, 1, 96, 96)
    assert (crops < 0.1).flatten(1).any(1).all()
    small = np.zeros((40, 50), np.float32)
    assert inked_crops([small], [small], 96, 1).shape == (1, 1, 96, 96)


def test_rank_correlation() -> None:
    assert rank_correlation([1, 2, 5, 9]) == pytest.approx(1)
    assert rank_correlation([9, 5, 2, 1]) == pytest.approx(-1)
    assert rank_correlation([3, 3, 3]) == 0


def test_light_is_followed_by_what_is_dark_where_it_is_to_be_dark() -> None:
    tone = np.linspace(0, 1, 128, dtype=np.float32)[None].repeat(128, 0)
    assert light_followed(tone, 1 - 0.8 * tone) > 0.99
    assert light_followed(tone, tone) < -0.99
    assert light_followed(tone, np.ones_like(tone)) == 0


def test_a_network_tells_what_differs_and_nothing_else() -> None:
    generator = torch.Generator().manual_seed(0)

    def crops(coarse: int) -> torch.Tensor:
        noise = torch.rand((64, 1, 64 // coarse, 64 // coarse), generator=generator)
        return torch.nn.functional.interpolate(noise, scale_factor=coarse)

    assert told_apart(crops(1), crops(2), each=4, steps=120) > 0.9
    assert abs(told_apart(crops(1), crops(1), each=4, steps=120) - 0.5) < 0.2
