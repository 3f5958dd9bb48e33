"""A checkpoint as an embedder, an adapter on another recogniser's embeddings included."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from maskgen.core.reasons import UserError
from maskgen.core.records import Floats
from maskgen.trainer.checkpoints import load_model
from maskgen.trainer.models import Embedder
from maskgen.trainer.recipe import Recipe
from maskgen.trainer.transforms import normalised

from .base import FaceEmbedder, Images
from .dlib_resnet import DlibResnet

_AT_ONCE = 64  # pictures that go through the network together


class Trained(FaceEmbedder):
    """The network of a checkpoint, in float32, with its recipe's input size and normalisation.

    Args:
        path: what `maskgen train` wrote, or a model file of the reference's.
        device: as PyTorch names it.
        trust_pickle: see `maskgen.trainer.checkpoints.load_model`.

    Raises:
        UserError: it cannot be read, or there is no such device.
    """

    def __init__(self, path: Path, device: str = "cpu", trust_pickle: bool = False) -> None:
        model, recipe = load_model(path, trust_pickle)
        # What an adapter adapts: the recogniser whose embeddings it takes.
        self.features = DlibResnet() if recipe.data.features == DlibResnet.name else None
        self.name = recipe.name
        self.recipe: Recipe = recipe
        self.dim = model.dim
        self.size = recipe.data.size if self.features is None else self.features.size
        self.device = torch_device(device)
        self.model: Embedder = model.to(self.device).eval()

    def _embed(self, images: Images) -> Floats:
        values = torch.from_numpy(images if self.features is None else self.features.embed(images))
        with torch.inference_mode():
            parts = [
                self.model(self.shown(part.to(self.device))).float().cpu() for part in torch.split(values, _AT_ONCE)
            ]
        found: Floats = torch.cat(parts).numpy()
        return found

    def shown(self, values: Tensor) -> Tensor:
        """What the network takes: uint8 pictures (n, size, size, 3) normalised, features (n, d) as they are."""
        if values.dtype != torch.uint8:
            return values
        return normalised(values, self.recipe.data.mean, self.recipe.data.std).contiguous()


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
