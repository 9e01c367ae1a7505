"""Paper, deposition and controls."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from sketchgan_core.choices import PAPERS
from sketchgan_core.materials.deposition import TWO_B, Grade, darkness_of, deposit, load_of
from sketchgan_core.materials.paper import paper
from sketchgan_core.planning.controls import Controls


def test_no_load_leaves_the_paper_bare_and_a_full_one_is_as_dark_as_the_grade() -> None:
    sheet = torch.from_numpy(paper(64, 64).copy())
    assert deposit(torch.zeros(64, 64), sheet).max() == 0
    full = deposit(torch.ones(64, 64), sheet)
    assert full.min() > 0.85 * TWO_B.density
    assert full.max() <= TWO_B.density < 1


def test_a_harder_lead_leaves_more_of_the_valleys_bare() -> None:
    sheet = torch.from_numpy(paper(128, 128).copy())
    spread = [float(deposit(torch.full((128, 128), 0.3), sheet, Grade(hardness=h)).std()) for h in (0.0, 0.5, 1.0)]
    assert spread[0] < spread[1] < spread[2]


def test_the_load_for_a_tone_gives_that_tone_on_any_paper() -> None:
    for wanted in (0.1, 0.3, 0.6, 0.8):
        load = float(load_of(np.array(wanted)))
        assert float(darkness_of(np.array(load))) == pytest.approx(wanted, abs=0.005)
        for kind in PAPERS:
            laid = deposit(torch.full((512, 512), load), torch.from_numpy(paper(512, 512, kind).copy()))
            assert float(laid.mean()) == pytest.approx(wanted, abs=0.01)


def test_more_load_is_more_graphite_everywhere() -> None:
    sheet = torch.from_numpy(paper(64, 64).copy())
    layers = [deposit(torch.full((64, 64), load), sheet) for load in (0.05, 0.2, 0.4, 0.6, 0.8, 1.0)]
    assert all(bool((lighter <= darker).all()) for lighter, darker in pairwise(layers))


def test_a_light_load_is_broken_by_the_tooth() -> None:
    graphite = deposit(torch.full((256, 256), 0.3), torch.from_numpy(paper(256, 256).copy()))
    assert graphite.std() > 0.15 * graphite.mean()


def test_the_load_can_be_learned() -> None:
    load = torch.tensor([0.0, 0.01, 0.5, 0.99], requires_grad=True)
    deposit(load, torch.tensor([0.5, 0.1, 0.9, 0.4])).sum().backward()
    assert load.grad is not None
    assert bool(load.grad.isfinite().all())


@pytest.mark.parametrize("kind", PAPERS)
def test_paper_is_seamless_and_anchored(kind: str) -> None:
    sheet = paper(600, 1100, kind, seed=4)
    np.testing.assert_array_equal(sheet[:88, 512:1024], sheet[512:600, :512])
    np.testing.assert_array_equal(sheet[:50, :60], paper(50, 60, kind, seed=4))
    assert not np.array_equal(sheet[:50, :60], paper(50, 60, kind, seed=5))


def test_rough_paper_has_a_coarser_tooth_than_smooth_paper() -> None:
    def steepness(kind: str) -> float:
        return float(np.abs(np.diff(paper(256, 256, kind), axis=1)).mean())

    assert steepness("rough") < steepness("cartridge") < steepness("smooth")


def test_unknown_paper_names_the_known() -> None:
    with pytest.raises(ValueError, match="cartridge"):
        paper(8, 8, "papyrus")


@pytest.mark.parametrize("bad", [-0.1, 1.5, float("nan"), np.ones((2, 2, 2)), np.full((2, 2), 2.0)])
def test_controls_outside_their_range_are_refused(bad: float | np.ndarray) -> None:
    with pytest.raises(ValueError, match="shading"):
        Controls(shading=bad)


def test_a_map_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="map"):
        Controls(darkness=np.ones((4, 4), np.float32)).maps(5, 4)
