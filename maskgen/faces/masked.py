"""Whether a found face wears a real mask already: a small network that looks at the aligned face.

It was trained by `benchmarks/already_masked.py` on photographs of bare faces, and the same people in drawn masks;
`docs/already_masked.md` says on which, and how often it is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Floats, Image
from maskgen.faces.align import align_five

WEIGHTS = "masked.npz"
CROP, EDGE = 72, 4  # side of the aligned crop, and what of it is not looked at on each side
GROUP = 8  # faces that go through the network together: always so many, the last ones filled up
# The score above which a face counts as masked: of 1,336 bare faces of photographs of
# LFW that were not trained on one lies above it.
MASKED_FROM = 0.5


def seen_of(image: Image, points5: NDArray[np.floating]) -> Image:
    """What the network looks at of a face, uint8 (64, 64, 3).

    Args:
        image: uint8 RGB (height, width, 3).
        points5: the detector's five points, (5, 2), in its pixels.
    """
    return align_five(image, points5, CROP).image[EDGE:-EDGE, EDGE:-EDGE]


def mask_scores(faces: Sequence[Image]) -> Floats:
    """How masked each face looks, float32 (n,): a logit, above MASKED_FROM for a mask; the same whatever the others.

    Args:
        faces: as `seen_of` gives them.
    """
    import torch

    if not len(faces):
        return np.zeros(0, np.float32)
    found = []
    for at in range(0, len(faces), GROUP):
        some = np.stack(faces[at : at + GROUP])
        filled = np.zeros((GROUP, *some.shape[1:]), np.uint8)
        filled[: len(some)] = some
        with torch.inference_mode():
            found.append(_scores(torch.from_numpy(filled).permute(0, 3, 1, 2))[: len(some)].numpy())
    return np.concatenate(found)


def _scores(pictures: Any) -> Any:
    """The network: four convolutions of stride 2, and one weighted sum."""
    import torch

    weights = _weights()
    x = pictures.to(torch.float32).mul_(1 / 127.5).sub_(1)
    for layer in range(len(weights) // 2 - 1):
        x = torch.relu(torch.conv2d(x, weights[f"w{layer}"], weights[f"b{layer}"], stride=2, padding=1))
    # Summed row by row, as in `nets.py`: a matrix product so narrow treats the rows of a group unlike each other.
    return (x.flatten(1) * weights["w"]).sum(-1) + weights["b"]


@cache
def _weights() -> dict[str, Any]:
    import torch

    with resources.files("maskgen.faces").joinpath(WEIGHTS).open("rb") as file:
        stored = np.load(file, allow_pickle=False)
        return {name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored.files}
