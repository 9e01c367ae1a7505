"""Unpaired drawings for adversarial augmentation: line images without a sketch, and sketches without their lines.

After Simo-Serra et al., "Mastering Sketching", 2017.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from torch import Tensor

from sketchgan_core.choices import PAPERS
from sketchgan_core.errors import SketchGANError
from sketchgan_core.files import files_in, written_whole

from ..config import TrainConfig
from .augment import INK, SKETCH, turn
from .chance import sample_controls
from .crops import Crops, inked_window, is_inked, tensor
from .pairs import SUFFIXES, Pair, drawn_size, image_size
from .stacks import Stacks, grey

DRAWINGS = 24  # tried at most, until one has enough ink


class UnpairedCrops(Crops):
    """`crops[n]` holds lines and their plan, and as `sketch` a crop of an unrelated one; shaped as in `Crops`.

    Args:
        lines: planned line images.
        sketches: image files.
        folder: where the decoded sketches are kept.

    Raises:
        SketchGANError: when a crop is asked for and the drawings have hardly any ink.
    """

    def __init__(self, lines: Stacks, sketches: list[Path], folder: Path, config: TrainConfig) -> None:
        super().__init__(lines, range(len(lines.pairs)), config)
        self.batch = config.unpaired_batch
        self.lines = lines
        self.sketches = sketches
        self.folder = folder

    def __getitem__(self, number: int) -> Tensor:
        # a random stream of their own, apart from the pairs'
        rng = np.random.default_rng((self.config.seed, number, 2))
        for _ in range(DRAWINGS):
            window = np.ascontiguousarray(self.crop(rng, number))
            if is_inked(window[..., INK], self.config.crop, self.config.minimum_ink):
                break
        else:
            raise SketchGANError(f"{self.lines.pairs[0].line.parent}: hardly any ink; lower minimum_ink or crop")
        window[..., SKETCH] = 255 - self._graphite(rng)
        return tensor(window)

    def missing_bytes(self) -> int:
        """Disk space that planning the lines will take."""
        return self.lines.missing_bytes()

    def _graphite(self, rng: np.random.Generator) -> np.ndarray:
        """A crop (crop, crop) of a sketch that has something on it."""
        size, minimum = self.config.crop, self.config.minimum_ink / 2  # graphite is lighter than ink
        for _ in range(DRAWINGS):
            whole = self._decoded(self.sketches[int(rng.integers(len(self.sketches)))])
            window = inked_window(whole, size, rng, minimum, channel=0)
            if is_inked(window[..., 0], size, minimum):
                return turn(window, rng)[..., 0]
        raise SketchGANError(f"{self.sketches[0].parent}: hardly any graphite; lower minimum_ink or crop")

    def _decoded(self, file: Path) -> np.ndarray:
        """Graphite (H, W, 1) uint8, decoded once and memory-mapped ever after."""
        key = hashlib.sha256(repr((str(file.resolve()), file.stat().st_mtime_ns)).encode()).hexdigest()[:24]
        kept = self.folder / f"{key}.sketch.npy"
        if not kept.exists():
            with written_whole(kept) as stream:
                np.save(stream, 255 - grey(file)[..., None])
        return np.load(kept, mmap_mode="r")


def unpaired_crops(lines: Path, sketches: Path, plans: Path, config: TrainConfig) -> UnpairedCrops:
    """Crops of the line images in one folder beside the sketches in another.

    Every line image is planned once, with controls, paper and take chosen at random from its name.

    Raises:
        SketchGANError: a folder has no images, or one cannot be read.
    """
    stacks = Stacks([_planned_at_random(file) for file in _images(lines)], plans)
    files = _images(sketches)
    for file in files:
        image_size(file)
    return UnpairedCrops(stacks, files, plans, config)


def _planned_at_random(line: Path) -> Pair:
    seed = int.from_bytes(hashlib.sha256(line.stem.encode()).digest()[:4], "big") // 2
    rng = np.random.default_rng(seed)
    controls, paper = sample_controls(rng), PAPERS[int(rng.integers(len(PAPERS)))]
    # there is no sketch: the line image stands in for it and is never looked at
    size = drawn_size(line, image_size(line))
    return Pair(line, line, size, line.stem, seed, controls, paper, "unstated")


def _images(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SketchGANError(f"{folder}: not a folder; unpaired drawings are image files in one folder")
    files = files_in(folder, SUFFIXES)
    if not files:
        raise SketchGANError(f"{folder}: no images; unpaired drawings are image files in one folder")
    return files
