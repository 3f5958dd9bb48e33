"""Triplets mined in the batch, on pytorch-metric-learning: L2 distances between normalised embeddings."""

from __future__ import annotations

from typing import Any

from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner
from pytorch_metric_learning.reducers import AvgNonZeroReducer, MeanReducer
from torch import Tensor, nn


class MinedTriplets(nn.Module):
    """The mean of max(0, d(anchor, positive) - d(anchor, negative) + margin) over triplets chosen in the batch.

    Args:
        mining: "hard", one triplet per picture: the farthest of the same person, the nearest of another;
            "semihard", all whose negative is farther than the positive, by less than the margin;
            "all", all that violate the margin.
        margin: between distances, which are 0 to 2.

    Source: Hermans, Beyer and Leibe, In Defense of the Triplet Loss, 2017 ("hard" is its batch hard, averaged over
        pictures, "all" its batch all, averaged over the triplets with a loss above 0); Schroff et al., FaceNet, 2015
        (semi-hard).
    """

    def __init__(self, mining: str, margin: float) -> None:
        super().__init__()
        distance = LpDistance(normalize_embeddings=True, p=2)
        self.miner: Any = (
            BatchHardMiner(distance=distance)
            if mining == "hard"
            else TripletMarginMiner(margin=margin, type_of_triplets=mining, distance=distance)
        )
        reducer = MeanReducer() if mining == "hard" else AvgNonZeroReducer()
        self.loss: Any = TripletMarginLoss(margin=margin, distance=distance, reducer=reducer)

    def forward(self, embeddings: Tensor, targets: Tensor) -> Tensor:
        """float32 (n, d) and int64 (n,) to a scalar; 0 if the batch has no such triplet."""
        return self.loss(embeddings, targets, self.miner(embeddings, targets))
