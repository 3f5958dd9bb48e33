"""The network of the classifiers, run by OpenVINO: four convolutions of stride 2, and one linear layer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache, partial
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.core.networks.kept_networks import kept_network
from maskgen.core.networks.openvino_core import SharedRequest, openvino_module
from maskgen.core.records import Floats, Image
from maskgen.faces.upright_crop import align_upright_by_five

CROP, EDGE = 72, 4  # side of the aligned crop in pixels, and the border of it that is cut off on each side
GROUP = 4  # batch size; the last batch is padded


def classifier_input(image: Image, points5: NDArray[np.floating]) -> Image:
    """The network's input for a face, uint8 (64, 64, 3).

    Args:
        image: uint8 RGB (height, width, 3).
        points5: the detector's five landmarks, (5, 2), in pixels of the image.
    """
    return align_upright_by_five(image, points5, CROP).image[EDGE:-EDGE, EDGE:-EDGE]


def classifier_scores(faces: Sequence[Image], package: str, weights: str) -> Floats:
    """The network's score of each face, float32 (n,): a logit that does not depend on the other faces.

    Args:
        faces: the faces' `classifier_input`.
        package, weights: the package that contains the weights, and the name of their .npz file in it.
    """
    if not len(faces):
        return np.zeros(0, np.float32)
    request, found = _network(package, weights, os.getpid()), list[Floats]()
    for at in range(0, len(faces), GROUP):
        found += request.answers(faces[at : at + GROUP], GROUP)
    return np.concatenate(found)[: len(faces)]


@cache
def _network(package: str, file: str, process: int) -> SharedRequest:
    """A request for the network, compiled for this process; a forked process compiles its own."""
    del process
    packages = "maskgen.faces.classifiers", package
    return SharedRequest(kept_network(partial(_model, package, file), packages, about=file))


def _model(package: str, file: str) -> Any:
    """The network, an `openvino.Model`."""
    openvino = openvino_module()
    ops, weights, side = openvino.opset13, _weights(package, file), CROP - 2 * EDGE
    entry = ops.parameter([GROUP, side, side, 3], np.uint8)
    x = ops.subtract(ops.multiply(ops.convert(entry, np.float32), np.float32(1 / 127.5)), np.float32(1))
    x = ops.transpose(x, [0, 3, 1, 2])
    for layer in range(len(weights) // 2 - 1):
        x = ops.convolution(x, ops.constant(weights[f"w{layer}"]), [2, 2], [1, 1], [1, 1], [1, 1])
        x = ops.relu(ops.add(x, weights[f"b{layer}"].reshape(1, -1, 1, 1)))
    x = ops.matmul(ops.reshape(x, np.array([GROUP, -1]), False), weights["w"].reshape(1, -1), False, True)
    x = ops.reshape(ops.add(x, weights["b"].reshape(1, 1)), np.array([GROUP]), False)
    return openvino.Model([x], [entry], file.partition(".")[0])


@cache
def _weights(package: str, file: str) -> dict[str, Floats]:
    with resources.files(package).joinpath(file).open("rb") as opened:
        stored = np.load(opened, allow_pickle=False)
        return {name: stored[name].astype(np.float32) for name in stored.files}
