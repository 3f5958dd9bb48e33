"""MTCNN's three networks in fixed batches, so that a result does not depend on the batch.

Every network sees groups of one fixed size, the last one filled up with black: a group of another size goes through
kernels whose last bits differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from maskgen.core.extras import need
from maskgen.core.reasons import UserError
from maskgen.core.records import Floats, Image
from maskgen.faces.mtcnn.openvino_nets import OpenVinoNets
from maskgen.faces.mtcnn.torch_nets import TorchNets

# Pictures a call of PNet, RNet and ONet. On the CPU larger groups save 5 %, and waste more on their black fill.
GROUPS = {"cpu": (2, 4, 2), "cuda": (256, 256, 256)}
# A canvas of more pixels than this many per call is judged in smaller groups, so that memory stays flat.
MOST_PIXELS = {"cpu": 1 << 16, "cuda": 1 << 24}


def check_device(device: str) -> None:
    """Raise UserError unless the device is "cpu", or "cuda" (with a number or not) and there."""
    kind, colon, number = device.partition(":")
    if kind not in GROUPS or (colon and not number.isdecimal()) or (kind == "cpu" and colon):
        raise UserError(f"--device {device} is unknown: give cpu, cuda or cuda:N.")
    if kind == "cuda":
        need("torch", "train")
        import torch

        if int(number or 0) >= torch.cuda.device_count():
            raise UserError(f"--device {device} is not there: PyTorch sees {torch.cuda.device_count()} CUDA devices.")


class Nets:
    """The networks of the cascade.

    Args:
        device: where they run: "cpu", "cuda", "cuda:1".

    Raises:
        UserError: there is no such device, or the weights are not installed.
    """

    def __init__(self, device: str = "cpu") -> None:
        check_device(device)
        kind = device.partition(":")[0]
        self._groups, self._most = GROUPS[kind], MOST_PIXELS[kind]
        self._nets = OpenVinoNets(self._groups[1:]) if kind == "cpu" else TorchNets(device)

    def propose(self, canvases: Sequence[Image]) -> tuple[Floats, Floats]:
        """PNet on canvases of one size.

        Returns:
            Scores (n, rows, columns) and shifts (n, 4, rows, columns) of the windows, two pixels apart.
        """
        pixels = canvases[0].shape[0] * canvases[0].shape[1]
        # Powers of two only, and by the canvas's size alone: what a canvas is judged with decides its last bits.
        group = min(self._groups[0], max(1, 1 << int(np.log2(max(self._most / pixels, 1)))))
        shift, score = _grouped(self._nets.pnet, canvases, group)
        return score[:, 1], shift

    def refine(self, patches: Sequence[Image]) -> tuple[Floats, Floats]:
        """RNet on patches (24, 24, 3): scores (n,) and shifts (n, 4)."""
        shift, score = _grouped(self._nets.rnet, patches, self._groups[1])
        return score[:, 1], shift

    def output(self, patches: Sequence[Image]) -> tuple[Floats, Floats, Floats]:
        """ONet on patches (48, 48, 3): scores (n,), shifts (n, 4) and five points (n, 10), x before y, in shares."""
        shift, points, score = _grouped(self._nets.onet, patches, self._groups[2])
        return score[:, 1], shift, points


def _grouped(net: Callable[[Image], list[Floats]], images: Sequence[Image], group: int) -> list[Floats]:
    black = [np.zeros_like(images[0])] * (-len(images) % group)
    filled = [*images, *black]
    parts = [net(np.stack(filled[at : at + group])) for at in range(0, len(filled), group)]
    return [np.concatenate(answers)[: len(images)] for answers in zip(*parts, strict=True)]
