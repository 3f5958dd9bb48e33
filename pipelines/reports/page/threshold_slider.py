"""The threshold slider of a page: cumulative counts of genuine and impostor distances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .html import Markup, tag

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_STEPS = 300


@dataclass(frozen=True, slots=True)
class PairLabels:
    """Labels of genuine and impostor pairs, and of their decisions on each side of the threshold."""

    same: str = "same person"
    different: str = "different people"
    near: str = "said same"
    far: str = "said different"


def judge_data(
    splits: Mapping[str, tuple[ArrayLike, ArrayLike]], threshold: float, sorts: PairLabels | None = None
) -> dict[str, Any]:
    """The data for the page's script.

    Args:
        splits: genuine distances (n,) and impostor distances (m,), by name.
        threshold: one of the slider's steps; NaN for the middle of all distances.
    """
    import numpy as np

    every = np.concatenate([np.asarray(part, np.float64).ravel() for pair in splits.values() for part in pair])
    every = every[np.isfinite(every)]
    low, high = (float(every.min()), float(every.max())) if len(every) else (0.0, 1.0)
    threshold = threshold if np.isfinite(threshold) else (low + high) / 2
    steps = np.unique([*np.linspace(min(low, threshold), max(high, threshold), _STEPS), threshold])
    sorts = sorts or PairLabels()
    return {
        "thresholds": [round(float(step), 6) for step in steps],
        "at": int(np.searchsorted(steps, threshold)),
        "said": [sorts.same, sorts.different, sorts.near, sorts.far],
        "splits": {
            name: dict(zip(("same", "different"), _sums(pair, steps), strict=True)) for name, pair in splits.items()
        },
    }


def _sums(pair: Sequence[ArrayLike], steps: Any) -> list[list[int]]:
    """The number of distances up to each step; the last step counts all, infinite ones too."""
    import numpy as np

    found = []
    for part in pair:
        values = np.sort(np.asarray(part, np.float64).ravel())
        sums = np.searchsorted(values, steps, side="right").tolist()
        found.append([*sums, len(values)])
    return found


def slider() -> Markup:
    """The element in which a page shows the slider."""
    return tag("div", data_judge="")
