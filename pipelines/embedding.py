"""Images to embeddings: read ahead in threads, embedded in batches, each once; unreadable images are counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import SetAsideError, UserError, counted
from maskgen.formats.any_path import AnyPath

from .interrupts import ends_at_once
from .reports.progress import EMBEDDED, Notify, show_progress

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from maskgen.core.records import Floats, Image
    from maskgen.embedders.base import FaceEmbedder

BATCH = 64  # pictures per batch
_MOST_REPORTED = 10  # unreadable pictures that are named in a warning


@dataclass(frozen=True, slots=True)
class Part:
    """One embedded batch: `rows` of the list that could be read, `embeddings` float32 (rows, dim), and the faults."""

    rows: list[int]
    embeddings: Floats
    faults: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Embedded:
    """All pictures of a list.

    Attributes:
        embeddings: float32 (n, dim), zeros where a picture could not be read.
        readable: bool (n,).
        faults: (address, reason) of the unreadable pictures.
    """

    embeddings: Floats
    readable: NDArray[Any]
    faults: tuple[tuple[str, str], ...]


def open_model(
    model: str, device: str = "cpu", trust_pickle: bool = False, input_file: Path | None = None
) -> FaceEmbedder:
    """`open_embedder`, before anything is written: an interrupt ends the process."""
    with ends_at_once():
        from maskgen.embedders.by_name import open_embedder

        return open_embedder(model, device, trust_pickle, input_file)


def embed_all(embedder: FaceEmbedder, root: AnyPath, addresses: Any, workers: int, notify: Notify) -> Embedded:
    """The embedding of every picture of a list, in memory.

    Raises:
        UserError: no picture can be read, or the embeddings are not finite.
    """
    import numpy as np

    embeddings = np.zeros((len(addresses), embedder.dim), np.float32)
    readable = np.zeros(len(addresses), np.bool_)
    faults: list[tuple[str, str]] = []
    for part in embed_parts(embedder, root, addresses, workers, notify):
        embeddings[part.rows] = part.embeddings
        readable[part.rows] = True
        faults += [(addresses[row].as_py(), reason) for row, reason in part.faults]
    if len(faults) == len(addresses):
        if not faults:
            raise UserError("The list names no picture: give one with a row for each.")
        first = f"the first being {faults[0][0]} ({faults[0][1]})"
        raise UserError(f"None of {counted(len(addresses), 'picture')} can be read, {first}: correct the list's paths.")
    return Embedded(embeddings, readable, tuple(faults))


def embed_parts(embedder: FaceEmbedder, root: AnyPath, addresses: Any, workers: int, notify: Notify) -> Iterator[Part]:
    """Embed the pictures of a list in order, in batches, with progress; the first unreadable ones are named.

    Args:
        addresses: large_string (n,), as `maskgen.formats.reading` knows them.
        workers: threads that read ahead.
    """
    reported = 0
    with show_progress(len(addresses), 0, 0, EMBEDDED) as progress:
        for rows, images in _batches(root, addresses, workers):
            part = _embedded(embedder, rows, images)
            for row, reason in part.faults[: max(_MOST_REPORTED - reported, 0)]:
                notify(f"Warning: {addresses[row].as_py()} is left out: {reason}")
            reported += len(part.faults)
            progress.add(len(rows), len(part.faults))
            yield part
    if reported > _MOST_REPORTED:
        more = counted(reported - _MOST_REPORTED, "more picture is", "more pictures are")
        notify(f"Warning: {more} left out.")


def _batches(root: AnyPath, addresses: Any, workers: int) -> Iterator[tuple[Sequence[int], list[Image | str]]]:
    """Batches of pictures or of reasons; the next batch is read while the current one is embedded."""
    starts = range(0, len(addresses), BATCH)
    batches = [range(at, min(at + BATCH, len(addresses))) for at in starts]
    with ThreadPoolExecutor(workers) as pool:

        def begun(rows: Sequence[int]) -> Iterator[Image | str]:
            return pool.map(partial(_read, root), [addresses[row].as_py() for row in rows])

        ahead = begun(batches[0]) if batches else iter(())
        for number, rows in enumerate(batches):
            now, ahead = ahead, begun(batches[number + 1]) if number + 1 < len(batches) else iter(())
            yield rows, list(now)


def _read(root: AnyPath, address: str) -> Image | str:
    from maskgen.formats.reading import read_photo

    try:
        return read_photo(root, address).image
    except (SetAsideError, OSError) as fault:
        return str(fault)


def _embedded(embedder: FaceEmbedder, rows: Sequence[int], images: list[Image | str]) -> Part:
    import numpy as np

    good = [(row, image) for row, image in zip(rows, images, strict=True) if not isinstance(image, str)]
    found = embedder.embed([image for _, image in good])
    if not np.isfinite(found).all():
        raise UserError(
            f"The model {embedder.name} gives embeddings that are not finite: its training diverged. Train it again "
            "with a lower learning rate."
        )
    faults = [(row, image) for row, image in zip(rows, images, strict=True) if isinstance(image, str)]
    return Part([row for row, _ in good], found, faults)
