"""The nodes in ComfyUI's real page, used with the mouse, in both of its front ends."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from PIL import Image

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="a browser is driven by playwright: pip install playwright"
)

from sketchgan_core.choices import PRESETS  # noqa: E402
from sketchgan_core.pencils.header import Card  # noqa: E402
from sketchgan_core.pencils.weights import save_pencil  # noqa: E402
from tests.browser.comfyui_page import EXAMPLES, SCREENSHOTS, ComfyPage  # noqa: E402
from tests.comfyui import CACHE, NAME, ROOT, Host, Unavailable, serving  # noqa: E402
from tests.conftest import random_generator  # noqa: E402

NEW_FRONTEND = CACHE / "frontend" / "comfyui_frontend_package" / "static"
FIRST, LINE_ART, ANIMATION = "1 Picture to pencil", "2 Line art to pencil", "7 Animation frames"
FOLDER, APP = "9 Folder", "10 App"
NEEDS_CHECKPOINT = "3 Behind Stable Diffusion"
GENERATE = "SketchGANGenerate"
LANGUAGES = sorted(folder.name for folder in (ROOT / "locales").iterdir())
NAMES = sorted((path.stem for path in EXAMPLES.glob("*.json")), key=lambda name: int(name.split()[0]))
MODES = ("canvas", "nodes-2")
BLUEPRINT = ROOT / "subgraphs" / "Picture to pencil.json"
expect = sync_api.expect


def serve(tmp_path_factory: pytest.TempPathFactory, *arguments: str) -> Iterator[Host]:
    try:
        root = tmp_path_factory.mktemp("comfyui")
        hard = Card("A hard pencil", "Anna", "CC0-1.0")
        save_pencil(root / "models" / NAME / "hard.safetensors", random_generator(), hard, controls={"darkness": 0.3})
        with serving(root, ("--cpu", *arguments)) as running:
            yield running
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    yield from serve(tmp_path_factory)


@pytest.fixture(scope="module")
def newer_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The same host with a newer front end."""
    if not NEW_FRONTEND.is_dir():
        pytest.skip("no newer front end here: sh tests/install_new_frontend.sh PYTHON")
    yield from serve(tmp_path_factory, "--front-end-root", str(NEW_FRONTEND))


@contextmanager
def tab(browser: sync_api.Browser, host: Host, mode: str = "canvas", language: str = "en") -> Iterator[ComfyPage]:
    """A tab with the first example in it; at the end nothing may have gone wrong there."""
    opened = ComfyPage(browser, host, mode, language)
    opened.visit(LINE_ART)
    yield opened
    opened.close()
    assert not opened.errors


@pytest.fixture(scope="module", params=MODES)
def page(request: pytest.FixtureRequest, browser: sync_api.Browser, host: Host) -> Iterator[ComfyPage]:
    """One tab for all the tests of a mode."""
    with tab(browser, host, request.param) as opened:
        yield opened


def drag(page: ComfyPage, to: float) -> None:
    """Drags the line of the Compare node to a fraction of the image's width, 0..1."""
    box = page.page.locator(".sketchgan-frame").bounding_box()
    assert box is not None
    mouse, middle = page.page.mouse, box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] * page.split() / 100, middle)
    mouse.down()
    mouse.move(box["x"] + box["width"] * to, middle, steps=8)
    mouse.up()


def view(page: ComfyPage) -> Any:
    """Where the nodes are and how far the canvas has moved: a drag in a widget must change neither."""
    return page.page.evaluate(
        "() => [Object.fromEntries(app.graph.nodes.map((node) => [node.id, [...node.pos]])), [...app.canvas.ds.offset]]"
    )


def compare(page: ComfyPage, name: str) -> None:
    """Runs the open workflow, and drags the line between the images before and after."""
    page.run()
    page.compared()
    page.show_all()
    page.photograph(name)
    before = view(page)
    drag(page, 0.25)
    assert page.split() == pytest.approx(25, abs=2)
    page.page.keyboard.press("ArrowRight")
    assert page.split() > 25.1
    assert view(page) == before, "the drag moved a node or the canvas"


