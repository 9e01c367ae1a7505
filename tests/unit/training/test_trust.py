"""A run that is killed, stopped, starved of disk space or moved to other processes ends as if nothing had happened."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sketchgan_core.pencils.weights import load_pencil, read_header
from tests.unit.training.runs import arguments as small_run
from tests.unit.training.runs import tensors
from tests.unit.training.warm import ROOT, Warm, on_a_disk_of_its_own, why_no_disk
from training.cli import main
from training.learning.loop import Training
from training.learning.validation import Best
from training.runs.checkpoint import checkpoints, latest, save_checkpoint
from training.runs.metrics import curve, read_metrics
from training.runs.record import read_record
from training.runs.space import size
from training.runs.state import Origin, RunState

# Every step is saved, and crops are cut in the trainer's own process.
BUSY = {"crops": 24, "workers": 0, "checkpoint_minutes": 0, "sample_crops": 8, "log_crops": 2, "precision": "float32"}
# Settings to compare one process with two: the rate does not fall, since its end depends on the length of the run.
ALIKE = {**BUSY, "decay": 0.0, "sample_crops": 100, "crops": 32, "fidelity_crops": 8, "discriminator_lead": 8}
# Between two processes and one: only the order in which sums over a batch are added up differs.
ORDER_OF_SUMS = 2e-3
LAST_DIGIT = 1e-4  # of the five that metrics.jsonl rounds to
KILLS = 20
PATIENCE = 300  # s, on a machine busy with other work
HANDBOOK = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    parent = Warm(tmp_path_factory.mktemp("logs"))
    yield parent
    parent.close()


@pytest.fixture(scope="module")
def busy(shared_pairs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of BUSY that was not disturbed."""
    run = tmp_path_factory.mktemp("busy") / "run"
    assert main(small_run(shared_pairs, run, **BUSY)) == 0
    return run


@pytest.fixture(scope="module")
def plans(busy: Path) -> Path:
    """The shared pairs already planned, for runs that are not there to test planning."""
    return busy / "plans"


def assert_same(once: Path, twice: Path) -> None:
    first, second = tensors(once), tensors(twice)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


def board(run: Path) -> list[int]:
    """Crops at which TensorBoard shows a loss."""
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    return [event.step for event in events.Scalars("loss/fidelity")]


def _writing(run: Path) -> bool:
    return any((run / "checkpoints").glob("*.part"))


def test_twenty_kills_lose_nothing(warm: Warm, busy: Path, shared_pairs: Path, tmp_path: Path) -> None:
    run, ends, written_into = tmp_path / "run", set(), 0
    rng = np.random.default_rng(0)
    crops = 240
    arguments = small_run(shared_pairs, run, **{**BUSY, "crops": crops, "decay": 0.0})
    for number in range(KILLS):
        before = latest(run)
        pid = warm.start(arguments)
        deadline = time.monotonic() + 30
        # A quarter dies while starting, the others in a step or while writing a checkpoint.
        while number % 4 and latest(run) == before and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(float(rng.uniform(0, 0.15)))
        # Another quarter is killed as soon as it is seen writing a checkpoint.
        while number % 4 == 2 and not _writing(run) and time.monotonic() < deadline:
            time.sleep(0.0005)
        os.kill(pid, signal.SIGKILL)
        ends.add(warm.wait(pid)[0])
        written_into += _writing(run)
    assert ends == {-signal.SIGKILL}, "a run ended before it was killed: make it longer"
    assert written_into > 0, "no kill cut the writing of a checkpoint short"
    reached = latest(run)
    assert reached is not None
    assert int(reached.name) < crops
    status, told = warm.run(arguments)
    assert status == 0, told
    undisturbed = tmp_path / "undisturbed"
    status, told = warm.run(small_run(shared_pairs, undisturbed, **{**BUSY, "crops": crops, "decay": 0.0}))
    assert status == 0, told
    assert_same(undisturbed, run)
    curves = [[entry["crops"] for entry in read_metrics(folder)] for folder in (undisturbed, run)]
    assert curves[0] == curves[1], "no point of a curve is missing or drawn twice"


