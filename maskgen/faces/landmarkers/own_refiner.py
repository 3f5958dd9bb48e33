"""The program's own second landmark network, run by OpenVINO: moves roughly known landmarks by patches around them."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Floats, Mask, floats
from maskgen.faces.landmarkers.own_network import GROUP, POINTS, convolved, evened, stored_weights
from maskgen.faces.landmarkers.own_parts import PARTS, Frames, part_middles, part_patches
from maskgen.faces.mtcnn.openvino_core import compiled_for_one_thread, openvino_module

WEIGHTS = "own_refiner.npz"
STEPS = (2, 2, 1, 2)  # strides of the convolutions on a patch; one of stride 1 is added to its input


def refine(canvases: Mask, points: Floats) -> Floats:
    """The landmarks moved to where the network says they are.

    Args:
        canvases: uint8 (n, CANVAS, CANVAS), n at least 1, see `own_parts`.
        points: float32 (n, 68, 2), about where the landmarks are.

    Returns:
        float32 (n, 68, 2). A face's landmarks do not depend on the other faces.
    """
    frames = Frames.of(points)
    each = zip(canvases, part_middles(points), frames.units.tolist(), frames.right.tolist(), strict=True)
    rows = [part_patches(*one) for one in each]
    patches = [np.stack([row[at] for row in rows]) for at in range(len(PARTS))]
    return floats(points + frames.vectors(_moves(patches, frames.shape(points))))


def _moves(patches: list[Mask], shapes: Floats) -> Floats:
    """Moves (n, 68, 2) in face units."""
    request, found = _network(os.getpid()), []
    entries: list[NDArray[Any]] = [*patches, shapes]
    for first in range(0, len(shapes), GROUP):
        here = slice(first, first + GROUP)
        request.infer({at: _filled(one[here]) for at, one in enumerate(entries)}, share_inputs=True)
        found.append(np.array(request.get_output_tensor(0).data)[: len(shapes[here])])
    return np.concatenate(found).reshape(-1, POINTS, 2)


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
    entries = [ops.parameter([GROUP, part.side, part.side], np.uint8) for part in PARTS]
    shape = ops.parameter([GROUP, 2 * POINTS], np.float32)
    seen = [_trunk(ops, entry, weights, part.name, part.side) for part, entry in zip(PARTS, entries, strict=True)]
    all_ = ops.concat([*seen, shape], 1)
    out = _dense(ops, ops.relu(_dense(ops, all_, weights, "hidden")), weights, "last")
    out = ops.add(out, ops.matmul(all_, weights["direct.w"], False, True))
    model = openvino.Model([out], [*entries, shape], "own_refiner")
    return compiled_for_one_thread(model).create_infer_request()


def _trunk(ops: Any, entry: Any, weights: dict[str, Floats], name: str, side: int) -> Any:
    x = ops.reshape(ops.convert(entry, np.float32), np.array([GROUP, 1, side, side]), False)
    x = evened(ops, x)
    for number, step in enumerate(STEPS):
        y = convolved(ops, x, weights, f"{name}{number}", step)
        x = ops.relu(ops.add(x, y) if step == 1 else y)
    return ops.relu(_dense(ops, ops.reshape(x, np.array([GROUP, -1]), False), weights, name))


def _dense(ops: Any, x: Any, weights: dict[str, Floats], name: str) -> Any:
    return ops.add(ops.matmul(x, weights[f"{name}.w"], False, True), weights[f"{name}.b"].reshape(1, -1))