def add(page: ComfyPage, kind: str, onto: str | None = None, slot: int = 0) -> None:
    """Adds a node as the search box does, and connects its output to an input of the Generate node."""
    page.page.evaluate(
        """([kind, onto, slot]) => {
          const node = LiteGraph.createNode(kind);
          app.graph.add(node);
          const target = app.graph.nodes.find(({ type }) => type === "SketchGANGenerate");
          if (onto) node.connect(slot, target, onto);
        }""",
        [kind, onto, slot],
    )


def test_the_drawing_scale_follows_the_widgets(page: ComfyPage) -> None:
    page.open_example(LINE_ART)
    scale = page.page.locator(".sketchgan-scale")
    expect(scale).to_contain_text("the drawing size is chosen by the picture")
    page.set_widget(GENERATE, "patch_size", 768)
    page.set_widget(GENERATE, "tile", 128)
    expect(scale).to_contain_text("768 px drawn at 384 px (50 %)")
    expect(scale).to_contain_text("720 × 667 → drawn 360 × 334 → 720 × 667")
    expect(scale).to_contain_text("9 tiles of 120 × 112")
    page.set_widget(GENERATE, "output", "model size")
    expect(scale).to_contain_text("drawn 360 × 334 → 360 × 334")
    page.show_all()
    page.photograph(f"{page.mode}-drawing-scale")


def test_a_preset_sets_the_sliders_and_a_slider_ends_it(page: ComfyPage) -> None:
    page.open_example(FIRST)
    page.set_widget(GENERATE, "preset", "portrait")
    page.wait_for_widgets(GENERATE, preset="portrait", **PRESETS["portrait"])
    if page.mode == "nodes-2":
        page.page.wait_for_function(  # what the node shows, as well as what it holds
            "() => [...document.querySelectorAll('.lg-node input')].filter((i) => i.value === '0.75').length === 2"
        )
    page.set_widget(GENERATE, "darkness", 0.9)
    page.wait_for_widgets(GENERATE, preset="custom", **(PRESETS["portrait"] | {"darkness": 0.9}))


def test_a_workflow_keeps_what_was_saved_in_it(page: ComfyPage) -> None:
    page.open_example(FIRST)
    page.set_widget(GENERATE, "darkness", 0.77)
    page.set_widget(GENERATE, "control_after_generate", "randomize")
    page.page.evaluate("async () => { await app.loadGraphData(app.graph.serialize()); }")
    page.page.wait_for_timeout(1000)
    widgets = page.widgets(GENERATE)
    assert (widgets["preset"], widgets["darkness"]) == ("custom", 0.77)
    assert widgets["control_after_generate"] == "randomize"


def test_new_nodes_start_with_a_fixed_seed(page: ComfyPage) -> None:
    page.open_example(FIRST)
    for kind in (GENERATE, "SketchGANComposite"):
        page.page.evaluate("() => app.graph.clear()")
        add(page, kind)
        assert page.widgets(kind)["control_after_generate"] == "fixed"


def test_a_pencil_moves_the_sliders_that_nobody_touched(page: ComfyPage) -> None:
    page.open_example(FIRST)
    page.set_widget(GENERATE, "roughness", 0.9)
    add(page, "SketchGANLoadModel", "model")
    page.set_widget("SketchGANLoadModel", "pencil", "hard.safetensors")
    page.wait_for_widgets(GENERATE, darkness=0.3, roughness=0.9, shading=0.5, preset="custom")
    page.set_widget("SketchGANLoadModel", "pencil", "default")
    page.wait_for_widgets(GENERATE, darkness=0.6, roughness=0.9)
    page.set_widget("SketchGANLoadModel", "pencil", "hard.safetensors")
    page.wait_for_widgets(GENERATE, darkness=0.3)
    page.set_widget(GENERATE, "darkness", 0.6)  # the artist's own choice, even if it is another pencil's default
    page.page.evaluate("async () => { await app.loadGraphData(app.graph.serialize()); }")
    page.page.wait_for_timeout(1000)
    assert page.widgets(GENERATE)["darkness"] == 0.6


def test_what_was_read_is_said_in_the_node(page: ComfyPage) -> None:
    page.open_example(LINE_ART)
    said = page.page.locator(".sketchgan-reading")
    expect(said).to_contain_text("Run the workflow")
    page.run()
    expect(said).to_contain_text(re.compile(r"; drawn at \d+ x \d+"))
    expect(page.page.locator(".sketchgan-scale")).to_contain_text("720 × 667 → drawn")
    page.show_all()
    page.photograph(f"{page.mode}-reading")


