"""Masks on the fly: the loader renders masks onto bare crops, with the landmarks of their runs' catalogues.

No face is detected and no masked copy is stored. The masks of an epoch depend on its number and the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from maskgen.core.atomic_writes import save_array
from maskgen.core.kindspec import BARE, parse_kind
from maskgen.core.reasons import SetAsideError, UserError, counted
from maskgen.core.records import Image
from maskgen.formats.any_path import AnyPath, RemotePath, any_path
from maskgen.formats.columns import numbers
from maskgen.formats.reading import join
from maskgen.manifests.schema import CATALOGUE
from maskgen.masks.apply_mask import AnalysedFace, analyse_faces, place_mask, wear_mask
from maskgen.masks.kind import Kind
from maskgen.masks.kinds import load_kinds
from maskgen.masks.plan import MaskPlan, plan_mask
from maskgen.masks.render import PlacedMask
from maskgen.trainer.data.lists import TrainingList

from .kept_analyses import KeptAnalyses

POINTS = "points.npy"
_INSIDE = "faces/"  # folder of a run's pictures
_AT_ONCE = 1 << 14  # rows of a catalogue
# What is known of a face: its landmarks, in the crop's pixels, and their expected error, in eye distances: 0 where the
# catalogue tells none. See `MaskPlan.unsure`.
FACE = np.dtype([("points", np.float32, (68, 2)), ("unsure", np.float32)])
_UNSURE = "expected_error"  # the catalogue's column


class DrawnMask(NamedTuple):
    """A drawn mask: landmarks float32 (68, 2) in the stored picture, kind and plan."""

    points: NDArray[np.float32]
    kind: Kind
    plan: MaskPlan


@dataclass(frozen=True, slots=True)
class OnlineMasker:
    """Renders masks onto pictures as the loader reads them; see `maskgen.trainer.data.picture_batches.Augment`.

    Attributes:
        points: a file of FACE (rows,); NaN where a picture already shows a mask.
        kinds: as on the command line, with weights.
        share: of the bare pictures that get a mask, 0..1.
        kept: the analyses of earlier epochs; None to analyse each face each time.
    """

    points: Path
    kinds: tuple[str, ...]
    share: float
    kept: KeptAnalyses | None = None

    def __call__(
        self, images: Sequence[Image], rows: Sequence[dict[str, Any]], rngs: Sequence[np.random.Generator]
    ) -> list[Image]:
        """Each picture with a mask, or unchanged: at random, if it already shows a mask, or if no mask can be
        fitted."""
        masked = list(images)
        drawn = {at: one for at, one in enumerate(map(self.draw, rows, rngs)) if one is not None}
        analysed = self.analysed(images, rows, {at: one.points for at, one in drawn.items()})
        # All masks are placed before the first one is rendered, see `wear_mask`.
        placed: dict[int, PlacedMask] = {}
        for at, face in analysed.items():
            with suppress(SetAsideError):  # the mask would be behind the head or outside the picture
                placed[at] = place_mask(images[at].shape[:2], face, drawn[at].plan, drawn[at].kind)
        for at, one in placed.items():
            with suppress(SetAsideError):  # only its loops would lie in the picture
                masked[at] = wear_mask(images[at], analysed[at], one).image
        return masked

    def draw(self, row: dict[str, Any], rng: np.random.Generator) -> DrawnMask | None:
        """The mask of a picture; None if it gets none."""
        chance = rng.random(2)
        face = _mapped(self.points)[row["row"]]
        if chance[0] >= self.share or np.isnan(face["unsure"]):
            return None
        kinds, ends = _weighted(self.kinds)
        kind = kinds[int(np.searchsorted(ends, chance[1] * ends[-1], side="right"))]
        plan, unsure = plan_mask(rng), float(face["unsure"])
        return DrawnMask(np.array(face["points"]), kind, replace(plan, unsure=unsure) if unsure else plan)

    def analysed(
        self, images: Sequence[Image], rows: Sequence[dict[str, Any]], points: Mapping[int, NDArray[np.floating]]
    ) -> dict[int, AnalysedFace]:
        """The analyses of the faces with these landmarks, by their pictures' numbers. Faces that are too small or
        turned too far are left out: `maskgen mask` sets them aside."""
        known = {} if self.kept is None else self.kept.of({at: rows[at]["row"] for at in points})
        new = [at for at in points if at not in known]
        for at, found in zip(new, analyse_faces([images[at] for at in new], [points[at] for at in new]), strict=True):
            if isinstance(found, AnalysedFace):
                known[at] = found
                if self.kept is not None:
                    self.kept.write(rows[at]["row"], found)
        return known


@cache
def _weighted(kinds: tuple[str, ...]) -> tuple[list[Kind], NDArray[np.float64]]:
    """Some kinds, and their weights added up."""
    return load_kinds(kinds), np.cumsum([parse_kind(text).weight for text in kinds])


@cache
def _mapped(path: Path) -> NDArray[np.void]:
    """The file's array, memory-mapped, so that all workers share it."""
    return np.load(path, mmap_mode="r", allow_pickle=False)


