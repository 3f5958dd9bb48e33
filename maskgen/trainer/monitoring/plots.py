"""Plots of a run: the loss over its steps, and the histograms of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from maskgen.metrics.histogram_iou import Overlap

from .figure import figure
from .history import EPOCH, STEPS, Row

CURVE = "loss.png"


def draw_curve(path: Path, rows: Sequence[Row]) -> None:
    """The loss over the steps, and with it IOU after each epoch, as a PNG of 960 x 540 pixels."""
    steps = [row for row in rows if row.kind == STEPS]
    judged = [row for row in rows if row.kind == EPOCH and not math.isnan(row.iou)]
    with figure(path) as axes:
        axes.plot([row.step for row in steps], [row.loss for row in steps], color="#1f5fa8", lw=1)
        axes.set_xlabel("step")
        axes.set_ylabel("loss", color="#1f5fa8")
        axes.grid(alpha=0.3)
        if judged:
            other = axes.twinx()
            other.plot([row.step for row in judged], [row.iou for row in judged], "o-", color="#b8500c", lw=1, ms=3)
            other.set_ylabel("IOU of distances (lower is better)", color="#b8500c")
            other.set_ylim(0, 1.02)


def draw_overlap(path: Path, found: Overlap, title: str) -> None:
    """Both histograms of distances with the threshold between them, as a PNG of 960 x 540 pixels."""
    with figure(path) as axes:
        axes.set_title(title)
        axes.set_xlabel("L2 distance of embeddings of length 1")
        axes.set_ylabel("density")
        if len(found.edges):
            axes.stairs(found.same, found.edges, fill=True, alpha=0.55, color="#1f5fa8", label="same person")
            axes.stairs(found.different, found.edges, fill=True, alpha=0.55, color="#b8500c", label="different people")
            axes.legend()
        if not math.isnan(found.threshold):
            axes.axvline(found.threshold, color="#333333", lw=1, ls="--")
        if found.degenerate:
            axes.text(0.5, 0.5, found.degenerate, ha="center", va="center", wrap=True, transform=axes.transAxes)
