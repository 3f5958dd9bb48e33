"""What every model that is judged has in common: crops of faces in, embeddings of length 1 out."""

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

    The base class checks and resizes what goes in, checks what comes out and brings it to length 1.

    Attributes:
        name: for reports.
        dim: numbers in an embedding.
        size: side of the crops that it works on, in pixels; others are resized.
        alignment: of the crops that it was trained on, see `core.alignments`; "" where it takes any, since it looks for
            the face itself, or where nothing says.
        needs_alignment: whether crops of another alignment are refused; else a warning is enough.
    """

    name: str
    dim: int
    size: int
    alignment: str = ""
    needs_alignment: bool = True

    def embed(self, images: Images | Sequence[Image]) -> Floats:
        """Embeddings of crops.

        Args:
            images: uint8 RGB (n, height, width, 3), or a list of (height, width, 3) of any sizes.

        Returns:
            float32 (n, dim), each of length 1. A model that is broken may give NaN.

        Raises:
            ValueError: something else than such pictures.
        """
        if not len(images):
            return np.zeros((0, self.dim), np.float32)
        found = self._embed(np.stack([resized(image, self.size) for image in images]))
        if found.shape != (len(images), self.dim):
            raise ValueError(f"{self.name} gave {found.shape} for {len(images)} pictures, not (n, {self.dim})")
        return normalised(found)

    @abstractmethod
    def _embed(self, images: Images) -> Floats:
        """Embeddings (n, dim) of any length, for uint8 (n, size, size, 3), n > 0."""
