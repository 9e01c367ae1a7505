"""The names of line modes, papers, grades, styles and presets, for a menu: importing them costs nothing."""

from __future__ import annotations

# The names that are shown and checked everywhere; `materials.paper` says what each paper is.
MODES = ("auto", "drawing", "photo", "classic", "none")
PAPERS = ("cartridge", "smooth", "rough")
# The lead; see `materials.deposition`.
GRADES = {
    "2B": "soft and dark, as most sketches are drawn",
    "4H": "hard and pale, for clean and technical drawings",
    "8B": "very soft and rubbed, with deep darks",
    "charcoal": "broad and dusty, with real blacks",
}
# How tone is laid; see `planning.plan`.
STYLES = {
    "layered": "strokes along the form, layer upon layer where it is dark",
    "hatching": "strokes in one direction",
    "cross-hatching": "strokes across each other",
    "blended": "rubbed to a smooth tone, without strokes",
    "stippled": "dots, closer where it is dark",
}


# What is taken where nothing is asked for.
PAPER, GRADE, STYLE = PAPERS[0], next(iter(GRADES)), next(iter(STYLES))
MODEL_SIZE = 384  # px


def explained(choices: dict[str, str]) -> str:
    """A menu's names with what they mean, as one text."""
    return ". ".join(f"{name}: {meaning}" for name, meaning in choices.items()) + "."


# What the artist can ask for, 0..1 each; see `controls.Controls`.
CONTROLS = {
    "darkness": "how hard the pencil is pressed",
    "roughness": "wobble, restated strokes, overshoot and construction lines",
    "shading": "how much is shaded in strokes",
    "tone": "how much of a picture's light is drawn",
    "detail": "how fine and how plain the detail of a picture is drawn",
    "background": "how far a picture fades into bare paper around its subject and towards the border",
}

# Controls for a kind of drawing; one that is not named stays the pencil's own.
PRESETS: dict[str, dict[str, float]] = {
    "shaded study": {
        "darkness": 0.5, "roughness": 0.4, "shading": 0.5, "tone": 0.8, "detail": 0.5, "background": 0.35,
    },
    "line sketch": {
        "darkness": 0.85, "roughness": 0.5, "shading": 0.1, "tone": 0.0, "detail": 0.5, "background": 0.35,
    },
    "clean lines": {
        "darkness": 0.7, "roughness": 0.0, "shading": 0.0, "tone": 0.0, "detail": 0.6, "background": 0.0,
    },
    "portrait": {
        "darkness": 0.5, "roughness": 0.25, "shading": 0.45, "tone": 0.8, "detail": 0.75, "background": 0.75,
    },
    "soft": {
        "darkness": 0.35, "roughness": 0.2, "shading": 0.15, "tone": 0.75, "detail": 0.4, "background": 0.5,
    },
    "quick sketch": {
        "darkness": 0.5, "roughness": 0.8, "shading": 0.75, "tone": 0.5, "detail": 0.3, "background": 0.85,
    },
    "dramatic": {
        "darkness": 0.8, "roughness": 0.35, "shading": 0.7, "tone": 1.0, "detail": 0.6, "background": 0.1,
    },
}  # fmt: skip
