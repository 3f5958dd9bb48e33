"""dlib's pretrained recognition network, a baseline for every model.

Its weights are in the package face_recognition_models, so it needs no download and no dlib.

Source: King, High quality face recognition with deep metric learning, 2017 (dlib.net).
"""

from __future__ import annotations

from maskgen.trainer.networks.dlib_resnet import DIM, MEAN, SIDE, STD
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.recipe import DataSpec, ModelSpec

from .torch_network import NetworkEmbedder

NAME = "dlib"


def dlib_resnet(device: str = "cpu") -> NetworkEmbedder:
    """Embeddings of 128 numbers.

    dlib's own thresholds are for unnormalised embeddings; with length 1 the accuracy is the same.

    Raises:
        UserError: its weights are not installed, or the device is not available.
    """
    model = build_model(ModelSpec("dlib_resnet", "dlib", "avg", DIM, "linear"))
    return NetworkEmbedder(NAME, model, DIM, DataSpec(size=SIDE, mean=MEAN, std=STD, align="dlib"), device)
