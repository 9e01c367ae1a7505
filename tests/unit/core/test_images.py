"""Every kind of file and array a user may bring, and one clear line for what cannot be read."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageCms
from torch.nn import functional as F

from sketchgan_core.errors import SketchGANError
from sketchgan_core.images import (
    INPUT_FORMATS,
    read_image,
    read_made_with,
    thumbnail_url,
    to_lines,
    to_pixels,
    write_image,
)

# Left half black, right half white.
HALVES = np.repeat(np.array([[0] * 4 + [255] * 4], np.uint8), 6, 0)
UNIT = HALVES / np.float32(255)


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


def png_claiming(path: Path, width: int, height: int) -> Path:
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    data = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data + struct.pack(">I", 1000) + b"IDAT")
    return path


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_every_colour_mode_reads_the_same(tmp_path: Path, mode: str, suffix: str) -> None:
    if mode == "CMYK" and suffix == ".png":
        pytest.skip("PNG has no CMYK")
    grey = Image.fromarray(HALVES)
    image = Image.fromarray(HALVES.astype(np.uint16) * 257) if mode == "I;16" else grey.convert("RGB").convert(mode)
    picture = read_image(save(tmp_path / f"image{suffix}", image))
    np.testing.assert_allclose(picture.grey, UNIT, atol=0.01)
    assert picture.grey.dtype == np.float32


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".bmp", ".gif", ".tga", ".jp2", ".pbm", ".ico", ".avif"])
def test_every_format_reads(tmp_path: Path, suffix: str) -> None:
    if suffix == ".avif" and "AVIF" not in INPUT_FORMATS:
        pytest.skip("this Pillow reads no AVIF")
    drawing = Image.fromarray(np.kron(HALVES, np.ones((8, 8), np.uint8))).convert("1" if suffix == ".pbm" else "RGB")
    options = {"sizes": [(64, 48)]} if suffix == ".ico" else {}
    picture = read_image(save(tmp_path / f"image{suffix}", drawing, **options))
    assert picture.grey.shape == (48, 64)
    assert picture.grey[:, :8].max() < 0.1
    assert picture.grey[:, -8:].min() > 0.9


def test_sixteen_bits_keep_their_precision(tmp_path: Path) -> None:
    ramp = np.arange(60_000, 60_256, dtype=np.uint16).reshape(1, -1)
    cv2.imwrite(str(tmp_path / "ramp.png"), ramp)
    grey = read_image(tmp_path / "ramp.png").grey
    assert len(np.unique(grey)) == 256
    np.testing.assert_allclose(grey, ramp / 65535, atol=1e-6)


def test_sixteen_bit_colour_reads(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "colour.png"), np.repeat(HALVES.astype(np.uint16)[..., None] * 257, 3, 2))
    np.testing.assert_allclose(read_image(tmp_path / "colour.png").grey, UNIT, atol=0.01)


def test_transparency_lies_on_white_and_is_given_back(tmp_path: Path) -> None:
    black = np.zeros((2, 2, 4), np.uint8)
    black[0, :, 3] = 255
    picture = read_image(save(tmp_path / "clear.png", Image.fromarray(black)))
    np.testing.assert_array_equal(picture.grey, [[0, 0], [1, 1]])
    np.testing.assert_array_equal(picture.alpha, [[1, 1], [0, 0]])


def test_transparent_palette_lies_on_white(tmp_path: Path) -> None:
    image = Image.fromarray(HALVES).convert("P")
    picture = read_image(save(tmp_path / "palette.png", image, transparency=image.getpixel((0, 0))))
    np.testing.assert_array_equal(picture.grey, np.ones_like(UNIT))


def test_exif_rotation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read_image(save(tmp_path / "phone.png", Image.fromarray(HALVES), exif=exif))
    np.testing.assert_allclose(picture.grey, np.rot90(UNIT, -1))


def test_first_frame_of_an_animation_with_a_note(tmp_path: Path) -> None:
    frames = [Image.fromarray(HALVES), Image.fromarray(255 - HALVES)]
    picture = read_image(save(tmp_path / "moving.gif", frames[0], save_all=True, append_images=frames[1:]))
    np.testing.assert_allclose(picture.grey, UNIT, atol=0.01)
    assert "2 frames" in picture.notes[0]


def test_extreme_shapes_read(tmp_path: Path) -> None:
    assert read_image(save(tmp_path / "dot.png", Image.new("L", (1, 1)))).grey.shape == (1, 1)
    assert read_image(save(tmp_path / "strip.png", Image.new("L", (20000, 3)))).grey.shape == (3, 20000)


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Name -> (file, what the message must say)."""
    whole = save(folder / "whole.png", Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)))
    (folder / "empty.png").touch()
    (folder / "truncated.png").write_bytes(whole.read_bytes()[:2000])
    (folder / "text.png").write_text("not an image")
    (folder / "folder.png").mkdir()
    return {
        "missing": (folder / "missing.png", "no such file"),
        "empty": (folder / "empty.png", "empty"),
        "truncated": (folder / "truncated.png", "damaged"),
        "text": (folder / "text.png", "not an image"),
        "folder": (folder / "folder.png", "folder"),
        "large": (png_claiming(folder / "large.png", 20000, 6000), "megapixels"),
        "bomb": (png_claiming(folder / "bomb.png", 60000, 60000), "megapixels"),
        "float": (save(folder / "float.tif", Image.fromarray(np.full((4, 4), 7.5, np.float32))), "0..1"),
        "32 bit": (save(folder / "deep.tif", Image.fromarray(np.full((4, 4), 1 << 20, np.int32))), "32-bit"),
    }


