"""The weights of dlib's face recognition network for its PyTorch module."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from maskgen.core.dlib_models.installed import installed_model
from maskgen.core.dlib_models.network_file import FILE, Layers
from maskgen.core.reasons import UserError

from .dlib_resnet import DIM, WIDTH, DlibBackbone, convolutions


def dlib_file() -> Path:
    """The network's file in the package face_recognition_models.

    Raises:
        UserError: it is not installed, or lacks the file.
    """
    return installed_model(FILE)


def load_dlib(path: Path) -> dict[str, Tensor]:
    """The weights, with their names in an `Embedder` with a `DlibBackbone` and a linear neck, float32.

    Raises:
        UserError: the file is not this network.
    """
    try:
        return _weights(Layers(path))
    except ValueError as fault:
        raise UserError(f"{path} is not dlib's face recognition network ({fault}).") from None


def _weights(layers: Layers) -> dict[str, Tensor]:
    backbone = DlibBackbone()
    for own in convolutions(backbone):
        _fill(own, *layers.convolution(own.out_channels, own.in_channels, own.kernel_size[0]))
    linear = layers.linear(DIM, WIDTH)
    layers.end()
    found = {f"backbone.{name}": value for name, value in backbone.state_dict().items()}
    return {**found, "neck.weight": torch.from_numpy(linear)}


def _fill(own: nn.Conv2d, weight: np.ndarray, bias: np.ndarray) -> None:
    assert own.bias is not None
    with torch.no_grad():
        own.weight.copy_(torch.from_numpy(weight))
        own.bias.copy_(torch.from_numpy(bias))
