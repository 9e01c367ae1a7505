"""Puts what the benchmarks measured beside what was aimed at: bench/README.md.

python bench/table.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


# Where a bar is not met: what a profile says of it.
WHY = (
    "**Cold command.** Beyond torch and OpenCV it imports Pillow, safetensors and numpy.random, and nothing of torch's "
    "compiler. What is left is done once in a process: 18 fields of noise, half a second of processor time in all (a "
    "Fourier transform of 1024 x 1024 there and back for each), which a second drawing finds ready.",
    "**Planning.** Half of a picture's plan is following strokes step by step and keeping them apart; a tenth is "
    "painting them, an eighth the lines' passes, a twelfth the flow, a sixteenth the hand's fields. Following goes "
    "from stroke to stroke and gains nothing from instructions of 16 bits, as the network does.",
    "**Arithmetic.** Two fifths of the network's time are convolutions. The rest moves memory between them: "
    "activations 13 %, sums and copies 18 %, planes put together and taken apart 14 %, enlarging 8 %. With 16 to 96 "
    "channels a layer ends before its values have been worth fetching; a matrix product uses each of them 2,048 times.",
    "**Texture.** Scanned graphite is grainier than judges like a drawing to be (docs/judged), and has no lines.",
)


def result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "results" / f"{name}.json").read_text())
    return found


def speed() -> list[tuple[str, str, str]]:
    """The original's way against ours, for each size and processor that was measured."""
    bars = {"2048, bfloat16": 40, "4096, bfloat16": 80, "2048, float32": 25, "4096, float32": 80}
    return [
        (
            f"original's way / ours, {size} px, {capability}, {dtype}",
            f"{entry['times_faster']:.1f} ({entry['residual_tiles']['seconds']:.1f} s)",
            f">= {bars[f'{size}, {dtype}']}",
        )
        for key, entry in sorted(result("sketchai_vs_residual").items())
        for size, capability, dtype in [key.split(", ")]
    ]


def parts() -> list[tuple[str, str, str]]:
    found = result("parts")
    dtype = found["machine"]["dtype"]
    return [
        ("cold command at 512 px, less its drawing / bare import of torch and cv2", ratio(found["cold"]), "<= 1.3"),
        (f"planning / network, a picture, {dtype}", ratio(found["planning, picture"]), "<= .35"),
        (f"planning / network, line art, {dtype}", ratio(found["planning, lines"]), "<= .35"),
        (f"arithmetic reached / that of a matrix product, {dtype}", ratio(found["arithmetic"]), ">= .6"),
        ("drawn in tiles / drawn whole", ratio(found["tiles"]), "<= 1.15"),
        ("each pixel beyond the drawing size", f"{found['paper']['nanoseconds']:.0f} ns", "<= 60 ns"),
        ("preview when a control moves, 1024 px", f"{found['preview']['seconds']:.2f} s", "<= .5 s"),
        ("film of 1280 x 720, frames a second / single pictures a second", ratio(found["film"]), ">= 1.3"),
        ("boil of a still ground in a film", f"{found['film']['boil']:g}", "0"),
    ]


def memory() -> list[tuple[str, str, str]]:
    return [
        (f"memory beyond program and result, {size}", f"{entry['beyond_program_and_output_mb']} MB", "<= 600 MB")
        for size, entry in result("large").items()
        if "beyond_program_and_output_mb" in entry
    ]


def graphite() -> list[tuple[str, str, str]]:
    """How far textures are from scanned graphite, beside how far two halves of the scan are from each other."""
    distances = result("graphite")["sliced_wasserstein"]
    floor = distances.pop("floor")
    return [
        (f"texture of {name} to scanned graphite, sliced Wasserstein", f"{distance:.0f}", f"(floor {floor:.0f})")
        for name, distance in distances.items()
    ]


def ratio(entry: dict[str, float]) -> str:
    return f"{entry['ratio']:.2f}"


def main() -> None:
    rows = [*speed(), *parts(), *memory(), *graphite()]
    told = "By `make bench`, each ratio within one run on one machine; the files in [results](results) say which."
    text = ["# What was measured", "", told, ""]
    text += ["| measure | measured | aimed at |", "|---|---|---|"]
    text += [f"| {' | '.join(row)} |" for row in rows]
    text += ["", "## Where a bar is not met", ""]
    text += [f"- {reason}" for reason in WHY]
    (HERE / "README.md").write_text("\n".join(text) + "\n")
    print("\n".join(text))


if __name__ == "__main__":
    main()
