"""Which of the app's wishes counts, in whatever order they arrive."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sketchgan_core.planning.controls import Controls
from sketchgan_core.sketcher import Medium

pytest.importorskip("gradio", reason="the app needs gradio: pip install 'sketchgan[app]'")

from web.app.desk import Desk, Wish

WISH = Wish(Path("cat.png"), Path("default.safetensors"), "auto", 0, 384, Medium(), 0, Controls())


def wish(darkness: float) -> Wish:
    return replace(WISH, controls=Controls(darkness=darkness))


def test_a_newer_drawing_overtakes_an_older_one() -> None:
    desk = Desk()
    assert desk.begin(1000, wish(0.1))
    assert desk.counts(1000)
    assert desk.begin(2000, wish(0.2))
    assert not desk.counts(1000)
    assert not desk.begin(1500, wish(0.3))  # it waited longer than the newer one
    assert desk.counts(2000)


def test_a_moving_slider_stops_the_drawing() -> None:
    desk = Desk()
    assert desk.begin(1000, wish(0.1))
    assert desk.begin_preview(2000, wish(0.2))
    assert not desk.counts(1000)
    assert not desk.begin(1500, wish(0.1))
    assert desk.begin(3000, wish(0.2))


def test_the_last_move_of_a_slider_does_not_stop_what_was_asked_for_by_letting_go() -> None:
    desk = Desk()
    assert desk.begin_preview(1000, wish(0.1))
    assert desk.begin(2000, wish(0.2))
    # A slider's last move has to wait for the preview of the one before, so it may be sent after the release.
    assert not desk.begin_preview(2500, wish(0.2))
    assert not desk.begin_preview(1900, wish(0.15))
    assert desk.counts(2000)


def test_what_is_drawn_is_not_drawn_twice_unless_it_was_stopped() -> None:
    desk = Desk()
    assert desk.begin(1000, WISH)
    assert not desk.begin(2000, WISH)
    desk.clear()
    assert not desk.counts(1000)
    assert desk.begin(3000, WISH)


def test_a_preview_is_shown_where_the_page_shows_something_else() -> None:
    desk = Desk()
    assert desk.show(wish(0.1))
    assert not desk.show(wish(0.1))
    assert desk.show(wish(0.2))
    assert desk.show(wish(0.1))
