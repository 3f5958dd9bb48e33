"""Every recipe takes steps, and every loss learns drawn people: a plain loop over the library's own parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskgen.metrics.distances import l2
from maskgen.metrics.histogram_iou import compare_histograms
from maskgen.trainer.data.samplers import build_batches
from maskgen.trainer.loss_functions.build import FaceLoss, build_loss
from maskgen.trainer.monitoring.collapse import check_collapse, evaluation_embeddings
from maskgen.trainer.networks.models import Embedder, build_model
from maskgen.trainer.recipes.loading import load_recipe, recipe_names
from maskgen.trainer.recipes.recipe import Recipe
from maskgen.trainer.schedules import build_optimizer, build_schedule

from .drawn import SIZE, as_input, crops, in_grey

PEOPLE, EACH, HELD_OUT = 8, 16, 5
PK = ["data.sampler=pk", "data.people=8", "data.images=4", "train.batch_size=32"]
TRIPLET = [*PK, "loss.kind=triplet"]
LOSSES = {
    "arcface": [],
    "arcface with focal loss and class weights": ["loss.focal_gamma=2", "loss.class_weights=log1p"],
    "triplets, hard": [*TRIPLET, "loss.mining=hard"],
    "triplets, semihard": [*TRIPLET, "loss.mining=semihard"],
    "triplets, all": [*TRIPLET, "loss.mining=all"],
    "both": [*PK, "loss.kind=both"],
}


def train(recipe: Recipe, inputs: Tensor, people: NDArray[np.int64]) -> tuple[Embedder, FaceLoss, list[float]]:
    """The network, its loss, and the loss of every step."""
    model = build_model(recipe.model, pretrained=False)
    loss = build_loss(recipe.loss, model.dim, np.bincount(people))
    batches = build_batches(recipe.data, recipe.train.batch_size, people, seed=0)
    optimizer = build_optimizer(recipe.optimizer, [*model.parameters(), *loss.parameters()])
    schedule = build_schedule(recipe.schedule, optimizer, len(batches), recipe.train.epochs)
    found: list[float] = []
    for epoch in range(recipe.train.epochs):
        batches.set_epoch(epoch)
        for rows in batches:
            if recipe.train.max_steps and len(found) == recipe.train.max_steps:
                return model, loss, found
            optimizer.zero_grad()
            value = loss(model(inputs[rows]), torch.from_numpy(people[rows]))
            value.backward()
            optimizer.step()
            schedule.step()
            found.append(value.item())
    return model, loss, found


def iou(model: Embedder, inputs: Tensor, people: NDArray[np.int64]) -> float:
    """Of all pairs."""
    with torch.no_grad():
        embeddings = model.eval()(inputs).numpy()
    first, second = np.triu_indices(len(people), 1)
    distances = l2(embeddings[first], embeddings[second])
    same = people[first] == people[second]
    return compare_histograms(distances[same], distances[~same]).iou


@pytest.mark.parametrize("kind", LOSSES)
def test_a_small_network_learns_drawn_people(kind: str) -> None:
    """On pictures of them that it never saw the distances overlap by less than 0.15, and untrained by more than 0.2.

    In grey, since an untrained network tells skins apart by their colour already.
    """
    torch.manual_seed(0)
    recipe = load_recipe("small", [*LOSSES[kind], f"data.size={SIZE}", "train.epochs=40"])
    images = in_grey(crops(PEOPLE, EACH))
    seen = as_input(images[:, :-HELD_OUT], recipe.data)
    unseen = as_input(images[:, -HELD_OUT:], recipe.data)
    held_out = np.repeat(np.arange(PEOPLE), HELD_OUT)
    assert iou(build_model(recipe.model), unseen, held_out) > 0.2
    model, loss, steps = train(recipe, seen, np.repeat(np.arange(PEOPLE), EACH - HELD_OUT))
    assert iou(model, unseen, held_out) < 0.15
    assert check_collapse(evaluation_embeddings(model, model, seen[::4]), steps[-1], loss.chance) is None


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_takes_two_steps(name: str) -> None:
    torch.manual_seed(0)
    as_it_is = load_recipe(name)
    changed = ["data.size=80" if "inception" in as_it_is.model.backbone else "data.size=48"]
    if as_it_is.data.align == "dlib":  # its chips have one size
        changed = [f"data.size={as_it_is.data.size}"]
    changed += ["train.batch_size=4", "data.people=2", "data.images=2", "train.max_steps=2", "train.epochs=2"]
    recipe = load_recipe(name, changed)
    inputs = as_input(crops(PEOPLE, EACH)[:3, :3], recipe.data)
    if recipe.data.features:
        inputs = torch.randn(9, 128)
    before = build_model(recipe.model, pretrained=False).state_dict()
    torch.manual_seed(0)
    model, _, steps = train(recipe, inputs, np.repeat(np.arange(3), 3))
    assert len(steps) == 2
    assert np.isfinite(steps).all()
    assert all(torch.isfinite(value).all() for value in model.state_dict().values())
    changed_names = [key for key, value in model.state_dict().items() if not torch.equal(value, before[key])]
    if recipe.model.frozen:
        assert 0 < len(changed_names) < len(before) / 2
    else:
        assert len(changed_names) > len(before) / 2
