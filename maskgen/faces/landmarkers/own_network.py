"""The program's own landmark network, run by OpenVINO: its input patch and its prediction of 68 landmarks.

Convention:
    - a patch is uint8 grey (SIDE, SIDE), in which the face is upright, aligned by five landmarks
    - points in a patch are normalised coordinates, x right, y down, 0 and 1 at the outer edges of its pixels
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
from maskgen.faces.mtcnn.openvino_core import compiled_for_one_thread, openvino_module
from maskgen.faces.upright_crop import (
    face_right,
    frontal_eye_distance,
    shrink_by_area,
    shrink_factor,
    similarity,
    source_window,
)

SIDE = 80  # of the patch, in pixels
AROUND = 3.6  # side of the patch in face units, see `upright_crop.frontal_eye_distance`
GROUP = 8  # batch size; the last batch is padded
WEIGHTS = "own.npz"
# The convolutions in their order, and their strides. "stay" and "join" are residual: they are added to their input. The
# output of "up" is rearranged to twice the resolution and added to the output of the layer in BESIDE.
LAYERS = {
    "stem": 2, "down1": 2, "stay1": 1, "down2": 2, "stay2": 1, "down3": 2, "stay3": 1, "stay4": 1,
    "up2": 1, "join2": 1,
}  # fmt: skip
BESIDE = {"up2": "stay2"}
POINTS = 68
ALL = POINTS + 17  # the landmarks, and the jaw's 17 points on the head's outline in the picture
BINS, WIDER = 64, 1.25  # columns and rows of which the network gives each point's shares; their side in patch sides
# The middles of the bins in shares of the patch's side.
MIDDLES = (((np.arange(BINS) + 0.5) / BINS - 0.5) * WIDER + 0.5).astype(np.float32)
# The index of each point's mirror image on the other side of the face.
MIRRORED = np.array([
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1), 45, 44, 43, 42, 47, 46, 39, 38, 37, 36,
    41, 40, *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65, *range(84, 67, -1),
])  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prediction:
    """The network's prediction for n patches.

    Attributes:
        points: float32 (n, ALL, 2), normalised coordinates in the patch.
        spread: float32 (n, ALL), expected error scale of each point, as a share of the patch's side.
        seen: float32 (n, 68), probability that no part of the head hides the landmark, 0..1.
    """

    points: Floats
    spread: Floats
    seen: Floats


def to_patch(points5: NDArray[np.floating], side: int = SIDE) -> Doubles:
    """The similarity transform (2, 3) from pixels of the picture to those of the patch, in which the face is upright.

    Args:
        points5: eyes, nose tip and mouth corners, (5, 2), in the picture's pixels.
        side: of the patch, in pixels.
    """
    middle = (points5[0] + points5[1] + points5[3] + points5[4]) / 4
    scale = side / (AROUND * max(frontal_eye_distance(points5), 1e-3))
    return similarity(middle, face_right(points5), scale, np.full(2, side / 2 - 0.5))


def cut_patch(image: Image, matrix: Doubles, side: int = SIDE) -> Mask:
    """The grey patch of a picture, uint8 (side, side).

    Args:
        image: uint8 RGB (height, width, 3).
        matrix: the similarity transform, see `to_patch`.
    """
    times = shrink_factor(matrix)
    part, matrix = source_window(image, matrix, side, 2 * max(1, times))
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    if times >= 2:
        grey, matrix = shrink_by_area(grey, matrix, times)
    return cv2.warpAffine(grey, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def from_patch(points: Floats, matrix: Doubles) -> Floats:
    """Points (68, 2) from normalised coordinates in a patch to pixels of the picture, float32."""
    back = cv2.invertAffineTransform(matrix)
    return np.asarray((points * SIDE - 0.5) @ back[:, :2].T + back[:, 2], np.float32)


def predict_mirrored(patches: Mask) -> Prediction:
    """The prediction for each patch, computed from its mirror image."""
    said = predict(np.ascontiguousarray(patches[:, :, ::-1]))
    points = said.points[:, MIRRORED] * floats([-1, 1]) + floats([1, 0])
    return Prediction(points, said.spread[:, MIRRORED], said.seen[:, MIRRORED[:POINTS]])


def predict(patches: Mask) -> Prediction:
    """The prediction for each patch, uint8 (n, SIDE, SIDE); it does not depend on the other patches.

    Bins and dense layers both predict the points, each with its own spread. The result is their mean, weighted by
    the inverse square of the spread.
    """
    binned, dense = _answers(patches)
    direct, spread, by_bins, logits = np.split(dense, [2 * ALL, 3 * ALL, 4 * ALL], axis=1)
    spread, by_bins = np.exp(spread), np.exp(by_bins)
    share = (1 / (1 + (by_bins / spread) ** 2))[..., None]
    points = share * binned + (1 - share) * direct.reshape(-1, ALL, 2)
    shown = 1 / (1 + np.exp(-logits))
    return Prediction(floats(points), np.minimum(spread, by_bins), floats(shown))


def _answers(patches: Mask) -> tuple[Floats, Floats]:
    """Points by the bins (n, ALL, 2), and the output of the dense layers (n, 4 * ALL + 68)."""
    request = _network(os.getpid())
    found = [(np.zeros((0, ALL, 2), np.float32), np.zeros((0, 4 * ALL + POINTS), np.float32))]
    for at in range(0, len(patches), GROUP):
        some = patches[at : at + GROUP]
        filled = np.zeros((GROUP, SIDE, SIDE), np.uint8)
        filled[: len(some)] = some
        request.infer({0: filled}, share_inputs=True)
        binned, dense = (np.array(request.get_output_tensor(at).data)[: len(some)] for at in (0, 1))
        found.append((binned, dense))
    by_bin, denses = zip(*found, strict=True)
    return np.concatenate(by_bin), np.concatenate(denses)


@cache
def _network(process: int) -> Any:
    """The network, compiled for this process; a forked process compiles its own."""
    del process
    openvino = openvino_module()
    ops, weights = openvino.opset13, stored_weights(WEIGHTS)
    entry = ops.parameter([GROUP, SIDE, SIDE], np.uint8)
    x = ops.reshape(ops.convert(entry, np.float32), np.array([GROUP, 1, SIDE, SIDE]), False)
    held: dict[str, Any] = {}
    x = evened(ops, x)
    for name, step in LAYERS.items():
        y = convolved(ops, x, weights, name, step)
        if name in BESIDE:
            x = ops.relu(ops.add(ops.depth_to_space(y, "depth_first", 2), held[BESIDE[name]]))
        else:
            x = ops.relu(ops.add(x, y) if name.startswith(("stay", "join")) else y)
        held[name] = x
    dense = ops.reshape(held["stay4"], np.array([GROUP, -1]), False)
    for name in ("hidden", "last"):
        dense = ops.add(ops.matmul(dense, weights[f"{name}.w"], False, True), weights[f"{name}.b"].reshape(1, -1))
        dense = ops.relu(dense) if name == "hidden" else dense
    model = openvino.Model([_by_bins(ops, convolved(ops, x, weights, "spots", 1), weights), dense], [entry], "own")
    return compiled_for_one_thread(model).create_infer_request()


def convolved(ops: Any, x: Any, weights: dict[str, Floats], name: str, step: int) -> Any:
    """A convolution that keeps the size at stride 1."""
    kernel = weights[f"{name}.w"]
    around = [kernel.shape[2] // 2] * 2
    y = ops.convolution(x, kernel, [step, step], around, around, [1, 1])
    return ops.add(y, weights[f"{name}.b"].reshape(1, -1, 1, 1))


def _by_bins(ops: Any, maps: Any, weights: dict[str, Floats]) -> Any:
    """The mean position of each point, (GROUP, ALL, 2), by the shares of its columns and rows.

    Source: Li et al., SimCC, a simple coordinate classification perspective for human pose estimation, 2022.
    """
    flat = ops.reshape(maps, np.array([GROUP, ALL, -1]), False)
    bins = ops.add(ops.matmul(flat, weights["bins.w"], False, True), weights["bins.b"].reshape(1, 1, -1))
    shares = ops.softmax(ops.reshape(bins, np.array([GROUP, 2 * ALL, BINS]), False), 2)
    return ops.reshape(ops.matmul(shares, MIDDLES.reshape(-1, 1), False, False), np.array([GROUP, ALL, 2]), False)


def evened(ops: Any, x: Any) -> Any:
    """Each patch with mean 0, divided by the root of its variance plus 25: standard deviation about 1."""
    axes = np.array([1, 2, 3])
    x = ops.subtract(x, ops.reduce_mean(x, axes, True))
    power = ops.reduce_mean(ops.multiply(x, x), axes, True)
    return ops.divide(x, ops.sqrt(ops.add(power, np.float32(25.0))))


@cache
def stored_weights(name: str) -> dict[str, Floats]:
    """The weights of a network by the name of its file, float32."""
    with resources.files(__package__).joinpath(name).open("rb") as opened:
        stored = np.load(opened, allow_pickle=False)
        return {name: stored[name].astype(np.float32) for name in stored.files}
