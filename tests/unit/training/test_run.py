from __future__ import annotations

import copy
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from accelerate import Accelerator
from PIL import Image

from sketchgan_core.errors import SketchGANError
from sketchgan_core.pencils.weights import load_discriminator, load_pencil, read_header
from sketchgan_core.planning.plan import PLAN_VERSION
from tests.unit.training.runs import SMALL, arguments, tensors
from training.cli import main
from training.config import TrainConfig, load_config
from training.data.stacks import CHANNELS
from training.learning.loop import Training
from training.runs.checkpoint import latest
from training.runs.metrics import read_metrics
from training.runs.record import read_record
from training.runs.report_page import words, write_page
from training.runs.session import Request, make_accelerator, train

ROOT = Path(__file__).parents[3]


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}


@pytest.fixture(scope="module")
def complete(shared_pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("complete") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["sketchgan-train", *arguments(shared_pairs, run)])
        assert main(sys.argv[1:]) == 0
    return run


def test_a_run_leaves_a_pencil_samples_and_scalars(complete: Path) -> None:
    pencil = load_pencil(complete / "pencil.safetensors")
    assert pencil.header.training["crops"] in (8, 16), "what measured best, or the last"
    assert "4 pairs of 2 drawings" in pencil.header.training["data"]
    assert "--data pairs -o run " in pencil.header.training["command"]
    assert str(complete.parent.parent) not in json.dumps(pencil.header.training), "a pencil tells nobody's folders"
    load_discriminator(complete / "discriminator.safetensors")
    assert {file.name for file in (complete / "samples").iterdir()} == {"0000000008.png", "0000000016.png"}
    entries = [json.loads(line) for line in (complete / "metrics.jsonl").read_text().splitlines()]
    assert {"loss/fidelity", "loss/adversarial", "loss/discriminator", "share/fidelity"} <= entries[-2].keys()
    assert any("validation/l1_1px/average" in entry for entry in entries)


def test_tensorboard_reads_the_scalars(complete: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(complete / "tensorboard"))
    events.Reload()
    losses = events.Scalars("loss/fidelity")
    assert [event.step for event in losses] == [4, 8, 12, 16]
    assert all(0 < event.value < 100 for event in losses)
    assert {"speed/crops_per_second", "speed/loader_wait", "rate/generator"} <= set(events.Tags()["scalars"])
    assert events.Tags()["images"]


