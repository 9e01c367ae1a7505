"""The command: files in, files out, each failure is one line, and the other files are done."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sketchgan_core import cli
from sketchgan_core.choices import PRESETS
from sketchgan_core.errors import SketchGANError
from sketchgan_core.generators.sketchai import SketchAIGenerator, sketchai_config
from sketchgan_core.images import read_image, read_made_with, write_image
from sketchgan_core.planning.planes import PLAN_VERSION
from sketchgan_core.sheet import _font, _lacking, columns_of, contact_sheet


@pytest.fixture
def folder(tmp_path: Path, drawing: np.ndarray) -> Path:
    """Two drawings of the same name, and three files that are not images."""
    folder = tmp_path / "drawings"
    write_image(folder / "cat.png", drawing)
    write_image(folder / "cat.bmp", 1 - drawing)
    whole = (folder / "cat.png").read_bytes()
    (folder / "empty.png").touch()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.jpg").write_text("not an image")
    (folder / "notes.txt").write_text("left alone")
    return folder


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def error_lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("sketchgan: ")]


def test_a_folder_is_drawn_and_each_bad_file_named(
    folder: Path, pencil: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], drawing: np.ndarray
) -> None:
    out = tmp_path / "out"
    sheet = tmp_path / "sheet.jpg"
    assert run("sketch", folder, "-o", out, "--weights", pencil, "--device", "cpu", "--sheet", sheet) == 1
    assert sorted(file.name for file in out.iterdir()) == ["cat-bmp.png", "cat-png.png"]
    for file in out.iterdir():
        sketch = read_image(file).grey
        assert sketch.shape == drawing.shape
        # White on black was inverted.
        assert 0.6 < sketch.mean() < 0.99
    lines = error_lines(capsys)
    assert len(lines) == 3
    for name in ("empty.png", "truncated.png", "text.jpg"):
        assert sum(name in line for line in lines) == 1
    assert Image.open(sheet).width > 1000


def test_a_loop_of_links_costs_one_line(
    pencil: Path, drawing: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "in" / "cat.png", drawing)
    (tmp_path / "in" / "loop.png").symlink_to("loop.png")
    assert run("sketch", tmp_path / "in", "-o", tmp_path / "out", "--weights", pencil, "--device", "cpu") == 1
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["cat.png"]
    assert ["loop.png" in line for line in error_lines(capsys)] == [True]


LONG = "q" * 300


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sketch", "cat.png", "-o", f"{LONG}.png"], "too long"),
        (["sketch", "cat.png", "-o", "out", "--sheet", f"{LONG}.png"], "too long"),
        (["sketch", "cat.png", "-o", "out", "--weights", LONG], "too long"),
        (["info", LONG], "too long"),
        (["list", "--folder", LONG], "too long"),
        (["list", "--folder", "nowhere"], "nowhere: No such file"),
        (["import", "nowhere.pt", "-o", "x.safetensors"], "nowhere.pt: No such file"),
        (["lines", "two\nlines.png", "-o", "out"], "two lines.png: no such file"),
        (["lines", "", "-o", "out"], "an empty name"),
        (["sketch", "cat.png", "-o", "cat.jpg", "--transparent"], "holds no transparency"),
        (["info", "nope"], "there are: default"),
    ],
)
def test_whatever_the_name_it_is_one_line(
    arguments: list[str],
    said: str,
    drawing: np.ndarray,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(Path("cat.png"), drawing)
    assert run(*arguments) in (1, 2)
    lines = error_lines(capsys)
    assert len(lines) == 1
    assert said in lines[0]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["cat.png"]


@pytest.mark.parametrize(
    ("option", "said"), [(("-o", ""), "is empty"), (("-o", "x.png", "--darkness", "abc"), "no number")]
)
def test_what_is_no_value_is_said(option: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("sketch", "cat.png", *option) == 2
    assert said in capsys.readouterr().err


def test_a_closed_output_is_said(pencil: Path, drawing: np.ndarray, tmp_path: Path) -> None:
    """As in `sketchgan ... 2>&-`, and `-o - >&-`."""
    write_image(tmp_path / "cat.png", drawing)
    command = f"{sys.executable} -m sketchgan_core sketch {tmp_path}/cat.png --device cpu --weights {pencil} -o "
    subprocess.run(f"{command} {tmp_path}/out.png 2>&-", shell=True, check=True, capture_output=True)
    assert (tmp_path / "out.png").exists()
    piped = subprocess.run(f"{command} - >&-", shell=True, capture_output=True, text=True)
    assert piped.returncode == 2
    assert piped.stderr.splitlines() == ["sketchgan: -o - pipes the drawing out, but standard output is closed"]
    unread = subprocess.run(
        f"{sys.executable} -m sketchgan_core sketch - -o {tmp_path}/none.png --weights {pencil} <&-",
        shell=True,
        capture_output=True,
        text=True,
    )
    assert unread.returncode == 1
    assert unread.stderr.splitlines() == ["sketchgan: standard input is closed; pipe an image in, or name a file"]


def test_a_hair_thin_strip_is_on_the_sheet(tmp_path: Path, drawing: np.ndarray) -> None:
    write_image(tmp_path / "strip.png", np.full((4000, 3), 0.5, np.float32))
    sheet = contact_sheet([(tmp_path / "strip.png", tmp_path / "strip.png")], tmp_path / "sheet.png")
    assert np.asarray(sheet).min() < 140


@pytest.mark.parametrize("kind", ["16-bit", "palette", "CMYK", "animated", "1x1", "20000x3"])
def test_unusual_files_are_drawn(tmp_path: Path, pencil: Path, drawing: np.ndarray, kind: str) -> None:
    bytes_ = Image.fromarray(np.rint(drawing * 255).astype(np.uint8))
    source = tmp_path / {"CMYK": "in.tif", "animated": "in.gif"}.get(kind, "in.png")
    image = {
        "16-bit": Image.fromarray(np.rint(drawing * 65535).astype(np.uint16)),
        "palette": bytes_.convert("P"),
        "CMYK": bytes_.convert("CMYK"),
        "animated": bytes_,
        "1x1": Image.new("L", (1, 1), 255),
        "20000x3": bytes_.resize((20000, 3)),
    }[kind]
    image.save(source, **({"save_all": True, "append_images": [bytes_.rotate(90)]} if kind == "animated" else {}))
    assert run("sketch", source, "-o", tmp_path / "out.png", "--weights", pencil, "--device", "cpu") == 0
    assert read_image(tmp_path / "out.png").grey.shape == image.size[::-1]


def test_one_file_to_one_file_as_a_process(folder: Path, pencil: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.webp"
    command = [sys.executable, "-m", "sketchgan_core", "sketch", folder / "cat.png", "-o", out, "--weights", pencil]
    finished = subprocess.run([*command, "--device", "cpu", "--seed", "5"], capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == ""
    assert "\r" not in finished.stderr
    assert read_image(out).grey.std() > 0.05


def test_nothing_is_overwritten_unasked(
    folder: Path, pencil: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("sketch", folder / "cat.png", "-o", tmp_path / "out.png", "--weights", pencil, "--device", "cpu")
    assert run(*command) == 0
    first = (tmp_path / "out.png").read_bytes()
    assert run(*command, "--seed", 2) == 1
    assert "overwrit" in error_lines(capsys)[0]
    assert (tmp_path / "out.png").read_bytes() == first
    assert run(*command, "--seed", 2, "--overwrite") == 0
    assert (tmp_path / "out.png").read_bytes() != first


def test_an_input_is_never_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "cat.png").read_bytes()
    assert run("lines", folder / "cat.png", "-o", folder, "--overwrite") == 2
    assert "input itself" in error_lines(capsys)[0]
    assert (folder / "cat.png").read_bytes() == before


def alias(kind: str, file: Path) -> Path:
    """Another name of a file."""
    if kind == "the same":
        return file
    if kind == "./":
        return Path(f"{file.parent}/./../{file.parent.name}/{file.name}")
    if kind == "through a folder that is not there":
        return file.parent / "new" / ".." / file.name
    other = file.parent / "alias.png"
    if kind == "hard link":
        other.hardlink_to(file)
    else:
        other.symlink_to(file)
    return other


@pytest.mark.parametrize("kind", ["the same", "./", "through a folder that is not there", "symlink", "hard link"])
def test_a_sheet_never_replaces_an_input_or_a_sketch(
    tmp_path: Path, drawing: np.ndarray, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    source, out = tmp_path / "in" / "a.png", tmp_path / "out"
    write_image(source, drawing)
    before = source.read_bytes()
    assert run("sketch", source, "-o", out, "--sheet", alias(kind, source), "--overwrite") == 2
    assert error_lines(capsys)[0].endswith("is an input itself; choose another output")
    assert source.read_bytes() == before
    assert not out.exists(), "refused before any work"

    write_image(out / "a.png", drawing)
    before = (out / "a.png").read_bytes()
    assert run("sketch", source, "-o", out, "--sheet", alias(kind, out / "a.png"), "--overwrite") == 2
    (line,) = error_lines(capsys)
    assert line.endswith("is written twice; choose another output")
    assert (out / "a.png").read_bytes() == before


def test_a_sheet_never_replaces_a_sketch_that_is_not_there_yet(
    tmp_path: Path, drawing: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "a.png", drawing)
    for sheet in ("a.png", "A.PNG", "../out/a.png"):
        assert run("sketch", tmp_path / "a.png", "-o", tmp_path / "out", "--sheet", tmp_path / "out" / sheet) == 2
        assert len(error_lines(capsys)) == 1
    assert not (tmp_path / "out").exists()


def test_an_import_never_replaces_its_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = tmp_path / "G.safetensors"
    torch.save(SketchAIGenerator(sketchai_config()).state_dict(), checkpoint)
    before = checkpoint.read_bytes()
    assert run("import", checkpoint, "-o", checkpoint, "--overwrite") == 2
    assert len(error_lines(capsys)) == 1
    assert checkpoint.read_bytes() == before


def test_patterns_and_modes(folder: Path, tmp_path: Path, drawing: np.ndarray) -> None:
    assert run("lines", str(folder.parent / "**" / "cat.*"), "-o", tmp_path / "lines", "--mode", "drawing") == 0
    for file in (tmp_path / "lines").iterdir():
        np.testing.assert_allclose(read_image(file).grey, drawing, atol=0.35)
    assert run("lines", str(folder / "dog*"), folder / "cat.png", "-o", tmp_path / "more") == 1
    assert len(list((tmp_path / "more").iterdir())) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("draw",),
        ("sketch", "a.png"),
        ("sketch", "a.png", "-o", "b.png", "--darkness", "2"),
        ("sketch", "a.png", "-o", "b.png", "--darkness", "nan"),
        ("sketch", "a.png", "-o", "b.png", "--patch-size", "-1"),
        ("sketch", "a.png", "-o", "b.png", "--seed", "x"),
        ("sketch", "a.png", "b.png", "-o", "c.png"),
        ("lines", "a.png", "-o", "b.png", "--mode", "magic"),
    ],
)
def test_bad_usage_is_status_two(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*arguments) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_a_traceback_only_with_debug(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("info", tmp_path / "none.safetensors") == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert run("info", tmp_path / "none.safetensors", "--debug") == 1
    assert "Traceback" in capsys.readouterr().err


def test_list_and_info(pencil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list", "--folder", pencil.parent) == 0
    assert "CC0-1.0" in capsys.readouterr().out
    assert run("info", pencil) == 0
    shown = capsys.readouterr().out
    for text in ("Anna", "residual", "F32", '"width": 8'):
        assert text in shown
    (pencil.parent / "bad.safetensors").touch()
    assert run("list", "--folder", pencil.parent) == 1
    assert "bad.safetensors" in error_lines(capsys)[0]


def test_a_checkpoint_of_the_original_becomes_a_pencil(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint, weights = tmp_path / "G_1600.pt", tmp_path / "old.safetensors"
    torch.save(SketchAIGenerator(sketchai_config()).state_dict(), checkpoint)
    assert run("import", checkpoint, "-o", weights, "--title", "Old hand") == 0
    assert run("info", weights) == 0
    assert "Old hand" in capsys.readouterr().out
    assert run("sketch", folder / "cat.png", "-o", tmp_path / "o.png", "--weights", weights, "--device", "cpu") == 0
    assert run("sketch", folder / "cat.png", "-o", tmp_path / "p.png", "--weights", checkpoint) == 1
    assert "sketchgan import" in error_lines(capsys)[0]


def test_lines_obeys_every_setting(folder: Path, tmp_path: Path) -> None:
    settings = {
        "--thickness": "2",
        "--uniform-width": "2",
        "--detail": "0.8",
        "--threshold": "0.3",
        "--smoothing": "0.2",
        "--specks": "20",
        "--minimum-length": "10",
        "--close-gaps": "4",
        "--polarity": "dark",
        "--rules": "keep",
    }
    plain, changed = tmp_path / "plain.png", tmp_path / "changed.png"
    assert run("lines", folder / "cat.png", "-o", plain) == 0
    assert run("lines", folder / "cat.png", "-o", changed, *[part for pair in settings.items() for part in pair]) == 0
    assert Image.open(plain).size == Image.open(changed).size
    assert plain.read_bytes() != changed.read_bytes()
    assert run("lines", folder / "cat.png", "-o", tmp_path / "no.png", "--detail", "7") == 2
    assert not (tmp_path / "no.png").exists()


def test_importing_the_package_and_asking_for_help_loads_neither_torch_nor_opencv() -> None:
    script = "import sys, sketchgan_core.cli as cli; cli.main(['--help']); print({'torch', 'cv2'} & set(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines()[-1] == "set()"


def test_every_public_name_is_there() -> None:
    import sketchgan_core

    for name in sketchgan_core.__all__:
        assert callable(getattr(sketchgan_core, name)), name


def test_a_folder_gives_its_pictures_alone(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "scan [1]"
    (place / "folder.png").mkdir(parents=True)
    for name in ("cat.jfif", "._cat.jfif"):
        Image.open(folder / "cat.png").convert("L").save(place / name, "JPEG")
    assert run("lines", place, "-o", tmp_path / "out") == 0
    assert run("lines", f"{place}/*.jfif", "-o", tmp_path / "again") == 0
    assert not error_lines(capsys)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["cat.png"]
    assert [file.name for file in (tmp_path / "again").iterdir()] == ["cat.png"]


@pytest.mark.parametrize("name", ["", "x" * 300, "loop/cat.png", "loop"])
def test_a_name_that_cannot_be_is_one_line_and_the_rest_is_done(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    given = str(tmp_path / name) if name else ""
    assert run("lines", given, folder / "cat.png", "-o", tmp_path / "out") == 1
    assert len(error_lines(capsys)) == 1
    assert (tmp_path / "out/cat.png").exists()


def test_a_name_as_long_as_names_can_be_is_written(folder: Path, tmp_path: Path) -> None:
    name = "漢" * 82 + ".png"
    (tmp_path / name).write_bytes((folder / "cat.png").read_bytes())
    assert run("lines", tmp_path / name, "-o", tmp_path / "out") == 0
    assert [file.name for file in (tmp_path / "out").iterdir()] == [name]


@pytest.mark.parametrize("name", ["x.pdf", "x.svg", "x.psd", "x.doc", "x.txt", "x.jxl", "x.heiff"])
def test_a_kind_of_output_that_cannot_be_written_is_no_folder(folder: Path, tmp_path: Path, name: str) -> None:
    assert run("lines", folder / "cat.png", "-o", tmp_path / name) == 2
    assert not (tmp_path / name).exists()


def test_an_output_stands_for_the_same_input_whatever_else_is_drawn(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cat, place = folder / "cat.png", tmp_path / "in"
    for name in ("new/cat.png", "old/Cat.png", "old/cat.bmp", "old/dog.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(cat.read_bytes())
    assert run("lines", place / "new", place / "old", "-o", tmp_path / "out", "--mode", "none") == 0
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        *("dog.png", "new-cat-png.png", "old-Cat-png.png", "old-cat-bmp.png"),
    ]
    assert run("lines", place / "new/cat.png", place / "old/Cat.png", "-o", tmp_path / "two") == 0
    assert sorted(file.name for file in (tmp_path / "two").iterdir()) == ["new-cat.png", "old-Cat.png"]
    # With a picture more there, none is taken for the drawing of another.
    assert run("lines", cat, "-o", tmp_path / "more", "--mode", "none") == 0
    assert run("lines", folder / "cat.*", "-o", tmp_path / "more", "--mode", "none", "--resume") == 0
    assert sorted(file.name for file in (tmp_path / "more").iterdir()) == ["cat-bmp.png", "cat-png.png", "cat.png"]
    assert not error_lines(capsys)


def test_an_output_is_no_input_of_another_part_or_of_the_next_time(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "cat.png").read_bytes()
    given = (folder / "cat.bmp", "-o", folder / "cat.png", "--overwrite")
    assert run("lines", folder / "cat.png", folder / "dog.bmp", "-o", folder, "--overwrite", "--shard", "2/2") == 2
    assert "is an input itself" in error_lines(capsys)[0]
    assert run("lines", folder, "-o", folder, "--overwrite") == 2
    assert "is the folder that is read" in error_lines(capsys)[0]
    assert (folder / "cat.png").read_bytes() == before
    assert run("lines", *given) == 0  # asked for by name


def test_a_picture_without_a_line_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (300, 200), 255).save(tmp_path / "blank.png")
    assert run("lines", tmp_path / "blank.png", "-o", tmp_path / "out") == 0
    assert "blank.png: warning: no line stands out" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out.startswith(f"sketchgan {version('sketchgan')}, plan {PLAN_VERSION}")


def command(*arguments: object, given: bytes = b"", **options: Any) -> subprocess.CompletedProcess[bytes]:
    words = [sys.executable, "-m", "sketchgan_core", *map(str, arguments)]
    return subprocess.run(words, input=given, capture_output=True, timeout=120, **options)


def test_a_drawing_is_piped_in_and_out(tmp_path: Path, drawing: np.ndarray, pencil: Path) -> None:
    write_image(tmp_path / "a.png", drawing)
    content = (tmp_path / "a.png").read_bytes()
    done = command("sketch", "-", "-o", "-", "--weights", pencil, "--device", "cpu", given=content)
    assert done.returncode == 0, done.stderr.decode()
    assert run("sketch", tmp_path / "a.png", "-o", tmp_path / "b.png", "--weights", pencil, "--device", "cpu") == 0
    with Image.open(io.BytesIO(done.stdout)) as piped, Image.open(tmp_path / "b.png") as written:
        np.testing.assert_array_equal(np.asarray(piped), np.asarray(written))
    nothing = command("sketch", "-", "-o", "-", "--weights", pencil, "--device", "cpu")
    assert nothing.returncode == 1
    assert nothing.stderr.decode().splitlines() == [
        "sketchgan: standard input: the file is empty; export or download it again"
    ]


def test_whoever_stops_reading_or_listening_sees_no_traceback(
    tmp_path: Path, drawing: np.ndarray, pencil: Path
) -> None:
    write_image(tmp_path / "a.png", drawing)
    draw = f"{sys.executable} -m sketchgan_core sketch a.png --weights {pencil} --device cpu --overwrite"
    for rest in ("-o - | head -c 1 > seen", "-o b.png 2>&-", "-o b.png 2>&1 | head -c 1 > seen"):
        done = subprocess.run(f"{draw} {rest}", shell=True, cwd=tmp_path, capture_output=True, timeout=120)
        assert b"Traceback" not in done.stderr, rest
        assert b"Exception" not in done.stderr, rest


def test_a_name_that_no_console_shows_is_listed(tmp_path: Path, pencil: Path) -> None:
    folder = tmp_path / "pencils"
    folder.mkdir()
    for name in (b"caf\xe9.safetensors", "ペン.safetensors".encode(), b"two\nlines.safetensors"):
        (folder / os.fsdecode(name)).write_bytes(pencil.read_bytes())
    windows = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = command("list", "--folder", folder, env=windows)
    assert b"Traceback" not in done.stderr
    assert b"caf\\udce9" in done.stdout
    info = command(
        "info", folder / os.fsdecode(b"caf\xe9.safetensors"), env={**os.environ, "PYTHONIOENCODING": "cp1252"}
    )
    assert info.returncode == 0, info.stderr


def test_a_drawing_tells_how_it_was_made_and_is_made_so_again(
    tmp_path: Path, drawing: np.ndarray, pencil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "a.png", drawing, dpi=(300, 300))
    asked = ["--weights", pencil, "--device", "cpu", "--seed", "9", "--darkness", "80%", "--grade", "4H"]
    assert run("sketch", tmp_path / "a.png", "-o", tmp_path / "one.png", *asked) == 0
    assert read_image(tmp_path / "one.png").dpi == pytest.approx((300, 300), abs=0.1)
    again = ["--like", tmp_path / "one.png", "--weights", pencil, "--device", "cpu"]
    assert run("sketch", tmp_path / "a.png", "-o", tmp_path / "two.png", *again) == 0
    assert run("sketch", tmp_path / "a.png", "-o", tmp_path / "three.png", *again, "--seed", "10") == 0
    assert run("sketch", tmp_path / "a.png", "-o", tmp_path / "soft.png", *again, "--preset", "clean lines") == 0
    made = read_made_with(tmp_path / "soft.png").split()
    assert float(made[made.index("--darkness") + 1]) == PRESETS["clean lines"]["darkness"] != 0.8
    assert made[made.index("--grade") + 1] == "4H"
    one, two, three = (read_image(tmp_path / f"{name}.png").grey for name in ("one", "two", "three"))
    np.testing.assert_array_equal(one, two)
    assert (one != three).any()
    assert str(tmp_path) not in read_made_with(tmp_path / "one.png")
    assert run("sketch", tmp_path / "a.png", "-o", tmp_path / "four.png", "--like", tmp_path / "a.png") == 2
    assert error_lines(capsys)[-1].endswith("does not say how it was made; give a drawing that sketchgan has made")


def test_graphite_on_nothing(tmp_path: Path, drawing: np.ndarray, pencil: Path) -> None:
    write_image(tmp_path / "a.png", drawing)
    for name, more in (("on.png", []), ("off.png", ["--transparent"])):
        assert (
            run("sketch", tmp_path / "a.png", "-o", tmp_path / name, "--weights", pencil, "--device", "cpu", *more) == 0
        )
    with Image.open(tmp_path / "on.png") as on, Image.open(tmp_path / "off.png") as off:
        assert off.mode == "LA"
        laid = Image.alpha_composite(Image.new("RGBA", off.size, "white"), off.convert("RGBA")).convert("L")
        assert np.abs(np.asarray(laid, int) - np.asarray(on, int)).max() <= 1


def test_a_blank_drawing_is_told_with_what_to_try(
    tmp_path: Path, drawing: np.ndarray, pencil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "a.png", drawing)
    tiny = ["--patch-size", "384", "--model-size", "1"]
    assert (
        run("sketch", tmp_path / "a.png", "-o", tmp_path / "b.png", "--weights", pencil, "--device", "cpu", *tiny) == 0
    )
    assert "nothing is left; raise the model size" in capsys.readouterr().err


def test_a_model_size_without_a_patch_size_is_refused(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("sketch", folder / "cat.png", "-o", tmp_path / "out", "--model-size", "500") == 2
    (line,) = error_lines(capsys)
    assert "--model-size is a share of --patch-size" in line
    assert not (tmp_path / "out").exists()


def test_links_that_lead_back_give_each_picture_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "cat.png").write_bytes((folder / "cat.png").read_bytes())
    (tmp_path / "in" / "again").symlink_to(tmp_path / "in")
    assert run("lines", f"{tmp_path}/in/**/*.png", "-o", tmp_path / "out") == 0
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["cat.png"]


def test_where_nothing_can_be_written_is_told_before_drawing(
    tmp_path: Path, drawing: np.ndarray, pencil: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_image(tmp_path / "a.png", drawing)
    (tmp_path / "file").touch()
    assert (
        run("sketch", tmp_path / "a.png", "-o", tmp_path / "file" / "b.png", "--weights", pencil, "--device", "cpu")
        == 1
    )
    (line,) = error_lines(capsys)
    assert "nothing may be written into" in line
    (tmp_path / "loop").symlink_to("loop")
    assert run("lines", tmp_path / "a.png", "-o", tmp_path / "loop" / "b.png") == 1
    (line,) = error_lines(capsys)
    assert "nothing may be written into" in line
    sheet = ["--sheet", tmp_path / "sheet.webp"]
    with pytest.raises(SketchGANError, match="do not fit on one sheet"):
        columns_of(2000, tmp_path / "sheet.webp")
    assert columns_of(700, tmp_path / "sheet.webp") > 2
    assert run("sketch", "-", "-o", tmp_path / "b.png", "--weights", pencil, *sheet) == 2


def test_names_in_all_letters_stand_on_the_sheet(tmp_path: Path, drawing: np.ndarray) -> None:
    pairs = []
    for name in ("über", "Größe", "abc"):
        write_image(tmp_path / f"{name}.png", drawing)
        pairs.append((tmp_path / f"{name}.png", tmp_path / f"{name}.png"))
    sheet = contact_sheet(pairs, tmp_path / "sheet.png")
    assert sheet.width > 1000


@pytest.mark.parametrize("name", ["Größe", "Łódź", "Ночь", "Ωδή", "tiếng"])
def test_letters_of_most_alphabets_need_no_font_of_the_system(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sketchgan_core.sheet.FONTS", ())
    assert _lacking(_font(name), name) == 0
    assert _lacking(_font("漢字"), "漢字") == 2


def test_an_interrupted_folder_goes_on(tmp_path: Path, drawing: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "abc":
        write_image(tmp_path / "in" / f"{name}.png", drawing)
    (tmp_path / "in" / "bad.png").write_bytes(b"no picture")
    words = ("sketch", tmp_path / "in", "-o", tmp_path / "out", "--device", "cpu")
    assert run(*words, "--shard", "2/2") == 0  # b and c; a and bad are the other part
    drawn = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "out").iterdir()}
    assert sorted(drawn) == ["b.png", "c.png"]
    capsys.readouterr()
    assert run(*words, "--resume") == 1
    told = capsys.readouterr().err
    assert "2 of 4 are there already" in told
    assert [line for line in told.splitlines() if "bad.png" in line and "not an image" in line]
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "c.png"]
    assert {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in drawn} == drawn


@pytest.mark.parametrize("share", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_a_part_that_is_none_is_refused(share: str, tmp_path: Path) -> None:
    assert run("sketch", tmp_path, "-o", tmp_path / "out", "--shard", share) == 2


def test_parts_are_the_whole(tmp_path: Path, drawing: np.ndarray) -> None:
    for number in range(5):
        write_image(tmp_path / "in" / f"{number}.png", drawing)
    for part in (1, 2, 3):
        assert run("lines", tmp_path / "in", "-o", tmp_path / "out", "--shard", f"{part}/3", "--mode", "none") == 0
    assert sorted(file.stem for file in (tmp_path / "out").iterdir()) == list("01234")


def test_a_drawing_takes_every_setting_of_the_lines(tmp_path: Path, drawing: np.ndarray) -> None:
    write_image(tmp_path / "a.png", drawing)

    def drawn(name: str, *words: str) -> np.ndarray:
        target = tmp_path / f"{name}.png"
        assert run("sketch", tmp_path / "a.png", "-o", target, "--device", "cpu", "--lines", "drawing", *words) == 0
        return read_image(target).grey

    plain, thick = drawn("plain"), drawn("thick", "--thickness", "3", "--specks", "0")
    assert thick.mean() < plain.mean() - 0.01
    again = tmp_path / "again.png"
    assert run("sketch", tmp_path / "a.png", "-o", again, "--device", "cpu", "--like", tmp_path / "thick.png") == 0
    np.testing.assert_array_equal(read_image(again).grey, thick)
