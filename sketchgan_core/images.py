"""Images in and out: any common file, array, PIL image or tensor to grey float32 and back."""

from __future__ import annotations

import base64
import io
import os
import struct
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from .errors import SketchGANError
from .files import written_whole

# The planes of the plan take about 100 bytes per pixel, so this is where 10 GB are needed.
MAX_PIXELS = 100_000_000

INPUT_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".pgm", ".ppm", ".jp2", ".jfif", ".jpe", ".pbm"}
)
# What Pillow decodes by itself, a phone's MPO as JPEG. Its other readers are chosen by a file's first bytes, too, and
# some of them start a program (EPS) or hand the file to another library.
INPUT_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000")
OUTPUT_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 95},
    "WEBP": {"lossless": True},
    "TIFF": {"compression": "tiff_deflate"},
}

# What undoes each EXIF orientation.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_INVISIBLE = 0.9  # lightness from which nothing shows on white
_LINES_COVER = 0.3  # share of the page that lines cover at most
_PNG = b"\x89PNG\r\n\x1a\n"

# Bicubic enlarging of line art runs from -0.23 to 1.19, and Lanczos a little further; twice that is another range.
_OVERSHOOT = 0.5


@dataclass(frozen=True)
class Picture:
    """A file that was read.

    Attributes:
        grey: (H, W) float32, 0 black .. 1 white, composited on white.
        alpha: (H, W) float32, 0 transparent .. 1 opaque, or None where the file has none.
        colour: (H, W, 3) uint8, composited on white, or None where the file is grey.
        notes: what the user should know about the reading, one line each.
    """

    grey: np.ndarray
    alpha: np.ndarray | None
    colour: np.ndarray | None = None
    notes: tuple[str, ...] = ()

    @property
    def pixels(self) -> np.ndarray:
        """The colours if there are any, else the grey levels: what lines are extracted from."""
        return self.grey if self.colour is None else self.colour


