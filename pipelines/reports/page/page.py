"""A page: its sections, the data of its script, and the block that describes only this start."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from .html import Markup, join, markup, tag
from .plots import facts

NAME = "report.html"
MOST_BYTES = 5_000_000
_BEGIN, _END = "<!-- this start -->", "<!-- /this start -->"
_START = re.compile(re.escape(_BEGIN.encode()) + b".*?" + re.escape(_END.encode()), re.DOTALL)
_SLOT = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the page under a heading; `name` is its anchor."""

    name: str
    title: str
    body: Markup


@dataclass(frozen=True, slots=True)
class Page:
    """The content of a page.

    Attributes:
        title: of the page, as text.
        lead: the outcome in one or two sentences.
        start: values that differ between two runs with the same settings (place, duration), by name.
        command: the command line that repeats the run.
        sections: in order.
        data: for the script: galleries, thresholds, epochs.
        on_repeating: what the command does where the run's folder is there already, or "".
    """

    title: str
    lead: str
    start: Mapping[str, str]
    command: str
    sections: Sequence[Section]
    data: Mapping[str, object] = field(default_factory=dict)
    on_repeating: str = ""


def page_bytes(page: Page) -> bytes:
    """The whole file."""
    slots = {
        "title": markup(page.title),
        "lead": markup(page.lead),
        "start": _start(page),
        "contents": join(tag("li", tag("a", one.title, href=f"#{one.name}")) for one in page.sections),
        "sections": join(
            tag("section", tag("h2", one.title), one.body, id=one.name, aria_label=one.title) for one in page.sections
        ),
        "style": _file("page.css"),
        "script": _file("page.js"),
        "data": script_json(page.data),
    }
    text = _SLOT.sub(lambda found: slots[found[1]], _file("page.html"))
    return text.encode("utf-8", "backslashreplace")


def without_start(data: bytes) -> bytes:
    """A page's bytes without the block of this start: equal for equal settings and source."""
    return _START.sub(b"", data)


def script_json(value: object) -> str:
    """JSON that is safe inside a script element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for one in "<>&\u2028\u2029":
        text = text.replace(one, f"\\u{ord(one):04x}")
    return text


def _start(page: Page) -> Markup:
    command = tag("pre", tag("code", page.command), tabindex=0, id="command", aria_label="Command that repeats the run")
    label = tag("h3", "The command that repeats this run")
    note = tag("p", page.on_repeating, class_="note") if page.on_repeating else ""
    return Markup(f"{_BEGIN}\n{facts(page.start)}\n{label}\n{note}\n{command}\n{_END}")


def _file(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")
