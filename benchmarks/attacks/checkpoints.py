"""A checkpoint, of which one file is damaged."""

from __future__ import annotations

from pathlib import Path

from maskgen.core.reasons import UserError


def saved_checkpoint(folder: Path) -> Path:
    """A checkpoint of the smallest recipe."""
    from maskgen.trainer.checkpoints import Checkpoint, save_checkpoint
    from maskgen.trainer.networks.models import build_model
    from maskgen.trainer.recipes.loading import load_recipe

    recipe = load_recipe("small", ["model.dim=8"])
    state = build_model(recipe.model).state_dict()
    save_checkpoint(folder, Checkpoint(recipe, state, progress={"epoch": 1, "scaler": {}}, targets=(0, 1)))
    return folder


def loaded(folder: Path, changed: bool) -> str:
    """What becomes of a damaged checkpoint."""
    from maskgen.trainer.checkpoints import load_checkpoint, load_model

    for load in (load_checkpoint, load_model):
        try:
            load(folder)
        except UserError:
            continue
        if changed and load is load_checkpoint:
            raise ValueError("damage was not seen")
    return "sentence" if changed else "the same result"
