"""A signal from outside reaches a run's whole process group; the trainer alone decides when all of it ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.unit.training.runs import arguments
from training.runs.checkpoint import latest

ROOT = Path(__file__).parents[3]
PATIENCE = 240  # s, on a machine busy with other work
pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="no process groups here")


def start(command: list[str], home: Path) -> subprocess.Popen[str]:
    """A command in a process group of its own, as a shell starts it."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "HF_HOME": str(home)}
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert process.poll() is None, process.communicate()[1][-2000:]
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.02)


def helpers(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """The processes that the trainer has started to cut crops."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):  # it may just have ended
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def assert_saved(told: str, run: Path) -> None:
    """One line says where it stopped, and the same command would go on from there."""
    (crops,) = re.findall(
        rf"{re.escape(str(run))}: stopped at (\d+) crops; the same command goes on from there\n", told
    )
    saved = latest(run)
    assert saved is not None
    assert int(saved.name) == int(crops) > 0


@pytest.mark.parametrize("when", ["while its helpers start", "in the middle"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_to_the_group_ends_a_run_with_its_work_saved(
    shared_pairs: Path, tmp_path: Path, number: signal.Signals, when: str
) -> None:
    run = tmp_path / "run"
    command = [sys.executable, "-m", "training", *arguments(shared_pairs, run, crops=100_000, workers=2)]
    process = start(command, tmp_path)
    if when == "in the middle":
        wait_until((run / "metrics.jsonl").exists, process)
    else:
        wait_until(lambda: bool(helpers(process)), process)
    left = helpers(process)
    os.killpg(process.pid, number)
    told, complained = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, complained[-2000:]
    assert "Error" not in complained
    assert_saved(told, run)
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive, "helpers outlive the run"


def test_a_signal_to_the_group_ends_two_processes_of_accelerate_with_their_work_saved(
    shared_pairs: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    launch = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch", "--main_process_port", "0"]
    launch += ["--multi_gpu", "--num_processes", "2", "--module", "training"]
    process = start([*launch, *arguments(shared_pairs, run, crops=100_000, workers=1)], tmp_path)
    wait_until((run / "metrics.jsonl").exists, process)
    os.killpg(process.pid, signal.SIGTERM)
    told, complained = process.communicate(timeout=PATIENCE)
    assert_saved(told, run)
    # The launcher complains that it was stopped; the trainer has nothing to complain of.
    assert "DataLoader" not in complained


def test_an_error_does_not_wait_for_helpers_that_ignore_signals(shared_pairs: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = start(
        [sys.executable, "-m", "training", *arguments(shared_pairs, run, crops=100_000, workers=2)], tmp_path
    )
    wait_until((run / "metrics.jsonl").exists, process)
    left = helpers(process)
    assert process.stdout is not None
    process.stdout.close()  # as `| head` does: the next line it prints is an error
    try:
        process.wait(timeout=PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive, "helpers outlive the run"
