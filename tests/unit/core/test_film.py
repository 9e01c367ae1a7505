"""Films through real PyAV: what stands still stands still, the sound stays, and an interruption costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from sketchgan_core.cli import main
from sketchgan_core.pencils.header import Card
from sketchgan_core.pencils.weights import save_pencil
from tests.conftest import random_generator

WIDTH, HEIGHT, FRAMES = 192, 256, 9


def shown(number: int, cut: int = 100) -> np.ndarray:
    """A ball that rolls over lit ground; after the cut, the same at night."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    picture = np.dstack([90 + 0.6 * x, 80 + 0.35 * y, 140 + 0 * x])
    picture = picture if number < cut else 0.25 * picture
    cv2.circle(picture, (20 + 4 * number, 225), 14, (200, 60, 40) if number < cut else (250, 250, 240), -1, cv2.LINE_AA)
    return picture.clip(0, 255).astype(np.uint8)


@pytest.fixture
def film(tmp_path: Path) -> Callable[..., Path]:
    def make(cut: int = 100, times: tuple[int, ...] = tuple(range(FRAMES)), turned: int = 0) -> Path:
        path = tmp_path / "film.mkv"
        with av.open(str(path), "w") as made:
            pictures = made.add_stream("ffv1", rate=25)
            pictures.width, pictures.height, pictures.pix_fmt = WIDTH, HEIGHT, "bgr0"
            if turned:
                pictures.set_display_rotation(turned)
            sound = made.add_stream("pcm_s16le", rate=8000)
            for number, time in enumerate(times):
                frame = av.VideoFrame.from_ndarray(shown(number, cut), "rgb24").reformat(format="bgr0")
                frame.pts = time
                made.mux(pictures.encode(frame))
            made.mux(pictures.encode())
            wave = (8000 * np.sin(np.arange(2400) / 5)).astype(np.int16)[None]
            heard = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
            heard.sample_rate, heard.pts = 8000, 0
            made.mux(sound.encode(heard))
            made.mux(sound.encode())
        return path

    return make


@pytest.fixture
def pencil(tmp_path: Path) -> str:
    path = tmp_path / "small.safetensors"
    save_pencil(path, random_generator(), Card("Small"))
    return str(path)


def command(source: Path, target: Path, pencil: str, *more: str) -> int:
    return main(["film", str(source), "-o", str(target), "--weights", pencil, "--device", "cpu", *more])


def frames(path: Path) -> tuple[list[np.ndarray], list[float]]:
    with av.open(str(path)) as film:
        decoded = [(frame.to_ndarray(format="gray"), frame.time) for frame in film.decode(video=0)]
    return [picture for picture, _ in decoded], [time for _, time in decoded]


def test_a_film_is_drawn_with_its_times_and_its_sound(film: Callable[..., Path], tmp_path: Path, pencil: str) -> None:
    source, target = film(times=(0, 1, 2, 4, 8, 9, 10, 15, 16)), tmp_path / "drawn.mkv"
    assert command(source, target, pencil) == 0
    drawn, times = frames(target)
    assert [picture.shape for picture in drawn] == [(HEIGHT, WIDTH)] * FRAMES
    np.testing.assert_allclose(times, frames(source)[1], atol=0.002)
    with av.open(str(target)) as made, av.open(str(source)) as given:
        heard, said = (np.concatenate([f.to_ndarray() for f in one.decode(audio=0)], 1) for one in (made, given))
    np.testing.assert_array_equal(heard, said)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drawn.mkv", "film.mkv", "small.safetensors"]


def test_the_ground_stands_still_and_an_interruption_costs_nothing(
    film: Callable[..., Path], tmp_path: Path, pencil: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sketchgan_core import film as module

    source, target = film(), tmp_path / "drawn.mp4"
    kept = tmp_path / "drawn.mp4.frames"
    write, written = module.write_image, []

    def stop_at_the_fifth(path: Path, picture: np.ndarray) -> None:
        if len(written) == 4:
            raise KeyboardInterrupt
        write(path, picture)
        written.append(path)

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_image", stop_at_the_fifth)
        assert command(source, target, pencil) == 130
    assert not target.exists()
    before = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.png")}
    assert len(before) == 4
    ground = [cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)[:50] for path in sorted(kept.glob("*.png"))]
    assert ground[0].std() > 3
    for other in ground[1:]:
        np.testing.assert_array_equal(ground[0], other)
    assert command(source, target, pencil, "--seed", "1") == 1, "frames of another take are not mixed in"
    with monkeypatch.context() as patch:
        patch.setattr(module.shutil, "rmtree", lambda _: None)
        assert command(source, target, pencil) == 0
    after = {path.name: path.stat().st_mtime_ns for path in kept.glob("*.png")}
    assert before.items() <= after.items(), "what was drawn is not drawn again"
    assert len(frames(target)[0]) == FRAMES
    with av.open(str(target)) as made:
        heard = np.concatenate([part.to_ndarray() for part in made.decode(audio=0)], 1)
    assert np.abs(heard).max() > 0.1, "an mp4 takes no uncompressed sound: it is encoded anew"


def test_a_drawing_is_held_and_a_cut_begins_anew(
    film: Callable[..., Path], tmp_path: Path, pencil: str, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "drawn.mkv"
    assert command(film(cut=5), target, pencil, "--hold", "3") == 0
    said = capsys.readouterr().err
    assert "frame 1:" in said
    assert "frame 6:" in said
    assert "frame 7:" not in said
    drawn, _ = frames(target)
    changes = [float(np.abs(a.astype(int) - b).mean()) for a, b in pairwise(drawn)]
    moved = [number for number, change in enumerate(changes, 2) if change > 1.0]
    assert moved == [4, 6, 7], "on threes, and at the cut"


def test_a_film_held_upright_is_drawn_upright(film: Callable[..., Path], tmp_path: Path, pencil: str) -> None:
    """A phone's film lies on its side and says how to turn it; it is drawn as a player shows it."""
    drawn = {}
    for turned in (0, 90):
        target = tmp_path / f"turned-{turned}.mkv"
        assert command(film(turned=turned), target, pencil) == 0
        drawn[turned] = frames(target)[0][0].astype(np.float32)
    assert drawn[90].shape == (WIDTH, HEIGHT)
    seen = {turned: cv2.resize(picture, (12, 12), interpolation=cv2.INTER_AREA) for turned, picture in drawn.items()}
    likeness = [np.corrcoef(np.rot90(seen[0], turns).ravel(), seen[90].ravel())[0, 1] for turns in range(4)]
    assert int(np.argmax(likeness)) == 1, "90 degrees against the clock"


def test_what_is_no_film_is_said(tmp_path: Path, pencil: str, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    cases = ((tmp_path / "text.mp4", "cannot be read as a film"), (tmp_path / "none.mp4", "check the name"))
    for source, words in cases:
        assert command(source, tmp_path / "out.mp4", pencil) == 1
        assert words in capsys.readouterr().err
    assert command(tmp_path / "text.mp4", tmp_path / "out.gif", pencil) == 1
    assert "a film is written as" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small.safetensors", "text.mp4"]
