"""The program's own second landmark network, run by OpenVINO: moves roughly known landmarks.

It sees the maps of dlib's network (`photo_features`) that the first network was made from, at each landmark and beside
the jaw, inside and outside of it; and the shape so far.

Source: Xiong and De la Torre, Supervised descent method and its applications to face alignment, 2013, with maps of a
network in place of histograms of gradients.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.core.dlib_models.photo_features import SIDE
from maskgen.core.networks.openvino_core import compiled_for_one_thread, openvino_module, request_of_thread
from maskgen.core.records import Floats, floats
from maskgen.faces.landmarkers.own_network import FACE, POINTS, Sight, stored_weights

WEIGHTS = "own_refiner.npz"
GROUP = 4  # batch size; its dense layers are larger than the processor's caches, and 2 would take a third more
JAW = 17
BESIDE = (-0.24, -0.12, 0.12, 0.24)  # outward from each landmark of the jaw, in face units
PLACES = POINTS + JAW * len(BESIDE)
UNIT = 1 / FACE.around  # a face unit in patch sides
# Of the maps that are seen: channels, places a side, and where the first one lies and how far apart they are, in pixels
# of the enlarged patch: the middles of what the convolutions of `photo_features` see.
MAPS = ((32, 38, 5, 4), (64, 18, 9, 8))


def refine(sight: Sight, points: Floats) -> Floats:
    """The landmarks moved to where the network says they are.

    Args:
        sight: of the faces.
        points: float32 (n, 68, 2), about where the landmarks are, in shares of the patch's side.

    Returns:
        float32 (n, 68, 2). A face's landmarks do not depend on the other faces.
    """
    places, request = seen_places(points), request_of_thread(_network)
    entries = [*sight, *(in_map(places, number) for number in range(len(MAPS))), shapes(points)]
    found = []
    for first in range(0, len(points), GROUP):
        here = slice(first, first + GROUP)
        request.infer({at: _filled(one[here]) for at, one in enumerate(entries)}, share_inputs=True)
        found.append(np.array(request.get_output_tensor(0).data)[: len(points[here])])
    return floats(points + UNIT * np.concatenate(found).reshape(-1, POINTS, 2))


def seen_places(points: Floats) -> Floats:
    """Where the network sees the maps, (n, PLACES, 2), in shares of the patch's side: at the landmarks, and outward
    from each landmark of the jaw by BESIDE."""
    jaw = points[:, :JAW]
    out = jaw - points[:, JAW:].mean(1, keepdims=True)
    out = out * (UNIT / np.maximum(np.sqrt((out * out).sum(2, keepdims=True)), 1e-6))
    return floats(np.concatenate([points, *(jaw + out * by for by in BESIDE)], 1))


def in_map(places: Floats, number: int) -> Floats:
    """Places in shares of the patch's side as one of the MAPS is read, (n, PLACES, 1, 2): -1 and 1 at its edges."""
    _, side, first, step = MAPS[number]
    at = (places * SIDE - 0.5 - first) / step
    return floats((at + 0.5) * (2 / side) - 1)[:, :, None]


def shapes(points: Floats) -> Floats:
    """Landmarks in face units about their mean, (n, 136)."""
    return floats((points - points.mean(1, keepdims=True)) / UNIT).reshape(len(points), -1)


def _filled(some: NDArray[Any]) -> NDArray[Any]:
    if len(some) == GROUP:
        return some
    return np.concatenate([some, np.zeros((GROUP - len(some), *some.shape[1:]), some.dtype)])


@cache
def _network(process: int) -> Any:
    """The network, compiled for this process; a forked process compiles its own."""
    del process
    openvino = openvino_module()
    ops, weights = openvino.opset13, stored_weights(WEIGHTS)
    maps = [ops.parameter([GROUP, channels, side, side], np.float32) for channels, side, _, _ in MAPS]
    grids = [ops.parameter([GROUP, PLACES, 1, 2], np.float32) for _ in MAPS]
    shape = ops.parameter([GROUP, 2 * POINTS], np.float32)
    how = {"align_corners": False, "mode": "bilinear", "padding_mode": "border"}
    seen = [ops.grid_sample(*both, how) for both in zip(maps, grids, strict=True)]
    x = ops.squeeze(ops.concat(seen, 1), np.array([3]))
    x = ops.relu(ops.add(ops.matmul(weights["mix.w"], x, False, False), weights["mix.b"].reshape(1, -1, 1)))
    all_ = ops.concat([ops.reshape(x, np.array([GROUP, -1]), False), shape], 1)
    x = ops.relu(_dense(ops, all_, weights, "hidden"))
    x = _dense(ops, ops.relu(_dense(ops, x, weights, "second")), weights, "last")
    x = ops.add(x, ops.matmul(all_, weights["direct.w"], False, True))
    model = openvino.Model([x], [*maps, *grids, shape], "own_refiner")
    return compiled_for_one_thread(model)


def _dense(ops: Any, x: Any, weights: dict[str, Floats], name: str) -> Any:
    # As a node: of an array that an operation is given, OpenVINO makes a list of Python's numbers first.
    return ops.add(ops.matmul(x, ops.constant(weights[f"{name}.w"]), False, True), weights[f"{name}.b"].reshape(1, -1))
