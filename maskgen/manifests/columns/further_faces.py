"""Crops of a photograph's further faces: the catalogue names the photograph's person, and they may show anybody."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from maskgen.core.alignment_names import NOT_CUT
from maskgen.formats.any_path import AnyPath

from ..catalogue import Images
from ..schema import Bools
from .run_columns import RunColumns


def further_faces(runs: Sequence[tuple[str, AnyPath]], images: Images) -> Bools:
    """Which images are crops of another face than the most prominent one of their photograph, bool (n,).

    A whole photograph shows its person whoever else is in it, and counts as its first face.

    Args:
        runs: (name, folder) of each run of the images, as `read_runs` takes them.

    Raises:
        UserError: a catalogue is missing, unreadable, or lacks a value.
    """
    further = np.zeros(len(images), np.bool_)
    for name, folder in runs:
        paths = _paths(RunColumns.of(name, folder))
        if not len(paths):
            continue
        own = np.array([person.run == name for person in images.people], np.bool_)
        rows = np.flatnonzero(own[images.person])
        further[rows] = pc.is_in(images.paths.take(pa.array(rows)), value_set=paths).to_numpy(zero_copy_only=False)
    return further


def _paths(run: RunColumns) -> pa.LargeStringArray:
    """The paths of a run's crops of further faces."""
    none = pa.array([], pa.large_string())
    columns = set(run.file.schema_arrow.names)
    # Most runs have no further face: their paths need not be read again.
    if not {"face", "alignment"} <= columns or not any(
        pc.any(pc.greater(face, 0)).as_py() for (face,) in run.batches("face")
    ):
        return none
    parts = [
        path.filter(pc.and_(pc.greater(face, 0), pc.not_equal(alignment, NOT_CUT))).cast(pa.large_string())
        for path, face, alignment in run.batches("path", "face", "alignment")
    ]
    return pa.concat_arrays([none, *parts])
