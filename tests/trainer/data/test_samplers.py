"""Batches: everyone in an epoch, each rank its share, the same again for the same seed."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskgen.core.reasons import UserError
from maskgen.trainer.data.samplers import Batches, build_batches
from maskgen.trainer.recipes.recipe import DataSpec

SETS = st.lists(st.integers(1, 9), min_size=2, max_size=12).map(
    lambda counts: np.repeat(np.arange(len(counts)) * 3 + 1, counts)  # any numbers may stand for people
)
FEW = settings(max_examples=50, deadline=None)


def ranks(spec: DataSpec, batch_size: int, targets: np.ndarray, world: int, epoch: int = 0) -> list[list[list[int]]]:
    every = []
    for rank in range(world):
        batches = build_batches(spec, batch_size, targets, seed=5, rank=rank, world=world)
        batches.set_epoch(epoch)
        found = list(batches)
        assert len(found) == len(batches)
        every.append(found)
    return every


@given(SETS, st.integers(2, 7), st.integers(1, 4))
@FEW
def test_shuffled_batches_show_every_picture(targets: np.ndarray, batch_size: int, world: int) -> None:
    if batch_size * world > len(targets):
        with pytest.raises(UserError, match=rf"\b{batch_size}\b.* {len(targets)} pictures"):
            build_batches(DataSpec(), batch_size, targets, 5, world=world)
        return
    shares = ranks(DataSpec(), batch_size, targets, world)
    seen = Counter(row for share in shares for rows in share for row in rows)
    assert set(seen) == set(range(len(targets)))
    assert max(seen.values()) - min(seen.values()) <= 1
    assert len({len(share) for share in shares}) == 1
    assert {len(rows) for share in shares for rows in share} == {batch_size}
    assert (len(shares[0]) - 1) * batch_size * world < len(targets)  # no batch too many


@given(SETS, st.integers(2, 4), st.integers(2, 5), st.integers(1, 3), st.randoms())
@FEW
def test_pk_batches_show_every_person(
    targets: np.ndarray, people: int, images: int, world: int, random: np.random.Generator
) -> None:
    targets = np.array(sorted(targets.tolist(), key=lambda _: random.random()))
    there = Counter(targets.tolist())
    if len(there) < people:
        said = f"--set data.people={len(there)} --set train.batch_size={len(there) * images}"
        with pytest.raises(UserError, match=said):
            build_batches(DataSpec(sampler="pk", people=people, images=images), 0, targets, 5)
        return
    if images > len(targets):
        with pytest.raises(UserError, match=f"data.images={images} pictures .* only {len(targets)} of all"):
            build_batches(DataSpec(sampler="pk", people=people, images=images), 0, targets, 5)
        return
    shares = ranks(DataSpec(sampler="pk", people=people, images=images), 0, targets, world)
    assert len({len(share) for share in shares}) == 1
    met: Counter[int] = Counter()
    for rows in (rows for share in shares for rows in share):
        groups = np.array(rows).reshape(people, images)
        whose = targets[groups]
        assert (whose == whose[:, :1]).all()  # one person a group
        assert len(set(whose[:, 0].tolist())) == people  # none twice in a batch
        for group, person in zip(groups.tolist(), whose[:, 0].tolist(), strict=True):
            assert len(set(group)) == min(images, there[person])
            met[person] += 1
    assert set(met) == set(there)
    assert max(met.values()) <= 2 * min(met.values()) * world  # nobody is shown out of all proportion


def test_a_person_shows_all_pictures_before_any_twice() -> None:
    targets = np.repeat(np.arange(4), 12)
    ((*batches,),) = ranks(DataSpec(sampler="pk", people=2, images=3), 0, targets, 1)
    seen = Counter(row for rows in batches for row in rows)
    assert set(seen.values()) == {1}
    assert len(seen) == 48


@pytest.mark.parametrize("spec", [DataSpec(), DataSpec(sampler="pk", people=3, images=2)], ids=["shuffle", "pk"])
def test_draws_depend_on_seed_and_epoch_alone(spec: DataSpec) -> None:
    targets = np.repeat(np.arange(6), 5)

    def draws(seed: int, epoch: int) -> list[list[int]]:
        batches: Batches = build_batches(spec, 4, targets, seed)
        batches.set_epoch(epoch)
        return list(batches)

    assert draws(1, 0) == draws(1, 0)
    assert draws(1, 0) != draws(1, 1)
    assert draws(1, 0) != draws(2, 0)


@pytest.mark.parametrize("spec", [DataSpec(), DataSpec(sampler="pk", people=3, images=2)], ids=["shuffle", "pk"])
def test_ranks_cut_what_one_process_would_do_with_larger_batches(spec: DataSpec) -> None:
    """No two ranks get the same batch: a wrong `rank` shows here."""
    targets = np.repeat(np.arange(12), 6)
    first, second = ranks(spec, 6, targets, 2)
    assert not {tuple(rows) for rows in first} & {tuple(rows) for rows in second}


@pytest.mark.parametrize(
    ("batch_size", "world", "said"),
    [
        (6, 1, "is 6, and the list has only 5 pictures: give --batch-size 5 or less."),
        (3, 2, "is 3 on each of 2 processes, and the list has only 5 pictures: give --batch-size 2 or less."),
        (1, 6, "is 1 on each of 6 processes, and the list has only 5 pictures: start fewer processes."),
    ],
)
def test_a_batch_larger_than_the_list_is_refused(batch_size: int, world: int, said: str) -> None:
    with pytest.raises(UserError, match=said):
        build_batches(DataSpec(), batch_size, [0, 0, 0, 1, 1], 0, world=world)


def test_an_empty_list_is_a_sentence() -> None:
    with pytest.raises(UserError, match="no pictures"):
        build_batches(DataSpec(), 4, [], 0)
