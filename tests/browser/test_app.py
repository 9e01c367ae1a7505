"""The stand-alone app, served by its command and used with the mouse in a real Chromium."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sketchgan_core.choices import CONTROLS, PRESETS
from sketchgan_core.images import read_image, write_image
from sketchgan_core.pencils.header import Card
from sketchgan_core.pencils.weights import save_pencil
from sketchgan_core.sketcher import Sketcher
from tests.conftest import draw_lines, random_generator

pytest.importorskip("gradio", reason="the app needs gradio: pip install 'sketchgan[app]'")
sync_api = pytest.importorskip(
    "playwright.sync_api", reason="a browser is driven by playwright: pip install playwright"
)

ROOT = Path(__file__).parents[2]
PATIENCE = 60_000  # ms: a loaded computer is slow, and a wait ends when its event comes
expect = sync_api.expect
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawing, a large one, a scan in a format browsers do not show, and two files that are not what they claim."""
    folder = tmp_path_factory.mktemp("files")
    write_image(folder / "cat.png", draw_lines(150, 200))
    write_image(folder / "large.png", draw_lines(1500, 2000))
    write_image(folder / "scan.tif", draw_lines(120, 90) * 0.8)
    (folder / "text.png").write_text("not an image")
    (folder / "text.safetensors").write_text("not a pencil")
    for name, width in (("first", 8), ("second", 4)):
        card = Card(f"The {name} pencil")
        controls = {"darkness": 0.5 if name == "first" else 0.9}
        save_pencil(
            folder / f"{name}.safetensors", random_generator(width=width), card, controls=controls, dtype=torch.float32
        )
    return folder


