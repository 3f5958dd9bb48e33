"""report.html of `maskgen evaluate --gallery`: ranks, a movable threshold, and false matches of probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import counted

from ..checks import show_path
from ..reports.page.html import Markup, join, tag
from ..reports.page.page import NAME, Page, Section, page_bytes
from ..reports.page.picture_grid import Gallery, Item, Side, place_of
from ..reports.page.plots import facts, numbers, table, whiskers
from ..reports.page.threshold_slider import PairLabels, judge_data, slider
from ..reports.page.thumbnails import Pictures, of_all, thumbnail
from .errors import picture
from .page import evaluate_command, start_of
from .results_text import UNKNOWN, trained_note

if TYPE_CHECKING:
    from .results import GalleryEvaluation

_SHOWN = 120
_PEOPLE = 200


def write_gallery_page(found: GalleryEvaluation, results: Mapping[str, Any]) -> None:
    """Write report.html into the report's folder."""
    from maskgen.core.atomic_writes import write_atomic

    pictures = Pictures()
    gallery = _gallery(found, pictures)
    sections = [
        Section("rates", "Rates", _rates(results)),
        Section("threshold", "Move the threshold", join([tag("p", _OPEN), slider()])),
        Section("people", "By person", _people(found)),
        Section("hardest", "Probes identified as another person, and the closest cases", place_of("errors")),
    ]
    data = {"pictures": pictures.stored, "galleries": {"errors": gallery.data()}, "judge": _judge(found)}
    name = show_path(found.gallery.root.resolve()).rpartition("/")[2]
    page = Page(
        f"{found.embedder.name} on {name}",
        _lead(results),
        start_of(found.settings),
        evaluate_command(found.settings),
        sections,
        data,
    )
    write_atomic(found.settings.folder / NAME, page_bytes(page))


_OPEN = (
    "Open-set identification: a probe matches its nearest person within the threshold. The rate of correct "
    "identification counts probes whose own person is nearest. The false match rate counts all probes, each by its "
    "distance to the nearest other person, as if its own person were not enrolled."
)


def _lead(results: Mapping[str, Any]) -> str:
    rank = results["rank1"]["value"]
    return (
        f"{100 * rank:.1f} % of {counted(results['probes'], 'masked probe')} name their person first, of "
        f"{counted(results['people_enrolled'], 'person')} enrolled with "
        f"{counted(results['enrolled'], 'bare face')}."
    )


def _rates(results: Mapping[str, Any]) -> Markup:
    counts = {"people enrolled": results["people_enrolled"], "bare faces": results["enrolled"]}
    counts |= {"masked probes": results["probes"], "of people not enrolled": results["probes_of_nobody_enrolled"]}
    counts |= {"unreadable": results["pictures"]["unreadable"]}
    rows = {"named first": results["rank1"], "among the first five": results["rank5"]}
    rows |= {"identified correctly within the threshold": results["open_set"]["accepted"]}
    shown = {name: (one["value"], one.get("low"), one.get("high")) for name, one in rows.items()}
    found = results["open_set"]
    details = {"False match rate requested": f"{found['far_asked']:g}"}
    details |= {"Open set": found["reason"]} if found["reason"] else {"Threshold": f"{found['threshold']:.4f}"}
    model = {"Model": results["model"]["given"], "Seed": results["seed"]}
    note = "Shares of the probes, with 95 % bootstrap intervals over people."
    if alike := results["probes_of_enrolled_photographs"]:
        counts |= {"left out, of enrolled photographs": alike}
    known = tag("p", trained_note(results), class_="note")
    return join([numbers(counts), known, whiskers(note, shown), facts(details | model)])


def _judge(found: GalleryEvaluation) -> dict[str, Any]:
    import numpy as np

    search = found.search
    own = search.own[search.is_known]
    named = np.where(search.rank[search.is_known] == 1, own, np.inf)
    sorts = PairLabels("probes, own person named first", "probes, nearest other person", "let in", "turned away")
    return judge_data({"all probes": (named, search.other)}, found.result.threshold, sorts)


def _people(found: GalleryEvaluation) -> Markup:
    """The people, those with the most identification errors first."""
    columns = found.gallery.columns
    named = columns.get("person", columns["target"]).to_pylist()
    names = dict(zip(found.gallery.numbers("target").tolist(), named, strict=True))
    people = sorted(found.result.people, key=lambda one: (one.first - one.probes, one.person))
    rows = [
        (names[one.person], *map(_count, (one.enrolled, one.probes, one.first, one.accepted, one.let_in)))
        for one in people[:_PEOPLE]
    ]
    note = (
        f"{len(rows):,} of {counted(len(people), 'person')}, those with the most errors first; identified.csv has all"
    )
    head = ("person", "bare faces", "probes", "named first", "let in", "false matches of others with them")
    return table(note, head, rows)


def _count(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number}"


def _gallery(found: GalleryEvaluation, pictures: Pictures) -> Gallery:
    import numpy as np

    search, target = found.search, found.gallery.numbers("target")
    order = np.argsort(search.other - np.where(search.is_known, search.own, 0.0), kind="stable")
    chosen = [int(row) for row in order if search.rival[row] >= 0][:_SHOWN]
    rival = {row: int(found.enrolled[target[found.enrolled] == search.rival[row]][0]) for row in chosen}
    sides = sorted({*(int(found.probes[row]) for row in chosen), *rival.values()})
    made = of_all(lambda row: thumbnail(picture(found.gallery.root, found.gallery.addresses[row].as_py())), sides)
    thumbs = {row: pictures.add(one) for row, one in zip(sides, made, strict=True)}
    items = [_probe(found, row, rival[row], thumbs) for row in chosen]
    note = f"The {counted(len(items), 'probe')} nearest to somebody else, beside a face of that person."
    return Gallery(items, note, (("named", "Named", ()),), (("near", "nearest to the other first"),))


def _probe(found: GalleryEvaluation, row: int, rival: int, thumbs: Mapping[int, int | None]) -> Item:
    search, addresses, probe = found.search, found.gallery.addresses, int(found.probes[row])
    names = addresses[probe].as_py(), addresses[rival].as_py()
    people = " / ".join(_person(found, row_) for row_ in (probe, rival))
    rank, own, other = int(search.rank[row]), float(search.own[row]), float(search.other[row])
    named = "not enrolled" if rank == 0 else "rightly" if rank == 1 else "as somebody else"
    details = [("Probe", names[0]), ("Nearest other", names[1]), ("Distance to the other", f"{other:.4f}")]
    details += [("Distance to the own person", f"{own:.4f}"), ("Rank", str(rank))] if rank else []
    shown = Side(thumbs[probe], f"probe {names[0]}"), Side(thumbs[rival], f"enrolled {names[1]}")
    return Item(shown, (f"{other:.3f}, named {named}", people), {"named": named}, tuple(details), {"near": other})


def _person(found: GalleryEvaluation, row: int) -> str:
    columns = found.gallery.columns
    return str(columns.get("person", columns["target"])[row].as_py())
