"""MTCNN's three networks on a GPU, run by PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from maskgen.core.networks.openvino_core import fill_batch
from maskgen.core.records import Floats, Image
from maskgen.faces.mtcnn.weights import load_weights

Run = Callable[[Any], tuple[Any, ...]]


class TorchNets:
    """The networks; each call takes pictures, uint8 (height, width, 3), with black ones after them up to `size`, and
    gives float32 arrays.

    The memory format is channels-last: it makes pooling ten times as fast, and convolution twice as fast.
    """

    def __init__(self, device: str) -> None:
        import torch

        self._torch: Any = torch
        self._device = torch.device(device)
        self._pnet, self._rnet, self._onet = (self._weights(name) for name in ("pnet", "rnet", "onet"))

    def pnet(self, pictures: Sequence[Image], size: int = 0) -> list[Floats]:
        """Box offsets (n, 4, rows, columns) and scores (n, 2, rows, columns)."""
        return self._run(self._run_pnet, pictures, size)

    def rnet(self, pictures: Sequence[Image], size: int = 0) -> list[Floats]:
        """Box offsets (n, 4) and scores (n, 2)."""
        return self._run(self._run_rnet, pictures, size)

    def onet(self, pictures: Sequence[Image], size: int = 0) -> list[Floats]:
        """Box offsets (n, 4), landmarks (n, 10) and scores (n, 2)."""
        return self._run(self._run_onet, pictures, size)

    def _weights(self, name: str) -> dict[str, Any]:
        last = self._torch.channels_last
        weights = {key: self._torch.from_numpy(value) for key, value in load_weights(name).items()}
        return {
            key: (value.contiguous(memory_format=last) if value.dim() == 4 else value).to(self._device)
            for key, value in weights.items()
        }

    def _conv(self, weights: dict[str, Any], number: str, x: Any) -> Any:
        """One convolution with its PReLU."""
        x = self._torch.conv2d(x, weights[f"conv{number}.weight"], weights[f"conv{number}.bias"])
        return self._torch.prelu(x, weights[f"prelu{number}.weight"])

    def _pool(self, x: Any, side: int) -> Any:
        return self._torch.max_pool2d(x, side, 2, 0, 1, True)

    def _dense(self, weights: dict[str, Any], name: str, x: Any) -> Any:
        return self._torch.nn.functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    def _head(self, weights: dict[str, Any], name: str, x: Any) -> Any:
        """A dense layer with few outputs, summed row by row.

        On some processors, such a narrow matrix product treats the rows of a batch differently: their last bits differ.
        """
        return (x.unsqueeze(1) * weights[f"{name}.weight"]).sum(-1) + weights[f"{name}.bias"]

    def _flat(self, x: Any) -> Any:
        """Features flattened in the order column, row, channel, as the dense layers were trained, (n, features)."""
        return x.permute(0, 3, 2, 1).reshape(len(x), -1)

    def _run_pnet(self, x: Any) -> tuple[Any, ...]:
        weights = self._pnet
        x = self._pool(self._conv(weights, "1", x), 2)
        x = self._conv(weights, "3", self._conv(weights, "2", x))
        score, shift = (
            self._torch.conv2d(x, weights[f"conv4_{part}.weight"], weights[f"conv4_{part}.bias"]) for part in (1, 2)
        )
        return shift, score.softmax(1)

    def _run_rnet(self, x: Any) -> tuple[Any, ...]:
        weights = self._rnet
        x = self._pool(self._conv(weights, "1", x), 3)
        x = self._pool(self._conv(weights, "2", x), 3)
        x = self._dense(weights, "dense4", self._flat(self._conv(weights, "3", x)))
        x = self._torch.prelu(x, weights["prelu4.weight"])
        return self._head(weights, "dense5_2", x), self._head(weights, "dense5_1", x).softmax(1)

    def _run_onet(self, x: Any) -> tuple[Any, ...]:
        weights = self._onet
        for number, side in (("1", 3), ("2", 3), ("3", 2)):
            x = self._pool(self._conv(weights, number, x), side)
        x = self._dense(weights, "dense5", self._flat(self._conv(weights, "4", x)))
        x = self._torch.prelu(x, weights["prelu5.weight"])
        score = self._head(weights, "dense6_1", x).softmax(1)
        return self._head(weights, "dense6_2", x), self._head(weights, "dense6_3", x), score

    def _run(self, net: Run, pictures: Sequence[Image], size: int) -> list[Floats]:
        batch = np.empty((max(size, len(pictures)), *pictures[0].shape), np.uint8)
        fill_batch(batch, pictures)
        # A caller's autocast would compute in bfloat16: other faces.
        with self._torch.inference_mode(), self._torch.autocast(self._device.type, enabled=False):
            # Channels-last (n, 3, h, w) has the memory layout of (n, h, w, 3): nothing is copied.
            tensor = self._torch.from_numpy(batch).permute(0, 3, 1, 2)
            tensor = tensor.to(self._device).to(self._torch.float32).sub_(127.5).mul_(1 / 128)
            return [answer.cpu().numpy() for answer in net(tensor)]