def test_a_damaged_checkpoint_is_passed_over(
    shared_pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, steady = tmp_path / "run", {**BUSY, "decay": 0.0}
    assert main(small_run(shared_pairs, run, **{**steady, "crops": 16})) == 0
    newest = latest(run)
    assert newest is not None
    weights = newest / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"oops")
    (run / "checkpoints" / "0000000099.part").mkdir()
    assert main(small_run(shared_pairs, run, **{**steady, "crops": 24})) == 0
    told = capsys.readouterr().out
    assert f"{newest}: damaged (weights.safetensors is not what was written)" in told
    assert f"resuming {run} at 14 crops" in told
    again = tmp_path / "again"
    assert main(small_run(shared_pairs, again, **{**steady, "crops": 24})) == 0
    assert_same(again, run)
    assert board(run) == board(again), "no point of a curve is hidden or drawn twice"
    assert [path.name for path in checkpoints(run)][-1] == "0000000024"
    assert {path.suffix for path in (run / "checkpoints").iterdir()} == {""}


def assert_told_of_a_full_disk(status: int, told: str, before: Path) -> None:
    """It is reported in one line that names the last good checkpoint."""
    assert status == 2, told
    complaint = [line for line in told.splitlines() if line.startswith("sketchgan-train:")]
    assert len(complaint) == 1
    assert "disk is full" in complaint[0]
    assert str(before) in complaint[0]


