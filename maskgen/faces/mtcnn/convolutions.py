"""Convolutions of a network in OpenVINO, in whole numbers of 8 bits where limits of their inputs are known.

They take a third of float32's time where the processor has instructions for them (VNNI), else about a half. OpenVINO
computes with whole numbers where both the input and the weights of a convolution are rounded to few levels.

Source: Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only inference,
2018.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from maskgen.core.dlib_models.network_file import Convolution
from maskgen.core.records import Floats

LEVELS, OF_WEIGHTS = 256, 255  # an odd number, so that 0 and both signs are alike
# Weights use half of their levels: without VNNI two products of 8 bits are added up in 16, and larger ones would be cut
# off there, on these processors only.
SPARE = np.float32(2)


class Convolutions:
    """Makes the convolutions of one network.

    Args:
        ops: OpenVINO's operations.
        limits: for each convolution by name the least and the greatest value, (2,), that its input is rounded between;
            others are computed in float32.

    Attributes:
        inputs: the input of each convolution made, by name.
    """

    def __init__(self, ops: Any, limits: Mapping[str, Floats]) -> None:
        self.ops, self.inputs = ops, dict[str, Any]()
        self._limits = limits

    def __call__(self, name: str, x: Any, convolution: Convolution, step: int, around: int) -> Any:
        """A convolution of x, (n, channels, rows, columns), with a border of zeros of this width."""
        weights, bias = convolution
        self.inputs[name] = x
        kernel = self.ops.constant(weights)
        if name in self._limits:
            least, most = (np.float32(limit) for limit in self._limits[name])
            x = self.ops.fake_quantize(x, least, most, least, most, LEVELS)
            end = SPARE * np.abs(weights).max(axis=(1, 2, 3), keepdims=True)
            kernel = self.ops.fake_quantize(kernel, -end, end, -end, end, OF_WEIGHTS)
        y = self.ops.convolution(x, kernel, [step, step], [around, around], [around, around], [1, 1])
        return self.ops.add(y, bias.reshape(1, -1, 1, 1))


def limits_of(values: Floats, share: float) -> Floats:
    """The limits (2,) between which this share of a convolution's inputs lies; from 0 where none is negative, else as
    far on both sides, so that 0 is one of the levels."""
    most = np.quantile(np.abs(values), share)
    return np.array([0.0 if values.min() >= 0 else -most * LEVELS / (LEVELS - 2), most], np.float32)
