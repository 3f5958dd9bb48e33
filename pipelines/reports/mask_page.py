"""RUN/report.html of `maskgen mask`: settings, counts, and sample pictures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from maskgen.formats.any_path import AnyPath, RemotePath

from ..checks import show_path
from ..mask.settings import MaskSettings
from ..runs.catalogue import Row
from ..runs.run_folder import RunFolder
from ..runs.versions import versions
from ..settings_to_command import command_line, repeated
from .catalogue_sample import (
    POSES,
    TRUSTS,
    WORST,
    CatalogueSurvey,
    bare_paths,
    pose_of,
    rows_at,
    survey_catalogue,
    trust_of,
    within_pixels,
    without_repeats,
)
from .face_thumbnails import LIGHTS, photographs, show_all
from .page.html import Markup, join, tag
from .page.page import NAME, Page, Section, page_bytes
from .page.picture_grid import Gallery, Item, Side, place_of
from .page.plots import bars, facts, numbers, table
from .page.thumbnails import Pictures
from .reasons import MEANING
from .run_report import Report
from .set_aside_sample import MOST_PICTURES, PHOTOGRAPH, SetAsideItem, SetAsideSample

_HOW = frozenset(
    {"workers", "backend", "scheduler", "overwrite", "take_over", "dry_run", "retry_set_aside", "prune", "reuse"}
)
_MOST_PEOPLE = 20
_WORST_TOLD = 10
_LONGEST = 120  # characters of a name or a detail


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished run: settings, source, report, timing."""

    settings: MaskSettings
    source: AnyPath
    report: Report
    aside: SetAsideSample
    timing: Mapping[str, Any]


def write_mask_page(run: RunFolder, outcome: Outcome) -> None:
    """Write report.html: the same bytes for the same settings and source, except for the block of this start."""
    run.place(run.root / NAME, page_bytes(_page(run, outcome)))


def mask_command(settings: MaskSettings) -> str:
    """The command line that repeats a run."""
    return command_line("mask", settings.absolute(), ("source", "run"), _HOW, {"labels": repeated("--labels")})


def _page(run: RunFolder, outcome: Outcome) -> Page:
    report, pictures = outcome.report, Pictures()
    found = survey_catalogue(run.catalogue, report.outputs)
    shown = _Shown(run, outcome, found, pictures)
    sections = [
        Section("outcome", "Results", _outcome(report, found)),
        Section("gallery", "Masked pictures", _gallery(shown)),
        Section("aside", "Set aside", _aside(outcome)),
        Section("asked", "Settings", _asked(outcome)),
        Section("files", "Files", _files(outcome)),
    ]
    data = {
        "pictures": pictures.stored,
        "galleries": {"outputs": shown.gallery.data(), "aside": _aside_gallery(outcome, pictures).data()},
    }
    title = f"Masks on {show_path(outcome.settings.source.resolve()).rstrip('/').rpartition('/')[2]}"
    return Page(title, _lead(report), _start(run, outcome), mask_command(outcome.settings), sections, data)


def _main_reason(set_aside: Mapping[str, int]) -> str:
    reason = max(set_aside, key=lambda one: set_aside[one])
    how = "Most were" if 2 * set_aside[reason] > sum(set_aside.values()) else "The largest share was"
    return f"{how} set aside as {reason}: {MEANING.get(reason, reason)}."


def _lead(report: Report) -> str:
    aside = sum(report.set_aside.values())
    text = (
        f"{report.photographs:,} photographs of {report.people:,} people: {report.written:,} written in "
        f"{report.images:,} pictures, {aside:,} set aside."
    )
    if report.set_aside:
        text += f" {_main_reason(report.set_aside)}"
    masked = {kind: count for kind, count in report.outputs.items() if kind != "bare"}
    kind = max(masked, key=lambda one: masked[one], default="")
    if list(masked.values()).count(masked.get(kind, 0)) == 1 < len(masked):
        text += f" The most common mask is {kind}, in {masked[kind]:,} pictures."
    return text


def _start(run: RunFolder, outcome: Outcome) -> dict[str, str]:
    """The page's block that differs between two runs with the same settings."""
    timing, root = outcome.timing, run.root
    details = {"Folder": show_path(root if isinstance(root, RemotePath) else root.resolve())}
    if timing.get("photographs"):
        details["Took"] = (
            f"{timing['seconds']:,.1f} s for {timing['photographs']:,} photographs, "
            f"{timing['photographs_per_second']:,.1f} a second"
        )
        if timing["photographs"] < outcome.report.photographs:
            details["Took"] += " (the last start; earlier starts processed the others)"
        details["Processes"] = f"{timing['workers']:,}, at most {timing['worker_peak_mb']:,.0f} MB each"
    return details


