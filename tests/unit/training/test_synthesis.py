"""The renderer and the data set of `sketchgan-train synthesize`, with the real libmypaint."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from sketchgan_core.materials.deposition import GRADES
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.light import read_light
from sketchgan_core.planning.plan import PLAN_VERSION
from tests.unit.training.renderer import needs_libmypaint
from training.cli import main
from training.data.pairs import find_pairs
from training.data.stacks import STORED, plan_pair
from training.synthesis import mypaint
from training.synthesis.pencil import draw, lay_on_paper

pytestmark = needs_libmypaint

SIZE = 192
SUN = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
<circle cx="50" cy="50" r="36" fill="#fc0"/><circle cx="40" cy="42" r="5" fill="#000"/>
<circle cx="60" cy="42" r="5" fill="#000"/><path d="M34 60Q50 76 66 60" fill="none" stroke="#000" stroke-width="2"/>
</svg>"""
HOUSE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
<path d="M20 45V90H80V45L50 12Z" fill="#eee" stroke="#000"/><rect x="42" y="62" width="16" height="28" fill="#852"/>
</svg>"""


def circle(grey: float = 0.0, width: int = 2) -> np.ndarray:
    """A circle (SIZE, SIZE), 0 black .. 1 white."""
    image = np.full((SIZE, SIZE), 255, np.uint8)
    cv2.circle(image, (SIZE // 2, SIZE // 2), 60, round(255 * grey), width, cv2.LINE_AA)
    return image.astype(np.float32) / 255


def graphite(lines: np.ndarray, controls: Controls, seed: int = 3) -> np.ndarray:
    return 1 - lay_on_paper(draw(lines, lines, controls, seed), "cartridge", seed)


@pytest.fixture
def drawings(tmp_path: Path) -> Path:
    folder = tmp_path / "drawings"
    folder.mkdir()
    (folder / "sun.svg").write_text(SUN)
    (folder / "house.svg").write_text(HOUSE)
    (folder / "broken.svg").write_text("<svg")
    cv2.imwrite(str(folder / "ring.png"), np.round(circle() * 255).astype(np.uint8))
    return folder


def synthesize(drawings: Path, output: Path, count: int = 4, workers: int = 1, seed: int = 1, tone: float = 0.5) -> int:
    options = ["--count", count, "--size", SIZE, "--seed", seed, "--workers", workers, "--licence", "CC0-1.0"]
    return main(["synthesize", "-o", str(output), "--source", str(drawings), "--tone", str(tone), *map(str, options)])


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.*")) if p.is_file()}


def test_without_shading_graphite_stays_at_the_lines() -> None:
    lines = circle()
    drawn = graphite(lines, Controls(darkness=0.8, roughness=0.2, shading=0.0))
    away = cv2.distanceTransform((lines > 0.5).astype(np.uint8), cv2.DIST_L2, 5) > 8
    assert drawn[away].max() < 0.01
    assert drawn[~away].max() > 0.5


def test_shading_hatches_the_inside_only() -> None:
    drawn = graphite(circle(), Controls(darkness=0.6, roughness=0.1, shading=0.9))
    rows, columns = np.mgrid[:SIZE, :SIZE]
    radius = np.hypot(rows - SIZE / 2, columns - SIZE / 2)
    assert drawn[radius < 50].mean() > 0.03
    assert drawn[radius > 72].max() < 0.01


def test_darkness_darkens() -> None:
    amounts = [graphite(circle(), Controls(darkness=d, roughness=0.3, shading=0.3)).mean() for d in (0.0, 0.5, 1.0)]
    assert amounts[0] > 0
    assert amounts[1] > 1.3 * amounts[0]
    assert amounts[2] > 1.3 * amounts[1]


def test_faintest_line_is_nearly_continuous() -> None:
    lines = circle()
    load = draw(lines, lines, Controls(darkness=0.0, roughness=0.0, shading=0.0), 5)
    near = cv2.dilate(load, np.ones((7, 7), np.uint8))
    assert (near[lines < 0.3] > 0.08).mean() > 0.97


def test_roughness_moves_and_adds_strokes() -> None:
    clean, rough = (graphite(circle(), Controls(0.6, r, 0.0)) for r in (0.0, 1.0))
    assert (rough > 0.05).sum() > 1.5 * (clean > 0.05).sum()


def test_solid_black_is_layered_in_strokes_within_its_outline() -> None:
    disc = circle(width=-1)
    load = draw(disc, disc, Controls(darkness=0.6, roughness=0.0, shading=0.0), 4)
    inside = cv2.erode((disc < 0.5).astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    assert load[inside].mean() > 0.3
    assert load[inside].std() > 0.1, "strokes, no blot"
    assert cv2.GaussianBlur(load, (0, 0), 5)[inside].min() > 0.15
    assert load[cv2.erode((disc > 0.5).astype(np.uint8), np.ones((11, 11), np.uint8)) > 0].max() < 0.01


def test_every_lead_draws_as_it_does() -> None:
    """The same drawing: a harder lead is finer, a softer one broader and darker; and a soft one is rubbed."""
    lines = circle()
    load = {
        name: draw(lines, lines, Controls(shading=0.8, roughness=0.1, softness=grade.softness), 3)
        for name, grade in GRADES.items()
    }
    covered = [float((load[name] > 0.1).mean()) for name in ("4H", "2B", "8B", "charcoal")]
    assert covered == sorted(covered)
    assert covered[-1] > 1.5 * covered[0]

    def edges(name: str) -> float:
        """How sharp the strokes inside are, for their darkness."""
        inside = load[name][70:122, 70:122]
        return float(np.abs(np.diff(inside, axis=1)).mean() / inside.mean())

    assert edges("8B") < 0.8 * edges("2B")


def test_thin_grey_line_is_kept_and_lighter() -> None:
    controls = Controls(darkness=0.6, roughness=0.0, shading=0.0)
    black, grey = (draw(circle(level, 1), circle(level, 1), controls, 2) for level in (0.0, 0.7))
    near = cv2.dilate(grey, np.ones((7, 7), np.uint8))
    assert (near[circle(0.0, 1) < 0.3] > 0.1).mean() > 0.97
    assert grey.mean() < 0.8 * black.mean()


def test_broad_line_reads_broader() -> None:
    controls = Controls(darkness=0.6, roughness=0.0, shading=0.0)
    thin, broad = (draw(circle(0.0, w), circle(0.0, w), controls, 2) for w in (2, 6))
    assert (broad > 0.2).sum() > 1.7 * (thin > 0.2).sum()


def test_light_is_drawn_in_strokes_that_leave_the_lines_alone() -> None:
    lines, controls = circle(), Controls(darkness=0.6, roughness=0.0, shading=0.8, background=0.0)
    pixels = np.linspace(0.1, 0.9, SIZE, dtype=np.float32)[None].repeat(SIZE, 0)
    light = read_light(pixels)
    bare, lit = draw(lines, lines, controls, 5), draw(lines, lines, controls, 5, light=light)
    away = cv2.distanceTransform((lines > 0.5).astype(np.uint8), cv2.DIST_L2, 5) > 8
    dark, pale = slice(8, 40), slice(SIZE - 40, SIZE - 8)
    assert lit[:, dark][away[:, dark]].mean() > 0.15
    assert lit[:, pale][away[:, pale]].mean() < 0.3 * lit[:, dark][away[:, dark]].mean()
    near = cv2.dilate(lit, np.ones((7, 7), np.uint8))[lines < 0.3]
    assert (near > 0.1).mean() > 0.97
    assert bare[:, dark][away[:, dark]].max() < 0.01


def test_lines_are_pressed_harder_on_the_shadow_side() -> None:
    lines, controls = circle(), Controls(darkness=0.6, roughness=0.0, shading=0.0, background=0.0)
    pixels = np.linspace(0.1, 0.9, SIZE, dtype=np.float32)[None].repeat(SIZE, 0)
    dark, pale = (draw(lines, lines, controls, 5, light=read_light(x)) for x in (pixels, pixels[:, ::-1].copy()))
    assert dark[:, : SIZE // 2].sum() > 1.08 * pale[:, : SIZE // 2].sum()


def test_pairs_do_not_depend_on_the_number_of_processes(drawings: Path, tmp_path: Path) -> None:
    assert synthesize(drawings, tmp_path / "one", workers=1) == 0
    assert synthesize(drawings, tmp_path / "two", workers=2) == 0
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert synthesize(drawings, tmp_path / "other", seed=2) == 0
    assert files(tmp_path / "one")["sketch/000000.png"] != files(tmp_path / "other")["sketch/000000.png"]


def test_resume_makes_only_what_is_missing(drawings: Path, tmp_path: Path) -> None:
    output = tmp_path / "pairs"
    synthesize(drawings, output, count=3)
    complete = files(output)
    (output / ".records" / "000001.json").unlink()
    (output / "sketch" / "000001.png").unlink()
    stamp = (output / "sketch" / "000000.png").stat().st_mtime_ns
    assert synthesize(drawings, output, count=3) == 0
    assert files(output) == complete
    assert (output / "sketch" / "000000.png").stat().st_mtime_ns == stamp


def test_folder_of_another_seed_is_refused(drawings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synthesize(drawings, tmp_path / "pairs", count=1)
    capsys.readouterr()
    assert synthesize(drawings, tmp_path / "pairs", count=1, seed=9) == 2
    assert "another seed" in capsys.readouterr().err


def test_manifest(drawings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "pairs"
    assert synthesize(drawings, output, count=5) == 0
    lines = [json.loads(line) for line in (output / "manifest.jsonl").read_text().splitlines()]
    assert [line["name"] for line in lines] == [f"{i:06d}" for i in range(5)]
    for line in lines:
        assert set(line) == {"name", "source", "drawing", "licence", "seed", "controls", "style", "plan_version"}
        assert line["plan_version"] == PLAN_VERSION
        assert line["licence"] == "CC0-1.0"
        assert line["drawing"] in {f"drawings/{name}" for name in ("sun.svg", "house.svg", "ring.png")}
        assert Controls(**line["controls"])
        assert {"line_width", "paper", "brush"} <= set(line["style"])
        for kind in ("line", "sketch"):
            image = cv2.imread(str(output / kind / f"{line['name']}.png"), cv2.IMREAD_UNCHANGED)
            assert image.shape == (SIZE, SIZE)
            assert image.dtype == np.uint8
            assert image.max() == 255
    assert "1 drawings skipped" in capsys.readouterr().err


def test_pairs_with_tone_are_pictures_whose_plan_knows_where_they_are_dark(drawings: Path, tmp_path: Path) -> None:
    output = tmp_path / "pairs"
    synthesize(drawings, output, count=8, tone=1.0)
    pairs = find_pairs([output])
    assert len(pairs) > 5, "not every picture shows lines"
    assert len({pair.tone is None for pair in pairs}) == 2, "a scan has no colours"
    styles = [json.loads(line)["style"] for line in (output / "manifest.jsonl").read_text().splitlines()]
    assert {style.get("extracted") for style in styles} == {None, False, True}
    for pair in pairs:
        if pair.tone is None:
            assert (pair.controls.tone, pair.controls.background) == (Controls().tone, Controls().background)
            continue
        assert 0.4 <= pair.controls.tone <= 1
        stack = plan_pair(pair).astype(np.float32) / 255
        graphite, hatch = 1 - stack[..., STORED.index("sketch")], stack[..., STORED.index("hatch")]
        planned = np.maximum(hatch, stack[..., STORED.index("take")])
        # Where nothing is planned, nothing is drawn, except for restated lines and the width of a thick stroke.
        free = cv2.dilate(stack[..., : STORED.index("tone")][..., 3:].max(2), np.ones((13, 13), np.uint8)) == 0
        assert graphite[free].max(initial=0) < 0.08
        if (hatch > 0.1).mean() > 0.05:
            blurred = [cv2.GaussianBlur(image, (0, 0), 4).ravel() for image in (planned, graphite)]
            assert np.corrcoef(*blurred)[0, 1] > 0.6


def test_another_brush_draws_the_same_lines_with_another_hand(drawings: Path, tmp_path: Path) -> None:
    options = ["synthesize", "--source", str(drawings), "--count", "2", "--size", str(SIZE), "--workers", "1"]
    assert main([*options, "-o", str(tmp_path / "pencil")]) == 0
    assert main([*options, "-o", str(tmp_path / "charcoal"), "--brush", "classic/charcoal"]) == 0
    pencil, charcoal = files(tmp_path / "pencil"), files(tmp_path / "charcoal")
    assert pencil["line/000000.png"] == charcoal["line/000000.png"]
    assert pencil["sketch/000000.png"] != charcoal["sketch/000000.png"]
    manifest = charcoal["manifest.jsonl"].decode().splitlines()
    assert {json.loads(line)["style"]["brush"] for line in manifest} == {"classic/charcoal"}
    # but never in the same folder
    assert main([*options, "-o", str(tmp_path / "pencil"), "--brush", "classic/charcoal"]) == 2


def test_missing_libmypaint_is_one_line(
    drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mypaint.library.cache_clear()
    monkeypatch.setenv("LIBMYPAINT", "/nowhere/libmypaint.so")
    assert synthesize(drawings, tmp_path / "pairs") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert all(word in error for word in ("libmypaint", "apt install", "dnf install", "brew install"))


def test_missing_brush_is_one_line(
    drawings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MYPAINT_BRUSHES", str(tmp_path))
    assert synthesize(drawings, tmp_path / "pairs") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "mypaint-brushes" in error
