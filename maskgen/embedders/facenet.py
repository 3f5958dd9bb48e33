"""facenet-pytorch's trained InceptionResnetV1, where its weights can be had: a second figure to put beside a model."""

from __future__ import annotations

import torch

from maskgen.core.records import Floats
from maskgen.trainer.models import build_model
from maskgen.trainer.recipe import DataSpec, ModelSpec
from maskgen.trainer.transforms import normalised

from .base import FaceEmbedder, Images
from .trained import torch_device

WEIGHTS = ("vggface2", "casia-webface")


class Facenet(FaceEmbedder):
    """512 numbers a face.

    Args:
        weights: "vggface2" or "casia-webface": what it was trained on.

    Raises:
        UserError: the weights are not there and cannot be downloaded, or there is no such device.
    """

    dim = 512
    size = 160

    def __init__(self, weights: str = WEIGHTS[0], device: str = "cpu") -> None:
        self.name = "facenet" if weights == WEIGHTS[0] else f"facenet:{weights}"
        self._device = torch_device(device)
        model = build_model(ModelSpec("inception_resnet_v1", weights, "avg", self.dim))
        self._model = model.to(self._device).eval()

    def _embed(self, images: Images) -> Floats:
        data = DataSpec()  # its default normalisation is facenet's
        with torch.inference_mode():
            shown = normalised(torch.from_numpy(images).to(self._device), data.mean, data.std)
            found: Floats = self._model(shown.contiguous()).float().cpu().numpy()
        return found
