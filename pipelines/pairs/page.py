"""OUT/report.html of `maskgen pairs`: counts, and samples of pairs that are hard or doubtful by the catalogue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import SetAsideError, counted
from maskgen.formats.any_path import AnyPath

from ..checks import show_path
from ..reports.page.html import Markup, join, tag
from ..reports.page.page import NAME, Page, Section, page_bytes
from ..reports.page.picture_grid import Gallery, Item, Side, place_of, strip_of
from ..reports.page.plots import bars, facts, numbers, table
from ..reports.page.thumbnails import Pictures, of_all, thumbnail
from ..settings_to_command import command_line, repeated
from .records import PlannedLists
from .settings import PairsSettings

if TYPE_CHECKING:
    from maskgen.core.records import Doubles
    from maskgen.manifests.schema import Ints, Pairs

_LOOKED_AT = 4_000  # pairs per list and type whose pose and trust are read
_EACH = 22  # pairs per list and type: evenly, as many of the hardest, and as many of the least trusted
_NAMES = {"masked-masked": 2, "masked-bare": 1, "bare-bare": 0}
_FIRST = 10  # of each sort, before all
_NOTE = (
    "No recogniser was run on these pairs: what is hard or doubtful is told by the catalogue. The report of maskgen "
    "evaluate shows the pairs that a model gets wrong."
)
_HARD = {
    True: "Hardest pairs of one person: heads turned farthest apart",
    False: "Hardest pairs of two people: the same mask, or none, on heads turned the same way",
}
_DOUBTFUL = "Most doubtful pairs: lowest trust in the landmarks of one face, 0 to 1; 0.85 and more is usual"
_OFTEN = 2  # pairs of one image among the hardest or most doubtful of a list
_GENUINE, _IMPOSTOR = "same person", "different people"


@dataclass(frozen=True, slots=True)
class _Pair:
    """One pair to show: rows of the images, and the values by which it was chosen.

    `apart` is the difference of yaw in degrees, `trust` the lower trust; `ease` is less for what is harder.
    """

    of: str
    same: bool
    rows: tuple[int, int]
    apart: float
    trust: float
    ease: float


def pairs_command(settings: PairsSettings) -> str:
    """The command line that repeats the lists."""
    spelled = {
        "train": repeated("--train"),
        "eval": repeated("--eval"),
        "also": repeated("--also"),
        "run": lambda value: ["--run", show_path(value.absolute())],
        "mix": lambda value: ["--mix", ",".join(f"{name}={weight:g}" for name, weight in value)],
    }
    return command_line("pairs", settings, ("out",), frozenset({"workers", "overwrite"}), spelled)


def write_page(work: PlannedLists, report: Mapping[str, Any]) -> None:
    """Write report.html."""
    from maskgen.core.atomic_writes import write_atomic

    settings, pictures = work.settings, Pictures()
    gallery = _gallery(work, pictures)
    sections = [
        Section("outcome", "Results", _outcome(report)),
        Section("pairs", "Pairs", _pairs(gallery)),
        Section("left", "Left out", _left_out(work)),
        Section("runs", "From what", _runs(report)),
        Section("asked", "Settings", facts({name: _text(one) for name, one in report["settings"].items()}, many=True)),
    ]
    start = {"Folder": show_path(settings.out.resolve())}
    data = {"pictures": pictures.stored, "galleries": {"pairs": gallery.data()}}
    page = Page("Training lists and test pairs", _lead(report), start, pairs_command(settings), sections, data)
    write_atomic(settings.out / NAME, page_bytes(page))


def _lead(report: Mapping[str, Any]) -> str:
    rows = report["rows"]
    listed = ", ".join(
        f"{counted(rows[name], 'row')} in {name}" for name in ("train.csv", "eval_same.csv", "test.csv") if name in rows
    )
    return f"{listed}; {counted(sum(report['people'].values()), 'person')}."


def _outcome(report: Mapping[str, Any]) -> Markup:
    people = report["people"]
    counts = {f"people in {split}": people[split] for split in sorted(people, key=lambda one: (one != "train", one))}
    counts |= {"images over --balance": report["train"]["images_over_balance"]}
    counts |= {"images left out": sum(report["images_left_out"].values())}
    leaks = report["leaks"]["photographs_in_training_and_evaluation"]
    counts |= {"photographs in training and evaluation": leaks}
    twice = sum(part["photographs"] for part in report["photographs_of_two_people"].values())
    counts |= {"photographs of two people": twice} if twice else {}
    parts = [bars("Rows by file", report["rows"])]
    for name in ("eval", "test"):
        for sort, label in (("same", "same person"), ("diff", "different people")):
            facts_of = report[name][sort]
            by_sort = {title: facts_of[key] for title, key in zip(_NAMES, ("mm", "mb", "bb"), strict=True)}
            parts += [bars(f"Pairs in {name}, {label}, by mask", by_sort)] if facts_of["rows"] else []
    return join([numbers(counts), tag("div", *parts, class_="columns")])


def _left_out(work: PlannedLists) -> Markup:
    rows = [*work.left_out.rows]
    if work.resolved is not None:
        rows += [(where, "", "", reason) for where, reason in work.resolved.left_out]
    if not rows:
        return tag("p", "Nothing was left out.")
    note = "all" if len(rows) <= 1000 else f"1,000 of {len(rows):,}; left_out.csv has all"
    return table(note, ("image or line", "person", "run", "reason"), rows[:1000])


def _runs(report: Mapping[str, Any]) -> Markup:
    rows = [(run["run"], run["folder"], run["role"], run["catalogue_sha256"][:16]) for run in report["runs"]]
    return table("Runs, with the start of their catalogue's SHA-256", ("run", "folder", "for", "catalogue"), rows)


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "not set" if value is None else "yes" if value is True else "no" if value is False else str(value)


def _pairs(gallery: Gallery) -> Markup:
    """The hardest and the doubtful, then all that are shown."""
    if not gallery.items:
        return tag("p", "No pair was drawn.")
    parts = [tag("p", _NOTE, class_="note")]
    for same, truth in ((True, _GENUINE), (False, _IMPOSTOR)):
        parts += [tag("h3", _HARD[same]), strip_of("pairs", "hard", _FIRST, {"sort": truth})]
    parts += [tag("h3", _DOUBTFUL), strip_of("pairs", "trust", _FIRST)]
    return join([*parts, tag("h3", "All that this page shows"), place_of("pairs")])


def _gallery(work: PlannedLists, pictures: Pictures) -> Gallery:
    chosen = list(_chosen(work))
    rows = sorted({row for pair in chosen for row in pair.rows})
    made = of_all(lambda row: _thumbnail(work, row), rows) if work.settings.verify != "names" else [None] * len(rows)
    thumbs = {row: pictures.add(one) for row, one in zip(rows, made, strict=True)}
    items = [_item(work, pair, thumbs) for pair in chosen]
    totals: dict[str, Counter[str]] = {"list": Counter(), "sort": Counter()}
    for name, same, pairs in _lists(work):
        totals["list"][name] += len(pairs)
        totals["sort"][_GENUINE if same else _IMPOSTOR] += len(pairs)
    total = sum(totals["list"].values())
    note = (
        f"A sample of {counted(total, 'pair')}: of each list and type {_EACH} evenly, the {_EACH} hardest and the "
        f"{_EACH} of lowest trust among {_LOOKED_AT:,}."
        if len(items) < total
        else "All pairs."
    )
    facets = (("list", "List", ()), ("sort", "Pairs", ()), ("worn", "Worn", tuple(_NAMES)))
    orders = (("hard", "hardest first"), ("trust", "lowest trust first"), ("apart", "largest difference of yaw first"))
    return Gallery(items, note, facets, orders, total, totals)


def _lists(work: PlannedLists) -> Iterator[tuple[str, bool, Pairs]]:
    for name, drawn in (("test", work.manifests.test), ("eval", work.manifests.eval)):
        yield name, True, drawn.same
        yield name, False, drawn.diff


def _chosen(work: PlannedLists) -> Iterator[_Pair]:
    """Some of each list and type: evenly, the hardest, by lowest trust."""
    import numpy as np

    looked = [(name, same, pairs.take(_evenly(len(pairs), _LOOKED_AT))) for name, same, pairs in _lists(work)]
    known = _known(work, [np.concatenate([pairs.first, pairs.second]) for _, _, pairs in looked])
    for name, same, pairs in looked:
        apart = np.abs(known["yaw"][pairs.first] - known["yaw"][pairs.second])
        trust = np.minimum(known["trust"][pairs.first], known["trust"][pairs.second])
        other = work.manifests.images.kind[pairs.first] != work.manifests.images.kind[pairs.second]
        ease = -apart if same else apart + 360.0 * other
        orders = (_evenly(len(pairs), _EACH), _first(ease, pairs), _first(trust, pairs))
        for at in dict.fromkeys(int(row) for order in orders for row in order):
            rows = int(pairs.first[at]), int(pairs.second[at])
            yield _Pair(name, same, rows, *(float(values[at]) for values in (apart, trust, ease)))


def _evenly(total: int, wanted: int) -> Ints:
    import numpy as np

    count = min(total, wanted)
    return np.arange(count) * total // max(count, 1)


def _first(values: Doubles, pairs: Pairs) -> list[int]:
    """The pairs with the lowest values, so that no image fills the page."""
    import numpy as np

    chosen: list[int] = []
    used: Counter[int] = Counter()
    for at in np.argsort(values, kind="stable").tolist():
        both = int(pairs.first[at]), int(pairs.second[at])
        if np.isnan(values[at]) or len(chosen) == _EACH:
            break
        if max(used[row] for row in both) < _OFTEN:
            chosen.append(at)
            used.update(both)
    return chosen


def _known(work: PlannedLists, wanted: Sequence[Ints]) -> dict[str, Doubles]:
    """Yaw and trust of these images by the catalogues, float64 (images,), NaN for all others and where unknown."""
    import numpy as np

    images = work.manifests.images
    found = {name: np.full(len(images), np.nan) for name in ("yaw", "trust")}
    rows = np.unique(np.concatenate([*wanted, np.empty(0, np.int64)]))
    runs = np.array([person.run for person in images.people])
    for name, folder in work.folders.items():
        own = rows[runs[images.person[rows]] == name]
        if len(own):
            for column, values in _columns(folder, images.paths.take(own)).items():
                found[column][own] = values
    return found


def _columns(folder: AnyPath, paths: Any) -> dict[str, Doubles]:
    """Yaw and trust of the pictures at these paths, from their run's catalogue."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from maskgen.formats.local_or_remote_files import parquet_of
    from maskgen.manifests.schema import CATALOGUE

    wide = pa.large_string()
    with pq.ParquetFile(parquet_of(folder / CATALOGUE)) as file:
        if not (names := [name for name in ("yaw", "trust") if name in file.schema_arrow.names]):
            return {}
        batches = file.iter_batches(1 << 20, columns=["path", *names])
        # Where millions of pictures are listed, those of pairs are a small part.
        found = (batch.filter(pc.is_in(batch["path"].cast(wide), value_set=paths)) for batch in batches)
        own = pa.Table.from_batches(found)
    place = pc.index_in(paths, value_set=own["path"].cast(wide).combine_chunks())
    taken = {name: own[name].cast(pa.float64()).take(place) for name in names}
    return {name: np.asarray(column.to_numpy(), np.float64) for name, column in taken.items()}


