"""`sketchgan-train pair`: from pencil drawings to a folder the trainer reads, with drawings by the real renderer."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.morphology import skeletonize

from sketchgan_core.images import read_image
from sketchgan_core.planning.controls import Controls
from tests.unit.training.renderer import needs_libmypaint
from tests.unit.training.runs import arguments
from training.cli import main
from training.data.pairs import find_pairs
from training.sketchbook import eraser, scans
from training.synthesis.pencil import draw, lay_on_paper
from training.synthesis.tracing import ink_mask

EXAMPLES = Path(__file__).parents[3] / "examples" / "drawings"
NAMES = ("gull", "squirrel", "carpenter")
SIZE = 512
NEAR = 3.0  # px: a found line this near to a drawn one counts as that line


pytestmark = needs_libmypaint


def known_lines(name: str) -> np.ndarray:
    return scans.resized(read_image(EXAMPLES / f"{name}.png").grey, SIZE)


def scanned(sketch: np.ndarray, seed: int) -> np.ndarray:
    """A sketch on yellowish paper in uneven light, with noise: 8 bit."""
    rng = np.random.default_rng(seed)
    height, width = sketch.shape
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    page = sketch * (0.82 - 0.18 * x - 0.1 * y * y) + rng.normal(0, 0.01, sketch.shape)
    return np.rint(255 * page.clip(0, 1)).astype(np.uint8)


@pytest.fixture(scope="module")
def sketches() -> dict[str, np.ndarray]:
    controls = Controls(0.5, 0.4, 0.5)
    drawn = {}
    for seed, name in enumerate(NAMES):
        lines = known_lines(name)
        drawn[name] = lay_on_paper(draw(lines, lines, controls, seed), "cartridge", seed)
    return drawn


@pytest.fixture(scope="module")
def sketchbook(sketches: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sketchbook")
    for seed, (name, sketch) in enumerate(sketches.items()):
        cv2.imwrite(str(folder / f"{name}.jpg"), scanned(sketch, seed), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return folder


@pytest.fixture(scope="module")
def first_paired(sketchbook: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first") / "pairs"
    assert main(["pair", "--sketches", str(sketchbook), "-o", str(folder), "--licence", "CC0-1.0"]) == 0
    return folder


@pytest.fixture
def paired(first_paired: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(first_paired, tmp_path / "pairs"))


def share_near(lines: np.ndarray, others: np.ndarray) -> float:
    """Share of the centre of `lines` that has ink of `others` within NEAR px."""
    distance = cv2.distanceTransform((~ink_mask(1 - others)).astype(np.uint8), cv2.DIST_L2, 5)
    return float((distance[skeletonize(ink_mask(1 - lines))] <= NEAR).mean())


def images(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.png"))}


def kept(folder: Path) -> list[str]:
    names = [pair.line.stem for pair in find_pairs([folder])]
    assert names == [json.loads(line)["name"] for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return names


@pytest.mark.parametrize("name", NAMES)
def test_the_lines_of_a_scanned_drawing_are_found_and_its_hatching_is_not(paired: Path, name: str) -> None:
    known, found = known_lines(name), read_image(paired / "line" / f"{name}.png").grey
    assert share_near(known, found) >= 0.93
    assert share_near(found, known) >= 0.93


def test_the_target_is_the_graphite_on_pure_white(paired: Path, sketches: dict[str, np.ndarray]) -> None:
    for name, sketch in sketches.items():
        target = read_image(paired / "sketch" / f"{name}.png").grey
        near = cv2.dilate((sketch < 0.97).astype(np.uint8), np.ones((25, 25))) > 0
        assert (target[~near] == 1).mean() > 0.995
        assert np.abs(target - sketch).mean() < 0.02
        assert target[sketch < 0.3].mean() < 0.45


def test_the_trainer_reads_the_folder(paired: Path) -> None:
    for pair in find_pairs([paired]):
        assert pair.drawing == pair.line.stem
        assert pair.licence == "CC0-1.0"
        assert 0.15 < float(pair.controls.shading) < 0.85
    run = paired.parent / "trained"
    assert main(arguments(paired, run)) == 0
    assert (run / "pencil.safetensors").is_file()


def test_controls_follow_the_drawing() -> None:
    lines = known_lines("gull")

    def read(controls: Controls) -> Controls:
        graphite = 1 - lay_on_paper(draw(lines, lines, controls, 1), "cartridge", 1)
        return scans.controls_of(graphite, lines)

    light, dark = read(Controls(0.1, 0.2, 0.1)), read(Controls(0.9, 0.2, 0.9))
    assert dark.darkness > light.darkness + 0.3
    assert dark.shading > light.shading + 0.3
    assert light.roughness == dark.roughness == Controls().roughness


def test_a_rejected_pair_is_set_aside_and_can_be_taken_back(paired: Path, capsys: pytest.CaptureFixture[str]) -> None:
    everything = images(paired)
    assert main(["pair", "-o", str(paired), "--reject", "gull"]) == 0
    assert kept(paired) == ["carpenter", "squirrel"]
    assert "2 pairs to train on, 1 rejected" in capsys.readouterr().err

    review = paired / "review.txt"
    review.write_text(
        review.read_text().replace("reject gull", "keep gull").replace("keep squirrel", "reject squirrel")
    )
    assert main(["pair", "-o", str(paired)]) == 0
    assert kept(paired) == ["carpenter", "gull"]

    assert main(["pair", "-o", str(paired), "--keep", "squirrel"]) == 0
    assert images(paired) == everything


def test_a_mistyped_decision_changes_nothing(paired: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pair", "-o", str(paired), "--reject", "gul"]) == 2
    assert "gul" in capsys.readouterr().err
    (paired / "review.txt").write_text("rejct gull\n")
    assert main(["pair", "-o", str(paired)]) == 2
    assert "review.txt:1" in capsys.readouterr().err
    assert len(kept(paired)) == 3


def test_again_makes_only_what_is_missing_and_keeps_what_was_mended(paired: Path, sketchbook: Path) -> None:
    complete = images(paired)
    (paired / ".records" / "gull.json").unlink()
    (paired / "line" / "gull.png").unlink()
    mended = (paired / "line" / "squirrel.png").read_bytes() + b"mended"
    (paired / "line" / "squirrel.png").write_bytes(mended)
    assert main(["pair", "--sketches", str(sketchbook), "-o", str(paired)]) == 0
    assert images(paired) == complete | {"line/squirrel.png": mended}
    assert main(["pair", "--sketches", str(sketchbook), "-o", str(paired), "--size", "300"]) == 2


def test_bad_files_cost_a_line_each_and_the_others_are_done(
    sketchbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    book = tmp_path / "book"
    book.mkdir()
    (book / "gull.jpg").write_bytes((sketchbook / "gull.jpg").read_bytes())
    (book / "text.png").write_text("not an image")
    (book / "phone.heic").write_bytes(b"ftypheic")
    cv2.imwrite(str(book / "blank.png"), np.full((200, 200), 250, np.uint8))
    cv2.imwrite(str(book / "night.png"), np.full((200, 200), 20, np.uint8))
    assert main(["pair", "--sketches", str(book), "-o", str(tmp_path / "pairs")]) == 1
    said = capsys.readouterr().err.splitlines()
    for name in ("text.png", "phone.heic", "blank.png", "night.png"):
        assert len([line for line in said if name in line]) == 1
    assert kept(tmp_path / "pairs") == ["gull"]


def test_a_place_that_gives_nothing_costs_a_line_and_the_rest_is_done(
    sketchbook: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop, scans = tmp_path / "loop", tmp_path / "scans"
    loop.symlink_to(loop)
    (scans / "folder.png").mkdir(parents=True)
    (scans / "._cat.png").write_bytes(b"of a Mac")
    shutil.copy(next(sketchbook.glob("*.*")), scans)
    (tmp_path / "empty").mkdir()
    places = [loop, tmp_path / "nowhere", tmp_path / "empty", scans]
    assert main(["pair", "--sketches", *map(str, places), "-o", str(tmp_path / "out")]) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("sketchgan-train:")]
    assert len(said) == 3
    assert len(list((tmp_path / "out" / "line").iterdir())) == 1


def test_names_that_no_text_file_can_hold_make_pairs_all_the_same(
    sketches: dict[str, np.ndarray], tmp_path: Path
) -> None:
    book = tmp_path / "book"
    book.mkdir()
    scan = cv2.imencode(".png", scanned(sketches["gull"], 0))[1].tobytes()
    names = (b"trailing .png", b"new\nline.png", b"\xff\xe9.png")
    for name in names:
        with open(os.fsencode(book) + b"/" + name, "wb") as file:
            file.write(scan)
    for _ in range(2):  # what was written is understood
        assert main(["pair", "--sketches", str(book), "-o", str(tmp_path / "pairs")]) == 0
    assert len(find_pairs([tmp_path / "pairs"])) == len(names)


def test_large_scans_are_made_smaller(sketches: dict[str, np.ndarray], tmp_path: Path) -> None:
    large = cv2.resize(scanned(sketches["gull"], 0), None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(tmp_path / "gull.png"), large)
    assert main(["pair", "--sketches", str(tmp_path / "gull.png"), "-o", str(tmp_path / "pairs"), "--size", "512"]) == 0
    line, sketch = (read_image(tmp_path / "pairs" / kind / "gull.png").grey for kind in ("line", "sketch"))
    assert line.shape == sketch.shape
    assert max(line.shape) == 512
    assert share_near(known_lines("gull"), line) >= 0.9


def test_smudges_and_paper_are_no_lines() -> None:
    rng = np.random.default_rng(0)
    blank = cv2.GaussianBlur(rng.normal(0, 1, (256, 256)), (0, 0), 12).astype(np.float32).clip(0, None)
    assert (eraser.lines_in(0.8 * blank) < 0.5).mean() < 0.001


def test_the_page_shows_every_pair_without_loading_anything(paired: Path) -> None:
    page = (paired / "review.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2 * len(NAMES)
    assert all(f'data-name="{name}"' in page for name in NAMES)
    assert "http" not in page
