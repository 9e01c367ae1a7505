"""Images in and out: any common file, array, PIL image or tensor to grey float32 and back."""

from __future__ import annotations

import base64
import errno
import io
import math
import os
import struct
import warnings
import zlib
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import ExifTags, Image, ImageCms, PngImagePlugin, UnidentifiedImageError

from .errors import SketchGANError
from .files import written_whole
from .large import read_streamed
from .scaling import shrunk, side

# The planes of the plan take about 100 bytes per pixel, so this is where 10 GB are needed.
MAX_PIXELS = 100_000_000

INPUT_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".webp", ".avif", ".tif", ".tiff", ".bmp", ".gif"}
    | {".pgm", ".ppm", ".pbm", ".jp2", ".ico", ".tga"}
)
# What Pillow decodes by itself; a phone's MPO counts as JPEG. Its other readers are chosen by a file's first bytes,
# too, and some of them start a program (EPS) or hand the file to another library. AVIF came with Pillow 11.3.
INPUT_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "PPM", "JPEG2000", "ICO") + (
    ("AVIF",) if find_spec("PIL.AvifImagePlugin") else ()
)
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
# The longest side that a format can hold.
LONGEST_SIDE = {"WEBP": 16383, "JPEG": 65500}
_MOST_BYTES = 2**30  # of what is piped in
# Depths that whole numbers may have; they are often stored in more bits than that.
_BITS = (1, 8, 10, 12, 14, 16)
_END_OF_JPEG = b"\xff\xd9"
_CUT_SHORT = 8  # bytes
_LAST_ROWS = 16  # px: the lowest blocks of a JPEG

INVISIBLE = 0.9  # lightness from which nothing shows on white
_LINES_COVER = 0.3  # share of the page that lines cover at most
_MADE_WITH = "sketchgan"  # what the settings are called in a file
_PNG = b"\x89PNG\r\n\x1a\n"

# Bicubic enlarging of line art runs from -0.23 to 1.19, Lanczos a little further; twice that is another range.
_OVERSHOOT = 0.5


@dataclass(frozen=True)
class Picture:
    """A file that was read.

    Attributes:
        grey: (H, W) float32, 0 black .. 1 white, composited on white.
        alpha: (H, W) float32, 0 transparent .. 1 opaque, or None where the file has none.
        colour: (H, W, 3) uint8, composited on white, or None where the file is grey.
        notes: what the user should know about the reading, one line each.
        dpi: pixels per inch in x and y, or None where the file does not say.
        size: height and width of the file, where it was read smaller; else None.
    """

    grey: np.ndarray
    alpha: np.ndarray | None
    colour: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    dpi: tuple[float, float] | None = None
    size: tuple[int, int] | None = None

    @property
    def pixels(self) -> np.ndarray:
        """The colours if there are any, else the grey levels: what lines are extracted from."""
        return self.grey if self.colour is None else self.colour


def open_image(path: str | os.PathLike[str], content: bytes | None = None) -> Image.Image:
    """Opens an image file of one of INPUT_FORMATS, whatever its name; its pixels are not decoded yet.

    Args:
        path: of the file.
        content: its bytes, if they came some other way.

    Raises:
        SketchGANError: a folder, or a pipe, which would never end.
        OSError, SyntaxError, ValueError ...: what Pillow raises for files that it cannot open.
    """
    path = Path(path)
    if content is None and path.exists() and not path.is_file():
        raise SketchGANError(f"{path}: is a folder, a pipe or a device; give an image file, or - for what is piped in")
    # A TGA has no first bytes of its own, so only its name tells it.
    formats = (*INPUT_FORMATS, "TGA") if path.suffix.lower() == ".tga" else INPUT_FORMATS
    image = Image.open(path if content is None else io.BytesIO(content), formats=formats)
    if image.format == "TIFF":
        image.filename = ""  # else Pillow maps the file, and gives one that lies on its side the wrong shape
    return image


def read_piped(stream: BinaryIO, name: str, at_most: float = math.inf) -> Picture:
    """Reads an image that is piped in, as `read_image` does a file.

    Args:
        stream: its bytes, to the end.
        name: for messages.
        at_most: see `read_image`.

    Raises:
        SketchGANError: as `read_image`.
    """
    content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise SketchGANError(f"{name}: more than {_MOST_BYTES >> 20} MB; give the file by its name")
    return read_image(name, content, at_most)


