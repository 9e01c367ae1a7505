"""Every knob of a training run: one frozen dataclass, read from TOML and `--set`, saved beside the checkpoints."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from sketchgan_core.errors import SketchGANError
from sketchgan_core.files import written_whole

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


BALANCES = ("fixed", "auto")
MAY_CHANGE = ("crops", "batch", "accumulate", "workers", "checkpoint_minutes")  # from one session of a run to the next


def _knob(default: Any, low: float, high: float) -> Any:
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True)
class TrainConfig:
    """Settings of one run. Lengths of phases are counted in crops seen, so the batch never changes their meaning."""

    # generator
    architecture: str = "residual"  # the name in sketchgan_core.generators; decides speed and receptive field
    width: int = _knob(48, 4, 256)  # channels at half resolution: quality against seconds per image
    blocks: int = _knob(2, 0, 64)  # residual blocks at the deepest stage: reach and capacity
    discriminator_width: int = _knob(32, 4, 256)  # a wider judge sees finer texture and wins more easily

    # data
    crop: int = _knob(192, 96, 1024)  # px; must span several strokes; the cost grows with its square
    batch: int = _knob(8, 1, 256)  # crops per step and process; batch norm in the discriminator wants >= 4
    accumulate: int = _knob(1, 1, 1024)  # batches per step, one after another: a large batch in little memory
    precision: str = "auto"  # auto: bfloat16 where the hardware multiplies it | float32 | bfloat16
    workers: int = _knob(1, 0, 64)  # processes that cut crops; 0 cuts them between the steps
    validation: float = _knob(0.03, 0.0, 0.5)  # share of the drawings (never of the crops) held back
    validation_crops: int = _knob(16, 1, 256)  # fixed crops that are measured and shown
    first_pairs: int = _knob(128, 1, 1_000_000)  # pairs in play at the first crop; planning them delays the start
    crops_per_pair: int = _knob(4, 1, 1000)  # crops after which one more pair joins, so planning keeps ahead
    overlap: float = _knob(0.15, 0.0, 1.0)  # chance of several drawings on one crop: teaches crowded lines
    thickness: float = _knob(0.3, 0.0, 1.0)  # chance of thinner, thicker, softer or greyer input lines
    affine: float = _knob(0.35, 0.0, 1.0)  # chance of rotation, scale and shear; these interpolate, so not always
    minimum_ink: float = _knob(0.02, 0.0, 0.5)  # least share of a crop that is dark lines; blank crops teach nothing

    # length and rates
    crops: int = _knob(400_000, 1, 10**10)  # crops until the run is complete
    learning_rate: float = _knob(2e-4, 1e-7, 1e-1)  # generator, Adam
    discriminator_rate: float = _knob(
        0.5, 0.0, 10.0
    )  # of the generator's rate: too slow and it says nothing, too fast and it wins
    encoder_rate: float = _knob(1.0, 0.0, 10.0)  # of the generator's rate, for the layers that read the plan
    decoder_rate: float = _knob(1.0, 0.0, 10.0)  # and for those that compose strokes from what was read
    tail_rate: float = _knob(1.0, 0.0, 10.0)  # and for those at full resolution: grain and edge, most of what a hand is
    warmup_crops: int = _knob(1200, 0, 10**9)  # the rate rises over these: He init makes large first steps
    decay: float = _knob(0.15, 0.0, 1.0)  # last share of the run over which the rates fall to zero
    gradient_clip: float = _knob(1.0, 1e-3, 1e6)  # one bad crop must not undo a thousand good ones
    ema_half_life: int = _knob(2800, 1, 10**9)  # crops; the averaged generator is the one that is exported

    # losses
    fidelity_1: float = _knob(6.0, 0.0, 1e4)  # L1 on graphite, per pixel: where strokes break and start
    fidelity_2: float = _knob(10.0, 0.0, 1e4)  # averaged over 2 px: the edge of a stroke
    fidelity_4: float = _knob(8.0, 0.0, 1e4)  # over 4 px: the weight of a stroke
    fidelity_8: float = _knob(20.0, 0.0, 1e4)  # over 8 px: tone
    fidelity_fade: float = _knob(0.25, 0.0, 1.0)  # what is left of fidelity_1 once the adversary judges texture
    perceptual: str = "auto"  # auto | vgg19 | FILE | efficientnet-lite0 | none
    perceptual_weight: float = _knob(0.6, 0.0, 1e4)  # each layer is normalised, so networks are interchangeable
    adversarial: float = _knob(0.25, 0.0, 1e4)  # texture; too much invents strokes
    feature_matching: float = _knob(1.5, 0.0, 1e4)  # keeps the adversarial game from wandering off
    balance: str = "fixed"  # fixed | auto: scale the terms until none pulls ten times as hard as another
    fidelity_crops: int = _knob(2400, 0, 10**9)  # fidelity alone first: an adversary on noise teaches noise
    discriminator_lead: int = _knob(800, 0, 10**9)  # crops the discriminator learns from before it is listened to
    adversarial_ramp: int = _knob(1600, 0, 10**9)  # crops over which the adversarial terms rise to full weight

    # adversarial augmentation: in effect only with unpaired drawings
    alpha: float = _knob(0.1, 0.0, 1e4)  # the unconditional discriminator's say on drawings of the pairs' lines
    beta: float = _knob(0.1, 0.0, 1e4)  # and on drawings of the unpaired lines
    unpaired_batch: int = _knob(4, 1, 256)  # unpaired lines, and as many sketches, per step and process
    identity: float = _knob(0.1, 0.0, 1.0)  # chance of a finished sketch as the input, to be left as it is

    # housekeeping
    seed: int = _knob(0, 0, 2**31 - 1)  # initial weights and every crop
    log_crops: int = _knob(400, 1, 10**9)  # scalars are averaged over these
    sample_crops: int = _knob(8000, 1, 10**9)  # from one validation and sample grid to the next
    checkpoint_minutes: float = _knob(5.0, 0.0, 1e4)  # between checkpoints: what an interruption may cost
    bad_steps: int = _knob(20, 1, 10**6)  # steps in a row without a gradient, or with NaN, after which the run stops

    def __post_init__(self) -> None:
        for knob in fields(self):
            _check(knob.name, getattr(self, knob.name), knob.default, knob.metadata.get("range"))
        if self.balance not in BALANCES:
            raise SketchGANError(f"balance = {self.balance!r}: choose one of {', '.join(BALANCES)}")
        if self.crop % 32:
            raise SketchGANError(f"crop = {self.crop}: the crop must be a multiple of 32")


def _check(name: str, value: object, default: object, limits: tuple[float, float] | None) -> None:
    wanted = type(default)
    # bool is an int to isinstance, but `batch = true` is a mistake
    if isinstance(value, bool) != isinstance(default, bool) or not isinstance(value, wanted):
        raise SketchGANError(f"{name} = {value!r}: expected {wanted.__name__}, as in {name} = {default!r}")
    if limits is not None and not limits[0] <= value <= limits[1]:  # type: ignore[operator]
        raise SketchGANError(f"{name} = {value}: must lie between {limits[0]:g} and {limits[1]:g}")


def load_config(
    file: Path | None = None, overrides: Iterable[str] = (), defaults: Mapping[str, object] | None = None
) -> TrainConfig:
    """The usual defaults, overruled by `defaults`, then by the TOML `file`, then by `key=value` overrides.

    Raises:
        SketchGANError: the file cannot be read, a key is unknown, or a value has the wrong type or range.
    """
    values: dict[str, object] = dict(defaults or {})
    if file is not None:
        try:
            values.update(tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SketchGANError(f"{file}: not a readable TOML file ({error})") from error
    for override in overrides:
        key, equals, text = override.partition("=")
        if not equals:
            raise SketchGANError(f"--set {override}: write it as key=value")
        values[key.strip()] = _parse(text.strip())
    return config_from(values)


def config_from(values: Mapping[str, object]) -> TrainConfig:
    """A config from plain values; integers are accepted where a float is expected."""
    known = {knob.name: knob for knob in fields(TrainConfig)}
    clean: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            raise SketchGANError(f"{key}: no such setting; did you mean {nearest}?")
        whole = isinstance(value, int) and not isinstance(value, bool)
        clean[key] = float(value) if whole and isinstance(known[key].default, float) else value  # type: ignore[arg-type]
    return replace(TrainConfig(), **clean)


def save_config(config: TrainConfig, file: Path) -> None:
    """Write `config` as TOML that `--config` reads back."""
    # a JSON scalar is a TOML scalar, so no TOML writer is needed
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in asdict(config).items())
    with written_whole(file) as stream:
        stream.write(text.encode())


def refuse_difference(config: TrainConfig, file: Path) -> None:
    """Raise if the run folder's `file` holds another configuration.

    The length of a run may change, and so may how it is worked through; its crops per step are checked elsewhere.
    """
    saved = asdict(load_config(file))
    for key, value in asdict(config).items():
        if key not in MAY_CHANGE and saved[key] != value:
            raise SketchGANError(
                f"{file}: this run was started with {key} = {saved[key]!r}, not {value!r}; "
                f"give another -o, or --set {key}={saved[key]}"
            )


def _parse(text: str) -> object:
    """A `--set` value: TOML where it is TOML, else a bare string (`perceptual=none`)."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
