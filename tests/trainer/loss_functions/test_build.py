"""Losses and mining against slow loops, in value and in gradient, and where numbers are at their edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from maskgen.core.reasons import UserError
from maskgen.trainer.loss_functions.build import FaceLoss, build_loss, class_weights
from maskgen.trainer.recipes.recipe import LossSpec

COUNTS = np.array([3, 40, 1, 7, 12])


def batch(n: int = 12, dim: int = 6, seed: int = 0) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(n, dim, generator=random) * 3
    return embeddings, torch.randint(0, len(COUNTS), (n,), generator=random)


def slow_arcface(embeddings: Tensor, targets: Tensor, centres: Tensor, spec: LossSpec) -> Tensor:
    """One picture and one class at a time, in float64."""
    total, weights = torch.zeros((), dtype=torch.float64), 0.0
    for embedding, target in zip(embeddings, targets.tolist(), strict=True):
        logits = []
        for c in range(centres.shape[1]):
            cosine = embedding @ centres[:, c] / (embedding.norm() * centres[:, c].norm())
            if c == target:
                angle = torch.acos(cosine)
                if angle <= math.pi - spec.margin:
                    cosine = torch.cos(angle + spec.margin)
                else:
                    cosine = cosine - spec.margin * math.sin(spec.margin)
            logits.append(spec.scale * cosine)
        p = torch.exp(logits[target]) / sum(torch.exp(logit) for logit in logits)
        weight = 1 / math.log(1 + COUNTS[target]) if spec.class_weights == "log1p" else 1.0
        total = total - weight * (1 - p) ** spec.focal_gamma * torch.log(p)
        weights += weight
    return total / weights


def slow_triplets(embeddings: Tensor, targets: Tensor, spec: LossSpec) -> Tensor:
    """Every triplet one at a time, in float64."""
    unit = [e / e.norm() for e in embeddings]
    whose, n = targets.tolist(), len(targets)
    losses = []
    for a in range(n):
        same = [(unit[a] - unit[i]).norm() for i in range(n) if i != a and whose[i] == whose[a]]
        other = [(unit[a] - unit[i]).norm() for i in range(n) if whose[i] != whose[a]]
        pairs = [(p, q) for p in same for q in other]
        if spec.mining == "hard":
            pairs = [(max(same, key=float), min(other, key=float))] if same and other else []
        if spec.mining == "semihard":
            pairs = [(p, q) for p, q in pairs if q > p]
        if spec.mining != "hard":
            pairs = [(p, q) for p, q in pairs if p - q + spec.triplet_margin > 0]
        losses += [torch.clamp(p - q + spec.triplet_margin, min=0) for p, q in pairs]
    return torch.stack(losses).mean()


def gradient(value: Tensor, of: Tensor) -> Tensor:
    (found,) = torch.autograd.grad(value, of)
    return found.double()


def centres_of(loss: FaceLoss) -> torch.nn.Parameter:
    return dict(loss.named_parameters())["parts.arcface.W"]


@pytest.mark.filterwarnings("ignore:Converting a tensor")
@pytest.mark.parametrize("gamma", [0.0, 2.0, 0.5])
@pytest.mark.parametrize("weights", ["none", "log1p"])
@pytest.mark.parametrize("margin", [0.4, 1.2])
def test_arcface_is_the_slow_loop(gamma: float, weights: str, margin: float) -> None:
    spec = LossSpec("arcface", scale=8, margin=margin, focal_gamma=gamma, class_weights=weights)
    loss = build_loss(spec, 6, COUNTS)
    embeddings, targets = batch()
    embeddings[0] = -centres_of(loss)[:, targets[0]].detach() + 0.05 * embeddings[0]  # beyond pi - margin
    embeddings.requires_grad_()
    fast = loss(embeddings, targets)
    exact, centres = embeddings.detach().double().requires_grad_(), centres_of(loss).detach().double().requires_grad_()
    slow = slow_arcface(exact, targets, centres, spec)
    torch.testing.assert_close(fast.double(), slow, rtol=1e-5, atol=1e-6)
    by_embedding = torch.autograd.grad(fast, [embeddings, centres_of(loss)])
    by_slow = torch.autograd.grad(slow, [exact, centres])
    for found, expected in zip(by_embedding, by_slow, strict=True):
        torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Converting a tensor")
@pytest.mark.parametrize("mining", ["hard", "semihard", "all"])
@pytest.mark.parametrize("margin", [0.1, 0.5, 3.0])
def test_mined_triplets_are_the_slow_loop(mining: str, margin: float) -> None:
    spec = LossSpec("triplet", mining=mining, triplet_margin=margin)
    embeddings, targets = batch(14)
    embeddings.requires_grad_()
    fast = build_loss(spec, 6, COUNTS)(embeddings, targets)
    exact = embeddings.detach().double().requires_grad_()
    slow = slow_triplets(exact, targets, spec)
    torch.testing.assert_close(fast.double(), slow, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(gradient(fast, embeddings), gradient(slow, exact), rtol=1e-3, atol=1e-5)


@pytest.mark.filterwarnings("ignore:Converting a tensor")
def test_both_is_their_weighted_sum() -> None:
    spec = LossSpec("both", scale=8, mining="all", triplet_weight=0.3)
    loss = build_loss(spec, 6, COUNTS)
    embeddings, targets = batch()
    exact, centres = embeddings.double(), centres_of(loss).detach().double()
    expected = slow_arcface(exact, targets, centres, spec) + 0.3 * slow_triplets(exact, targets, spec)
    torch.testing.assert_close(loss(embeddings, targets).double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["arcface", "triplet", "both"])
def test_chance_is_what_one_embedding_for_all_costs(kind: str) -> None:
    spec = LossSpec(kind, focal_gamma=2, mining="all", triplet_margin=0.7, triplet_weight=2)
    loss = build_loss(spec, 6, COUNTS)
    embeddings = torch.ones(10, 6)
    if kind != "triplet":
        torch.nn.init.ones_(centres_of(loss))
    assert loss(embeddings, torch.arange(10) % 5).item() == pytest.approx(loss.chance, rel=3e-3)
    if kind == "triplet":
        assert loss.chance == 0.7


@pytest.mark.parametrize("kind", ["arcface", "triplet", "both"])
@pytest.mark.parametrize("case", ["on the centre", "opposite", "all alike", "zero", "huge"])
def test_gradients_stay_finite_at_the_edges(kind: str, case: str) -> None:
    loss = build_loss(LossSpec(kind, focal_gamma=2, mining="hard"), 6, COUNTS)
    targets = torch.arange(10) % 5
    base = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    if kind != "triplet":
        base = centres_of(loss).detach()
    embeddings = {
        "on the centre": base[:, targets].T,
        "opposite": -base[:, targets].T,
        "all alike": torch.ones(10, 6),
        "zero": torch.zeros(10, 6),
        "huge": base[:, targets].T * 1e15,
    }[case]
    embeddings = embeddings.clone().requires_grad_()
    value = loss(embeddings, targets)
    value.backward()
    assert torch.isfinite(value)
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()


@pytest.mark.parametrize("kind", ["arcface", "triplet"])
def test_autocast_leaves_loss_and_class_matrix_in_float32(kind: str) -> None:
    loss = build_loss(LossSpec(kind), 6, COUNTS)
    embeddings, targets = batch()
    low = embeddings.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        value = loss(low, targets)
    assert value.dtype == torch.float32
    assert all(one.dtype == torch.float32 for one in loss.parameters())
    assert value.item() == loss(low.float(), targets).item()


def test_a_batch_without_triplets_costs_nothing() -> None:
    loss = build_loss(LossSpec("triplet", mining="semihard"), 6, COUNTS)
    embeddings = torch.randn(4, 6, requires_grad=True)
    value = loss(embeddings, torch.arange(4))
    value.backward()
    assert value.item() == 0


def test_the_state_holds_the_class_matrix_only() -> None:
    assert set(build_loss(LossSpec("both", class_weights="log1p"), 6, COUNTS).state_dict()) == {"parts.arcface.W"}
    assert build_loss(LossSpec("triplet"), 6, COUNTS).state_dict() == {}


def test_class_weights_are_one_over_log1p() -> None:
    expected = [1 / math.log(1 + n) for n in COUNTS.tolist()]
    np.testing.assert_allclose(class_weights("log1p", COUNTS), expected, rtol=1e-6)


def test_one_person_alone_cannot_be_learnt() -> None:
    with pytest.raises(UserError, match="at least two people"):
        build_loss(LossSpec(), 6, np.array([4]))
