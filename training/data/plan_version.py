"""Which version of the plan something was made with: what was drawn or learned from one says nothing of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sketchgan_core.errors import one_line
from sketchgan_core.planning.plan import PLAN_VERSION

KEY = "plan_version"


def another_plan(said: Mapping[str, Any]) -> str:
    """A few words saying which other version of the plan something is of; empty if it is of this one."""
    version = said.get(KEY, 1)  # the first version had no number
    if version == PLAN_VERSION:
        return ""
    return f"version {one_line(str(version), 20)} of the plan, and this is version {PLAN_VERSION}"
