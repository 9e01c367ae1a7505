"""Drawings of any size, tile by tile, equal to a drawing made in one piece."""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Callable
from itertools import takewhile

import torch
from torch import Tensor

from .errors import Cancelled, SketchGANError
from .generators.base import Generator, Region

CPU_BUDGET = 800 * 2**20  # a drawing of usual size then needs no tiles, whose margins are computed twice
SHARE_OF_FREE_MEMORY = 0.6  # the allocator's fragments and the convolution workspaces need the rest
MAX_TILE, MAX_BATCH = 1024, 16
MAX_CPU_BATCH = 1
MARGIN = 16  # px of paper around the image that are drawn with it: a multiple of every stride
SMALLEST_TILE = 64

_log = logging.getLogger(__name__)

Progress = Callable[[int, int, Tensor], None]


def draw_tiled(
    generator: Generator,
    planes: Tensor,
    reach: Tensor,
    tile: int | None = None,
    batch: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Tensor:
    """Draws an image of any size.

    Every tile is computed with a margin as wide as the generator can see; the tile size changes time and memory, and
    the picture only by float rounding. When memory runs out, first the batch is halved, then the tile, and drawing
    goes on with what is left.

    Args:
        generator: on its device, in the type it is to compute in.
        planes: (P, H, W) as named by the generator's config.
        reach: (1, H, W), 0..1; a tile without any is bare paper and not computed.
        tile: size in pixels without the margin, rounded to the generator's stride; chosen to fit the memory if None.
        batch: tiles drawn at once; chosen if None.
        progress: called at the start and after each batch with the pixels done, the pixels in all and what is drawn
            so far (1, H, W).
        cancelled: asked before each batch.

    Returns:
        What the generator lays down (1, H, W), float32, 0 on bare paper, on the generator's device.

    Raises:
        Cancelled: `cancelled()` returned true.
        SketchGANError: out of memory with the smallest tile, or shapes that do not fit.
    """
    height, width = planes.shape[-2:]
    if reach.shape != (1, height, width):
        raise SketchGANError(f"reach must be (1, {height}, {width}), as large as the planes")
    if tile is None or batch is None:
        chosen = choose_tile(generator, height, width)
        tile, batch = tile or chosen[0], batch or chosen[1]
    device = next(generator.parameters()).device
    drawing = torch.zeros((1, height, width), device=device)
    regions = _regions(height, width, tile, generator.stride)
    waiting = [region for region in regions if region.of(reach).any()]
    total = height * width
    done = total - sum(region.of(reach).numel() for region in waiting)
    if progress is not None:
        progress(done, total, drawing)
    while waiting:
        if cancelled is not None and cancelled():
            raise Cancelled
        now = _alike(generator, waiting[:batch], planes)
        drawn = _draw(generator, planes, reach, now)
        if drawn is None:
            batch, waiting = _smaller(batch, waiting, generator.stride, (height, width))
            next_tile = f"{waiting[0].width}x{waiting[0].height} px"
            _log.warning("SketchGAN: out of memory; going on with tiles of %s, %d at a time", next_tile, batch)
            continue
        for region, picture in zip(now, drawn, strict=True):
            part = region.of(drawing)
            part.copy_(picture[:, : part.shape[1], : part.shape[2]])
        waiting = waiting[len(now) :]
        done += sum(region.of(reach).numel() for region in now)
        if progress is not None:
            progress(done, total, drawing)
    return drawing


def choose_tile(generator: Generator, height: int, width: int, budget: int | None = None) -> tuple[int, int]:
    """The tile size and batch that fit the memory of the generator's device.

    Args:
        budget: bytes to use; by default most of what is free on a GPU, and CPU_BUDGET on a CPU.
    """
    device = next(generator.parameters()).device
    pixels = (_free_memory(device) if budget is None else budget) / _bytes_per_pixel(generator)
    max_batch = MAX_CPU_BATCH if device.type == "cpu" else MAX_BATCH
    if (height + 2 * MARGIN) * (width + 2 * MARGIN) <= pixels and max(height, width) <= MAX_TILE:
        return max(height, width, SMALLEST_TILE), 1
    margin = 2 * _halo(generator)
    tile = max(SMALLEST_TILE, min(MAX_TILE, int(math.sqrt(pixels)) - margin, max(height, width)))
    return tile, max(1, min(max_batch, int(pixels // (tile + margin) ** 2)))


def useful_memory(generator: Generator, height: int, width: int) -> int:
    """Bytes needed to draw an image of this size in one go or in the largest tile, whatever the device has free.

    A host that shares the device among models makes room for this much before `draw_tiled` looks for it.
    """
    margin = 2 * _halo(generator)
    return int((min(height, MAX_TILE) + margin) * (min(width, MAX_TILE) + margin) * _bytes_per_pixel(generator))


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of torch or Python, on any device, says that memory ran out."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        sign in text for sign in ("out of memory", "not enough memory", "can't allocate memory", "alloc_failed")
    )


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int((free + cached) * SHARE_OF_FREE_MEMORY)
    if device.type == "mps":
        free = torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
        return int(max(free, CPU_BUDGET) * SHARE_OF_FREE_MEMORY)
    return CPU_BUDGET


def _bytes_per_pixel(generator: Generator) -> float:
    config = generator.config
    size = next(generator.parameters()).element_size()
    return generator.bytes_per_pixel * config.width * size / 4 + 12 * len(config.planes)


def _halo(generator: Generator) -> int:
    return math.ceil(generator.receptive_radius / generator.stride) * generator.stride


def _regions(height: int, width: int, tile: int, stride: int) -> list[Region]:
    def split(length: int) -> tuple[int, int]:
        count = math.ceil(length / max(tile, stride))
        return count, math.ceil(length / count / stride) * stride

    (_, high), (_, wide) = split(height), split(width)
    return [Region(top, left, high, wide) for top in range(0, height, high) for left in range(0, width, wide)]


def _alike(generator: Generator, regions: list[Region], planes: Tensor) -> list[Region]:
    """The first regions, as far as they are of one size and see as far in each direction: these are drawn together."""

    def seen(region: Region) -> tuple[Region, int, int]:
        window = _window(generator, region, planes)
        return region.within(window), window.height, window.width

    first = seen(regions[0])
    return list(takewhile(lambda region: seen(region) == first, regions))


def _draw(generator: Generator, planes: Tensor, reach: Tensor, regions: list[Region]) -> list[Tensor] | None:
    """The drawing of each region (1, height, width), or None if memory ran out; their windows are alike."""
    parameter = next(generator.parameters())
    windows = [_window(generator, region, planes) for region in regions]

    def stacked(image: Tensor, dtype: torch.dtype) -> Tensor:
        shape = (len(windows), len(image), windows[0].height, windows[0].width)
        parts = torch.empty(shape, dtype=dtype, device=parameter.device, memory_format=torch.channels_last).zero_()
        for part, window in zip(parts, windows, strict=True):
            _cut(image, window, part)
        return parts

    try:
        with torch.inference_mode():
            part = regions[0].within(windows[0])
            return list(generator.lay(stacked(planes, parameter.dtype), stacked(reach, torch.float32), part).float())
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
    # Only here, once the exception and its frames are gone, can what was allocated be freed.
    gc.collect()
    if parameter.device.type == "cuda":
        torch.cuda.empty_cache()
    return None


def _window(generator: Generator, region: Region, planes: Tensor) -> Region:
    """What is computed for a region: as far as the generator sees, but no more paper around the image than MARGIN."""
    bottom, right = (math.ceil((side + MARGIN) / generator.stride) * generator.stride for side in planes.shape[-2:])
    return region.wider(_halo(generator), Region(-MARGIN, -MARGIN, bottom + MARGIN, right + MARGIN))


def _cut(image: Tensor, window: Region, into: Tensor) -> None:
    """Copies a window of an image; outside the image there is paper, which is zero in every plane."""
    top, left = max(window.top, 0), max(window.left, 0)
    part = image[:, top : window.top + window.height, left : window.left + window.width]
    down, along = top - window.top, left - window.left
    into[:, down : down + part.shape[1], along : along + part.shape[2]] = part


def _smaller(batch: int, waiting: list[Region], stride: int, size: tuple[int, int]) -> tuple[int, list[Region]]:
    """Half the batch; or, if that is one already, tiles of half the size."""
    if batch > 1 and len(waiting) > 1:
        return min(batch, len(waiting)) // 2, waiting
    first = waiting[0]
    if max(first.height, first.width) <= SMALLEST_TILE:
        raise SketchGANError(
            f"out of memory even with tiles of {first.width}x{first.height} px; close other programs or use the CPU"
        )

    def halves(start: int, length: int, end: int) -> list[tuple[int, int]]:
        first = math.ceil(length / 2 / stride) * stride if length > SMALLEST_TILE else length
        parts = [(start, first), (start + first, length - first)]
        return [(place, size) for place, size in parts if size > 0 and place < end]

    smaller = [
        Region(top, left, high, wide)
        for region in waiting
        for top, high in halves(region.top, region.height, size[0])
        for left, wide in halves(region.left, region.width, size[1])
    ]
    # One at a time, since the halves of an odd number of strides differ in size.
    return 1, smaller
