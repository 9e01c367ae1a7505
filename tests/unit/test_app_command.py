"""The command that starts the app, where that fails; the app itself is tested in the browser."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sketchgan_core import cli

ROOT = Path(__file__).parents[2]


def test_without_gradio_one_line_says_what_to_install() -> None:
    code = "import sys; sys.modules['gradio'] = None; from sketchgan_core import cli; sys.exit(cli.main(['app']))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert re.fullmatch(r"sketchgan: the app needs gradio[.\w]*: pip install 'sketchgan\[app\]'\n", done.stderr)


def test_an_address_in_use_and_a_missing_pencil_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("gradio", reason="the app needs gradio: pip install 'sketchgan[app]'")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["app", "--no-open", "--port", str(port)]) == 1
    assert f"127.0.0.1:{port}: cannot listen there" in capsys.readouterr().err
    assert cli.main(["app", "--no-open", "--weights", "nobody"]) == 1
    assert "nobody: no such pencil or file" in capsys.readouterr().err