def open_image(path: str | os.PathLike[str]) -> Image.Image:
    """Opens an image file of one of INPUT_FORMATS, whatever its name; its pixels are not decoded yet.

    Raises:
        SketchGANError: a folder, or a pipe, which would never end.
        OSError, SyntaxError, ValueError ...: what Pillow raises of files that it cannot open.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise SketchGANError(f"{path}: is a folder or a device; give an image file")
    image = Image.open(path, formats=INPUT_FORMATS)
    if image.format == "TIFF":
        image.filename = ""  # else Pillow maps the file, and one that lies on its side in the wrong shape
    return image


def read_image(path: str | os.PathLike[str]) -> Picture:
    """Reads an image file of one of INPUT_FORMATS, whatever its name.

    16-bit grey keeps its precision, CMYK and palettes are converted, transparency is composited on white, white lines
    on nothing are taken for ink, the EXIF rotation is applied, and of an animation or a document the first frame is
    taken.

    Raises:
        SketchGANError: no such file, not an image, damaged, or more than MAX_PIXELS.
    """
    path = Path(path)
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SketchGANError(f"{path}: the file is empty; export or download it again")
        with warnings.catch_warnings():
            # Pillow warns of decompression bombs above a limit of its own; MAX_PIXELS is the one that counts here.
            warnings.simplefilter("ignore")
            try:
                with open_image(path) as image:
                    return _read_first_frame(image, path)
            except (OSError, SyntaxError, ValueError):
                pixels_alone = _pixels_alone(path)
                if pixels_alone is None:
                    raise
                with Image.open(io.BytesIO(pixels_alone), formats=("PNG",)) as image:
                    picture = _read_first_frame(image, path)
                note = f"{path}: what it says beside its pixels is damaged or too long, and was left out"
                return replace(picture, notes=(*picture.notes, note))
    except SketchGANError:
        raise
    except FileNotFoundError:
        raise SketchGANError(f"{path}: no such file; check the name") from None
    except UnidentifiedImageError:
        raise SketchGANError(f"{path}: not an image this program can read; convert it to PNG or JPEG") from None
    except Image.DecompressionBombError:
        raise SketchGANError(f"{path}: {_too_large()}") from None
    except PermissionError:
        raise SketchGANError(f"{path}: may not be read; check its permissions") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error) as error:
        # Pillow's decoders raise all of these on damaged files.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SketchGANError(f"{path}: damaged image ({reason}); export or download it again") from error


def upright(image: Image.Image) -> Image.Image:
    """A loaded image turned as its EXIF says; ImageOps.exif_transpose would stop at damage elsewhere in the EXIF."""
    try:
        turned = image.getexif().get(ExifTags.Base.Orientation)
    except (OSError, ValueError, TypeError, SyntaxError, struct.error):
        return image
    return image.transpose(_UPRIGHT[turned]) if turned in _UPRIGHT else image


def _pixels_alone(path: Path) -> bytes | None:
    """A PNG file without its ancillary chunks (text, colour profile ...); None if it is none."""
    with path.open("rb") as stream:
        if stream.read(len(_PNG)) != _PNG:
            return None
        kept = [_PNG]
        while len(head := stream.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            # A capital letter marks what no reader may leave out.
            if kind[:1].isupper() or kind == b"tRNS":
                kept += [head, stream.read(length + 4)]
            else:
                stream.seek(length + 4, os.SEEK_CUR)
    return b"".join(kept)


def to_lines(image: Any) -> np.ndarray:
    """The grey line image of an array, a PIL image or a tensor.

    Args:
        image: PIL image of any mode; or a numpy array or torch tensor of shape (H, W), (H, W, C), (C, H, W) or
            one of these in a batch of one, with C = 1, 3 or 4 (RGBA); where a shape can be read in two ways, the
            channels are last. uint8, uint16, bool or floats in 0..1; what an interpolation overshoots is clamped.

    Returns:
        (H, W) float32, 0 black .. 1 white; transparency composited on white.

    Raises:
        SketchGANError: another shape, type or range, or a NaN.
    """
    if isinstance(image, Image.Image):
        if image.width * image.height > MAX_PIXELS:
            raise SketchGANError(f"the image is {image.width}x{image.height}: {_too_large()}")
        return _grey_alpha_and_colour(image)[0]
    return _to_grey(_to_channels(image))


def to_pixels(image: Any) -> np.ndarray:
    """An array, a PIL image or a tensor, as `to_lines` takes them, with its colours.

    Returns:
        (H, W, 3) where it has colours, else (H, W); float32, 0 black .. 1 white; transparency composited on white.

    Raises:
        SketchGANError: as `to_lines`.
    """
    if isinstance(image, Image.Image):
        grey, _, colour = _grey_alpha_and_colour(image)
        return grey if colour is None else colour.astype(np.float32) / 255
    values = _to_channels(image)
    if values.shape[-1] == 1:
        return _to_grey(values)
    colour = values[..., :3]
    if values.shape[-1] == 4:
        colour = 1 - (1 - colour) * values[..., 3:]
    return np.ascontiguousarray(colour.clip(0, 1), dtype=np.float32)


def _to_channels(image: Any) -> np.ndarray:
    """(H, W, C) float32 of an array or tensor, C = 1, 3 or 4."""
    if hasattr(image, "detach"):
        image = image.detach().cpu()
        image = (image.float() if image.dtype.is_floating_point else image).numpy()
    values = np.asarray(image)
    shape = values.shape
    if values.ndim == 4 and values.shape[0] == 1:
        values = values[0]
    if values.ndim == 3 and values.shape[-1] not in (1, 3, 4) and values.shape[0] in (1, 3, 4):
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.shape[-1] not in (1, 3, 4) or 0 in values.shape:
        raise SketchGANError(f"an image of shape {shape} is not understood; give (H, W), (H, W, C) or (C, H, W)")
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise SketchGANError(f"the image is {values.shape[1]}x{values.shape[0]}: {_too_large()}")
    return _to_unit_range(values)


def _to_grey(values: np.ndarray) -> np.ndarray:
    channels = values.shape[-1]
    grey = values[..., 0] if channels == 1 else values[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    if channels == 4:
        grey = 1 - (1 - grey) * values[..., 3]
    return np.ascontiguousarray(grey.clip(0, 1), dtype=np.float32)


def write_image(path: str | os.PathLike[str], sketch: Any, overwrite: bool = False) -> None:
    """Writes a grey image, whole or not at all; the format follows the suffix.

    Args:
        path: .png, .jpg, .webp, .tif or .bmp; missing folders are made.
        sketch: (H, W) array or tensor, 0..1; or a PIL image, written as it is.
        overwrite: replace an existing file.

    Raises:
        SketchGANError: unknown suffix, the file exists, or the disk refuses.
    """
    path = Path(path)
    check_output(path, overwrite)
    if not isinstance(sketch, Image.Image):
        sketch = Image.fromarray(np.rint(to_lines(sketch) * 255).astype(np.uint8))
    kind = OUTPUT_FORMATS[path.suffix.lower()]
    try:
        with written_whole(path) as file:
            sketch.save(file, kind, **_SAVE_OPTIONS.get(kind, {}))
    except (OSError, ValueError) as error:
        raise SketchGANError(f"{path}: cannot be written ({error}); choose another place or format") from error


def thumbnail_url(image: np.ndarray, size: int = 256) -> str:
    """A small picture of an image, as a data URL that fits into the header of a weights file.

    Args:
        image: (H, W, 3) float32 in 0..1.
        size: of the longer side, px.
    """
    picture = Image.fromarray(np.rint(image.clip(0, 1) * 255).astype(np.uint8))
    picture.thumbnail((size, size))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


def check_output(path: Path, overwrite: bool) -> None:
    """Says before the work whether `write_image` would refuse.

    Raises:
        SketchGANError: unknown suffix, or the file exists.
    """
    if path.suffix.lower() not in OUTPUT_FORMATS:
        raise SketchGANError(f"{path}: unknown image format; end the name in {', '.join(OUTPUT_FORMATS)}")
    if path.exists() and not overwrite:
        raise SketchGANError(f"{path}: exists already; choose another name or allow overwriting")


def _too_large() -> str:
    return f"larger than {MAX_PIXELS // 1_000_000} megapixels; scale it down first"


def _read_first_frame(image: Image.Image, path: Path) -> Picture:
    if image.width * image.height > MAX_PIXELS:
        raise SketchGANError(f"{path}: {image.width}x{image.height} pixels, {_too_large()}")
    frames = getattr(image, "n_frames", 1)
    notes: tuple[str, ...] = (f"{path}: has {frames} frames, the first is used",) if frames > 1 else ()
    image.load()
    try:
        grey, alpha, colour = _grey_alpha_and_colour(upright(image))
        if image.mode.startswith("I") and 0 < grey.max() < 1 / 15:
            highest = round(float(grey.max()) * 65535)
            notes += (f"{path}: its highest value is {highest} of 65535; if it holds fewer bits, scale it up to 16",)
    except SketchGANError as error:
        raise SketchGANError(f"{path}: {error}") from None
    return Picture(grey, alpha, colour, notes)


def _grey_alpha_and_colour(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    if image.mode == "F":
        return _to_unit_range(np.asarray(image)), None, None
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise SketchGANError("a 32-bit image; convert it to 8 or 16 bits")
        return values.astype(np.float32) / 65535, None, None
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"), dtype=np.float32) / 255
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    else:
        alpha = None
    is_grey = image.mode in ("1", "L", "LA")
    image = image.convert("RGB")
    grey = np.asarray(image.convert("L"), dtype=np.float32) / 255
    if alpha is not None and 0 < (alpha > 0.5).mean() < _LINES_COVER and grey.min() > _INVISIBLE:
        return 1 - alpha, alpha, None  # white lines on nothing: what can be seen is where they are
    return grey, alpha, None if is_grey else np.asarray(image)


def _to_unit_range(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.bool_:
        return values.astype(np.float32)
    if values.dtype in (np.uint8, np.uint16):
        return values.astype(np.float32) / np.float32(np.iinfo(values.dtype).max)
    if not np.issubdtype(values.dtype, np.floating):
        raise SketchGANError(f"an image of type {values.dtype} is not understood; give uint8, uint16 or floats in 0..1")
    values = values.astype(np.float32, copy=False)
    low, high = float(values.min()), float(values.max())
    if not np.isfinite([low, high]).all():
        raise SketchGANError("the image contains NaN or infinite values; find the step before that makes them")
    if low < -_OVERSHOOT or high > 1 + _OVERSHOOT:
        raise SketchGANError(f"the image's values run from {low:g} to {high:g}; floats must lie in 0..1")
    return values if low >= 0 and high <= 1 else values.clip(0, 1)