def read_image(path: str | os.PathLike[str], content: bytes | None = None, at_most: float = math.inf) -> Picture:
    """Reads an image file of one of INPUT_FORMATS, whatever its name.

    16-bit grey keeps its precision, and fewer bits stored in 16 or 32 are recognised; CMYK, palettes and the colours of
    a profile are converted to sRGB, transparency is composited on white, white lines on nothing are taken for ink, the
    EXIF rotation is applied, and the first frame of an animation or a document is taken. A file that is damaged only
    beside its pixels, or a JPEG that lacks only its end, is read with a note.

    Args:
        path: of the file.
        content: its bytes, if they came some other way.
        at_most: px; an image with more pixels than a square of this side is averaged down to as many, beyond MAX_PIXELS
            in strips; see `large`.

    Raises:
        SketchGANError: no such file, not an image, damaged, or larger than can be read.
    """
    path = Path(path)
    try:
        if content == b"" or (content is None and path.is_file() and path.stat().st_size == 0):
            raise SketchGANError(f"{path}: the file is empty; export or download it again")
        with warnings.catch_warnings():
            # Pillow warns of decompression bombs above a limit of its own; MAX_PIXELS is the one that counts here.
            warnings.simplefilter("ignore")
            try:
                with open_image(path, content) as image:
                    if image.width * image.height <= MAX_PIXELS or not math.isfinite(at_most):
                        return _read_first_frame(image, path, at_most)
            except Image.DecompressionBombError:
                if not math.isfinite(at_most):
                    raise
            except (OSError, SyntaxError, ValueError):
                mended = _mended(path.read_bytes() if content is None else content)
                if mended is None:
                    raise
                with Image.open(io.BytesIO(mended[0]), formats=("PNG", "JPEG")) as image:
                    picture = _read_first_frame(image, path, at_most)
                return replace(picture, notes=(*picture.notes, f"{path}: {mended[1]}"))
            small, size, dpi = read_streamed(path, content, at_most)
            return Picture(*_grey_alpha_and_colour(small), dpi=dpi, size=size)
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
    except (OSError, SyntaxError, ValueError, LookupError, TypeError, EOFError, RuntimeError, struct.error) as error:
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


def _mended(content: bytes) -> tuple[bytes, str] | None:
    """A file without what is damaged beside its pixels, and what that was; None if its pixels are damaged."""
    if content.startswith(_PNG):
        return _pixels_alone(content), "what it says beside its pixels is damaged or too long, and was left out"
    if content.startswith(b"\xff\xd8") and not content.rstrip(b"\0").endswith(_END_OF_JPEG):
        whole, shorter = (_decoded(part + _END_OF_JPEG) for part in (content, content[:-_CUT_SHORT]))
        # Without the last bytes the last rows differ, so these bytes are theirs: only the end is missing.
        if whole is not None and shorter is not None and (whole != shorter)[-_LAST_ROWS:].any():
            return (
                content + _END_OF_JPEG,
                f"its end is missing; look at its lowest {_LAST_ROWS} rows, the rest is all there",
            )
    return None


def _decoded(content: bytes) -> np.ndarray | None:
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            if image.width * image.height > MAX_PIXELS:
                return None
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError):
        return None


def _pixels_alone(content: bytes) -> bytes:
    """A PNG file without its ancillary chunks (text, colour profile ...) but for a sound tRNS, its transparency."""
    kept, at = [_PNG], len(_PNG)
    while at + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        chunk = content[at : at + length + 12]
        # A capital letter marks a chunk that no reader may leave out.
        if kind[:1].isupper() or (kind == b"tRNS" and zlib.crc32(chunk[4:-4]) == int.from_bytes(chunk[-4:], "big")):
            kept.append(chunk)
        at += length + 12
    return b"".join(kept)


