"""Time and peak memory of a piece of work, each in a process of its own."""

from __future__ import annotations

import json
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

from sketchgan_core.devices import choose_device, choose_dtype

MEGABYTE = 2**20 if sys.platform == "darwin" else 2**10  # in the units of ru_maxrss: bytes there, kilobytes on Linux


def in_own_process(script: str, *arguments: str) -> dict[str, Any]:
    """Runs `script arguments` and returns the JSON object on its last line."""
    output = subprocess.run([sys.executable, script, *arguments], check=True, capture_output=True, text=True).stdout
    result: dict[str, Any] = json.loads(output.splitlines()[-1])
    return result


def timed(work: Callable[[], object]) -> dict[str, float]:
    """Seconds of `work()`, and the process's peak resident memory in MB before and after it."""
    before = _peak_megabytes()
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 3), "peak_mb": _peak_megabytes(), "peak_mb_before": before}


def machine() -> dict[str, Any]:
    """What a reader must know to compare the numbers."""
    return {
        "processor": platform.processor() or platform.machine(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "dtype": str(choose_dtype(choose_device("cpu"))).removeprefix("torch."),
    }


def _peak_megabytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEGABYTE
