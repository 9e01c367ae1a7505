"""Killed at any moment, in the middle of a write too: nothing is half-written, and the same command goes on.

SKETCHGAN_KILLS=50 kills so often.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from sketchgan_core.images import write_image
from sketchgan_core.pencils.header import Card
from sketchgan_core.pencils.weights import save_pencil
from tests.conftest import draw_lines, random_generator

KILLS = int(os.environ.get("SKETCHGAN_KILLS", "3"))
PICTURES = 12


@pytest.fixture(scope="module")
def pencil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pencil") / "small.safetensors"
    save_pencil(path, random_generator(), Card("Small"))
    return path


def command(*words: object) -> subprocess.Popen[bytes]:
    everything = [sys.executable, "-m", "sketchgan_core", *map(str, words), "--device", "cpu"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(everything, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)


def test_a_folder_of_pictures(tmp_path: Path, pencil: Path) -> None:
    for number in range(PICTURES):
        write_image(tmp_path / "in" / f"{number:02}.png", np.roll(draw_lines(700, 560), 20 * number, 1))
    words = ("sketch", tmp_path / "in", "--weights", pencil, "-o")
    start = time.monotonic()
    assert command(*words, tmp_path / "whole").wait() == 0
    takes = time.monotonic() - start
    chance, out = random.Random(3), tmp_path / "out"
    for _ in range(KILLS):
        running = command(*words, out, "--resume")
        time.sleep(takes * chance.uniform(0.2, 1))
        running.kill()
        running.wait()
        for file in out.glob("*.png"):
            with Image.open(file) as drawn, Image.open(tmp_path / "whole" / file.name) as wanted:
                np.testing.assert_array_equal(np.asarray(drawn), np.asarray(wanted))
        if len(list(out.glob("*.png"))) == PICTURES:
            for file in chance.sample(sorted(out.glob("*.png")), PICTURES // 2):
                file.unlink()
    assert command(*words, out, "--resume").wait() == 0
    assert len(list(out.glob("*.png"))) == PICTURES


def test_a_film(tmp_path: Path, pencil: Path) -> None:
    film = tmp_path / "film.mkv"
    with av.open(str(film), "w") as made:
        pictures = made.add_stream("ffv1", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 192, 256, "bgr0"
        for number in range(PICTURES):
            page = np.full((256, 192, 3), 255, np.uint8)
            cv2.circle(page, (40 + 8 * number, 120), 30, (0, 0, 0), 3, cv2.LINE_AA)
            made.mux(pictures.encode(av.VideoFrame.from_ndarray(page, "rgb24").reformat(format="bgr0")))
        made.mux(pictures.encode())
    words = ("film", film, "--weights", pencil, "-o")
    start = time.monotonic()
    assert command(*words, tmp_path / "whole.mp4").wait() == 0
    takes, whole = time.monotonic() - start, frames(tmp_path / "whole.mp4")
    assert len(whole) == PICTURES
    chance, out = random.Random(4), tmp_path / "out.mp4"
    for _ in range(KILLS):
        running = command(*words, out)
        time.sleep(takes * chance.uniform(0.3, 1.1))
        running.kill()
        running.wait()
        if out.exists():
            assert frames(out) == whole  # a container's own numbers differ from run to run
            out.unlink()
    assert command(*words, out).wait() == 0
    assert frames(out) == whole
    assert not (tmp_path / "out.mp4.frames").exists()


def frames(film: Path) -> list[bytes]:
    with av.open(str(film)) as opened:
        return [frame.to_ndarray(format="gray").tobytes() for frame in opened.decode(video=0)]
