"""The recogniser `masked`: dlib's network with its last three stages and neck trained on masked faces.

The frozen layers are dlib's own, from the package face_recognition_models; the trained ones are in weights/
with their model card.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import torch
from torch import Tensor, nn

from maskgen.core.extras import need
from maskgen.trainer.networks.dlib_resnet import DIM

from .dlib_resnet import dlib_resnet
from .torch_network import NetworkEmbedder

NAME = "masked"


class MirrorAveraged(nn.Module):
    """A network applied to each picture and its mirror image: the mean of both embeddings, each of length 1.

    It applies to enrolled pictures and probes. The network runs twice per picture, face detection once.

    Source: test-time mirroring, as InsightFace's verification adds the embeddings of a crop and of its mirror image.

    Args:
        model: float32 (n, 3, side, side) to (n, dim).
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """float32 (n, 3, side, side) to (n, dim)."""
        found = [nn.functional.normalize(self.model(one)) for one in (images, torch.flip(images, (3,)))]
        return (found[0] + found[1]) / 2


def trained_on() -> tuple[str, ...] | None:
    """The names of the people of LFW on which the weights were trained; None if the list is missing."""
    path = resources.files(__package__) / "weights" / f"{NAME}_people.txt"
    return tuple(path.read_text("utf-8").splitlines()) if path.is_file() else None


def masked(device: str = "cpu") -> NetworkEmbedder:
    """Embeddings of 128 numbers, as those of `dlib`; both networks have the same frozen first layers.

    Raises:
        UserError: a package or dlib's weights are not installed, or the device is not available.
    """
    safetensors: Any = need("safetensors.torch", "train")
    found = dlib_resnet()
    data = (resources.files(__package__) / "weights" / f"{NAME}.safetensors").read_bytes()
    learnt = {name: value.float() for name, value in safetensors.load(data).items()}
    missing = found.model.load_state_dict({**found.model.state_dict(), **learnt})
    assert not missing.unexpected_keys
    return NetworkEmbedder(NAME, MirrorAveraged(found.model), DIM, found.data, device)
