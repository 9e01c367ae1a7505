"""`evaluate` and the card, on a pencil with random weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.cli import main
from training.runs.card import write_card


@pytest.fixture
def report(pencil: Path, pair_folder: Path, add_tone: Callable[[Path, str], None], tmp_path: Path) -> Path:
    """A report on two drawings: the first has a form to be shaded, the second has tone."""
    line = np.full((128, 136), 255, np.uint8)
    cv2.circle(line, (68, 64), 56, 0, 2, cv2.LINE_AA)
    cv2.imwrite(str(pair_folder / "line/ape.png"), line)
    add_tone(pair_folder, "cat")
    output = tmp_path / "report"
    command = ["evaluate", str(pencil), "--data", str(pair_folder), "-o", str(output)]
    command += ["--control-drawings", "1", "--telling-steps", "2"]
    assert main([*command, "--device", "cpu", "--dtype", "float32", "--debug"]) == 0
    return output


def test_a_report_has_floor_and_peers_beside_the_pencil(report: Path) -> None:
    values = json.loads((report / "report.json").read_text())
    assert values["drawings"] == 2, "one pair of each drawing"
    expected = {"features", "crops", "pencil", "second rendering", "cv2.pencilSketch", "grey lines"}
    assert values["distance_to_targets"].keys() | {"second rendering"} == expected
    assert 0 <= values["distance_to_targets"]["pencil"]["told_apart"] <= 1
    assert 0 <= values["lines"]["recall"] <= 1
    assert values["seeds"]["same_seed_identical"]
    assert values["seeds"]["mean_difference_of_two_seeds_where_marked"] > 0
    assert values["light"]["pictures"] == 1
    assert values["light"]["correlation"] > 0.5
    # Even untrained weights draw the plan, which has more hatching with more shading.
    curve = values["rank_correlation"]["shading"]["curve"]
    assert curve[-1] > 1.5 * curve[0]
    assert cv2.imread(str(report / "sheet.png")) is not None


def test_one_drawing_is_too_few(pencil: Path, pair_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    command = ["evaluate", str(pencil), "--data", str(pair_folder), "-o", str(tmp_path / "out"), "--held-back", "0"]
    assert main(command) == 2
    assert "two drawings" in capsys.readouterr().err


def test_the_card_tells_how_to_make_the_pencil_again(report: Path, tmp_path: Path, pair_folder: Path) -> None:
    run = tmp_path / "run"
    settings = {"width": 8, "blocks": 1, "crop": 96, "batch": 2, "crops": 4, "perceptual": "none", "log_crops": 2}
    settings |= {"validation_crops": 2, "discriminator_width": 4}
    sets = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    assert main(["run", "--data", str(pair_folder), "-o", str(run), "--threads", "1", "--device", "cpu", *sets]) == 0
    exported = tmp_path / "mine.safetensors"
    command = ["export", str(run), "-o", str(exported), "--title", "Mine", "--licence", "CC0-1.0", "--card"]
    assert main([*command, "--report", str(report)]) == 0
    page = exported.with_suffix(".md").read_text()
    for told in (
        "# Mine",
        "CC0-1.0",
        "sketchgan-train",
        "width = 8",
        "4 crops",
        "cv2.pencilSketch",
        "recall",
        "light of 1 picture",
    ):
        assert told in page
    assert cv2.imread(str(exported.with_suffix(".sheet.jpg"))) is not None
    assert "<polyline" in exported.with_suffix(".curves.svg").read_text()
    for picture in (".curves.svg", ".sheet.jpg"):
        assert exported.with_suffix(picture).name in page


def test_a_card_needs_the_runs_metrics(pencil: Path, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no metrics"):
        write_card(pencil, tmp_path)
