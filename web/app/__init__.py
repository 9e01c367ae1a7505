"""The stand-alone app: one page to sketch and to extract lines, on this computer."""

from __future__ import annotations

import os

# Gradio reads these when it is imported: the app tells nobody that it runs, and keeps no history in the browser.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("GRADIO_RUN_HISTORY", "False")

from .serve import serve

__all__ = ["serve"]
