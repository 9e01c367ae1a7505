"""A picture is read, never run: PostScript never starts Ghostscript, whatever the file's name or way in."""

from __future__ import annotations

import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from sketchgan_core.errors import SketchGANError
from sketchgan_core.images import INPUT_SUFFIXES, read_image
from tests.unit.training.runs import arguments as training_run

ROOT = Path(__file__).parents[2]
POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n%%EndComments\nshowpage\n%%EOF\n"


@pytest.fixture(scope="module")
def ghostscript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a `gs` that leaves `mark` beside it whenever it is started."""
    folder = tmp_path_factory.mktemp("bin")
    program = folder / "gs"
    program.write_text(f'#!/bin/sh\necho "$@" >> "{folder}/mark"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return folder


def environment(ghostscript: Path) -> dict[str, str]:
    path = os.pathsep.join([str(ghostscript), os.environ["PATH"]])
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}


def python(ghostscript: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment(ghostscript), capture_output=True, text=True)


def postscript_pictures(folder: Path, suffixes: list[str]) -> list[Path]:
    folder.mkdir(parents=True)
    files = [folder / f"picture-{suffix[1:]}{suffix}" for suffix in suffixes]
    for file in files:
        file.write_bytes(POSTSCRIPT)
    return files


@pytest.fixture(autouse=True)
def nothing_was_run(ghostscript: Path) -> Iterator[None]:
    yield
    mark = ghostscript / "mark"
    started = mark.read_text() if mark.exists() else ""
    mark.unlink(missing_ok=True)
    assert not started, f"a picture started a program: gs {started}"


@pytest.mark.parametrize("command", ["sketch", "lines"])
def test_the_commands_read_pictures_and_run_none(ghostscript: Path, tmp_path: Path, command: str) -> None:
    suffixes = [*sorted(INPUT_SUFFIXES), ".eps"]
    files = postscript_pictures(tmp_path / "in", suffixes)
    done = python(ghostscript, "-m", "sketchgan_core", command, *files, "-o", tmp_path / "out")
    assert done.returncode == 1
    for file in files:
        assert f"sketchgan: {file}: not an image this program can read; convert it to PNG or JPEG\n" in done.stderr
    assert not (tmp_path / "out").exists()


def test_pairs_are_made_of_pictures_and_none_is_run(ghostscript: Path, tmp_path: Path) -> None:
    suffixes = sorted(INPUT_SUFFIXES)
    files = postscript_pictures(tmp_path / "in", suffixes)
    done = python(ghostscript, "-m", "training", "pair", "--sketches", tmp_path / "in", "-o", tmp_path / "out")
    assert done.returncode == 1
    for file in files:
        assert f"{file}: not an image this program can read" in done.stderr


def test_a_folder_of_pairs_from_elsewhere_is_looked_through_and_none_is_run(ghostscript: Path, tmp_path: Path) -> None:
    records = tmp_path / ".records"
    records.mkdir()
    (records / "cat.json").write_text('{"pair": {"name": "cat"}, "file": ""}')
    for kind in ("line", "sketch"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "cat.png").write_bytes(POSTSCRIPT)
    done = python(ghostscript, "-m", "training", "pair", "-o", tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path / 'sketch' / 'cat.png'}: not an image this program can read" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_training_run_checks_pictures_and_runs_none(ghostscript: Path, tmp_path: Path) -> None:
    suffixes = [".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"]
    for kind in ("line", "sketch"):
        postscript_pictures(tmp_path / "pairs" / kind, suffixes)
    arguments = [argument for argument in training_run(tmp_path / "pairs", tmp_path / "run") if argument != "--debug"]
    done = python(ghostscript, "-m", "training", *arguments, "--dry-run")
    assert done.returncode == 2
    for suffix in suffixes:
        assert f"picture-{suffix[1:]}{suffix}: cannot be read as an image" in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.fixture(scope="module")
def app(ghostscript: Path) -> Iterator[str]:
    """The address of an app that would find the stand-in for Ghostscript."""
    pytest.importorskip("gradio", reason="the app needs gradio: pip install 'sketchgan[app]'")
    command = [sys.executable, "-m", "sketchgan_core", "app", "--no-open", "--device", "cpu"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        command += ["--port", str(probe.getsockname()[1])]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(ghostscript), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        try:
            assert server.stdout is not None
            told = iter(server.stdout)
            yield next(found.group() for line in told if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        finally:
            server.terminate()


def test_what_is_uploaded_to_the_app_is_not_run(app: str, tmp_path: Path) -> None:
    gradio_client = pytest.importorskip("gradio_client")
    client = gradio_client.Client(app, verbose=False)
    takes_pictures = {}
    for name, facts in client.view_api(return_format="dict")["named_endpoints"].items():
        pictures = [given["parameter_name"] for given in facts["parameters"] if given["component"] == "Image"]
        if pictures:
            needed = [given["parameter_name"] for given in facts["parameters"] if not given["parameter_has_default"]]
            takes_pictures[name] = pictures, [other for other in needed if other not in pictures]
    assert len(takes_pictures) >= 6, "two tabs, each with an upload, and what they do with it"
    for file in postscript_pictures(tmp_path / "in", [*sorted(INPUT_SUFFIXES), ".eps", ".svg"]):
        for name, (pictures, others) in takes_pictures.items():
            sent = {parameter: gradio_client.handle_file(file) for parameter in pictures}
            client.predict(api_name=name, **sent, **dict.fromkeys(others, 1))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(SketchGANError, match=r"pipe\.png: is a folder, a pipe or a device"):
        read_image(tmp_path / "pipe.png")


def test_a_phones_picture_of_several_is_read(tmp_path: Path) -> None:
    first, second = Image.new("L", (40, 30), 255), Image.new("L", (40, 30), 0)
    first.save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[second])
    picture = read_image(tmp_path / "phone.jpg")
    assert picture.grey.shape == (30, 40)
    assert picture.grey.min() > 0.9
    assert "2 frames" in picture.notes[0]
