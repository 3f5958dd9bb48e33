"""A decoded picture as a network takes it: resized and flipped as bytes, normalised where the network is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor

from maskgen.core.records import Image, check_image


def resized(image: Image, size: int) -> Image:
    """The picture as size x size pixels, by area where it shrinks and linearly where it grows.

    Args:
        image: uint8 RGB (height, width, 3); one that is not square is stretched, as square crops never are.
    """
    check_image(image)
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    way = cv2.INTER_AREA if min(height, width) > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (size, size), interpolation=way), np.uint8)


def flipped(image: Image, rng: np.random.Generator) -> Image:
    """The picture or, as often, its mirror image."""
    return np.ascontiguousarray(image[:, ::-1]) if rng.random() < 0.5 else image


def normalised(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Pictures as a network takes them: float32 (n, 3, height, width), (value / 255 - mean) / std.

    Args:
        images: uint8 (n, height, width, 3), on the network's device: bytes are a quarter of what floats would be on
            the way there.
        mean, std: of each channel, red, green and blue, in 0..1.

    Returns:
        In memory the channels stay last; `contiguous()` puts them first.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(f"expected uint8 pictures (n, height, width, 3), got {images.dtype} {tuple(images.shape)}")
    scale, shift = _constants(tuple(mean), tuple(std), images.device)
    return (images.float() * scale + shift).permute(0, 3, 1, 2)


@cache
def _constants(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """What pixels are multiplied by and what is added, each (3,); made once, since a copy to a GPU waits for it."""
    with torch.inference_mode(False):
        scale = torch.tensor([1 / (255 * s) for s in std], dtype=torch.float32, device=device)
        shift = torch.tensor([-m / s for m, s in zip(mean, std, strict=True)], dtype=torch.float32, device=device)
    return scale, shift
