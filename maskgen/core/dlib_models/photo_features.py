"""Maps of a face by the first stages of dlib's face recognition network, which learned from three million photographs.

What a network learned from drawings alone serves worse on photographs: layers that know photographs before those that
learn from drawings halve that difference. They are not trained further, else they would forget it.

The weights are in the package face_recognition_models; their author gave them into the public domain.

Source: Hinterstoisser et al., On pre-trained image features and synthetic images for deep learning, 2018; King, High
quality face recognition with deep metric learning, 2017 (dlib.net).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.core.dlib_models.installed import installed_model
from maskgen.core.dlib_models.network_file import FILE, STAGES, STEM_SIDE, Convolution, Layers
from maskgen.core.networks.convolutions import Convolutions, rounded, steps_of
from maskgen.core.reasons import UserError
from maskgen.core.records import Floats, floats

USED = 3  # stages
SIDE = 160  # of the enlarged patch, in pixels: a face is as large as in dlib's own crops
CONTRAST = 0.2  # deviation of the patch; dlib divides grey levels by 256
PARTS, MOST = 4, 127  # of a level that the first convolution tells apart; the largest of its weights, in their steps


def photo_features(convolved: Convolutions, levels: Any, mean: Any, factor: Any, side: int = SIDE) -> list[Any]:
    """The maps after each stage used, (n, 32, 38, 38), (n, 64, 18, 18) and (n, 128, 8, 8).

    Args:
        convolved: makes the convolutions.
        levels: grey square patches, (n, 1, rows, columns), whole levels 0..255.
        mean, factor: what is subtracted from the levels, and what they are then multiplied with, (n, 1, 1, 1) each, so
            that a patch has a mean of 0 and a standard deviation of about 1.
        side: to which a patch is enlarged, in pixels.

    Raises:
        UserError: the weights are not installed, or the file is another one.
    """
    ops, (stem, stages) = convolved.ops, stored_stages()
    x, small = levels, int(levels.shape[2])
    if small != side:
        larger = enlarging(small, side)
        x = ops.matmul(ops.matmul(larger, levels, False, False), larger, False, True)
    x = ops.relu(_stem(ops, x, mean, ops.multiply(factor, np.float32(CONTRAST)), stem))
    maps = []
    for number, blocks in enumerate(stages, 1):
        for at, block in enumerate(blocks):
            x = _block(convolved, f"stage{number}.{at}", x, *block)
        maps.append(x)
    return maps


def brightness(patches: Floats) -> tuple[Floats, Floats]:
    """The mean of each patch, whole levels (n, 1, side, side), and one over the root of its variance plus 25, both
    float32 (n, 1, 1, 1).

    By NumPy: where OpenVINO 2026.4 is kept from AVX-512, its means over rows of 90 ended the process.
    """
    levels = patches.astype(np.float64)  # sums of whole numbers are exact, in any order
    mean = levels.mean((2, 3), keepdims=True)
    power = (levels * levels).mean((2, 3), keepdims=True) - mean * mean
    return floats(mean), floats(1 / np.sqrt(power + 25))


def _stem(ops: Any, levels: Any, mean: Any, factor: Any, stem: Convolution) -> Any:
    """The first convolution, with the greatest of 3 x 3 kept, of levels less their mean, times a factor.

    It sums up parts of levels times whole weights, whole numbers that float32 holds: exact in any order, so that all
    processors agree. 8 bits would be too few for a face half in shadow.
    """
    weights, bias = stem
    step = steps_of(weights, MOST)
    whole = np.rint(weights / step)
    y = ops.round(ops.multiply(levels, np.float32(PARTS)), "half_to_even")
    y = ops.convolution(y, whole, [2, 2], [0, 0], [0, 0], [1, 1])
    y = ops.max_pool(y, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3], "floor").output(0)
    y = ops.subtract(y, ops.multiply(mean, _channels(PARTS * whole.sum((1, 2, 3)))))
    return ops.add(ops.multiply(y, ops.multiply(factor, _channels(step / PARTS))), _channels(bias))


def _channels(values: NDArray[np.floating]) -> Floats:
    return floats(values).reshape(1, -1, 1, 1)


def stored_stages() -> tuple[Convolution, list[list[tuple[Convolution, Convolution]]]]:
    """The first convolution for grey levels, (32, 1, 7, 7), with weights in whole steps, at most MOST, and those of the
    blocks of each stage used.

    Raises:
        UserError: they are not installed, or the file is another one.
    """
    path = installed_model(FILE)
    try:
        layers = Layers(path)
        kernel, bias = layers.convolution(STAGES[0][0], 3, STEM_SIDE)
        stages = [
            [layers.block(out, into if at == 0 else out) for at in range(many)] for into, out, many in STAGES[:USED]
        ]
    except ValueError as fault:
        raise UserError(f"{path} is not dlib's face recognition network ({fault})") from None
    grey = kernel.sum(1, keepdims=True)  # a grey picture has the same levels in all three colours
    return (rounded(grey, MOST), bias), stages


def enlarging(small: int, large: int) -> Floats:
    """The matrix (large, small) that enlarges a row linearly between the middles of its pixels."""
    at = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(small)), 0).astype(np.float32)


def _block(convolved: Convolutions, name: str, x: Any, first: Convolution, second: Convolution) -> Any:
    """Two convolutions, and their input added; if they halve the maps, it is averaged over 2 x 2, with zeros as further
    channels, and without the last row and column where these are more than the convolutions give."""
    ops, (out, into) = convolved.ops, first[0].shape[:2]
    halves = out != into
    y = ops.relu(convolved(f"{name}.first", x, first, 2 if halves else 1, 0 if halves else 1))
    y = convolved(f"{name}.second", y, second, 1, 1)
    if halves:
        x = ops.avg_pool(x, [2, 2], [0, 0], [0, 0], [2, 2], True, "floor")
        x = ops.slice(x, np.array([0, 0]), np.array(y.shape[2:]), np.array([1, 1]), np.array([2, 3]))
        x = ops.pad(x, np.zeros(4, np.int64), np.array([0, out - into, 0, 0]), "constant", np.float32(0))
    return ops.relu(ops.add(x, y))
