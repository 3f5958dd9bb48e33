"""The program's own landmark network, run by OpenVINO: its input patch and its prediction of 68 landmarks.

Its first layers are those of dlib's face recognition network, which learned from photographs, see `photo_features`; all
others learned from drawn people.

Convention:
    - a patch is uint8 grey (SIDE, SIDE), in which the face is upright, aligned by five landmarks
    - points in a patch are normalised coordinates, x right, y down, 0 and 1 at the outer edges of its pixels
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from maskgen.core.dlib_models.installed import installed_model
from maskgen.core.dlib_models.network_file import FILE
from maskgen.core.dlib_models.photo_features import brightness, photo_features
from maskgen.core.networks.convolutions import Convolutions, roundings_of
from maskgen.core.networks.kept_networks import kept_network
from maskgen.core.networks.openvino_core import openvino_module, request_of_thread
from maskgen.core.records import Doubles, Floats, Image, Mask, floats
from maskgen.faces.upright_crop import (
    face_right,
    frontal_eye_distance,
    shrink_by_area,
    shrink_factor,
    similarity,
    source_window,
)

GROUP = 2  # batch size; the last batch is padded. 8 would take as long for many faces, and four times as long for one
WEIGHTS = "own.npz"
# The convolutions of the program's own layers, and their strides. Those that "stay" or "join" are residual.
LAYERS = {
    "from1": 2, "down1": 2, "down2": 2, "mix3": 1, "stay1": 1, "stay2": 1,
    "down4": 2, "stay3": 1, "stay4": 1, "up2": 1, "join2": 1,
}  # fmt: skip
POINTS = 68
ALL = POINTS + 17  # the landmarks, and the jaw's 17 points on the head's outline in the picture
BINS, WIDER = 64, 1.25  # columns and rows of which the network gives each point's shares; their side in patch sides
# The middles of the bins in shares of the patch's side.
MIDDLES = (((np.arange(BINS) + 0.5) / BINS - 0.5) * WIDER + 0.5).astype(np.float32)


@dataclass(frozen=True, slots=True)
class View:
    """What a network sees of an upright face.

    Attributes:
        side: of the patch, in pixels.
        around: its side in face units, see `upright_crop.frontal_eye_distance`.
        below: how far its middle lies below the middle between eyes and mouth corners, in face units.
    """

    side: int
    around: float
    below: float = 0.0


FACE = View(90, 3.2, 0.22)
SIDE = FACE.side


@dataclass(frozen=True, slots=True)
class Prediction:
    """The network's prediction for n patches.

    Attributes:
        points: float32 (n, ALL, 2), normalised coordinates in the patch.
        spread: float32 (n, ALL), expected error scale of each point, as a share of the patch's side.
        seen: float32 (n, 68), probability that no part of the head hides the landmark, 0..1.
        sight: the maps that it was made from, for the second network.
    """

    points: Floats
    spread: Floats
    seen: Floats
    sight: Sight


class Sight(NamedTuple):
    """What the networks see of n faces: the maps after dlib's first stage, float32 (n, 32, 38, 38), and after its
    second, (n, 64, 18, 18)."""

    fine: Floats
    middle: Floats


def to_patch(points5: NDArray[np.floating], view: View = FACE) -> Doubles:
    """The similarity transform (2, 3) from pixels of the picture to those of the patch, in which the face is upright.

    Args:
        points5: eyes, nose tip and mouth corners, (5, 2), in the picture's pixels.
        view: of the patch.
    """
    unit, right = max(frontal_eye_distance(points5), 1e-3), face_right(points5)
    down = view.below * unit * np.array([-right[1], right[0]])
    middle = (points5[0] + points5[1] + points5[3] + points5[4]) / 4 + down
    return similarity(middle, right, view.side / (view.around * unit), np.full(2, view.side / 2 - 0.5))


def cut_patch(image: Image, matrix: Doubles) -> Mask:
    """The grey patch of a picture, uint8 (SIDE, SIDE).

    Args:
        image: uint8 RGB (height, width, 3).
        matrix: the similarity transform, see `to_patch`.
    """
    times = shrink_factor(matrix)
    part, matrix = source_window(image, matrix, SIDE, 2 * max(1, times))
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)
    if times >= 2:
        grey, matrix = shrink_by_area(grey, matrix, times)
    return cv2.warpAffine(grey, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def predict(patches: Mask) -> Prediction:
    """The prediction for each patch, uint8 (n, SIDE, SIDE); it does not depend on the other patches.

    Bins and dense layers both predict the points, each with its own spread. The result is their mean, weighted by
    the inverse square of the spread.
    """
    binned, dense, *maps = answers(request_of_thread(_network), patches)
    direct, spread, by_bins, logits = np.split(dense, [2 * ALL, 3 * ALL, 4 * ALL], axis=1)
    spread, by_bins = np.exp(spread), np.exp(by_bins)
    share = (1 / (1 + (by_bins / spread) ** 2))[..., None]
    points = share * binned + (1 - share) * direct.reshape(-1, ALL, 2)
    shown = 1 / (1 + np.exp(-logits))
    return Prediction(floats(points), np.minimum(spread, by_bins), floats(shown), Sight(*maps))


def answers(request: Any, patches: Mask) -> list[Floats]:
    """What a request for a model of `network_of` gives for patches, uint8 (n, SIDE, SIDE): points by the bins
    (n, ALL, 2), the output of the dense layers (n, 4 * ALL + 68), and the maps of `Sight`."""
    found = [[np.zeros((0, *output.shape[1:]), np.float32) for output in request.model_outputs]]
    for at in range(0, len(patches), GROUP):
        some = patches[at : at + GROUP]
        filled = np.zeros((GROUP, 1, SIDE, SIDE), np.float32)
        filled[: len(some), 0] = some
        request.infer(dict(enumerate((filled, *brightness(filled)))), share_inputs=True)
        found.append([np.array(request.get_output_tensor(at).data)[: len(some)] for at in range(len(found[0]))])
    return [np.concatenate(column) for column in zip(*found, strict=True)]


@cache
def _network(process: int) -> Any:
    """The network, compiled for this process; a forked process compiles its own."""
    del process
    return kept_network(_model, ["maskgen.faces"], [installed_model(FILE)])


def _model() -> Any:
    return network_of(stored_weights(WEIGHTS))[0]


def network_of(weights: dict[str, Floats]) -> tuple[Any, Convolutions]:
    """The network with these weights, an `openvino.Model`, and its convolutions.

    Args:
        weights: kernels "name.w", biases "name.b", and roundings, see `convolutions.roundings_of`.
    """
    openvino = openvino_module()
    ops = openvino.opset13
    made = Convolutions(ops, roundings_of(weights))
    entries = [ops.parameter([GROUP, 1, side, side], np.float32) for side in (SIDE, 1, 1)]
    features = photo_features(made, *entries)
    places, face = _own_layers(made, features, weights)
    dense = ops.reshape(face, np.array([GROUP, -1]), False)
    for name in ("hidden", "last"):
        dense = ops.matmul(dense, ops.constant(weights[f"{name}.w"]), False, True)
        dense = ops.add(dense, weights[f"{name}.b"].reshape(1, -1))
        dense = ops.relu(dense) if name == "hidden" else dense
    maps = _convolved(made, "spots", places, weights)
    return openvino.Model([_by_bins(ops, maps, weights), dense, *features[:2]], entries, "own"), made


def _own_layers(made: Convolutions, features: list[Any], weights: dict[str, Floats]) -> tuple[Any, Any]:
    """Maps of 10 x 10 places, and of 5 x 5, from the maps of dlib's stages."""
    ops = made.ops

    def layer(name: str, x: Any) -> Any:
        return _convolved(made, name, x, weights)

    fine, middle, coarse = (_normed(ops, x, weights, f"norm{at}") for at, x in enumerate(features))
    x = ops.relu(ops.add(layer("down2", middle), layer("down1", ops.relu(layer("from1", fine)))))
    x = ops.relu(ops.add(x, layer("mix3", ops.concat([x, coarse], 1))))
    for name in ("stay1", "stay2"):
        x = ops.relu(ops.add(x, layer(name, x)))
    held, x = x, ops.relu(layer("down4", x))
    for name in ("stay3", "stay4"):
        x = ops.relu(ops.add(x, layer(name, x)))
    places = ops.relu(ops.add(ops.depth_to_space(layer("up2", x), "depth_first", 2), held))
    return ops.relu(ops.add(places, layer("join2", places))), x


