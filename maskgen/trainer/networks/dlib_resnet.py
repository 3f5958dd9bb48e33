"""dlib's face recognition network as a PyTorch module.

Source: King, High quality face recognition with deep metric learning, 2017 (dlib.net): a ResNet of 29 convolutions,
with half the filters per layer of ResNet-34 (He et al., Deep Residual Learning for Image Recognition, 2016).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskgen.core.dlib_models.network_file import STAGES, STEM_SIDE

SIDE = 150  # of the input, in pixels
WIDTH, DIM = 256, 128  # channels of the last maps; length of an embedding
# Of red, green and blue in 0..1; dlib divides bytes by 256.
MEAN = (122.782 / 255, 117.001 / 255, 104.298 / 255)
STD = (256 / 255,) * 3


class Block(nn.Module):
    """Two convolutions with a skip connection.

    If the map is halved, the skip connection is average pooling over 2 x 2, and both maps are padded with zeros to the
    same size and number of channels, as in dlib's `add_prev`.
    """

    def __init__(self, into: int, out: int, halves: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(into, out, 3, 2 if halves else 1, 0 if halves else 1)
        self.second = nn.Conv2d(out, out, 3, 1, 1)
        self.halves = halves

    def forward(self, maps: Tensor) -> Tensor:
        """float (n, into, h, w) to (n, out, h', w')."""
        found = self.second(torch.relu(self.first(maps)))
        if not self.halves:
            return torch.relu(found + maps)
        past = nn.functional.avg_pool2d(maps, 2)
        rows, columns = (max(one, other) for one, other in zip(found.shape[2:], past.shape[2:], strict=True))
        return torch.relu(_filled(found, found.shape[1], rows, columns) + _filled(past, found.shape[1], rows, columns))


def _filled(maps: Tensor, channels: int, rows: int, columns: int) -> Tensor:
    """Maps padded with zeros to this size: channels at the end, rows below, columns on the right."""
    more = (0, columns - maps.shape[3], 0, rows - maps.shape[2], 0, channels - maps.shape[1])
    return nn.functional.pad(maps, more) if any(more) else maps


class DlibBackbone(nn.Sequential):
    """float32 (n, 3, 150, 150), normalised by `MEAN` and `STD`, to maps (n, 256, 2, 2).

    dlib's affine layers, which replace the batch norm of its training, are merged into the convolutions before them.
    The children are `stem` and `stage1` to `stage5`.
    """

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(nn.Conv2d(3, 32, STEM_SIDE, 2), nn.ReLU(), nn.MaxPool2d(3, 2))
        self.add_module("stem", stem)
        for number, (into, out, many) in enumerate(STAGES, 1):
            blocks = [Block(into if at == 0 else out, out, halves=at == 0 and number > 1) for at in range(many)]
            self.add_module(f"stage{number}", nn.Sequential(*blocks))


def convolutions(backbone: nn.Module) -> list[nn.Conv2d]:
    """The 29 convolutions in the order of the forward pass."""
    return [module for module in backbone.modules() if isinstance(module, nn.Conv2d)]
