"""The analyses of faces, kept in a file between epochs: a face's pose, shape, light, blur and noise do not change.

The file is scratch. It is made anew at each start, all loaders share it, and an analysis that is not in it, or only in
part, is made again, with the same result.
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles
from maskgen.masks.apply_mask import AnalysedFace
from maskgen.masks.lighting.blur_and_noise import BlurAndNoise
from maskgen.masks.lighting.light import Light, UnexplainedLight
from maskgen.masks.lighting.tone import Tone
from maskgen.masks.mask_mesh import bare_head_model, hull_corners
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.shape_warp import KEYS

_NUMBERS = 9  # single numbers of an analysis
_CHECK = 8  # bytes of the checksum after each analysis
_OPEN: dict[tuple[Path, int], BinaryIO] = {}  # by path and process
_SHARE_OF_DISK = 0.25  # of the free disk; checkpoints need the rest


@dataclass(frozen=True, slots=True)
class KeptAnalyses:
    """Analyses by the row of a list.

    Attributes:
        path: the file; one that is missing keeps nothing.
        rows: how many of the list's first rows are kept.
    """

    path: Path
    rows: int

    @classmethod
    def begin(cls, path: Path, rows: int, most_gb: float) -> KeptAnalyses:
        """An empty file for a list of some rows, of at most `most_gb` and a quarter of the free disk."""
        _close(path)
        with path.open("wb"):
            pass
        room = min(most_gb * 1e9, _SHARE_OF_DISK * shutil.disk_usage(path.parent).free)
        return cls(path, min(rows, int(room / _stride())))

    def of(self, rows: Mapping[int, int]) -> dict[int, AnalysedFace]:
        """The analyses that are kept of some rows, by the rows' own keys."""
        return {key: one for key, row in rows.items() if (one := self.read(row)) is not None}

    def read(self, row: int) -> AnalysedFace | None:
        """The analysis of a row; None if there is none."""
        if row >= self.rows or (file := _opened(self.path)) is None:
            return None
        file.seek(row * _stride())
        data = file.read(_stride())
        body, check = data[:-_CHECK], data[-_CHECK:]
        if len(data) < _stride() or zlib.crc32(body) != int.from_bytes(check, "little"):
            return None
        return unpacked(np.frombuffer(body, np.float64))

    def write(self, row: int, analysed: AnalysedFace) -> None:
        """Keep the analysis of a row. On a full disk it is not kept."""
        if row >= self.rows or (file := _opened(self.path)) is None:
            return
        body = packed(analysed).tobytes()
        with suppress(OSError):  # an analysis that is cut has another checksum
            file.seek(row * _stride())
            file.write(body + zlib.crc32(body).to_bytes(_CHECK, "little"))


def _opened(path: Path) -> BinaryIO | None:
    """The file, opened once in each process: a forked one would share its parent's position."""
    key = path, os.getpid()
    if key not in _OPEN:
        with suppress(OSError):
            _OPEN[key] = path.open("r+b", buffering=0)
    return _OPEN.get(key)


def remove(path: Path) -> None:
    """Remove the file, if there is one."""
    _close(path)
    path.unlink(missing_ok=True)


def _close(path: Path) -> None:
    if (file := _OPEN.pop((path, os.getpid()), None)) is not None:
        file.close()


@cache
def _shapes() -> tuple[tuple[int, ...], ...]:
    """The shapes of an analysis' arrays, in the order of `packed`."""
    samples, corners = len(bare_head_model().facing), len(hull_corners()[::3])
    return (
        (_NUMBERS,),
        (3, 3),
        (2,),
        (3,),
        (3,),
        (3,),
        (3,),
        (len(KEYS) + 4, 2),
        (12, 2),
        (samples, 2),
        (corners, 2),
    )


@cache
def _ends() -> NDArray[np.intp]:
    return np.cumsum([np.prod(shape) for shape in _shapes()])


@cache
def _stride() -> int:
    """Bytes of a row in the file."""
    return int(_ends()[-1]) * 8 + _CHECK


def packed(analysed: AnalysedFace) -> Doubles:
    """An analysis as one array, float64 (n,); NaN for what is absent."""
    camera, light, grain = analysed.camera, analysed.light, analysed.grain
    numbers = (
        *(camera.scale, light.level, light.tone.colour, light.top, light.lift),
        *(grain.blur, grain.noise, grain.colour, analysed.fit_error),
    )
    rest = None if light.unexplained is None else light.unexplained.off_and_seen
    arrays = (
        *(numbers, camera.rotation, camera.shift, light.direction, light.cast, light.tone.tint, light.skin),
        *(analysed.shift, analysed.eyes, rest, analysed.outline),
    )
    values = np.full(_ends()[-1], np.nan)
    for array, end, shape in zip(arrays, _ends(), _shapes(), strict=True):
        if array is not None:
            flat = np.asarray(array).ravel()
            start = end - int(np.prod(shape))
            values[start : start + len(flat)] = flat
    return values


def unpacked(values: Doubles) -> AnalysedFace:
    """The analysis of an array that `packed` made, bit for bit; the array is not copied."""
    parts = np.split(values, _ends()[:-1])
    numbers, rotation, shift, direction, cast, tint, skin, warp, eyes, rest, outline = (
        part.reshape(shape) for part, shape in zip(parts, _shapes(), strict=True)
    )
    scale, level, colour, top, lift, blur, noise, noise_colour, fit_error = numbers.tolist()
    light = Light(
        *(level, direction, cast, Tone(colour, tint), top, lift),
        None if np.isnan(rest[0, 0]) else UnexplainedLight(rest),
        None if np.isnan(skin[0]) else skin,
    )
    return AnalysedFace(
        *(Camera(scale, rotation, shift), warp, light, BlurAndNoise(blur, noise, noise_colour), eyes),
        outline[~np.isnan(outline[:, 0])].astype(np.float32),
        fit_error,
    )
