"""Collapse: a network that gives every picture the same embedding, or no numbers at all, noticed while it trains."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_SPREAD = 0.05  # of distances that reach from 0 to 2; untrained networks have 0.3 and more, trained ones 1
SPREAD_AT_CHANCE = 0.3  # a loss that has stood still is believed below this
NEAR_CHANCE = 0.01  # a share of it
MOST_IDENTICAL = 0.5
_ALIKE = 1e-4  # distances that differ by less; of 512 random numbers one pair in a thousand does
_ROWS = 256  # enough of a batch: 32,640 pairs
SETTLED = 50  # steps until a batch norm's running means are worth a look
_JUDGED = 64
_FEWEST = 4  # of fewer embeddings, six distances, nothing can be told


@dataclass(frozen=True, slots=True)
class Collapse:
    """What a look at a batch found wrong.

    Attributes:
        kind: "not_finite", "no_spread", "identical_distances" or "loss_at_constant".
        sentence: the same for people, with its figures.
    """

    kind: str
    sentence: str


def judged_embeddings(module: nn.Module, embed: Callable[[Tensor], Tensor], values: Tensor) -> Tensor:
    """Embeddings (n, d) of at most 64 of a batch's values as a judge sees them, with the batch norms' running means.

    In training a batch norm stretches the slightest differences of a batch, so that a network looks alive which gives
    one embedding to everybody once it is used. In the first `SETTLED` steps of random weights the running means say
    nothing yet.

    Args:
        module: what `embed` uses; its training mode is left as it was.
    """
    was = module.training
    module.eval()
    try:
        with torch.no_grad():
            return embed(values[:_JUDGED])
    finally:
        module.train(was)


def look(embeddings: Tensor, loss: float, chance: float) -> Collapse | None:
    """What is wrong with a batch of a run, None where it looks alive.

    Args:
        embeddings: float (n, d), the training's own or `judged_embeddings`, which tell more; of 3 and fewer only
            whether they are finite is told.
        loss: the batch's, or the mean since the last look, which is less chancy.
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
    """The largest share of the distances between embeddings (n, d) that lie within 0.0001 of one another, 0 to 1."""
    unit = functional.normalize(embeddings[:_ROWS].detach().double(), dim=1)
    distances = torch.pdist(unit.cpu()).sort().values
    ends = torch.searchsorted(distances, distances + _ALIKE, right=True)
    return int((ends - torch.arange(len(distances))).max()) / len(distances)
