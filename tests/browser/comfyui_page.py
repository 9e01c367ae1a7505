"""ComfyUI's page as an artist uses it, in either of its two front ends."""

from __future__ import annotations

import json
import urllib.parse
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Response

from tests.comfyui import NAME, ROOT, Host

EXAMPLES = ROOT / "example_workflows"
SCREENSHOTS = ROOT / ".cache" / "screenshots"
PATIENCE = 90_000  # ms
RUN_PATIENCE = 300_000  # for the frames of an animation on a busy CPU
SETTINGS = {
    "Comfy.Graph.CanvasInfo": False,
    "Comfy.Minimap.Visible": False,
    "LiteGraph.Canvas.MinFontSizeForLOD": 0,  # a screenshot of a whole graph should show its text
}
# What the host itself complains of: missing files, of the user or on the network.
NOT_OURS = (
    "api.comfy.org",
    "huggingface.co",
    "/userdata",
    "user.css",
    "favicon.ico",
    "/templates/index",
    "core workflow templates",
    "/api/jobs",
    "fetchJobsRaw",
    "reading 'id'",  # the host's settings, before any workflow is open
)


class ComfyPage:
    """One tab. `errors` lists what went wrong in it."""

    def __init__(self, browser: Browser, host: Host, mode: str, language: str = "en") -> None:
        """Opens a tab; `mode` is canvas or nodes-2."""
        host.post("/settings", {"Comfy.VueNodes.Enabled": mode == "nodes-2", "Comfy.Locale": language, **SETTINGS})
        self.host, self.mode = host, mode
        self.context = browser.new_context(viewport={"width": 1920, "height": 1000}, locale="en-US")
        self.context.add_init_script("localStorage.setItem('vueNodesBannerDismissed', 'true')")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(f"{error}\n{error.stack}"))
        self.page.on("console", self._heard)
        self.page.on("response", self._answered)

    def _heard(self, message: ConsoleMessage) -> None:
        said = f"{message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not any(sign in said for sign in NOT_OURS):
            self.errors.append(said)

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and NAME in response.url and not any(sign in response.url for sign in NOT_OURS):
            self.errors.append(f"{response.status} {response.url}")

    def close(self) -> None:
        self.context.close()

    def visit(self, example: str) -> None:
        """Loads the page and an example in it, as the template browser does."""
        self.page.goto(self.host.url)
        self.page.wait_for_function("() => window.app?.graph && LiteGraph.registered_node_types.SketchGANGenerate")
        self.page.evaluate(
            "async (address) => app.loadGraphData(await (await fetch(address)).json(), true, true)",
            f"/api/workflow_templates/{NAME}/{urllib.parse.quote(example)}.json",
        )
        self._wait_for(example)

    def open_example(self, name: str) -> None:
        """Opens an example in the template browser; `visit` comes first."""
        self.browse_examples().get_by_text(name, exact=True).first.click()  # its title; its description is below
        self._wait_for(name)

    def browse_examples(self) -> Locator:
        """Opens the template browser at this package's examples."""
        self.page.evaluate("() => app.extensionManager.command.execute('Comfy.BrowseTemplates')")
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_text(NAME, exact=True).first.click()
        return dialog

    def _wait_for(self, example: str) -> None:
        workflow = json.loads((EXAMPLES / f"{example}.json").read_text())
        self.page.wait_for_function("id => window.app?.graph?.id === id && app.graph.nodes.length", arg=workflow["id"])
        self.page.locator(".sketchgan-scale > svg").wait_for()

    def run(self) -> None:
        """Presses Run and waits until the host has done everything."""
        self.page.evaluate(
            """() => {
              window.ended = null;
              for (const kind of ["execution_success", "execution_error"])
                app.api.addEventListener(kind, () => (window.ended = kind), { once: true });
            }"""
        )
        self.page.locator("button[data-testid=queue-button], [data-testid=queue-button] button").first.click()
        self.page.wait_for_function("() => window.ended", timeout=RUN_PATIENCE)
        assert self.page.evaluate("window.ended") == "execution_success"

    def compared(self) -> tuple[Locator, Locator]:
        """The two images of the Compare node, once they are visible."""
        images = self.page.locator(".sketchgan-frame img")
        for index in range(2):
            images.nth(index).wait_for()
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.sketchgan-frame img')].every((image) => image.naturalWidth > 0)"
        )
        return images.nth(1), images.nth(0)

    def split(self) -> float:
        """Where the line of the Compare node is, from 0 to 100."""
        return float(
            self.page.locator(".sketchgan-frame").evaluate("f => f.style.getPropertyValue('--split')").rstrip("%")
        )

    def set_widget(self, kind: str, name: str, value: Any) -> None:
        self.page.evaluate(
            """([kind, name, value]) => {
              const node = app.graph.nodes.find((node) => node.type === kind);
              node.widgets.find((widget) => widget.name === name).value = value;
            }""",
            [kind, name, value],
        )

    def widgets(self, kind: str) -> dict[str, Any]:
        """The present values of a node's widgets."""
        values = self.page.evaluate(
            """(kind) => Object.fromEntries(
              app.graph.nodes.find((node) => node.type === kind).widgets.map(({ name, value }) => [name, value]),
            )""",
            kind,
        )
        return dict(values)

    def wait_for_widgets(self, kind: str, **values: Any) -> None:
        """Waits until a node's widgets have these values."""
        self.page.wait_for_function(
            """([kind, values]) => {
              const widgets = app.graph.nodes.find((node) => node.type === kind).widgets;
              return Object.entries(values).every(
                ([name, value]) => widgets.find((widget) => widget.name === name).value === value,
              );
            }""",
            arg=[kind, values],
        )

    def show_all(self) -> None:
        """Brings the whole graph into view."""
        self.page.evaluate(
            "() => { app.canvas.deselectAll(); app.canvas.fitViewToSelectionAnimated({ duration: 1 }); }"
        )
        self.page.wait_for_timeout(1000)

    def photograph(self, name: str) -> None:
        """Keeps a picture of the page in .cache/screenshots, and one of the graph alone."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")
        left, top, right, bottom = self.page.evaluate(
            """() => {
              const boxes = app.graph.nodes.map((node) => node.getBounding());
              const [x, y] = [0, 1].map((side) => Math.min(...boxes.map((box) => box[side])));
              const [right, bottom] = [0, 1].map((side) => Math.max(...boxes.map((box) => box[side] + box[side + 2])));
              const canvas = app.canvas.canvas.getBoundingClientRect();
              const { scale, offset } = app.canvas.ds;
              return [
                [x, y], [right, bottom],
              ].flatMap((point) => [
                canvas.left + (point[0] + offset[0]) * scale,
                canvas.top + (point[1] + offset[1]) * scale,
              ]);
            }"""
        )
        margin = 16
        clip = {
            "x": left - margin,
            "y": top - margin,
            "width": right - left + 2 * margin,
            "height": bottom - top + 2 * margin,
        }
        self.page.screenshot(path=SCREENSHOTS / f"{name}-graph.png", clip=clip)
