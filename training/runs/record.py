"""run.json: what was run, on what, with which versions, how far it got. With config.toml, enough to do it again."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from sketchgan_core.files import written_whole
from sketchgan_core.planning.plan import PLAN_VERSION

from ..config import TrainConfig
from ..data.plan_version import KEY

FILE = "run.json"
_NUMBER = (int, float)
# What is read of it again. Whoever edits it may lose a line of the report by a slip, but nothing stops at it.
_KINDS: dict[str, Any] = {
    "data": {"told": str, "validation": int, "held_back": bool},
    "best": {"crops": int, "metric": str, "value": _NUMBER, "why": str},
    "crops": int,
    "seconds": _NUMBER,
    "sessions": list,
    "again": str,
}
_SESSION: dict[str, Any] = {
    **{name: str for name in ("started", "command", "commit")},
    "from_crops": int,
    "environment": {
        **{name: str for name in ("python", "platform", "processor", "device", "precision")},
        **{"cores": int, "processes": int, "packages": dict},
    },
}
PACKAGES = ("torch", "torchvision", "numpy", "opencv-python", "safetensors", "accelerate", "scipy")


def read_record(run: Path) -> dict[str, Any]:
    """What run.json says; empty if it is missing or unreadable."""
    try:
        record = json.loads((run / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(record, dict):
        return {}
    for name, kind in _KINDS.items():
        if name in record and not _is_sound(record[name], kind):
            del record[name]
    record["sessions"] = [session for session in record.get("sessions", []) if _is_sound(session, _SESSION)]
    return record


def _is_sound(value: Any, kind: Any) -> bool:
    """Whether a value is of a type, or has the keys, with values of such types, that a kind names."""
    if not isinstance(kind, dict):
        return isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)
    return isinstance(value, dict) and all(_is_sound(value.get(name), part) for name, part in kind.items())


def write_record(run: Path, **changed: Any) -> None:
    """Update run.json with `changed`."""
    with written_whole(run / FILE) as file:
        file.write(json.dumps({**read_record(run), **changed}, indent=1, ensure_ascii=False).encode())


def add_session(
    run: Path, crops: int, config: TrainConfig, data: dict[str, Any], sources: Sequence[str], device: dict[str, Any]
) -> None:
    """Note that training starts, or goes on, at `crops`.

    Args:
        sources: the part of the command that says which data and weights are learned from.
    """
    record = read_record(run)
    session = {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "from_crops": crops,
        "command": command(),
        "commit": commit(),
        "environment": {**environment(), **device},
    }
    before = record.get("data", data)
    if isinstance(before, dict) and before.get("sha256", data["sha256"]) != data["sha256"]:
        print(
            f"{run}: the pairs are not those it was started with; it goes on, "
            "but will not end as it would have without the change",
            file=sys.stderr,
        )
    again = ["sketchgan-train", "run", *sources, "--config", str(run / "config.toml"), "-o", "NEW"]
    write_record(
        run,
        again=shlex.join(again),
        data=data,
        **{KEY: PLAN_VERSION},
        crops=crops,
        of_crops=config.crops,
        complete=False,
        sessions=[*record.get("sessions", []), session],
    )


def command() -> str:
    return shlex.join(["sketchgan-train", *sys.argv[1:]])


def commit() -> str:
    """The revision of the source this runs from, marked if it was changed; empty if it is not a checkout."""
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{head} with changes" if changed.strip() else head


def environment() -> dict[str, Any]:
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
        "gpus": [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())],
    }


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
