"""How the page looks: graphite on paper, with what every computer has."""

from __future__ import annotations

from gradio.themes import Base
from gradio.themes.utils import sizes

# System fonts only: a font from the internet would leave an offline page waiting.
SANS = ("system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO = ("ui-monospace", "Consolas", "monospace")

THEME = Base(
    primary_hue="stone",
    secondary_hue="stone",
    neutral_hue="stone",
    radius_size=sizes.radius_md,
    font=SANS,
    font_mono=MONO,
).set(
    body_background_fill="*neutral_50",
    slider_color="*neutral_700",
    slider_color_dark="*neutral_500",
    button_primary_background_fill="*neutral_800",
    button_primary_background_fill_hover="*neutral_700",
    button_primary_text_color="white",
    button_primary_background_fill_dark="*neutral_200",
    button_primary_background_fill_hover_dark="white",
    button_primary_text_color_dark="*neutral_900",
)

CSS = """
.gradio-container { max-width: 1360px !important; margin: 0 auto; overflow: clip !important; }
#title h1 { display: inline; font-size: 1.35rem; margin-right: .6rem; }
#title p { display: inline; color: var(--body-text-color-subdued); }
button[role=tab] { color: var(--body-text-color-subdued) !important; }
button[role=tab][aria-selected=true] { color: var(--body-text-color) !important; }
.tight { align-items: end; }
.beside { align-items: end; }
.beside button { margin-bottom: .8rem; }
#presets { gap: .4rem; }
#presets button { flex: 1 0 auto; min-width: 0 !important; width: auto; white-space: nowrap; }
#controls .block { padding-block: .55rem .7rem; }
#controls [data-testid=min-value], #controls [data-testid=max-value] { display: none; }
/* The drawing stays in sight of the last slider. */
#sheet { position: sticky; top: .8rem; align-self: flex-start; }
#status { flex: 0 0 11rem; min-height: 1.5rem; }
#note, #lines-note { flex-grow: 1; color: var(--body-text-color-subdued); }
"""
