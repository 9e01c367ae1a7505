"""Peak bytes of activations per pixel and channel of width: the numbers in `Generator.bytes_per_pixel`.

python bench/tile_memory.py
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from measure import in_own_process, machine, timed

from sketchgan_core.generators.config import GeneratorConfig
from sketchgan_core.generators.registry import REGISTRY, build_generator
from sketchgan_core.generators.sketchai import sketchai_config

RESULT = Path(__file__).parent / "results" / "tile_memory.json"
SIZE = 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", choices=REGISTRY, help=argparse.SUPPRESS)
    architecture = parser.parse_args().architecture
    if architecture:
        print(json.dumps({"bytes_per_pixel": round(_measured(architecture), 1)}))
        return
    report = {name: in_own_process(__file__, "--architecture", name)["bytes_per_pixel"] for name in REGISTRY}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"machine": machine(), **report}, indent=2) + "\n")
    print(json.dumps(report, indent=2))


def _measured(architecture: str) -> float:
    config = sketchai_config() if architecture == "sketchai" else GeneratorConfig(architecture)
    generator = build_generator(config).eval().to(memory_format=torch.channels_last)

    def draw(size: int) -> None:
        planes, one = torch.rand(1, len(config.planes), size, size), torch.ones(1, 1, size, size)
        with torch.inference_mode():
            generator(planes.contiguous(memory_format=torch.channels_last), one, one)

    draw(64)
    memory = timed(lambda: draw(SIZE))
    return (memory["peak_mb"] - memory["peak_mb_before"]) * 2**20 / SIZE**2 / config.width


if __name__ == "__main__":
    main()
