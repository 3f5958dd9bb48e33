"""report.html of an evaluation: curves with intervals, a movable threshold, and the errors by mask and pose."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import counted

from ..checks import show_path
from ..reports.page.html import Markup, join, tag
from ..reports.page.page import NAME, Page, Section, page_bytes
from ..reports.page.picture_grid import Gallery, Item, Side, place_of, strip_of
from ..reports.page.plots import Axis, Curve, chart, facts, numbers, table, whiskers
from ..reports.page.threshold_slider import judge_data, slider
from ..reports.page.thumbnails import Pictures, of_all, thumbnail
from ..settings_to_command import command_line
from .errors import picture
from .results_text import FIXED, UNKNOWN, benchmark_notes, fixed_head, fixed_rows, has_rates, trained_note
from .settings import EvaluateSettings
from .splits import ALL, SORTS

if TYPE_CHECKING:
    from maskgen.manifests.schema import Bools
    from maskgen.metrics.verification import Verification

    from .results import Evaluation

_BAND = 17  # rates at which the confidence band is computed
_FEWEST = 4  # rates needed for a band
_LOWEST = 1e-4
_POINTS = 240  # points of a drawn curve
_SPLITS = 24
_ERRORS = 60  # of each sort
_FIRST = 10  # of each sort, before all
GENUINE, IMPOSTOR = "same person", "different people"
_TURNS = {"both within 15°": (0.0, 15.0), "one 15 to 35°": (15.0, 35.0), "one over 35°": (35.0, 181.0)}


def band_rates(n_different: int) -> tuple[float, ...]:
    """False accept rates at which this number of impostor pairs allows an interval, rising."""
    least = max(1 / max(n_different, 1), _LOWEST)
    return tuple(float(f"{least ** (1 - at / (_BAND - 1)):.6g}") for at in range(_BAND)) if least < 1 else ()


def evaluate_command(settings: EvaluateSettings) -> str:
    """The command line that repeats an evaluation."""
    spelled = {
        "input_file": lambda value: ["--input", show_path(value.absolute())],
        "benchmark": lambda value: ["--benchmark", value[0], show_path(value[1].absolute())],
    }
    return command_line("evaluate", settings, ("model",), frozenset({"workers"}), spelled)


def write_page(found: Evaluation, results: Mapping[str, Any]) -> None:
    """Write report.html into the report's folder."""
    from maskgen.core.atomic_writes import write_atomic

    pictures = Pictures()
    sections = [
        Section("rates", "Rates", _rates(found, results)),
        Section("threshold", "Errors at a threshold that you move", join([slider(), _errors(found)])),
        Section("curves", "Curves", _curves(found)),
        Section("hardest", "The hardest pairs", _hardest(found)),
    ]
    data = {"galleries": {"errors": _gallery(found, pictures).data()}, "judge": _judge(found)}
    title = (
        f"{found.embedder.name} on {show_path((found.settings.data or found.lists.root).resolve()).rpartition('/')[2]}"
    )
    page = Page(
        title,
        _lead(results),
        start_of(found.settings),
        evaluate_command(_as_asked(found)),
        sections,
        {"pictures": pictures.stored, **data},
    )
    write_atomic(found.settings.folder / NAME, page_bytes(page))


def _as_asked(found: Evaluation) -> EvaluateSettings:
    """The settings as given; a benchmark is evaluated through the lists made from it."""
    if (about := found.benchmark) is None:
        return found.settings
    return replace(found.settings, data=None, benchmark=(str(about["name"]), Path(str(about["folder"]))))


def start_of(settings: EvaluateSettings) -> dict[str, str]:
    """The page's block that differs between two evaluations with the same settings."""
    return {"Folder": show_path(settings.folder.resolve())}


def _lead(results: Mapping[str, Any]) -> str:
    found, judged = results["threshold"], results["pairs"]
    first = results["splits"][ALL]
    if "reason" in first:
        return str(first["reason"])
    accuracy = first["accuracy"]
    span = f" ({accuracy['low']:.4f} to {accuracy['high']:.4f})" if math.isfinite(accuracy.get("low", math.nan)) else ""
    return (
        f"Accuracy {accuracy['value']:.4f}{span} on {counted(judged['judged'], 'test pair')} at threshold "
        f"{found['value']:.4f}, from {found['source']}. In brackets: the 95 % bootstrap interval over people."
    )


