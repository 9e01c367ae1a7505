"""The page for looking through pairs, in a real Chromium."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.cli import main
from training.data import folder as pair_folder
from training.data.pairs import find_pairs
from training.sketchbook import review

NAMES = ("cat", "<i>it's", "two words")


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    folder = tmp_path / "my pairs"
    for number, name in enumerate(NAMES):
        image = np.full((64, 64), 80 * number, np.uint8)
        pair_folder.write_pair(folder, name, image, image)
        entry = {"name": name, "drawing": name, "licence": "CC0-1.0", "seed": 1, "controls": {}, "style": {}}
        pair_folder.write_record(folder, name, {"pair": entry, "file": ""})
    review.decide(folder)
    return folder


def test_the_page_writes_the_command_that_does_what_was_clicked(browser: Any, pairs: Path) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for clicked, kept in ((("<i>it's", "two words"), 1), (("two words",), 2)):
        page.goto((pairs / review.PAGE).as_uri())
        assert page.locator("label img").count() == 2 * len(NAMES)
        assert page.locator("#command").is_hidden()
        for name in clicked:
            page.get_by_text(name, exact=True).click()
        command = shlex.split(page.inner_text("#command"))
        assert command[0] == "sketchgan-train"
        assert main(command[1:]) == 0
        assert len(find_pairs([pairs])) == kept
    assert not errors