def _outcome(report: Report, found: CatalogueSurvey) -> Markup:
    counts = {"people": report.people, "photographs": report.photographs, "written": report.written}
    counts |= {"pictures": report.images, "set aside": sum(report.set_aside.values())}
    counts |= {"people without any picture": report.people - report.people_written}
    if report.faces > report.images:
        counts["masked faces"] = report.faces
    left = [
        bars("Pictures by mask", _falling(report.outputs)),
        bars("Masks by form", _falling(found.forms)) if any(found.forms) else "",
        bars("Masks by print", _falling({name or "plain": count for name, count in found.prints.items()}))
        if any(found.prints)
        else "",
        bars("Photographs set aside, by reason", _falling(report.set_aside), MEANING) if report.set_aside else "",
        bars("Further faces set aside, by reason", _falling(report.faces_set_aside), MEANING)
        if report.faces_set_aside
        else "",
    ]
    right = [
        bars("Masks by wearing position", _falling(found.wearing)) if any(found.wearing) else "",
        bars("Masked faces by pose", _in_order(found.poses, POSES)) if found.poses else "",
        bars("Masked faces by trust in their landmarks", _in_order(found.trusts, TRUSTS)) if found.trusts else "",
        _people(found),
    ]
    return join([numbers(counts), tag("div", tag("div", *left), tag("div", *right), class_="columns")])


def _falling(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(((name or "unknown", count) for name, count in counts.items()), key=lambda one: (-one[1], one)))


def _in_order(counts: Mapping[str, int], order: Sequence[str]) -> dict[str, int]:
    return {name: counts[name] for name in order if counts.get(name)}


def _people(found: CatalogueSurvey) -> Markup | str:
    if not found.people:
        return ""
    most = dict(list(_falling(found.people).items())[:_MOST_PEOPLE])
    rest = len(found.people) - len(most)
    note = (
        f"Pictures by person: the {len(most)} with the most of {len(found.people):,}" if rest else "Pictures by person"
    )
    return bars(note, {_short(name): count for name, count in most.items()})


class _Shown:
    """The gallery of masked pictures, and the rows with the largest fit error."""

    def __init__(self, run: RunFolder, outcome: Outcome, found: CatalogueSurvey, pictures: Pictures) -> None:
        rows = rows_at(run.catalogue, [*found.evenly, *(row for order in found.worst.values() for row in order)])
        worst = {name: without_repeats(rows, order) for name, order in found.worst.items()}
        first = sorted({row for order in worst.values() for row in order})
        self.total = outcome.report.images
        self.worst = [(rows[row], name) for name in worst for row in worst[name][:_WORST_TOLD]]
        order = list(dict.fromkeys([*first, *found.evenly]))
        kept = sorted(order[: within_pixels([rows[row] for row in order])])
        self.rows = [rows[row] for row in kept]
        self.gallery = Gallery(
            self._items(run, outcome, pictures),
            f"A sample of {len(self.rows):,} of {self.total:,} pictures, evenly over the run and its masks, "
            f"with the {WORST} of lowest trust and the {WORST} of largest fit error."
            if len(self.rows) < self.total - outcome.report.outputs.get("bare", 0)
            else "All masked pictures of the run.",
            (
                ("kind", "Mask", ()),
                ("form", "Form", ()),
                ("wear", "Worn", ()),
                ("pose", "Pose", POSES),
                ("light", "Light", LIGHTS),
                ("trust", "Trust", TRUSTS),
            ),
            (("trust", "lowest trust first"), ("fit", "largest fit error first"), ("yaw", "most turned first")),
        )

    def _items(self, run: RunFolder, outcome: Outcome, pictures: Pictures) -> list[Item]:
        settings = outcome.settings
        bare = bare_paths(run.catalogue, frozenset(row["source"] for row in self.rows)) if settings.bare else {}
        thumbs = show_all(run.root, None if settings.bare else outcome.source, self.rows, bare)
        return [
            _item(row, Side(pictures.add(one.masked), _alt(row), pictures.add(one.bare)), one.light)
            for row, one in zip(self.rows, thumbs, strict=True)
        ]


def _alt(row: Row) -> str:
    wearing = f", worn {row['wearing']}" if row.get("wearing") else ""
    return f"{_short(row['person'])}, {row['kind']}{wearing}"


def _item(row: Row, side: Side, light: str) -> Item:
    facets = {
        "kind": row["kind"],
        "form": row.get("form") or "",
        "wear": row.get("wearing") or "",
        "pose": pose_of(row.get("yaw")),
    }
    facets |= {"light": light, "trust": trust_of(row.get("trust"))}
    sorts = {"trust": row.get("trust"), "fit": _negative(row.get("fit_error")), "yaw": _negative(row.get("yaw"))}
    return Item(
        (side,),
        (row["kind"], _short(row["person"])),
        {name: value for name, value in facets.items() if value},
        tuple(_facts(row, light)),
        {name: round(float(value), 4) for name, value in sorts.items() if value is not None},
    )