def write_points(folder: Path, listed: TrainingList) -> str:
    """Write the landmarks of a list's pictures; returns a message on pictures that already show a mask ("" for none).

    Raises:
        UserError: a picture is in no catalogue, or none is bare.
    """
    encoded = listed.addresses.dictionary_encode()
    found = _of_catalogues(listed.root, encoded.dictionary)
    once = len(found) == len(listed)
    faces = found if once else found[encoded.indices.to_numpy(zero_copy_only=False)]
    masked = int(np.count_nonzero(np.isnan(faces["unsure"])))
    if masked == len(faces):
        raise UserError("data.masks=online needs bare crops, and the list has none: mask with --bare first.")
    save_array(folder / POINTS, faces, durable=False)  # each start writes it anew
    _mapped.cache_clear()
    does = "shows a mask and stays" if masked == 1 else "show a mask and stay"
    return f"{masked:,} of {counted(len(faces), 'picture')} already {does} unchanged" if masked else ""


def _of_catalogues(root: AnyPath, addresses: Any) -> NDArray[np.void]:
    """The FACE of each address, (n,), NaN for masked pictures."""
    faces = np.full(len(addresses), np.nan, FACE)
    known = np.zeros(len(addresses), np.bool_)
    for run, (rows, paths) in _by_run(root, addresses.to_pylist()).items():
        for part, kinds, values in _rows_of(run):
            at = pc.index_in(part, value_set=paths).to_numpy(zero_copy_only=False)
            there = np.flatnonzero(~np.isnan(at.astype(np.float64)))
            own = rows[at[there].astype(np.int64)]
            known[own] = True
            bare = kinds[there]
            faces[own[bare]] = values[there[bare]]
    if not known.all():
        first = addresses[int(np.flatnonzero(~known)[0])].as_py()
        raise UserError(
            f"data.masks=online needs the points of {first}, and the catalogue of its run does not list it: give lists "
            "of runs that `maskgen mask` wrote."
        )
    return faces


def _by_run(root: AnyPath, addresses: list[str]) -> dict[AnyPath, tuple[NDArray[np.int64], Any]]:
    """For each run, the rows of its addresses and their paths in its catalogue."""
    runs: dict[str, AnyPath | None] = {}
    found: dict[AnyPath, tuple[list[int], list[str]]] = {}
    for row, address in enumerate(addresses):
        run, path = _run_of(str(root), address, runs)
        rows, paths = found.setdefault(run, ([], []))
        rows.append(row)
        paths.append(path)
    return {run: (np.array(rows), pa.array(paths, pa.large_string())) for run, (rows, paths) in found.items()}


def _run_of(root: str, address: str, runs: dict[str, AnyPath | None]) -> tuple[AnyPath, str]:
    """The run of a picture, and its path there: the folder before `faces/` that holds a catalogue."""
    for before, path in _splits(address):
        if before not in runs:
            folder = any_path(join(root, before))
            runs[before] = folder if (folder / CATALOGUE).is_file() else None
        if (run := runs[before]) is not None:
            return run, path
    raise UserError(
        f"data.masks=online needs the points of {address}, and no parent folder is a run with a {CATALOGUE}: give "
        "the lists of `maskgen pairs` (train.csv)."
    )


def _splits(address: str) -> Iterator[tuple[str, str]]:
    at = -1
    while (at := address.find(_INSIDE, at + 1)) >= 0:
        if at == 0 or address[at - 1] == "/":
            yield address[: max(at - 1, 0)] or ".", address[at:]


def _rows_of(run: AnyPath) -> Iterator[tuple[Any, NDArray[np.bool_], NDArray[np.void]]]:
    """A catalogue's paths, whether each is bare, and its FACE, thousands of rows at a time.

    Raises:
        UserError: the catalogue is damaged, or lacks a column.
    """
    try:
        yield from _read_rows(run)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(f"{run / CATALOGUE} cannot be read ({str(error).splitlines()[0]}): mask again.") from None


def _read_rows(run: AnyPath) -> Iterator[tuple[Any, NDArray[np.bool_], NDArray[np.void]]]:
    file: Any = (run / CATALOGUE).open() if isinstance(run, RemotePath) else run / CATALOGUE
    catalogue = pq.ParquetFile(file)
    there = set(catalogue.schema_arrow.names)
    if missing := {"path", "kind", "points68"} - there:
        raise UserError(f"{run / CATALOGUE} has no column {min(missing)}: mask again.")
    for batch in catalogue.iter_batches(_AT_ONCE, columns=["path", "kind", "points68", *({_UNSURE} & there)]):
        paths = batch["path"].cast(pa.large_string())
        bare = pc.equal(batch["kind"].cast(pa.large_string()), BARE).to_numpy(zero_copy_only=False)
        faces = np.zeros(len(paths), FACE)
        points = batch["points68"].flatten().to_numpy(zero_copy_only=False)
        faces["points"] = points.reshape(faces["points"].shape)
        if _UNSURE in there:
            faces["unsure"] = np.nan_to_num(numbers(batch[_UNSURE]))
        yield paths, bare, faces
