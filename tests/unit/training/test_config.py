from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sketchgan_core.errors import SketchGANError
from training.config import TrainConfig, load_config, refuse_difference, save_config


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
    with pytest.raises(SketchGANError, match="batch = 8, not 2"):
        refuse_difference(replace(config, batch=2), tmp_path / "c.toml")
