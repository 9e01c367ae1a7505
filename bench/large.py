"""Memory and time of the command for pictures of growing size, beside those of importing torch and OpenCV alone.

python bench/large.py [--sizes 1024 4096 16384]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyvips
from measure import MEGABYTE, machine

RESULT = Path(__file__).parent / "results" / "large.json"
PICTURE = Path(__file__).parents[1] / "examples" / "pictures" / "astronaut.jpg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 1024, 4096, 16384, 32768])
    sizes = parser.parse_args().sizes
    bare = _measured("-c", "import torch, cv2")
    report: dict[str, Any] = {"machine": machine(), "import torch, cv2": bare}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            picture, sketch = Path(folder, "picture.png"), Path(folder, "sketch.png")
            small = pyvips.Image.new_from_file(str(PICTURE))
            enlarged = small.resize(size / small.width, vscale=size / small.height)
            enlarged.write_to_file(str(picture), compression=1)
            made = _measured("-m", "sketchgan_core", "sketch", str(picture), "-o", str(sketch), "--device", "cpu")
        output = size * size / 2**20
        made["beyond_program_and_output_mb"] = round(made["peak_mb"] - bare["peak_mb"] - output)
        report[f"{size} x {size}"] = made
        print(size, made, flush=True)
    RESULT.write_text(json.dumps(report, indent=2) + "\n")


def _measured(*words: str) -> dict[str, float]:
    """Peak memory and seconds of one run of Python."""
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, *words], stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(words)}: status {status}")
    return {"peak_mb": round(used.ru_maxrss / MEGABYTE), "seconds": round(time.monotonic() - start, 2)}


if __name__ == "__main__":
    main()
