"""Checks of settings of a recipe that depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from maskgen.core.reasons import UserError

from ..networks.dlib_resnet import DIM, SIDE

if TYPE_CHECKING:
    from .recipe import LossSpec, Recipe


def check_together(recipe: Recipe, where: str) -> None:
    """Refuse settings that are each valid but do not fit together.

    Raises:
        UserError: settings that do not fit; the message says the change.
    """
    data, size = recipe.data, recipe.data.people * recipe.data.images
    if data.sampler == "pk" and recipe.train.batch_size != size:
        raise UserError(
            f"{where}: a pk batch is data.people x data.images = {data.people} x {data.images} = {size} pictures, "
            f"and train.batch_size is {recipe.train.batch_size}: make them agree."
        )
    if recipe.loss.kind in ("triplet", "both") and (data.sampler != "pk" or data.images < 2 or data.people < 2):
        raise UserError(
            f"{where}: triplets need several pictures of several people in a batch: "
            f"data.sampler=pk with data.people and data.images of 2 at least."
        )
    _check_features(recipe, where)
    if recipe.model.frozen and recipe.model.backbone != "dlib_resnet":
        raise UserError(f"{where}: model.frozen is for the backbone dlib_resnet: leave it out.")
    if distils(recipe.loss) and recipe.model.dim != DIM:
        raise UserError(f"{where}: distillation is from dlib's embeddings: set model.dim={DIM}.")
    if data.align == "dlib" and data.size != SIDE:
        raise UserError(f"{where}: data.align=dlib gives pictures of {SIDE} pixels: set data.size={SIDE}.")
    if recipe.data.masks == "online" and not recipe.data.mask_kinds:
        raise UserError(f"{where}: data.masks=online needs data.mask_kinds, as surgical_blue.")
    if data.renderer == "torch" and data.masks != "online":
        raise UserError(f"{where}: data.renderer=torch is for data.masks=online: set both.")
    if data.renderer == "torch" and data.align:
        raise UserError(
            f"{where}: data.align={data.align} looks for the face in each masked picture, before the network's device "
            "has it: data.renderer must be cpu."
        )
    if recipe.optimizer.nesterov and recipe.optimizer.name == "sgd" and recipe.optimizer.momentum == 0:
        raise UserError(f"{where}: optimizer.nesterov needs optimizer.momentum above 0.")


def distils(loss: LossSpec) -> bool:
    """Whether the loss needs templates."""
    return loss.kind == "distill" or loss.distill_weight > 0


def _check_features(recipe: Recipe, where: str) -> None:
    """Check that an adapter and its features fit together."""
    features = recipe.data.features
    wanted = recipe.model.backbone.partition("adapter:")[2]
    if features != wanted:
        what = f"data.features={wanted}" if wanted else f"model.backbone=adapter:{features}"
        raise UserError(f"{where}: an adapter and its recogniser go together: set {what}.")
    if features and recipe.data.masks == "online":
        raise UserError(f"{where}: features are computed before training: data.masks must be stored.")
