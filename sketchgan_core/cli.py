"""The command `sketchgan`: sketch, film, lines, list, info, import, app."""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .choices import CONTROLS, GRADES, MODEL_SIZE, MODES, PAPER, PAPERS, PRESETS, STYLES, explained
from .errors import Cancelled, SketchGANError, one_line, show_every_name, unreachable
from .jobs import PIPED, BadUsage, complain, each, find_jobs, refuse_collisions, share_heap, tell
from .lines.settings import POLARITIES, RULES, SETTINGS, LineSettings

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

    from .images import Picture
    from .planning.controls import Controls
    from .sketcher import Subject

OK, SOME_FAILED, BAD_USAGE, INTERRUPTED = 0, 1, 2, 130
TRANSPARENT = (".png", ".webp", ".tif", ".tiff")  # endings of files that hold transparency


def main(arguments: list[str] | None = None) -> int:
    """Runs a command line and returns its exit status: 0 all done, 1 some input failed, 2 bad usage."""
    parser = _parser()
    show_every_name()
    try:
        options = parser.parse_args(arguments)
        if getattr(options, "like", None) is not None:
            options = parser.parse_args(_like(options, sys.argv[1:] if arguments is None else arguments))
        options.given = sys.argv[1:] if arguments is None else arguments
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else BAD_USAGE
    except SketchGANError as error:
        complain(error, debug=False)
        return BAD_USAGE
    try:
        status = int(options.run(options))
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has seen enough; otherwise Python would complain again when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_FAILED
    except SketchGANError as error:
        complain(error, options.debug)
        return BAD_USAGE if isinstance(error, BadUsage) else SOME_FAILED
    except OSError as error:
        # Of a place that cannot be reached, or a disk that is full, wherever it was met.
        complain(unreachable(error), options.debug)
        return SOME_FAILED
    except (KeyboardInterrupt, Cancelled):
        tell("sketchgan: stopped")
        return INTERRUPTED


def _sketch(options: argparse.Namespace) -> int:
    import numpy as np

    from .images import check_output, check_size, write_image
    from .sheet import columns_of, contact_sheet
    from .sketcher import Medium, Sketcher, seen

    jobs, failures = find_jobs(options)
    for _, file in jobs if options.transparent else ():
        if str(file) != PIPED and file.suffix.lower() not in TRANSPARENT:
            raise BadUsage(f"{file}: holds no transparency; choose {', '.join(TRANSPARENT)}")
    if options.sheet:
        if PIPED in options.inputs or options.output == Path(PIPED):
            raise BadUsage("--sheet shows files; name the input and the output")
        check_output(options.sheet, options.overwrite)
        columns_of(max(1, len(jobs)), options.sheet)
    sizes = _sizes(options)
    sketcher = Sketcher.load(options.weights, options.device)
    controls = sketcher.controls(**_asked(options))
    medium = Medium(options.paper, options.grade, options.style)
    settings = _line_settings(options)
    recorded = _recorded(options, controls)
    done: list[tuple[Path, Path]] = []

    def read(source: Path) -> tuple[Subject, tuple[str, ...], tuple[float, float] | None]:
        picture = _read(source, seen(options.lines, options.patch_size))
        subject = sketcher.subject(picture, options.lines, *sizes, controls, settings=settings)
        return subject, (*picture.notes, f"{source}: {subject.said()}"), picture.dpi

    def draw(source: Path, target: Path, given: Any) -> Callable[[], None]:
        subject, notes, dpi = given
        for note in notes:
            tell(note)
        size = subject.size if options.size == "input" else subject.lines.shape
        check_size(target, *size)
        sketch = sketcher.draw_subject(
            subject, controls, options.seed, medium, options.tile, size, _progress(source), dtype=np.uint8
        )
        if doubt := subject.doubt(sketch):
            tell(f"{source}: warning: {doubt}")
        own_dpi = dpi if options.size == "input" else None

        def write() -> None:
            _write(target, _transparent(sketch) if options.transparent else sketch, options, own_dpi, recorded)
            done.append((source, target))

        return write

    failures += each(jobs, read, draw, options)
    if options.sheet and done:
        write_image(options.sheet, contact_sheet(done, options.sheet), options.overwrite)
    return SOME_FAILED if failures else OK


