from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

import pytest

from sketchgan_core.errors import SketchGANError
from training.commands import run
from training.config import TrainConfig, load_config, refuse_difference, save_config
from training.learning.start import FINE_TUNING


def test_overrides_win_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text('batch = 4\ncrop = 128\nperceptual = "none"\n')
    config = load_config(file, ["batch=6", "perceptual=efficientnet-lite0", "adversarial=1"])
    assert (config.batch, config.crop, config.perceptual, config.adversarial) == (6, 128, "efficientnet-lite0", 1.0)
    assert config.width == TrainConfig().width


def test_a_saved_config_is_read_back_alike(tmp_path: Path) -> None:
    config = replace(TrainConfig(), perceptual='a "quoted" file', learning_rate=3e-5, crops=7)
    save_config(config, tmp_path / "c.toml")
    assert load_config(tmp_path / "c.toml") == config


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("bacth=4", "did you mean batch"),
        ("batch=four", "expected int"),
        ("batch=true", "expected int"),
        ("batch=1.5", "expected int"),
        ("learning_rate=-1", "between"),
        ("learning_rate=nan", "between"),
        ("crop=100", "multiple of 32"),
        ("batch", "key=value"),
    ],
)
def test_a_mistake_is_one_clear_line(override: str, message: str) -> None:
    with pytest.raises(SketchGANError, match=message) as caught:
        load_config(None, [override])
    assert "\n" not in str(caught.value)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("batch = = 3")
    with pytest.raises(SketchGANError, match=r"c\.toml"):
        load_config(file)


def test_a_run_may_get_longer_but_not_different(tmp_path: Path) -> None:
    config = TrainConfig()
    save_config(config, tmp_path / "c.toml")
    refuse_difference(replace(config, crops=5), tmp_path / "c.toml")
    with pytest.raises(SketchGANError, match="width = 48, not 8"):
        refuse_difference(replace(config, width=8), tmp_path / "c.toml")


def test_the_handbook_explains_every_setting_and_every_option() -> None:
    page = (Path(__file__).parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
    parser = argparse.ArgumentParser(add_help=False)
    run.add_arguments(parser)
    options = [option for action in parser._actions for option in action.option_strings]
    missing = [option for option in options if f"`{option}" not in page]
    missing += [knob.name for knob in fields(TrainConfig) if f"| `{knob.name}` |" not in page]
    assert not missing
    for key, value in FINE_TUNING.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{key}` |"))
        assert f"| {value:,} |" in row or f"| {value:g} |" in row, key
