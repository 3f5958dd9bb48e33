"""Batches of photographs: bounded by number and by pixels, in order, and the same with decoding ahead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support import run, tree, write

from maskgen.core.images import Photo
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.pipelines.runs import reader
from maskgen.pipelines.runs.reader import Batch, batches, batches_ahead
from maskgen.pipelines.sources.listing import Item

ITEMS = [Item(f"Ann/{number:02}.jpg", "Ann", f"Ann/{number:02}") for number in range(23)]


def read(item: Item) -> Photo | SetAsideError:
    number = int(item.out[-2:])
    time.sleep(0.001 * (number % 3))
    if number % 7 == 3:
        return SetAsideError(Reason.NOT_A_PICTURE)
    return Photo(np.full((10, 10 + number, 3), number, np.uint8), f"{number}")


@pytest.mark.parametrize("way", [batches, batches_ahead])
def test_every_photograph_comes_once_and_in_order(way: Callable[..., Iterator[Batch]]) -> None:
    found = list(way(ITEMS, read, 5))
    assert [len(batch) for batch in found] == [5, 5, 5, 5, 3]
    assert [item for batch in found for item, _ in batch] == ITEMS
    for batch in found:
        for item, photo in batch:
            assert isinstance(photo, SetAsideError) or photo.sha256 == str(int(item.out[-2:]))


def test_large_photographs_come_in_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_PIXELS", 1000)
    pixels = [
        sum(0 if isinstance(p, SetAsideError) else p.image[..., 0].size for _, p in b) for b in batches(ITEMS, read, 50)
    ]
    assert len(pixels) > 3
    assert all(1000 <= many < 1000 + 330 for many in pixels[:-1])


def test_the_next_batch_is_read_while_the_first_is_worked_on() -> None:
    begun = threading.Event()

    def noted(item: Item) -> Photo | SetAsideError:
        if item is ITEMS[5]:
            begun.set()
        return read(item)

    waiting = batches_ahead(ITEMS, noted, 5)
    next(waiting)
    assert begun.wait(10)
    assert len(list(waiting)) == 4


def test_a_fault_of_reading_is_not_lost_in_a_thread() -> None:
    def broken(item: Item) -> Photo | SetAsideError:
        if item is ITEMS[9]:
            raise ZeroDivisionError
        return read(item)

    with pytest.raises(ZeroDivisionError):
        list(batches_ahead(ITEMS, broken, 5))


def test_a_run_that_decodes_ahead_writes_what_one_that_does_not_writes(source: Path, tmp_path: Path) -> None:
    write(source / "person 0" / "note.txt", b"no picture")
    reports = [run(source, tmp_path / device, device=device) for device in ("cpu", "cuda")]  # the masker is a stand-in
    plain, ahead = (tree(tmp_path / device) for device in ("cpu", "cuda"))
    apart = {"settings.json", "report.json", "report.html", "CARD.md"}  # these name the device
    assert {name: digest for name, digest in plain.items() if name not in apart} == {
        name: digest for name, digest in ahead.items() if name not in apart
    }
    assert reports[0].written == reports[1].written == 24
