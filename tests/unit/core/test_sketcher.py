"""One call from an image to its sketch, for every kind of image and setting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sketchgan_core.errors import Cancelled, SketchGANError
from sketchgan_core.generators.registry import build_generator
from sketchgan_core.pencils.foreign import sketchai_config
from sketchgan_core.pencils.header import Card
from sketchgan_core.pencils.weights import save_pencil
from sketchgan_core.planning.controls import Controls
from sketchgan_core.sketcher import Sketcher
from tests.conftest import random_generator


@pytest.fixture(scope="module")
def sketcher() -> Sketcher:
    return Sketcher(random_generator())


def test_a_sketch_is_of_the_kind_that_was_given(sketcher: Sketcher, drawing: np.ndarray) -> None:
    expected = sketcher(drawing)
    assert expected.shape == drawing.shape
    assert expected.dtype == np.float32
    assert expected.std() > 0.05
    bytes_ = np.rint(drawing * 255).astype(np.uint8)
    picture = sketcher(Image.fromarray(bytes_).convert("RGB"))
    assert (picture.mode, picture.size) == ("L", drawing.shape[::-1])
    np.testing.assert_allclose(np.asarray(picture) / 255, expected, atol=0.05)
    assert sketcher(bytes_).dtype == np.uint8
    tensor = sketcher(torch.from_numpy(drawing)[None].half())
    assert (tensor.dtype, tuple(tensor.shape)) == (torch.float16, drawing.shape)
    wide = sketcher(torch.from_numpy(bytes_))
    assert wide.dtype == torch.uint8
    np.testing.assert_array_equal(wide.numpy(), np.asarray(picture))


def test_a_mask_of_bools_becomes_a_sketch_in_greys(sketcher: Sketcher, drawing: np.ndarray) -> None:
    for mask in (drawing > 0.5, torch.from_numpy(drawing > 0.5)):
        sketch = np.asarray(sketcher(mask))
        assert sketch.dtype == np.float32
        assert len(np.unique(sketch)) > 100


def test_nothing_to_draw_is_said(sketcher: Sketcher) -> None:
    with pytest.raises(SketchGANError, match="the batch is empty"):
        sketcher(torch.zeros(0, 64, 64, 3))
    with pytest.raises(SketchGANError, match="darkness must be a number or a map"):
        sketcher(np.ones((64, 64), np.float32), darkness=np.zeros((0, 3)))


def test_a_batch_is_drawn_one_by_one(sketcher: Sketcher, drawing: np.ndarray) -> None:
    batch = np.repeat(np.stack([drawing, drawing[::-1]])[..., None], 3, -1)
    sketches = sketcher(torch.from_numpy(batch))
    assert tuple(sketches.shape) == (2, *drawing.shape)
    np.testing.assert_allclose(sketches[0].numpy(), sketcher(drawing), atol=1e-4)


def test_a_seed_is_a_take(sketcher: Sketcher, drawing: np.ndarray) -> None:
    assert np.array_equal(sketcher(drawing, seed=1), sketcher(drawing, seed=1))
    assert np.abs(sketcher(drawing, seed=1) - sketcher(drawing, seed=2)).mean() > 0.003


def test_controls_are_numbers_or_maps_or_the_pencils_own(sketcher: Sketcher, drawing: np.ndarray) -> None:
    number = sketcher(drawing, darkness=0.9)
    np.testing.assert_allclose(sketcher(drawing, darkness=np.full(drawing.shape, 0.9)), number, atol=1e-5)
    own = Sketcher(sketcher.generator, Controls(darkness=0.9))
    np.testing.assert_array_equal(own(drawing), number)
    assert np.abs(sketcher(drawing) - number).max() > 0.01


def test_the_scale_changes_the_pencil_and_not_the_size(sketcher: Sketcher, drawing: np.ndarray) -> None:
    half = sketcher(drawing, patch_size=768, model_size=384, shading=np.full(drawing.shape, 0.5))
    assert half.shape == drawing.shape
    assert np.abs(half - sketcher(drawing)).mean() > 0.003
    assert sketcher(drawing, patch_size=768, model_size=384, output="model").shape == (75, 100)
    assert sketcher(drawing, patch_size=256, model_size=384, output="model").shape == (225, 300)


def test_lines_are_made_when_asked(sketcher: Sketcher, drawing: np.ndarray) -> None:
    np.testing.assert_allclose(sketcher(1 - drawing, lines="drawing"), sketcher(drawing), atol=0.2)


def test_progress_and_cancelling_reach_the_tiles(sketcher: Sketcher, drawing: np.ndarray) -> None:
    done: list[float] = []
    sketcher(drawing, tile=64, progress=lambda part, total, _: done.append(part / total))
    assert len(done) > 2
    assert done[-1] == 1
    with pytest.raises(Cancelled):
        sketcher(drawing, cancelled=lambda: True)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"darkness": 1.5}, "darkness"),
        ({"patch_size": -1}, "positive"),
        ({"paper": "silk"}, "silk"),
        ({"output": "huge"}, "huge"),
        ({"patch_size": 1, "model_size": 4096}, "megapixels"),
        ({"lines": "magic"}, "magic"),
    ],
)
def test_a_bad_setting_is_one_clear_line(sketcher: Sketcher, drawing: np.ndarray, setting: dict, says: str) -> None:
    with pytest.raises(SketchGANError, match=says):
        sketcher(drawing, **setting)


def test_loaded_from_a_file_it_draws_the_same(pencil: Path, sketcher: Sketcher, drawing: np.ndarray) -> None:
    loaded = Sketcher.load(pencil, device="cpu", dtype="float32")
    np.testing.assert_allclose(loaded(drawing), sketcher(drawing), atol=1e-5)
    fast = Sketcher.load(pencil, device="cpu")(drawing)
    assert np.abs(fast - loaded(drawing)).mean() < 0.01


def test_a_missing_device_is_one_clear_line(pencil: Path) -> None:
    with pytest.raises(SketchGANError, match="not available"):
        Sketcher.load(pencil, device="cuda:99")
    with pytest.raises(SketchGANError, match="float8"):
        Sketcher.load(pencil, dtype="float8")


def test_pencils_of_the_original_draw(tmp_path: Path, drawing: np.ndarray) -> None:
    torch.manual_seed(0)
    save_pencil(tmp_path / "old.safetensors", build_generator(sketchai_config()), Card("Old"))
    sketch = Sketcher.load(tmp_path / "old.safetensors", device="cpu")(drawing)
    assert sketch.shape == drawing.shape
    assert 0 <= sketch.min() <= sketch.max() <= 1
