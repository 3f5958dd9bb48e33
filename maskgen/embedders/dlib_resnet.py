"""dlib's recognition network, ready as it comes: the figure to put beside every model.

Its weights are in the package face_recognition_models, so it needs no download.

Source: King, High quality face recognition with deep metric learning, 2017 (dlib.net).
"""

from __future__ import annotations

import numpy as np

from maskgen.core.extras import need
from maskgen.core.reasons import UserError
from maskgen.core.records import Floats
from maskgen.faces.landmarks import default_model

from .base import FaceEmbedder, Images
from .dlib_chips import Chipper

MODEL = "dlib_face_recognition_resnet_model_v1.dat"


class DlibResnet(FaceEmbedder):
    """128 numbers a face, 57 ms of one core (measured on a busy machine).

    dlib's own thresholds are for embeddings as they come; those of length 1 tell people apart as well.

    Raises:
        UserError: dlib or its weights are not installed, or another device than the CPU is asked for.
    """

    name = "dlib"
    dim = 128
    size = 160

    def __init__(self, device: str = "cpu") -> None:
        if device != "cpu":
            raise UserError(f"dlib's network runs on the CPU, not on {device}: leave out --device.")
        weights = default_model().with_name(MODEL)
        if not weights.is_file():
            raise UserError(f"{weights} is missing: pip install --force-reinstall face_recognition_models.")
        self._net = need("dlib", "train").face_recognition_model_v1(str(weights))
        self._chipper = Chipper()

    def _embed(self, images: Images) -> Floats:
        chips = self._chipper.chips(list(images))
        return np.array([np.asarray(self._net.compute_face_descriptor(chip)) for chip in chips], np.float32)
