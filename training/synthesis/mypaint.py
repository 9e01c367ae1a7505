"""Brush strokes by libmypaint (ISC), driven through ctypes: no compiler, no GTK, no display.

Needs the shared library and the brush presets (CC0) of the package mypaint-brushes.
"""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from ..errors import TrainingError

TILE = 64
BASE_RADIUS = 0.06  # ln of image px: a line of about 2 px at a medium pressure
ONE = 1 << 15  # libmypaint's fixed-point 1.0
INSTALL = (
    "Debian: apt install libmypaint-1.5-1 mypaint-brushes; Fedora: dnf install libmypaint mypaint2-brushes; "
    "macOS: brew install libmypaint mypaint-brushes"
)
_LIBRARIES = ("libmypaint-1.5.so.1", "libmypaint.so.0", "libmypaint.0.dylib", "libmypaint.dylib")
_HOMEBREW = ("/opt/homebrew", "/usr/local")

_float, _double, _int, _pointer = ctypes.c_float, ctypes.c_double, ctypes.c_int, ctypes.c_void_p


class _TileRequest(ctypes.Structure):
    _fields_ = [
        ("tx", _int),
        ("ty", _int),
        ("readonly", _int),
        ("buffer", ctypes.POINTER(ctypes.c_uint16)),
        ("context", _pointer),
        ("thread_id", _int),
        ("mipmap_level", _int),
    ]


class _Rectangle(ctypes.Structure):
    _fields_ = [("x", _int), ("y", _int), ("width", _int), ("height", _int)]


_SIGNATURES = {
    "mypaint_brush_new": (_pointer, []),
    "mypaint_brush_unref": (None, [_pointer]),
    "mypaint_brush_from_defaults": (None, [_pointer]),
    "mypaint_brush_from_string": (_int, [_pointer, ctypes.c_char_p]),
    "mypaint_brush_set_base_value": (None, [_pointer, _int, _float]),
    "mypaint_brush_reset": (None, [_pointer]),
    "mypaint_brush_new_stroke": (None, [_pointer]),
    "mypaint_brush_stroke_to": (_int, [_pointer, _pointer, _float, _float, _float, _float, _float, _double]),
    "mypaint_brush_setting_from_cname": (_int, [ctypes.c_char_p]),
    "mypaint_fixed_tiled_surface_new": (_pointer, [_int, _int]),
    "mypaint_fixed_tiled_surface_interface": (_pointer, [_pointer]),
    "mypaint_surface_begin_atomic": (None, [_pointer]),
    "mypaint_surface_end_atomic": (None, [_pointer, _pointer]),
    "mypaint_surface_unref": (None, [_pointer]),
    "mypaint_tiled_surface_tile_request_start": (None, [_pointer, ctypes.POINTER(_TileRequest)]),
    "mypaint_tiled_surface_tile_request_end": (None, [_pointer, ctypes.POINTER(_TileRequest)]),
}


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """The loaded libmypaint; the environment variable LIBMYPAINT names another file.

    Raises:
        TrainingError: it is not installed.
    """
    override = os.environ.get("LIBMYPAINT")
    candidates = [override] if override else [*_LIBRARIES, *(f"{p}/lib/libmypaint.dylib" for p in _HOMEBREW)]
    for candidate in candidates:
        try:
            loaded = ctypes.CDLL(candidate)
        except OSError:
            continue
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(loaded, name)
            function.restype, function.argtypes = result, arguments
        return loaded
    raise TrainingError(f"libmypaint not found ({override or _LIBRARIES[0]}): {INSTALL}, or set LIBMYPAINT to the file")