@pytest.mark.parametrize(
    "case", ["missing", "empty", "truncated", "text", "folder", "large", "bomb", "float", "32 bit"]
)
def test_a_bad_file_is_one_clear_line(tmp_path: Path, case: str) -> None:
    path, says = bad_files(tmp_path)[case]
    with pytest.raises(SketchGANError) as caught:
        read_image(path)
    message = str(caught.value)
    assert str(path) in message
    assert says in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "image",
    [
        HALVES,
        HALVES.astype(np.uint16) * 257,
        HALVES > 0,
        UNIT,
        UNIT.astype(np.float64),
        UNIT[..., None],
        np.repeat(UNIT[..., None], 3, 2),
        np.repeat(UNIT[None], 3, 0),
        np.repeat(UNIT[None, ..., None], 3, 3),
        torch.from_numpy(UNIT)[None, None],
        torch.from_numpy(UNIT).half(),
        Image.fromarray(HALVES),
        Image.fromarray(HALVES).convert("CMYK"),
    ],
    ids=lambda image: f"{type(image).__name__}-{getattr(image, 'dtype', '')}-{getattr(image, 'shape', '')}",
)
def test_every_kind_of_array_reads_the_same(image: object) -> None:
    np.testing.assert_allclose(to_lines(image), UNIT, atol=0.01)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_what_an_interpolation_overshoots_is_clamped(channels: int) -> None:
    small = torch.from_numpy(np.random.default_rng(0).integers(0, 2, (1, channels, 24, 24)).astype(np.float32))
    large = F.interpolate(small, scale_factor=1.5, mode="bicubic")
    assert large.min() < -0.15
    assert large.max() > 1.15
    np.testing.assert_array_equal(to_lines(large), to_lines(large.clamp(0, 1)))
    np.testing.assert_array_equal(to_pixels(large), to_pixels(large.clamp(0, 1)))


def test_rgba_arrays_lie_on_white() -> None:
    np.testing.assert_allclose(to_lines(np.zeros((2, 5, 4), np.float32)), np.ones((2, 5)))


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_a_pil_image_without_a_pixel_is_one_clear_line(size: tuple[int, int]) -> None:
    for read in (to_lines, to_pixels):
        with pytest.raises(SketchGANError, match="is empty"):
            read(Image.new("L", size))


@pytest.mark.parametrize(
    ("image", "says"),
    [
        (np.full((4, 4), np.nan, np.float32), "NaN"),
        (np.full((4, 4), 255.0), "run from 255 to 255; floats must lie in 0..1"),
        (np.array([[0.0, 2.0]]), "run from 0 to 2; floats must lie in 0..1"),
        (np.array([[-1.0, 1.0]]), "run from -1 to 1; floats must lie in 0..1"),
        (np.zeros((2, 4, 4, 3), np.float32), "shape"),
        (np.zeros((5, 4, 7), np.float32), "shape"),
        (np.zeros((0, 4), np.float32), "shape"),
        (np.zeros((4, 4), np.int64), "int64"),
    ],
)
def test_a_bad_array_is_one_clear_line(image: np.ndarray, says: str) -> None:
    with pytest.raises(SketchGANError, match=says):
        to_lines(image)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif", ".bmp", ".jpg"])
