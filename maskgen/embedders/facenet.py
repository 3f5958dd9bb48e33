"""facenet-pytorch's pretrained InceptionResnetV1, a second baseline; its weights are downloaded."""

from __future__ import annotations

from maskgen.core.alignment_names import FACENET
from maskgen.trainer.networks.backbones import load_facenet
from maskgen.trainer.networks.models import build_model, fill_inception
from maskgen.trainer.recipes.recipe import DataSpec, ModelSpec

from .torch_network import NetworkEmbedder

WEIGHTS = ("vggface2", "casia-webface")


def facenet(weights: str = WEIGHTS[0], device: str = "cpu") -> NetworkEmbedder:
    """Embeddings of 512 numbers from faces of 160 pixels.

    Args:
        weights: its training set, one of `WEIGHTS`.

    Raises:
        UserError: the weights cannot be downloaded, or the device is not available.
    """
    model = build_model(ModelSpec("inception_resnet_v1", "", "avg", 512))
    fill_inception(model, load_facenet(weights))
    data = DataSpec(size=160)  # its default normalisation is facenet's
    embedder = NetworkEmbedder(f"facenet:{weights}", model, model.dim, data, device)
    embedder.alignment, embedder.needs_alignment = FACENET, False
    return embedder
