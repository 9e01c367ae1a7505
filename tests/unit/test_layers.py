"""The layers of docs/design.md, enforced on the source, on a running interpreter and on the wheel."""

from __future__ import annotations

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FORBIDDEN = {
    "sketchgan_core": {"nodes", "training", "sketchgan_training", "comfy", "comfy_api", "folder_paths", "gradio"},
    "training": {"nodes", "comfy", "comfy_api", "folder_paths", "gradio", "web"},
    "nodes": {"training", "sketchgan_training"},
}
HOST_MODULES = {"comfy", "folder_paths", "server"}


def imported(path: Path) -> set[str]:
    """Every module a file imports: absolute ones as written, relative ones resolved against the repository."""
    package = path.relative_to(ROOT).parts[:-1]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            names.add(".".join([*base, node.module] if node.module else base))
    return names


def sources(layer: str) -> list[Path]:
    return sorted((ROOT / layer).rglob("*.py"))


@pytest.mark.parametrize("layer", FORBIDDEN)
def test_no_layer_reaches_up(layer: str) -> None:
    reaching = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(layer)
        for name in imported(path)
        if name.split(".")[0] in FORBIDDEN[layer]
    }
    assert not reaching


# The rooms of a package, from the ground floor up; whatever is not named here stands above them all.
ROOMS = {
    "sketchgan_core": (
        ("errors", "files", "fields", "scaling", "devices", "choices", "images", "large"),
        ("planning", "lines"),
        ("materials",),
        ("generators",),
        ("pencils", "tiling"),
    ),
    "training": (
        ("errors", "config", "processes"),
        ("data",),
        ("synthesis", "measuring"),
        ("learning", "sketchbook"),
        ("runs",),
    ),
}


@pytest.mark.parametrize("layer", ROOMS)
def test_every_room_stands_on_those_below_it(layer: str) -> None:
    floor = {room: number for number, rooms in enumerate(ROOMS[layer]) for room in rooms}
    top = len(ROOMS[layer])
    reaching = set()
    for path in sources(layer):
        room = path.relative_to(ROOT / layer).with_suffix("").parts[0]
        for name in imported(path):
            parts = name.split(".")
            if parts[0] != layer or len(parts) < 2 or parts[1] == room:
                continue
            low, high = floor.get(parts[1], top), floor.get(room, top)
            if low > high or (low == high and 0 < low < top):
                reaching.add(f"{path.relative_to(ROOT)} imports {name}")
    assert not reaching


def test_only_host_py_knows_the_host() -> None:
    knowing = {
        str(path.relative_to(ROOT))
        for path in [ROOT / "__init__.py", *sources("nodes")]
        if path.is_file() and {name.split(".")[0] for name in imported(path)} & HOST_MODULES
    }
    assert knowing <= {"nodes/host.py"}


def test_the_core_imports_itself_relatively() -> None:
    """In the host the package has whatever name the user cloned it under."""
    absolute = {
        str(path.relative_to(ROOT))
        for path in sources("sketchgan_core")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").startswith("sketchgan_core"))
        or (isinstance(node, ast.Import) and any(alias.name.startswith("sketchgan_core") for alias in node.names))
    }
    assert not absolute


def test_importing_the_core_is_light() -> None:
    code = "import sys, sketchgan_core; print({'cv2', 'torchvision', 'torch'} & set(sys.modules))"
    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert output.stdout.strip() == "set()"


def test_the_wheel_claims_no_common_names(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-q",
        "-w",
        str(tmp_path),
        ".",
    ]
    # Built from a copy, so that no build folder stays in the checkout.
    copy = tmp_path / "copy"
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    for name in filter(None, tracked):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(command, cwd=copy, check=True)
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"sketchgan_core", "sketchgan_training", "sketchgan_app"}
    examples = {"drawings/books.png", "pictures/cat.jpg", "pictures/README.md"}
    assert {"sketchgan_app/dice.svg", *(f"sketchgan_app/examples/{name}" for name in examples)} <= set(names)
    assert {"sketchgan_core/pencils/default.safetensors", "sketchgan_training/sketchbook/eraser.safetensors"} <= set(
        names
    )
