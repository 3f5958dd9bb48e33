"""Adapters: the recogniser itself at first, better than it where pictures show how."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from maskgen.core.reasons import UserError
from maskgen.metrics.distances import l2
from maskgen.metrics.histogram_iou import compare_histograms
from maskgen.trainer.data.samplers import build_batches
from maskgen.trainer.loss_functions.build import build_loss
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.loading import load_recipe
from maskgen.trainer.recipes.recipe import ModelSpec
from maskgen.trainer.schedules import build_optimizer

EACH = 8


def people(first: int, last: int) -> tuple[Tensor, np.ndarray]:
    """Features (n, 128) as a recogniser might give them whose embeddings a mask moves in a few directions."""
    rows = []
    worn = torch.randn(3, 128, generator=torch.Generator().manual_seed(99))
    for person in range(first, last):
        random = torch.Generator().manual_seed(person)
        mean = torch.randn(128, generator=random)
        moved = torch.randn(EACH, 3, generator=random) @ worn
        rows.append(mean + 0.3 * torch.randn(EACH, 128, generator=random) + moved)
    return torch.cat(rows), np.repeat(np.arange(last - first), EACH)


def iou(embeddings: Tensor, whose: np.ndarray) -> float:
    found = embeddings.numpy()
    one, other = np.triu_indices(len(whose), 1)
    same = whose[one] == whose[other]
    distances = l2(found[one], found[other])
    return compare_histograms(distances[same], distances[~same]).iou


def test_an_untrained_adapter_is_its_recogniser() -> None:
    features, _ = people(0, 4)
    model = build_model(load_recipe("adapter").model).eval()
    with torch.no_grad():
        assert torch.equal(model(features), functional.normalize(features, dim=1))
        assert torch.equal(model.train()(features), functional.normalize(features, dim=1))
    assert model.dim == 128


def test_an_adapter_learns_what_a_mask_does_and_it_holds_for_others() -> None:
    torch.manual_seed(0)
    recipe = load_recipe("adapter", ["data.people=32", "train.batch_size=128", "optimizer.lr=0.003"])
    features, whose = people(0, 100)
    unseen, theirs = people(100, 130)
    model = build_model(recipe.model)
    loss = build_loss(recipe.loss, model.dim, np.bincount(whose))
    optimizer = build_optimizer(recipe.optimizer, model.parameters())
    batches = build_batches(recipe.data, recipe.train.batch_size, whose, seed=0)
    for epoch in range(10):
        batches.set_epoch(epoch)
        for rows in batches:
            optimizer.zero_grad()
            loss(model(features[rows]), torch.from_numpy(whose[rows])).backward()
            optimizer.step()
    with torch.no_grad():
        assert iou(model.eval()(unseen), theirs) < 0.7 * iou(unseen, theirs)


def test_an_adapter_may_have_a_neck() -> None:
    model = build_model(ModelSpec("adapter:dlib", dim=32))
    assert model(torch.randn(4, 128)).shape == (4, 32)


def test_an_adapter_of_nothing_is_a_sentence() -> None:
    with pytest.raises(UserError, match="there are adapter:dlib"):
        build_model(ModelSpec("adapter:facenet"))
