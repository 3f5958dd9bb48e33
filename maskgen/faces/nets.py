"""MTCNN's three networks with facenet-pytorch's weights, driven for speed and for one answer whatever the batch.

Channels lie last in memory: pooling is ten times faster so, convolution twice. Every network sees groups of one fixed
size, the last one filled up with black: a group of another size goes through kernels whose last bits differ.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.core.reasons import UserError
from maskgen.core.records import Floats, Image

# Pictures a call of PNet, RNet and ONet. On the CPU the largest is what its cache holds.
GROUPS = {"cpu": (16, 16, 8), "cuda": (256, 256, 256)}
# A canvas of more pixels than this many per call is judged in smaller groups, so that memory stays flat.
MOST_PIXELS = {"cpu": 1 << 16, "cuda": 1 << 24}

Run = Callable[[Any], tuple[Any, ...]]


def _weights_folder() -> Path:
    # Importing the package imports torchvision and torch's compiler: 1.4 s and 170 MB that nothing here uses.
    spec = importlib.util.find_spec("facenet_pytorch")
    if spec is None or not spec.submodule_search_locations:
        raise UserError("MTCNN's weights are missing: pip install facenet-pytorch")
    return Path(spec.submodule_search_locations[0]) / "data"


def check_device(device: str) -> None:
    """Raise UserError unless the device is "cpu", or "cuda" (with a number or not) and there."""
    import torch

    kind, colon, number = device.partition(":")
    if kind not in GROUPS or (colon and not number.isdecimal()) or (kind == "cpu" and colon):
        raise UserError(f"--device {device} is unknown: give cpu, cuda or cuda:N.")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise UserError(f"--device {device} is not there: PyTorch sees {torch.cuda.device_count()} CUDA devices.")


class Nets:
    """The networks of the cascade.

    Args:
        device: where they run: "cpu", "cuda", "cuda:1".

    Raises:
        UserError: there is no such device.
    """

    def __init__(self, device: str = "cpu") -> None:
        import torch

        check_device(device)
        self._torch: Any = torch
        self._device = torch.device(device)
        self._pnet, self._rnet, self._onet = (self._weights(name) for name in ("pnet", "rnet", "onet"))
        self._groups, self._most = GROUPS[self._device.type], MOST_PIXELS[self._device.type]

    def propose(self, canvases: Sequence[Image]) -> tuple[Floats, Floats]:
        """PNet on canvases of one size.

        Returns:
            Scores (n, rows, columns) and shifts (n, 4, rows, columns) of the windows, two pixels apart.
        """
        pixels = canvases[0].shape[0] * canvases[0].shape[1]
        # Powers of two only, and by the canvas's size alone: what a canvas is judged with decides its last bits.
        group = min(self._groups[0], max(1, 1 << int(np.log2(max(self._most / pixels, 1)))))
        shift, score = self._grouped(self._run_pnet, canvases, group)
        return score[:, 1], shift

    def refine(self, patches: Sequence[Image]) -> tuple[Floats, Floats]:
        """RNet on patches (24, 24, 3): scores (n,) and shifts (n, 4)."""
        shift, score = self._grouped(self._run_rnet, patches, self._groups[1])
        return score[:, 1], shift

    def judge(self, patches: Sequence[Image]) -> tuple[Floats, Floats, Floats]:
        """ONet on patches (48, 48, 3): scores (n,), shifts (n, 4) and five points (n, 10), x before y, in shares."""
        shift, points, score = self._grouped(self._run_onet, patches, self._groups[2])
        return score[:, 1], shift, points

    def _weights(self, name: str) -> dict[str, Any]:
        load: Any = self._torch.load
        weights = load(_weights_folder() / f"{name}.pt", map_location="cpu", weights_only=True)
        last = self._torch.channels_last
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
        """A dense layer of few outputs, summed row by row: a matrix product so narrow treats the rows of a group
        unlike each other on some processors, and their last bits differ."""
        return (x.unsqueeze(1) * weights[f"{name}.weight"]).sum(-1) + weights[f"{name}.bias"]

    def _flat(self, x: Any) -> Any:
        """Columns before rows before channels, as the dense layers were trained."""
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

    def _grouped(self, net: Run, images: Sequence[Image], group: int) -> list[Floats]:
        black = [np.zeros_like(images[0])] * (-len(images) % group)
        parts = [
            self._run(net, [*images[at : at + group], *black[: max(0, at + group - len(images))]])
            for at in range(0, len(images), group)
        ]
        return [np.concatenate(answers)[: len(images)] for answers in zip(*parts, strict=True)]

    def _run(self, net: Run, images: Sequence[Image]) -> list[Floats]:
        with self._torch.inference_mode():
            # (n, h, w, 3) in memory is what channels-last (n, 3, h, w) means: nothing is copied.
            tensor = self._torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
            tensor = tensor.to(self._device).to(self._torch.float32).sub_(127.5).mul_(1 / 128)
            return [answer.cpu().numpy() for answer in net(tensor)]
