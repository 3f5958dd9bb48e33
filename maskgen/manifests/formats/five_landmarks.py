"""Five landmarks of pictures, from the catalogues of their runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from maskgen.core.reasons import UserError
from maskgen.core.records import Doubles
from maskgen.formats.any_path import AnyPath
from maskgen.formats.local_or_remote_files import parquet_of

from ..catalogue import Images
from ..schema import CATALOGUE, Ints

_COLUMNS = ("path", "points5", "width", "height")


def five_landmarks(images: Images, rows: Ints, runs: Mapping[str, AnyPath], size: int) -> Doubles:
    """The landmarks of pictures resized to `size` pixels, as shares of the side, float64 (n, 5, 2).

    Args:
        rows: int64 (n,), of `images`.
        runs: the folder of each run by its name.

    Raises:
        UserError: a catalogue has no such points.
    """
    found = np.zeros((len(rows), 10))
    names = np.array([person.run for person in images.people])[images.person[rows]]
    for name, run in runs.items():
        own = np.flatnonzero(names == name)
        if len(own):
            found[own] = _of_run(run, images.paths.take(pa.array(rows[own])), size)
    return found.reshape(-1, 5, 2)


def _of_run(run: AnyPath, paths: Any, size: int) -> Doubles:
    table = _table(run)
    place = pc.index_in(paths, value_set=table["path"].cast(pa.large_string()).combine_chunks())
    taken = table.take(place)
    points = taken["points5"].combine_chunks()
    if taken["points5"].null_count or pc.any(pc.not_equal(pc.list_value_length(points), 10)).as_py():
        raise UserError(
            f"{run / CATALOGUE} has pictures without five landmarks: mask again, or leave out --also cvlface."
        )
    sides = np.stack([taken[name].to_numpy() for name in ("width", "height")], axis=1)
    values = points.flatten().to_numpy(zero_copy_only=False).reshape(-1, 5, 2).astype(np.float64)
    # Pixel centres are at integers, before and after resizing.
    shares: Doubles = ((values + 0.5) / sides[:, None] - 0.5 / size).reshape(-1, 10)
    return shares


def _table(run: AnyPath) -> Any:
    path = run / CATALOGUE
    try:
        names = pq.read_schema(parquet_of(path)).names
        if missing := [name for name in _COLUMNS if name not in names]:
            raise UserError(f"{path} lacks the column {missing[0]!r}: mask again, or leave out --also cvlface.")
        only = pc.field("picture_face") == 0 if "picture_face" in names else None
        return pq.read_table(parquet_of(path), columns=list(_COLUMNS), partitioning=None, filters=only)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} cannot be read ({str(error).splitlines()[0]}): mask again.") from None
