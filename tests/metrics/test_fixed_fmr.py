"""FNMR at a fixed FMR against a slow count of every comparison."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from maskgen.metrics import fixed_fmr as module
from maskgen.metrics.fixed_fmr import fixed_fmr

SORTS = {0: "bare-bare", 1: "masked-bare", 2: "masked-masked"}


def people_in_space(many: int = 40, each: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(many, 8))
    people = np.repeat(np.arange(many) * 7, each)
    embeddings = (np.repeat(centres, each, 0) + rng.normal(scale=0.7, size=(many * each, 8))).astype(np.float32)
    return embeddings, people, rng.random(many * each) < 0.4


@pytest.mark.parametrize("block", [7, 512])
@pytest.mark.parametrize("shared", [False, True])
def test_it_is_the_slow_count(block: int, shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ROWS", block)
    embeddings, people, masked = people_in_space()
    photographs = np.arange(len(people))
    if shared:  # of two people, too
        photographs = np.random.default_rng(4).integers(0, len(people) // 4, len(people)) * 10**12
        photographs[people == people[0]] = 5
    found = fixed_fmr(embeddings, people, masked, 0.01, replicates=50, photographs=photographs if shared else None)
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    all_pairs = [(i, j) for i, j in combinations(range(len(people)), 2) if photographs[i] != photographs[j]]
    assert found.one_photograph == len(people) * (len(people) - 1) // 2 - len(all_pairs)
    assert (found.one_photograph > 200) == shared
    distances = {(i, j): float(np.linalg.norm(unit[i] - unit[j])) for i, j in all_pairs}
    for sort, name in SORTS.items():
        own = [(i, j) for i, j in all_pairs if int(masked[i]) + int(masked[j]) == sort]
        genuine = [distances[p] for p in own if people[p[0]] == people[p[1]]]
        impostor = [distances[p] for p in own if people[p[0]] != people[p[1]]]
        got = found.sorts[name]
        assert (got.genuine, got.impostor) == (len(genuine), len(impostor))
        assert got.fnmr == pytest.approx(np.mean(np.array(genuine) > found.threshold - 1e-6), abs=1e-9)
        assert got.fmr == pytest.approx(np.mean(np.array(impostor) < found.threshold - 1e-6), abs=1e-9)
        assert got.interval.low <= got.fnmr <= got.interval.high
    assert found.sorts["bare-bare"].fmr <= 0.01
    # One comparison more would be too many: the threshold is the loosest.
    assert (
        found.sorts["bare-bare"].fmr * found.sorts["bare-bare"].impostor > 0.01 * found.sorts["bare-bare"].impostor - 1
    )


def test_too_few_comparisons_get_a_reason() -> None:
    embeddings, people, masked = people_in_space(3, 2)
    found = fixed_fmr(embeddings, people, np.zeros_like(masked))
    assert math.isnan(found.threshold)
    assert "needs 1,000 comparisons" in found.reason
    assert "there are 12" in found.reason


def test_many_pictures_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 50)
    embeddings, people, masked = people_in_space()
    first, again = (fixed_fmr(embeddings, people, masked, 0.05, seed=1) for _ in range(2))
    assert first == again
    assert first.pictures == 50


@pytest.mark.parametrize(("dim", "many"), [(7, 454), (7, 828), (128, 408), (128, 800), (512, 600)])
def test_a_collapsed_network_matches_nothing(dim: int, many: int) -> None:
    """All embeddings are equal. Their cosines differed by rounding, so that every genuine pair matched."""
    for seed in range(4):
        embeddings = np.tile(np.random.default_rng(seed).normal(size=dim).astype(np.float32), (many, 1))
        found = fixed_fmr(embeddings, np.arange(many) // 4, np.arange(many) % 2 == 1, 0.01, replicates=2)
        assert [(one.fnmr, one.fmr) for one in found.sorts.values()] == [(1.0, 0.0)] * 3
