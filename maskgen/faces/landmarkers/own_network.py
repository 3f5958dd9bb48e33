"""The program's own landmark network, run by OpenVINO: its input patch and its prediction of 68 landmarks.

Convention:
    - a patch is uint8 grey (SIDE, SIDE); the face stands upright in it by its five points
    - points in a patch are shares of its side, x right, y down, 0 and 1 at the outer edges of its pixels
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Doubles, Floats, Image, Mask, floats
from maskgen.faces.mtcnn.openvino_core import openvino_core, openvino_module
from maskgen.faces.mtcnn.openvino_nets import CONFIG
from maskgen.faces.upright_crop import (
    face_right,
    frontal_eye_distance,
    shrink_by_area,
    shrink_factor,
    similarity,
    source_window,
)

SIDE = 64
AROUND = 3.6  # side of the patch in face units, see `upright_crop.frontal_eye_distance`
GROUP = 8  # faces that go through the network together: always so many, the last ones filled up
WEIGHTS = "own.npz"
POINTS = 68
# Of each of the 68 points the one on the other side of the face.
MIRRORED = np.array([
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65,
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prediction:
    """The network's prediction for n patches.

    Attributes:
        points: float32 (n, 68, 2), shares of the patch's side.
        spread: float32 (n, 68), how far a point is expected to be off, in shares of the patch's side.
        seen: float32 (n, 68), how likely nothing of the head is before it, 0..1.
    """

    points: Floats
    spread: Floats
    seen: Floats


def to_patch(points5: NDArray[np.floating]) -> Doubles:
    """The similarity (2, 3) that brings a face upright into the patch, from the picture's pixels to the patch's.

    Args:
        points5: eyes, nose tip and mouth corners, (5, 2), in the picture's pixels.
    """
    middle = (points5[0] + points5[1] + points5[3] + points5[4]) / 4
    scale = SIDE / (AROUND * max(frontal_eye_distance(points5), 1e-3))
    return similarity(middle, face_right(points5), scale, np.full(2, SIDE / 2 - 0.5))


def cut_patch(image: Image, matrix: Doubles) -> Mask:
    """The network's input patch of a picture, uint8 (SIDE, SIDE).

    Args:
        image: uint8 RGB (height, width, 3).
        matrix: as `to_patch` gives it.
    """
    times = shrink_factor(matrix)
    part, matrix = source_window(image, matrix, SIDE, 2 * max(1, times))
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    if times >= 2:
        grey, matrix = shrink_by_area(grey, matrix, times)
    return cv2.warpAffine(grey, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def from_patch(points: Floats, matrix: Doubles) -> Floats:
    """Points (68, 2) of a patch in the picture's pixels, float32."""
    back = cv2.invertAffineTransform(matrix)
    return np.asarray((points * SIDE - 0.5) @ back[:, :2].T + back[:, 2], np.float32)


def predict_with_mirror(patches: Mask) -> Prediction:
    """The mean of the predictions for each patch and its mirror image."""
    one, other = predict(patches), predict(np.ascontiguousarray(patches[:, :, ::-1]))
    points = other.points[:, MIRRORED] * floats([-1, 1]) + floats([1, 0])
    half = np.float32(0.5)
    return Prediction(
        half * (one.points + points),
        half * (one.spread + other.spread[:, MIRRORED]),
        half * (one.seen + other.seen[:, MIRRORED]),
    )


def predict(patches: Mask) -> Prediction:
    """The prediction for each patch, uint8 (n, SIDE, SIDE); it does not depend on the other patches."""
    request, found = _network(os.getpid()), [np.zeros((0, 4 * POINTS), np.float32)]
    for at in range(0, len(patches), GROUP):
        some = patches[at : at + GROUP]
        filled = np.zeros((GROUP, SIDE, SIDE), np.uint8)
        filled[: len(some)] = some
        request.infer({0: filled}, share_inputs=True)
        found.append(np.array(request.get_output_tensor(0).data)[: len(some)])
    said = np.concatenate(found)
    points, spread, logits = np.split(said, [2 * POINTS, 3 * POINTS], axis=1)
    shown = 1 / (1 + np.exp(-logits))
    return Prediction(points.reshape(-1, POINTS, 2), np.exp(spread), np.asarray(shown, np.float32))


@cache
def _network(process: int) -> Any:
    """The network, ready to run in this process: a forked one makes its own."""
    del process
    openvino = openvino_module()
    ops, weights = openvino.opset13, _weights()
    entry = ops.parameter([GROUP, SIDE, SIDE], np.uint8)
    x = ops.reshape(ops.convert(entry, np.float32), np.array([GROUP, 1, SIDE, SIDE]), False)
    x = _even(ops, x)
    layer = 0
    while f"w{layer}" in weights:
        kernel = weights[f"w{layer}"]
        stays = kernel.shape[0] == kernel.shape[1]
        step = [1, 1] if stays else [2, 2]
        y = ops.convolution(x, kernel, step, [1, 1], [1, 1], [1, 1])
        y = ops.add(y, weights[f"b{layer}"].reshape(1, -1, 1, 1))
        x = ops.relu(ops.add(x, y) if stays else y)
        layer += 1
    x = ops.reshape(x, np.array([GROUP, -1]), False)
    for name in ("hidden", "last"):
        x = ops.add(ops.matmul(x, weights[f"{name}.w"], False, True), weights[f"{name}.b"].reshape(1, -1))
        x = ops.relu(x) if name == "hidden" else x
    return openvino_core().compile_model(openvino.Model([x], [entry], "own"), "CPU", CONFIG).create_infer_request()


def _even(ops: Any, x: Any) -> Any:
    """Brightness with mean 0 and deviation 1 in each patch."""
    axes = np.array([1, 2, 3])
    x = ops.subtract(x, ops.reduce_mean(x, axes, True))
    power = ops.reduce_mean(ops.multiply(x, x), axes, True)
    return ops.divide(x, ops.sqrt(ops.add(power, np.float32(25.0))))


@cache
def _weights() -> dict[str, Floats]:
    with resources.files(__package__).joinpath(WEIGHTS).open("rb") as opened:
        stored = np.load(opened, allow_pickle=False)
        return {name: stored[name].astype(np.float32) for name in stored.files}
