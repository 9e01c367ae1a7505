from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from sketchgan_core.errors import SketchGANError
from sketchgan_core.images import read_image
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.plan import PLAN_VERSION
from training.data.pairs import Pair, describe_data, find_pairs, split
from training.data.stacks import STORED, Stacks, light_of, plan_pair, prepare

NAMES = ["ape", "bee", "cat", "dog"]
Draw = Callable[..., None]


@pytest.mark.parametrize(("line", "sketch"), [("line", "sketch"), ("raw/line", "raw/sketch"), ("raw", "sketch")])
def test_every_layout_is_found(draw_pairs: Draw, tmp_path: Path, line: str, sketch: str) -> None:
    draw_pairs(tmp_path / line, tmp_path / sketch)
    pairs = find_pairs([tmp_path])
    assert [pair.line.stem for pair in pairs] == NAMES
    assert all(pair.size == (128, 136) and pair.controls == Controls() for pair in pairs)
    assert len({pair.seed for pair in pairs}) == len(NAMES)


def test_several_folders_add_up(draw_pairs: Draw, pair_folder: Path, tmp_path: Path) -> None:
    draw_pairs(tmp_path / "more/line", tmp_path / "more/sketch", ("elk",))
    assert len(find_pairs([pair_folder, tmp_path / "more"])) == len(NAMES) + 1


def test_a_manifest_tells_seed_controls_paper_and_drawing(pair_folder: Path) -> None:
    pair = find_pairs([pair_folder])[3]
    assert (pair.seed, pair.paper, pair.drawing) == (3, "rough", "drawing-1")
    assert pair.controls.darkness == 0.6


def test_a_missing_partner_is_named(pair_folder: Path) -> None:
    (pair_folder / "sketch/bee.png").unlink()
    with pytest.raises(SketchGANError, match=r"line/bee\.png: no partner"):
        find_pairs([pair_folder])


def test_what_programs_leave_beside_pictures_is_no_pair(pair_folder: Path) -> None:
    before = find_pairs([pair_folder])
    (pair_folder / "line" / "._bee.png").write_bytes(b"of a Mac")
    (pair_folder / "sketch" / "more.png").mkdir()
    assert find_pairs([pair_folder]) == before


def test_a_size_mismatch_is_named(draw_pairs: Draw, pair_folder: Path) -> None:
    draw_pairs(pair_folder / "line", pair_folder / "other", ("bee",), size=80)
    with pytest.raises(SketchGANError, match=r"sketch/bee\.png: not the size"):
        find_pairs([pair_folder])


def test_a_pair_too_small_to_teach_anything_is_named(pair_folder: Path) -> None:
    for part in ("line", "sketch"):
        Image.new("L", (3, 40), 255).save(pair_folder / part / "bee.png")
    with pytest.raises(SketchGANError, match=r"line/bee\.png: 3 x 40 px; a pair needs 16 px"):
        find_pairs([pair_folder])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["png", "jpg", "tif"])
def test_a_photograph_is_trained_upright(pair_folder: Path, orientation: int, ending: str) -> None:
    file = pair_folder / "sketch/bee.png"
    with Image.open(file) as image:
        upright = image.convert("L").transpose(Image.Transpose.ROTATE_90).crop((0, 0, 128, 136))
    # A camera stores the picture as it was held, and how that was; these are the inverses of what a viewer does.
    undone = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    file.unlink()
    with Image.open(pair_folder / "line/bee.png") as image:
        upright = upright.resize(image.size)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    lying = upright.transpose(undone[orientation]) if orientation in undone else upright
    lying.save(pair_folder / f"sketch/bee.{ending}", exif=exif, **({"quality": 95} if ending == "jpg" else {}))
    pair = next(pair for pair in find_pairs([pair_folder]) if pair.line.stem == "bee")
    assert pair.size == upright.size[::-1]
    trained = plan_pair(pair)[..., STORED.index("sketch")].astype(int)
    assert np.abs(trained - np.asarray(upright)).mean() < (3 if ending == "jpg" else 0.01)
    assert np.abs(255 * read_image(pair.sketch).grey - trained).max() < 1


@pytest.mark.parametrize("content", [b"", b"no image", None])
def test_an_unreadable_file_is_named(pair_folder: Path, content: bytes | None) -> None:
    file = pair_folder / "sketch/cat.png"
    file.write_bytes(file.read_bytes()[:-200] if content is None else content)
    with pytest.raises(SketchGANError, match=r"sketch/cat\.png: cannot be read"):
        find_pairs([pair_folder])


