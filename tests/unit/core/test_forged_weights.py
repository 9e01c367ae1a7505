"""Whatever a weights file says about itself, it is read or refused in one line, in no time and in little memory."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sketchgan_core import cli
from sketchgan_core.errors import SketchGANError
from sketchgan_core.pencils.header import Card, list_pencils, read_header
from sketchgan_core.pencils.layout import MAX_HEADER_BYTES
from sketchgan_core.pencils.weights import load_discriminator, load_pencil, save_pencil
from sketchgan_core.planning.controls import Controls
from sketchgan_core.planning.planes import PLAN_VERSION
from tests.conftest import random_generator
from tests.forged import Contents, contents_of, mutate, write

ROOT = Path(__file__).parents[3]
MUTATIONS = 300
MOST_MEGABYTES, MOST_SECONDS = 20, 1.0


def refusal(work: Callable[[], object]) -> str:
    """The line with which something is refused, empty if it is accepted; other exceptions are not caught."""
    try:
        work()
    except SketchGANError as error:
        return str(error)
    return ""


def test_a_mutated_header_is_read_or_refused(pencil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = pencil.read_bytes()
    data = whole[8 + int.from_bytes(whole[:8], "little") :]
    forged, refused, drawn_with = pencil.parent / "forged.safetensors", 0, 0
    for seed in range(MUTATIONS):
        contents = contents_of(pencil)
        mutate(contents, random.Random(seed))
        write(forged, contents, data)
        lines = [refusal(lambda: read_header(forged)), refusal(lambda: load_pencil(forged))]
        assert all("\n" not in line and len(line) < 600 for line in lines)
        headers, errors = list_pencils([pencil.parent])
        if lines[0]:
            assert [str(error) for error in errors] == lines[:1]
        else:
            (header,) = (header for header in headers if header.path == forged)
            Controls.from_mapping(header.controls)  # the sliders of the app
            json.dumps([vars(header.card), header.controls, header.training, header.config], allow_nan=False)
        assert cli.main(["info", str(forged)]) == (1 if lines[0] else 0)
        capsys.readouterr().out.encode()
        refused += bool(lines[0])
        drawn_with += not lines[1]
    assert refused > MUTATIONS / 3
    assert drawn_with > MUTATIONS / 20, "not all mutations are fatal"


@pytest.mark.parametrize("place", [["0", "4"], [None, None], [[], []], [{}, {}], None, "04", [True, 4], [0, 4, 4], [0]])
def test_offsets_that_are_no_numbers_are_refused(pencil: Path, place: object) -> None:
    contents = contents_of(pencil)
    contents["output.bias"]["data_offsets"] = place
    with pytest.raises(SketchGANError, match=r"forged\.safetensors: the header is damaged; download it again"):
        read_header(write(pencil.parent / "forged.safetensors", contents, bytes(100)))


def overlapping(tensors: Contents) -> None:
    tensors["b"]["data_offsets"] = [2, 6]


def apart(tensors: Contents) -> None:
    tensors["b"]["data_offsets"] = [5, 9]


def backwards(tensors: Contents) -> None:
    tensors["a"]["data_offsets"] = [4, 0]


@pytest.mark.parametrize("forge", [overlapping, apart, backwards])
def test_values_fill_the_file_without_gap_or_overlap(tmp_path: Path, forge: Callable[[Contents], None]) -> None:
    tensors = {
        "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        "b": {"dtype": "F16", "shape": [2], "data_offsets": [4, 8]},
    }
    contents = {**ours(), **tensors}
    assert list(read_header(write(tmp_path / "sound.safetensors", contents, bytes(8))).tensors) == ["a", "b"]
    forge(contents)
    with pytest.raises(SketchGANError, match="the header is damaged"):
        read_header(write(tmp_path / "forged.safetensors", contents, bytes(8)))


@pytest.mark.parametrize(
    ("entry", "value", "says"),
    [
        ("sketchgan.controls", '{"darkness": NaN}', "sketchgan.controls is damaged"),
        ("sketchgan.controls", '{"darkness": "0.5"}', "darkness is not a number in 0..1"),
        ("sketchgan.controls", '{"darkness": 1.5}', "darkness is not a number in 0..1"),
        ("sketchgan.controls", '{"darkness": %s}' % ("9" * 400), "darkness is not a number in 0..1"),
        ("sketchgan.controls", '{"colour": 0.5}', "unknown control colour"),
        ("sketchgan.config", '{"width": true}', "width must be a whole number in 1..1024"),
        ("sketchgan.config", '{"blocks": 1.0}', "blocks must be a whole number in 0..64"),
        ("sketchgan.config", '{"planes": "ink"}', "the first input plane must be 'ink'"),
        ("sketchgan.config", '{"planes": ["ink", {}]}', "unknown input plane"),
        ("sketchgan.training", '{"loss": 1e999}', "sketchgan.training is damaged"),
        ("sketchgan.training", "[" * 100_000, "sketchgan.training is damaged"),
        ("sketchgan.training", '{"data": "\\ud800"}', "sketchgan.training is damaged"),
        ("modelspec.title", "half a character: \ud800", "the header is damaged"),
        ("modelspec.title", ["no", "text"], "metadata are damaged"),
        ("modelspec.hash_sha256", 5, "metadata are damaged"),
        ("modelspec.hash_sha256", "0xyz", "checksum is damaged"),
    ],
)
def test_what_it_says_of_itself_is_checked(pencil: Path, entry: str, value: object, says: str) -> None:
    contents = contents_of(pencil)
    contents["__metadata__"][entry] = value
    whole = pencil.read_bytes()
    with pytest.raises(SketchGANError) as caught:
        read_header(write(pencil, contents, whole[8 + int.from_bytes(whole[:8], "little") :]))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_discriminators_settings_are_checked(tmp_path: Path) -> None:
    for config in ('{"in_channels": 1e9}', '{"base_width": 4}', '{"in_channels": 3, "base_width": 10000000}'):
        metadata = {"modelspec.architecture": "sketchgan-v1/discriminator", "sketchgan.config": config}
        with pytest.raises(SketchGANError, match="newer version"):
            load_discriminator(write(tmp_path / "judge.safetensors", {"__metadata__": metadata}))


def test_a_title_moves_no_cursor_and_forges_no_line(pencil: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = pencil.parent / "loud.safetensors"
    save_pencil(path, random_generator(), Card("\x1b[2J\x1b[1;31mOwned\nsecond\tline\x07", description="a\nb"))
    for command in (["list", "--folder", str(pencil.parent)], ["info", str(path)]):
        assert cli.main(command) == 0
        said = capsys.readouterr().out
        assert "Owned second line" in said
        assert not {"\x1b", "\x07", "\r"} & set(said)
        assert "description:  a b\n" in said or "list" in command


def test_what_could_not_be_read_again_is_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    with pytest.raises(SketchGANError, match="its card takes more than"):
        save_pencil(path, random_generator(), Card("Mine", description="x" * MAX_HEADER_BYTES))
    with pytest.raises(SketchGANError, match="NaN or infinite"):
        save_pencil(path, random_generator(), Card("Mine"), training={"loss": float("nan")})
    assert not path.exists()


def repeated_list(path: Path) -> None:
    write(path, {"a": {"dtype": "F32", "shape": [[0], 200_000_000], "data_offsets": [0, 0]}, **ours()})


def far_offset(path: Path) -> None:
    tensor = {"dtype": "F32", "shape": [1], "data_offsets": [1_899_999_996, 1_900_000_000]}
    write(path, {"output.bias": tensor, **ours()}, sparse=1_900_000_000)


def large_for_its_config(path: Path) -> None:
    tensor = {"dtype": "F32", "shape": [475_000_000], "data_offsets": [0, 1_900_000_000]}
    write(path, {"output.bias": tensor, **ours()}, sparse=1_900_000_000)


def large_beside_its_config(path: Path) -> None:
    save_pencil(path, random_generator(), Card("Small"))
    contents = contents_of(path)
    end = max(entry["data_offsets"][1] for name, entry in contents.items() if name != "__metadata__")
    contents["extra"] = {"dtype": "U8", "shape": [400_000_000], "data_offsets": [end, end + 400_000_000]}
    write(path, contents, sparse=end + 400_000_000)


def many_lists(path: Path) -> None:
    write(path, b'{"\xf0\x9f\x98\x80":[1' + b",[[]]" * (MAX_HEADER_BYTES // 5 - 10) + b"]}")


def many_lists_in_ours(path: Path) -> None:
    write(path, ours(config='{"a": [1' + ",[[]]" * (MAX_HEADER_BYTES // 5 - 100) + "]}"))


def deep(path: Path) -> None:
    write(path, b"[" * MAX_HEADER_BYTES)


def long_header(path: Path) -> None:
    write(path, b'{"a":' + b" " * 100_000_000 + b"1}")


def bad_checksum(path: Path) -> None:
    save_pencil(path, random_generator(width=48), Card("Spoilt"))
    contents = contents_of(path)
    contents["__metadata__"]["modelspec.hash_sha256"] = "0x" + hashlib.sha256().hexdigest()
    write(path, contents, sparse=max(entry["data_offsets"][1] for entry in contents.values() if "dtype" in entry))


def ours(**entries: str) -> Contents:
    metadata = {"sketchgan.config": json.dumps({"plan": PLAN_VERSION})} | {
        f"sketchgan.{key}": value for key, value in entries.items()
    }
    return {"__metadata__": {"modelspec.architecture": "sketchgan-v1/residual", **metadata}}


MEASURE = """
import os, re, sys, time
from pathlib import Path
import torch
from sketchgan_core.errors import SketchGANError
from sketchgan_core.pencils.weights import load_pencil
torch.set_num_threads(1)
load_pencil(sys.argv[1])  # torch takes memory when it is first used
def status(name):
    return int(re.search(name + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
for path in sys.argv[2:]:
    if os.fork() == 0:
        before, start = status("VmRSS"), time.process_time()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        try:
            load_pencil(path)
        except SketchGANError as error:
            print(status("VmHWM") - before, time.process_time() - start, error, flush=True)
        os._exit(0)
    os.wait()
"""
FORGED = (
    repeated_list, far_offset, large_for_its_config, large_beside_its_config, many_lists, many_lists_in_ours, deep,
    long_header, bad_checksum,
)  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_a_file_that_is_refused_costs_neither_memory_nor_time(tmp_path: Path, pencil: Path) -> None:
    files = [tmp_path / f"{forge.__name__}.safetensors" for forge in FORGED]
    for forge, file in zip(FORGED, files, strict=True):
        forge(file)
    command = [sys.executable, "-c", MEASURE, pencil, *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for line, file in zip(done.stdout.splitlines(), files, strict=True):
        megabytes, seconds, error = line.split(maxsplit=2)
        print(f"{float(megabytes):.1f} MB, {float(seconds):.2f} s: {error}")
        assert error.startswith(str(file))
        assert float(megabytes) < MOST_MEGABYTES, file.name
        assert float(seconds) < MOST_SECONDS, file.name