def _negative(value: float | None) -> float | None:
    return None if value is None else -abs(value)


def _facts(row: Row, light: str) -> Iterator[tuple[str, str]]:
    """The facts on a masked face, names and values."""
    yield "Picture", _short(row["path"])
    yield "Photograph", _short(row["source"])
    yield "Person", _short(row["person"])
    worn = ("wearing", "Worn"), ("look", "Look"), ("form", "Form"), ("print", "Print"), ("colours", "Colours")
    yield from ((label, str(row[name])) for name, label in (("kind", "Mask"), *worn) if row.get(name))
    if row.get("yaw") is not None and row.get("pitch") is not None:
        yield "Pose", f"yaw {row['yaw']:.0f}°, pitch {row['pitch']:.0f}°, roll {row['roll']:.0f}°"
    if light:
        yield "Light", f"{light} (measured above the mask)"
    if row.get("trust") is not None:
        yield "Trust", f"{row['trust']:.2f} of 1"
    if row.get("fit_error") is not None:
        yield "Fit error", f"{row['fit_error']:.3f} eye distances"


def _gallery(shown: _Shown) -> Markup:
    if not shown.rows:
        return tag("p", "No picture was written.")
    details, parts = {}, []
    for measure, title in (("fit_error", "Worst fit"), ("trust", "Lowest trust")):
        rows = [
            (_short(row["path"]), row["kind"], _number(row.get("trust")), _number(row.get("fit_error")))
            for row, name in shown.worst
            if name == measure
        ]
        if rows:
            details[title] = rows[0][0]
            worst = table(title, ("picture", "mask", "trust", "fit error, in eye distances"), rows)
            parts.append(tag("details", tag("summary", f"{title}: the first {len(rows)}"), worst))
    return join([facts(details), place_of("outputs"), *parts])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _aside(outcome: Outcome) -> Markup:
    sample = outcome.aside
    if not sample.total:
        return tag("p", "Nothing was set aside.")
    names = sample.shown()
    note = "all" if len(names) == sample.total else f"{len(names):,} of {sample.total:,}; set_aside.csv has all"
    head = ("photograph", "what", "reason", "detail")
    rows = [(_short(one.path), one.what, one.reason, _short(one.detail)) for one in sorted(names, key=_by_reason)]
    listed = tag("details", tag("summary", f"By name ({note})"), table(note, head, rows))
    return join([place_of("aside"), listed])


def _by_reason(one: SetAsideItem) -> tuple[str, str, str, str]:
    return one.reason, one.path, one.what, one.detail


def _aside_gallery(outcome: Outcome, pictures: Pictures) -> Gallery:
    names = outcome.aside.shown()[:MOST_PICTURES]
    names = sorted(names, key=_by_reason)
    thumbs = photographs(outcome.source, [one.path for one in names], outcome.settings.max_pixels)
    items = [_aside_item(one, pictures.add(thumb)) for one, thumb in zip(names, thumbs, strict=True)]
    total = outcome.aside.total
    note = "All photographs set aside." if len(items) == total else f"A sample of {total:,}, with every reason."
    return Gallery(items, note, (("reason", "Reason", ()), ("what", "What", ())))


def _aside_item(one: SetAsideItem, thumb: int | None) -> Item:
    alt = f"{_short(one.path)}, set aside: {MEANING.get(one.reason, one.reason)}"
    details = [
        ("Photograph", _short(one.path)),
        ("Set aside", "the photograph" if one.what == PHOTOGRAPH else "a face"),
    ]
    details += [("Reason", f"{one.reason}: {MEANING.get(one.reason, '')}".rstrip(": "))]
    details += [("Detail", _short(one.detail))] if one.detail else []
    said = (one.reason, _short(one.path.rpartition("/")[2]))
    return Item((Side(thumb, alt),), said, {"reason": one.reason, "what": one.what}, tuple(details))


def _asked(outcome: Outcome) -> Markup:
    return facts({name: _value(value) for name, value in outcome.settings.deciding().items()}, many=True)


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "not set" if value is None else "yes" if value is True else "no" if value is False else str(value)


def _files(outcome: Outcome) -> Markup:
    settings = outcome.settings
    details = {
        "faces/": "the pictures, as the source's folders"
        if settings.write == "folders"
        else "tars with the pictures and their catalogue rows",
        "catalogue.parquet": "one row per masked face: source and its hash, box, landmarks, pose, mask",
        "set_aside.csv": "every photograph or face without a mask, and why",
        "CARD.md": "the dataset's card; its licence is for you to fill in",
        "report.json": "the totals, settings and versions",
        "timing.json": "the time that the last start took",
        "contact_sheet.png": "samples of every mask",
    }
    if settings.segmentation:
        details["segmentation/"] = "the coverage of each mask"
    return join([facts(details), tag("h3", "Versions"), facts(versions(), many=True)])


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST // 2] + "…" + text[-_LONGEST // 2 :]
