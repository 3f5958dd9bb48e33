"""Preprocessing of pictures: resized and flipped as bytes, normalised on the network's device."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
import torch
from torch import Tensor

from maskgen.core.records import Image, check_image


def resized(image: Image, size: int) -> Image:
    """The picture resized to size x size pixels: area averaging to shrink, bilinear to enlarge.

    Args:
        image: uint8 RGB (height, width, 3); a picture that is not square is stretched.
    """
    check_image(image)
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    way = cv2.INTER_AREA if min(height, width) > size else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (size, size), interpolation=way), np.uint8)


def flipped(image: Image, rng: np.random.Generator) -> Image:
    """The picture or, with probability 1/2, its mirror image."""
    return np.ascontiguousarray(image[:, ::-1]) if mirrors(rng) else image


def mirrors(rng: np.random.Generator) -> bool:
    """The draw of `flipped`: whether it mirrors."""
    return bool(rng.random() < 0.5)


def normalised(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """Normalised pictures: float32 (n, 3, height, width), (value / 255 - mean) / std.

    Args:
        images: uint8 (n, height, width, 3), on the network's device; bytes are a quarter of the transfer of floats.
        mean, std: of each channel, red, green and blue, in 0..1.

    Returns:
        A channels-last tensor; `contiguous()` makes it channels-first in memory.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(f"expected uint8 pictures (n, height, width, 3), got {images.dtype} {tuple(images.shape)}")
    scale, shift = _constants(tuple(mean), tuple(std), images.device)
    return (images.float() * scale + shift).permute(0, 3, 1, 2)


@cache
def _constants(mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Scale and offset of the pixels, each (3,); cached, because a copy to a GPU synchronises."""
    with torch.inference_mode(False):
        scale = torch.tensor([1 / (255 * s) for s in std], dtype=torch.float32, device=device)
        shift = torch.tensor([-m / s for m, s in zip(mean, std, strict=True)], dtype=torch.float32, device=device)
    return scale, shift
