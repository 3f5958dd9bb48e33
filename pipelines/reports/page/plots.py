"""Bars, curves, intervals and tables of facts as HTML and SVG for light and dark themes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .html import Markup, breakable, join, markup, tag

WIDTH, HEIGHT = 640, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 14, 12, 54
_COLOURS = 6  # in the style sheet


def facts(rows: Mapping[str, object], many: bool = False) -> Markup:
    """Names and values as a list; long lists in two columns."""
    each = (tag("div", tag("dt", breakable(name)), tag("dd", _cell(value))) for name, value in rows.items())
    return tag("dl", *each, class_="facts many" if many else "facts")


def _cell(value: object) -> Markup:
    return value if isinstance(value, Markup) else breakable(str(value))


def numbers(rows: Mapping[str, int]) -> Markup:
    """A few counts, large."""
    each = (tag("div", tag("dt", name), tag("dd", f"{count:,}")) for name, count in rows.items())
    return tag("dl", *each, class_="numbers")


def bars(
    caption: str, rows: Mapping[str, int], notes: Mapping[str, str] | None = None, shows: tuple[str, str] | None = None
) -> Markup:
    """Counts by name as a table with a bar in each row.

    Args:
        caption: of the table.
        rows: counts, in display order.
        notes: the meaning of a name.
        shows: a gallery of the page and one of its facets, whose values are the names: each row then has a picture of
            it, and a click shows the others.
    """
    most = max(rows.values(), default=0) or 1
    notes = notes or {}
    body = (_bar(name, count, most, notes.get(name, "")) for name, count in rows.items())
    gallery, facet = shows or (None, None)
    return tag(
        "table", tag("caption", caption), tag("tbody", *body), class_="bars", data_bars=gallery, data_facet_of=facet
    )


def _bar(name: str, count: int, most: int, note: str) -> Markup:
    said = tag("small", note) if note else ""
    share = Markup(f'<span class="bar" style="width:{100 * count / most:.2f}%"></span>')
    return tag(
        "tr",
        tag("th", tag("span", breakable(name), class_="name"), said, scope="row", data_value=name),
        tag("td", f"{count:,}", class_="number"),
        tag("td", share, class_="wide"),
    )


def table(
    caption: object, head: Sequence[object], rows: Sequence[Sequence[object]], splits: Sequence[str] = ()
) -> Markup:
    """A table that scrolls where it is large; on a narrow screen each row is a block with the column's names.

    Args:
        splits: of each row the name of the slider's pairs, if the rates in the row follow the slider.
    """
    first = tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in head)))
    names: Sequence[str | None] = splits or [None] * len(rows)
    lines = (
        tag(
            "tr", *(tag("td", _cell(one), data_head=of) for of, one in zip(head, row, strict=True)), data_errors_of=name
        )
        for name, row in zip(names, rows, strict=True)
    )
    whole = tag("table", tag("caption", caption), first, tag("tbody", *lines))
    return tag("div", whole, class_="scroll", tabindex=0)


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a chart: its points, with ascending x; `low` and `high` are a band around it, empty for none."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a chart."""

    label: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """The position of a value on the axis, 0..1."""
        low, high, at = (
            (math.log10(max(one, 1e-12)) for one in (self.low, self.high, value))
            if self.log
            else (self.low, self.high, value)
        )
        return min(max((at - low) / ((high - low) or 1.0), 0.0), 1.0)

    def ticks(self) -> Iterator[float]:
        """Round values for the axis labels."""
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            yield from (10.0**power for power in range(first, last + 1) if self.low <= 10.0**power * 1.0001)
            return
        span = (self.high - self.low) or 1.0
        step = 10 ** math.floor(math.log10(span / 4))
        step *= next(times for times in (1, 2, 5, 10) if span / (step * times) <= 6)
        at = math.ceil(self.low / step - 1e-9)
        while at * step <= self.high + 1e-9 * span:
            yield at * step
            at += 1


def axis_over(label: str, values: Sequence[float], log: bool = False, zero: bool = False) -> Axis:
    """An axis over the range of these values."""
    known = [value for value in values if math.isfinite(value) and (value > 0 or not log)] or [0.0, 1.0]
    low, high = min(known), max(known)
    low = min(low, 0.0) if zero and not log else low
    return Axis(label, low, high if high > low else low + 1.0, log)


