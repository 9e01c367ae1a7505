"""What the host does around the nodes: caching, files, progress, interruption, memory."""

from __future__ import annotations

import io
import os
import random
import shutil
import urllib.parse
from typing import Any

import numpy as np
import psutil
import pytest
from PIL import Image

from tests.comfyui import Host, Refused, Run
from tests.conftest import draw_lines
from tests.forged import contents_of, mutate, write
from tests.host.graphs import sketching

LARGE = (2400, 2400)


@pytest.fixture(scope="module")
def large(host: Host) -> str:
    Image.fromarray(np.rint(draw_lines(*LARGE) * 255).astype(np.uint8)).save(host.root / "input" / "large.png")
    return "large.png"


def refusal(host: Host, pencil: str) -> str:
    with pytest.raises(Refused) as refused:
        host.run(sketching(pencil=pencil))
    errors = refused.value.details["node_errors"]["model"]["errors"]
    assert len(errors) == 1
    return str(errors[0]["details"])


def test_an_unchanged_graph_is_not_run_again(host: Host) -> None:
    host.run(sketching(seed=11))
    again = host.run(sketching(seed=11))
    assert again.status == "success"
    assert again.executed == set()
    assert set(again.message("execution_cached")["nodes"]) == set(sketching())


def test_another_seed_draws_again_and_nothing_else(host: Host) -> None:
    first = host.run(sketching(seed=12))
    second = host.run(sketching(seed=13))
    assert second.executed == {"sketch", "shown"}
    assert first.image("shown").tobytes() != second.image("shown").tobytes()


def test_a_changed_file_is_loaded_again(host: Host) -> None:
    folder = host.root / "models" / "sketchgan"
    shutil.copy(folder / "small.safetensors", folder / "changing.safetensors")
    first = host.run(sketching(pencil="changing.safetensors"))
    shutil.copy(folder / "wide.safetensors", folder / "changing.safetensors")
    second = host.run(sketching(pencil="changing.safetensors"))
    assert second.executed == {"model", "sketch", "shown"}
    assert first.image("shown").tobytes() != second.image("shown").tobytes()
    assert host.get("/sketchgan/pencil?name=changing.safetensors")["title"] == "A wide pencil"


def test_a_missing_pencil_is_one_sentence(host: Host) -> None:
    assert refusal(host, "gone.safetensors") == (
        "pencil - gone.safetensors: no such pencil; put the file into models/sketchgan or choose another"
    )


def test_files_that_are_no_pencils_are_left_out_and_say_why(host: Host) -> None:
    folder = host.root / "models" / "sketchgan"
    (folder / "cut.safetensors").write_bytes((folder / "small.safetensors").read_bytes()[:-100])
    (folder / "pickle.safetensors").write_bytes(b"PK\x03\x04" + bytes(100))
    (folder / "notes.txt").write_text("not a pencil")
    listed = host.get("/object_info/SketchGANLoadModel")["SketchGANLoadModel"]["input"]["required"]["pencil"]
    options = listed[1]["options"]
    assert "small.safetensors" in options
    assert not {"cut.safetensors", "pickle.safetensors", "notes.txt"} & set(options)
    assert "download it again" in refusal(host, "cut.safetensors")
    assert "is a PyTorch pickle" in refusal(host, "pickle.safetensors")
    log = host.log.read_text()
    assert log.count("SketchGAN: not listed") == 2, "once for each file, however often the list is asked for"


def test_no_forged_file_takes_the_nodes_away(host: Host) -> None:
    folder = host.root / "models" / "sketchgan" / "forged"
    folder.mkdir()
    small = folder.parent / "small.safetensors"
    whole = small.read_bytes()
    data = whole[8 + int.from_bytes(whole[:8], "little") :]
    for number, place in enumerate((["0", "4"], [None, None], [[], []], [{}, {}], None, [0, 1.5])):
        contents = contents_of(small)
        contents["output.bias"]["data_offsets"] = place
        write(folder / f"offsets {number}.safetensors", contents, data)
    for seed in range(60):
        contents = contents_of(small)
        mutate(contents, random.Random(seed))
        write(folder / f"mutated {seed}.safetensors", contents, data)
    (folder / "link to nowhere.safetensors").symlink_to(folder / "nowhere")
    try:
        offered = host.get("/object_info/SketchGANLoadModel")["SketchGANLoadModel"]["input"]["required"]["pencil"]
        options = offered[1]["options"]
        assert "small.safetensors" in options
        assert not [name for name in options if "offsets" in name or "link" in name]
        for file in sorted(folder.iterdir()):
            name = f"forged/{file.name}"
            query = f"/sketchgan/pencil?name={urllib.parse.quote(name)}"
            if name in options:
                assert host.get(query)["architecture"] == "residual"
            else:
                with pytest.raises(OSError, match="404"):
                    host.get(query)
    finally:
        shutil.rmtree(folder)
    assert host.run(sketching(seed=21)).status == "success"


