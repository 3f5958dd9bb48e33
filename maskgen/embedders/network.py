"""PyTorch networks as embedders."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from maskgen.core.reasons import UserError
from maskgen.core.records import Floats
from maskgen.trainer.data.transforms import normalised
from maskgen.trainer.recipes.recipe import DataSpec

from .base import FaceEmbedder, Images

_AT_ONCE = 64  # pictures that go through the network together


class NetworkEmbedder(FaceEmbedder):
    """A network in float32, with the input size and normalisation that it was trained with.

    Args:
        model: float32 (n, 3, size, size) to (n, dim), or from features (n, d).
        data: the recipe's words about the input.
        features: whose embeddings the network takes in place of pictures; None for pictures.

    Raises:
        UserError: there is no such device.
    """

    def __init__(
        self,
        name: str,
        model: nn.Module,
        dim: int,
        data: DataSpec,
        device: str = "cpu",
        features: FaceEmbedder | None = None,
    ) -> None:
        self.name, self.dim, self.data, self.features = name, dim, data, features
        self.size = data.size if features is None else features.size
        self.device = torch_device(device)
        self.model = model.to(self.device).eval()

    def _embed(self, images: Images) -> Floats:
        values = torch.from_numpy(images if self.features is None else self.features.embed(images))
        with torch.inference_mode():
            parts = [self.model(self.shown(part.to(self.device))) for part in torch.split(values, _AT_ONCE)]
        found: Floats = torch.cat(parts).float().cpu().numpy()
        return found

    def shown(self, values: Tensor) -> Tensor:
        """What the network takes: uint8 pictures (n, size, size, 3) normalised, features (n, d) as they are."""
        if values.dtype != torch.uint8:
            return values
        return normalised(values, self.data.mean, self.data.std).contiguous()


def torch_device(name: str) -> torch.device:
    """A device by its name.

    Raises:
        UserError: there is no such device here.
    """
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as fault:
        detail = str(fault).splitlines()[0].rstrip(".")
        raise UserError(f"--device {name} cannot be used here ({detail}): try --device cpu.") from None
    return device