def chart(title: str, curves: Sequence[Curve], x: Axis, y: Axis, roc: bool = False) -> Markup:
    """Curves over an axis, with a legend where there are several; `title` is also what a screen reader says.

    Args:
        roc: whether the page's threshold slider marks its point: x from the lowest rate to 1, y from 0 to 1.
    """
    drawn = join(_curve(curve, at, x, y) for at, curve in enumerate(curves))
    box = f' data-roc="{[_LEFT, WIDTH - _RIGHT, _TOP, HEIGHT - _BOTTOM, x.low]}"' if roc else ""
    svg = Markup(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{markup(title)}" class="chart"{box}>'
        f"{_grid(x, y)}{drawn}</svg>"
    )
    legend = (tag("li", tag("i", class_=f"key c{at % _COLOURS}"), one.name) for at, one in enumerate(curves))
    shown = tag("ul", *legend, class_="legend") if len(curves) > 1 else ""
    return tag("figure", tag("figcaption", title), svg, shown)


def _across(x: Axis, value: float) -> float:
    return _LEFT + x.place(value) * (WIDTH - _LEFT - _RIGHT)


def _down(y: Axis, value: float) -> float:
    return HEIGHT - _BOTTOM - y.place(value) * (HEIGHT - _TOP - _BOTTOM)


def _grid(x: Axis, y: Axis) -> Markup:
    foot, left, right = HEIGHT - _BOTTOM, _LEFT, WIDTH - _RIGHT
    parts = []
    for value in y.ticks():
        at = _down(y, value)
        parts.append(f'<path class="grid" d="M{left} {at:.1f}H{right}"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{_short(value)}</text>')
    for value in x.ticks():
        at = _across(x, value)
        parts.append(f'<path class="grid" d="M{at:.1f} {_TOP}V{foot}"/>')
        parts.append(f'<text x="{at:.1f}" y="{foot + 20}" text-anchor="middle">{_short(value)}</text>')
    middle = (_TOP + foot) / 2
    parts.append(f'<text x="{(left + right) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{markup(x.label)}</text>')
    parts.append(f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{markup(y.label)}</text>')
    return Markup("".join(parts))


def _short(value: float) -> str:
    return f"{value:.6g}" if abs(value) < 10_000 else f"{value:.3g}".replace("e+0", "e")


def _curve(curve: Curve, at: int, x: Axis, y: Axis) -> Markup:
    colour = f"c{at % _COLOURS}"
    known = [(a, b) for a, b in zip(curve.x, curve.y, strict=True) if math.isfinite(b)]
    points = " ".join(f"{_across(x, a):.1f},{_down(y, b):.1f}" for a, b in known)
    band = ""
    if curve.low:
        up = [f"{_across(x, a):.1f},{_down(y, b):.1f}" for a, b in zip(curve.x, curve.high, strict=True)]
        back = [f"{_across(x, a):.1f},{_down(y, b):.1f}" for a, b in zip(curve.x, curve.low, strict=True)]
        band = f'<polygon class="band {colour}" points="{" ".join([*up, *reversed(back)])}"/>'
    if len(known) == 1:
        a, b = points.split(",")
        return Markup(f'{band}<circle class="dot {colour}" cx="{a}" cy="{b}" r="4"/>')
    return Markup(f'{band}<polyline class="line {colour}" points="{points}"/>')


def whiskers(caption: str, rows: Mapping[str, tuple[float | None, float | None, float | None]]) -> Markup:
    """Rates between 0 and 1 with their intervals: (value, low, high) by name, None where unknown."""
    known = [one for row in rows.values() for one in row if one is not None and math.isfinite(one)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    start = max(math.floor(low * 10 - 0.5) / 10, 0.0) if low > 0.3 else 0.0
    end = min(math.ceil(high * 10 + 0.5) / 10, 1.0) if high < 0.7 else 1.0

    def place(value: float) -> float:
        return 100 * (value - start) / (end - start)

    body = (_whisker(name, row, place) for name, row in rows.items())
    note = f"{caption} The scale runs from {start:g} to {end:g}."
    return tag("table", tag("caption", note), tag("tbody", *body), class_="bars whiskers")


def _whisker(
    name: str, row: tuple[float | None, float | None, float | None], place: Callable[[float], float]
) -> Markup:
    value, low, high = row
    if value is None or not math.isfinite(value):
        return tag("tr", tag("th", breakable(name), scope="row"), tag("td", "not known", class_="number"), tag("td"))
    span, said = "", f"{value:.4f}"
    if low is not None and high is not None and math.isfinite(low) and math.isfinite(high):
        span = f'<span class="span" style="left:{place(low):.2f}%;width:{place(high) - place(low):.2f}%"></span>'
        said += f" ({low:.4f} to {high:.4f})"
    dot = f'<span class="at" style="left:{place(value):.2f}%"></span>'
    drawn = Markup(f'<span class="track">{span}{dot}</span>')
    return tag(
        "tr", tag("th", breakable(name), scope="row"), tag("td", said, class_="number"), tag("td", drawn, class_="wide")
    )