def test_damaged_weights_are_one_sentence_in_the_red_frame(host: Host) -> None:
    folder = host.root / "models" / "sketchgan"
    content = bytearray((folder / "small.safetensors").read_bytes())
    content[-100] ^= 0xFF
    (folder / "flipped.safetensors").write_bytes(content)
    run = host.run(sketching(pencil="flipped.safetensors"))
    assert run.message("execution_error")["node_id"] == "model"
    path = folder / "flipped.safetensors"
    assert run.error == f"{path}: the data differ from their checksum; download it again"


def test_progress_comes_with_the_picture_as_it_grows(host: Host, large: str) -> None:
    run = host.run(sketching(large, tile=256))
    progress = [
        data["value"] / data["max"] for kind, data in run.events if kind == "progress" and data["node"] == "sketch"
    ]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    previews = [Image.open(io.BytesIO(data)) for kind, data in run.events if kind == "preview"]
    ink = [float((255 - np.asarray(preview.convert("L"), np.float32)).mean()) for preview in previews]
    assert len(previews) >= 2
    assert ink[0] < ink[-1]
    assert max(previews[0].size) <= 512


def test_an_interrupted_sketch_leaves_the_host_able_to_draw(host: Host, large: str) -> None:
    def interrupt(kind: str, data: Any) -> None:
        if kind == "progress" and data["node"] == "sketch" and 0 < data["value"] < data["max"]:
            host.raw("/interrupt", b"{}")

    stopped = host.run(sketching(large, seed=77, tile=128), interrupt)
    assert stopped.message("execution_interrupted")["node_id"] == "sketch"
    assert host.run(sketching(large, seed=77, tile=128)).status == "success"


def test_twenty_sketches_take_no_more_memory_than_two(host: Host) -> None:
    Image.fromarray(np.rint(draw_lines(512, 512) * 255).astype(np.uint8)).save(host.root / "input" / "512.png")
    process = psutil.Process(host.pid)

    def after(runs: range) -> float:
        for seed in runs:
            run: Run = host.run(sketching("512.png", seed=100 + seed))
            assert run.status == "success"
        return process.memory_info().rss / 2**20

    second, twentieth = after(range(2)), after(range(2, 20))
    print(f"memory after the 2nd sketch {second:.0f} MB, after the 20th {twentieth:.0f} MB")
    assert abs(twentieth - second) <= 50


def test_a_soak_leaves_memory_flat(host: Host) -> None:
    """Changing sizes, pencils, papers and cancels; SKETCHGAN_SOAK=500 soaks so many runs."""
    runs, chance = int(os.environ.get("SKETCHGAN_SOAK", "40")), random.Random(11)
    sizes = ((64, 64), (200, 150), (333, 512), (640, 480), (768, 768))
    for height, width in sizes:
        page = np.rint(draw_lines(height, width) * 255).astype(np.uint8)
        Image.fromarray(page).convert("RGB").save(host.root / "input" / f"soak{height}.png")
    process, taken = psutil.Process(host.pid), []
    for number in range(runs):
        height, _ = chance.choice(sizes)
        choices = {
            "seed": 1000 + number,
            "paper": chance.choice(("cartridge", "smooth", "rough")),
            "style": chance.choice(("layered", "stippled")),
            "tile": chance.choice((0, 128)),
            "patch_size": chance.choice((0, 384)),
        }
        graph = sketching(f"soak{height}.png", chance.choice(("small", "wide", "unet")) + ".safetensors", **choices)
        cancelled = chance.random() < 0.2

        def interrupt(kind: str, data: Any, cancelled: bool = cancelled) -> None:
            if cancelled and kind == "progress" and data["node"] == "sketch":
                host.raw("/interrupt", b"{}")

        run = host.run(graph, interrupt)
        # What comes too late for the sketch stops the node after it.
        assert run.status == "success" or run.message("execution_interrupted")["node_id"] in ("sketch", "shown")
        taken.append(process.memory_info().rss / 2**20)
    warm = runs // 4
    early, late = taken[warm : 2 * warm], taken[-warm:]
    print(f"{runs} runs: {max(early):.0f} MB at most in the second quarter, {max(late):.0f} MB in the last")
    assert max(late) < max(early) + 150
