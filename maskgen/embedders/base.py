"""The base of all embedders: face crops in, embeddings of length 1 out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maskgen.core.records import Floats, Image
from maskgen.metrics.distances import normalised
from maskgen.trainer.data.transforms import resized

Images = NDArray[np.uint8]


class FaceEmbedder(ABC):
    """Turns aligned crops, as `maskgen mask` and `maskgen gallery` cut them, into embeddings.

    The base class checks and resizes the input, checks the output and normalises it to length 1.

    Attributes:
        name: for reports.
        dim: length of an embedding vector.
        size: side of its input in pixels; other crops are resized.
        alignment: of the crops that it was trained on, see `core.alignment_names`; "" if it takes any, because it
            detects the face itself, or if unknown.
        needs_alignment: whether crops of another alignment are refused; otherwise only a warning is given.
        note: what a user should know of the choice of the model, a sentence; "" for nothing.
    """

    name: str
    dim: int
    size: int
    alignment: str = ""
    needs_alignment: bool = True
    note: str = ""

    def embed(self, images: Images | Sequence[Image]) -> Floats:
        """Embeddings of crops.

        Args:
            images: uint8 RGB (n, height, width, 3), or a list of (height, width, 3) of any sizes.

        Returns:
            float32 (n, dim), each of length 1; NaN from a diverged model.

        Raises:
            ValueError: other shapes or types.
        """
        if not len(images):
            return np.zeros((0, self.dim), np.float32)
        found = self._embed(np.stack([resized(image, self.size) for image in images]))
        if found.shape != (len(images), self.dim):
            raise ValueError(f"{self.name} gave {found.shape} for {len(images)} pictures, not (n, {self.dim})")
        return normalised(found)

    @abstractmethod
    def _embed(self, images: Images) -> Floats:
        """Embeddings (n, dim), not normalised, for uint8 (n, size, size, 3), n > 0."""
