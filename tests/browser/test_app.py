"""The stand-alone app, served by its command and used by mouse in a real Chromium."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from sketchgan_core.header import Card
from sketchgan_core.images import read_image, write_image
from sketchgan_core.weights import save_pencil
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
    """A drawing, a large one, a scan in a format browsers do not show, two files that are not what they say."""
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
    """The open page; at the end it must have raised no error and asked nobody but the app for anything."""
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
    expect(page.locator("#draw")).to_be_visible()
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


def slide(page: sync_api.Page, slider: str, value: float) -> None:
    """Drags a slider's handle to a value."""
    handle = page.locator(f"{slider} input[type=range]")
    handle.scroll_into_view_if_needed()
    low, high = (float(handle.get_attribute(end) or 0) for end in ("min", "max"))
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (value - low) / (high - low), box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()


def drawn(page: sync_api.Page, press: str, tmp_path: Path) -> np.ndarray:
    """Presses a button that draws, waits for a sketch other than the last one and downloads it."""
    after = page.locator("#result img").last
    last = after.get_attribute("src") if after.count() else ""
    page.click(press)
    expect(after).not_to_have_attribute("src", str(last))
    expect(page.locator("#draw")).to_be_visible()
    return downloaded(page, "#download", tmp_path / "sketch.png")


def downloaded(page: sync_api.Page, button: str, target: Path) -> np.ndarray:
    with page.expect_download() as download:
        page.click(button)
    download.value.save_as(target)
    assert re.fullmatch(r"\w+(-lines)?-(sketch|lines)\.png", download.value.suggested_filename)
    return read_image(target).grey


def test_a_drawing_becomes_a_sketch_and_every_control_changes_it(
    page: sync_api.Page, files: Path, tmp_path: Path
) -> None:
    give(page, "#picture", files / "cat.png")
    expect(page.locator("#picture img")).to_be_visible()
    first = drawn(page, "#draw", tmp_path)
    expect(page.locator("#result img")).to_have_count(2)
    assert first.shape == (150, 200)
    assert 0.5 < first.mean() < 0.99

    slide(page, "#darkness", 1)
    darker = drawn(page, "#draw", tmp_path)
    assert not np.array_equal(darker, first)

    another_take = drawn(page, "#dice", tmp_path)
    assert page.input_value("#seed input") != "0"
    assert not np.array_equal(another_take, darker)


def test_an_example_is_one_click(page: sync_api.Page, tmp_path: Path) -> None:
    page.locator("#examples img, .gallery-item img").first.click()
    expect(page.locator("#picture img")).to_be_visible()
    assert drawn(page, "#draw", tmp_path).shape == read_image(ROOT / "examples/drawings/books.png").grey.shape


def test_stop_stops(page: sync_api.Page, files: Path) -> None:
    give(page, "#picture", files / "large.png")
    expect(page.locator("#picture img")).to_be_visible()
    page.click("#draw")
    page.click("#stop")
    expect(page.locator("#note")).to_have_text("Stopped.")
    expect(page.locator("#draw")).to_be_visible()
    expect(page.locator("#download")).to_be_disabled()


def test_lines_follow_the_slider_and_go_to_the_sketch(page: sync_api.Page, files: Path, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Lines").click()
    give(page, "#lines-picture", files / "scan.tif")
    preview = page.locator("#lines img")
    expect(preview).to_be_visible()
    # Browsers do not show TIFF: the page got another format of it.
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
    assert drawn(page, "#draw", tmp_path).shape == (120, 90)
    expect(page.locator("#note")).to_contain_text("as they are")


def test_every_line_setting_changes_the_preview(page: sync_api.Page, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Lines").click()
    page.locator("#lines-examples img").nth(2).click()  # the elephant: many short strokes
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
    page.click("#draw")
    expect(page.get_by_text("Choose a picture first")).to_be_visible()
    expect(page.locator("#draw")).to_be_visible()
    give(page, "#picture", files / "text.png")
    expect(page.get_by_text("text.png: not an image this program can read")).to_be_visible()
    expect(page.locator("#picture img")).to_have_count(0)
    page.set_input_files("input[type=file][accept*=safetensors]", files / "text.safetensors")
    expect(page.get_by_text("text.safetensors: not a safetensors file")).to_be_visible()


def test_an_own_pencil_draws_with_its_own_controls(page: sync_api.Page, files: Path, tmp_path: Path) -> None:
    page.set_input_files("input[type=file][accept*=safetensors]", files / "second.safetensors")
    expect(page.locator("#pencil input")).to_have_value("The second pencil")
    expect(page.locator("#darkness input[type=number]")).to_have_value("0.9")
    give(page, "#picture", files / "cat.png")
    expect(page.locator("#picture img")).to_be_visible()
    assert drawn(page, "#draw", tmp_path).shape == (150, 200)
