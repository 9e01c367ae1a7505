"""Tiles that nobody can see: the same picture for every tile size, in little memory, and stoppable."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from sketchgan_core.errors import Cancelled, SketchGANError
from sketchgan_core.generators.registry import Generator, build_generator
from sketchgan_core.generators.sketchai import sketchai_config
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.plan import plan
from sketchgan_core.tiling import choose_tile, draw_tiled, useful_memory
from tests.conftest import draw_lines, random_generator

HEIGHT, WIDTH = 1100, 1500
WHOLE = 4096


@dataclass(frozen=True)
class Sheet:
    planes: Tensor
    reach: Tensor

    def draw(self, generator: Generator, **options: object) -> Tensor:
        return draw_tiled(generator, self.planes, self.reach, **options)  # type: ignore[arg-type]


def sheet_of(height: int, width: int) -> Sheet:
    planned = plan(draw_lines(height, width), Controls(), seed=3)
    return Sheet(planned.planes, planned.reach)


@pytest.fixture(scope="module")
def large() -> Sheet:
    return sheet_of(HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def small() -> Sheet:
    return sheet_of(260, 330)


@pytest.fixture(scope="module")
def whole(large: Sheet) -> Tensor:
    return large.draw(random_generator(), tile=WHOLE)


@pytest.mark.parametrize("tile", [128, 256, 384, 1000])
def test_tiles_equal_the_whole(large: Sheet, whole: Tensor, tile: int) -> None:
    assert whole.std() > 0.05
    assert (large.draw(random_generator(), tile=tile, batch=3) - whole).abs().max() <= 1 / 255


def test_unet_tiles_equal_the_whole(small: Sheet) -> None:
    generator = random_generator("unet", blocks=3)
    whole = small.draw(generator, tile=WHOLE)
    for tile in (64, 100, 256):
        assert (small.draw(generator, tile=tile) - whole).abs().max() <= 1 / 255


def test_original_tiles_equal_the_whole() -> None:
    torch.manual_seed(0)
    generator = build_generator(sketchai_config()).eval()
    ink = 1 - torch.from_numpy(draw_lines(90, 130))[None]
    sheet = Sheet(ink, torch.ones_like(ink))
    whole = sheet.draw(generator, tile=WHOLE)
    assert whole.shape == (1, 90, 130)
    assert (sheet.draw(generator, tile=48) - whole).abs().max() <= 1 / 255


def test_blank_tiles_are_white_and_cost_nothing(small: Sheet) -> None:
    generator = random_generator()
    whole = small.draw(generator, tile=WHOLE)
    drawn = []
    hook = generator.stem.register_forward_pre_hook(lambda _, inputs: drawn.append(len(inputs[0])))
    sketch = small.draw(generator, tile=32, batch=4)
    hook.remove()
    assert (sketch - whole).abs().max() <= 1 / 255
    assert sum(drawn) < 9 * 11
    blank = Sheet(small.planes, torch.zeros_like(small.reach))
    assert (blank.draw(generator) == 0).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 400), (400, 3), (17, 65)])
def test_any_size_comes_out_as_it_went_in(size: tuple[int, int]) -> None:
    assert sheet_of(*size).draw(random_generator()).shape == (1, *size)


class LittleMemory:
    """Lets a generator draw only so many pixels at once, as a small GPU would."""

    def __init__(self, generator: Generator, pixels: int, error: Exception) -> None:
        self.sizes: list[int] = []

        def check(_: object, inputs: tuple[Tensor, ...]) -> None:
            batch, _planes, height, width = inputs[0].shape
            if batch * height * width > pixels:
                raise error
            self.sizes.append(batch * height * width)

        generator.output.register_forward_pre_hook(check)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_out_of_memory_makes_smaller_steps_and_the_same_picture(
    small: Sheet, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    generator = random_generator()
    whole = small.draw(generator, tile=WHOLE)
    memory = LittleMemory(generator, 60 * 60, error)
    done: list[int] = []
    sketch = small.draw(generator, tile=100, batch=4, progress=lambda part, total, _: done.append(part))
    assert memory.sizes
    assert "out of memory; going on with tiles of" in caplog.text
    assert (sketch - whole).abs().max() <= 1 / 255
    assert done == sorted(done)
    assert done[-1] == 260 * 330


@pytest.mark.parametrize("at", ["first", "middle", "last"])
def test_memory_that_runs_out_once_costs_nothing(small: Sheet, at: str) -> None:
    whole = small.draw(random_generator(), tile=WHOLE)
    generator, calls = random_generator(), 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    counting = generator.output.register_forward_pre_hook(count)  # type: ignore[union-attr, operator]
    small.draw(generator, tile=96, batch=1)
    counting.remove()
    fails_at, calls = {"first": 1, "middle": calls // 2, "last": calls}[at], 0

    def fail_once(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise torch.OutOfMemoryError("CUDA out of memory.")

    generator.output.register_forward_pre_hook(fail_once)  # type: ignore[union-attr, operator]
    sketch = small.draw(generator, tile=96, batch=1)
    assert calls > fails_at
    assert (sketch - whole).abs().max() <= 1 / 255


def test_a_host_is_asked_for_what_the_largest_tile_takes() -> None:
    generator = random_generator()
    small, large, larger = (useful_memory(generator, size, size) for size in (100, 2000, 4000))
    assert 0 < small < large == larger
    assert useful_memory(generator.bfloat16(), 100, 100) < small


def test_too_little_memory_is_one_clear_line(small: Sheet) -> None:
    generator = random_generator()
    LittleMemory(generator, 10, torch.OutOfMemoryError("CUDA out of memory."))
    with pytest.raises(SketchGANError, match="out of memory"):
        small.draw(generator, tile=200)


def test_other_errors_are_not_taken_for_memory(small: Sheet) -> None:
    generator = random_generator()
    LittleMemory(generator, 10, RuntimeError("a defect"))
    with pytest.raises(RuntimeError, match="a defect"):
        small.draw(generator)


def test_drawing_stops_when_told(small: Sheet) -> None:
    generator = random_generator()
    batches = 0

    def count(done: int, total: int, picture: Tensor) -> None:
        nonlocal batches
        batches += 1
        assert picture.shape == (1, 260, 330)

    with pytest.raises(Cancelled):
        small.draw(generator, tile=64, batch=1, progress=count, cancelled=lambda: batches == 2)
    assert batches == 2


def test_the_chosen_tile_fits_the_budget() -> None:
    generator = random_generator()
    assert choose_tile(generator, 100, 5000) == choose_tile(generator, 5000, 100)
    tile, batch = choose_tile(generator, 4000, 4000, budget=10 * 2**20)
    assert (tile, batch) < choose_tile(generator, 4000, 4000)
    assert choose_tile(generator, 4000, 4000, budget=1)[1] == 1


def test_planes_of_other_sizes_are_refused(small: Sheet) -> None:
    with pytest.raises(SketchGANError, match="as large as the planes"):
        Sheet(small.planes, small.reach[:, 1:]).draw(random_generator())
