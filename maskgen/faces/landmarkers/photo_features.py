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

from maskgen.core.dlib_models.installed import installed_model
from maskgen.core.dlib_models.network_file import FILE, STAGES, STEM_SIDE, Convolution, Layers
from maskgen.core.reasons import UserError
from maskgen.core.records import Floats
from maskgen.faces.mtcnn.convolutions import Convolutions

USED = 3  # stages
SIDE = 160  # of the enlarged patch, in pixels: a face is as large as in dlib's own crops
CONTRAST = 0.2  # deviation of the patch; dlib divides grey levels by 256


def photo_features(convolved: Convolutions, patch: Any, side: int = SIDE) -> list[Any]:
    """The maps after each stage used, (n, 32, 38, 38), (n, 64, 18, 18) and (n, 128, 8, 8).

    Args:
        convolved: makes the convolutions.
        patch: grey, square, (n, 1, rows, columns), mean 0, standard deviation about 1.
        side: to which it is enlarged, in pixels.

    Raises:
        UserError: the weights are not installed, or the file is another one.
    """
    ops, (stem, stages) = convolved.ops, stored_stages()
    larger = enlarging(int(patch.shape[2]), side) * np.float32(np.sqrt(CONTRAST))
    x = ops.matmul(ops.matmul(larger, patch, False, False), larger, False, True)
    x = ops.relu(convolved("stem", x, stem, 2, 0))
    x = ops.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [3, 3], "floor").output(0)
    maps = []
    for number, blocks in enumerate(stages, 1):
        for at, block in enumerate(blocks):
            x = _block(convolved, f"stage{number}.{at}", x, *block)
        maps.append(x)
    return maps


def stored_stages() -> tuple[Convolution, list[list[tuple[Convolution, Convolution]]]]:
    """The first convolution for grey levels, (32, 1, 7, 7), and those of the blocks of each stage used.

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
    # A grey picture has the same levels in all three colours.
    return (kernel.sum(1, keepdims=True), bias), stages


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
