"""The network of occluders as training sees it: `maskgen.masks.occluders.network` in PyTorch, with norms."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from maskgen.masks.occluders.network import LAYERS, enlarging_map

PLACES = ((8, 18), (18, 38), (38, 76))


class Net(nn.Module):
    """Each layer of LAYERS with a norm, but the last."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict({
            name: nn.Sequential(nn.Conv2d(into, out, side, step, around, bias=False), nn.BatchNorm2d(out))
            for name, (into, out, side, step, around) in LAYERS.items() if name != "last"
        })  # fmt: skip
        into, out, side, _, _ = LAYERS["last"]
        self.last = nn.Conv2d(into, out, side)
        nn.init.constant_(self.last.bias, -3.0)
        for small, large in PLACES:
            self.register_buffer(f"by{small}", torch.from_numpy(enlarging_map(small, large)), persistent=False)

    def _stay(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(x + self.layers[name](x))

    def _up(self, name: str, x: torch.Tensor) -> torch.Tensor:
        y = self.layers[name](x)
        by = getattr(self, f"by{y.shape[2]}")
        return by @ y @ by.T

    def forward(self, maps: list[torch.Tensor], channels: torch.Tensor) -> torch.Tensor:
        """Logits (n, SORTS, CELLS, CELLS)."""
        layer, (fine, middle, coarse) = self.layers, maps
        cells = torch.relu(layer["cells1"](channels))
        at38 = torch.relu(layer["cells2"](cells) + layer["fine"](fine))
        at18 = torch.relu(layer["down18"](at38) + layer["middle"](middle))
        at8 = torch.relu(layer["down8"](at18) + layer["coarse"](coarse))
        at8 = self._stay("stay2", self._stay("stay1", at8))
        at18 = self._stay("stay4", self._stay("stay3", torch.relu(at18 + self._up("up18", at8))))
        at38 = torch.relu(layer["beside38"](at38) + self._up("up38", at18))
        at38 = self._stay("stay6", self._stay("stay5", at38))
        cells = self._stay("stay7", torch.relu(layer["beside76"](cells) + self._up("up76", at38)))
        return self.last(cells)


def stored(net: Net) -> dict[str, np.ndarray]:
    """The weights with the norms folded in, float16."""
    out = {"last.w": net.last.weight, "last.b": net.last.bias}
    for name, (conv, norm) in net.layers.items():
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        out[f"{name}.w"] = conv.weight * scale[:, None, None, None]
        out[f"{name}.b"] = norm.bias - norm.running_mean * scale
    return {name: value.detach().contiguous().numpy().astype(np.float16) for name, value in out.items()}
