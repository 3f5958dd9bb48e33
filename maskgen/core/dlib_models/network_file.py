"""The weights of dlib's face recognition network from dlib's own file, read without dlib.

The file is a stream of packed integers and texts with the network's tensors between them. A layer begins with its name;
its tensor follows: version, four dimensions, then the values as little-endian float32. The layers have the order of the
forward pass. The expected tensors and their sizes are known from the network; any other file is refused.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from maskgen.core.records import Floats

FILE = "dlib_face_recognition_resnet_model_v1.dat"
# Per stage: input channels, output channels, number of blocks of two convolutions; in stages 2 to 5 the first
# convolution halves the map. A convolution of STEM_SIDE x STEM_SIDE with a stride of 2 stands before them.
STAGES = ((32, 32, 3), (32, 64, 4), (64, 128, 3), (128, 256, 3), (256, 256, 1))
STEM_SIDE = 7
_MOST_BYTES = 1 << 26
_HEAD = b"\x01\x01\x01\x0dloss_metric_2"  # two versions and the first layer's name
_CONVOLUTION, _AFFINE, _LINEAR = b"\x01\x05con_4", b"\x01\x07affine_", b"\x01\x04fc_2"
_LAYER = re.compile(b"|".join((_CONVOLUTION, _AFFINE, _LINEAR)))


Convolution = tuple[Floats, Floats]  # weights (out, into, side, side) and biases (out,)


class Layers:
    """The file's layers, one after the other.

    Args:
        path: of the file.

    Raises:
        ValueError: the file is another one, or the next layer is another one than expected.
        OSError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError("it is too large")
        self._data, self._at = path.read_bytes(), len(_HEAD)
        if not self._data.startswith(_HEAD):
            raise ValueError("it does not begin as one")

    def convolution(self, out: int, into: int, side: int) -> Convolution:
        """The next convolution and its affine layer as one convolution, gamma (w x + b) + beta, float32."""
        values = self._values(_CONVOLUTION, out * into * side * side + out).astype(np.float64)
        gamma, beta = self._values(_AFFINE, 2 * out).astype(np.float64).reshape(2, out)
        weight = values[:-out].reshape(out, into, side, side) * gamma[:, None, None, None]
        return weight.astype(np.float32), (gamma * values[-out:] + beta).astype(np.float32)

    def block(self, out: int, into: int) -> tuple[Convolution, Convolution]:
        """The two convolutions of a block."""
        return self.convolution(out, into, 3), self.convolution(out, out, 3)

    def linear(self, out: int, into: int) -> Floats:
        """The next dense layer, float32 (out, into)."""
        return np.ascontiguousarray(self._values(_LINEAR, into * out, (out, into)).reshape(into, out).T)

    def end(self) -> None:
        """Check that no layer follows."""
        if _LAYER.search(self._data, self._at):
            raise ValueError("more layers follow")

    def _values(self, name: bytes, count: int, before: tuple[int, ...] = ()) -> Floats:
        """The `count` values of the next layer, which must have this name and the integers `before` its tensor."""
        found = _LAYER.search(self._data, self._at)
        if found is None or found[0] != name:
            raise ValueError("its layers are others")
        self._at = found.end()
        if tuple(self._integer() for _ in before) != before:
            raise ValueError("a layer has another size")
        sides = [self._integer() for _ in range(5)]
        if sides[0] != 2 or min(sides) < 1 or int(np.prod(sides[1:], dtype=object)) != count:
            raise ValueError("a layer has another size")
        end = self._at + 4 * count
        if end > len(self._data):
            raise ValueError("it ends early")
        values = np.frombuffer(self._data[self._at : end], "<f4")
        if not np.isfinite(values).all():
            raise ValueError("it holds numbers that are not finite")
        self._at = end
        return values.astype(np.float32)

    def _integer(self) -> int:
        """A packed non-negative integer: the number of bytes, then the bytes, lowest first."""
        many = self._data[self._at] if self._at < len(self._data) else 0
        end = self._at + 1 + many
        if not 1 <= many <= 8 or end > len(self._data):
            raise ValueError("no stream of packed integers")
        value = int.from_bytes(self._data[self._at + 1 : end], "little")
        self._at = end
        return value
