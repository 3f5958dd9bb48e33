"""Convolutions of a network in OpenVINO, in whole numbers of 8 bits where limits of their inputs are known.

They take a third of float32's time where the processor has instructions for them (VNNI), and half of it with AVX2.
Sums of whole numbers are exact, so that these processors all give the same results, which sums of floats do not.
OpenVINO computes with whole numbers where both the input and the weights of a convolution are rounded to few levels.

Source: Jacob et al., Quantization and training of neural networks for efficient integer-arithmetic-only inference,
2018; the shift, Nagel et al., Data-free quantization through weight equalization and bias correction, 2019.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from maskgen.core.dlib_models.network_file import Convolution
from maskgen.core.records import Floats, floats

LEVELS, OF_WEIGHTS = 256, 255  # an odd number, so that 0 and both signs are alike
# The largest weight of an output channel, in steps: half of what 8 bits hold. Without VNNI two products are added up in
# 16 bits, and larger ones would be cut off there, on these processors only.
MOST_STEPS = 64
LIMITS, SHIFT = ".limits", ".shift"  # how the names of stored roundings end


class Rounding(NamedTuple):
    """How a convolution is rounded: the limits of its input, and `shift` (channels out,), which is added to its output
    because rounded weights give another mean."""

    least: float
    most: float
    shift: Floats


class Convolutions:
    """Makes the convolutions of one network.

    Args:
        ops: OpenVINO's operations.
        roundings: of convolutions by name; others are computed in float32.

    Attributes:
        inputs: the input of each convolution made, by name.
        made: its weights and bias, by name.
    """

    def __init__(self, ops: Any, roundings: Mapping[str, Rounding]) -> None:
        self.ops, self.inputs, self.made = ops, dict[str, Any](), dict[str, Convolution]()
        self._roundings = roundings

    def __call__(self, name: str, x: Any, convolution: Convolution, step: int, around: int) -> Any:
        """A convolution of x, (n, channels, rows, columns), with a border of zeros of this width."""
        weights, bias = convolution
        self.inputs[name], self.made[name] = x, convolution
        kernel, rounding = self.ops.constant(weights), self._roundings.get(name)
        if rounding is not None:
            least, most = np.float32(rounding.least), np.float32(rounding.most)
            x = self.ops.fake_quantize(x, least, most, least, most, LEVELS)
            end = steps_of(weights) * (OF_WEIGHTS // 2)
            kernel = self.ops.fake_quantize(kernel, -end, end, -end, end, OF_WEIGHTS)
            bias = bias + rounding.shift
        y = self.ops.convolution(x, kernel, [step, step], [around, around], [around, around], [1, 1])
        return self.ops.add(y, bias.reshape(1, -1, 1, 1))


def roundings_of(stored: Mapping[str, Floats]) -> dict[str, Rounding]:
    """The roundings among a network's stored arrays, by the convolution's name.

    Raises:
        ValueError: the limits of one are none.
    """
    found = {}
    for key in stored:
        if key.endswith(LIMITS):
            name = key.removesuffix(LIMITS)
            limits = stored[key]
            if limits.shape != (2,) or not np.isfinite(limits).all() or not limits[0] <= 0 < limits[1]:
                raise ValueError(f"{key}: a number up to 0 and a larger one are expected, found {limits.tolist()}")
            found[name] = Rounding(float(limits[0]), float(limits[1]), stored[name + SHIFT])
    return found


def rounding_for(convolution: Convolution, inputs: Floats, share: float) -> Rounding:
    """The rounding of a convolution by some of its inputs, (n, channels, rows, columns).

    This share of them lies between the limits, which begin at 0 where no input is negative, and else lie as far on both
    sides, so that 0 is one of the levels.
    """
    weights, _ = convolution
    most = float(np.quantile(np.abs(inputs), share))
    least = 0.0 if inputs.min() >= 0 else -most * LEVELS / (LEVELS - 2)
    off = rounded(weights) - weights
    return Rounding(least, most, floats(-off.sum((2, 3)) @ inputs.mean((0, 2, 3), dtype=np.float64)))


def rounded(weights: Floats, most: int = MOST_STEPS) -> Floats:
    """The weights as a rounded convolution has them: whole steps, of which the largest of each output channel has
    `most`."""
    step = steps_of(weights, most)
    return floats(np.rint(weights / step) * step)


def steps_of(weights: Floats, most: int = MOST_STEPS) -> Floats:
    """The step of the weights of each output channel, (channels out, 1, 1, 1)."""
    return floats(np.abs(weights).max(axis=(1, 2, 3), keepdims=True) / most)