def test_the_card_says_what_the_pencil_is(page: ComfyPage) -> None:
    page.open_example(FIRST)
    add(page, "SketchGANLoadModel")
    said = page.host.get("/sketchgan/pencil?name=default")
    page.set_widget("SketchGANLoadModel", "pencil", "default")
    card = page.page.locator(".sketchgan-card")
    expect(card).to_contain_text(said["title"])
    expect(card).to_contain_text(said["architecture"])
    page.set_widget("SketchGANLoadModel", "pencil", "somebody-elses.safetensors")
    expect(card).to_contain_text("This pencil is not here")


def test_the_blueprint_is_a_node_that_draws(page: ComfyPage) -> None:
    page.open_example(LINE_ART)
    page.page.evaluate("async (text) => { await app.loadGraphData(JSON.parse(text)); }", BLUEPRINT.read_text())
    page.page.evaluate(
        """() => {
          const [wrapper] = app.graph.nodes;
          const [picture, shown] = ["LoadImage", "PreviewImage"].map((kind) => {
            const node = LiteGraph.createNode(kind);
            app.graph.add(node);
            return node;
          });
          picture.widgets[0].value = "sketchgan-gull.png";
          picture.connect(0, wrapper, wrapper.findInputSlot("image"));
          wrapper.connect(0, shown, 0);
          wrapper.widgets.find(({ name }) => name === "seed").value = 5;
          wrapper.widgets.find(({ name }) => name === "preset").value = "soft";
        }"""
    )
    page.page.wait_for_function(
        "(tone) => app.graph.nodes[0].widgets.find(({ name }) => name === 'tone').value === tone",
        arg=PRESETS["soft"]["tone"],
    )
    page.run()
    prompt = page.page.evaluate("async () => (await app.graphToPrompt()).output")
    seeds = {entry["class_type"]: entry["inputs"].get("seed") for entry in prompt.values()}
    assert (seeds[GENERATE], seeds["SketchGANComposite"]) == (5, 5), "one seed for the sketch and its paper"


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_of_an_example_opens_it_when_it_is_dropped(page: ComfyPage, name: str) -> None:
    page.open_example(FIRST if name != FIRST else LINE_ART)
    picture = base64.b64encode((EXAMPLES / f"{name}.webp").read_bytes()).decode()
    page.page.evaluate(
        """async (encoded) => {
          const bytes = Uint8Array.from(atob(encoded), (sign) => sign.charCodeAt(0));
          await app.handleFile(new File([bytes], "picture.webp", { type: "image/webp" }));
        }""",
        picture,
    )
    workflow = json.loads((EXAMPLES / f"{name}.json").read_text())
    page.page.wait_for_function("(id) => app.graph.id === id && app.graph.nodes.length", arg=workflow["id"])


@pytest.mark.parametrize("name", [name for name in NAMES if name != NEEDS_CHECKPOINT])
def test_an_example_is_opened_run_and_compared(page: ComfyPage, name: str) -> None:
    page.open_example(name)
    compare(page, f"{page.mode}-{name}")
    for side, image in zip(("before", "after"), page.compared(), strict=True):
        address = image.evaluate("image => image.src").removeprefix(page.host.url)
        (SCREENSHOTS / f"result-{name}-{side}.png").write_bytes(page.host.raw(address))


def test_the_pages_of_a_batch_are_turned(page: ComfyPage) -> None:
    page.open_example(ANIMATION)
    page.run()
    first, _ = page.compared()
    shown = str(first.get_attribute("src"))
    pages = page.page.locator(".sketchgan-pages")
    expect(pages).to_contain_text("1 / 8")
    page.show_all()
    pages.get_by_role("button").last.click()
    expect(pages).to_contain_text("2 / 8")
    expect(first).not_to_have_attribute("src", shown)
    pages.get_by_role("button").first.click(click_count=2)
    expect(pages).to_contain_text("8 / 8")