def _read(source: Path, at_most: float = math.inf) -> Picture:
    from .images import read_image, read_piped

    if str(source) != PIPED:
        return read_image(source, at_most=at_most)
    if sys.stdin is None:
        raise SketchGANError("standard input is closed; pipe an image in, or name a file")
    return read_piped(sys.stdin.buffer, "standard input", at_most)


def _write(
    target: Path, image: Any, options: argparse.Namespace, dpi: tuple[float, float] | None = None, made_with: str = ""
) -> None:
    """Writes a picture to its file, or as a PNG to standard output."""
    from .images import save_image, to_image, write_image

    if str(target) != PIPED:
        write_image(target, image, options.overwrite, dpi, made_with)
        return
    content = io.BytesIO()
    save_image(content, to_image(image), "PNG", dpi, made_with)
    sys.stdout.buffer.write(content.getvalue())


def _transparent(sketch: np.ndarray) -> Image.Image:
    """Graphite on nothing: black, as opaque as the sketch (H, W), in bytes, is dark."""
    from PIL import Image

    graphite = Image.fromarray(255 - sketch)
    return Image.merge("LA", (Image.new("L", graphite.size), graphite))


# What is written into a drawing, and used again by --like.
LINE_SETTINGS = tuple(field.name for field in fields(LineSettings) if field.name != "detail")
RECORDED = ("patch_size", "model_size", "seed", "lines", "paper", "grade", "style", "size", "weights", *LINE_SETTINGS)


