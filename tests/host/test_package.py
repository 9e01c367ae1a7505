"""What the host sees of the package before anything runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.comfyui import NAME, ROOT, Host, find_comfyui

SNAPSHOT = Path(__file__).parent / "schema.json"
NODES = (
    "SketchGANLoadModel",
    "SketchGANExtractLines",
    "SketchGANGenerate",
    "SketchGANComposite",
    "SketchGANCompare",
    "SketchGANMergeModels",
    "SketchGANSaveModel",
    "SketchGANModelInfo",
)
KEPT = ("display_name", "category", "output", "output_name", "output_is_list", "output_node", "input_order", "input")
KEPT_OF_INPUT = ("default", "min", "max", "step", "options", "multiline", "control_after_generate")


def schema(host: Host) -> dict[str, Any]:
    """The parts of the schema that saved workflows depend on, alike in every version of the host."""
    frozen = {}
    for name in NODES:
        info = host.get(f"/object_info/{name}")[name]
        frozen[name] = {key: info[key] for key in KEPT}
        frozen[name]["input"] = {
            group: {
                key: [kind, {word: options[word] for word in KEPT_OF_INPUT if word in options}]
                for key, (kind, options) in inputs.items()
            }
            for group, inputs in info["input"].items()
            if group != "hidden"
        }
        frozen[name]["input_order"].pop("hidden", None)
    frozen["SketchGANLoadModel"]["input"]["required"]["pencil"][1]["options"] = ["the pencils that are there"]
    return frozen


def test_the_package_is_loaded(host: Host) -> None:
    times = host.log.read_text().split("Import times for custom nodes:")[1].split("\n\n")[0]
    assert f"custom_nodes/{NAME}" in times
    assert "FAILED" not in times
    assert any(path.startswith(f"/extensions/{NAME}/") for path in host.get("/extensions"))


def test_ids_and_inputs_are_frozen(host: Host) -> None:
    if not SNAPSHOT.exists():
        SNAPSHOT.write_text(json.dumps(schema(host), indent=1) + "\n")
    assert schema(host) == json.loads(SNAPSHOT.read_text()), (
        f"saved workflows would break; if it is meant, delete {SNAPSHOT.name}, run again and commit what is written"
    )


def test_everything_is_explained(host: Host) -> None:
    for name in NODES:
        info = host.get(f"/object_info/{name}")[name]
        assert info["description"], name
        assert all(info["output_tooltips"]), name
        for group in ("required", "optional"):
            for key, (_, options) in info["input"].get(group, {}).items():
                assert options.get("tooltip"), f"{name}.{key}"


def test_titles_do_not_say_what_the_badge_says(host: Host) -> None:
    assert not [
        info for name in NODES if "SketchGAN" in (info := host.get(f"/object_info/{name}")[name]["display_name"])
    ]


def test_what_is_rarely_used_is_folded_away(host: Host) -> None:
    def shown(name: str) -> list[str]:
        inputs = host.get(f"/object_info/{name}")[name]["input"]
        settings = {key: told[1] for key, told in inputs["optional"].items() if "default" in told[1]}
        return [*inputs["required"], *(key for key, options in settings.items() if not options.get("advanced"))]

    sliders = ["darkness", "roughness", "shading", "tone", "detail", "background"]
    assert shown("SketchGANGenerate") == ["image", "preset", *sliders, "seed", "grade", "style", "paper"]
    assert shown("SketchGANExtractLines") == ["image", "mode", "detail", "threshold", "thickness"]


def test_a_search_finds_the_right_node(host: Host) -> None:
    nodes = {name: host.get(f"/object_info/{name}")[name] for name in NODES}
    if not any("search_aliases" in info for info in nodes.values()):
        pytest.skip("this host knows no further names of nodes")
    for words, found in (
        ("photo to sketch", "SketchGANGenerate"),
        ("image to sketch", "SketchGANGenerate"),
        ("controlnet lineart", "SketchGANExtractLines"),
        ("edge", "SketchGANExtractLines"),
    ):
        assert [name for name, info in nodes.items() if words in info.get("search_aliases", ())] == [found]


def test_the_blueprint_is_listed(host: Host) -> None:
    listed = host.get("/global_subgraphs")
    (ours,) = [key for key, entry in listed.items() if entry["info"]["node_pack"] == f"custom_nodes.{NAME}"]
    assert listed[ours]["name"] == "Picture to pencil"
    blueprint = json.loads(host.get(f"/global_subgraphs/{ours}")["data"])
    (wrapper,) = blueprint["nodes"]
    (inside,) = blueprint["definitions"]["subgraphs"]
    assert wrapper["type"] == inside["id"]
    for inner in inside["nodes"]:
        inputs = host.get(f"/object_info/{inner['type']}")[inner["type"]]["input"]
        known = [*inputs.get("required", {}), *inputs.get("optional", {})]
        assert {slot["name"] for slot in inner["inputs"]} == set(known)


@pytest.mark.usefixtures("host")
def test_loading_the_package_needs_neither_opencv_nor_torchvision(tmp_path: Path) -> None:
    script = f"""
import asyncio, importlib.util, sys
sys.path.insert(0, {str(find_comfyui())!r})
sys.argv = ["main.py", "--cpu", "--base-directory", {str(tmp_path)!r}]
import comfy.options
comfy.options.enable_args_parsing()
import utils.extra_config, comfy.model_patcher, comfy_api.latest, folder_paths, server
sys.modules["cv2"] = sys.modules["torchvision"] = None  # from now on importing them is an error
spec = importlib.util.spec_from_file_location("package", {str(ROOT / "__init__.py")!r})
package = sys.modules["package"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
nodes = asyncio.run(asyncio.run(package.comfy_entrypoint()).get_node_list())
print(*(node.GET_SCHEMA().node_id for node in nodes))
"""
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path)
    assert finished.stdout.split()[-len(NODES) :] == list(NODES), finished.stderr