def test_an_interrupted_run_ends_bit_for_bit_like_an_uninterrupted_one(
    complete: Path, shared_pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    asked = iter(range(1000))
    with monkeypatch.context() as patch:
        patch.setattr("training.runs.session.Stopping.__call__", lambda self: next(asked) == 2)
        assert main(arguments(shared_pairs, other)) == 0
    assert latest(other) is not None
    assert not (other / "pencil.safetensors").exists()
    assert main(arguments(shared_pairs, other)) == 0
    once, twice = tensors(complete), tensors(other)
    assert once.keys() == twice.keys()
    for name, tensor in once.items():
        assert torch.equal(tensor, twice[name]), name


def test_another_configuration_in_the_same_folder_is_refused(complete: Path, shared_pairs: Path) -> None:
    with pytest.raises(SketchGANError, match=r"config\.toml: this run was started with width = 8"):
        main(arguments(shared_pairs, complete, width=16))


def test_a_run_of_another_plan_is_neither_gone_on_with_nor_exported(
    complete: Path, shared_pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_record(complete)["plan_version"] == PLAN_VERSION
    run = tmp_path / "older"
    with monkeypatch.context() as patch:
        patch.setattr("training.runs.session.PLAN_VERSION", 1)
        patch.setattr("training.runs.record.PLAN_VERSION", 1)
        patch.setattr("training.data.plan_version.PLAN_VERSION", 1)
        patch.setattr("training.data.stacks.PLAN_VERSION", 1)
        patch.setattr("training.data.pairs.another_plan", lambda said: "")
        assert main(arguments(shared_pairs, run)) == 0
    with pytest.raises(SketchGANError, match=r"run\.json: the run is of version 1 of the plan.*another -o"):
        main(arguments(shared_pairs, run))
    with pytest.raises(SketchGANError, match=r"older: was trained for version 1 of the plan"):
        main(["export", str(run), "-o", str(tmp_path / "older.safetensors"), "--debug"])


def test_a_state_that_is_valid_but_not_what_was_written_is_set_aside(
    complete: Path, shared_pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(complete, run)
    newest = latest(run)
    assert newest is not None
    told = json.loads((newest / "state.json").read_text())
    (newest / "state.json").write_text(json.dumps(told | {"crops": told["crops"] + 4}))
    assert main(arguments(shared_pairs, run)) == 0
    shown = capsys.readouterr().out
    assert "damaged (state.json is not what was written); going on from the one before" in shown
    assert "resuming" in shown
    assert all(torch.equal(tensor, tensors(run)[name]) for name, tensor in tensors(complete).items())


def test_a_run_whose_checkpoints_are_all_damaged_does_not_begin_anew_unasked(
    complete: Path, shared_pairs: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(complete, run)
    for state in run.glob("checkpoints/*/state.json"):
        state.write_text("{}")
    before = sorted(run.glob("checkpoints/*"))
    with pytest.raises(SketchGANError, match=r"damaged .* no other checkpoint is whole; remove .* to start anew"):
        main(arguments(shared_pairs, run))
    assert sorted(run.glob("checkpoints/*")) == before


@pytest.mark.parametrize("shade", [0, 255])
def test_blank_pairs_teach_nothing_and_are_refused(tmp_path: Path, shade: int) -> None:
    for part in ("line", "sketch"):
        (tmp_path / "pairs" / part).mkdir(parents=True)
        for name in "abc":
            Image.new("L", (96, 96), shade).save(tmp_path / "pairs" / part / f"{name}.png")
    with pytest.raises(SketchGANError, match="none of the held-back pairs shows a line"):
        main(arguments(tmp_path / "pairs", tmp_path / "run"))


def test_sketches_without_a_stroke_are_refused(pair_folder: Path, tmp_path: Path) -> None:
    for file in (pair_folder / "sketch").iterdir():
        with Image.open(file) as image:
            blank = Image.new("L", image.size, 255)
        blank.save(file)
    with pytest.raises(SketchGANError, match="none of the held-back pairs has a stroke in its sketch"):
        main(arguments(pair_folder, tmp_path / "run", workers=0))


def test_a_discriminator_that_judges_worse_than_by_guessing_is_told(
    complete: Path,
    shared_pairs: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = load_config(complete / "config.toml")
    (told,) = (
        text for text in words([{"crops": 9, "loss/discriminator": 13.0}], {}, config) if "discriminator" in text
    )
    assert "worse than by guessing (13.00; 4.16 is chance)" in told
    assert "--set discriminator_rate=0.25" in told
    monkeypatch.setattr("training.runs.session.WORSE_THAN_GUESSING", 0.0)
    assert main(arguments(shared_pairs, tmp_path / "run", workers=0)) == 0
    assert capsys.readouterr().err.count("worse than by guessing") == 1


def test_a_record_that_somebody_has_edited_stops_nothing(complete: Path, shared_pairs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(complete, run)
    whole = json.loads((run / "run.json").read_text())
    parts = ("data", "best", "crops", "seconds", "sessions", "again")
    for value in ("x", 7, None, [1], {"told": 3}, [{"started": "now", "environment": {}}]):
        for edited in (*({part: value} for part in parts), dict.fromkeys(parts, value)):
            (run / "run.json").write_text(json.dumps(whole | edited))
            assert write_page(run).exists()
    assert main(arguments(shared_pairs, run, workers=0)) == 0
    assert json.loads((run / "run.json").read_text())["data"]["pairs"] > 0


def test_a_sketch_replaced_by_one_of_the_same_size_is_noticed_and_its_plan_goes(
    pair_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sketch, run = next((pair_folder / "sketch").iterdir()), tmp_path / "run"
    with Image.open(sketch) as image:
        turned = [image.convert("L"), image.convert("L").transpose(Image.Transpose.ROTATE_180)]
    turned[0].save(sketch.with_suffix(".bmp"))
    sketch.unlink()
    sketch = sketch.with_suffix(".bmp")
    size = sketch.stat().st_size
    shared = ["--plans", str(tmp_path / "shared")]
    assert main(arguments(pair_folder, run, crops=4, workers=0)) == 0
    assert main([*arguments(pair_folder, run, crops=6, workers=0), *shared]) == 0
    capsys.readouterr()
    turned[1].save(sketch)
    assert sketch.stat().st_size == size
    assert main(arguments(pair_folder, run, crops=8, workers=0)) == 0
    assert "the pairs are not those it was started with" in capsys.readouterr().err
    assert main([*arguments(pair_folder, run, crops=10, workers=0), *shared]) == 0
    pairs = len(list((pair_folder / "line").iterdir()))
    assert len(list((run / "plans").glob("*.npy"))) == pairs
    assert len(list((tmp_path / "shared").glob("*.npy"))) == pairs + 1, "another run may need it"


def test_two_runs_in_one_folder_do_not_mix(shared_pairs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    code = (
        f"import sys; from pathlib import Path; from training.processes import locked\nwith locked(Path({str(run)!r})):"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code + " print(1, flush=True); sys.stdin.read()"], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"1\n"
    with pytest.raises(SketchGANError, match="another sketchgan-train is at work there"):
        main(arguments(shared_pairs, run))
    assert not (run / "metrics.jsonl").exists()
    holder.kill()  # a crash leaves no lock
    holder.wait()
    assert main(arguments(shared_pairs, run, crops=4)) == 0


def test_what_does_not_belong_to_a_run_is_left_alone(complete: Path, shared_pairs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(complete, run)
    (run / "samples" / "holiday.png").write_bytes(b"mine")
    with (run / "metrics.jsonl").open("ab") as file:
        file.write(b'\xff\xfe bad bytes\n[1, 2]\n{"seconds": 3}\n')
    assert main(arguments(shared_pairs, run)) == 0
    assert (run / "samples" / "holiday.png").read_bytes() == b"mine"
    assert len(read_metrics(run)) == len(read_metrics(complete))


def test_training_is_called_from_python(complete: Path, shared_pairs: Path, tmp_path: Path) -> None:
    config = load_config(overrides=[f"{name}={value}" for name, value in SMALL.items()])
    accelerator = make_accelerator("cpu", 1)
    assert train(Request([shared_pairs], tmp_path / "run", config), accelerator)
    assert all(torch.equal(tensor, tensors(tmp_path / "run")[name]) for name, tensor in tensors(complete).items())


def test_a_dry_run_writes_nothing(shared_pairs: Path, tmp_path: Path) -> None:
    assert main([*arguments(shared_pairs, tmp_path / "run"), "--dry-run"]) == 0
    assert not (tmp_path / "run").exists()


def test_a_hand_of_ones_own_starts_from_its_own_controls(pair_folder: Path, tmp_path: Path) -> None:
    manifest = pair_folder / "manifest.jsonl"
    entries = [json.loads(line) for line in manifest.read_text().splitlines()]
    for darkness, entry in zip((0.9, 0.7, 0.9, 0.7), entries, strict=True):
        entry["controls"] |= {"darkness": darkness, "shading": 0.2}
        entry["style"] |= {"brush": "own hand"}
    manifest.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    assert main(arguments(pair_folder, tmp_path / "run", crops=2)) == 0
    assert main(["export", str(tmp_path / "run"), "-o", str(tmp_path / "mine.safetensors")]) == 0
    controls = load_pencil(tmp_path / "mine.safetensors").header.controls
    assert (controls["darkness"], controls["shading"]) == (0.8, 0.2)
    other = tmp_path / "other.safetensors"
    assert main(["export", str(tmp_path / "run"), "-o", str(other), "--default", "darkness=0.3"]) == 0
    controls = load_pencil(other).header.controls
    assert (controls["darkness"], controls["shading"]) == (0.3, 0.2)
    for wrong in ("darkness=2", "dark=0.3", "darkness", "darkness=much"):
        with pytest.raises(SketchGANError, match=f"--default {wrong}: write it as"):
            main(["export", str(tmp_path / "run"), "-o", str(other), "--overwrite", "--default", wrong, "--debug"])


def test_a_run_starts_from_a_pencil_of_an_earlier_plan(
    complete: Path, shared_pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = tmp_path / "earlier.safetensors"
    content = (complete / "pencil.safetensors").read_bytes()
    now, before = (f'\\"plan\\": {version}'.encode() for version in (PLAN_VERSION, PLAN_VERSION - 1))
    assert content.count(now) == 1
    earlier.write_bytes(content.replace(now, before))
    with pytest.raises(SketchGANError, match=f"made for plan {PLAN_VERSION - 1}"):
        load_pencil(earlier)
    assert main([*arguments(shared_pairs, tmp_path / "on", crops=2, learning_rate=1e-7), "--from", str(earlier)]) == 0
    load_pencil(tmp_path / "on" / "pencil.safetensors")


def test_export_carries_the_card(complete: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    export = ["export", str(complete), "-o", str(file), "--title", "Mine", "--licence", "CC0-1.0", "--debug"]
    assert main(export) == 0
    assert (read_header(file).card.title, read_header(file).card.license) == ("Mine", "CC0-1.0")
    with pytest.raises(SketchGANError, match="exists"):
        main(export)


def test_a_run_starts_from_given_weights(complete: Path, shared_pairs: Path, tmp_path: Path) -> None:
    given = ["--from", str(complete)]
    other = tmp_path / "tuned"
    assert main([*arguments(shared_pairs, other, crops=2, learning_rate=1e-7), *given]) == 0
    before, after = tensors(complete), tensors(other)
    difference = after["generator.stem.weight"] - before["average.stem.weight"]
    assert difference.abs().max() < 2e-3
    with pytest.raises(SketchGANError, match="set them alike"):
        main([*arguments(shared_pairs, tmp_path / "third", width=16), *given])


def test_the_command_that_a_run_names_repeats_it(complete: Path, shared_pairs: Path, tmp_path: Path) -> None:
    tuned, again = tmp_path / "tuned", tmp_path / "again"
    assert main([*arguments(shared_pairs, tuned, crops=4), "--from", str(complete)]) == 0
    _, *command = shlex.split(read_record(tuned)["again"].replace("NEW", str(again)))
    assert main([*command, "--threads", "1", "--device", "cpu"]) == 0
    once, twice = tensors(tuned), tensors(again)
    assert all(torch.equal(tensor, twice[name]) for name, tensor in once.items())


def test_the_last_checkpoints_are_kept_and_the_newest_is_found_by_number(tmp_path: Path) -> None:
    for name in ("99", "1000", "0000000500", "7.part"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    newest = latest(tmp_path)
    assert newest is not None
    assert newest.name == "1000"


def _training(**settings: object) -> tuple[Training, torch.Tensor]:
    """A small training whose discriminator counts from the first step, and a grey batch."""
    small = {"width": 8, "blocks": 1, "discriminator_width": 4, "crop": 96, "batch": 1, "fidelity_crops": 0}
    config = replace(TrainConfig(), **{**small, "adversarial_ramp": 0, **settings})
    return Training(config, Accelerator(cpu=True), None), torch.full((1, len(CHANNELS), 96, 96), 128, dtype=torch.uint8)


def test_gradients_that_are_not_numbers_stop_the_run() -> None:
    training, batch = _training(bad_steps=3)
    before = {name: value.clone() for name, value in training.generator.state_dict().items()}
    with torch.no_grad():
        training.generator.output.bias.fill_(float("nan"))
    training.step(batch, 0.0)
    training.step(batch, 0.0)
    with pytest.raises(SketchGANError, match="3 times in a row"):
        training.step(batch, 0.0)
    assert torch.equal(before["stem.weight"], training.generator.state_dict()["stem.weight"])


def test_a_generator_that_can_learn_no_more_stops_the_run_though_its_discriminator_learns() -> None:
    training, batch = _training(bad_steps=3)
    with torch.no_grad():
        training.generator.output.bias.fill_(-1e6)
    training.step(batch, 0.0)
    training.step(batch, 0.0)
    with pytest.raises(SketchGANError, match="the generator's gradient was zero 3 times in a row"):
        training.step(batch, 0.0)


def test_a_step_whose_gradient_is_no_number_leaves_no_trace() -> None:
    training, batch = _training(balance="auto")
    training.step(batch, 0.0)
    networks = {name: module for name, module in training.modules.items() if name != "average"}
    before = {name: copy.deepcopy(module.state_dict()) for name, module in networks.items()}
    bias = training.generator.output.bias
    kept = bias.detach().clone()
    bias.data.fill_(float("nan"))
    training.step(batch, 0.0)
    bias.data.copy_(kept)
    for name, module in networks.items():
        assert all(torch.equal(value, before[name][key]) for key, value in module.state_dict().items()), name
    assert torch.isfinite(training.step(batch, 0.0)["gradient/generator"])
    assert training.bad_steps == 0


def test_an_interrupt_leaves_a_checkpoint(shared_pairs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "training", *arguments(shared_pairs, run, crops=100000)]
    process = subprocess.Popen(command, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True)
    started = time.monotonic()
    while not (run / "metrics.jsonl").exists() and time.monotonic() - started < 60:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "the same command goes on" in output
    assert latest(run) is not None


def test_accumulated_batches_learn_what_one_batch_does_but_for_batch_norm() -> None:
    """With batch norm held still, every loss and gradient equals that of the whole batch, up to the order of sums."""
    batch = torch.randint(0, 256, (4, len(CHANNELS), 96, 96), generator=torch.Generator().manual_seed(0)).byte()
    found = []
    for settings in ({"batch": 4}, {"batch": 2, "accumulate": 2}):
        training, _ = _training(precision="float32", warmup_crops=0, **settings)
        training.discriminator.eval()
        found.append([training.step(batch, 0.0) for _ in range(3)])
        assert training.crops == 12
    for once, twice in zip(*found, strict=True):
        assert once["loss/adversarial"] > 0
        assert {name: float(value) for name, value in twice.items() if name[:6] != "share/"} == pytest.approx(
            {name: float(value) for name, value in once.items() if name[:6] != "share/"}, rel=1e-5
        )


@pytest.mark.parametrize(
    "wrong", [("--threads", "-1"), ("--minutes", "0"), ("--minutes", "nan"), ("-o", "{file}")], ids=" ".join
)
def test_what_cannot_be_asked_of_a_run_is_one_line(
    shared_pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: tuple[str, str]
) -> None:
    file = tmp_path / "file"
    file.touch()
    arguments = ["run", "--data", str(shared_pairs), "-o", str(tmp_path / "run"), *wrong]
    try:
        status = main([text.format(file=file) for text in arguments])
    except SystemExit as stopped:  # argparse
        status = stopped.code
    assert status == 2
    assert wrong[0] in (said := capsys.readouterr().err) or str(file) in said
    assert "Traceback" not in said
    assert not (tmp_path / "run").exists()