def to_lines(image: Any, at_most: float = math.inf) -> np.ndarray:
    """The grey line image of an array, a PIL image or a tensor.

    Args:
        image: the name of a file; a PIL image of any mode, turned as its EXIF says; or a numpy array or torch tensor of
            shape (H, W), (H, W, C), (C, H, W) or one of these in a batch of one, with C = 1, 3 or 4 (RGBA); where a
            shape can be read in two ways, the channels are last. uint8, uint16, bool or floats in 0..1; what an
            interpolation overshoots is clamped.
        at_most: px; an image with more pixels than a square of this side is averaged down to as many.

    Returns:
        (H, W) float32, 0 black .. 1 white; transparency composited on white.

    Raises:
        SketchGANError: another shape, type or range, or a NaN.
    """
    if isinstance(image, str | os.PathLike):
        return read_image(image, at_most=at_most).grey
    if isinstance(image, Image.Image):
        image = averaged(_of_some_size(upright(image)), at_most)
        if image.width * image.height > MAX_PIXELS:
            raise SketchGANError(f"the image is {image.width}x{image.height}: {_too_large()}")
        return _grey_alpha_and_colour(image)[0]
    return _to_grey(_to_channels(image, at_most)[0])


def to_pixels(image: Any) -> np.ndarray:
    """An array, a PIL image or a tensor, as `to_lines` takes them, with its colours.

    Returns:
        (H, W, 3) where it has colours, else (H, W); float32, 0 black .. 1 white; transparency composited on white.

    Raises:
        SketchGANError: as `to_lines`.
    """
    return pixels_and_size(image)[0]


def pixels_and_size(image: Any, at_most: float = math.inf) -> tuple[np.ndarray, tuple[int, int]]:
    """`to_pixels` of an image averaged down to `at_most`, see `to_lines`; and the height and width it has itself.

    A `Picture`, which may have been read smaller than its file, is an image as well.
    """
    if isinstance(image, str | os.PathLike):
        image = read_image(image, at_most=at_most)
    if isinstance(image, Picture):
        pixels, size = pixels_and_size(image.pixels, at_most)
        return pixels, image.size or size
    if isinstance(image, Image.Image):
        image = _of_some_size(upright(image))
        grey, _, colour = _grey_alpha_and_colour(averaged(image, at_most))
        return grey if colour is None else np.divide(colour, 255, dtype=np.float32), (image.height, image.width)
    values, size = _to_channels(image, at_most)
    if values.shape[-1] == 1:
        return _to_grey(values), size
    colour = values[..., :3]
    if values.shape[-1] == 4:
        colour = 1 - (1 - colour) * values[..., 3:]
    return np.ascontiguousarray(colour.clip(0, 1), dtype=np.float32), size


def _of_some_size(image: Image.Image) -> Image.Image:
    if 0 in image.size:
        raise SketchGANError(f"an image of {image.width} x {image.height} px is empty; give another")
    return image


def _to_channels(image: Any, at_most: float) -> tuple[np.ndarray, tuple[int, int]]:
    """(H, W, C) float32 of an array or tensor, C = 1, 3 or 4, averaged down to `at_most`; and the size it had."""
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
    size = (values.shape[0], values.shape[1])
    if side(values.shape) > at_most and values.dtype in (np.bool_, np.uint8, np.uint16, np.float32, np.float64):
        values = shrunk(values.astype(np.uint8) * 255 if values.dtype == np.bool_ else values, at_most)
        values = values.reshape(*values.shape[:2], -1)  # OpenCV leaves out a single channel
    if values.shape[0] * values.shape[1] > MAX_PIXELS:
        raise SketchGANError(f"the image is {values.shape[1]}x{values.shape[0]}: {_too_large()}")
    return _to_unit_range(values), size