def _recorded(options: argparse.Namespace, controls: Controls) -> str:
    """The options that draw the same again, as one line."""
    from .pencils.header import resolve_pencil

    given = {name: getattr(options, name) for name in RECORDED} | {name: getattr(controls, name) for name in CONTROLS}
    if os.sep in str(given["weights"]) or Path(given["weights"]).suffix:
        given["weights"] = resolve_pencil(given["weights"]).name
    words = [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    return shlex.join(words + (["--transparent"] if options.transparent else []))


def _like(options: argparse.Namespace, arguments: Sequence[str]) -> list[str]:
    """The arguments with those of a drawing before them, so that options given beside `--like` override them."""
    from .images import read_made_with

    try:
        recorded = shlex.split(read_made_with(options.like))
    except ValueError as error:
        raise SketchGANError(f"{options.like}: what it says of how it was made is damaged; give another") from error
    if options.preset:
        # A preset sets the controls, and a control that is given counts more: here it was not.
        for option in {f"--{name}" for name in CONTROLS} & set(recorded):
            place = recorded.index(option)
            del recorded[place : place + 2]
    at = list(arguments).index("sketch") + 1
    return [*arguments[:at], *recorded, *arguments[at:]]


def _asked(options: argparse.Namespace) -> dict[str, float | None]:
    """The controls as they were asked for, one by one or by a preset."""
    asked = {name: getattr(options, name) for name in CONTROLS}
    preset = PRESETS[options.preset] if options.preset else {}
    return {name: preset.get(name) if value is None else value for name, value in asked.items()}


def _line_settings(options: argparse.Namespace, *also: str) -> LineSettings:
    """The settings of the lines; a drawing's own detail is not theirs."""
    try:
        return LineSettings(**{name: getattr(options, name) for name in (*LINE_SETTINGS, *also)})
    except SketchGANError as error:
        raise BadUsage(str(error)) from error


def _film(options: argparse.Namespace) -> int:
    from .film import Shot, draw_film
    from .pencils.header import resolve_pencil
    from .sketcher import Medium, Sketcher

    refuse_collisions([(options.input, options.output)])
    share_heap()
    lines, sizes = options.lines, _sizes(options)
    sketcher = Sketcher.load(options.weights, options.device)
    medium = Medium(options.paper, options.grade, options.style)
    asked, settings = sketcher.controls(**_asked(options)), _line_settings(options)
    shot = Shot(asked, options.seed, medium, options.hold, lines, *sizes, settings)
    weights = resolve_pencil(options.weights)
    pencil = f"{weights.name}, {weights.stat().st_size} bytes"
    start = time.monotonic()

    def show(done: int, total: int) -> None:
        left = (time.monotonic() - start) * (total - done) / done if total > done else 0
        bar = f"{done} of {total} frames, {left / 60:.0f} min left" if total else f"{done} frames"
        print(f"\r{one_line(options.input.name)}: {bar}   ", end="", file=sys.stderr, flush=True)

    progress = show if sys.stderr.isatty() else None
    frames = draw_film(sketcher, options.input, options.output, shot, pencil, options.overwrite, progress, tell)
    tell(f"{options.output}: {frames} frames")
    return OK


def _lines(options: argparse.Namespace) -> int:
    from .images import INVISIBLE, check_size
    from .lines.prepare import prepare_lines

    jobs, failures = find_jobs(options)
    settings = _line_settings(options, "detail")
    first = None

    def extract(source: Path, target: Path, picture: Picture) -> Callable[[], None]:
        nonlocal first
        check_size(target, *picture.grey.shape)
        prepared = prepare_lines(
            picture.pixels, options.mode, settings, like=first, device=options.device, screentone=False
        )
        first = prepared if options.frames and first is None else first
        for note in (*picture.notes, f"{source}: lines: {prepared.mode}, {prepared.reason}"):
            tell(note)
        if prepared.lines.min() > INVISIBLE:
            tell(f"{source}: warning: no line stands out from its ground; try another --mode, such as photo")
        return lambda: _write(target, prepared.lines, options, picture.dpi)

    failures += each(jobs, _read, extract, options)
    return SOME_FAILED if failures else OK


def _list(options: argparse.Namespace) -> int:
    from .pencils.header import list_pencils

    pencils, errors = list_pencils(options.folder)
    for pencil in pencils:
        said = (pencil.architecture, pencil.card.title, pencil.card.license)
        print(pencil.path.stem, *map(one_line, said), pencil.path, sep="\t")
    for error in errors:
        complain(error, options.debug)
    return SOME_FAILED if errors else OK


def _info(options: argparse.Namespace) -> int:
    from .pencils.header import read_header, resolve_pencil

    header = read_header(resolve_pencil(options.weights))
    shown = {key: value for key, value in vars(header.card).items() if value and key != "thumbnail"}
    shown |= {"file": str(header.path), "bytes": header.bytes, "parameters": header.parameters}
    shown |= {
        "architecture": header.architecture,
        "stored as": ", ".join(sorted({t for t, _ in header.tensors.values()})),
    }
    shown |= {"config": header.config, "controls": header.controls, "training": header.training}
    for key, value in shown.items():
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
        print(f"{key + ':':14}{one_line(text, len(text))}")
    return OK


def _import(options: argparse.Namespace) -> int:
    from .pencils.foreign import read_checkpoint
    from .pencils.header import Card
    from .pencils.weights import save_pencil

    refuse_collisions([(options.checkpoint, options.output)])
    generator = read_checkpoint(options.checkpoint)
    title = options.title or options.checkpoint.stem
    card = Card(title, options.author, options.license, f"imported from {options.checkpoint.name}")
    save_pencil(options.output, generator, card, overwrite=options.overwrite)
    tell(f"{options.output}: written")
    return OK


def _app(options: argparse.Namespace) -> int:
    _find_app().serve(options.host, options.port, options.open, options.weights, options.device)
    return OK


def _find_app() -> ModuleType:
    """The app, which the core may not import: installed, or beside the core in a checkout."""
    for name in ("sketchgan_app", "web.app"):
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if error.name not in ("sketchgan_app", "web", "web.app"):
                raise SketchGANError(f"the app needs {error.name}: pip install 'sketchgan[app]'") from error
    raise SketchGANError("the app is not installed: pip install 'sketchgan[app]'")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        from .planning.planes import PLAN_VERSION

        print(f"sketchgan {version('sketchgan')}, plan {PLAN_VERSION}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("sketchgan", description="Turns pictures and line drawings into pencil sketches.")
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version, and that of the plan it draws")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run)
        made.add_argument("--debug", action="store_true", help="show the traceback of an error")
        return made

    def with_images(made: argparse.ArgumentParser) -> None:
        made.add_argument(
            "inputs",
            nargs="+",
            metavar="IN",
            help="image file, folder (the images directly in it), glob pattern (** descends), or - for a pipe",
        )
        made.add_argument(
            "-o",
            "--output",
            required=True,
            type=_named,
            metavar="OUT",
            help="image file for one input, or - to pipe it out as PNG; else a folder, where each output is NAME.png",
        )
        existing = made.add_mutually_exclusive_group()
        existing.add_argument("--overwrite", action="store_true", help="replace existing files")
        existing.add_argument("--resume", action="store_true", help="leave out what is there already")
        made.add_argument(
            "--shard",
            type=_share,
            default=(1, 1),
            metavar="I/N",
            help="only the Ith of N parts of the inputs, each of which another machine may do",
        )

    def with_line_settings(parser: argparse.ArgumentParser, names: Iterable[str], of_dots: str) -> None:
        made = parser.add_argument_group("how the lines are made")
        for name in names:
            default = getattr(LineSettings, name)
            made.add_argument(
                f"--{name.replace('_', '-')}",
                type=type(default),
                default=default,
                metavar="N",
                help=f"{SETTINGS[name].says} (default {default:g})",
            )
        rules = f"printed rules and squares, and the desk around the paper, are left out; {of_dots}; or all is kept"
        for name, choices, says in (("polarity", POLARITIES, "of the lines"), ("rules", RULES, rules)):
            default = getattr(LineSettings, name)
            made.add_argument(f"--{name}", choices=choices, default=default, help=f"{says} (default: {default})")

    def with_drawing(sketch: argparse.ArgumentParser) -> None:
        sketch.add_argument("--weights", default="default", metavar="NAME|FILE", help="the pencil (default: default)")
        sketch.add_argument(
            "--patch-size", type=_count, default=0, help="pixels of the image ... (default: 0, chosen by what is in it)"
        )
        sketch.add_argument(
            "--model-size", type=_positive, default=MODEL_SIZE, help=f"... drawn at this size (default: {MODEL_SIZE})"
        )
        sketch.add_argument(
            "--preset", choices=list(PRESETS), help="a kind of drawing; a control given beside it counts"
        )
        sketch.add_argument("--seed", type=int, default=0, help="the take (default: 0)")
        for control, text in CONTROLS.items():
            sketch.add_argument(f"--{control}", type=_unit, metavar="0..1", help=f"{text} (default: the pencil's own)")
        sketch.add_argument("--lines", choices=MODES, default="auto", help="how lines are made of IN (default: auto)")
        sketch.add_argument("--paper", choices=PAPERS, default=PAPER, help=f"default: {PAPER}")
        for choice, known in (("grade", GRADES), ("style", STYLES)):
            first = next(iter(known))
            sketch.add_argument(
                f"--{choice}", choices=list(known), default=first, help=f"{explained(known)} (default: {first})"
            )
        with_line_settings(sketch, [name for name in SETTINGS if name != "detail"], "screentone becomes a tone")
        sketch.add_argument("--tile", type=_positive, metavar="PX", help="default: chosen to fit the memory")
        sketch.add_argument("--device", default="auto", help="auto, cpu, cuda, mps ... (default: auto)")

    sketch = command("sketch", _sketch, "Draws images with a pencil.")
    with_images(sketch)
    with_drawing(sketch)
    sketch.add_argument("--size", choices=("input", "model"), default="input", help="size of OUT (default: input)")
    sketch.add_argument("--transparent", action="store_true", help=f"graphite on nothing ({', '.join(TRANSPARENT)})")
    sketch.add_argument(
        "--like",
        type=Path,
        metavar="FILE",
        help="drawn as this drawing was; what is given beside it counts",
    )
    sketch.add_argument("--sheet", type=Path, metavar="FILE", help="also write all inputs beside their sketches")

    film = command("film", _film, "Draws a film, with its sound; the same command goes on where it was interrupted.")
    film.add_argument("input", type=Path, metavar="IN", help="video file")
    film.add_argument("-o", "--output", required=True, type=Path, metavar="OUT", help=".mp4, .mkv, .mov or .webm")
    film.add_argument("--overwrite", action="store_true", help="replace an existing file")
    film.add_argument("--hold", type=_positive, default=1, metavar="N", help="draw every Nth frame, and hold it")
    with_drawing(film)

    lines = command("lines", _lines, "Extracts the lines alone.")
    with_images(lines)
    lines.add_argument("--mode", choices=MODES, default="auto", help="default: auto")
    with_line_settings(lines, SETTINGS, "so are the dots of screentone (auto, drawing)")
    lines.add_argument(
        "--frames", action="store_true", help="the inputs are frames: mode and levels of the first hold for all"
    )
    lines.add_argument(
        "--device", default="auto", help="what photo computes on: auto, cpu, cuda, mps ... (default: auto)"
    )

    listing = command("list", _list, "Lists the pencils: name, architecture, title, licence, file.")
    listing.add_argument("--folder", type=Path, action="append", default=[], help="look here as well")

    info = command("info", _info, "Shows what a weights file says of itself.")
    info.add_argument("weights", metavar="WEIGHTS")

    importing = command("import", _import, "Converts a checkpoint of the original project (.pt).")
    importing.add_argument("checkpoint", type=Path, metavar="CHECKPOINT.pt")
    importing.add_argument("-o", "--output", required=True, type=Path, metavar="W.safetensors")
    importing.add_argument("--title", default="")
    importing.add_argument("--author", default="")
    importing.add_argument("--license", default="")
    importing.add_argument("--overwrite", action="store_true", help="replace an existing file")
    app = command("app", _app, "Opens the app in the browser: sketch and extract lines by mouse.")
    app.add_argument("--host", default="127.0.0.1", help="0.0.0.0 lets the network use it (default: 127.0.0.1)")
    app.add_argument("--port", type=_positive, help="default: the first free one from 7860")
    app.add_argument("--open", action=argparse.BooleanOptionalAction, default=True, help="show it in the browser")
    app.add_argument("--weights", default="default", metavar="NAME|FILE", help="the pencil (default: default)")
    app.add_argument("--device", default="auto", help="auto, cpu, cuda, mps ... (default: auto)")
    return parser


def _named(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("is empty; name a file or a folder")
    return Path(text)


def _unit(text: str) -> float:
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not in 0..1")
    return value


def _share(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise argparse.ArgumentTypeError(f"{text} is not a part; write it as 3/8")
    return int(part), int(parts)


def _count(text: str) -> int:
    return 0 if text == "0" else _positive(text)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not positive")
    return value


def _sizes(options: argparse.Namespace) -> tuple[int, int]:
    """Patch size and model size."""
    if options.model_size != MODEL_SIZE and not options.patch_size:
        raise BadUsage("--model-size is a share of --patch-size, and without one the drawing size is chosen; give both")
    return options.patch_size, options.model_size


def _progress(source: Path) -> Callable[[int, int, object], None] | None:
    if sys.stderr is None or not sys.stderr.isatty():
        return None

    def show(done: int, total: int, _: object) -> None:
        end = "\n" if done == total else ""
        print(f"\r{one_line(source.name)}: {done / total:4.0%}", end=end, file=sys.stderr, flush=True)

    return show
