"""MTCNN's three networks in batches of fixed size, so that a result does not depend on the batch.

The last batch is padded with black pictures: for another batch size, other kernels run, and their last bits differ.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from maskgen.core.extras import check_device_name, need
from maskgen.core.reasons import UserError
from maskgen.core.records import Floats, Image
from maskgen.faces.mtcnn.openvino_nets import OpenVinoNets
from maskgen.faces.mtcnn.torch_nets import TorchNets

Net = Callable[[Sequence[Image], int], list[Floats]]
# Batch sizes of PNet, RNet and ONet. On the CPU, larger batches save 5 % of the time, but lose more to the padding.
GROUPS = {"cpu": (2, 4, 2), "cuda": (256, 256, 256)}
# Most pixels per call of PNet, which bounds its memory: larger canvases go in smaller batches, at least one canvas.
MOST_PIXELS = {"cpu": 1 << 16, "cuda": 1 << 24}


def check_device(device: str) -> None:
    """Raise UserError unless the device is "cpu", or an available GPU: "cuda", or "cuda:N" with its number."""
    check_device_name(device)
    kind, _, number = device.partition(":")
    if kind == "cuda":
        need("torch", "train")
        import torch

        if int(number or 0) >= torch.cuda.device_count():
            raise UserError(f"--device {device} is not there: PyTorch sees {torch.cuda.device_count()} CUDA devices.")


class Nets:
    """The networks of the cascade.

    Args:
        device: "cpu", or a GPU, such as "cuda" or "cuda:1".

    Raises:
        UserError: there is no such device, or the weights are not installed.
    """

    def __init__(self, device: str = "cpu") -> None:
        check_device(device)
        kind = device.partition(":")[0]
        self._groups, self._most = GROUPS[kind], MOST_PIXELS[kind]
        self._nets = OpenVinoNets(self._groups[1:]) if kind == "cpu" else TorchNets(device)

    def propose(self, canvases: Sequence[Image]) -> tuple[Floats, Floats]:
        """PNet on canvases of one size, uint8 (height, width, 3).

        Returns:
            Scores (n, rows, columns) and box offsets (n, 4, rows, columns) of windows at a stride of two pixels.
        """
        pixels = canvases[0].shape[0] * canvases[0].shape[1]
        # A power of two that depends on the canvas's size alone: the batch size decides the last bits of a result.
        group = min(self._groups[0], max(1, 1 << int(np.log2(max(self._most / pixels, 1)))))
        shift, score = _grouped(self._nets.pnet, canvases, group)
        return score[:, 1], shift

    def refine(self, patches: Sequence[Image]) -> tuple[Floats, Floats]:
        """RNet on patches (24, 24, 3): scores (n,) and box offsets (n, 4)."""
        shift, score = _grouped(self._nets.rnet, patches, self._groups[1])
        return score[:, 1], shift

    def output(self, patches: Sequence[Image]) -> tuple[Floats, Floats, Floats]:
        """ONet on patches (48, 48, 3).

        Returns:
            Scores (n,), box offsets (n, 4), and five landmarks (n, 10), five x and then five y, as shares of the patch.
        """
        shift, points, score = _grouped(self._nets.onet, patches, self._groups[2])
        return score[:, 1], shift, points


def _grouped(net: Net, images: Sequence[Image], group: int) -> list[Floats]:
    parts = [net(images[at : at + group], group) for at in range(0, len(images), group)]
    return [np.concatenate(answers)[: len(images)] for answers in zip(*parts, strict=True)]