def _thumbnail(work: PlannedLists, row: int) -> str | None:
    from maskgen.formats.reading import read_photo

    images = work.manifests.images
    try:
        folder = work.folder_of[int(images.person[row])]
        return thumbnail(read_photo(folder, images.paths[row].as_py(), max_pixels=2**31).image)
    except (SetAsideError, OSError):
        return None


def _item(work: PlannedLists, pair: _Pair, thumbs: Mapping[int, int | None]) -> Item:
    images = work.manifests.images
    names = [images.people[int(images.person[row])].name for row in pair.rows]
    kinds = [images.kinds[int(images.kind[row])] for row in pair.rows]
    worn = next(name for name, count in _NAMES.items() if count == sum(kind != "bare" for kind in kinds))
    truth = _GENUINE if pair.same else _IMPOSTOR
    details = [("List", pair.of), ("Truth", truth)]
    for place, row, name, kind in zip(("First", "Second"), pair.rows, names, kinds, strict=True):
        details.append((place, f"{images.paths[row].as_py()} ({name}, {kind})"))
    sorts: dict[str, float] = {}
    tells: dict[str, str] = {}
    if pair.apart == pair.apart:
        details.append(("Turned apart", f"{pair.apart:.0f}°"))
        sorts |= {"hard": pair.ease, "apart": -pair.apart}
        tells |= dict.fromkeys(("hard", "apart"), f"{pair.apart:.0f}° apart")
    if pair.trust == pair.trust:
        details.append(("Lower trust", f"{pair.trust:.2f} of 1"))
        sorts["trust"], tells["trust"] = pair.trust, f"trust {pair.trust:.2f}"
    shown = tuple(Side(thumbs[row], f"{names[at]}, {kinds[at]}") for at, row in enumerate(pair.rows))
    facets = {"list": pair.of, "sort": truth, "worn": worn}
    return Item(shown, (f"{truth}, {worn}", " / ".join(names)), facets, tuple(details), sorts, tells)
