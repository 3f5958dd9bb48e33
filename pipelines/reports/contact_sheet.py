"""RUN/contact_sheet.png: samples of every kind, evenly over the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..runs.catalogue import batches
from ..runs.run_folder import RunFolder

if TYPE_CHECKING:
    from maskgen.core.records import Image

PICTURES = 60
COLUMNS = 12
CELL = 160


def write_contact_sheet(run: RunFolder, outputs: Mapping[str, int]) -> None:
    """Write the sheet: about PICTURES pictures, grouped by kind.

    Args:
        outputs: how many pictures the catalogue has of each kind.
    """
    from maskgen.core.contact_sheets import contact_sheet
    from maskgen.core.images import encode_image

    chosen = choose(run, outputs)
    images = {kind: [_load(run, path) for path in paths] for kind, paths in chosen.items()}
    columns = min(max(map(len, images.values()), default=1), COLUMNS)
    with run.writing(run.contact_sheet) as part:  # of another name than what another thread writes
        part.write_bytes(encode_image(contact_sheet(images, columns, CELL), "png", fast=True))


def choose(run: RunFolder, outputs: Mapping[str, int]) -> dict[str, list[str]]:
    """Paths of pictures by kind, evenly over the catalogue."""
    each = max(PICTURES // max(len(outputs), 1), 1)
    wanted = {kind: spread(total, each) for kind, total in outputs.items()}
    chosen: dict[str, list[str]] = {kind: [] for kind in outputs}
    seen: Counter[str] = Counter()
    for batch in batches(run.catalogue, ["path", "kind", "picture_face"]):
        for row in batch:
            if row["picture_face"]:
                continue  # another face of the same picture
            kind = row["kind"]
            if seen[kind] in wanted[kind]:
                chosen[kind].append(row["path"])
            seen[kind] += 1
    return chosen


def spread(total: int, wanted: int) -> frozenset[int]:
    """At most `wanted` of range(total), evenly.

    Example:
        >>> sorted(spread(10, 3)), sorted(spread(2, 3))
        ([0, 3, 6], [0, 1])
    """
    count = min(total, wanted)
    return frozenset(index * total // count for index in range(count))


def _load(run: RunFolder, path: str) -> Image:
    from maskgen.formats.reading import read_photo

    return read_photo(run.root, path, max_pixels=2**31).image
