"""The hardest errors as a contact sheet: genuine pairs far apart, impostor pairs close together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maskgen.core.reasons import SetAsideError

from .folder import ERRORS

if TYPE_CHECKING:
    from maskgen.core.pair_sheets import ShownPair
    from maskgen.core.records import Image
    from maskgen.manifests.schema import Ints

    from .results import Evaluation

EACH = 16  # genuine and impostor pairs each
_COLUMNS, _CELL = 4, 112


def write_errors(found: Evaluation, folder: Path) -> None:
    """Write errors.png: genuine pairs farthest above the threshold, impostor pairs farthest below."""
    import numpy as np

    from maskgen.core.atomic_writes import write_atomic
    from maskgen.core.images import encode_image
    from maskgen.core.pair_sheets import pair_sheet

    judged, threshold = found.judged, found.threshold.value
    order = np.argsort(judged.distances, kind="stable")
    missed = order[::-1][(judged.same & (judged.distances > threshold))[order[::-1]]]
    taken = order[(~judged.same & (judged.distances <= threshold))[order]]
    groups = {
        f"Same person, said different ({len(missed):,})": _shown(found, missed[:EACH]),
        f"Different people, said same ({len(taken):,})": _shown(found, taken[:EACH]),
    }
    write_atomic(folder / ERRORS, encode_image(pair_sheet(groups, _COLUMNS, _CELL), "png", 100))


def _shown(found: Evaluation, rows: Ints) -> list[ShownPair]:
    from maskgen.core.pair_sheets import ShownPair

    shown = []
    for row in rows.tolist():
        first, second = found.judged.pairs[row].tolist()
        text = f"{found.judged.distances[row]:.3f}  {found.kinds[first] or '?'} / {found.kinds[second] or '?'}"
        shown.append(ShownPair(_picture(found, first), _picture(found, second), text))
    return shown


def _picture(found: Evaluation, row: int) -> Image:
    return picture(found.lists.root, found.lists.addresses[row].as_py())


def picture(root: Path, address: str) -> Image:
    """A picture to show; a grey one if it can no longer be read."""
    import numpy as np

    from maskgen.formats.reading import read_photo

    try:
        return read_photo(root, address).image
    except (SetAsideError, OSError):
        return np.full((_CELL, _CELL, 3), 200, np.uint8)
