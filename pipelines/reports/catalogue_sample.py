"""Rows of a catalogue for a report: a sample of every kind, the rows with the worst fit, and counts of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from maskgen.core.kindspec import BARE
from maskgen.formats.any_path import AnyPath
from maskgen.formats.columns import column, numbers
from maskgen.formats.local_or_remote_files import parquet_of

from ..runs.catalogue import ROW_GROUP, Row
from .contact_sheet import spread

if TYPE_CHECKING:
    from maskgen.core.records import Doubles

# Shown at most, and at least where there are as many; between, a share of the run, of whose time a page costs little.
PICTURES, FEWEST, SHARE = 200, 120, 1 / 8
WORST = 24  # of each sort
_CANDIDATES = 8 * WORST  # one face is there with each of its masks
_PIXELS = 300_000_000  # that are decoded: whole photographs are large, and then there are fewer
COLUMNS: tuple[str, ...] = (
    *("path", "source", "person", "kind", "face", "picture_face", "width", "height", "matrix", "points68"),
    *("yaw", "pitch", "roll", "scale", "trust", "fit_error", "wearing", "look"),
    *("form", "print", "colours", "translucency", "wear"),
)

FRONT, LEFT, RIGHT = "front, within 15°", "15 to 35° to the left", "15 to 35° to the right"
FAR_LEFT, FAR_RIGHT = "over 35° to the left", "over 35° to the right"
POSES = (FRONT, LEFT, RIGHT, FAR_LEFT, FAR_RIGHT)
TRUSTS = ("under 0.5", "0.5 to 0.7", "0.7 to 0.85", "0.85 and more")
_TURNS, _TRUSTS = (-35.0, -15.0, 15.0, 35.0), (0.5, 0.7, 0.85)


_FIT_STEP, _FIT_STEPS = 0.001, 1000


@dataclass(slots=True)
class Spread:
    """Fit errors in bins, so that those of any number of faces take no memory."""

    counts: list[int] = field(default_factory=lambda: [0] * _FIT_STEPS)

    def add(self, values: Doubles) -> None:
        """Count values, (n,)."""
        import numpy as np

        bins = np.clip(values / _FIT_STEP, 0, _FIT_STEPS - 1).astype(np.int64)
        self.counts = (np.array(self.counts) + np.bincount(bins, minlength=_FIT_STEPS)).tolist()

    def below(self, share: float) -> float | None:
        """The end of the bin below which at least this share lies; None without values."""
        total, seen = sum(self.counts), 0
        for at, count in enumerate(self.counts):
            seen += count
            if count and seen >= share * total:
                return round((at + 1) * _FIT_STEP, 3)
        return None


@dataclass(slots=True)
class CatalogueSurvey:
    """Counts over the masked faces of a whole catalogue, and the rows to show; `people` counts pictures.

    `worst` are rows by the name of a measure, worst first, possibly several of one face; `evenly` are rows evenly over
    the pictures of every kind, ascending.
    """

    poses: Counter[str] = field(default_factory=Counter)
    trusts: Counter[str] = field(default_factory=Counter)
    wearing: Counter[str] = field(default_factory=Counter)
    forms: Counter[str] = field(default_factory=Counter)
    prints: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    masked: int = 0
    fits: Spread = field(default_factory=Spread)
    worst: dict[str, list[int]] = field(default_factory=dict)
    evenly: list[int] = field(default_factory=list)


def pose_of(yaw: float | None) -> str:
    """The pose of a face, one of POSES; "" where unknown."""
    if yaw is None or yaw != yaw:
        return ""
    return (FAR_LEFT, LEFT, FRONT, RIGHT, FAR_RIGHT)[sum(yaw >= turn for turn in _TURNS)]


def trust_of(trust: float | None) -> str:
    """The range of TRUSTS that holds a trust; "" where unknown."""
    return "" if trust is None or trust != trust else TRUSTS[sum(trust >= least for least in _TRUSTS)]


def survey_catalogue(catalogue: AnyPath, outputs: Mapping[str, int]) -> CatalogueSurvey:
    """Count over the catalogue and choose rows.

    Args:
        outputs: how many pictures the catalogue has of each kind.
    """
    found = CatalogueSurvey()
    wanted = _wanted(outputs)
    seen: Counter[str] = Counter()
    low: dict[str, list[tuple[float, int]]] = {}
    names = ("kind", "picture_face", "person", "yaw", "trust", "fit_error", "wearing", "form", "print")
    for first, batch in _columns(catalogue, names):
        kinds = batch["kind"].to_pylist()
        _count(found, batch, kinds)
        _note_worst(low, batch, kinds, first)
        for at, (kind, other) in enumerate(zip(kinds, batch["picture_face"].to_pylist(), strict=True)):
            if not other:
                if seen[kind] in wanted.get(kind, ()):
                    found.evenly.append(first + at)
                seen[kind] += 1
    found.worst = {name: [row for _, row in entries] for name, entries in low.items()}
    return found


def _wanted(outputs: Mapping[str, int]) -> dict[str, frozenset[int]]:
    """The pictures of each kind to show: equal shares; a rare kind's unused share goes to the others."""
    kinds = {kind: count for kind, count in outputs.items() if count and (kind != BARE or len(outputs) == 1)}
    left, wanted = min(PICTURES, max(FEWEST, int(SHARE * sum(kinds.values())))), {}
    for place, (kind, count) in enumerate(sorted(kinds.items(), key=lambda one: one[1])):
        share = min(count, max(left // (len(kinds) - place), 1))
        wanted[kind] = spread(count, share)
        left -= share
    return wanted


def _columns(catalogue: AnyPath, names: Sequence[str]) -> Iterator[tuple[int, Any]]:
    """Columns of a catalogue in parts, each with the number of its first row."""
    import pyarrow.parquet as pq

    first = 0
    with pq.ParquetFile(parquet_of(catalogue)) as file:
        there = [name for name in names if name in file.schema_arrow.names]
        for batch in file.iter_batches(batch_size=ROW_GROUP, columns=there):
            yield first, {name: batch.column(name) for name in there}
            first += batch.num_rows


def _count(found: CatalogueSurvey, batch: Mapping[str, Any], kinds: Sequence[str]) -> None:
    """Count the masked faces, and of each person all pictures, bare ones too."""
    import numpy as np

    masked = np.array([kind != BARE for kind in kinds], np.bool_)
    found.masked += int(masked.sum())
    if "fit_error" in batch:
        errors = numbers(batch["fit_error"])[masked]
        found.fits.add(errors[~np.isnan(errors)])
    for name, bins, counts in (("yaw", _TURNS, found.poses), ("trust", _TRUSTS, found.trusts)):
        if name in batch:
            values = numbers(batch[name])[masked]
            parts = np.bincount(np.digitize(values[~np.isnan(values)], bins), minlength=len(bins) + 1)
            labels = (FAR_LEFT, LEFT, FRONT, RIGHT, FAR_RIGHT) if name == "yaw" else TRUSTS
            counts.update({label: int(n) for label, n in zip(labels, parts, strict=True) if n})
    for name, counts in (("wearing", found.wearing), ("form", found.forms), ("print", found.prints)):
        if name in batch:
            pairs = zip(batch[name].to_pylist(), masked.tolist(), strict=True)
            counts.update(value or "" for value, counts_too in pairs if counts_too)
    people = zip(batch["person"].to_pylist(), batch["picture_face"].to_pylist(), strict=True)
    found.people.update(person or "" for person, other in people if not other)


def _note_worst(low: dict[str, list[tuple[float, int]]], batch: Any, kinds: Sequence[str], first: int) -> None:
    """Keep the rows of masked faces with the lowest trust, and those with the largest fit error."""
    import numpy as np

    masked = np.array([kind != BARE for kind in kinds], np.bool_)
    for name, sign in (("trust", 1.0), ("fit_error", -1.0)):
        if name not in batch:
            continue
        values = np.where(masked, sign * numbers(batch[name]), np.nan)
        rows = np.argsort(values, kind="stable")[:_CANDIDATES]
        entries = [(float(values[row]), first + int(row)) for row in rows if not np.isnan(values[row])]
        low[name] = sorted([*low.get(name, []), *entries])[:_CANDIDATES]


def rows_at(catalogue: AnyPath, rows: Sequence[int]) -> dict[int, Row]:
    """These rows of a catalogue by their number."""
    found: dict[int, Row] = {}
    wanted = sorted(set(rows))
    for first, batch in _columns(catalogue, COLUMNS):
        size = len(batch["path"])
        own = [row - first for row in wanted if first <= row < first + size]
        taken = {name: [values[row].as_py() for row in own] for name, values in batch.items()}
        for at, row in enumerate(own):
            found[first + row] = {name: values[at] for name, values in taken.items()}
    return found


def bare_paths(catalogue: AnyPath, sources: frozenset[str]) -> dict[tuple[str, int], str]:
    """The bare pictures of these photographs: paths by photograph and face."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: dict[tuple[str, int], str] = {}
    wanted = column(sorted(sources)).cast(pa.string())
    for _, batch in _columns(catalogue, ("source", "kind", "face", "path")):
        own = pc.and_(pc.equal(batch["kind"], BARE), pc.is_in(batch["source"].cast(pa.string()), value_set=wanted))
        sought = zip(*(batch[name].filter(own).to_pylist() for name in ("source", "face", "path")), strict=True)
        for source, face, path in sought:
            found.setdefault((source, face), path)
    return found


def without_repeats(rows: Mapping[int, Row], order: Sequence[int]) -> list[int]:
    """The first WORST of these rows of different faces."""
    seen, kept = set(), []
    for at in order:
        who = rows[at]["source"], rows[at]["face"], rows[at]["picture_face"]
        if who not in seen:
            seen.add(who)
            kept.append(at)
    return kept[:WORST]


def within_pixels(rows: Sequence[Row]) -> int:
    """How many of these rows' pictures, from the first, are within the report's pixel limit."""
    left = _PIXELS
    for at, row in enumerate(rows):
        left -= int(row.get("width") or 0) * int(row.get("height") or 0)
        if left < 0:
            return at
    return len(rows)
