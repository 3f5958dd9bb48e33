"""OUT/CARD.md of `maskgen pairs`: the lists as a dataset, with the cards of the runs that they are made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from maskgen import __version__
from maskgen.core.reasons import counted

from ..reports.card import CARD, licence_block, licence_in, plain
from .records import PlannedLists

_HEADING = re.compile(r"^(#+) ", re.MULTILINE)
_NO_CARD = "This run has no CARD.md: it was made by an earlier version, or it was removed."
_LIMITS = (
    "People were divided by the names of their folders, and photographs were compared byte for byte: a person under "
    "two names, or one photograph stored twice in different files, can be in two splits.",
    "The difficulty of the pairs for a recogniser was not considered.",
)


def write_card(work: PlannedLists, report: Mapping[str, Any]) -> None:
    """Write CARD.md; an existing licence is kept, and a card without licence marks is left alone."""
    from maskgen.core.atomic_writes import write_atomic

    place = work.settings.out / CARD
    if (licence := licence_in(place)) is not None:
        write_atomic(place, ("\n".join(_lines(work, report, licence)) + "\n").encode())


def _lines(work: PlannedLists, report: Mapping[str, Any], licence: str) -> Iterator[str]:
    yield from ("# Training lists and verification pairs", "")
    yield f"Lists of the images of {counted(len(work.folders), 'masked run')}, written with maskgen {__version__}."
    yield from ("", "## Licence", "", *licence_block(licence), "", "## Counts", "", "| file | rows |", "|---|---|")
    yield from (f"| {plain(name)} | {rows:,} |" for name, rows in report["rows"].items())
    yield from ("", "| split | people |", "|---|---|")
    yield from (f"| {plain(name)} | {people:,} |" for name, people in report["people"].items())
    yield from ("", f"Protocol {report['protocol']}, seed {report['seed']}; report.json has every setting.")
    yield from ("", "## Known limits", "", *(f"- {limit}" for limit in _LIMITS))
    for name, folder in work.folders.items():
        yield from ("", f"## Run {plain(name)}", "")
        try:
            text = (folder / CARD).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            yield _NO_CARD
            continue
        yield _HEADING.sub(r"##\1 ", without_marks(text)).strip()


def without_marks(text: str) -> str:
    """A card's text without its licence marks, which belong to that card alone."""
    return re.sub(r"^<!-- /?licence.*-->\n", "", text.replace("\r\n", "\n"), flags=re.MULTILINE)
