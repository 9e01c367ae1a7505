"""Every node in a real ComfyUI, by POST /prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sketchgan_core.choices import PRESETS
from sketchgan_core.pencils.header import read_header
from tests.comfyui import Host, Refused, Run
from tests.conftest import draw_lines
from tests.host.graphs import (
    GRAPHITE,
    IMAGE,
    LINES,
    MODEL,
    SKETCH,
    Graph,
    composite,
    extract,
    generate,
    load_image,
    load_model,
    node,
    save_model,
    show,
    sketching,
)


def done(host: Host, graph: Graph) -> Run:
    run = host.run(graph)
    assert run.status == "success", run.error
    return run


def pixels(run: Run, name: str = "shown", index: int = 0) -> np.ndarray:
    """What was shown, 0..1: (H, W) if it is grey."""
    values = np.asarray(run.image(name, index), np.float32) / 255
    return values[..., 0] if np.ptp(values, -1).max() == 0 else values


def write(host: Host, name: str, values: np.ndarray) -> str:
    Image.fromarray(np.rint(values * 255).astype(np.uint8)).save(host.root / "input" / name)
    return name


def photo(host: Host) -> str:
    """A picture without lines: its left half dark, its right half light, with the noise of a camera."""
    levels = np.full((150, 200), 0.25, np.float32)
    levels[:, 100:] = 0.8
    noise = np.random.default_rng(0).normal(0, 0.03, levels.shape)
    return write(host, "photo.png", np.clip(levels + noise, 0, 1))


def test_three_nodes_make_a_sketch_of_a_drawing(host: Host) -> None:
    graph = {"image": load_image(), "sketch": generate(patch_size=0), "shown": show(SKETCH)}
    run = done(host, graph)
    sketch, lines = pixels(run), draw_lines(150, 200)
    assert sketch.shape == lines.shape
    assert sketch[lines < 0.2].mean() < 0.8
    assert sketch[:, -20:].mean() > 0.97
    assert "drawn at 300 x 225" in run.outputs["sketch"]["text"][0]
    assert run.outputs["sketch"]["drawn_at"] == [300, 225]


def test_a_picture_is_drawn_with_its_light_and_says_so(host: Host) -> None:
    run = done(host, sketching(photo(host)))
    sketch = pixels(run)
    assert sketch[60:90, 20:60].mean() < sketch[60:90, 140:180].mean() - 0.1, "its dark half is drawn darker"
    reason, drawn = run.outputs["sketch"]["text"][0].split("; ")
    assert reason
    assert drawn == "drawn at 200 x 150"
    without = pixels(done(host, sketching(photo(host), tone=0.0, shading=0.0)))
    assert without[60:90, 20:60].mean() > sketch[60:90, 20:60].mean() + 0.1, "tone is what draws it"


def test_lines_of_ones_own_are_drawn_with_the_tone_of_the_image(host: Host) -> None:
    lines = np.ones((150, 200), np.float32)
    graph = sketching(photo(host), lines=["own", 0]) | {"own": load_image(write(host, "blank.png", lines))}
    without = pixels(done(host, graph))
    lines[10:14, 120:190] = 0
    graph["own"] = load_image(write(host, "own.png", lines))
    run = done(host, graph)
    sketch = pixels(run)
    assert sketch[10:14, 125:185].mean() < without[10:14, 125:185].mean() - 0.05, "the line is drawn"
    assert sketch[60:90, 20:60].mean() < sketch[60:90, 140:180].mean() - 0.1, "and the tone of the picture"
    assert "lines" in run.outputs["sketch"]["text"][0]
    graph["three"] = node("RepeatImageBatch", image=IMAGE, amount=3)
    graph["sketch"]["inputs"]["image"] = ["three", 0]
    again = done(host, graph)
    for index in range(3):
        np.testing.assert_array_equal(pixels(again, index=index), sketch)


def test_the_bundled_pencil_is_the_one_of_the_loader(host: Host) -> None:
    graph = sketching(pencil="default") | {"bare": generate(), "shown bare": show(["bare", 0])}
    run = done(host, graph)
    np.testing.assert_array_equal(pixels(run, "shown bare"), pixels(run))


def test_a_preset_is_what_its_sliders_are(host: Host) -> None:
    name = "line sketch"
    named = pixels(done(host, sketching(preset=name, darkness=0.9, shading=1.0)))
    np.testing.assert_array_equal(named, pixels(done(host, sketching(**PRESETS[name]))))
    assert np.abs(named - pixels(done(host, sketching(darkness=0.9, shading=1.0)))).mean() > 0.005


def test_a_unet_draws_as_well(host: Host) -> None:
    lines, sketch = draw_lines(150, 200), pixels(done(host, sketching(pencil="unet.safetensors")))
    assert sketch[lines < 0.2].mean() < 0.8
    assert sketch[:, -20:].mean() > 0.97


def test_graphite_is_what_the_sketch_is_not(host: Host) -> None:
    graph = sketching() | {"mask": node("MaskToImage", mask=GRAPHITE), "graphite": show(["mask", 0])}
    run = done(host, graph)
    np.testing.assert_allclose(pixels(run, "graphite"), 1 - pixels(run), atol=1.1 / 255)


@pytest.mark.parametrize("size", [(64, 64), (2000, 3000)], ids=["small", "large"])
def test_any_size_comes_out_as_it_went_in(host: Host, size: tuple[int, int]) -> None:
    name = write(host, f"{size[0]}.png", draw_lines(*size))
    sketch = pixels(done(host, sketching(name)))
    assert sketch.shape == size
    assert sketch.min() < 0.5


def test_a_batch_is_drawn_frame_by_frame_with_grain_that_stands_still(host: Host) -> None:
    write(host, "upside-down.png", draw_lines(150, 200)[::-1])
    graph = sketching() | {
        "other": load_image("upside-down.png"),
        "two": node("ImageBatch", image1=IMAGE, image2=["other", 0]),
        "three": node("ImageBatch", image1=["two", 0], image2=IMAGE),
        "sketch": generate(["three", 0], model=MODEL),
    }
    run = done(host, graph)
    first, second, third = (pixels(run, index=index) for index in range(3))
    np.testing.assert_array_equal(first, third)
    assert np.abs(first - second).mean() > 0.01
    np.testing.assert_array_equal(first, pixels(done(host, sketching())))


def test_transparency_is_laid_on_white(host: Host) -> None:
    ink = 1 - draw_lines(150, 200)
    rgba = np.stack([np.zeros_like(ink)] * 3 + [ink], -1)
    # As the host loads it: black everywhere, and a mask that is 1 where nothing is drawn.
    graph = sketching(write(host, "rgba.png", rgba))
    graph["sketch"] = generate(["joined", 0], model=MODEL)
    graph["joined"] = node("JoinImageWithAlpha", image=IMAGE, alpha=["image", 1])
    np.testing.assert_allclose(pixels(done(host, graph)), pixels(done(host, sketching())), atol=0.1)


def test_maps_multiply_their_numbers(host: Host) -> None:
    plain = pixels(done(host, sketching(shading=0.8)))
    for value, name in ((1.0, "white"), (0.0, "black")):
        graph = sketching(shading=0.8, shading_map=["mask", 0])
        graph["mask"] = node("SolidMask", value=value, width=33, height=20)
        drawn = pixels(done(host, graph))
        if name == "white":
            np.testing.assert_array_equal(drawn, plain)
        else:
            np.testing.assert_array_equal(drawn, pixels(done(host, sketching(shading=0.0))))


def test_the_empty_mask_of_a_picture_without_alpha_is_no_map_and_is_told(host: Host) -> None:
    names = ("darkness", "roughness", "shading", "tone", "background")
    run = done(host, sketching(**{f"{name}_map": ["image", 1] for name in names}))
    np.testing.assert_array_equal(pixels(run), pixels(done(host, sketching())))
    assert "shading_map is empty, as Load Image gives it, and not used" in run.outputs["sketch"]["text"][0]


def test_sizes_and_tiles(host: Host) -> None:
    small = pixels(done(host, sketching(patch_size=768, output="model size")))
    assert small.shape == (75, 100)
    same = pixels(done(host, sketching(patch_size=768)))
    assert same.shape == (150, 200)
    tiled = pixels(done(host, sketching(tile=64)))
    np.testing.assert_allclose(tiled, pixels(done(host, sketching())), atol=2 / 255)


@pytest.mark.parametrize("mode", ["auto", "drawing", "photo", "classic", "none"])
def test_lines_in_every_mode(host: Host, mode: str) -> None:
    graph = {"image": load_image(), "lines": extract(mode=mode), "shown": show(LINES)}
    graph |= {"mask": node("MaskToImage", mask=["lines", 1]), "ink": show(["mask", 0])}
    run = done(host, graph)
    lines = pixels(run)
    assert run.outputs["lines"]["text"][0].startswith("none: clean lines" if mode == "auto" else f"{mode}: ")
    assert lines.shape == (150, 200)
    assert 0.5 < lines.mean() < 0.98
    np.testing.assert_allclose(pixels(run, "ink"), 1 - lines, atol=1.1 / 255)


def test_thickness(host: Host) -> None:
    def ink(thickness: float) -> float:
        graph = {"image": load_image(), "lines": extract(mode="none", thickness=thickness), "shown": show(LINES)}
        return float((1 - pixels(done(host, graph))).sum())

    assert ink(-2) < ink(0) < ink(2)
    assert ink(0) == pytest.approx(float((1 - draw_lines(150, 200)).sum()), rel=0.01)


def test_paper_and_coloured_pencil(host: Host) -> None:
    graph = sketching() | {
        "paper": composite(),
        "shown": show(["paper", 0]),
        "coloured": composite(image=["colours", 0], image_strength=1.0),
        "colours": node("EmptyImage", width=64, height=48, batch_size=1, color=0x3060C0),
        "shown coloured": show(["coloured", 0]),
    }
    run = done(host, graph)
    plain, coloured = pixels(run), pixels(run, "shown coloured")
    np.testing.assert_allclose(np.median(plain, (0, 1)), np.float32([0xF4, 0xEF, 0xE4]) / 255, atol=0.03)
    assert plain.shape == coloured.shape == (150, 200, 3)
    assert coloured[..., 2].mean() > coloured[..., 0].mean() + 0.2


def test_without_paper_the_image_has_alpha(host: Host) -> None:
    graph = sketching() | {"paper": composite(transparent=True), "shown": show(["paper", 0])}
    graph |= {"mask": node("MaskToImage", mask=["paper", 1]), "cover": show(["mask", 0])}
    run = done(host, graph)
    assert run.image("shown").mode == "RGBA"
    np.testing.assert_allclose(pixels(run)[..., 3], pixels(run, "cover"), atol=1.1 / 255)


def test_compare_shows_both_batches(host: Host) -> None:
    graph = sketching() | {
        "batch": node("RepeatImageBatch", image=IMAGE, amount=3),
        "compare": node("SketchGANCompare", before=["batch", 0], after=SKETCH),
    }
    run = done(host, graph)
    assert {key: len(images) for key, images in run.outputs["compare"].items()} == {
        "before_images": 3,
        "after_images": 1,
    }
    assert run.image("compare", 2, "before_images").size == (200, 150)


def test_a_pencil_is_merged_saved_and_loaded_again(host: Host) -> None:
    graph = sketching() | {
        "twin": load_model("twin.safetensors"),
        "merged": node("SketchGANMergeModels", model_a=MODEL, model_b=["twin", 0], ratio=0.5),
        "sketch": generate(model=["merged", 0]),
        "saved": save_model(["merged", 0], title="Blend", author="Ben", notes="Soft.", thumbnail=SKETCH),
    }
    run = done(host, graph)
    path = Path(run.outputs["saved"]["text"][0])
    header = read_header(path)
    assert path.parent == host.root / "output" / "sketchgan"
    assert (header.card.title, header.card.author, header.card.license) == ("Blend", "Ben", "CC0-1.0")
    assert header.card.thumbnail.startswith("data:image/jpeg;base64,")
    assert header.controls == {"darkness": 0.6}
    again = pixels(done(host, sketching(pencil=path.name)))
    # The saved weights have 16 bits.
    assert np.abs(again - pixels(run)).mean() < 0.005
    assert np.abs(again - pixels(done(host, sketching()))).mean() > 0.01


def test_saving_never_overwrites(host: Host) -> None:
    paths = [
        done(host, {"model": load_model(), "saved": save_model(notes=str(n))}).outputs["saved"]["text"] for n in (1, 2)
    ]
    assert paths[0] != paths[1]
    assert [read_header(path[0]).card.description for path in paths] == ["1", "2"]
    away = host.run({"model": load_model(), "saved": save_model(filename_prefix="../../away")})
    assert "outside the output folder" in away.error


def test_only_pencils_of_one_build_are_merged(host: Host) -> None:
    graph = {
        "model": load_model(),
        "wide": load_model("wide.safetensors"),
        "merged": node("SketchGANMergeModels", model_a=MODEL, model_b=["wide", 0], ratio=0.5),
        "info": node("SketchGANModelInfo", model=["merged", 0]),
    }
    assert host.run(graph).error == (
        "the two pencils are built differently (width: 8 and 16); merge pencils of one architecture and size"
    )


def test_the_card_is_shown_in_the_graph_and_before_it_runs(host: Host) -> None:
    graph = {
        "model": load_model(),
        "info": node("SketchGANModelInfo", model=MODEL),
        "text": node("PreviewAny", source=["info", 0]),
    }
    run = done(host, graph)
    card = json.loads(run.outputs["info"]["card"][0])
    assert card == host.get("/sketchgan/pencil?name=small.safetensors")
    assert (card["title"], card["licence"], card["architecture"]) == ("A small pencil", "CC0-1.0", "residual")
    assert "title: A small pencil\nauthor: Anna" in run.outputs["text"]["text"][0]
    for name in ("nothing.safetensors", "../../../etc/passwd", ""):
        with pytest.raises(OSError, match="404"):
            host.get(f"/sketchgan/pencil?name={name}")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"paper": composite(paper_color="beige")}, "'beige' is not a colour; write it as #rrggbb"),
        (
            {"sketch": generate(["large", 0], patch_size=64, model_size=4096, output="model size")},
            "lower the model size",
        ),
        ({"lines": extract(mode="magic"), "seen": show(LINES)}, "unknown line mode 'magic'"),
    ],
    ids=["colour", "size", "mode"],
)
def test_what_cannot_be_done_is_one_sentence(host: Host, change: Graph, says: str) -> None:
    graph: dict[str, Any] = sketching() | {"paper": composite(), "shown": show(["paper", 0])}
    graph["large"] = node("EmptyImage", width=1024, height=1024, batch_size=1, color=0)
    try:
        error = host.run(graph | change).error
    except Refused as refused:  # newer hosts check menus before they run anything
        error = str(refused)
    assert says in error or "not in" in error
    assert "\n" not in error.strip() or "not in" in error


def test_a_prompt_without_settings_draws_with_their_defaults(host: Host) -> None:
    """An API file that was saved before an input was added still works."""
    bare = {
        "1": load_image("drawing.png"),
        "2": node("SketchGANGenerate", image=["1", 0]),
        "3": node("SketchGANExtractLines", image=["1", 0]),
        "4": node("SketchGANComposite", graphite=["2", 1]),
        "sketch": show(["2", 0]),
        "lines": show(["3", 0]),
        "paper": show(["4", 0]),
    }
    asked = bare | {"2": generate(["1", 0], patch_size=0)}
    assert pixels(done(host, bare), "lines").min() < 0.2
    np.testing.assert_array_equal(pixels(done(host, bare), "sketch"), pixels(done(host, asked), "sketch"))


@pytest.mark.parametrize("style", ["hatching", "blended"])
def test_grade_and_style_are_drawn(host: Host, style: str) -> None:
    name = photo(host)
    drawn = {
        grade: pixels(
            done(
                host,
                {"1": load_image(name), "2": generate(["1", 0], grade=grade, style=style), "shown": show(["2", 0])},
            )
        )
        for grade in ("4H", "charcoal")
    }
    dark = [np.median(image[20:-20, 20:80]) for image in drawn.values()]
    assert dark[0] > dark[1] + 0.1


def test_every_picture_of_a_folder_is_drawn_at_its_own_size(host: Host) -> None:
    loader = "LoadImageDataSetFromFolder"
    if loader not in host.get("/object_info"):
        pytest.skip("this host loads no folders")
    folder = host.root / "input" / "pictures"
    folder.mkdir(exist_ok=True)
    sizes = {(90, 60), (70, 110)}
    for width, height in sizes:
        grey = np.rint(draw_lines(height, width) * 255).astype(np.uint8)
        Image.fromarray(grey).convert("RGB").save(folder / f"{width}.png")
    graph = sketching() | {
        "image": node(loader, folder="pictures"),
        "compared": node("SketchGANCompare", before=IMAGE, after=SKETCH),
    }
    run = done(host, graph)
    assert {run.image("shown", index).size for index in range(2)} == sizes
    for index in range(2):
        before, after = (run.image("compared", index, f"{side}_images") for side in ("before", "after"))
        assert before.size == after.size
