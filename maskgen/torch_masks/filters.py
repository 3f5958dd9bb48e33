"""Blurs with a kernel for each picture of a batch."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F  # noqa: N812


def blurred(planes: Tensor, kernels: Tensor, radii: Sequence[int] | None = None) -> Tensor:
    """Planes blurred down and across, each picture with its own kernel; the picture's edge is repeated.

    It is a sum of shifted planes in a fixed order, so that no picture's sum depends on the others in the batch.

    Args:
        planes: float32 (channels, n, height, width).
        kernels: float32 (n, odd).
        radii: of each kernel without the zeros at its ends, never increasing: spares the work on the zeros.
    """
    radius = kernels.shape[1] // 2
    radii = [radius] * planes.shape[1] if radii is None else radii
    across = F.pad(planes, (radius, radius, 0, 0), mode="replicate")
    planes = _summed(across, kernels, radii, 3)
    return _summed(F.pad(planes, (0, 0, radius, radius), mode="replicate"), kernels, radii, 2)


def _summed(padded: Tensor, kernels: Tensor, radii: Sequence[int], axis: int) -> Tensor:
    """The weighted sum of shifts along an axis; `padded` is longer by the kernels' length without one.

    Each step is one rounded operation: a fused one is not the same in all places of an array.
    """
    radius = kernels.shape[1] // 2
    length = padded.shape[axis] - 2 * radius
    out = padded.narrow(axis, radius, length) * kernels[:, radius, None, None]
    for away in range(1, radius + 1):
        count = bisect_left(radii, 1 - away, key=lambda each: -each)  # those whose kernel is so long
        before, after = (padded.narrow(axis, radius + by, length)[:, :count] for by in (-away, away))
        both = before + after
        both *= kernels[:count, radius + away, None, None]
        out[:, :count] += both
    return out
