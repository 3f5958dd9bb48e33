"""The weights of dlib's face recognition network from dlib's own file, read without dlib.

The file is a stream of packed integers and texts with the network's tensors between them. A layer begins with its name;
its tensor follows: version, four dimensions, then the values as little-endian float32. The layers have the order of the
forward pass. The expected tensors and their sizes are known from the network; any other file is refused.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from maskgen.core.reasons import UserError

from .dlib_resnet import DIM, WIDTH, DlibBackbone, convolutions

FILE = "dlib_face_recognition_resnet_model_v1.dat"
_MOST_BYTES = 1 << 26
_HEAD = b"\x01\x01\x01\x0dloss_metric_2"  # two versions and the first layer's name
_CONVOLUTION, _AFFINE, _LINEAR = b"\x01\x05con_4", b"\x01\x07affine_", b"\x01\x04fc_2"
_LAYER = re.compile(b"|".join((_CONVOLUTION, _AFFINE, _LINEAR)))

Floats = NDArray[np.float32]


def dlib_file() -> Path:
    """The network's file in the package face_recognition_models.

    Raises:
        UserError: it is not installed, or lacks the file.
    """
    # Importing the package fails if setuptools no longer contains pkg_resources; only its folder is needed.
    spec = importlib.util.find_spec("face_recognition_models")
    folder = Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else Path()
    path = folder / "models" / FILE
    if not path.is_file():
        raise UserError(f"dlib's network {FILE} is missing: pip install --force-reinstall face_recognition_models.")
    return path


def load_dlib(path: Path) -> dict[str, Tensor]:
    """The weights, with their names in an `Embedder` with a `DlibBackbone` and a linear neck, float32.

    Raises:
        UserError: the file is not this network.
    """
    try:
        return _weights(_Layers(_read(path)))
    except ValueError as fault:
        raise UserError(f"{path} is not dlib's face recognition network ({fault}).") from None


def _read(path: Path) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError("it is too large")
    data = path.read_bytes()
    if not data.startswith(_HEAD):
        raise ValueError("it does not begin as one")
    return data


def _weights(layers: _Layers) -> dict[str, Tensor]:
    backbone = DlibBackbone()
    for own in convolutions(backbone):
        with torch.no_grad():
            _fill(own, layers)
    linear = layers.values(_LINEAR, WIDTH * DIM, (DIM, WIDTH)).reshape(WIDTH, DIM)
    layers.end()
    found = {f"backbone.{name}": value for name, value in backbone.state_dict().items()}
    return {**found, "neck.weight": torch.from_numpy(linear.T.copy())}


def _fill(own: nn.Conv2d, layers: _Layers) -> None:
    """A convolution followed by an affine layer as one convolution: gamma (w x + b) + beta."""
    out = own.out_channels
    values = layers.values(_CONVOLUTION, own.weight.numel() + out).astype(np.float64)
    gamma, beta = layers.values(_AFFINE, 2 * out).astype(np.float64).reshape(2, out)
    weight = values[:-out].reshape(own.weight.shape) * gamma[:, None, None, None]
    own.weight.copy_(torch.from_numpy(weight))
    assert own.bias is not None
    own.bias.copy_(torch.from_numpy(gamma * values[-out:] + beta))


class _Layers:
    """The file's tensors, one after the other.

    Raises:
        ValueError: the next tensor is another one, or is missing.
    """

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, len(_HEAD)

    def values(self, name: bytes, count: int, before: tuple[int, ...] = ()) -> Floats:
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

    def end(self) -> None:
        """Check that no layer follows."""
        if _LAYER.search(self._data, self._at):
            raise ValueError("more layers follow")

    def _integer(self) -> int:
        """A packed non-negative integer: the number of bytes, then the bytes, lowest first."""
        many = self._data[self._at] if self._at < len(self._data) else 0
        end = self._at + 1 + many
        if not 1 <= many <= 8 or end > len(self._data):
            raise ValueError("no stream of packed integers")
        value = int.from_bytes(self._data[self._at + 1 : end], "little")
        self._at = end
        return value