def find_preset(name: str) -> Path:
    """The file of a brush preset such as "deevad/2B_pencil"; MYPAINT_BRUSHES names another brush folder.

    Raises:
        TrainingError: it is not installed.
    """
    override = os.environ.get("MYPAINT_BRUSHES")
    if override:
        folders = [Path(override)]
    else:
        data = [os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")]
        data += (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
        data += [f"{prefix}/share" for prefix in _HOMEBREW]
        folders = [Path(d) / "mypaint-data" / version / "brushes" for d in data for version in ("2.0", "1.0")]
    for folder in folders:
        preset = folder / f"{name}.myb"
        if preset.is_file():
            return preset
    raise TrainingError(
        f"brush preset {name}.myb not found ({override or 'mypaint-data'}): {INSTALL}, or set MYPAINT_BRUSHES"
    )


class Canvas:
    """A transparent surface to paint on, usable as a context manager.

    Args:
        height, width: size in canvas pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        self._lib = library()
        self.height, self.width = height, width
        self._surface = self._lib.mypaint_fixed_tiled_surface_new(width, height)
        self.interface = self._lib.mypaint_fixed_tiled_surface_interface(self._surface)
        # A new surface is filled with 0xFFFF, which is not a colour in 15-bit fixed point.
        for request in self._tiles(readonly=False):
            ctypes.memset(request.buffer, 0, TILE * TILE * 8)
        self._lib.mypaint_surface_begin_atomic(self.interface)

    def _tiles(self, readonly: bool) -> Iterator[_TileRequest]:
        for ty in range(-(-self.height // TILE)):
            for tx in range(-(-self.width // TILE)):
                request = _TileRequest(tx, ty, int(readonly), None, None, -1, 0)
                self._lib.mypaint_tiled_surface_tile_request_start(self.interface, ctypes.byref(request))
                yield request
                self._lib.mypaint_tiled_surface_tile_request_end(self.interface, ctypes.byref(request))

    def alpha(self) -> np.ndarray:
        """What has been painted so far: opacity (H, W), float32, 0..1."""
        rectangle = _Rectangle()
        self._lib.mypaint_surface_end_atomic(self.interface, ctypes.byref(rectangle))
        out = np.empty((-(-self.height // TILE) * TILE, -(-self.width // TILE) * TILE), np.float32)
        for request in self._tiles(readonly=True):
            tile = np.ctypeslib.as_array(request.buffer, (TILE, TILE, 4))
            y, x = request.ty * TILE, request.tx * TILE
            out[y : y + TILE, x : x + TILE] = tile[..., 3]
        self._lib.mypaint_surface_begin_atomic(self.interface)
        return out[: self.height, : self.width] / ONE

    def __enter__(self) -> Canvas:
        return self

    def __exit__(self, *_: object) -> None:
        self._lib.mypaint_surface_unref(self._surface)


class Brush:
    """A pencil: a preset with its own random stream, which starts anew with every Brush.

    Args:
        preset: name below the brush folder, without suffix.
        scale: canvas pixels per image pixel.
        radius: multiplies the preset's radius.
        scatter: how far dabs lie beside the stroke at no pressure, in radii; None is the preset's.
    """

    TILT = (0.35, -0.25)  # how the pencil leans
    SPEED = 400.0  # image px per second

    def __init__(self, preset: str, scale: float, radius: float = 1.0, scatter: float | None = None) -> None:
        self._lib = library()
        self._brush = self._lib.mypaint_brush_new()
        self.scale = scale
        path = find_preset(preset)
        self._lib.mypaint_brush_from_defaults(self._brush)
        if not self._lib.mypaint_brush_from_string(self._brush, path.read_bytes()):
            raise TrainingError(f"{path}: not a brush preset that this libmypaint reads; reinstall mypaint-brushes")
        # Tracking would smooth the stroke away from the plan.
        for setting in ("color_h", "color_s", "color_v", "slow_tracking", "slow_tracking_per_dab"):
            self.set(setting, 0.0)
        self.set("radius_logarithmic", BASE_RADIUS + math.log(scale * radius))
        if scatter is not None:
            self.set("offset_by_random", scatter)

    def set(self, setting: str, value: float) -> None:
        """Set the base value of a brush setting."""
        identifier = self._lib.mypaint_brush_setting_from_cname(setting.encode())
        self._lib.mypaint_brush_set_base_value(self._brush, identifier, value)

    def stroke(self, canvas: Canvas, points: np.ndarray) -> None:
        """Draw one stroke.

        Args:
            canvas: what to draw on.
            points: (N, 3): x and y in image px, pressure 0..1.
        """
        if len(points) < 2:
            return
        to, brush, surface = self._lib.mypaint_brush_stroke_to, self._brush, canvas.interface
        steps = np.hypot(*np.diff(points[:, :2], axis=0, prepend=points[:1, :2]).T)
        seconds = np.maximum(steps / self.SPEED, 1e-3)
        rows = np.column_stack((points[:, :2] * self.scale, points[:, 2].clip(0, 1), seconds)).tolist()
        self._lib.mypaint_brush_reset(brush)
        self._lib.mypaint_brush_new_stroke(brush)
        x, y = rows[0][:2]
        # A long pause with the pen up is a jump, not a line.
        to(brush, surface, x, y, 0.0, 0.0, 0.0, 10.0)
        to(brush, surface, x, y, 0.0, 0.0, 0.0, 0.001)
        tilt_x, tilt_y = self.TILT
        for x, y, pressure, dt in rows:
            to(brush, surface, x, y, pressure, tilt_x, tilt_y, dt)

    def __enter__(self) -> Brush:
        return self

    def __exit__(self, *_: object) -> None:
        self._lib.mypaint_brush_unref(self._brush)