def test_a_folder_without_pairs_is_named(tmp_path: Path) -> None:
    with pytest.raises(SketchGANError, match="not a pair folder"):
        find_pairs([tmp_path])


def test_a_broken_manifest_line_is_named(pair_folder: Path) -> None:
    with (pair_folder / "manifest.jsonl").open("a") as file:
        file.write("{}\n")
    with pytest.raises(SketchGANError, match=r"manifest\.jsonl:5"):
        find_pairs([pair_folder])


def test_a_picture_with_tone_is_part_of_its_pair(pair_folder: Path, add_tone: Draw) -> None:
    plain = find_pairs([pair_folder])[1]
    add_tone(pair_folder, "bee")
    pairs = find_pairs([pair_folder])
    assert [pair.tone is not None for pair in pairs] == [False, True, False, False]
    assert light_of(pairs[0]) is None
    light = light_of(pairs[1])
    assert light is not None
    assert light.tone[:, 5].mean() > light.tone[:, -5].mean() + 0.5
    before, after = plan_pair(plain), plan_pair(pairs[1])
    hatch, ink = STORED.index("hatch"), STORED.index("ink")
    assert after[..., hatch].mean() > 4 * before[..., hatch].mean()
    assert np.array_equal(before[..., ink], after[..., ink])


def test_a_picture_decides_plan_and_fingerprint(pair_folder: Path, add_tone: Draw, tmp_path: Path) -> None:
    add_tone(pair_folder, "bee")
    pairs = find_pairs([pair_folder])
    before = Stacks(pairs, tmp_path).files
    with Image.open(pair_folder / "tone/bee.png") as picture:
        darker = picture.point(lambda level: level // 2)
    darker.save(pair_folder / "tone/bee.png")
    changed = [old != new for old, new in zip(before, Stacks(pairs, tmp_path).files, strict=True)]
    assert changed == [False, True, False, False]
    lines_alone = [replace(pair, tone=None) for pair in pairs]
    assert describe_data("", pairs, [0], [1])["sha256"] != describe_data("", lines_alone, [0], [1])["sha256"]


def test_a_missing_picture_is_named(pair_folder: Path, add_tone: Draw) -> None:
    add_tone(pair_folder, "bee")
    (pair_folder / "tone/bee.png").unlink()
    with pytest.raises(SketchGANError, match=r"tone/bee\.png: missing.*synthesize"):
        find_pairs([pair_folder])


def test_a_picture_of_another_size_is_named(draw_pairs: Draw, pair_folder: Path, add_tone: Draw) -> None:
    add_tone(pair_folder, "bee")
    draw_pairs(pair_folder / "tone", pair_folder / "other", ("bee",), size=80)
    with pytest.raises(SketchGANError, match=r"tone/bee\.png: not the size"):
        find_pairs([pair_folder])


def test_pairs_without_a_manifest_may_have_pictures(pair_folder: Path, add_tone: Draw) -> None:
    add_tone(pair_folder, "bee")
    (pair_folder / "manifest.jsonl").unlink()
    assert [pair.tone is not None for pair in find_pairs([pair_folder])] == [False, True, False, False]


@pytest.mark.parametrize(
    ("brush", "version", "refused"),
    [
        ("deevad/2B_pencil", PLAN_VERSION, False),
        ("deevad/2B_pencil", PLAN_VERSION + 1, True),
        ("deevad/2B_pencil", None, True),
        ("own hand", None, False),
        (None, None, False),
    ],
)
def test_rendered_pairs_of_another_plan_are_refused(
    pair_folder: Path, brush: str | None, version: int | None, refused: bool
) -> None:
    file = pair_folder / "manifest.jsonl"
    entries = [json.loads(line) for line in file.read_text().splitlines()]
    for entry in entries:
        entry["style"] |= {} if brush is None else {"brush": brush}
        entry |= {} if version is None else {"plan_version": version}
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    if not refused:
        assert len(find_pairs([pair_folder])) == len(NAMES)
        return
    with pytest.raises(SketchGANError, match=r"manifest\.jsonl: 4 pairs are of version \d of the plan.*synthesize"):
        find_pairs([pair_folder])


def test_everything_that_is_wrong_is_told_together(draw_pairs: Draw, pair_folder: Path, tmp_path: Path) -> None:
    draw_pairs(tmp_path / "more/line", tmp_path / "more/sketch", ("elk", "fox", "gnu"))
    (pair_folder / "sketch/bee.png").unlink()
    draw_pairs(pair_folder / "line", pair_folder / "other", ("ape",), size=80)
    (pair_folder / "line/cat.jpg").write_bytes((pair_folder / "line/cat.png").read_bytes())
    photo = tmp_path / "more/line/fox.jpg"
    Image.open(photo.with_suffix(".png")).save(photo)
    photo.with_suffix(".png").unlink()
    photo.write_bytes(photo.read_bytes()[:-300])
    with pytest.raises(SketchGANError) as refusal:
        find_pairs([pair_folder, tmp_path / "more", tmp_path / "nowhere"])
    told = str(refusal.value)
    assert told.startswith("5 problems in the pairs")
    for part in (
        "line/bee.png: no partner", "sketch/ape.png: not the size", "line/cat.png: the name of cat.jpg a second time",
        "line/fox.jpg: cannot be read", "nowhere: not a pair folder",
    ):  # fmt: skip
        assert part in told


def test_of_many_problems_the_first_are_shown_and_all_are_counted(draw_pairs: Draw, tmp_path: Path) -> None:
    draw_pairs(tmp_path / "line", tmp_path / "sketch", tuple(f"n{number:02d}" for number in range(25)), size=40)
    for file in (tmp_path / "sketch").iterdir():
        file.unlink()
    with pytest.raises(SketchGANError) as refusal:
        find_pairs([tmp_path])
    told = str(refusal.value).splitlines()
    assert told[0].startswith("25 problems")
    assert len(told) == 22
    assert "n19" in told[20]
    assert told[21].endswith("and 5 more")


def _pairs(drawings: list[str]) -> list[Pair]:
    return [Pair(Path("l"), Path("s"), (8, 8), drawing, 0, Controls(), "cartridge", "CC0-1.0") for drawing in drawings]


def test_no_drawing_is_on_both_sides_and_adding_pairs_moves_none() -> None:
    drawings = [f"d{number // 2}" for number in range(2000)]
    training, validation = split(_pairs(drawings), 0.2)
    sides = [{drawings[index] for index in side} for side in (training, validation)]
    assert not sides[0] & sides[1]
    assert len(training) + len(validation) == 2000
    assert 150 <= len(sides[1]) <= 250
    more = [*drawings, *(f"e{number}" for number in range(50))]
    assert sides[1] <= {more[index] for index in split(_pairs(more), 0.2)[1]}


def test_at_least_one_drawing_is_held_back_and_one_trained_on() -> None:
    assert all(split(_pairs(["a", "b"]), 0.0))
    assert all(split(_pairs(["a", "b"]), 0.5))
    assert split(_pairs(["a", "a"]), 0.1) == ([0, 1], [0, 1])


def test_a_plan_that_was_cut_short_is_made_again(pair_folder: Path, tmp_path: Path) -> None:
    stacks = Stacks(find_pairs([pair_folder]), tmp_path / "plans")
    prepare(stacks.folder)
    whole = np.array(stacks[0])
    file = stacks.files[0]
    for length in (0, 50, file.stat().st_size // 2):
        file.write_bytes(file.read_bytes()[:length])
        assert np.array_equal(stacks[0], whole)


def test_large_scans_are_brought_to_the_size_they_are_drawn_at(tmp_path: Path) -> None:
    """At 600 dpi a stroke is 12 px wide, and a pencil that learned it so would smear."""
    lines = np.full((2600, 2000), 255, np.uint8)
    for radius in (200, 500, 900):
        cv2.circle(lines, (1000, 1300), radius, 0, 12, cv2.LINE_AA)
    for kind in ("line", "sketch", "tone"):
        (tmp_path / kind).mkdir()
        cv2.imwrite(str(tmp_path / kind / "scan.png"), lines)
    (pair,) = find_pairs([tmp_path])
    assert pair.size[0] * pair.size[1] <= 1400**2
    assert pair.size[0] / pair.size[1] == pytest.approx(1.3, abs=0.01)
    stack = plan_pair(pair)
    assert stack.shape[:2] == pair.size
    drawn = 255 - stack[..., STORED.index("sketch")]
    widest = 2 * cv2.distanceTransform((drawn > 127).astype(np.uint8), cv2.DIST_L2, 5).max() - 1
    assert widest < 6
