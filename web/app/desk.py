"""What lies on one browser's desk: the picture as it was read, and which of its wishes counts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sketchgan_core.lines.prepare import LineMode
from sketchgan_core.planning.controls import Controls
from sketchgan_core.preview import Preview
from sketchgan_core.sketcher import Medium, Subject


@dataclass(frozen=True)
class Wish:
    """Everything the page asks of a drawing."""

    picture: Path
    pencil: Path
    lines: LineMode
    patch_size: int
    model_size: int
    medium: Medium
    seed: int
    controls: Controls

    def reading(self) -> tuple[object, ...]:
        """The settings that require a new reading when they change. A new detail may wait for the full drawing."""
        return self.picture, self.pencil, self.lines, self.patch_size, self.model_size


@dataclass(frozen=True)
class Kept:
    """A picture that was read for a wish, and its preview."""

    wish: Wish
    subject: Subject
    preview: Preview

    def serves(self, wish: Wish, in_full: bool) -> bool:
        if self.wish.reading() != wish.reading():
            return False
        chosen_by_detail = self.subject.pixels is not None and not wish.patch_size
        return not (in_full and chosen_by_detail and self.wish.controls.detail != wish.controls.detail)


class Desk:
    """The newest wish counts, by the browser's clock: an older one stops, and is not shown any more.

    Requests for previews and for drawings travel separately, so one that was made earlier may arrive later.
    """

    def __init__(self) -> None:
        self.kept: Kept | None = None
        self._newest = 0.0  # when the newest wish was made, in the browser's milliseconds
        self._in_full: Wish | None = None  # drawn, or being drawn
        self._shown: Wish | None = None  # small or in full

    def counts(self, time: float) -> bool:
        return time == self._newest

    def begin_preview(self, time: float, wish: Wish) -> bool:
        """Whether a preview is to be made; if so, a drawing in progress stops."""
        # A slider's last move may arrive after its release.
        if time < self._newest or wish == self._in_full:
            return False
        self._newest, self._in_full = time, None
        return True

    def begin(self, time: float, wish: Wish) -> bool:
        """Whether a drawing is to be made in full; if so, it is now the one that counts."""
        if time < self._newest or wish == self._in_full:
            return False
        self._newest, self._in_full = time, wish
        return True

    def show(self, wish: Wish) -> bool:
        """Notes that this wish is what the page shows; returns whether it showed another."""
        another, self._shown = wish != self._shown, wish
        return another

    def clear(self) -> None:
        """No wish made so far counts any more."""
        self._newest += 0.5  # between two ticks of the browser's clock
        self._in_full = self._shown = None