def _to_grey(values: np.ndarray) -> np.ndarray:
    channels = values.shape[-1]
    grey = values[..., 0] if channels == 1 else values[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    if channels == 4:
        grey = 1 - (1 - grey) * values[..., 3]
    return np.ascontiguousarray(grey.clip(0, 1), dtype=np.float32)


def write_image(
    path: str | os.PathLike[str],
    sketch: Any,
    overwrite: bool = False,
    dpi: tuple[float, float] | None = None,
    made_with: str = "",
) -> None:
    """Writes a grey image, whole or not at all; the format follows the suffix.

    Args:
        path: .png, .jpg, .webp, .tif or .bmp; missing folders are made.
        sketch: (H, W) array or tensor, 0..1; or a PIL image, written as it is.
        overwrite: replace an existing file.
        dpi: pixels per inch in x and y.
        made_with: the settings it was made with, which `read_made_with` reads; a BMP cannot hold them.

    Raises:
        SketchGANError: unknown suffix, the file exists, or the disk refuses.
    """
    path = Path(path)
    check_output(path, overwrite)
    sketch = to_image(sketch)
    kind = OUTPUT_FORMATS[path.suffix.lower()]
    check_size(path, sketch.height, sketch.width)
    try:
        with written_whole(path) as file:
            save_image(file, sketch, kind, dpi, made_with)
    except (OSError, ValueError) as error:
        raise SketchGANError(f"{path}: cannot be written ({error}); choose another place or format") from error


def save_image(
    file: BinaryIO, image: Image.Image, kind: str, dpi: tuple[float, float] | None = None, made_with: str = ""
) -> None:
    """Writes an image to an open file, as a PNG, JPEG, WEBP, TIFF or BMP; see `write_image`."""
    options = dict(_SAVE_OPTIONS.get(kind, {}))
    if dpi is not None and kind != "WEBP":
        options["dpi"] = dpi
    if made_with and kind == "PNG":
        options["pnginfo"] = text = PngImagePlugin.PngInfo()
        text.add_text(_MADE_WITH, made_with)
    elif made_with and kind != "BMP":
        exif = Image.Exif()
        exif[ExifTags.Base.ImageDescription] = f"{_MADE_WITH}: {made_with}"
        options["exif"] = exif
    image.save(file, kind, **options)


def read_made_with(path: str | os.PathLike[str]) -> str:
    """The settings that `write_image` wrote into a file.

    Raises:
        SketchGANError: there are none, or the file cannot be read.
    """
    try:
        with open_image(path) as image:
            said = image.info.get(_MADE_WITH) or image.getexif().get(ExifTags.Base.ImageDescription, "")
    except FileNotFoundError:
        raise SketchGANError(f"{path}: no such file; check the name") from None
    except (OSError, SyntaxError, ValueError, struct.error) as error:
        raise SketchGANError(f"{path}: cannot be read ({error}); give a drawing that sketchgan has made") from error
    settings = str(said).removeprefix(f"{_MADE_WITH}: ")
    if not said or (settings == said and _MADE_WITH not in image.info):
        raise SketchGANError(f"{path}: does not say how it was made; give a drawing that sketchgan has made")
    return settings


def to_image(sketch: Any) -> Image.Image:
    """A PIL image as it is; or the grey image of an array or tensor (H, W), 0..1."""
    if isinstance(sketch, Image.Image):
        return sketch
    if isinstance(sketch, np.ndarray) and sketch.dtype == np.uint8 and sketch.ndim == 2:
        return Image.fromarray(sketch)
    return Image.fromarray(np.rint(to_lines(sketch) * 255).astype(np.uint8))


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
    """Checks, before the work, that `write_image` will not refuse.

    Raises:
        SketchGANError: unknown suffix, the file exists, or nothing may be written there.
    """
    if path.suffix.lower() not in OUTPUT_FORMATS:
        raise SketchGANError(f"{path}: unknown image format; end the name in {', '.join(OUTPUT_FORMATS)}")
    if _is_there(path) and not overwrite:
        raise SketchGANError(f"{path}: exists already; choose another name or allow overwriting")
    folder = next(parent for parent in path.absolute().parents if _is_there(parent))
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise SketchGANError(f"{path}: nothing may be written into {folder}; choose another place")


def _is_there(path: Path) -> bool:
    """Whether something has this name, be it a link that leads nowhere."""
    try:
        path.lstat()
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise SketchGANError(f"{path}: {error.strerror}; choose a shorter one") from error
        return False
    return True


def check_size(path: Path, height: int, width: int) -> None:
    """Checks, before the work, that an image is not too large for the format of a file.

    Raises:
        SketchGANError: it is.
    """
    longest = LONGEST_SIDE.get(OUTPUT_FORMATS.get(path.suffix.lower(), ""), math.inf)
    if max(height, width) > longest:
        raise SketchGANError(f"{path}: {width} x {height} px, and such files hold {longest}; end the name in .png")


def _too_large() -> str:
    return f"larger than {MAX_PIXELS // 1_000_000} megapixels; scale it down first"


def _read_first_frame(image: Image.Image, path: Path, at_most: float) -> Picture:
    if image.width * image.height > MAX_PIXELS:
        raise SketchGANError(f"{path}: {image.width}x{image.height} pixels, {_too_large()}")
    frames = getattr(image, "n_frames", 1)
    notes: tuple[str, ...] = (f"{path}: has {frames} frames, the first is used",) if frames > 1 else ()
    image.load()
    try:
        whole = upright(image)
        size = (whole.height, whole.width)
        grey, alpha, colour = _grey_alpha_and_colour(averaged(whole, at_most))
        if image.mode.startswith("I") and (bits := _bits(np.asarray(image))) < 16:
            notes += (f"{path}: its highest value is that of {bits} bits, and it is read as such",)
    except SketchGANError as error:
        raise SketchGANError(f"{path}: {error}") from None
    return Picture(grey, alpha, colour, notes, _dpi(image), None if grey.shape == size else size)


def averaged(image: Image.Image, at_most: float) -> Image.Image:
    """A loaded image with no more pixels than a square of this side, px: averaged down to it, or as it is."""
    factor = at_most / math.sqrt(image.width * image.height)
    if factor >= 1:
        return image
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    if image.mode.startswith("I;16"):
        return Image.fromarray(cv2.resize(np.asarray(image), size, interpolation=cv2.INTER_AREA))
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        # Premultiplied, or what nobody sees would colour the edge of what is seen.
        return image.convert("RGBA").convert("RGBa").resize(size, Image.Resampling.BOX).convert("RGBA")
    plain = {"1": "L", "P": "RGB"}.get(image.mode)
    return (image if plain is None else image.convert(plain)).resize(size, Image.Resampling.BOX)


def _bits(values: np.ndarray) -> int:
    """How many bits whole numbers hold, as cameras and scanners make them; 16 where there is nothing to go by."""
    highest = int(values.max())
    return next(bits for bits in _BITS if highest < 2**bits) if highest else 16


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    try:
        x, y = (float(number) for number in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 <= x <= 100_000 and 1 <= y <= 100_000 else None


def _in_srgb(image: Image.Image) -> Image.Image:
    """An image of 8 bits in the colours of sRGB, where it brings a profile of other colours; else as it is.

    A profile that is damaged or of another kind of picture says nothing, as to other readers.
    """
    content = image.info.get("icc_profile")
    if not content or image.mode not in ("L", "LA", "P", "PA", "RGB", "RGBA", "CMYK"):
        return image
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        if "sRGB" in ImageCms.getProfileDescription(profile):
            return image
        transparent = image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info
        plain = image.convert({"LA": "L", "P": "RGB", "PA": "RGB", "RGBA": "RGB"}.get(image.mode, image.mode))
        converted = ImageCms.profileToProfile(
            plain,
            profile,
            ImageCms.createProfile("sRGB"),
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            "RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImportError, OSError, ImageCms.PyCMSError):
        return image
    assert converted is not None
    if plain.mode == "L":
        converted = converted.convert("L")
    if transparent:
        converted.putalpha(image.convert("RGBA").getchannel("A"))
    return converted


def _grey_alpha_and_colour(image: Image.Image) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    image = _in_srgb(image)
    if image.mode == "F":
        return _to_unit_range(np.asarray(image)), None, None
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise SketchGANError("a 32-bit image; convert it to 8 or 16 bits")
        return values.astype(np.float32) / np.float32(2 ** _bits(values) - 1), None, None
    if image.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        alpha = np.divide(np.asarray(image.getchannel("A")), 255, dtype=np.float32)
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    else:
        alpha = None
    is_grey = image.mode in ("1", "L", "LA")
    image = image.convert("RGB")
    grey = np.divide(np.asarray(image.convert("L")), 255, dtype=np.float32)
    if alpha is not None and 0 < (alpha > 0.5).mean() < _LINES_COVER and grey.min() > INVISIBLE:
        return 1 - alpha, alpha, None  # white lines on nothing: their alpha shows where they are
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
