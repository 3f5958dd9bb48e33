"""Find between which limits the first landmark network's convolutions may round their inputs to 8 bits, and store them.

    python benchmarks/own_landmarks_limits.py DRAWN maskgen/faces/landmarkers/own.npz

DRAWN is what `benchmarks/own_landmarks.py` drew; the patches are those that training holds back, at the detector's own
points. A limit is the quantile of a convolution's inputs on them in float32. Printed is by how much the landmarks then
move, in face units: on average, and at most. Without limits, as after training, a network runs in float32.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from landmark_training.samples import Drawn
from own_landmarks_fit import held_patches

from maskgen.core.atomic_writes import write_atomic
from maskgen.faces.landmarkers.own_network import FACE, GROUP, POINTS, evened, network_of
from maskgen.faces.mtcnn.convolutions import limits_of
from maskgen.faces.mtcnn.openvino_core import compiled_for_one_thread, openvino_module

SHARE = 0.9999  # of the inputs that lie within the limits
FLOAT = ("stem", "spots")  # left as they are: a grey picture has few inputs, and maps of points are the answer


def ran(model: object, patches: np.ndarray) -> list[np.ndarray]:
    """What a model says of patches, (n, ...) each."""
    request = compiled_for_one_thread(model).create_infer_request()
    found = []
    for at in range(0, len(patches) // GROUP * GROUP, GROUP):
        request.infer({0: evened(patches[at : at + GROUP])[:, None]})
        found.append([np.array(request.get_output_tensor(at).data) for at in range(len(request.model_outputs))])
    return [np.concatenate(column) for column in zip(*found, strict=True)]


def limits_on(patches: np.ndarray, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The limits of each convolution but FLOAT, by name."""
    model, made = network_of(weights)
    inputs = {name: made.ops.result(x) for name, x in made.inputs.items() if name not in FLOAT}
    openvino = openvino_module()
    seen = ran(openvino.Model(list(inputs.values()), model.get_parameters(), "inputs"), patches)
    return {f"{name}.limits": limits_of(values, SHARE) for name, values in zip(inputs, seen, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("weights", type=Path)
    asked = parser.parse_args()
    stored = {name: each for name, each in np.load(asked.weights).items() if not name.endswith(".limits")}
    exact = {name: each.astype(np.float32) for name, each in stored.items()}
    _, patches, _ = held_patches(Drawn(asked.drawn))
    limits = limits_on(patches, exact)
    before, after = (ran(network_of(some)[0], patches)[0][:, :POINTS] for some in (exact, exact | limits))
    moved = np.linalg.norm(after - before, axis=2) * FACE.around
    held = io.BytesIO()
    np.savez_compressed(held, **stored, **limits)
    write_atomic(asked.weights, held.getvalue())
    print(
        f"{len(limits)} convolutions, {len(patches)} patches: points move {moved.mean():.4f}, at most {moved.max():.3f}"
    )


if __name__ == "__main__":
    main()