@pytest.fixture(scope="module")
def address(files: Path) -> Iterator[str]:
    command = [sys.executable, "-m", "sketchgan_core", "app", "--no-open", "--device", "cpu"]
    command += ["--port", str(free_port()), "--weights", str(files / "first.safetensors")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            assert server.stdout is not None
            said = []
            for line in server.stdout:
                said.append(line)
                if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                    yield found.group()
                    break
            else:
                pytest.fail("the app did not start:\n" + "".join(said))
        finally:
            server.terminate()


@pytest.fixture
def page(browser: sync_api.Browser, address: str) -> Iterator[sync_api.Page]:
    """The open page; at the end it must have raised no error and have contacted nothing but the app."""
    page = browser.new_page(viewport={"width": 1360, "height": 900})
    page.set_default_timeout(PATIENCE)
    errors, strangers = [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.on(
        "request",
        lambda request: strangers.append(request.url) if not request.url.startswith((address, "data:", "blob:")) else 0,
    )
    page.goto(address)
    expect(page.locator("#darkness input[type=range]")).to_be_visible()
    yield page
    page.close()
    assert not errors
    assert not strangers


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def give(page: sync_api.Page, where: str, file: Path) -> None:
    page.set_input_files(f"{where} input[type=file]", file)


def drop(page: sync_api.Page, where: str, file: Path) -> None:
    """Drops a file on an image, as from a file manager."""
    carried = page.evaluate_handle(
        """([content, name]) => {
            const carried = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
            carried.items.add(new File([bytes], name, {type: "image/png"}));
            return carried;
        }""",
        [base64.b64encode(file.read_bytes()).decode(), file.name],
    )
    page.dispatch_event(f"{where} button[aria-label]", "drop", {"dataTransfer": carried})


def hold(page: sync_api.Page, slider: str, value: float) -> None:
    """Drags a slider's handle to a value and holds it there."""
    handle = page.locator(f"{slider} input[type=range]")
    handle.scroll_into_view_if_needed()
    low, high = (float(handle.get_attribute(end) or 0) for end in ("min", "max"))
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (value - low) / (high - low), box["y"] + box["height"] / 2, steps=5)


def slide(page: sync_api.Page, slider: str, value: float) -> None:
    """Drags a slider's handle to a value and lets it go."""
    hold(page, slider, value)
    page.mouse.up()


def value_of(page: sync_api.Page, slider: str) -> float:
    return float(page.input_value(f"{slider} input[type=number]"))


def shown(page: sync_api.Page, kind: str, other_than: str = "") -> str:
    """Waits for a picture of a kind, sketch or preview, other than the last one; returns its address."""
    file = re.compile(rf"^(?!{re.escape(other_than)}$).*-{kind}\.\w+$" if other_than else rf"-{kind}\.\w+$")
    after = page.locator("#result img").last
    expect(after).to_have_attribute("src", file)
    return str(after.get_attribute("src"))


def drawn(page: sync_api.Page, tmp_path: Path, other_than: str = "") -> np.ndarray:
    """Waits for a sketch other than the last one and downloads it."""
    shown(page, "sketch", other_than)
    expect(page.locator("#download")).to_be_enabled()
    return downloaded(page, "#download", tmp_path / "sketch.png")


def downloaded(page: sync_api.Page, button: str, target: Path) -> np.ndarray:
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(target)
    assert re.fullmatch(r"\w+(-lines)?-(sketch|lines)\.png", download.value.suggested_filename)
    return read_image(target).grey


def test_a_dropped_picture_is_drawn_at_once_and_again_when_something_changes(
    page: sync_api.Page, files: Path, tmp_path: Path
) -> None:
    drop(page, "#picture", files / "cat.png")
    first = drawn(page, tmp_path)
    expect(page.locator("#result img")).to_have_count(2)
    assert first.shape == (150, 200)
    assert 0.5 < first.mean() < 0.99
    # What was read, and why.
    expect(page.locator("#note")).to_contain_text(re.compile(r"Read as clean lines.*; drawn at \d+ x \d+"))
    expect(page.locator("#stop")).to_be_hidden()

    last = shown(page, "sketch")
    page.click("#dice")
    another_take = drawn(page, tmp_path, last)
    assert page.input_value("#seed input") != "0"
    assert not np.array_equal(another_take, first)


def test_a_moved_slider_shows_a_preview_and_let_go_the_whole_sketch(
    page: sync_api.Page, files: Path, tmp_path: Path
) -> None:
    give(page, "#picture", files / "large.png")
    first = drawn(page, tmp_path)
    last = shown(page, "sketch")
    hold(page, "#darkness", 1)
    shown(page, "preview")
    expect(page.locator("#note")).to_contain_text("preview")
    expect(page.locator("#download")).to_be_disabled()
    # Nothing but the preview is made while the slider is held.
    page.wait_for_timeout(500)
    expect(page.locator("#stop")).to_be_hidden()

    page.mouse.up()
    darker = drawn(page, tmp_path, last)
    assert darker.shape == first.shape == (1500, 2000)
    assert not np.array_equal(darker, first)


def test_the_newest_wish_wins(page: sync_api.Page, files: Path, tmp_path: Path) -> None:
    give(page, "#picture", files / "large.png")
    expect(page.locator("#stop")).to_be_visible()
    for control, value in (("#darkness", 1), ("#roughness", 0.1), ("#darkness", 0.2), ("#shading", 0.9)):
        slide(page, control, value)
    expect(page.locator("#note")).to_contain_text(re.compile(r"\d s\s*$"))
    result = drawn(page, tmp_path)
    asked = {name: value_of(page, f"#{name}") for name in ("darkness", "roughness", "shading")}
    assert asked["darkness"] == pytest.approx(0.2, abs=0.06)
    wanted = Sketcher.load(files / "first.safetensors", "cpu")(read_image(files / "large.png").pixels, **asked)
    assert np.abs(result - wanted).mean() < 0.003
    # A drawing that was overtaken is never shown.
    last = shown(page, "sketch")
    page.wait_for_timeout(2000)
    assert shown(page, "sketch") == last


def test_presets_set_the_sliders_and_draw(page: sync_api.Page, files: Path, tmp_path: Path) -> None:
    give(page, "#picture", files / "cat.png")
    first = drawn(page, tmp_path)
    last = shown(page, "sketch")
    page.get_by_role("button", name="Dramatic").click()
    dramatic = drawn(page, tmp_path, last)
    assert {name: value_of(page, f"#{name}") for name in CONTROLS} == PRESETS["dramatic"]
    assert not np.array_equal(dramatic, first)

    last = shown(page, "sketch")
    page.get_by_role("button", name="Pencil's own").click()
    assert np.array_equal(drawn(page, tmp_path, last), first)


def test_a_lead_is_chosen_by_its_picture(page: sync_api.Page, files: Path, tmp_path: Path) -> None:
    give(page, "#picture", files / "cat.png")
    first = drawn(page, tmp_path)
    page.get_by_role("button", name="Leads and styles").click()
    for picture, field in (("charcoal", "#grade"), ("stippled", "#style")):
        last = shown(page, "sketch")
        page.locator("#media").get_by_text(picture).click()
        chosen = drawn(page, tmp_path, last)
        expect(page.locator(f"{field} input")).to_have_value(re.compile(picture, re.IGNORECASE))
    assert chosen.mean() < first.mean()


def test_an_example_is_one_click_and_pictures_come_first(page: sync_api.Page, tmp_path: Path) -> None:
    page.locator("#examples img, .gallery-item img").first.click()
    expect(page.locator("#picture img")).to_be_visible()
    assert drawn(page, tmp_path).shape == read_image(ROOT / "examples/pictures/astronaut.jpg").grey.shape
    expect(page.locator("#note")).to_contain_text("Read as a picture")

    page.locator("#picture").get_by_label("Remove Image").click()
    expect(page.locator("#result img")).to_have_count(0)
    expect(page.locator("#download")).to_be_disabled()


def test_stop_stops(page: sync_api.Page, files: Path) -> None:
    give(page, "#picture", files / "large.png")
    page.click("#stop")
    expect(page.locator("#note")).to_contain_text("Stopped.")
    expect(page.locator("#stop")).to_be_hidden()
    page.wait_for_timeout(2000)
    expect(page.locator("#note")).to_contain_text("Stopped.")
    expect(page.locator("#download")).to_be_disabled()


def test_lines_follow_the_slider_and_go_to_the_sketch(page: sync_api.Page, files: Path, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Lines").click()
    give(page, "#lines-picture", files / "scan.tif")
    preview = page.locator("#lines img")
    expect(preview).to_be_visible()
    # Browsers do not show TIFF: the page was given another format.
    expect(page.locator("#lines-picture img")).to_have_js_property("naturalWidth", 90)
    before = downloaded(page, "#lines-download", tmp_path / "before.png")
    shown = str(preview.get_attribute("src"))

    slide(page, "#thickness", 6)
    expect(preview).not_to_have_attribute("src", shown)
    after = downloaded(page, "#lines-download", tmp_path / "after.png")
    assert after.shape == before.shape == (120, 90)
    assert after.mean() < before.mean() - 0.02

    page.click("#send")
    expect(page.locator("#picture img")).to_have_js_property("naturalWidth", 90)
    assert drawn(page, tmp_path).shape == (120, 90)
    expect(page.locator("#note")).to_contain_text("as asked")


def test_every_line_setting_changes_the_preview(page: sync_api.Page, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Lines").click()
    page.locator("#lines-examples img[src*=elephant]").click()  # many short strokes
    preview = page.locator("#lines img")
    expect(preview).to_be_visible()
    page.locator("#lines-mode").get_by_text("Drawing or scan").click()
    expect(page.locator("#lines-note")).to_contain_text("cleaned")
    page.locator("#clean-up button").first.click()

    def lines_when(holds: Callable[[np.ndarray], bool]) -> np.ndarray:
        # The preview follows a dragged slider through several values: wait for what its last one gives.
        for _ in range(60):
            lines = downloaded(page, "#lines-download", tmp_path / "lines.png")
            if holds(lines):
                return lines
            page.wait_for_timeout(250)
        pytest.fail("the lines did not change as they should")

    first = lines_when(lambda lines: True)
    slide(page, "#uniform-width", 8)
    broad = lines_when(lambda lines: lines.mean() < first.mean() - 0.02)
    slide(page, "#minimum-length", 250)
    lines_when(lambda lines: lines.mean() > broad.mean() + 0.002)
    page.click("#reset")
    expect(page.locator("#uniform-width input[type=number]")).to_have_value("0")
    lines_when(lambda lines: np.array_equal(lines, first))


def test_a_wrong_file_is_named(page: sync_api.Page, files: Path) -> None:
    give(page, "#picture", files / "text.png")
    expect(page.get_by_text("text.png: not an image this program can read")).to_be_visible()
    expect(page.locator("#picture img")).to_have_count(0)
    page.set_input_files("input[type=file][accept*=safetensors]", files / "text.safetensors")
    expect(page.get_by_text("text.safetensors: not a safetensors file")).to_be_visible()


def test_an_own_pencil_draws_with_its_own_controls(page: sync_api.Page, files: Path, tmp_path: Path) -> None:
    give(page, "#picture", files / "cat.png")
    first = drawn(page, tmp_path)
    last = shown(page, "sketch")
    page.set_input_files("input[type=file][accept*=safetensors]", files / "second.safetensors")
    expect(page.locator("#pencil input")).to_have_value("The second pencil")
    expect(page.locator("#darkness input[type=number]")).to_have_value("0.9")
    second = drawn(page, tmp_path, last)
    assert second.shape == first.shape
    assert not np.array_equal(second, first)