def _rates(found: Evaluation, results: Mapping[str, Any]) -> Markup:
    judged = {name: one for name, one in results["splits"].items() if "reason" not in one}
    counts = {"test pairs": results["pairs"]["judged"], "left out": results["pairs"]["left_out"]}
    counts |= {"images": results["pictures"]["listed"], "unreadable": results["pictures"]["unreadable"]}
    tables = [
        whiskers(f"{label} by pairs.", {name: _rate(one[what]) for name, one in judged.items()})
        for what, label in (("accuracy", "Accuracy"), ("auc", "AUC"), ("eer", "Equal error rate"))
    ]
    rates = {
        f"{name}, FAR {far}": _rate(one)
        for name, split in judged.items()
        for far, one in split["tar_at_far"].items()
        if name in (ALL, *SORTS.values()) and "reason" not in one
    }
    if rates:
        tables.append(whiskers("True accept rate at a fixed false accept rate, where there are enough pairs.", rates))
    said = (*benchmark_notes(results), trained_note(results), *results["notes"])
    notes = [tag("p", note, class_="note") for note in said]
    if fixed := results["fixed_fmr"]:
        head = " ".join(fixed_head(fixed))
        tables.append(
            table(head, FIXED, list(fixed_rows(fixed))) if has_rates(fixed) else tag("p", head, class_="note")
        )
    model = {"Model": found.settings.model, "Embedding": f"{found.embedder.dim} numbers", "Seed": found.settings.seed}
    return join([numbers(counts), *notes, tag("div", *tables, class_="columns"), facts(model)])


def _rate(one: Mapping[str, Any]) -> tuple[float | None, float | None, float | None]:
    return one["value"], one.get("low"), one.get("high")


def drawn_curves(found: Evaluation) -> dict[str, Verification]:
    """The subsets whose curves are drawn."""
    named = {name: found.splits.get(name) for name in (ALL, *SORTS.values())}
    return {name: one for name, one in named.items() if one is not None and not isinstance(one, str)}


def _curves(found: Evaluation) -> Markup:
    drawn = drawn_curves(found)
    if not drawn:
        return tag("p", "There are too few pairs for a curve.")
    low = max(
        min(1 / max(one.confusion.different_same + one.confusion.different_different, 1) for one in drawn.values()),
        1e-5,
    )
    far, tar = Axis("false accept rate", low, 1.0, log=True), Axis("true accept rate", 0.0, 1.0)
    lines = [_roc(name, one) for name, one in drawn.items()]
    roc = chart("True accept rate by false accept rate; the dot is the threshold above", lines, far, tar, roc=True)
    bands = [
        chart(f"{name}: with its 95 % interval over people", [_banded(name, one)], far, tar)
        for name, one in drawn.items()
        if sum(rate in one.intervals for rate in _names(one)) >= _FEWEST
    ]
    return tag("div", roc, *bands, class_="columns")


def _roc(name: str, one: Verification) -> Curve:
    """The curve, at rates spaced evenly on a logarithmic axis."""
    import numpy as np

    rates = np.geomspace(max(_lowest(one), _LOWEST), 1.0, _POINTS)
    return Curve(f"{name}, AUC {one.roc.auc:.4f}", rates.tolist(), [one.roc.at(float(rate))[0] for rate in rates])


def _lowest(one: Verification) -> float:
    return 1 / max(one.confusion.different_same + one.confusion.different_different, 1)


def _names(one: Verification) -> list[str]:
    from maskgen.metrics.verification import on_curve

    return [on_curve(rate) for rate in band_rates(one.confusion.different_same + one.confusion.different_different)]


def _banded(name: str, one: Verification) -> Curve:
    rates = band_rates(one.confusion.different_same + one.confusion.different_different)
    known = [(rate, one.intervals[key]) for rate, key in zip(rates, _names(one), strict=True) if key in one.intervals]
    known = [(rate, span) for rate, span in known if math.isfinite(span.low)]
    return Curve(
        name,
        [rate for rate, _ in known],
        [one.roc.at(rate)[0] for rate, _ in known],
        [span.low for _, span in known],
        [span.high for _, span in known],
    )


def _judge(found: Evaluation) -> dict[str, Any]:
    judged = found.judged
    splits = {
        name: (judged.distances[rows & judged.same], judged.distances[rows & ~judged.same])
        for name, rows in (*list(found.rows.items())[:_SPLITS], *_by_pose(found))
    }
    return judge_data(splits, found.threshold.value)


def _errors(found: Evaluation) -> Markup:
    """False rejects and false accepts at the threshold, by mask and by yaw; the slider changes them."""
    at = tag("span", f"{found.threshold.value:.4f}", data_threshold_said="")

    def told(what: str, rows: list[tuple[str, Bools]]) -> Markup:
        caption = join([f"{what}, at threshold ", at])
        return table(caption, _HEAD, [_error_row(found, *row) for row in rows], [name for name, _ in rows])

    kinds, turned = told("By mask", list(found.rows.items())), list(_by_pose(found))
    if not turned:
        return join([kinds, tag("p", "No catalogue gives the yaw of the heads.", class_="note")])
    return join([kinds, told("By the larger yaw of a pair", turned)])