def test_a_file_that_may_not_grow_ends_in_one_line_and_keeps_the_last_checkpoint(
    warm: Warm, shared_pairs: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    assert main(small_run(shared_pairs, run, **{**BUSY, "crops": 4})) == 0
    before = latest(run)
    assert before is not None
    longer = small_run(shared_pairs, run, **{**BUSY, "crops": 24})
    longer.remove("--debug")
    status, told = warm.run(longer, largest_file=(before / "weights.safetensors").stat().st_size // 2)
    assert_told_of_a_full_disk(status, told, before)
    assert latest(run) == before
    load_file(before / "weights.safetensors")
    assert main(longer) == 0


@pytest.fixture
def on_a_small_disk(tmp_path: Path) -> Iterator[tuple[Warm, Path, Path]]:
    """A `Warm` whose trainers see a real disk of 16 MB; where they see it, and where the test does."""
    disk, logs = tmp_path / "disk", tmp_path / "logs"
    disk.mkdir()
    logs.mkdir()
    if reason := why_no_disk(disk):
        pytest.skip(f"no disk can be mounted here: {reason}")
    parent = Warm(logs, on_a_disk_of_its_own(disk, 16))
    yield parent, disk, Path(f"/proc/{parent.process.pid}/root") / disk.relative_to("/")
    parent.close()


def fill_up(folder: Path, filler: Path, spare: int, enough: Callable[[], bool]) -> None:
    """Leave at most `spare` bytes free on the disk of `folder`, whatever is deleted there, until it is `enough`."""
    deadline = time.monotonic() + PATIENCE
    with filler.open("ab", buffering=0) as file:
        while not enough() and time.monotonic() < deadline:
            if (free := shutil.disk_usage(folder).free) > spare:
                with contextlib.suppress(OSError):  # the run took the space first
                    file.write(bytes(free - spare))
            time.sleep(0.001)


def test_a_disk_that_fills_up_ends_in_one_line_and_keeps_the_last_checkpoint(
    on_a_small_disk: tuple[Warm, Path, Path], shared_pairs: Path, plans: Path
) -> None:
    warm, disk, seen = on_a_small_disk
    run = seen / "run"

    def arguments(crops: int) -> list[str]:
        settings = {**BUSY, "crops": crops, "sample_crops": 10_000}
        return [*small_run(shared_pairs, disk / "run", **settings), "--plans", str(plans)]

    assert warm.run(arguments(4))[0] == 0
    first = latest(run)
    assert first is not None
    longer = arguments(4000)
    longer.remove("--debug")
    pid = warm.start(longer)
    deadline = time.monotonic() + PATIENCE
    while latest(run) == first and time.monotonic() < deadline:
        time.sleep(0.01)
    weights = (first / "weights.safetensors").stat().st_size
    fill_up(seen, seen / "filler", weights // 2, lambda: "sketchgan-train:" in warm.log(pid))
    status, told = warm.wait(pid)
    before = latest(run)
    assert before is not None
    assert_told_of_a_full_disk(status, told, disk / before.relative_to(seen))
    load_file(before / "weights.safetensors")
    assert {path.suffix for path in (run / "checkpoints").iterdir()} == {""}, "nothing half written is left"
    (seen / "filler").unlink()
    status, told = warm.run(arguments(int(before.name) + 4))
    assert status == 0, told
    assert f"resuming {disk / 'run'} at {int(before.name)} crops" in told


def test_a_disk_too_small_for_the_run_is_said_before_the_first_step(
    shared_pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = small_run(shared_pairs, tmp_path / "run", crops=10**9, sample_crops=1)
    arguments.remove("--debug")
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "GB of samples" in told
    assert "make room" in told
    assert not (tmp_path / "run").exists()


def test_what_a_small_disk_lacks_is_said_in_megabytes(
    shared_pairs: Path, plans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=640_000))
    arguments = [*small_run(shared_pairs, tmp_path / "run", sample_crops=1, crops=100), "--plans", str(plans)]
    arguments.remove("--debug")
    assert main(arguments) == 2
    told = capsys.readouterr().err
    found = re.search(r"([\d.]+) MB of checkpoints, ([\d.]+) MB of samples are to come and 0\.6 MB are free;", told)
    assert found is not None, told
    assert all(float(amount) > 0 for amount in found.groups())
    assert [size(amount) for amount in (0, 9_940_000, 12_345_678, 999_400_000, 2_500_000_000)] == [
        "0.0 MB", "9.9 MB", "12 MB", "999 MB", "2.50 GB"
    ]  # fmt: skip


def test_everything_that_is_wrong_with_the_pairs_is_said_before_the_first_step(
    pair_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pair_folder / "line" / "ape.png").write_bytes(b"no picture")
    (pair_folder / "sketch" / "bee.png").unlink()
    (pair_folder / "line" / "cat.jpg").write_bytes((pair_folder / "line" / "cat.png").read_bytes())
    arguments = small_run(pair_folder, tmp_path / "run")
    arguments.remove("--debug")
    assert main(arguments) == 2
    told = capsys.readouterr().err
    for name in ("ape.png", "bee.png", "cat"):
        assert name in told
    assert "3 problems" in told
    assert not (tmp_path / "run").exists()


def test_a_dry_run_tells_the_plan_the_memory_and_the_time(
    shared_pairs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*small_run(shared_pairs, tmp_path / "run", **BUSY), "--dry-run"]) == 0
    told = capsys.readouterr().out
    for word in ("plan:", "time:", "memory:", "planning: 4 pairs", " MB of checkpoints", "nothing was started"):
        assert word in told
    assert not (tmp_path / "run").exists()


def lengthened(data: Path, run: Path, plans: Path, log_crops: int) -> list[str]:
    """A healthy session whose rate falls to nothing, and the command of a longer one that warms up to an absurd rate.

    Every step is saved, so that by the time a divergence is found the last checkpoints hold it already.
    """
    settings = {**BUSY, "learning_rate": 0.1, "warmup_crops": 600, "decay": 1.0, "fidelity_crops": 16, "bad_steps": 4}
    settings |= {"log_crops": log_crops, "sample_crops": 10_000, "discriminator_lead": 8, "blocks": 12, "seed": 2}
    plan = ["--plans", str(plans)]
    assert main([*small_run(data, run, **{**settings, "crops": 32, "checkpoint_minutes": 5}), *plan]) == 0
    longer = [*small_run(data, run, **{**settings, "crops": 4000}), *plan]
    longer.remove("--debug")
    return longer


def absurd_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to do: the settings are enough for a divergence."""


def nan_sketches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sketches are NaN from 40 crops on, as from a faulty device."""
    draw = Training.draw
    monkeypatch.setattr(
        Training, "draw", lambda self, *given: draw(self, *given) * (float("nan") if self.crops >= 40 else 1.0)
    )


@pytest.mark.parametrize(
    ("log_crops", "cause", "told"),
    [
        (2, absurd_rate, "loss/fidelity has risen to"),
        (10_000, absurd_rate, "the generator's gradient was zero 4 times in a row"),
        (10_000, nan_sketches, "gradient was NaN or infinite 4 times in a row"),
    ],
)
def test_divergence_keeps_the_last_good_checkpoint_and_says_how_to_go_on_from_it(
    log_crops: int,
    cause: Callable[[pytest.MonkeyPatch], None],
    told: str,
    shared_pairs: Path,
    plans: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = tmp_path / "a run"
    longer = lengthened(shared_pairs, run, plans, log_crops)
    healthy = (run / "pencil.safetensors").read_bytes()
    capsys.readouterr()
    with monkeypatch.context() as patch:
        cause(patch)
        assert main(longer) == 2
    (complaint,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("sketchgan-train:")]
    assert told in complaint
    good = latest(run)
    assert good is not None
    assert f"The last good checkpoint is {good}." in complaint
    assert any(path.suffix == ".diverged" for path in (run / "checkpoints").iterdir())
    assert all(bool(tensor.isfinite().all()) for tensor in tensors(run).values())
    assert read_record(run)["best"]["crops"] in [int(folder.name) for folder in checkpoints(run)]
    assert (run / "pencil.safetensors").read_bytes() == healthy

    monkeypatch.chdir(tmp_path)
    export = complaint.split("from it: sketchgan-train ")[1].split(", then")[0]
    assert main(shlex.split(export)) == 0
    assert complaint.endswith("--from good.safetensors and --set learning_rate=0.05")
    advised = ["--plans", str(plans), "--from", "good.safetensors", "--set", "learning_rate=0.05"]
    settings = {**BUSY, "warmup_crops": 600, "blocks": 12, "crops": 8, "checkpoint_minutes": 5}
    assert main([*small_run(shared_pairs, tmp_path / "again", **settings), *advised]) == 0
    fidelity = [value for _, value in curve(read_metrics(tmp_path / "again"), "loss/fidelity")]
    assert max(fidelity) < 3, "the good checkpoint draws: a blank or black drawing is at 4 to 30"


def test_divergence_before_any_good_checkpoint_says_so_and_leaves_none(
    shared_pairs: Path, plans: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    arguments = small_run(shared_pairs, run, **{**BUSY, "learning_rate": 0.1, "crops": 400, "bad_steps": 2})
    arguments += ["--plans", str(plans)]
    arguments.remove("--debug")
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "There is no good checkpoint yet. To start again: another -o and --set learning_rate=0.05" in told
    assert not checkpoints(run)
    assert not (run / "pencil.safetensors").exists()


def test_the_last_good_checkpoint_outlives_later_ones_that_nobody_has_measured(tmp_path: Path) -> None:
    network = {"generator": torch.nn.Linear(1, 1)}
    origin = Origin("", "", "", "none", 1)
    for crops in range(2, 14, 2):
        state = RunState(origin, crops, 1.0, 2, good_at=min(crops, 5), best=Best(2, "validation/l1_1px", 0.1, ""))
        save_checkpoint(tmp_path, network, {}, state)
    assert [int(folder.name) for folder in checkpoints(tmp_path)] == [2, 4, 8, 10, 12]


def shown_on_a_terminal(warm: Warm, arguments: list[str]) -> list[str]:
    """Every line a run writes to a terminal of 160 columns, redrawn ones each time."""
    terminal, device = pty.openpty()
    fcntl.ioctl(device, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 160, 0, 0))
    pid = warm.start(arguments, terminal=os.ttyname(device))
    shown, deadline = b"", time.monotonic() + PATIENCE
    while "complete after" not in warm.log(pid) and time.monotonic() < deadline:
        if select.select([terminal], [], [], 0.1)[0]:
            shown += os.read(terminal, 65536)
    status, told = warm.wait(pid)
    while select.select([terminal], [], [], 0)[0]:
        shown += os.read(terminal, 65536)
    os.close(device)
    os.close(terminal)
    assert status == 0, told
    assert "loader wait" not in told, "the bar says it"
    return re.split(r"[\r\n]+", shown.decode())


def test_a_terminal_shows_a_bar_with_the_speed_the_time_left_and_the_wait_for_the_loader(
    warm: Warm, shared_pairs: Path, plans: Path, tmp_path: Path
) -> None:
    arguments = [*small_run(shared_pairs, tmp_path / "run", crops=24, workers=0), "--plans", str(plans)]
    lines = shown_on_a_terminal(warm, arguments)
    bar = re.compile(
        r" *\d+%\|.*\| (\d+)/24 crops \[\d\d:\d\d, (\d\d:\d\d) left, +[\d.]+ crops/s, "
        r"loader wait \d+ %, fidelity [\d.]+"
    )
    found = [drawn for line in lines if (drawn := bar.match(line))]
    assert [int(drawn[1]) for drawn in found][-1] == 24
    assert found[-1][2] == "00:00"
    assert len({drawn[1] for drawn in found}) > 3, "it moves"
    assert all(len(line) <= 160 for line in lines), "a line that wraps is drawn again below, not over itself"


def test_the_run_folder_is_enough_to_repeat_it_and_to_see_how_it_went(busy: Path) -> None:
    record = read_record(busy)
    assert record["complete"] is True
    session = record["sessions"][0]
    assert session["command"]
    assert {"torch", "numpy"} <= session["environment"]["packages"].keys()
    assert record["data"]["pairs"] == 4
    assert record["again"].endswith("-o NEW")
    assert (busy / "config.toml").is_file()
    page = (busy / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert page.count("data:image/png;base64,") >= 6
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page, "the page needs nothing from elsewhere"
    assert record["best"]["why"] in page
    measured = read_metrics(busy)[-1].keys()
    for name in ("line_recall", "sliced_wasserstein", "l1_1px"):
        assert any(key.startswith(f"validation/{name}/") for key in measured)
    for title in ("generator", "discriminator"):
        assert f">Weights (root mean square): {title}</text>" in page
    parts = {key for entry in read_metrics(busy) for key in entry if key.startswith("weights/")}
    assert {"weights/generator/stem", "weights/discriminator/scales.0"} <= parts
    assert all(f">{part.split('/')[-1]}</text>" in page for part in parts)


def test_the_best_checkpoint_is_kept_and_exported(busy: Path, tmp_path: Path) -> None:
    best = read_record(busy)["best"]
    assert int(best["crops"]) in [int(folder.name) for folder in checkpoints(busy)]
    comfyui = tmp_path / "ComfyUI"
    assert main(["export", str(busy), "--comfyui", str(comfyui)]) == 2
    for name in ("models", "custom_nodes"):
        (comfyui / name).mkdir(parents=True)
    assert main(["export", str(busy), "--comfyui", str(comfyui)]) == 0
    assert read_header(comfyui / "models" / "sketchgan" / "run.safetensors").training["crops"] == best["crops"]
    assert main(["export", str(busy), "-o", str(tmp_path / "l.safetensors"), "--checkpoint", "latest"]) == 0
    assert read_header(tmp_path / "l.safetensors").training["crops"] == BUSY["crops"]


def two_processes(warm: Warm, arguments: list[str]) -> None:
    """Runs the trainer in two processes that learn as one, as `accelerate launch` starts them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    common = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    ranks = [warm.start(arguments, {**common, "RANK": str(rank), "LOCAL_RANK": str(rank)}) for rank in (0, 1)]
    for pid in ranks:
        status, told = warm.wait(pid)
        assert status == 0, told


def losses(run: Path) -> np.ndarray:
    names = ("loss/fidelity", "loss/adversarial", "loss/discriminator")
    return np.array(
        [[entry.get(name, 0.0) for name in names] for entry in read_metrics(run) if "loss/fidelity" in entry]
    )


def alike(data: Path, plans: Path, run: Path, **settings: object) -> list[str]:
    return [*small_run(data, run, **{**ALIKE, "checkpoint_minutes": 5, **settings}), "--plans", str(plans)]


@pytest.fixture(scope="module")
def alone(warm: Warm, shared_pairs: Path, plans: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of ALIKE by one process that takes its four crops a step at once."""
    run = tmp_path_factory.mktemp("alone") / "run"
    status, told = warm.run(alike(shared_pairs, plans, run, batch=4))
    assert status == 0, told
    return run


def test_two_processes_learn_what_one_does_and_either_goes_on_from_the_other(
    warm: Warm, alone: Path, shared_pairs: Path, plans: Path, tmp_path: Path
) -> None:
    two, mixed = tmp_path / "two", tmp_path / "mixed"
    two_processes(warm, alike(shared_pairs, plans, two, batch=2))
    np.testing.assert_allclose(losses(two), losses(alone), rtol=ORDER_OF_SUMS)
    two_processes(warm, alike(shared_pairs, plans, mixed, batch=2, crops=12))
    assert warm.run(alike(shared_pairs, plans, mixed, batch=4, crops=20))[0] == 0
    two_processes(warm, alike(shared_pairs, plans, mixed, batch=2))
    np.testing.assert_allclose(losses(mixed), losses(alone), rtol=ORDER_OF_SUMS)
    record = json.loads((mixed / "run.json").read_text())
    assert [session["environment"]["processes"] for session in record["sessions"]] == [2, 1, 2]


def test_accelerate_launches_two_processes_as_the_handbook_says(
    alone: Path, shared_pairs: Path, plans: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    found = re.search(r"`accelerate launch (--multi_gpu .*) sketchgan_training run \.\.\. --device cpu`", HANDBOOK)
    assert found is not None
    # another run on this machine may hold the usual port
    launch = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", "--main_process_port", "0"]
    command = [*launch, *found[1].split(), "training", *alike(shared_pairs, plans, run, batch=2)]
    # no user's `accelerate config`
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HOME": str(tmp_path / "none")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("2 process(es)") == 1, "one of them speaks"
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    (session,) = read_record(run)["sessions"]
    assert session["environment"]["processes"] == 2
    assert np.isfinite(losses(run)).all()
    np.testing.assert_allclose(losses(run), losses(alone), rtol=ORDER_OF_SUMS)
    load_pencil(run / "pencil.safetensors")


def test_accumulated_batches_are_a_step_on_the_same_crops(
    warm: Warm, alone: Path, shared_pairs: Path, plans: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    status, told = warm.run(alike(shared_pairs, plans, run, batch=2, accumulate=2))
    assert status == 0, told
    once, twice = losses(alone), losses(run)
    # The adversary first moves the generator in the fourth step: until then the fidelity depends on the crops alone.
    np.testing.assert_allclose(twice[:4, 0], once[:4, 0], rtol=LAST_DIGIT)
    # The discriminator's batch norm sees two crops at a time, not four: measured over three seeds, up to 2.8 %.
    np.testing.assert_allclose(twice, once, rtol=0.05)
    assert (twice[3:, 1] != once[3:, 1]).all()
    assert [entry["crops"] for entry in read_metrics(run)] == [entry["crops"] for entry in read_metrics(alone)]
