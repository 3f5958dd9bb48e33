"""The analyses of faces, kept in a file between epochs: a face's pose, shape, light, blur and noise do not change.

The file is scratch. Each start makes a new one, all loaders share it, and an analysis that is not in it, or only in
part, is made again, with the same result.
"""

from __future__ import annotations

import math
import os
import shutil
import weakref
import zlib
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path

import numpy as np

from maskgen.core.records import Doubles
from maskgen.masks.apply_mask import AnalysedFace
from maskgen.masks.lighting.blur_and_noise import BlurAndNoise
from maskgen.masks.lighting.light import Light, UnexplainedLight
from maskgen.masks.lighting.tone import Tone
from maskgen.masks.mask_mesh import bare_head_model, hull_corners
from maskgen.masks.pose.camera import Camera
from maskgen.masks.pose.shape_warp import KEYS

_NUMBERS = 9  # single numbers of an analysis
_CHECK = 8  # bytes after each analysis: the file's mark, and a checksum of the mark, the row and the analysis
_SHARE_OF_DISK = 0.25  # of the free disk; checkpoints need the rest
_FLAGS = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


class KeptAnalyses:
    """Analyses by the row of a list. Whatever is wrong with the file, a row then has none.

    Args:
        path: the file.
        rows: how many of the list's first rows are kept.
        mark: four bytes that tell this start's file from others'.
    """

    def __init__(self, path: Path, rows: int, mark: bytes) -> None:
        self.path, self.rows, self._mark = path, rows, mark
        self._process, self._handle = 0, -1

    def __reduce__(self) -> tuple[type[KeptAnalyses], tuple[Path, int, bytes]]:
        """Pickle without the handle: another process opens its own."""
        return type(self), (self.path, self.rows, self._mark)

    @classmethod
    def begin(cls, path: Path, rows: int, most_gb: float) -> KeptAnalyses:
        """An empty file for a list of some rows, of at most `most_gb` and a quarter of the free disk; one that keeps
        nothing where none can be made."""
        mark = os.urandom(4)
        try:
            path.unlink(missing_ok=True)
            path.touch(exist_ok=False)
            room = min(most_gb * 1e9, _SHARE_OF_DISK * shutil.disk_usage(path.parent).free)
        except OSError:
            return cls(path, 0, mark)
        return cls(path, min(rows, int(room / _stride())), mark)

    def of(self, rows: Mapping[int, int]) -> dict[int, AnalysedFace]:
        """The analyses that are kept of some rows, by the rows' own keys."""
        return {key: one for key, row in rows.items() if (one := self.read(int(row))) is not None}

    def read(self, row: int) -> AnalysedFace | None:
        """The analysis of a row; None if there is none."""
        data = b""
        with suppress(OSError):
            if self._at(row):
                data = os.read(self._handle, _stride())
        body, check = data[:-_CHECK], data[-_CHECK:]
        whole = len(data) == _stride() and check == self._check(row, body)
        return unpacked(np.frombuffer(body, np.float64)) if whole else None

    def write(self, row: int, analysed: AnalysedFace) -> None:
        """Keep the analysis of a row, unless the file cannot be written, as on a full disk."""
        with suppress(OSError):  # an analysis that is cut has another checksum
            if self._at(int(row)):
                body = packed(analysed).tobytes()
                os.write(self._handle, body + self._check(int(row), body))

    def _check(self, row: int, body: bytes) -> bytes:
        own = zlib.crc32(self._mark + row.to_bytes(8, "little"))
        return self._mark + zlib.crc32(body, own).to_bytes(4, "little")

    def _at(self, row: int) -> bool:
        """Whether the row is kept; if so the handle is there. It is opened once in each process, as a forked one would
        share its parent's position."""
        if row >= self.rows:
            return False
        if self._process != os.getpid():
            self._handle = os.open(self.path, _FLAGS)
            self._process = os.getpid()
            weakref.finalize(self, os.close, self._handle)
        os.lseek(self._handle, row * _stride(), os.SEEK_SET)
        return True


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
def _places() -> tuple[slice, ...]:
    """Where each of the arrays is."""
    ends = [0, *accumulate(math.prod(shape) for shape in _shapes())]
    return tuple(slice(*pair) for pair in pairwise(ends))


@cache
def _stride() -> int:
    """Bytes of a row in the file."""
    return int(_places()[-1].stop) * 8 + _CHECK


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
    values = np.full(_places()[-1].stop, np.nan)
    for array, place in zip(arrays, _places(), strict=True):
        if array is not None:
            flat = np.asarray(array).ravel()
            values[place][: len(flat)] = flat
    return values


def unpacked(values: Doubles) -> AnalysedFace:
    """The analysis of an array that `packed` made, bit for bit; the array is not copied."""
    # Slices: `numpy.split` takes ten times as long.
    numbers, rotation, shift, direction, cast, tint, skin, warp, eyes, rest, outline = (
        values[place].reshape(shape) for place, shape in zip(_places(), _shapes(), strict=True)
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
