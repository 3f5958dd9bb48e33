"""CARD.md: a run as a dataset: content, source, settings, limits, licence, citation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from maskgen import __version__
from maskgen.core.kindspec import BARE
from maskgen.core.reasons import counted
from maskgen.formats.any_path import AnyPath

from ..checks import show_path
from ..mask.settings import MaskSettings
from ..runs.run_folder import RunFolder
from ..runs.versions import versions
from .outcome import mask_command
from .reasons import MEANING
from .run_report import Report

CARD = "CARD.md"
_BEGIN, _END = "<!-- licence: fill in; what stands between these lines is kept -->", "<!-- /licence -->"
_LICENCE = re.compile(re.escape(_BEGIN) + r"\n(.*?)" + re.escape(_END), re.DOTALL)
_UNFILLED = (
    "Not filled in. The pictures are derived from the photographs of the source: its licence, and the consent that\n"
    "its people gave, hold for them too."
)
_LIMITS = (
    "The masks are rendered. Training or evaluating a model on them does not show that it works on real masks.",
    "Faces were selected by a detector and a landmark model, both with errors: photographs on which they failed are "
    "missing, listed in set_aside.csv, and they are not a random part of the source.",
    "Faces that wear a mask in the photograph are found with the error rates that the documentation states "
    "(docs/already_masked.md); a missed one carries two masks.",
    "The people, poses and light are those of the source, and so are its imbalances; none was measured here.",
    "The folder of a photograph is taken for its person. Labels of the source that are wrong stay wrong.",
)


def write_card(run: RunFolder, settings: MaskSettings, report: Report) -> None:
    """Write CARD.md; an existing licence is kept, and a card without licence marks is left alone."""
    place = run.root / CARD
    if (licence := licence_in(place)) is not None:
        run.place_text(place, card(settings, report, licence))


def licence_in(place: AnyPath) -> str | None:
    """The licence of an existing card, the request to fill it in without a card; None for a card without marks."""
    try:
        text = place.read_text("utf-8")
    except FileNotFoundError:
        return _UNFILLED
    except UnicodeDecodeError:
        return None
    found = _LICENCE.search(text.replace("\r\n", "\n"))
    return None if found is None else found[1].strip("\n") or _UNFILLED


def licence_block(licence: str) -> tuple[str, ...]:
    """The lines of a licence, between marks by which it is read back."""
    return _BEGIN, licence, _END


def card(settings: MaskSettings, report: Report, licence: str = _UNFILLED) -> str:
    """The card's text, a function of settings and outcome."""
    return "\n".join(_lines(settings, report, licence)) + "\n"


def _lines(settings: MaskSettings, report: Report, licence: str) -> Iterator[str]:
    name = show_path(settings.source.resolve()).rstrip("/").rpartition("/")[2]
    yield from (f"# {plain(name)}, masked", "")
    yield f"{_content(report)}, of {counted(report.people_written, 'person')}, made with maskgen {__version__}."
    yield from ("", "## Licence", "", *licence_block(licence), "", "## Source and settings", "")
    yield f"- Source: `{_code(show_path(settings.source.resolve()))}`"
    aside = sum(report.set_aside.values())
    yield f"- {counted(report.photographs, 'photograph')} of {counted(report.people, 'person')}"
    yield f"- {counted(report.written, 'was', 'were')} used, {aside:,} set aside (set_aside.csv says why)"
    if report.faces_set_aside:
        more = sum(report.faces_set_aside.values())
        yield f"- {counted(more, 'more face was', 'more faces were')} set aside in photographs with several"
    what = "faces" if report.shares_pictures else "pictures"
    yield from ("", "## Counts", "", *_counts("mask", what, report.faces_by_kind))
    if report.set_aside:
        yield from _counts("set aside as", "photographs", report.set_aside, MEANING)
    yield from ("## How", "", "The command that repeats the run into a folder RUN:", "")
    yield from (f"    {mask_command(settings, 'RUN').replace(chr(10), ' ')}", "", "| setting | value |", "|---|---|")
    yield from (f"| {plain(one)} | `{_code(_value(value))}` |" for one, value in settings.deciding().items())
    yield from (
        "",
        f"The seed is {settings.seed}. The same photographs, settings and versions give the same bytes.",
        "",
    )
    yield from ("## Versions", "", *(f"- {one} {version}" for one, version in versions().items()))
    yield from ("", "## Known limits", "", *(f"- {limit}" for limit in _LIMITS), "", "## How to cite", "")
    yield "Cite the source of the photographs as its authors ask, and this program as:"
    yield from (
        "",
        f"> the maskgen authors. maskgen {__version__}: masked-face datasets from any face dataset. Software.",
    )


def _content(report: Report) -> str:
    """How many pictures of what the dataset has."""
    masked, bare = report.pictures.get("masked", 0), report.pictures.get(BARE, 0)
    masks = sum(report.masks.values())
    faces = f"{counted(masks, 'face')} with rendered masks in {counted(masked, 'picture')}"
    text = faces if report.shares_pictures else f"{counted(masked, 'picture')} of faces with rendered masks"
    without = f"{bare:,} without" if not report.shares_pictures else counted(bare, "bare picture")
    return f"{text} and {without}" if bare else text


def _counts(head: str, what: str, counts: Mapping[str, int], meaning: Mapping[str, str] | None = None) -> Iterator[str]:
    yield from (f"| {head} | {what} |", "|---|---|")
    for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])):
        note = f": {meaning[name]}" if meaning and name in meaning else ""
        yield f"| {plain(name)}{plain(note)} | {count:,} |"
    yield ""


def _value(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "not set" if value is None else str(value)


def plain(text: str) -> str:
    """Text with Markdown markup escaped."""
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    """Text for a code span, also in a table."""
    return " ".join(text.split()).replace("`", "'").replace("|", "\\|")
