"""Pictures too large to be held: read strip by strip, and averaged down on the way, by libvips (the extra `large`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .errors import SketchGANError

MOST_STREAMED = 2**31  # pixels
_NO_RESOLUTION = 1.0  # pixels for each millimetre: what libvips says where a file says nothing
_MM_PER_INCH = 25.4


def read_streamed(
    path: Path, content: bytes | None, at_most: float
) -> tuple[Image.Image, tuple[int, int], tuple[float, float] | None]:
    """A picture at a size at which it can be held.

    Args:
        path: of the file.
        content: its bytes, where they came by another way.
        at_most: px, the side of the square that has as many pixels as the result.

    Returns:
        An upright picture (grey of 8 or 16 bits, RGB, or either with alpha), the height and width of the file, and
        its resolution as `images.Picture.dpi`.

    Raises:
        SketchGANError: libvips is not installed, the picture is damaged, or it is larger than MOST_STREAMED.
    """
    try:
        import pyvips
    except ImportError:
        raise SketchGANError(
            f"{path}: too large to be held; pip install 'sketchgan[large]' reads it in strips, or scale it down first"
        ) from None
    try:
        if content is None:
            image = pyvips.Image.new_from_file(str(path), access="sequential", fail_on="truncated")
        else:
            image = pyvips.Image.new_from_buffer(content, "", access="sequential", fail_on="truncated")
        if image.width * image.height > MOST_STREAMED:
            raise SketchGANError(
                f"{path}: {image.width}x{image.height} pixels, larger than {MOST_STREAMED // 1_000_000} megapixels; "
                "scale it down first"
            )
        dpi = None if image.xres == _NO_RESOLUTION else (image.xres * _MM_PER_INCH, image.yres * _MM_PER_INCH)
        size = (image.height, image.width)
        small = _smaller(image, at_most)
    except pyvips.Error as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "unreadable"
        raise SketchGANError(f"{path}: damaged image ({reason}); export or download it again") from error
    turned = image.get("orientation") >= 5 if image.get_typeof("orientation") else False
    if turned:
        size, dpi = size[::-1], None if dpi is None else dpi[::-1]
    return small, size, dpi


def _smaller(image: Any, at_most: float) -> Image.Image:
    shrink = max(1.0, (image.width * image.height) ** 0.5 / at_most)
    if image.bands > 2 and image.interpretation not in ("srgb", "rgb16", "rgb"):
        image = image.colourspace("srgb")
    format_ = "ushort" if image.format == "ushort" and image.bands == 1 else "uchar"
    if image.format == "ushort" and format_ == "uchar":
        image = (image >> 8).cast("uchar")
    if image.hasalpha():
        image = image.premultiply()
    image = image.shrink(shrink, shrink)
    if image.hasalpha():
        image = image.unpremultiply()
    pixels: np.ndarray = image.rint().cast(format_).autorot().numpy()
    return Image.fromarray(pixels)
