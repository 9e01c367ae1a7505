"""What the package adds to ComfyUI's start: the host's own "Import times" line, five times.

python bench/host_start.py
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import machine

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.comfyui import NAME, Host, find_comfyui

RESULT = Path(__file__).parent / "results" / "host_start.json"
STARTS = 5


def main() -> None:
    seconds = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as root:
            host = Host(find_comfyui(), Path(root), ("--cpu", "--quick-test-for-ci"))
            log = subprocess.run(host.command, cwd=root, capture_output=True, text=True, check=True).stderr
            line = re.search(rf"([\d.]+) seconds: \S*custom_nodes/{NAME}$", log, re.MULTILINE)
            assert line is not None, log
            seconds.append(float(line[1]))
    report = {"machine": machine(), "seconds, rounded by the host": seconds}
    RESULT.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
