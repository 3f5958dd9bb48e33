"""Settings of `maskgen train`, and which of them decide the result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen import __version__
from maskgen.core.kindspec import parse_kind
from maskgen.core.reasons import UserError

from ..checks import check_place, check_range

if TYPE_CHECKING:
    from maskgen.trainer.data.lists import EvalPairs, TrainingList
    from maskgen.trainer.recipes.recipe import Recipe

# Settings of a recipe that do not change the result of a step.
_HOW = frozenset(
    {
        *("data.workers", "data.analyses_gb", "name"),
        *("train.max_steps", "train.save_every", "train.check_every", "train.on_collapse"),
    }
)


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """All settings of `maskgen train RECIPE --data OUT --run TRAIN`.

    Example:
        maskgen train model1 --data lists --run trained --epochs 2 --set optimizer.lr=0.01

    Cost: the report has the measured images a second, and the rate without waiting for data.

    Raises:
        UserError: a value that cannot be used.
    """

    recipe: str
    data: Path
    run: Path
    epochs: int | None = None
    max_steps: int | None = None
    batch_size: int | None = None
    seed: int | None = None
    workers: int | None = None
    on_collapse: str | None = None
    set: tuple[str, ...] = ()
    pretrained: bool = True
    device: str = "auto"
    threads: int = 0
    resume: bool = False
    overwrite: bool = False
    allow_misaligned: bool = False

    def __post_init__(self) -> None:
        check_place("--run", self.run)
        check_range("--threads", self.threads, 0, 4096)
        if self.resume and self.overwrite:
            raise UserError("--overwrite starts again and --resume continues: give one of them.")

    def overrides(self) -> list[str]:
        """The options that are settings of the recipe, as `load_recipe` takes them; --set comes last."""
        options = {
            "train.epochs": self.epochs,
            "train.max_steps": self.max_steps,
            "train.batch_size": self.batch_size,
            "train.seed": self.seed,
            "data.workers": self.workers,
            "train.on_collapse": self.on_collapse,
        }
        return [*(f"{name}={value}" for name, value in options.items() if value is not None), *self.set]


def deciding(
    settings: TrainSettings, recipe: Recipe, listed: TrainingList, pairs: EvalPairs | None, world: int
) -> dict[str, object]:
    """The settings that decide the weights, by option name, as JSON values.

    The lists are identified by their content, so they may be moved.
    """
    from maskgen.trainer.recipes.loading import recipe_to_dict

    masks = recipe.data.mask_kinds if recipe.data.masks == "online" else ()
    return {
        "maskgen version": __version__,
        **{name: value for name, value in _flat(recipe_to_dict(recipe)) if name not in _HOW},
        "the masks": [parse_kind(text).fingerprint() for text in masks],
        "pretrained weights": settings.pretrained,
        "the training list": listed.digest,
        "the evaluation pairs": pairs.digest if pairs else None,
        "the alignment": listed.alignment or None,
        "processes": world,
    }


def _flat(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Nested settings by their dotted names."""
    flat: list[tuple[str, Any]] = []
    for name, value in values.items():
        flat += [(f"{name}.{key}", one) for key, one in _flat(value)] if isinstance(value, dict) else [(name, value)]
    return flat
