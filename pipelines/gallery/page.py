"""OUT/report.html of a gallery: people bare and masked, photographs set aside, and contradicted labels."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from maskgen.core.reasons import SetAsideError, counted

from ..checks import show_path
from ..reports.face_thumbnails import photographs
from ..reports.page.html import Markup, join, tag
from ..reports.page.page import Page, Section, page_bytes
from ..reports.page.picture_grid import Gallery, Item, Side, place_of, strip_of
from ..reports.page.plots import bars, numbers, table
from ..reports.page.thumbnails import Pictures, of_all, thumbnail
from ..reports.reasons import MEANING
from ..settings_to_command import command_line
from ..sources.output_names import escape
from .folder import PAGE, GalleryFolder
from .outcomes import GalleryRow, Outcomes
from .report import GalleryReport
from .settings import GallerySettings

_SHOWN, _DOUBTFUL, _ASIDE, _NAMES = 240, 60, 120, 1000
_CONTRADICTED, _COPY, _PLAUSIBLE = "contradicted", "same bytes as another", "plausible"


def gallery_command(settings: GallerySettings) -> str:
    """The command line that repeats a gallery."""
    return command_line("gallery", settings, ("source", "out"), frozenset({"overwrite"}))


def write_page(folder: GalleryFolder, settings: GallerySettings, outcomes: Outcomes, report: GalleryReport) -> None:
    """Write report.html."""
    pictures = Pictures()
    faces, aside = _faces(folder, outcomes, pictures, settings.simulate), _aside(settings, outcomes, pictures)
    sections = [
        Section("outcome", "Results", _outcome(report, outcomes)),
        Section("labels", "Labels in doubt, and copies of one photograph", _warnings(outcomes)),
        Section("faces", "Faces", place_of("faces") if outcomes.members else tag("p", "No face was written.")),
        Section("aside", "Set aside", _set_aside(outcomes)),
    ]
    start = {"Folder": show_path(folder.root.resolve())}
    data = {"pictures": pictures.stored, "galleries": {"faces": faces.data(), "aside": aside.data()}}
    title = f"Gallery of {show_path(settings.source.resolve()).rpartition('/')[2]}"
    page = Page(title, _lead(report), start, gallery_command(settings), sections, data)
    folder.place(PAGE, page_bytes(page))


def _lead(report: GalleryReport) -> str:
    return (
        f"{counted(report.photographs, 'photograph')} of {counted(report.people, 'person')}: "
        f"{counted(report.bare, 'bare face')} to enrol, {counted(report.masked, 'masked face')} to probe, "
        f"{sum(report.set_aside.values()):,} set aside."
    )


def _outcome(report: GalleryReport, outcomes: Outcomes) -> Markup:
    counts = {"people": report.people, "people without a face": report.faceless}
    counts |= {"photographs": report.photographs, "bare faces": report.bare}
    counts |= {"masked faces": report.masked, "set aside": sum(report.set_aside.values())}
    counts |= {"doubtful, kept": report.in_doubt, "the same bytes as another photograph": report.copies}
    counts |= {"people with unexpected counts": report.unlike}
    people = Counter(escape(one.person) for one in outcomes.members)
    most = dict(sorted(people.items(), key=lambda one: (-one[1], one[0]))[:20])
    rest = f": the {len(most)} with the most of {len(people):,}" if len(people) > len(most) else ""
    return join([numbers(counts), bars(f"Faces by person{rest}", most, shows=("faces", "person"))])


def _faces(folder: GalleryFolder, outcomes: Outcomes, pictures: Pictures, simulated: bool) -> Gallery:
    """Faces with a contradicted label, copies of one photograph, and others evenly over the people."""
    doubts = {path: (looks, score) for path, _, _, looks, score in (*outcomes.copies, *outcomes.doubtful)}
    members = sorted(outcomes.members, key=lambda one: (one.person, one.masked, one.path))
    doubtful = [one for one in members if one.path in doubts][:_DOUBTFUL]
    rest = [one for one in members if one.path not in doubts]
    count = min(len(rest), _SHOWN - len(doubtful))
    shown = doubtful + [rest[at * len(rest) // count] for at in range(count)]
    shown.sort(key=lambda one: (one.person, one.masked, one.path))
    thumbs = of_all(lambda one: _thumbnail(folder, one.path), shown)
    sized = "Picture's size" if simulated else "Photograph's size"
    items = [_item(one, pictures.add(thumb), doubts, sized) for one, thumb in zip(shown, thumbs, strict=True)]
    whole = len(shown) == len(members)
    sample = f"A sample of {len(shown):,} of {counted(len(members), 'face')}, evenly over the people."
    note = "All faces." if whole else sample
    masked = sum(one.masked for one in members)
    totals = {"worn": {"masked": masked, "bare": len(members) - masked}}
    totals["label"] = Counter(_label(one, doubts) for one in members)
    known = {name: {value: count for value, count in one.items() if count} for name, one in totals.items()}
    orders = (("score", "lowest detector's score first"), ("doubt", "contradicted labels first"))
    return Gallery(items, note, (("worn", "Worn", ()), ("label", "Label", ())), orders, len(members), known)


def _label(one: GalleryRow, doubts: Mapping[str, tuple[str, float | str]]) -> str:
    if one.path not in doubts:
        return _PLAUSIBLE
    return _COPY if isinstance(doubts[one.path][1], str) else _CONTRADICTED


def _score(score: float | str) -> str:
    return score if isinstance(score, str) else f"{score:.2f}"


def _thumbnail(folder: GalleryFolder, path: str) -> str | None:
    from maskgen.core.images import read_photo

    try:
        return thumbnail(read_photo(folder.root / path).image)
    except SetAsideError:
        return None


def _item(one: GalleryRow, thumb: int | None, doubts: Mapping[str, tuple[str, float | str]], sized: str) -> Item:
    worn, person = "masked" if one.masked else "bare", escape(one.person)
    facets = {"worn": worn, "label": _label(one, doubts), "person": person}
    details = [("Face", one.path), ("Photograph", escape(one.source)), ("Person", person), ("Label", worn)]
    if one.path in doubts:
        looks, score = doubts[one.path]
        is_copy = facets["label"] == _COPY
        details.append(("Copy", looks) if is_copy else ("Looks", f"{looks} (mask score {_score(score)})"))
    details += [(sized, f"{one.width} x {one.height}"), ("Detector's score", f"{one.score:.3f}")]
    sorts, tells = {"score": one.score}, {"score": f"score {one.score:.3f}"}
    if one.path in doubts:
        looks = doubts[one.path][0]
        sorts["doubt"], tells["doubt"] = 0.0, looks if facets["label"] == _COPY else f"labelled {worn}, {looks}"
    side = Side(thumb, f"{person}, {worn}")
    return Item((side,), (person, worn), facets, tuple(details), sorts, tells, quote(os.fsencode(one.path)))


def _aside(settings: GallerySettings, outcomes: Outcomes, pictures: Pictures) -> Gallery:
    rows = sorted(outcomes.set_aside)
    count = min(len(rows), _ASIDE)
    shown = [rows[at * len(rows) // count] for at in range(count)]
    root = settings.source if settings.source.is_dir() else settings.source.parent
    thumbs = photographs(root, [path for path, _, _ in shown], settings.max_pixels)
    items = []
    for (path, reason, detail), thumb in zip(shown, thumbs, strict=True):
        meaning = MEANING.get(reason, "")
        details = (("Photograph", path), ("Reason", f"{reason}: {meaning}"), *((("Detail", detail),) if detail else ()))
        side = Side(pictures.add(thumb), f"{path}, set aside: {meaning}")
        items.append(Item((side,), (reason, path), {"reason": reason}, details))
    note = (
        "All photographs set aside."
        if len(shown) == len(rows)
        else f"A sample of {len(rows):,}, evenly over their names."
    )
    counts = Counter(reason for _, reason, _ in rows)
    return Gallery(items, note, (("reason", "Reason", ()),), (), len(rows), {"reason": counts})


def _set_aside(outcomes: Outcomes) -> Markup:
    rows = sorted(outcomes.set_aside)
    if not rows:
        return tag("p", "Nothing was set aside.")
    note = "all" if len(rows) <= _NAMES else f"{_NAMES:,} of {len(rows):,}; set_aside.csv has all"
    listed = table(note, ("photograph", "reason", "detail"), rows[:_NAMES])
    counts = Counter(reason for _, reason, _ in rows)
    counted = bars(
        "By reason", dict(sorted(counts.items(), key=lambda one: (-one[1], one))), MEANING, ("aside", "reason")
    )
    return join([counted, place_of("aside"), tag("details", tag("summary", f"By name ({note})"), listed)])


def _warnings(outcomes: Outcomes) -> Markup:
    if not outcomes.warnings:
        return tag("p", "None.")
    doubtful = [(*row[:4], _score(row[4])) for row in sorted(outcomes.doubtful)]
    tables = [
        _by_name("labels in doubt", ("face", "photograph", "label", "looks", "mask score"), doubtful),
        _by_name("copies", ("face", "photograph", "person", "copy"), [row[:4] for row in sorted(outcomes.copies)]),
    ]
    return join([strip_of("faces", "doubt", _DOUBTFUL), *(one for one in tables if one is not None)])


def _by_name(what: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Markup | None:
    """A closed table of warnings; None without any."""
    if not rows:
        return None
    note = f"{what}: all" if len(rows) <= _NAMES else f"{what}: {_NAMES:,} of {len(rows):,}; warnings.csv has all"
    return tag("details", tag("summary", f"By name ({note})"), table(note, head, rows[:_NAMES]))
