"""Pencils survive the way to disk and back; whatever else is offered gets one line that says what to do."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from sketchgan_core.errors import SketchGANError
from sketchgan_core.generators.config import GeneratorConfig
from sketchgan_core.generators.discriminator import MultiScaleDiscriminator
from sketchgan_core.generators.registry import build_generator
from sketchgan_core.generators.sketchai import SketchAIGenerator, sketchai_config
from sketchgan_core.pencils.foreign import read_checkpoint
from sketchgan_core.pencils.header import Card, list_pencils, read_header
from sketchgan_core.pencils.weights import load_discriminator, load_pencil, save_discriminator, save_pencil
from tests.conftest import random_generator


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("architecture", ["residual", "unet"])
def test_a_pencil_survives_the_disk(tmp_path: Path, architecture: str, dtype: torch.dtype) -> None:
    generator = random_generator(architecture)
    path = tmp_path / "new" / "mine.safetensors"
    save_pencil(path, generator, Card("Mine", license="CC0-1.0"), controls={"darkness": 0.7}, dtype=dtype)
    pencil = load_pencil(path)
    assert pencil.generator.config == generator.config
    assert pencil.header.controls == {"darkness": 0.7}
    assert not pencil.generator.training
    for name, tensor in pencil.generator.state_dict().items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, generator.state_dict()[name].to(dtype).float())
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_card_is_read_from_the_header_alone(tmp_path: Path, pencil: Path) -> None:
    header = read_header(pencil)
    assert (header.card.title, header.card.author, header.card.license) == ("Test", "Anna", "CC0-1.0")
    assert header.architecture == "residual"
    assert header.metadata["modelspec.sai_model_spec"] == "1.0.1"
    assert header.metadata["modelspec.architecture"] == "sketchgan-v1/residual"
    assert header.parameters == sum(tensor.numel() for tensor in random_generator().state_dict().values())


@pytest.mark.parametrize("plan", [1, 99, None])
def test_a_pencil_of_another_plan_is_refused_with_a_remedy(tmp_path: Path, pencil: Path, plan: int | None) -> None:
    header = read_header(pencil)
    config = {key: value for key, value in header.config.items() if key != "plan"} | ({"plan": plan} if plan else {})
    other = tmp_path / "other.safetensors"
    metadata = {**header.metadata, "sketchgan.config": json.dumps(config)}
    safetensors.torch.save_file(safetensors.torch.load_file(pencil), other, metadata)
    with pytest.raises(SketchGANError, match=r"other\.safetensors: made for plan .* draws plan .*train a new one"):
        load_pencil(other)
    assert list_pencils([tmp_path])[1]


def test_a_discriminator_survives_and_is_no_pencil(tmp_path: Path) -> None:
    discriminator = MultiScaleDiscriminator(3, base_width=4)
    path = tmp_path / "judge.safetensors"
    config = {"in_channels": 3, "base_width": 4}
    save_discriminator(path, discriminator, Card("Judge"), config=config, dtype=torch.float32)
    for name, tensor in load_discriminator(path).state_dict().items():
        torch.testing.assert_close(tensor, discriminator.state_dict()[name])
    with pytest.raises(SketchGANError, match="discriminator"):
        load_pencil(path)


def test_names_are_found_in_folders(pencil: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load_pencil("test", [pencil.parent]).header.path == pencil
    assert load_pencil("test.safetensors", [pencil.parent]).header.path == pencil
    monkeypatch.chdir(pencil.parent)
    assert load_pencil("test.safetensors").header.card.title == "Test"
    with pytest.raises(SketchGANError, match="test"):
        load_pencil("nobody", [pencil.parent])


def test_one_bad_file_does_not_hide_the_others(pencil: Path) -> None:
    (pencil.parent / "bad.safetensors").write_bytes(b"nothing")
    headers, errors = list_pencils([pencil.parent])
    assert pencil in [header.path for header in headers]
    assert [str(pencil.parent / "bad.safetensors") in str(error) for error in errors] == [True]


def rewrite(path: Path, change: Callable[[dict[str, torch.Tensor], dict[str, str]], object]) -> None:
    """Changes tensors and metadata of a good file, and leaves its checksum out."""
    with safetensors.safe_open(path, "pt") as file:  # which accepts what our own reader refuses
        metadata = dict(file.metadata())
    metadata.pop("modelspec.hash_sha256", None)
    tensors = safetensors.torch.load_file(path)
    change(tensors, metadata)
    path.write_bytes(safetensors.torch.save(tensors, metadata))


def reconfigure(path: Path, **settings: object) -> None:
    def change(_: object, metadata: dict[str, str]) -> None:
        metadata["sketchgan.config"] = json.dumps(json.loads(metadata["sketchgan.config"]) | settings)

    rewrite(path, change)


def patch_bytes(path: Path, change: Callable[[bytes], bytes]) -> None:
    path.write_bytes(change(path.read_bytes()))


def pickle_it(path: Path) -> None:
    torch.save(random_generator().state_dict(), path)


SPOILERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "no such"),
    "empty": (lambda path: patch_bytes(path, lambda _: b""), "download it again"),
    "truncated": (lambda path: patch_bytes(path, lambda content: content[:-100]), "download it again"),
    "half a header": (lambda path: patch_bytes(path, lambda content: content[:200]), "download it again"),
    "extended": (lambda path: patch_bytes(path, lambda content: content + b"0" * 64), "download it again"),
    "forged header length": (
        lambda path: patch_bytes(path, lambda content: (1 << 62).to_bytes(8, "little") + content[8:]),
        "download it again",
    ),
    "garbled header": (lambda path: patch_bytes(path, lambda content: content[:8] + b"[" + content[9:]), "header"),
    "flipped byte": (
        lambda path: patch_bytes(path, lambda content: content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]),
        "checksum",
    ),
    "pickle": (pickle_it, "sketchgan import"),
    "old pickle": (lambda path: path.write_bytes(pickle.dumps({"a": 1})), "sketchgan import"),
    "foreign": (
        lambda path: safetensors.torch.save_file({"a": torch.zeros(3)}, path),
        "not a SketchGAN pencil",
    ),
    "other program": (
        lambda path: rewrite(path, lambda _, meta: meta.update({"modelspec.architecture": "stable-diffusion-v1"})),
        "stable-diffusion-v1",
    ),
    "wrong shape": (
        lambda path: rewrite(path, lambda tensors, _: tensors.update({"output.bias": torch.zeros(2)})),
        "output.bias has shape",
    ),
    "wrong type": (
        lambda path: rewrite(path, lambda tensors, _: tensors.update({"output.bias": torch.zeros(1).double()})),
        "F64",
    ),
    "missing key": (lambda path: rewrite(path, lambda tensors, _: tensors.pop("output.bias")), "lacks output.bias"),
    "extra key": (
        lambda path: rewrite(path, lambda tensors, _: tensors.update({"extra": torch.zeros(1)})),
        "unknown tensor extra",
    ),
    "NaN": (
        lambda path: rewrite(path, lambda tensors, _: tensors["output.bias"].fill_(float("nan"))),
        "output.bias contains NaN",
    ),
    "unknown architecture": (
        lambda path: (
            reconfigure(path, architecture="diffusion"),
            rewrite(path, lambda _, meta: meta.update({"modelspec.architecture": "sketchgan-v1/diffusion"})),
        ),
        "diffusion",
    ),
    "architectures disagree": (lambda path: reconfigure(path, architecture="unet"), "disagree"),
    "unknown setting": (lambda path: reconfigure(path, colour=True), "colour"),
    "settings of the wrong type": (lambda path: reconfigure(path, width="wide"), "newer version"),
    "enormous": (lambda path: reconfigure(path, width=1024, blocks=64), "shape"),
    "config is no object": (
        lambda path: rewrite(path, lambda _, meta: meta.update({"sketchgan.config": "[1]"})),
        "sketchgan.config",
    ),
    "folder": (lambda path: (path.unlink(), path.mkdir()), "cannot be read"),
}


@pytest.mark.parametrize("case", SPOILERS)
def test_a_bad_file_is_one_clear_line(pencil: Path, case: str) -> None:
    spoil, says = SPOILERS[case]
    spoil(pencil)
    with pytest.raises(SketchGANError) as caught:
        load_pencil(pencil)
    message = str(caught.value)
    assert pencil.name in message
    assert says in message
    assert "\n" not in message


def test_what_cannot_be_stored_is_not_saved(tmp_path: Path, pencil: Path) -> None:
    generator = random_generator()
    with pytest.raises(SketchGANError, match="exists already"):
        save_pencil(pencil, generator, Card("Again"))
    with pytest.raises(SketchGANError, match=r"\.safetensors"):
        save_pencil(tmp_path / "mine.pt", generator, Card("Mine"))
    with torch.no_grad():
        generator.output.bias.fill_(1e6)  # type: ignore[union-attr, operator]
    with pytest.raises(SketchGANError, match=r"output\.bias"):
        save_pencil(tmp_path / "mine.safetensors", generator, Card("Mine"))
    assert not (tmp_path / "mine.safetensors").exists()


@pytest.fixture(scope="module")
def original() -> SketchAIGenerator:
    generator = SketchAIGenerator(sketchai_config()).eval()
    for name, tensor in generator.state_dict().items():
        if name.endswith(("running_mean", "running_var")):
            tensor.add_(0.1)
    return generator


@pytest.mark.parametrize("wrap", ["plain", "module", "nested", "without counters"])
def test_checkpoints_of_the_original_are_imported(tmp_path: Path, original: SketchAIGenerator, wrap: str) -> None:
    state = original.state_dict()
    checkpoint: dict[str, object] = {
        "plain": dict(state),
        "module": {f"module.{name}": tensor for name, tensor in state.items()},
        "nested": {"epoch": 3, "netG": dict(state), "loss": [0.1]},
        "without counters": {name: tensor for name, tensor in state.items() if "tracked" not in name},
    }[wrap]
    torch.save(checkpoint, tmp_path / "G_99.pt")
    imported = read_checkpoint(tmp_path / "G_99.pt")
    ink = torch.from_numpy(np.random.default_rng(0).random((1, 1, 32, 32), dtype=np.float32))
    assert torch.equal(imported(ink, ink, ink), original(ink, ink, ink))
    save_pencil(tmp_path / "G_99.safetensors", imported, Card("Original"), dtype=torch.float32)
    reloaded = load_pencil(tmp_path / "G_99.safetensors").generator
    assert torch.equal(reloaded(ink, ink, ink), original(ink, ink, ink))


@pytest.mark.parametrize("case", ["missing", "text", "no state", "other layout", "other size", "extra", "code"])
def test_a_bad_checkpoint_is_one_clear_line(tmp_path: Path, original: SketchAIGenerator, case: str) -> None:
    path = tmp_path / "bad.pt"
    state = dict(original.state_dict())
    if case == "text":
        path.write_text("hello")
    elif case == "no state":
        torch.save({"epoch": 3}, path)
    elif case == "other layout":
        torch.save({name: tensor for name, tensor in state.items() if ".7." not in name}, path)
    elif case == "other size":
        torch.save(state | {"generator.0.conv.weight": torch.zeros(32, 1, 5, 5)}, path)
    elif case == "extra":
        torch.save(state | {"generator.13.conv.weight": torch.zeros(1)}, path)
    elif case == "code":
        torch.save(build_generator(GeneratorConfig("residual", 4, 1)), path)
    with pytest.raises(SketchGANError) as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