@pytest.mark.parametrize("mode", MODES)
def test_a_newer_front_end(browser: sync_api.Browser, newer_host: Host, mode: str) -> None:
    with tab(browser, newer_host, mode) as opened:
        compare(opened, f"newer-{mode}")


def test_a_newer_front_end_shows_the_app(browser: sync_api.Browser, newer_host: Host) -> None:
    shown = json.loads((EXAMPLES / f"{APP}.json").read_text())["extra"]["linearData"]["inputs"]
    with tab(browser, newer_host) as opened:
        opened.open_example(APP)
        opened.page.get_by_test_id("view-mode-toggle").get_by_role("button", name="Enter app mode").click()
        settings = opened.page.get_by_test_id("linear-widgets").get_by_test_id("builder-widget-label")
        expect(settings).to_have_text([name for _, name in shown])


def test_an_app_shows_settings_and_results_that_are_in_its_graph() -> None:
    workflow = json.loads((EXAMPLES / f"{APP}.json").read_text())
    nodes = {node["id"]: node for node in workflow["nodes"]}
    for number, name in workflow["extra"]["linearData"]["inputs"]:
        assert name in [slot["name"] for slot in nodes[number]["inputs"] if "widget" in slot]
    assert [nodes[number]["type"] for number in workflow["extra"]["linearData"]["outputs"]] == ["SaveImage"]


def test_the_folder_of_an_example_is_there_when_it_is_opened(page: ComfyPage) -> None:
    page.open_example(FOLDER)
    prompt = page.page.evaluate("async () => (await app.graphToPrompt()).output")
    (loader,) = (entry for entry in prompt.values() if entry["class_type"] == "LoadImageDataSetFromFolder")
    pictures = page.host.root / "input" / loader["inputs"]["folder"]
    assert sorted(path.name for path in pictures.iterdir()) == [
        f"sketchgan-{name}.jpg" for name in ("astronaut", "cat", "coffee")
    ]
    shown = {"loader": loader, "shown": {"class_type": "PreviewImage", "inputs": {"images": ["loader", 0]}}}
    with ThreadPoolExecutor(1) as elsewhere:  # the browser has an event loop of its own in this thread
        assert len(elsewhere.submit(page.host.run, shown).result().outputs["shown"]["images"]) == 3


def test_stable_diffusion_lacks_nothing_but_a_checkpoint(browser: sync_api.Browser, host: Host) -> None:
    with tab(browser, host) as opened:
        opened.open_example(NEEDS_CHECKPOINT)
        opened.show_all()
        opened.photograph(f"canvas-{NEEDS_CHECKPOINT}")
        prompt = opened.page.evaluate("async () => (await app.graphToPrompt()).output")
        # Not with the Run button, whose dialog would only say that something is wrong.
        refused = opened.page.request.post(f"{host.url}/prompt", data={"prompt": prompt}).json()
    wrong = {error["class_type"]: error["errors"] for error in refused["node_errors"].values()}
    assert [error["extra_info"]["input_name"] for error in wrong.pop("CheckpointLoaderSimple")] == ["ckpt_name"]
    assert not wrong


def test_the_template_browser_shows_pictures(browser: sync_api.Browser, host: Host) -> None:
    with tab(browser, host) as opened:
        dialog = opened.browse_examples()
        for name in NAMES:
            dialog.get_by_role("heading", name=name).scroll_into_view_if_needed()  # the host loads what is seen
            expect(dialog.get_by_role("img", name=name)).to_have_js_property("complete", True)
        titles = [title for title in dialog.get_by_role("heading").all_inner_texts() if title in NAMES]
        assert titles == NAMES, "in the order in which they teach"
        dialog.get_by_role("heading", name=FIRST).scroll_into_view_if_needed()
        opened.page.wait_for_timeout(500)  # they fade in
        opened.photograph("templates")


