"""From any picture, drawing or line image to a pencil sketch of it in one call."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal, cast

import cv2
import numpy as np
import torch
from PIL import Image

from .choices import GRADE, MODEL_SIZE, PAPER, PAPERS, STYLE
from .devices import choose_device, choose_dtype
from .errors import SketchGANError
from .generators.registry import Generator
from .images import MAX_PIXELS, pixels_and_size, to_lines
from .lines.prepare import MODE_OF, LineMode, PreparedLines, prepare_lines
from .lines.reading import read
from .lines.screentone import tone_of_screen
from .lines.settings import LineSettings
from .materials.deposition import GRADES, deposit
from .materials.paper import EVEN
from .materials.paper import paper as sheet
from .materials.side import lay_side
from .pencils.header import Header
from .pencils.weights import load_pencil
from .planning.controls import Control, Controls
from .planning.drawing_size import LONGEST, SEEN, size_for_lines, size_for_picture
from .planning.light import AS_IT_IS, Light, ToneCurve, judge_tones, read_light, weigh_lines
from .planning.plan import PLANES, STYLES, plan
from .scaling import bands, fitted, side
from .tiling import Progress, draw_tiled

# The reason given where the caller says what the input is.
_AS_ASKED = {
    "photo": "a picture, as asked",
    "drawing": "a drawing, as asked",
    "none": "clean lines, as asked",
    "classic": "lines in the classic way, as asked",
}
_INVISIBLE = 0.02  # graphite, at most, on a sheet that looks empty
CUT = 0.16  # mean difference of lightness, 0..1, between two frames that belong to different shots
_LOOKED_AT = 128  # px: the size at which frames are compared
_TINY = 32  # px: a smaller drawing shows nothing
FIRM = 1.35  # how much harder lines are pressed where there is no tone beside them
EVENED = 0.9  # px over which a load is evened out that is enlarged to twice its size or more
_LINES_PALE = 1.4  # thin lines lose ink when they shrink


@dataclass(frozen=True)
class Subject:
    """What came in, read and brought to its drawing size; kept while only controls move.

    Attributes:
        lines: (h, w) float32, dark lines on white, at the drawing size.
        pixels: (h, w) or (h, w, 3) float32 of the picture, or None where there are only lines.
        size: height and width of the input.
        read_as: the mode of its lines; "photo" is a picture.
        reason: why, in a few words for the artist.
        own_lines: whether the lines were given with the picture.
        curve: of the picture's tones, judged from the first frame; None where there is no picture.
        prepared: how the lines were made, or None where they were given.
        moving: whether it is a frame among others.
    """

    lines: np.ndarray
    pixels: np.ndarray | None
    size: tuple[int, int]
    read_as: str
    reason: str
    own_lines: bool = False
    curve: ToneCurve | None = None
    prepared: PreparedLines | None = None
    moving: bool = False

    def said(self) -> str:
        """What was read and at what size it is drawn, as one line for a log or a node."""
        height, width = self.lines.shape
        return f"{self.reason}; drawn at {width} x {height}"

    def doubt(self, sketch: np.ndarray) -> str:
        """Why a sketch of it, as `draw` returns it, shows nothing, and what to try; empty if it shows something."""
        height, width = self.lines.shape
        tiny = max(height, width) < _TINY < max(self.size)
        paper = 255 if sketch.dtype == np.uint8 else 1
        if not tiny and sketch.min() < (1 - _INVISIBLE) * paper:
            return ""
        if tiny:
            return f"at {width} x {height} px nothing is left; raise the model size or lower the patch size"
        if self.read_as == "photo":
            return "no outline and no shade was found; raise tone and detail, or take its lines as they are"
        return "no line stands out from its ground; try another way of making lines, such as photo"


@dataclass(frozen=True)
class Medium:
    """What is drawn with, and how tone is laid with it.

    Attributes:
        paper: one of `choices.PAPERS`.
        grade: of the lead: 4H, 2B, 8B or charcoal.
        style: of the tone: layered, hatching, cross-hatching, blended or stippled.

    Raises:
        SketchGANError: one of them is unknown.
    """

    paper: str = PAPER
    grade: str = GRADE
    style: str = STYLE

    def __post_init__(self) -> None:
        for name, known in (("paper", (*PAPERS, EVEN)), ("grade", GRADES), ("style", STYLES)):
            if getattr(self, name) not in known:
                raise SketchGANError(f"unknown {name} {getattr(self, name)!r}; choose one of {', '.join(known)}")


DEFAULT_MEDIUM = Medium()


class Sketcher:
    """A pencil in the hand: a generator on its device.

    Example:
        >>> sketcher = Sketcher.load("default")
        >>> sketch = sketcher(np.ones((64, 48), np.float32), seed=7)
        >>> sketch.shape
        (64, 48)
    """

    def __init__(self, generator: Generator, defaults: Controls | None = None, header: Header | None = None) -> None:
        """Wraps a generator that is on its device, in evaluation mode and in the type to compute in."""
        self.generator = generator
        self.defaults = defaults or Controls()
        self.header = header

    @classmethod
    def load(
        cls,
        name: str | os.PathLike[str] = "default",
        device: str = "auto",
        dtype: str = "auto",
        folders: Iterable[str | os.PathLike[str]] = (),
    ) -> Sketcher:
        """Loads a pencil by name or path.

        Args:
            name: see `load_pencil`.
            device: auto, cpu, cuda, mps ...
            dtype: auto, float32, bfloat16 or float16; auto is the fastest on the device.
            folders: further places where names are looked up.

        Raises:
            SketchGANError: no such pencil or device, or a damaged file.
        """
        pencil = load_pencil(name, folders)
        defaults = Controls.from_mapping(pencil.header.controls)
        where = choose_device(device)
        generator = pencil.generator.to(where, choose_dtype(where, dtype))
        return cls(generator.to(memory_format=torch.channels_last), defaults, pencil.header)

    def __call__(
        self,
        image: Any,
        *,
        lines: LineMode | Any = "auto",
        darkness: Control | None = None,
        roughness: Control | None = None,
        shading: Control | None = None,
        tone: Control | None = None,
        detail: Control | None = None,
        background: Control | None = None,
        seed: int = 0,
        patch_size: int = 0,
        model_size: int = MODEL_SIZE,
        tile: int | None = None,
        paper: str = PAPER,
        grade: str = GRADE,
        style: str = STYLE,
        output: Literal["input", "model"] = "input",
        settings: LineSettings | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Any:
        """Draws.

        Args:
            image: name of a file, PIL image, numpy array or tensor; see `to_pixels`. A batch (B, ...) is drawn one by
                one, all read like the first.
            lines: how the line image is made of the input, see `subject`; or the line image itself, drawn with the
                tone of `image`.
            darkness, roughness, shading, tone, detail, background: numbers in 0..1 or maps (H, W); the pencil's own
                defaults if None. See `Controls`.
            seed: the take: the same seed draws the same sketch, bit for bit on one device.
            patch_size, model_size: see `subject`.
            tile: tile size in pixels; chosen if None.
            paper, grade, style: see `Medium`.
            output: "input" gives the input's size, "model" the size drawn at.
            settings: of the lines that are made of the input; see `subject`.
            progress, cancelled: see `draw_tiled`.

        Returns:
            The sketch in grey, in the form of the input: PIL "L" for a PIL image or a name; or an array or tensor
            (H, W), (B, H, W) for a batch, of the input's type and range (float32 for a mask of bools), a tensor on the
            input's device.

        Raises:
            SketchGANError: an image, setting or control that cannot be used.
            Cancelled: `cancelled()` returned true.
        """
        if output not in ("input", "model"):
            raise SketchGANError(f"unknown output {output!r}; choose input or model")
        controls = self.controls(
            darkness=darkness, roughness=roughness, shading=shading, tone=tone, detail=detail, background=background
        )
        medium = Medium(paper, grade, style)
        first: Subject | None = None
        alone = isinstance(image, str | os.PathLike | Image.Image) or np.ndim(image) < 4
        moving = not alone and is_film(image)
        given = None if isinstance(lines, str) else lines

        def sketch(frame: Any, given_lines: Any) -> Any:
            nonlocal first
            made_of = lines if given is None else given_lines
            subject = self.subject(frame, made_of, patch_size, model_size, controls, first, settings, moving)
            first = first or subject
            size = subject.size if output == "input" else subject.lines.shape
            drawn = self.draw_subject(subject, controls, seed, medium, tile, size, progress, cancelled)
            return _like(frame, drawn)

        if alone:
            return sketch(image, given)
        if not len(image):
            raise SketchGANError("the batch is empty; give at least one image")
        several = given is not None and not isinstance(given, Image.Image) and np.ndim(given) == 4
        frames = [
            sketch(frame, given[index % len(given)] if several and given is not None else given)
            for index, frame in enumerate(image)
        ]
        return torch.stack(frames) if isinstance(image, torch.Tensor) else np.stack(frames)

    def controls(self, **chosen: Control | None) -> Controls:
        """The pencil's own controls, with those that are given and not None in their place.

        Raises:
            SketchGANError: a value out of 0..1, or one that is neither a number nor a map.
        """
        try:
            return replace(self.defaults, **{name: value for name, value in chosen.items() if value is not None})
        except ValueError as error:
            raise SketchGANError(str(error)) from error

    def subject(
        self,
        image: Any,
        lines: LineMode | Any = "auto",
        patch_size: int = 0,
        model_size: int = MODEL_SIZE,
        controls: Controls | None = None,
        like: Subject | None = None,
        settings: LineSettings | None = None,
        moving: bool = False,
    ) -> Subject:
        """Reads what came in and brings it to its drawing size.

        Args:
            image: one image; see `pixels_and_size`.
            lines: `auto` reads whether it is a picture, a drawing or clean lines; `photo` takes it for a picture,
                `drawing` cleans it, `none` takes it as it is, `classic` extracts lines as the original project did;
                or a line image of any size, to which the image gives the tone.
            patch_size, model_size: their ratio is the drawing scale: 768 and 384 draw at half the size, so that
                the pencil looks twice as thick. A patch size of 0 chooses the scale by what came in.
            controls: their detail chooses the drawing size of a picture; the pencil's own if None.
            like: the first frame of an animation; the others are read like it.
            settings: of the lines that are made; thickness and width are px of the whole.
            moving: it is a frame of a film, in which what stands still must stay as it is; see `is_film`.

        Raises:
            SketchGANError: an image or setting that cannot be used.
        """
        if patch_size < 0 or model_size < 1:
            raise SketchGANError(f"patch size {patch_size} and model size {model_size} must be positive")
        at_most = seen(lines, patch_size)
        pixels, size = pixels_and_size(image, at_most)
        detail = float(np.mean((controls or self.defaults).detail))

        def drawn_at(made: np.ndarray | None) -> tuple[int, int]:
            if patch_size:
                return scaled_size(*size, patch_size, model_size)
            if like is not None and like.size == size:
                return like.lines.shape[0], like.lines.shape[1]
            return size_for_picture(size, detail) if made is None else size_for_lines(made)

        def tones(picture: np.ndarray) -> ToneCurve:
            return like.curve if like is not None and like.curve is not None else judge_tones(picture)

        if not isinstance(lines, str):
            at = drawn_at(None)
            small, reason = fitted(pixels, at), "your lines, with the tone of the picture"
            own = _lines_at(to_lines(lines, at_most), at)
            return Subject(own, small, size, "photo", reason, True, tones(small), moving=moving)
        mode, reason, settings = lines, _AS_ASKED.get(lines, lines), settings or LineSettings()
        if like is not None:
            mode, reason = like.read_as, like.reason
        elif lines == "auto":
            reading = read(pixels, settings.rules == "keep")
            mode, reason = MODE_OF[reading.kind], reading.reason
            if settings.polarity == "auto":
                settings = replace(settings, polarity="light" if reading.light_lines else "dark")
        before = like.prepared if like is not None else None
        if mode == "photo":
            pixels = fitted(pixels, drawn_at(None))
            prepared = prepare_lines(
                pixels, "photo", settings.at(side(pixels.shape) / side(size)), like=before, device=self._device()
            )
            return Subject(prepared.lines, pixels, size, mode, reason, False, tones(pixels), prepared, moving)
        settings = settings.at(side(pixels.shape) / side(size))
        prepared = prepare_lines(pixels, cast(LineMode, mode), settings, like=before, device=self._device())
        screen = tone_of_screen(prepared.lines) if settings.rules == "remove" else None
        if screen is None:
            at = drawn_at(prepared.lines)
            return Subject(_lines_at(prepared.lines, at), None, size, mode, reason, prepared=prepared)
        alone, tone = screen
        at = drawn_at(alone)
        light = fitted(1 - tone, at)
        return Subject(_lines_at(alone, at), light, size, mode, reason, True, AS_IT_IS, prepared, moving)

    def draw_subject(
        self,
        subject: Subject,
        controls: Controls,
        seed: int = 0,
        medium: Medium = DEFAULT_MEDIUM,
        tile: int | None = None,
        size: tuple[int, int] | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        dtype: type[np.float32 | np.uint8] = np.float32,
    ) -> np.ndarray:
        """Draws what `subject` read; arguments and result as for `draw`, `size` by default the input's."""
        lines, light = subject.lines, None
        if subject.pixels is not None:
            light = read_light(subject.pixels, float(np.mean(controls.detail)), subject.curve, subject.moving)
            if not subject.own_lines:
                lines = weigh_lines(lines, light)
        return self.draw(lines, controls, seed, medium, tile, progress, cancelled, light, size or subject.size, dtype)

    def draw(
        self,
        lines: np.ndarray,
        controls: Controls,
        seed: int = 0,
        medium: Medium = DEFAULT_MEDIUM,
        tile: int | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
        light: Light | None = None,
        size: tuple[int, int] | None = None,
        dtype: type[np.float32 | np.uint8] = np.float32,
    ) -> np.ndarray:
        """Draws lines at their own size, then lays the load on paper of the size that is asked for.

        Args:
            lines: (h, w) float32, 0 black .. 1 white.
            controls: numbers, or maps of any size.
            seed: the take.
            medium: paper, grade and style.
            tile, progress, cancelled: see `draw_tiled`; progress is shown the sketch as it grows.
            light: of the picture (h, w), see `read_light`.
            size: height and width of the result; (h, w) if None.
            dtype: of the result; a large one takes a quarter of the memory in bytes.

        Returns:
            The sketch (H, W), 0 black .. 1 white, or .. 255 in bytes.

        Raises:
            SketchGANError, Cancelled: as `draw_tiled`.
        """
        size = size or (lines.shape[0], lines.shape[1])

        def shown(done: int, total: int, drawing: torch.Tensor) -> None:
            # The finished picture is shown when it lies on the paper.
            if progress is not None and done < total:
                progress(done, total, 1 - drawing)

        load = draw_load(self.generator, lines, controls, seed, medium, light, tile, shown, cancelled)
        sketch = on_paper(self.generator, load, size, seed, medium, dtype)
        if progress is not None:
            progress(sketch.size, sketch.size, torch.from_numpy(sketch)[None])
        return sketch

    def _device(self) -> str:
        return str(next(self.generator.parameters()).device)


