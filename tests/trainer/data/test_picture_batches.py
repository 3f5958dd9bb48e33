from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from list_makers import picture, write_lists

from maskgen.core.reasons import UserError
from maskgen.trainer.data.lists import read_training_list
from maskgen.trainer.data.picture_batches import Batch, Loader, Pictures, collate
from maskgen.trainer.data.transforms import flipped, normalised, resized


def pictures(folder: Path, **options: Any) -> Pictures:
    found = read_training_list(folder)
    return Pictures(found.root, found.addresses, found.targets, **{"size": 32, **options})


def blacken(
    images: Sequence[np.ndarray], rows: Sequence[dict[str, Any]], rngs: Sequence[np.random.Generator]
) -> list[np.ndarray]:
    """An augmentation for the tests: a black square where chance says, and the row's number in a corner."""
    painted = [image.copy() for image in images]
    for image, row, rng in zip(painted, rows, rngs, strict=True):
        at = int(rng.integers(0, 20))
        image[at : at + 8, at : at + 8] = 0
        image[0, 0] = row["row"]
    return painted


def test_a_picture_of_the_right_size_comes_out_as_it_is(tmp_path: Path) -> None:
    item = pictures(write_lists(tmp_path))[0, 7]
    assert item.value is not None
    assert np.array_equal(item.value, picture(1, 1))
    assert (item.row, item.target, item.fault) == (7, 1, "")


def test_normalised_is_as_a_slow_loop_has_it() -> None:
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), np.uint8)
    mean, std = (0.5, 0.4, 0.3), (0.2, 0.3, 0.5)
    found = normalised(torch.from_numpy(images), mean, std)
    assert found.shape == (2, 3, 5, 4)
    for n, c, y, x in np.ndindex(2, 3, 5, 4):
        assert float(found[n, c, y, x]) == pytest.approx((images[n, y, x, c] / 255 - mean[c]) / std[c], abs=1e-5)


def test_normalised_refuses_what_is_no_bytes() -> None:
    with pytest.raises(ValueError, match="uint8"):
        normalised(torch.zeros(1, 4, 4, 3), (0, 0, 0), (1, 1, 1))


@pytest.mark.parametrize(("side", "way"), [(48, cv2.INTER_AREA), (20, cv2.INTER_LINEAR)])
def test_resizing_is_opencvs(side: int, way: int) -> None:
    image = picture(1, 1, side)
    assert np.array_equal(resized(image, 32), cv2.resize(image, (32, 32), interpolation=way))


def test_half_of_the_pictures_are_mirrored() -> None:
    image = picture(1, 1)
    seen = [flipped(image, np.random.default_rng(n)) for n in range(200)]
    mirrored = [np.array_equal(one, image[:, ::-1]) for one in seen]
    assert all(m or np.array_equal(one, image) for m, one in zip(mirrored, seen, strict=True))
    assert 70 < sum(mirrored) < 130


def all_batches(rows: Pictures, workers: int, epochs: int = 2) -> list[Batch]:
    loader = Loader(rows, workers)
    batches = [list(range(n, len(rows), 4)) for n in range(4)]
    return [batch for epoch in range(epochs) for batch in loader.epoch(batches, epoch)]


def test_workers_change_nothing(tmp_path: Path) -> None:
    rows = pictures(write_lists(tmp_path), flip=True, seed=3, augment=blacken)
    alone, shared = all_batches(rows, 0), all_batches(rows, 2)
    assert len(alone) == len(shared) == 8
    for one, other in zip(alone, shared, strict=True):
        assert torch.equal(one.values, other.values)
        assert torch.equal(one.targets, other.targets)
        assert one.rows == other.rows


def test_chance_is_of_the_seed_the_epoch_and_the_row(tmp_path: Path) -> None:
    folder = write_lists(tmp_path)
    rows, again, other = (pictures(folder, flip=True, seed=s, augment=blacken) for s in (3, 3, 4))
    first = [rows[0, row].value for row in range(len(rows))]
    backwards = [again[0, row].value for row in reversed(range(len(rows)))][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(first, backwards, strict=True))  # type: ignore[arg-type]
    for unlike in (rows[1, 0].value, other[0, 0].value):
        assert not np.array_equal(first[0], unlike)  # type: ignore[arg-type]


def test_a_row_that_a_batch_holds_several_times_is_drawn_for_each_time(tmp_path: Path) -> None:
    rows = pictures(write_lists(tmp_path), flip=True, seed=3, augment=blacken)
    batches = [[0, 0, 1, 0], [0, 1]]
    (first, second), (again, _) = (list(Loader(rows, workers).epoch(batches, 0)) for workers in (0, 1))
    assert first.rows == (0, 0, 1, 0)
    assert torch.equal(first.values, again.values)
    assert not any(torch.equal(first.values[a], first.values[b]) for a, b in ((0, 1), (0, 3), (1, 3)))
    assert torch.equal(first.values[0], second.values[0])  # the first time it is what it is alone
    assert np.array_equal(first.values[0].numpy(), rows[0, 0].value)  # type: ignore[arg-type]


def test_an_epoch_may_begin_in_its_middle(tmp_path: Path) -> None:
    rows = pictures(write_lists(tmp_path))
    loader = Loader(rows)
    batches = [[0, 1], [2, 3], [4, 5]]
    assert [batch.rows for batch in loader.epoch(batches, 0, skip=2)] == [(4, 5)]


def test_another_picture_of_the_batch_stands_in_for_one_that_cannot_be_read(tmp_path: Path) -> None:
    rows = pictures(write_lists(tmp_path, people=3, each=2))
    (tmp_path / "faces/0/1.png").write_bytes(b"no picture")
    (tmp_path / "faces/2/1.png").unlink()
    batch = collate([rows[0, row] for row in range(6)])
    assert batch.rows == (0, 2, 2, 3, 4, 0)
    assert batch.targets.tolist() == [0, 1, 1, 1, 2, 0]
    assert torch.equal(batch.values[1], batch.values[2])
    assert [row for row, _ in batch.faults] == [1, 5]
    assert "faces/0/1.png: not_a_picture" in batch.faults[0][1]
    assert "faces/2/1.png: unreadable" in batch.faults[1][1]


@pytest.mark.parametrize("workers", [0, 1])
def test_a_batch_without_any_picture_takes_the_next_one_of_the_list(tmp_path: Path, workers: int) -> None:
    rows = pictures(write_lists(tmp_path, people=2, each=2))
    for row in (0, 1):
        (tmp_path / f"faces/0/{row}.png").unlink()
    (batch,) = Loader(rows, workers).epoch([[0, 1]], 0)
    assert batch.rows == (2, 2)
    assert len(batch.faults) == 2
    (batch,) = Loader(rows, workers, full=False).epoch([[0, 1]], 0)
    assert batch.rows == ()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_set_that_is_gone_is_a_sentence(tmp_path: Path, workers: int) -> None:
    rows = pictures(write_lists(tmp_path, people=2, each=2))
    for path in (tmp_path / "faces").rglob("*.png"):
        path.unlink()
    with pytest.raises(UserError, match=r"None of 100 pictures in a row .* faces/0/0.png: unreadable"):
        list(Loader(rows, workers).epoch([[0, 1]], 0))
