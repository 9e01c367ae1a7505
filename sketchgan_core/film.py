"""Films: every frame drawn with the same hand, so that what stands still in the film stands still in the drawing.

Needs PyAV (`pip install 'sketchgan[video]'`). Frames are kept beside the output until the film is whole, so that the
same command continues where it was interrupted.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from PIL import Image

from .choices import MODEL_SIZE
from .errors import SketchGANError, one_line
from .files import written_whole
from .images import write_image
from .lines.settings import LineSettings
from .planning.controls import Controls
from .sketcher import CUT, DEFAULT_MEDIUM, Medium, Sketcher, Subject

_FORMATS = {".mp4": "mp4", ".mkv": "matroska", ".mov": "mov", ".webm": "webm"}
_LOOKED_AT = (64, 36)  # px, width and height, at which frames are compared
# Sound that every player takes in such a file; .mkv holds anything.
_SOUNDS = {".mp4": ("aac", "mp3", "ac3"), ".mov": ("aac", "mp3", "ac3", "alac"), ".webm": ("opus", "vorbis")}
_QUALITY = {"libx264": "16", "libvpx-vp9": "24"}  # constant rate factor, low enough that grain is not smeared

T = TypeVar("T")


@dataclass(frozen=True)
class Shot:
    """How the frames of a film are drawn.

    Attributes:
        controls, seed, medium: as for a picture.
        hold: frames for which one drawing stays: 2 draws on twos, as animators do.
        lines, patch_size, model_size, settings: as for `Sketcher.subject`.
    """

    controls: Controls
    seed: int = 0
    medium: Medium = DEFAULT_MEDIUM
    hold: int = 1
    lines: str = "auto"
    patch_size: int = 0
    model_size: int = MODEL_SIZE
    settings: LineSettings = field(default_factory=LineSettings)


def draw_film(
    sketcher: Sketcher,
    source: Path,
    target: Path,
    shot: Shot,
    pencil: str,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    say: Callable[[str], None] = print,
) -> int:
    """Draws a film, with its sound, rotation and the times of its frames.

    Args:
        source, target: video files.
        shot: how its frames are drawn.
        pencil: names the one that draws; kept frames of another pencil or another shot are refused.
        overwrite: whether `target` may be replaced.
        progress: called with the frames done and the frames in all, 0 where the film does not say.
        say: called at the beginning of each shot with what was read.

    Returns:
        How many frames there are.

    Raises:
        SketchGANError: PyAV is missing, the file is no film or is cut short, kept frames have other settings.
        Cancelled: see `Sketcher.draw_subject`.
    """
    if target.suffix.lower() not in _FORMATS:
        raise SketchGANError(f"{target}: a film is written as {', '.join(_FORMATS)}; give such a name")
    if target.exists() and not overwrite:
        raise SketchGANError(f"{target}: exists already; choose another name or --overwrite")
    kept = target.with_name(f"{target.name}.frames")
    count = 0
    with _opened(source) as film:
        _claim(kept, {"film": [source.name, source.stat().st_size], "pencil": pencil, **asdict(shot)})
        total = film.streams.video[0].frames
        with closing(_ahead(_read(sketcher, _frames(film, source), shot, kept, say))) as frames:
            for count, (file, drawing, subject) in enumerate(frames, 1):
                if subject is not None and not file.exists():
                    write_image(file, sketcher.draw_subject(subject, shot.controls, shot.seed, shot.medium))
                elif not file.exists():
                    _link(drawing, file)
                if progress:
                    progress(count, total)
    if not count:
        raise SketchGANError(f"{source}: no frames in it; give a film")
    _encode(source, target, kept)
    shutil.rmtree(kept)
    return count


def _read(
    sketcher: Sketcher, frames: Iterator[Any], shot: Shot, kept: Path, say: Callable[[str], None]
) -> Iterator[tuple[Path, Path, Subject | None]]:
    """For each frame its file, the file of its drawing, and what is to be drawn, if that is not there yet."""
    first: Subject | None = None
    drawing, last, looked = kept, None, None
    how = (shot.lines, shot.patch_size, shot.model_size, shot.controls)
    for count, frame in enumerate(frames, 1):
        file = kept / f"{count:08d}.png"
        pixels = _upright(frame)
        look = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), _LOOKED_AT, interpolation=cv2.INTER_AREA)
        cut = looked is None or float(np.abs(look.astype(np.float32) - looked).mean()) > 255 * CUT
        looked = look.astype(np.float32)
        held = not cut and (count - 1) % shot.hold
        same = held or (not cut and last is not None and np.array_equal(pixels, last))
        subject = None
        if cut:
            # A cut begins anew: what is kept for all frames is judged from the first of each shot.
            first = subject = sketcher.subject(pixels, *how, settings=shot.settings, moving=True)
            say(f"frame {count}: {subject.said()}")
        if not same:
            last, drawing = pixels, file
            if not cut and not file.exists():
                subject = sketcher.subject(pixels, *how, like=first, settings=shot.settings, moving=True)
        yield file, drawing, subject


def _ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items; each is made while the one before it is used."""
    with ThreadPoolExecutor(1) as maker:
        making = maker.submit(next, items, None)
        while (item := making.result()) is not None:
            making = maker.submit(next, items, None)
            yield item


