"""Starts the page and waits until it is stopped."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import threading
from pathlib import Path

from sketchgan_core.errors import SketchGANError

from .look import CSS, THEME
from .page import build
from .studio import Studio

PORTS = range(7860, 7960)


def serve(
    host: str = "127.0.0.1",
    port: int | None = None,
    open_browser: bool = True,
    weights: str = "default",
    device: str = "auto",
) -> None:
    """Serves the app until the process is interrupted.

    Args:
        host: the address to listen on; 0.0.0.0 lets others in the network use it.
        port: the first free one from 7860 if None.
        open_browser: show the page at once.
        weights: name or file of the pencil that is chosen first.
        device: auto, cpu, cuda, mps ...

    Raises:
        SketchGANError: no such pencil, or the address cannot be used.
    """
    port = _free_port(host, [port] if port else PORTS)
    # Uploads and sketches live in one folder, which is deleted when the app ends.
    with tempfile.TemporaryDirectory(prefix="sketchgan-", ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        page = build(Studio(Path(folder), weights, device))
        _, address, _ = page.queue().launch(
            server_name=host,
            server_port=port,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            quiet=True,
            show_error=True,
            share=False,
            ssr_mode=False,
            footer_links=[],
            theme=THEME,
            css=CSS,
        )
        # A service manager's stop is treated as Ctrl+C, or the folder would stay behind.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        print(f"SketchGAN is at {address} (Ctrl+C stops it)", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            page.close(verbose=False)


def _free_port(host: str, ports: list[int] | range) -> int:
    for port in ports:
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
                if os.name == "posix":  # elsewhere this would let two servers share a port
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
                return port
        except (OSError, OverflowError) as error:
            reason = error
    raise SketchGANError(f"{host}:{ports[0]}: cannot listen there ({reason}); choose another --port or --host")