def _normed(ops: Any, x: Any, weights: dict[str, Floats], name: str) -> Any:
    """Maps scaled and shifted by channel, with a border of one place."""
    x = ops.multiply(x, weights[f"{name}.w"].reshape(1, -1, 1, 1))
    x = ops.add(x, weights[f"{name}.b"].reshape(1, -1, 1, 1))
    return ops.pad(x, np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), "constant", np.float32(0))


def _convolved(made: Convolutions, name: str, x: Any, weights: dict[str, Floats]) -> Any:
    """A convolution that keeps the size at stride 1."""
    kernel = weights[f"{name}.w"]
    return made(name, x, (kernel, weights[f"{name}.b"]), LAYERS.get(name, 1), kernel.shape[2] // 2)


def _by_bins(ops: Any, maps: Any, weights: dict[str, Floats]) -> Any:
    """The mean position of each point, (GROUP, ALL, 2), by the shares of its columns and rows.

    Source: Li et al., SimCC, a simple coordinate classification perspective for human pose estimation, 2022.
    """
    flat = ops.reshape(maps, np.array([GROUP, ALL, -1]), False)
    bins = ops.add(ops.matmul(flat, weights["bins.w"], False, True), weights["bins.b"].reshape(1, 1, -1))
    shares = ops.softmax(ops.reshape(bins, np.array([GROUP, 2 * ALL, BINS]), False), 2)
    return ops.reshape(ops.matmul(shares, MIDDLES.reshape(-1, 1), False, False), np.array([GROUP, ALL, 2]), False)


@cache
def stored_weights(name: str) -> dict[str, Floats]:
    """The weights of a network by the name of its file, float32."""
    with resources.files(__package__).joinpath(name).open("rb") as opened:
        stored = np.load(opened, allow_pickle=False)
        return {name: stored[name].astype(np.float32) for name in stored.files}
