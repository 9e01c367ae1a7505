"""Other packs' nodes may write into what the nodes give out, in place and one channel at a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from sketchgan_core.pencils.header import Card
from sketchgan_core.pencils.weights import save_pencil
from tests.comfyui import ROOT, find_comfyui
from tests.conftest import random_generator

# The nodes as the host loads them, but called directly, because the host sends only files.
CALL_THE_NODES = """
import asyncio, importlib.util, inspect, json, sys
comfyui, root, package_folder = sys.argv[1:]
sys.path.insert(0, comfyui)
sys.argv = ["main.py", "--cpu", "--base-directory", root]
import comfy.options
comfy.options.enable_args_parsing()
import utils.extra_config, folder_paths, server, torch
spec = importlib.util.spec_from_file_location("package", package_folder + "/__init__.py")
package = sys.modules["package"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(package)
found = asyncio.run(asyncio.run(package.comfy_entrypoint()).get_node_list())
nodes = {node.GET_SCHEMA().node_id: node for node in found}

for node in nodes.values():
    told = inspect.signature(node.execute).parameters
    for given in node.GET_SCHEMA().inputs:
        if given.id in told and given.optional and getattr(given, "default", None) is not None:
            assert told[given.id].default == given.default, "what is left out is what the widget shows"

def call(name, **inputs):
    node = nodes["SketchGAN" + name]
    return node.execute(**inputs).result

(model,) = call("LoadModel", pencil="small.safetensors")
nothing, fine = torch.zeros(0, 8, 8, 3), torch.rand(1, 8, 8, 3)
for name, inputs in (
    ("Generate", {"image": nothing, "model": model}),
    ("Generate", {"image": fine, "model": model, "lines": nothing}),
    ("Generate", {"image": fine, "model": model, "shading_map": nothing[..., 0]}),
    ("ExtractLines", {"image": nothing}),
    ("Composite", {"graphite": nothing[..., 0]}),
    ("Composite", {"graphite": fine[..., 0], "image": nothing}),
    ("Compare", {"before": fine, "after": nothing}),
    ("SaveModel", {"model": model, "thumbnail": nothing}),
):
    try:
        call(name, **inputs)
        raise SystemExit(f"{name} takes nothing for something")
    except ValueError as error:
        assert "is empty" in str(error)
for kind in (torch.uint8, torch.bool, torch.bfloat16):
    full = torch.full((1, 8, 8, 1), 255 if kind == torch.uint8 else 1).to(kind)
    assert call("Composite", graphite=full[..., 0], image=full)[1].min() == 1
    call("Compare", before=full, after=fine)

image = torch.nn.functional.interpolate(
    torch.rand(2, 3, 24, 32).round(), scale_factor=1.5, mode="bicubic"
).movedim(1, -1)
assert image.min() < -0.1 and image.max() > 1.1
lines = call("ExtractLines", image=image, mode="none")
given = {
    "ExtractLines": lines,
    "ExtractLines one": call("ExtractLines", image=image[:1, :1, :1], mode="none"),
    "Generate": call("Generate", model=model, image=image, output="input size"),
    "Generate larger": call("Generate", model=model, image=image, patch_size=64, model_size=128, output="model size"),
}
graphite = given["Generate"][1]
for name, transparent in (("Composite", False), ("Composite transparent", True)):
    given[name] = call("Composite", graphite=graphite, image=image, transparent=transparent)
for name, outputs in given.items():
    for index, tensor in enumerate(outputs):
        before = [output.clone() for output in outputs]
        facts = {"shape": list(tensor.shape), "range": [float(tensor.min()), float(tensor.max())]}
        facts["contiguous"] = tensor.is_contiguous()
        try:
            tensor.view(-1)
            first = tensor.reshape(-1)[1:].clone()
            tensor.view(-1)[0] = 0.25  # one channel of one pixel
            facts["apart"] = bool((tensor.reshape(-1)[1:] == first).all())
            tensor.mul_(0.5).clamp_(0, 0.25)
            facts["written"] = float(tensor.max()) <= 0.25
        except RuntimeError as error:
            facts["error"] = str(error)
        unchanged = [torch.equal(*pair) for pair in zip(before, outputs)]
        facts["alone"] = all(unchanged[:index] + unchanged[index + 1 :])
        print(json.dumps({"output": f"{name}, {index}", **facts}))
"""


@pytest.mark.usefixtures("host")
def test_every_output_owns_its_memory(tmp_path: Path) -> None:
    pencil = tmp_path / "models" / "sketchgan" / "small.safetensors"
    save_pencil(pencil, random_generator(), Card("Small"), dtype=torch.float32)
    command = [sys.executable, "-c", CALL_THE_NODES, find_comfyui(), tmp_path, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    outputs = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(outputs) == 12
    for facts in outputs:
        assert "error" not in facts, facts
        assert facts["contiguous"], facts
        assert facts["apart"], facts
        assert facts["written"], facts
        assert facts["alone"], facts
        assert 0 <= facts["range"][0] <= facts["range"][1] <= 1, facts
