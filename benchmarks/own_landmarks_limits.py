"""Find how the first landmark network's convolutions are rounded to 8 bits, and store it beside the weights.

    python benchmarks/own_landmarks_limits.py DRAWN maskgen/faces/landmarkers/own.npz

DRAWN is what `benchmarks/own_landmarks.py` drew. Limits and shifts, see `maskgen.core.networks.convolutions`, are found
by what the network computes in float32 of the patches that training holds back, at the detector's own points. Printed
is by how much landmarks then move, in face units. Without roundings, as after training, a network runs in float32.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path
from typing import Any

import numpy as np
from landmark_training.samples import Drawn
from own_landmarks_fit import held_patches

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.networks.convolutions import LIMITS, SHIFT, Rounding, rounding_for
from maskgen.core.networks.openvino_core import compiled_for_one_thread, openvino_module
from maskgen.core.records import Floats
from maskgen.faces.landmarkers.own_network import FACE, POINTS, answers, network_of

SHARE = 0.9999  # of the inputs that lie within the limits
FLOAT = ("spots",)  # maps of points, which are the answer


def ran(model: Any, patches: np.ndarray) -> list[Floats]:
    """What a model with the inputs of `network_of` says of patches, uint8 (n, SIDE, SIDE): (n, ...) each."""
    return answers(compiled_for_one_thread(model).create_infer_request(), patches)


def roundings_on(patches: np.ndarray, weights: dict[str, Floats]) -> dict[str, Rounding]:
    """The rounding of each convolution but FLOAT by its inputs on patches, by name."""
    model, made = network_of(weights)
    names = [name for name in made.inputs if name not in FLOAT]
    inputs = [made.ops.result(made.inputs[name]) for name in names]
    seen = ran(openvino_module().Model(inputs, model.get_parameters(), "inputs"), patches)
    return {name: rounding_for(made.made[name], x, SHARE) for name, x in zip(names, seen, strict=True)}


def stored_as(roundings: dict[str, Rounding]) -> dict[str, Floats]:
    """Roundings as arrays to be stored."""
    limits = {name + LIMITS: np.array([one.least, one.most], np.float32) for name, one in roundings.items()}
    return limits | {name + SHIFT: one.shift for name, one in roundings.items()}


def exact(stored: dict[str, Floats]) -> dict[str, Floats]:
    """Stored weights without roundings."""
    return {name: each for name, each in stored.items() if not name.endswith((LIMITS, SHIFT))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("drawn", type=Path)
    parser.add_argument("weights", type=Path)
    asked = parser.parse_args()
    with np.load(asked.weights) as opened:
        kept = exact(dict(opened))
    weights = {name: each.astype(np.float32) for name, each in kept.items()}
    _, patches, _ = held_patches(Drawn(asked.drawn))
    roundings = stored_as(roundings_on(patches, weights))
    before, after = (ran(network_of(some)[0], patches)[0][:, :POINTS] for some in (weights, weights | roundings))
    moved = np.linalg.norm(after - before, axis=2) * FACE.around
    held = io.BytesIO()
    np.savez_compressed(held, **kept, **roundings)
    write_atomic(asked.weights, held.getvalue())
    together = np.linalg.norm((after - before).mean(0), axis=1).mean() * FACE.around
    print(f"{len(roundings) // 2} convolutions on {len(patches)} patches")
    print(f"landmarks move by {moved.mean():.4f} on average, {moved.max():.3f} at most, all together {together:.4f}")


if __name__ == "__main__":
    main()
