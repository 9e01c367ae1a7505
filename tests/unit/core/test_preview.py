"""The small drawing that a moving slider shows."""

from __future__ import annotations

import numpy as np
import pytest

from sketchgan_core import preview as module
from sketchgan_core.generators.registry import build_generator
from sketchgan_core.generators.sketchai import sketchai_config
from sketchgan_core.preview import PREVIEW_SIDE, SHOWN_SIDE, Preview
from sketchgan_core.scaling import side
from sketchgan_core.sketcher import Medium, Sketcher
from tests.conftest import draw_lines, random_generator


@pytest.fixture(scope="module")
def sketcher() -> Sketcher:
    return Sketcher(random_generator())


def picture(height: int, width: int) -> np.ndarray:
    """A lit ball before a blurred ground."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    distance = np.hypot(y - height / 2, x - width / 2) / (height / 3)
    ball = np.clip(1 - distance + (width / 2 - x) / width, 0, 1)
    return np.repeat(np.where(distance < 1, ball, 0.8)[..., None], 3, 2).astype(np.float32)


def test_a_drawing_that_is_small_already_is_previewed_as_it_will_be(sketcher: Sketcher) -> None:
    subject = sketcher.subject(draw_lines(150, 200), "none", 384, 384)
    preview = Preview(subject).draw(sketcher.generator, sketcher.defaults, seed=3)
    whole = sketcher.draw_subject(subject, sketcher.defaults, seed=3)
    inside = slice(60, -60)  # the margin of paper around it is narrower
    assert preview.shape == whole.shape
    assert np.abs(preview - whole).mean() < 0.02
    assert np.abs(preview[inside, inside] - whole[inside, inside]).mean() < 0.005


def test_a_large_picture_is_drawn_small_and_shown_in_its_shape(sketcher: Sketcher) -> None:
    subject = sketcher.subject(picture(900, 600), "photo")
    preview = Preview(subject)
    assert side(preview.size) == pytest.approx(SHOWN_SIDE, rel=0.01)
    assert preview.size[0] / preview.size[1] == pytest.approx(1.5, rel=0.01)
    assert preview.draw(sketcher.generator, sketcher.defaults).shape == preview.size


def test_what_does_not_change_is_kept(sketcher: Sketcher, monkeypatch: pytest.MonkeyPatch) -> None:
    lit, laid = [], []
    read_light, lay = module.read_light, sketcher.generator.lay
    monkeypatch.setattr(module, "read_light", lambda *given: lit.append(1) or read_light(*given))
    monkeypatch.setattr(
        type(sketcher.generator), "lay", lambda self, planes, *rest: laid.append(planes.shape) or lay(planes, *rest)
    )
    preview = Preview(sketcher.subject(picture(400, 400), "photo"))
    soft, hard = sketcher.controls(darkness=0.2), sketcher.controls(darkness=0.9)
    drawn = [preview.draw(sketcher.generator, controls) for controls in (soft, hard)]
    assert drawn[1].mean() != drawn[0].mean()
    assert (len(lit), len(laid)) == (1, 2)  # the light of the picture is kept
    preview.draw(sketcher.generator, hard, medium=Medium("rough"))
    assert (len(lit), len(laid)) == (1, 2)  # another paper under the same load
    preview.draw(sketcher.generator, sketcher.controls(detail=1.0))
    assert (len(lit), len(laid)) == (2, 3)
    assert max(max(shape[-2:]) for shape in laid) <= PREVIEW_SIDE + 48


def test_the_original_generator_is_previewed_too() -> None:
    sketcher = Sketcher(build_generator(sketchai_config()).eval())
    subject = sketcher.subject(draw_lines(50, 70), "none", 384, 384)
    assert Preview(subject).draw(sketcher.generator, sketcher.defaults).shape == (50, 70)
