"""A process that has the trainer imported and forks real training processes, which then start in no time.

Run as a program, it reads requests from its standard input, one JSON object a line, and answers each with a number:
`{"arguments": [...], "environment": {...}, "log": FILE, "largest_file": BYTES, "terminal": DEVICE}` with a process id,
and `{"wait": PID}` with that process's exit status, negative where a signal ended it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[3]


ON_ITS_DISK = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'


def on_a_disk_of_its_own(folder: Path, megabytes: int) -> list[str]:
    """The beginning of a command that sees, as the only process, a disk of this size in `folder`."""
    # root may mount without a user namespace, which not every machine allows
    own = ["unshare", "-m" if os.geteuid() == 0 else "-rm"]
    return [*own, "sh", "-c", ON_ITS_DISK, "sh", f"{megabytes}m", str(folder)]


def why_no_disk(folder: Path) -> str:
    """Why a disk cannot be mounted in `folder` here; empty if it can."""
    try:
        found = subprocess.run([*on_a_disk_of_its_own(folder, 1), "true"], capture_output=True, text=True)
    except (OSError, AttributeError) as error:  # no unshare, no geteuid
        return str(error)
    return found.stderr.strip() if found.returncode else ""


class Warm:
    """The process that forks, seen from a test.

    Args:
        logs: folder for the output of the forked processes.
        beginning: the start of the command that runs it.
    """

    def __init__(self, logs: Path, beginning: Sequence[str] = ()) -> None:
        self.logs = logs
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": ""}
        self.process = subprocess.Popen(
            [*beginning, sys.executable, __file__],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(
        self,
        arguments: list[str],
        environment: Mapping[str, str] | None = None,
        largest_file: int | None = None,
        terminal: str | None = None,
    ) -> int:
        """Run the trainer's command line in a process of its own; returns its id.

        Args:
            largest_file: bytes that a file may grow to.
            terminal: device that the standard error goes to.
        """
        log = self.logs / f"{len(list(self.logs.iterdir()))}.txt"
        log.touch()
        pid = self._ask(
            {
                "arguments": arguments,
                "environment": dict(environment or {}),
                "log": str(log),
                "largest_file": largest_file,
                "terminal": terminal,
            }
        )
        (self.logs / f"{pid}.log").symlink_to(log)
        return pid

    def wait(self, pid: int) -> tuple[int, str]:
        """Exit status of a process, and what it has said."""
        status = self._ask({"wait": pid})
        log = self.logs / f"{pid}.log"
        told = log.read_text()
        log.unlink()
        return status, told

    def log(self, pid: int) -> str:
        """What a process has said so far."""
        return (self.logs / f"{pid}.log").read_text()

    def run(self, arguments: list[str], largest_file: int | None = None) -> tuple[int, str]:
        return self.wait(self.start(arguments, largest_file=largest_file))

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(10)

    def _ask(self, request: dict[str, object]) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())


def _serve() -> None:
    import torch

    import training.commands.run
    from training.cli import main

    assert training.commands.run
    torch.set_num_threads(1)
    # not by iterating, which reads ahead: a child would take lines that follow
    while line := sys.stdin.readline():
        request = json.loads(line)
        if "wait" in request:
            status = os.waitstatus_to_exitcode(os.waitpid(request["wait"], 0)[1])
            print(status, flush=True)
            continue
        pid = os.fork()
        if pid:
            print(pid, flush=True)
            continue
        with open(request["log"], "w") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        if request["terminal"]:
            os.dup2(os.open(request["terminal"], os.O_WRONLY | os.O_NOCTTY), 2)
        os.environ.update(request["environment"])
        if request["largest_file"]:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request["largest_file"],) * 2)
        status = 1
        try:
            status = main(request["arguments"])
        except BaseException:
            import traceback

            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    _serve()
