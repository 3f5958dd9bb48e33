"""Plots of an evaluation: the eval distances, ROC, DET and the confusion matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maskgen.trainer.monitoring.figure import figure

from .folder import CONFUSION, DET, DISTANCES, ROC
from .splits import ALL, SORTS

if TYPE_CHECKING:
    from maskgen.metrics.verification import Confusion, Verification

    from .results import Evaluation

_SAME, _DIFFERENT = "#1f5fa8", "#b8500c"
_COLOURS = {ALL: "#222222", "masked-masked": "#b8500c", "masked-bare": "#7a3fa0", "bare-bare": "#1f5fa8"}
_LOWEST = 1e-4  # the lowest error rate on the axes


def write_pictures(found: Evaluation, folder: Path) -> None:
    """distances.png, roc.png, det.png and confusion.png."""
    curves = {name: found.splits.get(name) for name in (ALL, *SORTS.values())}
    drawn = {name: one for name, one in curves.items() if one is not None and not isinstance(one, str)}
    title = f"{found.embedder.name}, test pairs"
    _distances(folder / DISTANCES, found, title)
    _roc(folder / ROC, drawn, title)
    _det(folder / DET, drawn, title)
    _confusion(folder / CONFUSION, drawn[ALL].confusion, title)


def _distances(path: Path, found: Evaluation, title: str) -> None:
    import numpy as np

    judged, threshold = found.judged, found.threshold
    edges = np.linspace(0, max(float(judged.distances.max()), 1e-6), 101)
    with figure(path) as axes:
        for rows, colour, label in (
            (judged.same, _SAME, "same person"),
            (~judged.same, _DIFFERENT, "different people"),
        ):
            axes.hist(judged.distances[rows], edges, density=True, alpha=0.55, color=colour, label=label)
        axes.axvline(threshold.value, color="#333333", lw=1, ls="--", label=f"threshold, {threshold.source}")
        axes.set(xlabel="L2 distance of embeddings of length 1", ylabel="density", title=title)
        axes.legend()


def _roc(path: Path, splits: dict[str, Verification], title: str) -> None:
    with figure(path) as axes:
        for name, one in splits.items():
            lowest = 1 / max(one.confusion.different_same + one.confusion.different_different, 1)
            shown = one.roc.far >= lowest / 2  # a rate below one false accept cannot be drawn on a logarithmic axis
            label = f"{name}, AUC {one.roc.auc:.4f}"
            axes.step(one.roc.far[shown], one.roc.tar[shown], where="post", color=_COLOURS[name], lw=1.4, label=label)
        axes.set(xscale="log", xlabel="false accept rate", ylabel="true accept rate", title=title)
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")


def _det(path: Path, splits: dict[str, Verification], title: str) -> None:
    """The DET curve: both error rates on normal deviate axes."""
    import numpy as np
    from scipy.special import ndtri

    ticks = [rate for rate in (1e-4, 1e-3, 1e-2, 0.05, 0.1, 0.2, 0.4) if rate >= _LOWEST]
    with figure(path) as axes:
        for name, one in splits.items():
            errors = [np.clip(rate, _LOWEST, 1 - _LOWEST) for rate in (one.roc.far, 1 - one.roc.tar)]
            axes.plot(*map(ndtri, errors), color=_COLOURS[name], lw=1.4, label=f"{name}, EER {one.roc.eer:.4f}")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_ticks(ndtri(ticks), [f"{rate:g}" for rate in ticks])
        ends = ndtri([_LOWEST, 0.5])
        axes.set(xlim=ends, ylim=ends, xlabel="false accept rate", ylabel="false reject rate", title=title)
        axes.grid(alpha=0.3)
        axes.legend()


def _confusion(path: Path, counts: Confusion, title: str) -> None:
    rows = [[counts.same_same, counts.same_different], [counts.different_same, counts.different_different]]
    shares = [[count / max(sum(row), 1) for count in row] for row in rows]
    names = ("same", "different")
    with figure(path) as axes:
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for y, row in enumerate(rows):
            for x, count in enumerate(row):
                colour = "white" if shares[y][x] > 0.5 else "black"
                axes.text(x, y, f"{count:,}\n{100 * shares[y][x]:.1f} %", ha="center", va="center", color=colour)
        axes.set(xticks=[0, 1], yticks=[0, 1], xticklabels=names, yticklabels=names)
        axes.set(xlabel="said", ylabel="truth", title=f"{title}: accuracy {counts.accuracy:.4f}")
