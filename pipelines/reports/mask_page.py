"""RUN/report.html of `maskgen mask`: settings, counts, and sample pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from maskgen.core.reasons import counted
from maskgen.formats.any_path import RemotePath

from ..checks import show_path
from ..mask.settings import MaskSettings
from ..runs.run_folder import RunFolder
from ..runs.versions import versions
from .catalogue_sample import POSES, TRUSTS, CatalogueSurvey, survey_catalogue
from .face_thumbnails import photographs
from .mask_gallery import OUTPUTS, MaskGallery, gallery_of, in_order, plain_prints, short
from .outcome import Outcome, mask_command
from .page.html import Markup, join, tag
from .page.page import NAME, Page, Section, page_bytes
from .page.picture_grid import Gallery, Item, Side, place_of
from .page.plots import bars, facts, numbers, table
from .page.thumbnails import Pictures
from .reasons import MEANING
from .run_report import Report
from .set_aside_sample import MOST_PICTURES, PHOTOGRAPH, SetAsideItem

_MOST_PEOPLE = 10
_MOST_REASONS = 4  # told in the lead
_MOST_LOST = 50  # people without any picture who are named
_ASIDE = "aside"
_ON_PEOPLE = (
    "Each folder of photographs counts as one person; only lists, tars and record files may name people otherwise."
)
_ON_REPEATING = (
    "In the run's folder it does only what is missing, such as photographs that were added; one that was replaced "
    "under its name counts as done. To do everything again, give another folder, or --overwrite."
)
_TRUST = "Masked faces by trust in their landmarks"
_PICTURES = "the pictures, as the source's folders"
_CLASSES = "the parts of each picture's masks: an index for cloth, strap, valve, window, ..."
_LABELS = (
    ("coco", "coco.json", "labels for detectors, as COCO has them"),
    ("yolo", "yolo/", "pictures and labels for YOLO"),
)
_FILES = {
    "catalogue.parquet": "one row for each face of each picture, masked or bare: source, box, landmarks, pose, mask",
    "set_aside.csv": "every photograph or face that was set aside, and why",
    "CARD.md": "the dataset's card; its licence is for you to fill in",
    "report.json": "the totals, settings and versions",
    "settings.json": "the settings, as --config reads them",
    "timing.json": "the time that the last start took",
    "contact_sheet.png": "samples of every mask",
    "shards/": "what was done, for a later start",
}
_SEVERAL = ((1, 1), (2, 4), (5, 9), (10, 19), (20, 49), (50, 99), (100, 10**12))  # pictures of a person


def write_mask_page(run: RunFolder, outcome: Outcome) -> None:
    """Write report.html: the same bytes for the same settings and source, except for the block of this start."""
    run.place(run.root / NAME, page_bytes(_page(run, outcome)))


def _page(run: RunFolder, outcome: Outcome) -> Page:
    report, pictures = outcome.report, Pictures()
    found = survey_catalogue(run.catalogue, report.outputs)
    shown = MaskGallery(run, outcome, found, pictures)
    sections = [
        Section("outcome", "Results", _outcome(report, found)),
        Section("gallery", "Masked pictures", gallery_of(shown)),
        Section("aside", "Set aside", _aside(outcome, found)),
        Section("asked", "Settings", _asked(outcome)),
        Section("files", "Files", _files(outcome)),
    ]
    data = {
        "pictures": pictures.stored,
        "galleries": {OUTPUTS: shown.gallery.data(), _ASIDE: _aside_gallery(outcome, pictures).data()},
    }
    title = f"Masks on {show_path(outcome.settings.source.resolve()).rstrip('/').rpartition('/')[2]}"
    start, command = _start(run, outcome), mask_command(outcome.settings)
    return Page(title, _lead(report), start, command, sections, data, _ON_REPEATING)


def set_aside_text(set_aside: Mapping[str, int]) -> str:
    """How many were set aside, with the most frequent reasons.

    Example:
        >>> set_aside_text({"no_face": 2, "already_masked": 6})
        '8 set aside (6 already_masked, 2 no_face)'
    """
    ordered = _falling(set_aside)
    shown = [f"{count:,} {reason}" for reason, count in list(ordered.items())[:_MOST_REASONS]]
    rest = sum(list(ordered.values())[_MOST_REASONS:])
    shown += [f"{rest:,} for other reasons"] if rest else []
    return f"{sum(set_aside.values()):,} set aside" + (f" ({', '.join(shown)})" if shown else "")


def _lead(report: Report) -> str:
    text = (
        f"{counted(report.photographs, 'photograph')} of {counted(report.people, 'person')}: "
        f"{report.written:,} {_what_became(report)}, {set_aside_text(report.set_aside)}."
    )
    masks = report.masks
    kind = max(masks, key=lambda one: masks[one], default="")
    if list(masks.values()).count(masks.get(kind, 0)) == 1 < len(masks):
        where = (
            "on " + counted(masks[kind], "face") if report.shares_pictures else "in " + counted(masks[kind], "picture")
        )
        text += f" The most common mask is {kind}, {where}."
    return text


def _what_became(report: Report) -> str:
    """What the photographs that were used gave: "masked" if each gave one masked picture of one face."""
    if not report.written or report.pictures == {"masked": report.written} and not report.shares_pictures:
        return "masked"
    pictures = " and ".join(f"{count:,} {name}" for name, count in report.pictures.items())
    faces = f" with {counted(sum(report.masks.values()), 'masked face')}" if report.shares_pictures else ""
    return f"gave {pictures} picture{'' if report.images == 1 else 's'}{faces}"


def _start(run: RunFolder, outcome: Outcome) -> dict[str, str]:
    """The page's block that differs between two runs with the same settings."""
    timing, root = outcome.timing, run.root
    details = {"Folder": show_path(root if isinstance(root, RemotePath) else root.resolve())}
    if timing.get("photographs"):
        details["Took"] = (
            f"{timing['seconds']:,.1f} s for {counted(timing['photographs'], 'photograph')}, "
            f"{timing['photographs_per_second']:,.1f} a second"
        )
        if timing["photographs"] < outcome.report.photographs:
            details["Took"] += " (the last start; earlier starts processed the others)"
        details["Processes"] = f"{timing['workers']:,}, at most {timing['worker_peak_mb']:,.0f} MB each"
    return details