def _hardest(found: Evaluation) -> Markup:
    """The pairs of one person farthest apart, those of two people nearest to each other, then all that are shown."""
    parts: list[Markup] = []
    for truth, order, title in (
        (GENUINE, "far", "One person, farthest apart: the first to be rejected"),
        (IMPOSTOR, "near", "Two people, nearest to each other: the first to be accepted"),
    ):
        parts += [tag("h3", title), strip_of("errors", order, _FIRST, {"truth": truth})]
    return join([*parts, tag("h3", "All that this page shows"), place_of("errors")])


_HEAD = ("pairs", "same person", "said different", "different people", "said same")


def _by_pose(found: Evaluation) -> Iterator[tuple[str, Bools]]:
    import numpy as np

    turned = np.abs(found.yaws[found.judged.pairs]).max(axis=1)
    for name, (low, high) in _TURNS.items():
        rows = (turned >= low) & (turned < high)
        if rows.any():
            yield name, rows


def _error_row(found: Evaluation, name: str, rows: Bools) -> tuple[str, ...]:
    judged, threshold = found.judged, found.threshold.value
    said = judged.distances <= threshold
    same, different = rows & judged.same, rows & ~judged.same
    return (name, *_share(same, same & ~said), *_share(different, different & said))


def _share(whole: Bools, part: Bools) -> tuple[str, str]:
    n, wrong = int(whole.sum()), int(part.sum())
    return f"{n:,}", f"{wrong:,} ({100 * wrong / n:.1f} %)" if n else UNKNOWN


def _gallery(found: Evaluation, pictures: Pictures) -> Gallery:
    """The errors farthest from the threshold; where there are few, also the correct pairs closest to it."""
    import numpy as np

    judged, threshold = found.judged, found.threshold.value
    over = np.where(judged.same, judged.distances - threshold, threshold - judged.distances)
    order = np.argsort(-over, kind="stable")
    chosen = [row for sort in (judged.same, ~judged.same) for row in order[sort[order]][:_ERRORS].tolist()]
    sides = sorted({side for row in chosen for side in judged.pairs[row].tolist()})
    made = of_all(lambda row: thumbnail(picture(found.lists.root, found.lists.addresses[row].as_py())), sides)
    thumbs = {row: pictures.add(one) for row, one in zip(sides, made, strict=True)}
    items = [_pair(found, row, thumbs) for row in chosen]
    note = (
        f"The {_ERRORS} genuine and {_ERRORS} impostor pairs most clearly misclassified, or nearest to the threshold."
    )
    said = judged.distances <= threshold
    sorts = Counter(_sort_of(bool(same), bool(near)) for same, near in zip(judged.same, said, strict=True))
    orders = (("far", "farthest apart first"), ("near", "nearest first"), ("turned", "most turned first"))
    facets = (("sort", "Pairs", ()), ("worn", "Worn", ()), ("pose", "Pose", tuple(_TURNS)))
    return Gallery(items, note, facets, orders, len(judged.same), {"sort": sorts})


def _sort_of(same: bool, near: bool) -> str:
    wrong = ", said same" if near else ", said different"
    return (GENUINE if same else IMPOSTOR) + (wrong if same != near else "")


def _pair(found: Evaluation, row: int, thumbs: Mapping[int, int | None]) -> Item:
    judged, addresses = found.judged, found.lists.addresses
    sides: Sequence[int] = judged.pairs[row].tolist()
    distance, same = float(judged.distances[row]), bool(judged.same[row])
    truth, sort = GENUINE if same else IMPOSTOR, _sort_of(same, distance <= found.threshold.value)
    names = [addresses[side].as_py() for side in sides]
    worn = [found.kinds[side] or "not known" for side in sides]
    turned = max(abs(float(found.yaws[side])) for side in sides)
    pose = next((name for name, (low, high) in _TURNS.items() if low <= turned < high), "")
    facets = {"truth": truth, "sort": sort, "worn": " / ".join(sorted(worn))} | ({"pose": pose} if pose else {})
    sorts = {"far": -distance, "near": distance} | ({} if math.isnan(turned) else {"turned": -turned})
    details = [("First", names[0]), ("Second", names[1]), ("Worn", " / ".join(worn)), ("Distance", f"{distance:.4f}")]
    details += [("Truth", truth)]
    details += [] if math.isnan(turned) else [("Turned", f"at most {turned:.0f}°")]
    shown = tuple(Side(thumbs[side], f"{names[at]}, {worn[at]}") for at, side in enumerate(sides))
    return Item(shown, (f"{distance:.3f}, {sort}", " / ".join(worn)), facets, tuple(details), sorts)
