"""Intersection over union (IOU) of the histograms of genuine and impostor distances, and their crossing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from maskgen.core.reasons import are

from .checks import check_count
from .distances import ALIKE

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two histograms of distances over the same bins.

    Convention:
        - `edges` float64 (bins + 1,), ascending from the smallest distance of all to the largest
        - `same` and `different` float64 (bins,) are densities of genuine and impostor distances; their integrals are 1
        - `iou` is the area under both curves over the area under either, 0 (separate) to 1 (equal)
        - `threshold` is where the curves cross: a smaller distance matches
        - `degenerate` is "" or a sentence; then `iou` is 1.0, `threshold` NaN, and the arrays may be empty
    """

    threshold: float
    iou: float
    edges: Doubles
    same: Doubles
    different: Doubles
    degenerate: str = ""


def compare_histograms(same: ArrayLike, different: ArrayLike, bins: int = 100) -> Overlap:
    """The histograms of genuine and impostor distances, their IOU and crossing. It never raises on distances.

    Args:
        same: (n,), any float type.
        different: (m,).
        bins: number of bins over the range of all distances, at least 1.

    Raises:
        ValueError: `bins` is another number.

    Of several crossings the one with the lowest sum of both error rates is taken, interpolated linearly between the
    bins' centres. If the two histograms are separate, the threshold is the middle of the gap.
    """
    check_count("bins", bins)
    one, other = (np.asarray(values, np.float64).ravel() for values in (same, different))
    fault = _fault(one, other)
    if fault:
        return _nothing(fault)
    counts, others, edges = _histograms(one, other, bins)
    width = edges[1] - edges[0]
    densities = counts / (len(one) * width), others / (len(other) * width)
    # Integer arithmetic over n * m, so that ties are exact.
    shares, other_shares = counts * len(other), others * len(one)
    lead = np.concatenate([[0], np.cumsum(shares - other_shares)])
    if lead.max() < -lead.min() or lead.max() == 0:
        fault = "Impostor distances are no larger than genuine ones."
        return Overlap(float("nan"), 1.0, edges, *densities, fault)
    both = int(np.minimum(shares, other_shares).sum())
    return Overlap(_crossing(lead, edges), both / (2 * len(one) * len(other) - both), edges, *densities)


def _fault(same: Doubles, different: Doubles) -> str:
    if not len(same) or not len(different):
        return f"There are no distances of {'different people' if len(same) else 'the same person'}."
    every = np.concatenate([same, different])
    wrong = int(np.count_nonzero(~np.isfinite(every)))
    if wrong:
        return f"{wrong:,} of {len(every):,} distances {are(wrong)} not finite."
    if np.ptp(every) <= ALIKE * max(1.0, float(np.abs(every).max())):
        return f"All {len(every):,} distances are {every[0]:.6g}: the embeddings have collapsed into one."
    return ""


def _nothing(fault: str) -> Overlap:
    none = np.empty(0, np.float64)
    return Overlap(float("nan"), 1.0, none, none, none, fault)


def _histograms(same: Doubles, different: Doubles, bins: int) -> tuple[Ints, Ints, Doubles]:
    span = min(same.min(), different.min()), max(same.max(), different.max())
    edges = np.linspace(*span, bins + 1)
    counts, others = (np.histogram(values, edges)[0].astype(np.int64) for values in (same, different))
    return counts, others, edges


def _crossing(lead: Ints, edges: Doubles) -> float:
    """The bin edge with the largest difference of the cumulative distributions.

    Source: Youden's J, the Kolmogorov-Smirnov distance.
    """
    first = last = int(lead.argmax())
    while last + 1 < len(lead) and lead[last + 1] == lead[first]:
        last += 1
    if first != last:
        return float(edges[first] + edges[last]) / 2
    before, after = int(lead[first] - lead[first - 1]), int(lead[first] - lead[first + 1])
    width = edges[1] - edges[0]
    return float(edges[first] + width * (before / (before + after) - 0.5))
