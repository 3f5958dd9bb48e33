"""Photographs for a worker: decoded once, in batches with a limit of pixels, and ahead of the work on a GPU."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

from maskgen.core.reasons import SetAsideError

from ..sources.listing import Item

if TYPE_CHECKING:
    from maskgen.core.images import Photo

Read = Callable[[Item], "Photo | SetAsideError"]
Batch = list[tuple[Item, "Photo | SetAsideError"]]

# Decoded pixels of a batch, beyond which no more photographs are added: 48 MB, so a worker's memory stays flat however
# large the photographs are.
MOST_PIXELS = 1 << 24
DECODERS = 4


def batches(items: Iterable[Item], read: Read, most: int) -> Iterator[Batch]:
    """The photographs in batches of at most `most`, fewer where they are large; each is read when its batch is."""
    return _cut(((item, read(item)) for item in items), most)


def batches_ahead(items: Iterable[Item], read: Read, most: int) -> Iterator[Batch]:
    """As `batches`, with the next batch decoded by threads while the caller works on the present one."""
    with ThreadPoolExecutor(DECODERS) as decoders, ThreadPoolExecutor(1) as cutter:
        waiting = _cut(_decoded(iter(items), read, decoders), most)
        coming = cutter.submit(next, waiting, None)
        while (batch := coming.result()) is not None:
            coming = cutter.submit(next, waiting, None)
            yield batch


def _decoded(
    items: Iterator[Item], read: Read, pool: ThreadPoolExecutor
) -> Iterator[tuple[Item, Photo | SetAsideError]]:
    """The photographs in order, as many at a time as there are threads."""
    while some := list(islice(items, DECODERS)):
        yield from zip(some, pool.map(read, some), strict=True)


def _cut(photos: Iterable[tuple[Item, Photo | SetAsideError]], most: int) -> Iterator[Batch]:
    batch: Batch = []
    pixels = 0
    for item, photo in photos:
        batch.append((item, photo))
        pixels += 0 if isinstance(photo, SetAsideError) else photo.image.shape[0] * photo.image.shape[1]
        if len(batch) >= most or pixels >= MOST_PIXELS:
            yield batch
            batch, pixels = [], 0
    if batch:
        yield batch
