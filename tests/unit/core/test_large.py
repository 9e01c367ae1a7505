"""Pictures larger than can be held: read in strips, drawn small, laid on paper in bands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from sketchgan_core import scaling
from sketchgan_core.errors import SketchGANError
from sketchgan_core.images import averaged, pixels_and_size, read_image
from sketchgan_core.planning.drawing_size import SEEN
from sketchgan_core.sketcher import Sketcher
from tests.conftest import random_generator

pyvips = pytest.importorskip("pyvips", reason="pip install 'sketchgan[large]' reads large pictures")

WIDTH, HEIGHT = 12_000, 9_000  # more than Pillow is asked to hold


def scene(height: int, width: int) -> np.ndarray:
    """Coloured discs in the light, (height, width, 3) uint8."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    page = np.stack([255 * x / width, 255 * y / height, 128 + 0 * x], -1)
    cv2.circle(page, (width // 3, height // 2), height // 4, (30, 40, 60), -1, cv2.LINE_AA)
    cv2.circle(page, (width * 2 // 3, height // 3), height // 8, (240, 230, 220), -1, cv2.LINE_AA)
    return page.astype(np.uint8)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("large") / "poster.png"
    small = pyvips.Image.new_from_array(scene(HEIGHT // 10, WIDTH // 10))
    small.resize(10).copy(xres=300 / 25.4, yres=300 / 25.4).write_to_file(str(file), compression=1)
    return file


def test_it_is_read_as_its_own_average(large: Path) -> None:
    picture = read_image(large, at_most=1000)
    assert picture.size == (HEIGHT, WIDTH)
    assert picture.dpi == pytest.approx((300, 300), abs=0.1)
    assert picture.colour is not None
    assert abs(np.sqrt(picture.grey.size) - 1000) < 2
    wanted = cv2.resize(scene(HEIGHT // 10, WIDTH // 10), picture.grey.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(picture.colour.astype(float) - wanted).mean() < 1


def test_it_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    file = tmp_path / "phone.jpg"
    image = pyvips.Image.new_from_array(scene(900, 1200)).resize(10).copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", 6)
    image.write_to_file(str(file), Q=80)
    picture = read_image(file, at_most=500)
    assert picture.size == (12_000, 9_000)
    assert picture.grey.shape[0] > picture.grey.shape[1]
    wanted = cv2.resize(np.rot90(scene(900, 1200), -1), picture.grey.shape[::-1], interpolation=cv2.INTER_AREA)
    assert picture.colour is not None
    assert np.abs(picture.colour.astype(float) - wanted).mean() < 4


@pytest.mark.parametrize("kind", ["grey 16", "alpha", "grey"])
def test_other_kinds_of_it_are_read_too(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "large.png"
    ramp = pyvips.Image.xyz(11_000, 10_000)[0] * (1 / 11_000)
    if kind == "grey 16":
        (ramp * 65535).cast("ushort").write_to_file(str(file), compression=1)
    else:
        image = (ramp * 255).cast("uchar")
        if kind == "alpha":
            image = image.bandjoin((255 - image).cast("uchar")).copy(interpretation="b-w")
        image.write_to_file(str(file), compression=1)
    grey = read_image(file, at_most=400).grey[200]
    steps = (np.arange(len(grey)) + 0.5) / len(grey)
    np.testing.assert_allclose(grey, 1 - (1 - steps) ** 2 if kind == "alpha" else steps, atol=0.01)


def test_what_can_not_be_read_is_said(large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SketchGANError, match=r"poster\.png: .*megapixels"):
        read_image(large)  # in full
    cut = tmp_path / "cut.png"
    cut.write_bytes(large.read_bytes()[:100_000])
    with pytest.raises(SketchGANError, match=r"cut\.png: damaged image .*download it again"):
        read_image(cut, at_most=SEEN)
    monkeypatch.setitem(sys.modules, "pyvips", None)
    with pytest.raises(SketchGANError, match=r"poster\.png: .*pip install 'sketchgan\[large\]'"):
        read_image(large, at_most=SEEN)


def test_the_command_draws_it_in_bounded_memory(large: Path, tmp_path: Path) -> None:
    target = tmp_path / "sketch.png"
    words = [sys.executable, "-m", "sketchgan_core", "sketch", str(large), "-o", str(target), "--device", "cpu"]
    script = f"import subprocess, resource; subprocess.run({words!r}, check=True); " + (
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    with Image.open(target) as sketch:
        assert sketch.size == (WIDTH, HEIGHT)
        assert sketch.info["dpi"] == pytest.approx((300, 300), abs=1)
        part = np.asarray(sketch.crop((3000, 3500, 5000, 5500)))  # of the dark disc
    assert part.mean() < 150
    assert part.std() > 4  # the tooth of the paper, at the size of the result
    # Held whole it would take 19 bytes a pixel, 2 GB, beside the program.
    taken = int(done.stdout) * (1 if sys.platform == "darwin" else 1024)
    assert taken < 2.1e9


@pytest.mark.parametrize("size", [(300, 201), (140, 200), (533, 93), (90, 60), (140, 93)])
def test_bands_are_the_whole_in_parts(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "_BAND", 2000)
    image = np.random.default_rng(0).random((140, 93), np.float32)
    tops, parts = zip(*scaling.bands(image, size), strict=True)
    assert list(tops) == np.cumsum([0, *(len(part) for part in parts[:-1])]).tolist()
    np.testing.assert_allclose(np.concatenate(parts), scaling.fitted(image, size), atol=1e-6)


@pytest.mark.parametrize("kind", ["array", "tensor", "PIL", "mask"])
def test_what_is_given_large_is_drawn_at_its_size(kind: str) -> None:
    page = scene(2400, 4600)
    given = {
        "array": page,
        "tensor": torch.from_numpy(page).permute(2, 0, 1).float() / 255,
        "PIL": Image.fromarray(page),
        "mask": page[..., 0] > 128,
    }[kind]
    pixels, size = pixels_and_size(given, SEEN)
    assert size == (2400, 4600)
    assert abs(np.sqrt(pixels.shape[0] * pixels.shape[1]) - SEEN) < 2
    sketch = np.asarray(Sketcher(random_generator())(given))
    assert sketch.shape == (2400, 4600)


def test_what_nobody_sees_colours_no_edge() -> None:
    """Transparent red beside white stays white when both are averaged."""
    page = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    page.paste((255, 255, 255, 255), (0, 0, 3, 8))
    small = np.asarray(averaged(page, 4))
    assert small[small[..., 3] > 0][:, :3].min() == 255
