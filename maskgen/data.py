"""Training sets for PyTorch's DataLoader: InsightFace's `.rec` without MXNet, and every list that `train` reads.

Example:
    from maskgen.data import RecordDataset
    dataset = RecordDataset("PACKED/train.rec")
    image, label = dataset[0]     # float32 (3, height, width) in -1..1, RGB; int64
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from maskgen.core.images import DEFAULT_MAX_PIXELS
from maskgen.core.reasons import SetAsideError, UserError
from maskgen.core.records import Image
from maskgen.formats.reading import read_photo
from maskgen.trainer.data.lists import TrainingList, read_training_list

Transform = Callable[[Image], Any]


def to_tensor(image: Image) -> torch.Tensor:
    """uint8 RGB (height, width, 3) to float32 (3, height, width), -1..1, the usual input of face recognisers."""
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))).float().div_(127.5).sub_(1.0)


class ListDataset(torch.utils.data.Dataset[tuple[Any, torch.Tensor]]):
    """The pictures of a training list, map-style; any number of DataLoader workers may read it.

    Attributes:
        labels: the person of each target, as in the list; targets are 0 to len(labels) - 1.
        targets: int64 (n,), the target of each picture.

    Example:
        >>> dataset = ListDataset("OUT/train.csv")                        # doctest: +SKIP
        >>> loader = torch.utils.data.DataLoader(dataset, 128, shuffle=True, num_workers=4)   # doctest: +SKIP
    """

    def __init__(
        self, source: str | Path, transform: Transform | None = None, max_pixels: int = DEFAULT_MAX_PIXELS
    ) -> None:
        """Read the list, not the pictures.

        Args:
            source: a `train.csv`, a `.rec`, a tar, or a folder that holds one of them.
            transform: converts a picture, uint8 RGB (height, width, 3), to a sample; None for `to_tensor`. Start a
                torchvision transform for tensors or PIL images with a conversion.
            max_pixels: a picture with more pixels is refused before it is decoded.

        Raises:
            UserError: the list does not exist, cannot be read, or has no picture.
        """
        self._list: TrainingList = read_training_list(Path(source), least=1)
        self._transform = transform or to_tensor
        self._max_pixels = max_pixels
        self.targets = self._list.targets
        self.labels = self._list.labels

    def __len__(self) -> int:
        return len(self._list)

    def __getitem__(self, row: int) -> tuple[Any, torch.Tensor]:
        """The sample of a picture, and its target as an int64 tensor without dimensions.

        Raises:
            IndexError: the row does not exist.
            UserError: the picture cannot be read; names it.
        """
        if not -len(self) <= row < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        address = self._list.addresses[int(row) % len(self)].as_py()
        try:
            image = read_photo(self._list.root, address, self._max_pixels).image
        except SetAsideError as fault:
            raise UserError(f"{address} in {self._list.root} cannot be read: {fault}.") from None
        return self._transform(image), torch.tensor(int(self.targets[row]), dtype=torch.int64)

    @property
    def num_classes(self) -> int:
        """The number of people."""
        return len(self.labels)


class RecordDataset(ListDataset):
    """The pictures of an InsightFace RecordIO set, read without MXNet; see `ListDataset`.

    It replaces `MXFaceDataset` in arcface_torch: the header and the records of people are not samples, and samples are
    in the order of their labels.
    """

    def __init__(
        self, source: str | Path, transform: Transform | None = None, max_pixels: int = DEFAULT_MAX_PIXELS
    ) -> None:
        """Read the index and the labels.

        Args:
            source: a `.rec`, or the folder that holds `train.rec`.
            transform: see `ListDataset`.
            max_pixels: see `ListDataset`.

        Raises:
            UserError: the file does not exist, cannot be read, or has no picture.
        """
        path = Path(source)
        rec = path / "train.rec" if path.is_dir() else path
        if rec.suffix.lower() != ".rec" or not rec.is_file():
            raise UserError(f"{rec} is no RecordIO file: give a .rec, or a folder that holds train.rec.")
        super().__init__(rec, transform, max_pixels)
