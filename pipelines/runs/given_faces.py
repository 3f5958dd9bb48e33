"""The faces of the --points file, for the photographs of a shard."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from maskgen.core.reasons import UserError, counted
from maskgen.formats.any_path import AnyPath

from ..mask.settings import MaskSettings
from ..sources.listing import Listing
from ..sources.output_names import escape

if TYPE_CHECKING:
    from maskgen.points.table import Given, PointsTable


def check_points(settings: MaskSettings, listing: Listing) -> list[str]:
    """Notes on how the file's rows match the photographs of the source; none without --points.

    Raises:
        UserError: the file cannot be used, no row matches a photograph, or one row matches two.
    """
    if settings.points is None:
        return []
    from maskgen.points.table import PointsTable, path_parts

    table, root = PointsTable(settings.points), str(listing.root.absolute())
    seen: dict[str, str] = {}
    without = 0
    for key in (item.key for folder in listing.folders for item in listing.items(folder)):
        name = table.name_of(path_parts(root, key))
        without += name is None
        if name is not None and seen.setdefault(name, key) != key:
            raise UserError(
                f"--points {settings.points}: the row of {escape(name)} matches {escape(seen[name])} and "
                f"{escape(key)}: name photographs by their paths below SOURCE."
            )
    if without and not seen:
        raise UserError(
            f"--points {settings.points} has no row for any photograph of SOURCE; its first is of "
            f"{escape(table.example)}: name photographs by their paths below SOURCE."
        )
    counts = (
        (without, "photograph has no row in it and is set aside", "photographs have no row in it and are set aside"),
        (len(table) - len(seen), "of its photographs is not in SOURCE", "of its photographs are not in SOURCE"),
        (table.nameless, "of its rows names no photograph", "of its rows name no photograph"),
    )
    return [f"--points {settings.points}: {counted(count, *words)}." for count, *words in counts if count]


@lru_cache(maxsize=1)
def _open(path: Path, start: str) -> PointsTable:
    from maskgen.points.table import PointsTable

    del start  # a worker may outlive a start, and the file may differ in the next one
    return PointsTable(path)


def given_faces(settings: MaskSettings, start: str, root: AnyPath, keys: Sequence[str]) -> list[Given] | None:
    """The file's faces in each of these photographs; None without --points.

    Args:
        start: the token of the run's start.
        root: of the source, an absolute path.
        keys: the photographs' addresses below it.
    """
    if settings.points is None:
        return None
    from maskgen.points.table import path_parts

    table = _open(settings.points, start)
    return [table.faces(path_parts(str(root), key)) for key in keys]
