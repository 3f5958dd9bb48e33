"""Evaluation after an epoch: the IOU of the histograms of genuine and impostor distances."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskgen.core.reasons import counted
from maskgen.metrics.distances import pair_l2
from maskgen.metrics.histogram_iou import Overlap, compare_histograms

from ..data.lists import EvalPairs
from ..data.picture_batches import Batch, Loader
from ..distributed import Ranks
from ..learner import Learner

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Embed = Callable[[Batch], Tensor]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of an evaluation.

    Attributes:
        overlap: of the distances.
        pairs: the numbers of genuine and impostor pairs that could be read.
        unreadable: number of unreadable pictures; their pairs are left out.
    """

    overlap: Overlap
    pairs: tuple[int, int]
    unreadable: int

    @property
    def iou(self) -> float:
        """The score, 0 to 1, lower is better; NaN if there were no distances to compare."""
        return self.overlap.iou if all(self.pairs) else math.nan

    @property
    def sentence(self) -> str:
        """The result as text for the user."""
        if not all(self.pairs):
            return f"no IOU: no {'impostor' if self.pairs[0] else 'genuine'} pair can be read."
        if self.overlap.degenerate:
            return f"IOU 1: {self.overlap.degenerate}"
        same, different = self.pairs
        return (
            f"IOU {self.overlap.iou:.4f}, threshold {self.overlap.threshold:.4f} "
            f"({counted(same, 'genuine pair')} and {counted(different, 'impostor pair')})"
        )


def embed_all(
    embed: Embed, loader: Loader, shape: tuple[int, int], batch_size: int, ranks: Ranks, told: Callable[[Batch], None]
) -> tuple[Floats, Bools]:
    """The embedding of each picture, float32 of `shape` (pictures, dim), and whether it was readable, bool (pictures,).

    Each picture is embedded once, by one of the processes.

    Args:
        told: called with each batch, to report its faults.
    """
    total, dim = shape
    mine = range(ranks.rank, total, ranks.world)
    batches = [list(mine[at : at + batch_size]) for at in range(0, len(mine), batch_size)]
    found = torch.zeros(total, dim + 1, device=ranks.device)  # the last column marks an embedded picture
    with torch.inference_mode():
        for batch in loader.epoch(batches, 0):
            told(batch)
            if batch.rows:
                rows = torch.tensor(batch.rows, device=ranks.device)
                found[rows] = torch.nn.functional.pad(embed(batch).float(), (0, 1), value=1.0)
    everything = ranks.total(found).cpu().numpy()
    return everything[:, :-1], everything[:, -1] > 0


def evaluate_pairs(embeddings: Floats, readable: Bools, pairs: EvalPairs) -> Evaluation:
    """Compare the distances of genuine and impostor pairs."""
    same, different = (both[readable[both].all(axis=1)] for both in (pairs.same, pairs.different))
    near, far = (pair_l2(embeddings, both[:, 0], both[:, 1]) for both in (same, different))
    return Evaluation(compare_histograms(near, far), (len(same), len(different)), int(np.count_nonzero(~readable)))


@dataclass(slots=True)
class Evaluator:
    """Evaluates a model during training.

    Attributes:
        learner: the model, not wrapped by DDP.
        pairs: the evaluation pairs.
        loader: of the pictures of `pairs`, without augmentation.
    """

    learner: Learner
    dim: int
    pairs: EvalPairs
    loader: Loader
    batch_size: int
    ranks: Ranks
    faulty: Callable[[str], None]

    def __call__(self) -> Evaluation:
        """Embed each picture and compare the distances; the learner is in training mode afterwards."""
        self.ranks.synchronise(self.learner)
        self.learner.eval()
        shape = len(self.pairs.addresses), self.dim
        found = embed_all(self._embed, self.loader, shape, self.batch_size, self.ranks, self._told)
        self.learner.train()
        return evaluate_pairs(*found, self.pairs)

    def _embed(self, batch: Batch) -> Tensor:
        return self.learner.embed(batch.values.to(self.ranks.device, non_blocking=True))

    def _told(self, batch: Batch) -> None:
        for _, fault in batch.faults:
            self.faulty(fault)