def _outcome(report: Report, found: CatalogueSurvey) -> Markup:
    by_mask = "Faces by mask" if report.shares_pictures else "Pictures by mask"
    left = [
        bars(by_mask, _falling(report.faces_by_kind), shows=(OUTPUTS, "kind")),
        _if_any(found.forms, bars("Masks by form", _falling(found.forms), shows=(OUTPUTS, "form"))),
        _if_any(found.prints, bars("Masks by print", _falling(plain_prints(found.prints)), shows=(OUTPUTS, "print"))),
    ]
    right = [
        _if_any(found.wearing, bars("Masks by wearing position", _falling(found.wearing), shows=(OUTPUTS, "wear"))),
        _if_any(found.poses, bars("Masked faces by pose", in_order(found.poses, POSES), shows=(OUTPUTS, "pose"))),
        _if_any(found.trusts, bars(_TRUST, in_order(found.trusts, TRUSTS), shows=(OUTPUTS, "trust"))),
        *_people(found),
    ]
    people = tag("p", _ON_PEOPLE, class_="note")
    return join([numbers(_counts(report)), people, tag("div", tag("div", *left), tag("div", *right), class_="columns")])


def _counts(report: Report) -> dict[str, int]:
    """The large numbers, each named by what it counts."""
    counts = {"people": report.people, "people without any picture": report.people - report.people_written}
    counts |= {"photographs": report.photographs, "photographs used": report.written}
    counts |= {"photographs set aside": sum(report.set_aside.values())}
    counts |= {"masked pictures": 0} | {f"{name} pictures": count for name, count in report.pictures.items()}
    if report.shares_pictures:
        masked = sum(report.masks.values())
        counts["masked faces"] = masked
        counts |= {"bare faces": report.faces - masked} if report.faces > masked else {}
    aside = sum(report.faces_set_aside.values())
    return counts | ({"faces set aside": aside} if aside else {})


def _if_any(counts: Mapping[str, int], shown: Markup) -> Markup | str:
    return shown if any(counts) else ""


def _falling(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(((name or "unknown", count) for name, count in counts.items()), key=lambda one: (-one[1], one)))


def _people(found: CatalogueSurvey) -> Iterator[Markup]:
    """Who has the most pictures, and how many people have how many."""
    if not found.people:
        return
    most = dict(list(_falling(found.people).items())[:_MOST_PEOPLE])
    rest = len(found.people) - len(most)
    note = "Pictures by person" + (f": the {len(most)} with the most of {len(found.people):,}" if rest else "")
    yield bars(note, {short(name): count for name, count in most.items()}, shows=(OUTPUTS, "person"))
    if rest:
        yield bars("People by their number of pictures", several(found.people.values()))


def several(counts: Iterable[int]) -> dict[str, int]:
    """How many people have how many pictures, by ranges.

    Example:
        >>> several([1, 1, 3, 8])
        {'1': 2, '2 to 4': 1, '5 to 9': 1}
    """
    tally = Counter(next(span for span in _SEVERAL if count <= span[1]) for count in counts)
    names = {span: f"{span[0]:,}" + ("" if span[0] == span[1] else f" to {span[1]:,}") for span in _SEVERAL[:-1]}
    names[_SEVERAL[-1]] = f"{_SEVERAL[-1][0]:,} and more"
    return {names[span]: tally[span] for span in _SEVERAL if tally[span]}


