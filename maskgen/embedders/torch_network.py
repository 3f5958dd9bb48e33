"""PyTorch networks as embedders."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from maskgen.core.reasons import UserError
from maskgen.core.records import Floats
from maskgen.trainer.data.transforms import normalised
from maskgen.trainer.recipes.recipe import DataSpec

from .base import FaceEmbedder, Images
from .chip_alignment import ChipAligner

CROP = 160  # side in pixels of crops in which the face is detected
# Pictures per group. The last group is padded: kernels for another size differ in the last bits, and a picture's
# embedding must not depend on its group.
GROUP = 16


class NetworkEmbedder(FaceEmbedder):
    """A network in float32, with the input size, alignment and normalisation of its training.

    Args:
        model: float32 (n, 3, size, size) to (n, dim), or from features (n, d).
        data: the recipe's settings of the input.
        features: the embedder whose embeddings are the network's input; None for pictures.

    Raises:
        UserError: the device is not available.
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
        self._chipper = ChipAligner() if data.align and features is None else None
        self.size = CROP if self._chipper else data.size if features is None else features.size
        self.device = torch_device(device)
        model.to(self.device).eval()
        self.model = model.to(memory_format=torch.channels_last)

    def _embed(self, images: Images) -> Floats:
        values = self._values(images)
        filled = np.concatenate([values, np.zeros((-len(values) % GROUP, *values.shape[1:]), values.dtype)])
        # A caller's autocast would compute in bfloat16: other embeddings.
        with torch.inference_mode(), torch.autocast(self.device.type, enabled=False):
            groups = torch.split(torch.from_numpy(filled).to(self.device), GROUP)
            found: Floats = torch.cat([self.model(self.shown(group)) for group in groups]).float().cpu().numpy()
        return found[: len(values)]

    def _values(self, images: Images) -> np.ndarray:
        """The network's values: the pictures, aligned crops of them, or their features."""
        if self.features is not None:
            return self.features.embed(images)
        return np.stack(self._chipper.chips(list(images))) if self._chipper else images

    def shown(self, values: Tensor) -> Tensor:
        """The network's input: uint8 pictures (n, side, side, 3) normalised, or features (n, d) unchanged."""
        if values.dtype != torch.uint8:
            return values
        return normalised(values, self.data.mean, self.data.std)


def torch_device(name: str) -> torch.device:
    """A device by its name.

    Raises:
        UserError: the device is not available here.
    """
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as fault:
        detail = str(fault).splitlines()[0].rstrip(".")
        raise UserError(f"--device {name} cannot be used here ({detail}): try --device cpu.") from None
    return device