def test_help_is_there_for_every_node(browser: sync_api.Browser, host: Host) -> None:
    nodes = [name for name in host.get("/object_info") if name.startswith("SketchGAN")]
    assert len(nodes) == 8
    for name in nodes:
        inputs = host.get(f"/object_info/{name}")[name]["input"]
        for page in (f"{name}.md", *(f"{name}/{language}.md" for language in LANGUAGES)):
            text = host.raw(f"/extensions/{NAME}/docs/{page}").decode()
            for key in [*inputs.get("required", {}), *inputs.get("optional", {})]:
                assert f"`{key}`" in text, f"{page} does not explain {key}"
        # The page asks for its own language first, and for the second where it has none.
        pages = (host.raw(f"/extensions/{NAME}/docs/{page}") for page in (f"{name}/en.md", f"{name}.md"))
        assert len(set(pages)) == 1
    with tab(browser, host) as opened:
        opened.show_all()
        opened.page.evaluate("() => app.canvas.selectNode(app.graph.nodes.find((n) => n.type === 'SketchGANGenerate'))")
        opened.page.get_by_test_id("info-button").click()
        expect(opened.page.get_by_text("how hard the pencil is pressed").first).to_be_visible()
        expect(opened.page.locator("img[src$='grades.jpg']")).to_have_js_property("naturalWidth", 760)
        opened.photograph("help")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_says_everything(host: Host, language: str) -> None:
    """The English texts are those of the schema, so that the two cannot drift apart."""
    said = host.get("/i18n")[language]
    english = host.get("/i18n")["en"]
    assert said["sketchgan"].keys() == english["sketchgan"].keys()
    for key, text in said["sketchgan"].items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english["sketchgan"][key]))
    for name, info in host.get("/object_info").items():
        if not name.startswith("SketchGAN"):
            continue
        words = said["nodeDefs"][name]
        schema = {
            "display_name": info["display_name"],
            "description": info["description"],
            "inputs": {
                key: options["tooltip"]
                for group in ("required", "optional")
                for key, (_, options) in info["input"].get(group, {}).items()
            },
            "outputs": dict(enumerate(info["output_tooltips"])),
        }
        assert words["inputs"].keys() == schema["inputs"].keys()
        assert [int(slot) for slot in words.get("outputs", {})] == list(schema["outputs"])
        assert all(
            entry["name"] and entry["tooltip"]
            for part in ("inputs", "outputs")
            for entry in words.get(part, {}).values()
        )
        if language == "en":
            assert words["description"] == schema["description"]
            assert {key: entry["tooltip"] for key, entry in words["inputs"].items()} == schema["inputs"]
            assert [entry["tooltip"] for entry in words.get("outputs", {}).values()] == list(schema["outputs"].values())


def test_our_widgets_speak_german(browser: sync_api.Browser, host: Host) -> None:
    """All that a page can show of a language which it does not offer itself."""
    with tab(browser, host, language="de") as opened:
        expect(opened.page.locator(".sketchgan-scale")).to_contain_text("die Zeichengröße richtet sich nach dem Bild")


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language not in ("en", "de")])
def test_a_node_speaks_the_language_of_the_page(browser: sync_api.Browser, newer_host: Host, language: str) -> None:
    """On a newer page: where those around 1.32 load a language of their own, they forget what nodes say in it."""
    said = newer_host.get("/i18n")[language]
    words = said["nodeDefs"][GENERATE]
    with tab(browser, newer_host, language=language) as opened:
        expect(opened.page.locator(".sketchgan-scale")).to_contain_text(said["sketchgan"]["scale_auto"])
        node = opened.page.evaluate(
            """(type) => {
                const node = app.graph.nodes.find((node) => node.type === type);
                const parts = [...node.inputs, ...node.outputs, ...node.widgets];
                return [node.title, ...parts.map((part) => part.label ?? part.localized_name)];
            }""",
            GENERATE,
        )
        assert words["display_name"] in node
        for key in ("image", "preset", "darkness", "grade", "paper"):
            assert words["inputs"][key]["name"] in node, f"{key} is not shown as {words['inputs'][key]['name']}"
        assert words["outputs"]["0"]["name"] in node


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_small_and_has_its_picture_and_inputs(name: str) -> None:
    with Image.open(EXAMPLES / f"{name}.jpg") as picture:
        assert picture.format == "JPEG"
    for node in json.loads((EXAMPLES / f"{name}.json").read_text())["nodes"]:
        if node["type"] == "LoadImage":
            assert (EXAMPLES / "inputs" / node["widgets_values"][0]).stat().st_size < 300_000
    assert (EXAMPLES / f"{name}.jpg").stat().st_size < 100_000