def _av() -> Any:
    try:
        import av
    except ModuleNotFoundError as error:
        raise SketchGANError("films need PyAV: pip install 'sketchgan[video]'") from error
    return av


def _opened(source: Path) -> Any:
    av = _av()
    try:
        film = av.open(str(source))
    except FileNotFoundError as error:
        raise SketchGANError(f"{source}: no such file; check the name") from error
    except (OSError, ValueError) as error:  # libav's errors as well
        raise SketchGANError(f"{source}: cannot be read as a film ({one_line(str(error))})") from error
    if not film.streams.video:
        film.close()
        raise SketchGANError(f"{source}: has no pictures in it; give a film")
    return film


def _frames(film: Any, source: Path) -> Iterator[Any]:
    film.streams.video[0].thread_type = "AUTO"
    try:
        yield from film.decode(video=0)
    except (OSError, ValueError) as error:
        raise SketchGANError(f"{source}: is damaged ({one_line(str(error))}); mend it or cut it there") from error


def _upright(frame: Any) -> np.ndarray:
    """A frame (H, W, 3) uint8 RGB as a player shows it, cut to an even size, as video codecs want it."""
    pixels: np.ndarray = np.rot90(frame.to_ndarray(format="rgb24"), round(getattr(frame, "rotation", 0) / 90) % 4)
    return np.ascontiguousarray(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2])


def _claim(kept: Path, settings: dict[str, Any]) -> None:
    """Claims the folder of kept frames for these settings, or refuses it if it belongs to others."""
    note = kept / "settings.json"
    text = json.dumps(settings, indent=1, sort_keys=True)
    if note.exists() and note.read_text(encoding="utf-8") != text:
        raise SketchGANError(f"{kept}: frames of this film drawn with other settings; finish it so, or delete them")
    with written_whole(note) as file:
        file.write(text.encode())


def _link(drawing: Path, file: Path) -> None:
    try:
        os.link(drawing, file)
    except OSError:  # not every disk has links
        with written_whole(file) as copy:
            copy.write(drawing.read_bytes())


def _kept(kept: Path, number: int) -> np.ndarray:
    with Image.open(kept / f"{number:08d}.png") as image:
        return np.asarray(image.convert("L"))


def _encode(source: Path, target: Path, kept: Path) -> None:
    """Writes the kept frames at the times of the film's own, with its sound; the file is whole or not there."""
    av = _av()
    codec, voice = ("libvpx-vp9", "libopus") if target.suffix.lower() == ".webm" else ("libx264", "aac")
    height, width = _kept(kept, 1).shape
    try:
        with (
            written_whole(target) as file,
            _opened(source) as film,
            av.open(file, "w", format=_FORMATS[target.suffix.lower()]) as made,
        ):
            pictures = film.streams.video[0]
            stream = made.add_stream(codec, rate=pictures.average_rate or 25)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.time_base = stream.codec_context.time_base = pictures.time_base
            stream.options = {"crf": _QUALITY[codec]}
            sound = film.streams.audio[0] if film.streams.audio else None
            # Sound is copied as it is where the container takes it, else encoded anew.
            takes = _SOUNDS.get(target.suffix.lower())
            copied = sound is not None and (takes is None or sound.codec_context.codec.canonical_name in takes)
            heard: Any = None
            if sound is not None:
                heard = made.add_stream_from_template(sound) if copied else made.add_stream(voice, rate=sound.rate)
            count = 0
            for packet in film.demux(*([pictures, sound] if sound else [pictures])):
                if packet.stream.type == "audio":
                    if not copied:
                        made.mux([part for given in packet.decode() for part in heard.encode(given)])
                    elif packet.dts is not None:
                        packet.stream = heard
                        made.mux(packet)
                    continue
                for frame in packet.decode():
                    count += 1
                    drawn = av.VideoFrame.from_ndarray(_kept(kept, count), "gray")
                    drawn.pts, drawn.time_base = frame.pts, pictures.time_base
                    made.mux(stream.encode(drawn.reformat(format="yuv420p")))
            made.mux(stream.encode())
            if heard is not None and not copied:
                made.mux(heard.encode())
    except (OSError, ValueError) as error:
        raise SketchGANError(
            f"{target}: cannot be written ({one_line(str(error))}); the frames are kept in {kept}"
        ) from error
