"""A checkpoint as an embedder, including adapters on another recogniser's embeddings."""

from __future__ import annotations

from pathlib import Path

from maskgen.trainer.checkpoints import load_model, trained_alignment

from .dlib_resnet import NAME as DLIB
from .dlib_resnet import dlib_resnet
from .torch_network import NetworkEmbedder


def trained(path: Path, device: str = "cpu", trust_pickle: bool = False) -> NetworkEmbedder:
    """The network of a checkpoint, named after its recipe.

    Args:
        path: a checkpoint of `maskgen train`, or a model file of the reference.
        device: as PyTorch names it.
        trust_pickle: see `maskgen.trainer.checkpoints.load_model`.

    Raises:
        UserError: it cannot be read, or the device is not available.
    """
    model, recipe = load_model(path, trust_pickle)
    features = dlib_resnet(device) if recipe.data.features == DLIB else None
    embedder = NetworkEmbedder(recipe.name, model, model.dim, recipe.data, device, features)
    if features is None and not recipe.data.align:  # otherwise the face is detected in the crop
        embedder.alignment = trained_alignment(path)
    return embedder
