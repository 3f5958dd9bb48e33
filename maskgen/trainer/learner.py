"""Model and loss as one module: the forward pass of a step, in the recipe's precision."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .data.transforms import normalised
from .recipes.recipe import DataSpec, TrainSpec

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Learner(nn.Module):
    """From a batch to its loss. One module, so that DDP also averages the gradients of the class matrix.

    Attributes:
        model: float32 (n, 3, size, size), or float32 (n, d) for features, to embeddings (n, dim).
        loss: embeddings float32 (n, dim) and targets int64 (n,) to a number.
    """

    def __init__(self, model: nn.Module, loss: nn.Module, data: DataSpec, train: TrainSpec) -> None:
        super().__init__()
        self.model = model.to(memory_format=torch.channels_last) if train.channels_last else model
        self.loss = loss
        self._mean, self._std = data.mean, data.std
        self._precision = PRECISIONS[train.precision]
        self._channels_last = train.channels_last
        if train.compile:
            self.model.compile()  # in place: the names of its weights do not change

    def forward(self, values: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, a float32 number, and the embeddings, float32 (n, dim).

        Args:
            values: uint8 (n, size, size, 3), or features, float32 (n, d).
            targets: int64 (n,).
        """
        embeddings = self.embed(values)
        return self.loss(embeddings, targets), embeddings

    def embed(self, values: Tensor) -> Tensor:
        """Embeddings of a batch's values, float32 (n, dim), the input of the loss."""
        with torch.autocast(values.device.type, self._precision, enabled=self._precision != torch.float32):
            embeddings: Tensor = self.model(self._shown(values))
        return embeddings.float()

    def _shown(self, values: Tensor) -> Tensor:
        if values.dtype != torch.uint8:
            return values
        images = normalised(values, self._mean, self._std)
        return images if self._channels_last else images.contiguous()
