"""Training data of a recipe: stored images, images with masks rendered on the fly, or a recogniser's embeddings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from maskgen.formats.any_path import AnyPath
from maskgen.trainer.data.features import Features
from maskgen.trainer.data.picture_batches import Loader, Pictures

from .folder import ANALYSES, FEATURES

if TYPE_CHECKING:
    from maskgen.trainer.data.lists import EvalPairs, TrainingList
    from maskgen.trainer.data.picture_batches import Rows
    from maskgen.trainer.distributed import Ranks
    from maskgen.trainer.recipes.recipe import Recipe

    from .online_masks import OnlineMasker


@dataclass(frozen=True, slots=True)
class Data:
    """The data for training and evaluation; without evaluation `pairs` is None, and `unevaluated` says why."""

    recipe: Recipe
    listed: TrainingList
    pairs: EvalPairs | None
    unevaluated: str

    def training_rows(self, folder: Path, ranks: Ranks, notify: Callable[[str], None]) -> Rows:
        """The training pictures.

        Args:
            folder: of the run, which keeps computed files.
        """
        spec, listed, seed = self.recipe.data, self.listed, self.recipe.train.seed
        if spec.features:
            return self._features(listed.root, listed.addresses, listed.targets, folder, ranks)
        plain = Pictures(listed.root, listed.addresses, listed.targets, spec.size, spec.flip, seed)
        if spec.masks == "online":
            painter = self._painter(folder, ranks, notify)
            if spec.renderer == "torch":
                from .device_masks import DevicePlanner

                return replace(plain, planner=DevicePlanner(painter))
            plain = replace(plain, augment=painter)
        return self._aligned(plain)

    def _aligned(self, rows: Pictures) -> Pictures:
        """The same pictures, aligned as the recipe requires."""
        if not self.recipe.data.align:
            return rows
        from .recipe_alignment import Aligner

        return replace(rows, augment=Aligner(rows.augment))

    def _painter(self, folder: Path, ranks: Ranks, notify: Callable[[str], None]) -> OnlineMasker:
        from maskgen.masks.kinds import load_kinds

        from .kept_analyses import KeptAnalyses
        from .online_masks import POINTS, OnlineMasker, write_points

        spec = self.recipe.data
        load_kinds(spec.mask_kinds)  # report faults of the mask kinds now, and load templates before workers start
        if sentence := ranks.from_first(lambda: write_points(folder, self.listed)):
            notify(sentence)
        kept = ranks.from_first(lambda: KeptAnalyses.begin(folder / ANALYSES, len(self.listed), spec.analyses_gb))
        return OnlineMasker(folder / POINTS, spec.mask_kinds, spec.mask_share, kept)

    def _features(
        self, root: AnyPath, addresses: Any, targets: NDArray[np.int64], folder: Path, ranks: Ranks, name: str = ""
    ) -> Features:
        from .features import features_of

        name, workers = name or self.recipe.data.features, self.recipe.data.workers
        values = ranks.from_first(lambda: features_of(folder / FEATURES, root, addresses, name, workers))
        return Features(values, addresses, targets)

    def templates(self, folder: Path, ranks: Ranks) -> NDArray[np.float32]:
        """The template of each person: the mean of dlib's embeddings of the bare pictures, float32 (people, 128).

        Args:
            folder: of the run, which keeps the embeddings.
        """
        from maskgen.core.kindspec import BARE
        from maskgen.manifests.mask_labels import mask_kinds_of
        from maskgen.trainer.loss_functions.distillation import TEACHER, templates_of

        listed = self.listed
        kinds = mask_kinds_of(listed.root, listed.addresses)
        bare = np.array([kind in ("", BARE) for kind in kinds], np.bool_)
        found = self._features(listed.root, listed.addresses, listed.targets, folder, ranks, TEACHER)
        return templates_of(found.values, listed.targets, bare)

    def eval_rows(self, folder: Path, ranks: Ranks) -> Rows:
        """The evaluation pictures, each once, without augmentation."""
        assert self.pairs is not None
        none = np.zeros(len(self.pairs.addresses), np.int64)
        if self.recipe.data.features:
            return self._features(self.pairs.root, self.pairs.addresses, none, folder, ranks)
        return self._aligned(Pictures(self.pairs.root, self.pairs.addresses, none, self.recipe.data.size))

    def loader(self, rows: Rows, ranks: Ranks, full: bool) -> Loader:
        """A loader that reads these rows ahead of the device."""
        workers = 0 if self.recipe.data.features else self.recipe.data.workers  # features are in memory
        return Loader(rows, workers, ranks.device.type == "cuda", full)