def _aside(outcome: Outcome, found: CatalogueSurvey) -> Markup:
    sample, report = outcome.aside, outcome.report
    if not sample.total:
        return tag("p", "Nothing was set aside.")
    counts = [
        bars(f"{what}, by reason", _falling(counted), MEANING, (_ASIDE, "reason")) if counted else ""
        for what, counted in (("Photographs", report.set_aside), ("Further faces", report.faces_set_aside))
    ]
    lost = report.people - report.people_written
    names = sorted(sample.folders - found.people.keys()) if lost <= _MOST_LOST else []
    # A person is a folder in most sources; where it is not, the numbers differ.
    without = facts({"People without any picture": ", ".join(map(short, names))}) if len(names) == lost > 0 else ""
    shown = sample.shown()
    note = "all" if len(shown) == sample.total else f"{len(shown):,} of {sample.total:,}; set_aside.csv has all"
    head = ("photograph", "what", "reason", "detail")
    rows = [(short(one.path), one.what, one.reason, short(one.detail)) for one in sorted(shown, key=_by_reason)]
    listed = tag("details", tag("summary", f"By name ({note})"), table(note, head, rows))
    return join([tag("div", *counts, class_="columns"), without, place_of(_ASIDE), listed])


def _by_reason(one: SetAsideItem) -> tuple[str, str, str, str]:
    return one.reason, one.path, one.what, one.detail


def _aside_gallery(outcome: Outcome, pictures: Pictures) -> Gallery:
    names = outcome.aside.shown()[:MOST_PICTURES]
    names = sorted(names, key=_by_reason)
    thumbs = photographs(outcome.source, [one.path for one in names], outcome.settings.max_pixels)
    items = [_aside_item(one, pictures.add(thumb)) for one, thumb in zip(names, thumbs, strict=True)]
    total = outcome.aside.total
    note = "All that was set aside." if len(items) == total else f"A sample of {total:,} set aside, with every reason."
    totals = {"reason": outcome.aside.by_reason(), "what": outcome.aside.by_what()}
    return Gallery(items, note, (("reason", "Reason", ()), ("what", "What", ())), (), total, totals)


def _aside_item(one: SetAsideItem, thumb: int | None) -> Item:
    alt = f"{short(one.path)}, set aside: {MEANING.get(one.reason, one.reason)}"
    details = [
        ("Photograph", short(one.path)),
        ("Set aside", "the photograph" if one.what == PHOTOGRAPH else "a face"),
    ]
    details += [("Reason", f"{one.reason}: {MEANING.get(one.reason, '')}".rstrip(": "))]
    details += [("Detail", short(one.detail))] if one.detail else []
    said = (one.reason, short(one.path))
    return Item((Side(thumb, alt),), said, {"reason": one.reason, "what": one.what}, tuple(details))


def _asked(outcome: Outcome) -> Markup:
    """The settings: those that differ from their defaults first."""
    settings = outcome.settings
    plain = MaskSettings(settings.source, settings.run).deciding()
    every = {name: _value(value) for name, value in settings.deciding().items()}
    given = {name: value for name, value in every.items() if name == "SOURCE" or value != _value(plain[name])}
    rest = {name: value for name, value in every.items() if name not in given}
    others = tag("summary", f"The {len(rest)} others, at their defaults")
    return join([facts(given), tag("details", others, facts(rest, many=True))])


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "not set" if value is None else "yes" if value is True else "no" if value is False else str(value)


def _files(outcome: Outcome) -> Markup:
    """What lies in the run's folder."""
    settings = outcome.settings
    pictures = "tars with the pictures and their catalogue rows" if settings.write == "tar" else _PICTURES
    details = {"faces/": pictures}
    if outcome.report.images:
        details |= {"segmentation/": "the coverage of each picture's masks"} if settings.segmentation else {}
        details |= {"classes/": _CLASSES} if settings.classes else {}
        details |= dict(_labels(settings))
    return join([facts(details | _FILES), tag("h3", "Versions"), facts(versions(), many=True)])


def _labels(settings: MaskSettings) -> Iterator[tuple[str, str]]:
    """The labels that the run has, or may get: --labels is also for a finished run, whose page stays as it is."""
    if settings.crop != "none" or settings.write != "folders" or isinstance(settings.run, RemotePath):
        return
    for name, file, what in _LABELS:
        later = "" if name in settings.labels else f": after this command with --labels {name}, which may be added now"
        yield file, what + later
