"""Reviewing pairs: `review.html` shows them, `review.txt` says which are kept; the others are set aside."""

from __future__ import annotations

import base64
import html
import io
import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

import numpy as np
from PIL import Image

from sketchgan_core.errors import SketchGANError
from sketchgan_core.files import written_whole
from sketchgan_core.images import read_image

from ..data import folder as pair_folder

PAGE, DECISIONS, ASIDE = "review.html", "review.txt", "rejected"
_KINDS = ("line", "sketch")
_SHOWN = 460  # px, the longer side of a picture on the page


def decide(folder: Path, reject: Sequence[str] = (), keep: Sequence[str] = ()) -> dict[str, bool]:
    """Bring a folder in line with its `review.txt` and with what is asked for now.

    Rejected pairs move to `rejected/`, kept ones move back; the manifest, the page and `review.txt` are written anew.

    Returns:
        Whether each pair is kept, by name.

    Raises:
        SketchGANError: a name or a line of `review.txt` is not understood; in that case nothing has been changed.
    """
    entries = {name: record["pair"] for name, record in pair_folder.records(folder).items() if "pair" in record}
    decided = dict.fromkeys(entries, True) | _read(folder / DECISIONS, entries)
    for names, kept, option in ((reject, False, "--reject"), (keep, True, "--keep")):
        for name in names:
            if name not in entries:
                raise SketchGANError(f"{option} {name}: no pair of that name in {folder}; see {DECISIONS}")
            decided[name] = kept
    for name, kept in decided.items():
        _move(folder, name, kept)
    pair_folder.write_manifest(folder, [entries[name] for name, kept in decided.items() if kept])
    head = "# keep or reject, one pair a line; run `sketchgan-train pair -o` on this folder again to apply a change\n"
    listed = "".join(f"{'keep' if kept else 'reject'} {name}\n" for name, kept in decided.items())
    _write(folder / DECISIONS, head + listed)
    _write(folder / PAGE, _page(folder, decided))
    return decided


def has_images(folder: Path, name: str) -> bool:
    """Whether both images of a pair are there, kept or set aside."""
    return any(all((place / kind / f"{name}.png").exists() for kind in _KINDS) for place in (folder, folder / ASIDE))


def take_back(folder: Path, names: Iterable[str]) -> None:
    """Move the files of rejected pairs back."""
    for name in names:
        _move(folder, name, kept=True)


def _read(file: Path, known: Iterable[str]) -> dict[str, bool]:
    if not file.exists():
        return {}
    decided = {}
    for number, text in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        word, _, name = text.strip().partition(" ")
        if not word or word.startswith("#"):
            continue
        if word not in ("keep", "reject") or name.strip() not in known:
            raise SketchGANError(
                f"{file}:{number}: {text.strip()!r} is not understood; write keep or reject and a name"
            )
        decided[name.strip()] = word == "keep"
    return decided


def _move(folder: Path, name: str, kept: bool) -> None:
    source, target = (folder / ASIDE, folder) if kept else (folder, folder / ASIDE)
    for kind in _KINDS:
        file = source / kind / f"{name}.png"
        if file.exists():
            (target / kind).mkdir(parents=True, exist_ok=True)
            file.replace(target / kind / file.name)


def _write(path: Path, text: str) -> None:
    with written_whole(path) as file:
        file.write(text.encode())


def _page(folder: Path, decided: dict[str, bool]) -> str:
    pairs = "\n".join(_figure(folder if kept else folder / ASIDE, name, kept) for name, kept in decided.items())
    command = f"sketchgan-train pair -o {shlex.quote(str(folder))}"
    return _PAGE.substitute(pairs=pairs, command=json.dumps(command).replace("<", "\\u003c"))


def _figure(place: Path, name: str, kept: bool) -> str:
    images = "".join(f'<img src="{_thumbnail(place / kind / f"{name}.png")}" alt="{kind}">' for kind in _KINDS[::-1])
    data = f'data-name="{html.escape(shlex.quote(name))}" data-kept="{str(kept).lower()}"'
    return (
        f'<label {data}><input type="checkbox"{" checked" if kept else ""}>'
        f"<span>{html.escape(name)}</span><div>{images}</div></label>"
    )


def _thumbnail(file: Path) -> str:
    content = io.BytesIO()
    small = Image.fromarray(np.rint(read_image(file).grey * 255).astype(np.uint8))
    small.thumbnail((_SHOWN, _SHOWN))
    small.save(content, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()


_PAGE = Template("""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Drawings and their lines</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; background: #e8e6e1; color: #222;
  margin: 0 auto; max-width: 1400px; padding: 1rem 1rem 9rem }
main { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 620px), 1fr)) }
label { display: block; padding: .5rem; background: #fff; border-radius: .4rem; cursor: pointer }
label div { display: grid; grid-template-columns: 1fr 1fr; gap: .5rem }
label img { width: 100%; height: 300px; object-fit: contain }
label span { margin-left: .5rem }
label:has(input:not(:checked)) { background: #d3cfc6 }
label:has(input:not(:checked)) div { opacity: .3 }
footer { position: fixed; inset: auto 0 0; padding: .8rem 1rem; background: #222; color: #fff }
code { background: #000; margin-top: .3rem; padding: .4rem .6rem; user-select: all;
  overflow-wrap: anywhere; max-height: 5rem; overflow: auto }
code:not([hidden]) { display: block }
</style>
<h1>Drawings and their lines</h1>
<p>Left the drawing on white, right the lines found in it. Keep a pair where the lines are those you would have drawn
over; take the tick off where hatching became lines, or where lines are missing. A few missing strokes do no harm.</p>
<main>
$pairs
</main>
<footer><span id="said"></span><code id="command"></code></footer>
<script>
const command = $command
const pairs = [...document.querySelectorAll("label")]
const box = (pair) => pair.querySelector("input")
function tell() {
  const changed = (kept) => pairs.filter((pair) => box(pair).checked === kept && pair.dataset.kept !== String(kept))
  const option = (word, chosen) =>
    chosen.length ? [" --" + word, ...chosen.map((pair) => pair.dataset.name)].join(" ") : ""
  const text = option("reject", changed(false)) + option("keep", changed(true))
  document.getElementById("said").textContent = text ? "Run this to apply your choice:"
    : pairs.filter((pair) => box(pair).checked).length + " of " + pairs.length + " pairs are kept."
  document.getElementById("command").textContent = text && command + text
  document.getElementById("command").hidden = !text
}
document.querySelector("main").addEventListener("change", tell)
// A reloaded page would otherwise show the ticks of its last visit.
for (const pair of pairs) box(pair).checked = pair.dataset.kept === "true"
tell()
</script>
</html>
""")
