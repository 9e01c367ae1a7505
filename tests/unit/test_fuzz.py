"""A few hundred of the fuzzers' cases; `make fuzz` throws ten thousand of each kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.cases import TARGETS, throw

CASES = 150


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_thrown_at_it_breaks_it(name: str, tmp_path: Path) -> None:
    told = throw(name, range(CASES), tmp_path)
    assert not told.faults, "\n".join(told.faults)
    assert told.refused or name in ("checkpoints",)
    assert told.taken, "some cases are harmless"
