"""What a recipe's loader reads: pictures as they are stored, with new masks, or a recogniser's features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from maskgen.core.reasons import UserError
from maskgen.trainer.pictures import Loader, Pictures

if TYPE_CHECKING:
    from maskgen.trainer.lists import EvalPairs, TrainingList
    from maskgen.trainer.pictures import Rows
    from maskgen.trainer.ranks import Ranks
    from maskgen.trainer.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Data:
    """What a run trains on and is judged on; `pairs` is None where it is not judged."""

    recipe: Recipe
    listed: TrainingList
    pairs: EvalPairs | None

    def training_rows(self) -> Rows:
        """The pictures to train on."""
        spec, listed = self.recipe.data, self.listed
        if spec.masks == "online":
            raise UserError("data.masks=online is not there yet.")
        return Pictures(listed.root, listed.addresses, listed.targets, spec.size, spec.flip, self.recipe.train.seed)

    def eval_rows(self) -> Rows:
        """The pictures to judge on, each once, without chance."""
        assert self.pairs is not None
        none = np.zeros(len(self.pairs.addresses), np.int64)
        return Pictures(self.pairs.root, self.pairs.addresses, none, self.recipe.data.size)

    def loader(self, rows: Rows, ranks: Ranks, full: bool) -> Loader:
        """Reads these rows ahead of the device."""
        return Loader(rows, self.recipe.data.workers, ranks.device.type == "cuda", full)