def test_written_images_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "new" / f"sketch{suffix}"
    write_image(path, UNIT)
    np.testing.assert_allclose(read_image(path).grey, UNIT, atol=0.05)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "sketch.png"
    write_image(path, UNIT)
    with pytest.raises(SketchGANError, match="exists already"):
        write_image(path, 1 - UNIT)
    np.testing.assert_array_equal(read_image(path).grey, UNIT)
    write_image(path, 1 - UNIT, overwrite=True)
    np.testing.assert_array_equal(read_image(path).grey, 1 - UNIT)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "sketch.jpg"
    write_image(path, UNIT)
    before = path.read_bytes()
    with pytest.raises(SketchGANError, match="cannot be written"):
        write_image(path, Image.new("RGBA", (4, 4)), overwrite=True)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SketchGANError, match=r"\.png"):
        write_image(tmp_path / "sketch.xyz", UNIT)


def test_a_thumbnail_is_a_small_jpeg_in_a_line() -> None:
    url = thumbnail_url(np.full((600, 300, 3), (1, 0.5, 0), np.float32))
    kind, content = url.split(",")
    assert kind == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as picture:
        assert picture.size == (128, 256)
        assert picture.getpixel((64, 128)) == pytest.approx((255, 128, 0), abs=4)


@pytest.mark.parametrize("fault", ["text", "profile", "checksum", "transparency"])
def test_what_a_png_says_beside_its_pixels_may_be_damaged(tmp_path: Path, fault: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8)
    path = save(tmp_path / "whole.png", Image.fromarray(pixels))
    whole = path.read_bytes()
    long = zlib.compress(bytes(100_000_000), 1)
    said = {
        "text": (b"zTXt", b"Comment\0\0" + long),
        "profile": (b"iCCP", b"x\0\0" + long),
        "checksum": (b"tEXt", b"Comment\0hello"),
        "transparency": (b"tRNS", b"\0\0"),
    }
    kind, data = said[fault]
    checksum = 5 if fault in ("checksum", "transparency") else zlib.crc32(kind + data)
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)
    path.write_bytes(whole[:33] + chunk + whole[33:])
    picture = read_image(path)
    assert np.array_equal(np.rint(255 * picture.grey), pixels)
    assert "left out" in picture.notes[0]


def test_a_photograph_with_damaged_exif_is_turned_all_the_same(tmp_path: Path) -> None:
    path = save(tmp_path / "photo.jpg", Image.new("L", (40, 30), 128))
    # It says that it lies on its side, and its resolution is a fraction with denominator 0.
    entries = bytes.fromhex("02001201030001000000060000001a010500010000002600000000000000ffffffff00000000")
    exif = b"Exif\0\0" + bytes.fromhex("49492a0008000000") + entries
    whole = path.read_bytes()
    path.write_bytes(whole[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + whole[2:])
    assert read_image(path).grey.shape == (40, 30)


@pytest.mark.skipif("AVIF" not in INPUT_FORMATS, reason="this Pillow reads no AVIF")
def test_a_damaged_avif_is_read_or_one_clear_line(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8)
    content = save(tmp_path / "a.avif", Image.fromarray(noise)).read_bytes()
    refused = 0
    for at in range(0, 400, 4):
        try:
            read_image("a.avif", content[:at] + b"\xff" * 8 + content[at + 8 :])
        except SketchGANError as error:
            refused += "damaged image" in str(error)
    assert refused


def test_white_on_nothing_is_ink(tmp_path: Path) -> None:
    drawing = Image.new("RGBA", (40, 30), (255, 255, 255, 0))
    drawing.paste((250, 250, 250, 255), (10, 10, 20, 12))
    grey = read_image(save(tmp_path / "white.png", drawing)).grey
    assert grey[11, 15] < 0.05
    assert grey[0, 0] == 1


def test_a_white_sheet_with_rounded_corners_stays_white(tmp_path: Path) -> None:
    sheet = Image.new("RGBA", (40, 30), (255, 255, 255, 255))
    sheet.putpixel((0, 0), (255, 255, 255, 0))
    sheet.paste((0, 0, 0, 255), (10, 10, 20, 12))
    assert read_image(save(tmp_path / "sheet.png", sheet)).grey[20, 20] == 1


@pytest.mark.parametrize(("highest", "bits"), [(255, 8), (4095, 12), (16383, 14)])
def test_values_of_fewer_bits_than_the_file_has_are_found_out(tmp_path: Path, highest: int, bits: int) -> None:
    values = np.linspace(0, highest, 1200).reshape(30, 40)
    for kind in (np.uint16, np.int32):
        picture = read_image(save(tmp_path / "few.tif", Image.fromarray(values.astype(kind))))
        assert f"that of {bits} bits" in picture.notes[0]
        np.testing.assert_allclose(picture.grey, values.astype(kind) / highest, atol=1e-6)


def test_a_jpeg_that_lacks_only_its_end_is_read_and_one_that_is_cut_is_not(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 255, (400, 320), dtype=np.uint8))
    kinds: list[dict[str, object]] = [{}, {"progressive": True}, {"subsampling": 2}]
    for options in kinds:
        whole = save(tmp_path / "whole.jpg", image.convert("RGB"), quality=80, **options)
        content = whole.read_bytes()
        (tmp_path / "end.jpg").write_bytes(content[:-2])
        picture = read_image(tmp_path / "end.jpg")
        assert "end is missing; look at its lowest 16 rows" in picture.notes[0]
        np.testing.assert_array_equal(picture.grey, read_image(whole).grey)
        for share in (0.3, 0.8):
            (tmp_path / "cut.jpg").write_bytes(content[: int(share * len(content))])
            with pytest.raises(SketchGANError, match=r"cut\.jpg: damaged"):
                read_image(tmp_path / "cut.jpg")


