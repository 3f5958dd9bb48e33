"""Labels of a run of whole photographs: each face, and each mask.

Convention:
    - labels count from the picture's top left corner, x right, y down: a mask on the pixels 3 to 5 reaches from 3 to 6.
      The catalogue counts from the middle of the first pixel, and its outlines go through the middles of the pixels at
      a mask's edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from maskgen.core.alignment_names import NOT_CUT
from maskgen.core.kindspec import BARE, WEARINGS
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import AnyPath
from maskgen.formats.local_or_remote_files import parquet_of

from ..schema import CATALOGUE

Box = tuple[float, float, float, float]  # x0, y0, x1, y1 in pixels from the picture's corner
_COLUMNS = (
    "path", "source", "person", "kind", "width", "height", "alignment", "faces_found", "picture_face", "box", "outline",
    "wearing", "colour",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """One face or mask.

    Attributes:
        name: for a face "bare" or the wearing position; for a mask its kind.
        box: inside the picture, x0 < x1 and y0 < y1.
        outline: for a mask its polygons, x0, y0, x1, y1, ... each; none for a face.
        face: number of the face in the picture, from 0.
        about: further attributes.
    """

    name: str
    box: Box
    outline: tuple[tuple[float, ...], ...]
    face: int
    about: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture: its path below the run, its photograph and person, its size in pixels, and its labels.

    `unlabelled` counts faces that were detected and set aside: they have no mask and no label.
    """

    path: str
    photograph: str
    person: str
    width: int
    height: int
    seen: tuple[Seen, ...]
    unlabelled: int


def read_labels(run: AnyPath) -> Iterator[Labelled]:
    """The pictures of a run in the catalogue's order.

    Raises:
        UserError: the run's pictures are crops, or its catalogue cannot be read or lacks a column.
    """
    path = run / CATALOGUE
    try:
        with pq.ParquetFile(parquet_of(path)) as file:
            if missing := [name for name in _COLUMNS if name not in file.schema_arrow.names]:
                raise UserError(f"{path} lacks the column {missing[0]!r}: mask again.")
            rows = (row for batch in file.iter_batches(columns=list(_COLUMNS)) for row in batch.to_pylist())
            for name, faces in groupby(rows, key=lambda row: str(row["path"])):
                yield _labelled(name, list(faces), run)
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} cannot be read ({str(error).splitlines()[0]}): mask again.") from None


def unlabelled_faces(pictures: Iterable[Labelled]) -> dict[str, int]:
    """The faces without a label in each photograph that has any; its pictures show the same faces."""
    found: dict[str, int] = {}
    for one in pictures:
        if one.unlabelled:
            found[one.photograph] = max(one.unlabelled, found.get(one.photograph, 0))
    return found


FACE_CLASSES = (BARE, *WEARINGS)


def class_names(run: AnyPath) -> list[str]:
    """The classes of a run's labels: for faces bare and the wearing positions, then the kinds of its masks.

    Raises:
        UserError: the catalogue cannot be read.
    """
    path = run / CATALOGUE
    try:
        kinds = pc.unique(pq.read_table(parquet_of(path), columns=["kind"], partitioning=None)["kind"]).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{path} cannot be read ({str(error).splitlines()[0]}): mask again.") from None
    return [*FACE_CLASSES, *sorted(set(kinds) - {BARE})]


def _labelled(path: str, rows: Sequence[Mapping[str, Any]], run: AnyPath) -> Labelled:
    first = rows[0]
    if first["alignment"] != NOT_CUT:
        raise UserError(f"{run} holds crops: labels are for whole photographs, mask with --crop none --faces all.")
    size = int(first["width"]), int(first["height"])
    seen = [one for row in rows for one in _seen(row, *size)]
    unlabelled = max(int(first["faces_found"]) - len(rows), 0)
    return Labelled(path, str(first["source"]), str(first["person"]), *size, tuple(seen), unlabelled)


def _seen(row: Mapping[str, Any], width: int, height: int) -> Iterator[Seen]:
    """A row's face, and its mask."""
    face, kind = int(row["picture_face"]), str(row["kind"])
    about = {"kind": kind, "wearing": str(row["wearing"]), "colour": str(row["colour"]), "person": str(row["person"])}
    box = _inside(row["box"], width, height)
    if box is not None:
        yield Seen(str(row["wearing"]) or BARE, box, (), face, about)
    polygons = [np.reshape(polygon, (-1, 2)) for polygon in row["outline"] or () if len(polygon) >= 6]
    if polygons:
        points = np.concatenate(polygons)
        around = _inside((*points.min(axis=0).tolist(), *(points.max(axis=0) + 1).tolist()), width, height)
        if around is not None:
            grown = (np.clip(around_pixels(polygon), 0, (width, height)) for polygon in polygons)
            yield Seen(kind, around, tuple(tuple(polygon.ravel().tolist()) for polygon in grown), face, about)


def around_pixels(polygon: NDArray[np.floating]) -> NDArray[np.float64]:
    """The outline of an area from the polygon through the middles of the pixels at its edge, without holes.

    Args:
        polygon: (n, 2), closed, from the middle of the first pixel.

    Returns:
        (n, 2) from the corner of the first pixel: each edge half a pixel outwards, each corner at most one.

    Example:
        >>> around_pixels(np.array([[2, 1], [4, 1], [4, 3], [2, 3]])).tolist()
        [[2.0, 1.0], [5.0, 1.0], [5.0, 4.0], [2.0, 4.0]]
    """
    points = np.asarray(polygon, np.float64)
    edges = np.roll(points, -1, axis=0) - points
    lengths = np.maximum(np.hypot(*edges.T), 1e-9)
    before = np.roll(points, 1, axis=0)
    clockwise = np.sum(before[:, 0] * points[:, 1] - points[:, 0] * before[:, 1]) >= 0
    outwards = np.stack((edges[:, 1], -edges[:, 0]), axis=1) / lengths[:, None] * (1 if clockwise else -1)
    corners = outwards + np.roll(outwards, 1, axis=0)
    squares = np.sum(corners**2, axis=1)
    # Of a corner this much moves both its edges by a half; a tip that is sharp is cut at one.
    steps = np.minimum(1 / np.maximum(squares, 1e-9), 1 / np.maximum(np.sqrt(squares), 1e-9))
    return points + 0.5 + corners * steps[:, None]


def _inside(box: Sequence[float], width: int, height: int) -> Box | None:
    """The part of a box inside the picture, None if it is empty."""
    x0, y0, x1, y1 = map(float, box)
    cut = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    return cut if cut[0] < cut[2] and cut[1] < cut[3] else None
