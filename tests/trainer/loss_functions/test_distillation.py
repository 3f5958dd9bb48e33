"""Distillation: templates of bare pictures, and the loss that brings embeddings to them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from maskgen.core.reasons import UserError
from maskgen.trainer.loss_functions.build import build_loss
from maskgen.trainer.loss_functions.distillation import TemplateDistillation, templates_of
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.loading import load_recipe


def test_a_template_is_the_mean_of_a_persons_bare_pictures() -> None:
    features = np.array([[2, 0], [0, 3], [5, 5], [0, -1], [np.nan, 0], [1, 0]], np.float32)
    bare = np.array([True, True, False, False, True, True])
    found = templates_of(features, np.array([0, 0, 0, 1, 1, 2]), bare)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(found, [[half, half], [0, -1], [1, 0]], atol=1e-6)  # person 1 has no bare one to read


def test_it_is_the_squared_distance_at_length_one() -> None:
    rng = np.random.default_rng(0)
    templates = templates_of(rng.normal(size=(3, 4)).astype(np.float32), np.arange(3), np.ones(3, np.bool_))
    loss, targets = TemplateDistillation(3, 4), torch.tensor([2, 0, 0, 1])
    loss.fill(templates)
    embeddings = torch.from_numpy(rng.normal(size=(4, 4)).astype(np.float32))
    slow = [
        float(((one / np.linalg.norm(one) - templates[at]) ** 2).sum())
        for one, at in zip(embeddings.numpy(), targets.tolist(), strict=True)
    ]
    assert float(loss(embeddings, targets)) == pytest.approx(np.mean(slow), abs=1e-6)
    assert float(loss(torch.from_numpy(templates)[targets] * 7, targets)) == pytest.approx(0, abs=1e-6)


def test_templates_as_classes_against_a_slow_loop() -> None:
    rng = np.random.default_rng(3)
    templates = templates_of(rng.normal(size=(3, 4)).astype(np.float32), np.arange(3), np.ones(3, np.bool_))
    loss, plain = TemplateDistillation(3, 4, 0.5, 8.0, 0.2), TemplateDistillation(3, 4)
    loss.fill(templates)
    plain.fill(templates)
    embeddings, targets = rng.normal(size=(4, 4)).astype(np.float32), [2, 0, 0, 1]
    slow = []
    for one, at in zip(embeddings, targets, strict=True):
        cosines = [
            float(template @ one / np.linalg.norm(one)) - (0.2 if at == n else 0)
            for n, template in enumerate(templates)
        ]
        slow.append(np.log(sum(np.exp(8 * cosine) for cosine in cosines)) - 8 * cosines[at])
    given = torch.from_numpy(embeddings), torch.tensor(targets)
    assert float(loss(*given) - plain(*given)) == pytest.approx(0.5 * np.mean(slow), abs=1e-5)


def test_one_embedding_for_all_is_never_below_chance() -> None:
    rng = np.random.default_rng(2)
    loss = TemplateDistillation(7, 8, 1.0, 16.0, 0.2)
    loss.fill(templates_of(rng.normal(size=(7, 8)).astype(np.float32), np.arange(7), np.ones(7, np.bool_)))
    for one in torch.from_numpy(rng.normal(size=(20, 8)).astype(np.float32)):
        assert float(loss(one.expand(7, 8), torch.arange(7))) >= loss.chance - 1e-5


def test_chance_is_the_best_of_one_embedding_for_all() -> None:
    rng = np.random.default_rng(1)
    templates = templates_of(rng.normal(size=(5, 8)).astype(np.float32), np.arange(5), np.ones(5, np.bool_))
    loss = build_loss(load_recipe("masked", ["loss.kind=distill", "loss.distill_classes=0"]).loss, 8, np.full(5, 2))
    assert loss.distillation is not None
    loss.distillation.fill(templates)
    same = torch.from_numpy(templates.mean(0)).expand(5, 8)
    assert loss.chance == pytest.approx(float(loss(same, torch.arange(5))), abs=1e-5)


def test_frozen_parts_are_not_learnt() -> None:
    model = build_model(load_recipe("masked").model)
    learnt = {name.split(".")[1] for name, one in model.named_parameters() if one.requires_grad}
    assert learnt == {"stage3", "stage4", "stage5", "weight"}  # and the neck's


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(UserError, match="model.frozen is for the backbone dlib_resnet"):
        load_recipe("small", ["model.frozen=2"])
    with pytest.raises(UserError, match="set model.dim=128"):
        load_recipe("small", ["loss.distill_weight=1"])
    with pytest.raises(UserError, match="set data.size=150"):
        load_recipe("masked", ["data.size=160"])