def draw_load(
    generator: Generator,
    lines: np.ndarray,
    controls: Controls,
    seed: int,
    medium: Medium,
    light: Light | None,
    tile: int | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> np.ndarray:
    """The load (h, w) at the drawing size; for the original's generator, the ink itself."""
    height, width = lines.shape
    if not generator.draws_load:
        # Its paper is not exactly white: no tile may be skipped.
        planes, reach = torch.from_numpy(1 - lines)[None], torch.ones((1, height, width))
        return draw_tiled(generator, planes, reach, tile, None, progress, cancelled)[0].cpu().numpy()
    grade = GRADES[medium.grade]
    asked = replace(controls.fitted((height, width)), softness=grade.softness)
    planned = plan(lines, asked, seed, light, STYLES[medium.style])
    names = generator.config.planes
    planes = planned.planes if names == PLANES else planned.planes[[PLANES.index(name) for name in names]]
    load = draw_tiled(generator, planes, planned.reach, tile, None, progress, cancelled)[0].cpu().numpy()
    if light is None:
        load = 1 - (1 - load) ** FIRM
    take = planned.planes[PLANES.index("take")].numpy()
    return lay_side(load, take, planned.tone, planned.side_share, grade)


def on_paper(
    generator: Generator,
    load: np.ndarray,
    size: tuple[int, int],
    seed: int,
    medium: Medium,
    dtype: type[np.float32 | np.uint8] = np.float32,
) -> np.ndarray:
    """The sketch (H, W) of `size` that a load (h, w) leaves; see `Sketcher.draw`.

    It is laid band by band, and bare paper, most of a line drawing, is free.
    """
    enlarged = math.sqrt(size[0] * size[1] / load.size)
    if generator.draws_load and enlarged > 1:
        # Or the grain of the load would be enlarged with it, and lie across the finer one of the paper.
        load = cv2.GaussianBlur(load, (0, 0), EVENED * min(1.0, enlarged - 1))
    width = size[1]
    sketch = np.full(size, 255 if dtype is np.uint8 else 1, dtype)
    for top, band in bands(load, size):
        marked = np.flatnonzero(band)
        graphite = torch.from_numpy(band.ravel()[marked])
        if generator.draws_load:
            heights = torch.from_numpy(sheet(band.shape[0], width, medium.paper, seed, top).ravel()[marked])
            graphite = deposit(graphite, heights, GRADES[medium.grade])
        light = 1 - graphite.numpy()
        sketch[top : top + len(band)].ravel()[marked] = np.rint(255 * light) if dtype is np.uint8 else light
    return sketch


def seen(lines: LineMode | Any, patch_size: int) -> float:
    """At which size an image is read for a drawing; see `images.read_image`.

    A drawing size that is asked for may be larger than any that is chosen, and the original's way has its own sizes.
    """
    return math.inf if patch_size or (isinstance(lines, str) and lines == "classic") else SEEN


def scaled_size(height: int, width: int, patch_size: int, model_size: int) -> tuple[int, int]:
    """The size (height, width) an image is drawn at when patches of `patch_size` px are drawn at `model_size` px.

    Raises:
        SketchGANError: it is larger than MAX_PIXELS, or longer than LONGEST.
    """
    height, width = (max(1, round(length * model_size / patch_size)) for length in (height, width))
    if height * width > MAX_PIXELS or max(height, width) > LONGEST:
        raise SketchGANError(
            f"drawn at {width}x{height}, more than {MAX_PIXELS // 1_000_000} megapixels or {LONGEST} px; "
            "lower the model size or raise the patch size"
        )
    return height, width


def _lines_at(lines: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A line image (H, W) at its drawing size, its lines as dark as they were."""
    if lines.shape == size:
        return lines
    resized = fitted(lines, size)
    return np.clip(1 - (1 - resized) * _LINES_PALE, 0, 1) if lines.shape[0] > size[0] else resized


def is_film(batch: Any) -> bool:
    """Whether a batch (B, ...), an array or tensor, shows movement: pictures that resemble the one before, and differ.

    Copies of a picture, and pictures that have nothing to do with each other, are drawn as each would be alone.
    """
    looks = (to_lines(frame, _LOOKED_AT) for frame in batch) if len(batch) > 1 else ()
    return any(0 < float(np.abs(one - other).mean()) < CUT for one, other in pairwise(looks))


def _like(image: Any, sketch: np.ndarray) -> Any:
    """The sketch (H, W) 0..1 in the form of the image: its kind, type, range and device."""
    if isinstance(image, str | os.PathLike | Image.Image):
        return Image.fromarray(np.rint(sketch * 255).astype(np.uint8))
    if isinstance(image, torch.Tensor):
        if image.dtype.is_floating_point:
            return torch.from_numpy(sketch).to(image.device, image.dtype)
        return torch.from_numpy(_like(np.empty(0, np.dtype(str(image.dtype).removeprefix("torch."))), sketch)).to(
            image.device
        )
    kind = np.asarray(image).dtype
    if np.issubdtype(kind, np.integer):
        return np.rint(sketch * np.iinfo(kind).max).astype(kind)
    # A mask of True and False cannot hold greys.
    return sketch.astype(np.float32 if kind == np.bool_ else kind)
