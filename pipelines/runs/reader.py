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

# Maximum of decoded pixels per batch, 48 MB, so that a worker's memory does not depend on the size of photographs.
MOST_PIXELS = 1 << 24
DECODERS = 4


def batches(items: Iterable[Item], read: Read, most: int) -> Iterator[Batch]:
    """The photographs in batches of at most `most`, fewer if they are large; read lazily."""
    return _cut(((item, read(item)) for item in items), most)


def batches_ahead(items: Iterable[Item], read: Read, most: int) -> Iterator[Batch]:
    """As `batches`, with the next batch decoded in threads while the caller works on the current one."""
    with ThreadPoolExecutor(DECODERS) as decoders, ThreadPoolExecutor(1) as cutter:
        waiting = _cut(_decoded(iter(items), read, decoders), most)
        coming = cutter.submit(next, waiting, None)
        while (batch := coming.result()) is not None:
            coming = cutter.submit(next, waiting, None)
            yield batch


def _decoded(
    items: Iterator[Item], read: Read, pool: ThreadPoolExecutor
) -> Iterator[tuple[Item, Photo | SetAsideError]]:
    """The photographs in order, decoded in parallel threads."""
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
