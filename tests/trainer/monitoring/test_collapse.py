"""Collapse is seen where it is, and not where a network is alive."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from maskgen.trainer.monitoring.collapse import check_collapse, evaluation_embeddings, identical_share, spread_of
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.recipe import ModelSpec

CHANCE = 4.0


def random(n: int = 64, dim: int = 128, seed: int = 0) -> Tensor:
    return torch.randn(n, dim, generator=torch.Generator().manual_seed(seed))


def clusters(people: int, images: int, width: float, dim: int = 64) -> Tensor:
    """People apart, each one's pictures close together: what a trained network gives."""
    return functional.normalize(random(people, dim)).repeat_interleave(images, 0) + width * random(people * images, dim)


def few(points: int, n: int = 40) -> Tensor:
    return random(points)[torch.arange(n) % points]


@given(st.integers(2, 30), st.integers(1, 9), st.floats(0.0, 20))
@settings(max_examples=30, deadline=None)
def test_spread_is_the_mean_over_all_pairs(n: int, dim: int, offset: float) -> None:
    embeddings = random(n, dim, n) + offset
    unit = [e / e.norm() for e in embeddings.double()]
    squares = [(a - b).square().sum().item() for i, a in enumerate(unit) for b in unit[:i]]
    assert spread_of(embeddings) == pytest.approx(math.sqrt(sum(squares) / len(squares)), abs=1e-5)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=20))
@settings(max_examples=30, deadline=None)
def test_identical_share_is_the_commonest_distance(which: list[int]) -> None:
    points = functional.normalize(random(4, 5).double())
    chosen = points[which]
    distances = [(a - b).norm().item() for i, a in enumerate(chosen) for b in chosen[:i]]
    commonest = max(sum(abs(d - e) < 1e-6 for e in distances) for d in distances)
    assert identical_share(chosen) == pytest.approx(commonest / len(distances))


@pytest.mark.parametrize(
    ("embeddings", "loss", "kind"),
    [
        (torch.ones(32, 128), 3.0, "no_spread"),
        (torch.zeros(32, 128), 3.0, "no_spread"),
        (torch.ones(32, 128) + 0.01 * random(32), 3.0, "no_spread"),
        (few(2), 3.0, "identical_distances"),
        (torch.ones(32, 128) + 0.15 * random(32), CHANCE * 1.005, "loss_at_constant"),
        (random().fill_(math.nan), 3.0, "not_finite"),
        (random(), math.nan, "not_finite"),
        (random(), math.inf, "not_finite"),
        (torch.full((2, 3), math.inf), 3.0, "not_finite"),
    ],
)
def test_collapse_is_seen(embeddings: Tensor, loss: float, kind: str) -> None:
    found = check_collapse(embeddings, loss, CHANCE)
    assert found is not None
    assert found.kind == kind
    assert "optimizer.lr" in found.sentence


@pytest.mark.parametrize(
    ("embeddings", "loss"),
    [
        (random(), 3.0),
        (random(), CHANCE),  # a loss that passes its constant on its way down
        (random(600, 512), 30.0),
        (random(8, 2), 3.0),
        (clusters(8, 8, 0.01), 0.01),
        (clusters(2, 16, 0.02), 0.01),
        (clusters(20, 1, 0.0).repeat(2, 1), 1.0),  # each picture twice, as a pk batch of lone pictures has it
        (torch.ones(32, 128) + 0.15 * random(32), CHANCE * 1.5),
        (torch.ones(3, 8), 3.0),
    ],
)
def test_a_living_network_is_left_alone(embeddings: Tensor, loss: float) -> None:
    assert check_collapse(embeddings, loss, CHANCE) is None
    assert check_collapse(embeddings.half().float(), loss, CHANCE) is None


@pytest.mark.parametrize("backbone", ["small", "inception_resnet_v1", "resnet10t"])
@pytest.mark.parametrize("neck", ["linear_bn", "none"])
def test_an_untrained_network_has_not_collapsed(backbone: str, neck: str) -> None:
    torch.manual_seed(0)
    model = build_model(ModelSpec(backbone, neck=neck))
    with torch.no_grad():
        assert check_collapse(model(torch.rand(8, 3, 80, 80)), 20.0, CHANCE) is None


def test_batch_norm_does_not_hide_a_collapse() -> None:
    """As measured with an EfficientNet at a rate of 0.1: alive in training, one embedding for all when used."""
    torch.manual_seed(0)
    model = build_model(ModelSpec("small"))
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_var.fill_(1e12)  # type: ignore[union-attr]
    model.neck.norm.bias.data.fill_(1.0)  # type: ignore[union-attr]
    images = torch.rand(80, 3, 32, 32)
    found = check_collapse(evaluation_embeddings(model, model, images), 20.0, CHANCE)
    assert found is not None
    assert found.kind == "no_spread"
    assert model.training
    assert check_collapse(model(images), 20.0, CHANCE) is None


def test_judged_embeddings_leave_the_network_as_it_was() -> None:
    model = build_model(ModelSpec("small"))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    embeddings = evaluation_embeddings(model, model, torch.rand(80, 3, 32, 32))
    assert embeddings.shape == (64, 512)
    assert not embeddings.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
