"""Collapse detection: a network that gives every picture the same embedding, or values that are not finite."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_SPREAD = 0.05  # minimum spread of distances from 0 to 2; untrained networks have 0.3 or more, trained ones 1
SPREAD_AT_CHANCE = 0.3  # a constant loss counts only below this spread
NEAR_CHANCE = 0.01  # relative tolerance
MOST_IDENTICAL = 0.5
_ALIKE = 1e-4  # distances with a smaller difference are equal; so is one pair in a thousand for 512 random numbers
_ROWS = 256  # embeddings compared per batch: 32,640 pairs
SETTLED = 50  # steps until a batch norm's running means are meaningful
_JUDGED = 64
_FEWEST = 4  # minimum of embeddings: with fewer, six distances are not enough


@dataclass(frozen=True, slots=True)
class Collapse:
    """A detected collapse.

    Attributes:
        kind: "not_finite", "no_spread", "identical_distances" or "loss_at_constant".
        sentence: the message, with figures.
    """

    kind: str
    sentence: str


def evaluation_embeddings(module: nn.Module, embed: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Embeddings (n, d) of at most 64 of a batch's values in evaluation mode, with the batch norms' running means.

    In training mode batch norm amplifies small differences in a batch, which hides a network that gives one embedding
    to all pictures in evaluation mode. In the first `SETTLED` steps from random weights the running means are not yet
    meaningful.

    Args:
        module: the module of `embed`; its training mode is restored.
    """
    was = module.training
    module.eval()
    try:
        with torch.no_grad():
            return embed(values[:_JUDGED])
    finally:
        module.train(was)


def check_collapse(embeddings: Tensor, loss: float, chance: float) -> Collapse | None:
    """Check a batch for a collapse; None without one.

    Args:
        embeddings: float (n, d), in training mode, or those of `evaluation_embeddings`, which reveal more; of 3 or
            fewer only finiteness is checked.
        loss: the batch's, or the mean since the last check, which has less variance.
        chance: `FaceLoss.chance`.
    """
    if not math.isfinite(loss) or not bool(torch.isfinite(embeddings).all()):
        what = "The loss is" if not math.isfinite(loss) else "Embeddings are"
        sentence = f"{what} no finite number any more: lower optimizer.lr, or set train.clip_norm."
        return Collapse("not_finite", sentence)
    if len(embeddings) < _FEWEST:
        return None
    return _judged(spread_of(embeddings), identical_share(embeddings), loss, chance)


def _judged(spread: float, identical: float, loss: float, chance: float) -> Collapse | None:
    advice = "lower optimizer.lr, by ten at first."
    if spread < LEAST_SPREAD:
        figure = f"their mean distance is {spread:.4f} of at most 2"
        return Collapse("no_spread", f"All pictures have nearly the same embedding ({figure}): {advice}")
    if identical > MOST_IDENTICAL:
        figure = f"{identical:.0%} of the distances between pictures are the same"
        return Collapse("identical_distances", f"The embeddings are only a few different ones ({figure}): {advice}")
    if abs(loss - chance) <= NEAR_CHANCE * chance and spread < SPREAD_AT_CHANCE:
        figure = (
            f"the loss is {loss:.4g}, and {chance:.4g} where all embeddings are alike; their spread is {spread:.2f}"
        )
        return Collapse("loss_at_constant", f"Nothing is being learnt ({figure}): {advice}")
    return None


def spread_of(embeddings: Tensor) -> float:
    """Root mean square L2 distance between two of the embeddings (n, d), each scaled to unit length: 0 to 2.

    From the length of their mean: the mean of |a - b|^2 over all ordered pairs is 2 (mean |a|^2) - 2 |mean|^2.
    """
    unit = functional.normalize(embeddings.detach().double(), dim=1)
    n = len(unit)
    square = 2 * (unit.square().sum(1).mean() - unit.mean(0).square().sum()).item() * n / max(n - 1, 1)
    return math.sqrt(max(square, 0.0))


def identical_share(embeddings: Tensor) -> float:
    """The largest share of distances between embeddings (n, d) that are within 0.0001 of each other, 0 to 1."""
    unit = functional.normalize(embeddings[:_ROWS].detach().double(), dim=1)
    distances = torch.pdist(unit.cpu()).sort().values
    ends = torch.searchsorted(distances, distances + _ALIKE, right=True)
    return int((ends - torch.arange(len(distances))).max()) / len(distances)
