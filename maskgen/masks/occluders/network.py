"""The network that says for each cell of a face what stands in front of it: hair, a thing, the rims of glasses.

Its first layers are those of dlib's face recognition network, which learned from photographs, see `photo_features`.
All others learned from drawn people only (`benchmarks/occluder_network_fit.py`). Beside the maps of these layers it
sees where a cell lies on the head and how its colour differs from this person's skin, see `face_view`.

Source: the ladder of maps, Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation, 2015.
"""

from __future__ import annotations

import zipfile
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from maskgen.core.dlib_models.installed import installed_model
from maskgen.core.dlib_models.network_file import FILE
from maskgen.core.dlib_models.photo_features import brightness, photo_features
from maskgen.core.networks.convolutions import Convolutions, roundings_of
from maskgen.core.networks.kept_networks import kept_network
from maskgen.core.networks.openvino_core import openvino_module, request_of_thread
from maskgen.core.reasons import UserError
from maskgen.core.records import Floats
from maskgen.masks.occluders.face_view import CELLS, CHANNELS, SIDE, FaceView

WEIGHTS = "network.npz"
PARTS = 256  # of a number of a map that is enlarged
SORTS = 3  # hair, things, rims of glasses
# Sides of the maps, from cells to the coarsest of dlib's; where a place of each lies in the next finer one: at
# `first + step * place`.
LATTICE = {8: (1.0, 2.0), 18: (1.0, 2.0), 38: (0.25, 2.0)}
# Name: channels in and out, kernel, step, border. Those that "stay" are residual.
LAYERS = {
    "cells1": (CHANNELS, 12, 3, 1, 1), "cells2": (12, 24, 3, 2, 1), "fine": (32, 24, 1, 1, 0),
    "down18": (24, 48, 3, 2, 0), "middle": (64, 48, 1, 1, 0),
    "down8": (48, 64, 3, 2, 0), "coarse": (128, 64, 1, 1, 0), "stay1": (64, 64, 3, 1, 1), "stay2": (64, 64, 3, 1, 1),
    "up18": (64, 48, 1, 1, 0), "stay3": (48, 48, 3, 1, 1), "stay4": (48, 48, 3, 1, 1),
    "up38": (48, 32, 1, 1, 0), "beside38": (24, 32, 1, 1, 0), "stay5": (32, 32, 3, 1, 1), "stay6": (32, 32, 3, 1, 1),
    "up76": (32, 16, 1, 1, 0), "beside76": (12, 16, 1, 1, 0), "stay7": (16, 16, 3, 1, 1),
    "last": (16, SORTS, 1, 1, 0),
}  # fmt: skip


def front_of(view: FaceView) -> Floats:
    """How likely hair, a thing and rims stand in front of each cell, float32 (SORTS, CELLS, CELLS), 0..1.

    Raises:
        UserError: the weights are missing or damaged, or those of dlib are not installed.
    """
    request, levels = request_of_thread(_network), view.grey[None, None].astype(np.float32)
    mean, factor = brightness(levels)
    request.infer(dict(enumerate((levels, mean, factor, view.channels[None]))), share_inputs=True)
    return np.asarray(1 / (1 + np.exp(-np.array(request.get_output_tensor(0).data)[0])), np.float32)


def enlarging_map(small: int, large: int) -> Floats:
    """The matrix (large, small) that enlarges a row of a map to the next finer one, linearly between its places."""
    first, step = LATTICE[small]
    at = np.clip((np.arange(large) - first) / step, 0, small - 1)
    return np.maximum(1 - np.abs(at[:, None] - np.arange(small)), 0).astype(np.float32)


@cache
def _network(process: int) -> Any:
    """The network, compiled for this process; a forked process compiles its own."""
    del process
    return kept_network(_model, ["maskgen.masks.occluders"], [installed_model(FILE)])


