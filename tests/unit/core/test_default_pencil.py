"""The bundled pencil, on drawings it was never trained on: what the README promises of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from sketchgan_core import Sketcher
from sketchgan_core.images import read_image
from sketchgan_core.lines.prepare import prepare_lines
from sketchgan_core.pencils.header import read_header, resolve_pencil
from sketchgan_core.pencils.weights import load_discriminator
from training.measuring.measures import MOVED_BY, lines_kept, rank_correlation

EXAMPLES = sorted((Path(__file__).parents[3] / "examples" / "drawings").glob("*.png"))
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


@pytest.fixture(scope="module")
def pencil() -> Sketcher:
    return Sketcher.load("default", device="cpu")


def example(name: str) -> np.ndarray:
    path = next(path for path in EXAMPLES if path.stem == name)
    return prepare_lines(read_image(path).grey, "auto").lines


def test_the_file_is_small_and_says_how_it_was_made() -> None:
    header = read_header(resolve_pencil("default"))
    assert header.bytes < 16e6
    assert {kind for kind, _ in header.tensors.values()} <= {"F16", "BF16"}
    assert header.card.license == "Apache-2.0"
    assert header.training["crops"] >= 20_000  # of its last run; it went on from the pencil before it
    assert header.path.with_suffix(".md").is_file()


def test_its_discriminator_lies_beside_it() -> None:
    load_discriminator(resolve_pencil("default").with_suffix(".discriminator.safetensors"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_lines_are_kept_and_none_invented(pencil: Sketcher, path: Path) -> None:
    lines = example(path.stem)
    recall, precision = lines_kept(lines, pencil(lines, shading=0.0, seed=5))
    assert recall >= 0.97
    assert precision >= 0.95


@pytest.mark.parametrize("control", MOVED_BY)
def test_controls_move_what_they_name(pencil: Sketcher, control: str) -> None:
    lines = example("gull")
    others = {} if control == "shading" else {"shading": 0.0}
    curve = [MOVED_BY[control](lines, pencil(lines, **{**others, control: step})) for step in STEPS]
    assert rank_correlation(curve) >= 0.9
    assert curve[-1] > 1.5 * curve[0]


def test_solid_black_is_dark_and_lines_have_grain(pencil: Sketcher) -> None:
    lines = np.ones((256, 256), np.float32)
    cv2.circle(lines, (80, 128), 50, 0, -1)
    cv2.line(lines, (180, 20), (180, 236), 0, 2)
    sketch = pencil(lines, shading=0.0, darkness=0.5)
    black = sketch[100:156, 50:110]
    assert 0.1 < black.mean() < 0.36, "as dark as layers of graphite, not as ink"
    assert black.std() > 0.03, "strokes show in it"
    stroke = sketch[40:216, 178:183].min(axis=1)
    assert stroke.std() > 0.03, "pressure and tooth vary along a stroke"


def test_shading_stays_inside(pencil: Sketcher) -> None:
    lines = np.ones((256, 256), np.float32)
    cv2.circle(lines, (128, 128), 80, 0, 2, cv2.LINE_AA)
    sketch = pencil(lines, shading=1.0, roughness=0.0)
    rows, columns = np.mgrid[:256, :256]
    radius = np.hypot(rows - 128, columns - 128)
    assert (1 - sketch[radius < 75]).mean() > 0.08
    assert (1 - sketch[radius > 88]).mean() < 0.002


def test_a_blank_page_stays_blank(pencil: Sketcher) -> None:
    assert pencil(np.ones((90, 70), np.float32)).min() == 1


def test_a_seed_is_a_take(pencil: Sketcher) -> None:
    lines = example("hourglass")
    first, again, other = (pencil(lines, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    marked = np.minimum(first, other) < 0.9
    assert np.abs(first - other)[marked].mean() > 0.1
