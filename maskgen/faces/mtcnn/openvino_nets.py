"""MTCNN's three networks on the CPU, run by OpenVINO, the fastest of the engines that benchmarks/engines.py compares.

Every network runs on one thread and in float32.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from maskgen.core.networks.kept_networks import kept_network
from maskgen.core.networks.openvino_core import COMPILING, SharedRequest, openvino_module
from maskgen.core.records import Floats, Image
from maskgen.faces.mtcnn.weights import load_weights, weights_file

# Compiled networks by name, input shape and process, never released. OpenVINO passes the threads of a released network
# to the next one; a forked process does not have these threads, and the next network would wait for them forever.
_COMPILED: dict[tuple[str, tuple[int, ...], int], Any] = {}


class OpenVinoNets:
    """The networks; each call takes pictures, uint8 (height, width, 3), with black ones after them up to `size`, and
    gives float32 arrays.

    Args:
        groups: the batch sizes of RNet and of ONet.
    """

    def __init__(self, groups: tuple[int, int]) -> None:
        openvino = openvino_module()
        self._opset: Any = openvino.opset13
        self._model: Any = openvino.Model
        self._pnet = self._request("pnet", [-1, -1, -1, 3])
        self._rnet = self._request("rnet", [groups[0], 24, 24, 3])
        self._onet = self._request("onet", [groups[1], 48, 48, 3])

    def pnet(self, pictures: Sequence[Image], size: int = 0) -> list[Floats]:
        """Box offsets (n, 4, rows, columns) and scores (n, 2, rows, columns)."""
        return self._pnet.answers(pictures, size)

    def rnet(self, pictures: Sequence[Image], size: int = 0) -> list[Floats]:
        """Box offsets (n, 4) and scores (n, 2)."""
        return self._rnet.answers(pictures, size)

    def onet(self, pictures: Sequence[Image], size: int = 0) -> list[Floats]:
        """Box offsets (n, 4), landmarks (n, 10) and scores (n, 2)."""
        return self._onet.answers(pictures, size)

    def _request(self, name: str, shape: list[int]) -> SharedRequest:
        key = (name, tuple(shape), os.getpid())
        with COMPILING:
            if key not in _COMPILED:
                weights = weights_file(name)
                about = f"{name} {shape}"
                _COMPILED[key] = kept_network(
                    partial(self._made, name, shape), ["maskgen.faces.mtcnn"], [weights], about
                )
        return SharedRequest(_COMPILED[key])

    def _made(self, name: str, shape: list[int]) -> Any:
        """The network, an `openvino.Model`."""
        # As nodes: of an array that an operation is given, OpenVINO makes a list of Python's numbers first.
        weights = {layer: self._opset.constant(values) for layer, values in _shaped(load_weights(name)).items()}
        entry = self._opset.parameter(shape, np.uint8)
        x = self._opset.convert(entry, np.float32)
        x = self._opset.multiply(self._opset.subtract(x, np.float32(127.5)), np.float32(1 / 128))
        x = self._opset.transpose(x, [0, 3, 1, 2])
        outputs = getattr(self, f"_{name}_of")(weights, x)
        return self._model(outputs, [entry], name)

    def _pnet_of(self, weights: dict[str, Any], x: Any) -> list[Any]:
        x = self._pool(self._conv(weights, "1", x), 2)
        x = self._conv(weights, "3", self._conv(weights, "2", x))
        shift, score = (self._affine(weights, f"conv4_{part}", x) for part in (2, 1))
        return [shift, self._opset.softmax(score, 1)]

    def _rnet_of(self, weights: dict[str, Any], x: Any) -> list[Any]:
        x = self._pool(self._conv(weights, "1", x), 3)
        x = self._pool(self._conv(weights, "2", x), 3)
        x = self._dense(weights, "4", self._conv(weights, "3", x))
        return [self._head(weights, "dense5_2", x), self._opset.softmax(self._head(weights, "dense5_1", x), 1)]

    def _onet_of(self, weights: dict[str, Any], x: Any) -> list[Any]:
        for number, side in (("1", 3), ("2", 3), ("3", 2)):
            x = self._pool(self._conv(weights, number, x), side)
        x = self._dense(weights, "5", self._conv(weights, "4", x))
        shift, points = (self._head(weights, f"dense6_{part}", x) for part in (2, 3))
        return [shift, points, self._opset.softmax(self._head(weights, "dense6_1", x), 1)]

    def _affine(self, weights: dict[str, Any], name: str, x: Any) -> Any:
        """A convolution with its bias."""
        x = self._opset.convolution(x, weights[f"{name}.weight"], [1, 1], [0, 0], [0, 0], [1, 1])
        return self._opset.add(x, weights[f"{name}.bias"])

    def _conv(self, weights: dict[str, Any], number: str, x: Any) -> Any:
        """A convolution with its PReLU."""
        return self._opset.prelu(self._affine(weights, f"conv{number}", x), weights[f"prelu{number}.weight"])

    def _pool(self, x: Any, side: int) -> Any:
        pooled = self._opset.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [side, side], "ceil")
        return pooled.output(0)

    def _dense(self, weights: dict[str, Any], number: str, x: Any) -> Any:
        """A dense layer with its PReLU; its inputs are in the order column, row, channel."""
        x = self._opset.transpose(x, [0, 3, 2, 1])
        x = self._opset.reshape(x, np.array([0, -1]), True)
        return self._opset.prelu(self._head(weights, f"dense{number}", x), weights[f"prelu{number}.weight"])

    def _head(self, weights: dict[str, Any], name: str, x: Any) -> Any:
        x = self._opset.matmul(x, weights[f"{name}.weight"], False, True)
        return self._opset.add(x, weights[f"{name}.bias"])


def _shaped(weights: dict[str, Floats]) -> dict[str, Floats]:
    """The arrays of a network, each bias with the axes of what its layer gives."""
    return {
        name: values.reshape(1, -1, *(1,) * (weights[f"{layer}.weight"].ndim - 2)) if kind == "bias" else values
        for name, values in weights.items()
        for layer, _, kind in [name.partition(".")]
    }