def _model() -> Any:
    """The network, an `openvino.Model`."""
    model, _ = network_of(stored_weights())
    return openvino_module().Model(model.outputs[:1], model.get_parameters(), "occluders")


def stored_weights() -> dict[str, Floats]:
    """The weights, float32: kernels "name.w", biases "name.b", and roundings, see `convolutions.roundings_of`.

    Raises:
        UserError: they are missing or damaged.
    """
    path = resources.files(__package__).joinpath(WEIGHTS)
    try:
        with path.open("rb") as opened:
            stored = np.load(opened, allow_pickle=False)
            weights = {name: stored[name].astype(np.float32) for name in stored.files}
        check_weights(weights)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as fault:
        raise UserError(f"{path} is missing or damaged: install maskgen again") from fault
    return weights


def check_weights(weights: dict[str, Floats]) -> None:
    """Raises ValueError if a layer's weights are missing or have another shape."""
    for name, (into, out, side, _, _) in LAYERS.items():
        for part, shape in (("w", (out, into, side, side)), ("b", (out,))):
            found = weights.get(f"{name}.{part}")
            if found is None or found.shape != shape or not np.isfinite(found).all():
                raise ValueError(f"{name}.{part} is missing or has not {shape} numbers")


def network_of(weights: dict[str, Floats]) -> tuple[Any, Convolutions]:
    """The network with these weights, an `openvino.Model`, and its convolutions.

    Its inputs are grey levels (1, 1, SIDE, SIDE), what `brightness` gives of them, and `FaceView.channels`; its outputs
    logits (1, SORTS, CELLS, CELLS), and the maps of `photo_features`.
    """
    openvino = openvino_module()
    made = Convolutions(openvino.opset13, roundings_of(weights))
    shapes = ([1, 1, SIDE, SIDE], [1, 1, 1, 1], [1, 1, 1, 1], [1, CHANNELS, CELLS, CELLS])
    entries = [made.ops.parameter(shape, np.float32) for shape in shapes]
    maps = photo_features(made, *entries[:3])
    answer = _own_layers(made, maps, entries[3], weights)
    return openvino.Model([answer, *maps], entries, "occluders"), made


def _own_layers(made: Convolutions, maps: list[Any], channels: Any, weights: dict[str, Floats]) -> Any:
    """Logits from dlib's maps and the channels: down to 8 x 8 places, and up again to the cells."""
    ops, (fine, middle, coarse) = made.ops, maps

    def layer(name: str, x: Any) -> Any:
        _, _, _, step, around = LAYERS[name]
        return made(name, x, (weights[f"{name}.w"], weights[f"{name}.b"]), step, around)

    def stay(name: str, x: Any) -> Any:
        return ops.relu(ops.add(x, layer(name, x)))

    def up(name: str, x: Any, large: int) -> Any:
        # Of whole parts, an enlarged map is exact: all processors agree.
        y = ops.divide(ops.round(ops.multiply(layer(name, x), np.float32(PARTS)), "half_to_even"), np.float32(PARTS))
        by = enlarging_map(int(y.shape[2]), large)
        return ops.matmul(ops.matmul(by, y, False, False), by, False, True)

    cells = ops.relu(layer("cells1", channels))
    at38 = ops.relu(ops.add(layer("cells2", cells), layer("fine", fine)))
    at18 = ops.relu(ops.add(layer("down18", at38), layer("middle", middle)))
    at8 = ops.relu(ops.add(layer("down8", at18), layer("coarse", coarse)))
    at8 = stay("stay2", stay("stay1", at8))
    at18 = stay("stay4", stay("stay3", ops.relu(ops.add(at18, up("up18", at8, 18)))))
    at38 = ops.relu(ops.add(layer("beside38", at38), up("up38", at18, 38)))
    at38 = stay("stay6", stay("stay5", at38))
    cells = stay("stay7", ops.relu(ops.add(layer("beside76", cells), up("up76", at38, CELLS))))
    return layer("last", cells)