def swapped_profile() -> bytes:
    """A profile in which red and blue have changed places."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for before, after in ((b"rXYZ", b"????"), (b"bXYZ", b"rXYZ"), (b"????", b"bXYZ")):
        profile = profile.replace(before, after, 1)
    return profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".jpg"])
def test_colours_are_those_that_the_profile_says(tmp_path: Path, suffix: str, mode: str) -> None:
    red = Image.new("RGB", (20, 10), "red")
    red.paste("white", (0, 0, 5, 10))
    if suffix != ".jpg":
        red = red.convert(mode)
    red.save(tmp_path / f"red{suffix}", icc_profile=swapped_profile())
    read = read_image(tmp_path / f"red{suffix}")
    assert read.colour is not None
    np.testing.assert_allclose(read.colour[5, 15], (0, 0, 255), atol=8)
    np.testing.assert_allclose(read.colour[5, 2], 255, atol=8)
    assert (read.alpha is not None) == (red.mode == "RGBA")
    with Image.open(tmp_path / f"red{suffix}") as opened:
        np.testing.assert_allclose(to_pixels(opened)[5, 15], (0, 0, 1), atol=0.03)


@pytest.mark.parametrize("profile", [b"damaged", swapped_profile()[:300], swapped_profile()])
def test_a_profile_that_says_nothing_of_these_colours_is_left_out(tmp_path: Path, profile: bytes) -> None:
    grey = Image.new("L", (20, 10), 77)  # the profile is one of colours
    grey.save(tmp_path / "grey.png", icc_profile=profile)
    np.testing.assert_allclose(read_image(tmp_path / "grey.png").grey, 77 / 255, atol=1e-3)


def test_a_name_and_a_turned_pil_image_are_taken_as_the_file_is(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = save(tmp_path / "turned.png", Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4) * 20), exif=exif)
    wanted = read_image(file).grey
    assert wanted.shape == (4, 3)
    np.testing.assert_array_equal(to_lines(file), wanted)
    np.testing.assert_array_equal(to_lines(Image.open(file)), wanted)


def test_what_a_format_cannot_hold_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(SketchGANError, match=r"such files hold 16383; end the name in \.png"):
        write_image(tmp_path / "long.webp", np.ones((2, 16384), np.float32))
    assert not list(tmp_path.iterdir())


def test_settings_and_resolution_are_written_and_read(tmp_path: Path) -> None:
    for suffix in (".png", ".jpg", ".webp", ".tif"):
        file = tmp_path / f"sketch{suffix}"
        write_image(file, UNIT, dpi=(300, 300), made_with="--seed 7 --title 'a b'")
        assert read_made_with(file) == "--seed 7 --title 'a b'"
        if suffix != ".webp":
            assert read_image(file).dpi == pytest.approx((300, 300), abs=0.1)
    with pytest.raises(SketchGANError, match="does not say how it was made"):
        read_made_with(save(tmp_path / "other.png", Image.fromarray(HALVES)))
