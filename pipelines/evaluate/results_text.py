"""results.md and the printed lines: results.json as text."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maskgen.core.reasons import are, counted

_NAMED = 10  # people of the training set that a report names
UNKNOWN = "–"  # an unknown value


def markdown(results: Mapping[str, Any]) -> str:
    """The whole of results.md."""
    return "\n".join(_lines(results)) + "\n"


def summary(results: Mapping[str, Any]) -> str:
    """The printed summary: the threshold, a line for each subset, and notes."""
    head = [*(line for line in _left_out(results) if line), _threshold(results), ""]
    fixed = results["fixed_fmr"]
    notes = ["", *fixed_head(fixed), *aligned([FIXED, *fixed_rows(fixed)])] if has_rates(fixed) else []
    rows = aligned([_COLUMNS, *_rows(results["splits"])])
    return "\n".join([*benchmark_notes(results), trained_note(results), *head, *rows, *notes, *results["notes"]])


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows in columns of even width."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as a Markdown table; the first row is the header."""
    first, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return [first, "|" + "---|" * len(rows[0]), *rest]


def number(value: float | None) -> str:
    """A number with four decimals."""
    return UNKNOWN if value is None or math.isnan(value) else f"{value:.4f}"


def rate(found: Mapping[str, Any]) -> str:
    """A rate with its interval: `0.9812 (0.9710 to 0.9900)`."""
    if found.get("low") is None or math.isnan(found["low"]) or math.isnan(found["value"]):
        return number(found["value"])
    return f"{found['value']:.4f} ({found['low']:.4f} to {found['high']:.4f})"


_COLUMNS = ("pairs", "same", "different", "accuracy", "AUC", "EER", "ten-fold")


def _lines(results: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {results['model']['name']} on {results['data']}"
    yield ""
    yield from (line for sentence in (*benchmark_notes(results), trained_note(results)) for line in (sentence, ""))
    yield _threshold(results)
    yield from _aligned(results)
    yield from _left_out(results)
    yield ""
    yield from table([_COLUMNS, *_rows(results["splits"])])
    yield ""
    yield "In brackets: 95 % bootstrap intervals over people. Ten-fold: mean and standard error."
    yield from (line for note in results["notes"] for line in ("", note))
    judged = {name: one for name, one in results["splits"].items() if "reason" not in one}
    if judged:
        yield from ["", "## TAR at FAR", "", *table([*_tar_rows(judged)])]
        yield from _reasons(results["splits"])
        first = next(iter(judged.values()))
        yield from ["", "## Confusion, all pairs", "", *table([*_confusion_rows(first["confusion"])])]
        yield from ["", "## Classes, all pairs", "", *table([*_class_rows(first["classes"])])]
    if fixed := results["fixed_fmr"]:
        yield from ["", f"## FNMR at FMR {fixed['fmr_asked']:g}", "", *fixed_head(fixed)]
        yield from ["", *table([FIXED, *fixed_rows(fixed)])] if has_rates(fixed) else []
    yield from ["", "Pictures: distances.png, roc.png, det.png, confusion.png, errors.png."]


def _threshold(results: Mapping[str, Any]) -> str:
    found, judged = results["threshold"], results["eval"]
    said = f"Threshold {number(found['value'])}, from {found['source']}"
    if judged is None:
        return said + "."
    if judged["degenerate"]:
        return f"{said}, since the eval lists are degenerate: {judged['degenerate']}"
    return f"{said} (IOU {number(judged['iou'])})."


def _aligned(results: Mapping[str, Any]) -> Iterator[str]:
    """The alignments of the pictures and of the model, where known."""
    pictures, model = results["pictures"].get("alignment"), results["model"].get("alignment")
    if pictures or model:
        yield ""
        yield f"Alignment of the pictures: {pictures or 'unknown'}; of the model: {model or 'any, or unknown'}."


def _left_out(results: Mapping[str, Any]) -> Iterator[str]:
    if results["pictures"]["unreadable"]:
        lost, listed = results["pairs"]["left_out"], results["pairs"]["listed"]
        yield ""
        yield (
            f"{counted(results['pictures']['unreadable'], 'picture')} cannot be read (unreadable.csv): "
            f"{lost:,} of {counted(listed, 'test pair')} {are(lost)} left out."
        )


def _rows(splits: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name, one in splits.items():
        if "reason" in one:
            yield (name, *[UNKNOWN] * (len(_COLUMNS) - 1))
            continue
        counts = f"{one['same']:,}", f"{one['different']:,}"
        yield (name, *counts, *(rate(one[what]) for what in ("accuracy", "auc", "eer")), _ten_fold(one["ten_fold"]))


FIXED = ("compared", "genuine", "impostor", "FNMR", "FMR")


def benchmark_notes(results: Mapping[str, Any]) -> list[str]:
    """The lines on the benchmark; none without one."""
    return [] if results["benchmark"] is None else list(_benchmark_lines(results["benchmark"]))


def _benchmark_lines(about: Mapping[str, Any]) -> Iterator[str]:
    yield f"{about['title']}."
    yield f"Protocol: {about['protocol']}. Licence: {about['licence']}."
    lost, missing = about["pairs_left_out"], about["pictures_missing"]
    if lost or missing:
        yield (
            f"Of {counted(about['pairs'], 'pair')} {lost:,} {are(lost)} left out, since in "
            f"{counted(about['pictures_set_aside'], 'picture')} no face was found or read; "
            f"{counted(missing, 'picture that the lists name is', 'pictures that the lists name are')} missing."
        )


def trained_note(results: Mapping[str, Any]) -> str:
    """The sentence on the people who are in the model's training set, too."""
    trained = results["trained_on"]
    if (people := trained["people"]) is None:
        return f"People in the training set: {trained['reason']}"
    judged = counted(trained["of"], "test person", "test people")
    if not people:
        return f"None of {judged} has the name of somebody in the model's training set."
    more = f" and {len(people) - _NAMED:,} more, whom results.json names" if len(people) > _NAMED else ""
    return (
        f"The model was trained on people of these names, {len(people):,} of {judged}: {', '.join(people[:_NAMED])}"
        f"{more}. Figures on people whom the model knows are too good: evaluate it on others."
    )


def has_rates(fixed: Mapping[str, Any] | None) -> bool:
    """Whether there are error rates at a fixed false match rate."""
    return fixed is not None and "reason" not in fixed


def fixed_head(fixed: Mapping[str, Any]) -> list[str]:
    """The heading of the error rates at a fixed false match rate, or why there are none."""
    if "reason" in fixed:
        return [fixed["reason"]]
    alike = fixed["comparisons_of_one_photograph"]
    less = f", except {alike:,} of two pictures of one photograph" if alike else ""
    return [
        f"All comparisons of {counted(fixed['pictures'], 'picture')} of {counted(fixed['people'], 'person')}{less}. "
        f"The threshold, {number(fixed['threshold'])}, keeps the false match rate of bare faces at "
        f"{fixed['fmr_asked']:g}."
    ]


def fixed_rows(fixed: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The error rates at a fixed false match rate, one row per type of comparison, under `FIXED`."""
    for name, one in fixed["comparisons"].items():
        fmr = UNKNOWN if one["fmr"] is None or math.isnan(one["fmr"]) else f"{one['fmr']:.5f}"
        yield name, f"{one['genuine']:,}", f"{one['impostor']:,}", rate(one["fnmr"]), fmr


def _ten_fold(found: Mapping[str, Any]) -> str:
    return UNKNOWN if "reason" in found else f"{found['mean']:.4f} ± {found['standard_error']:.4f}"


def _tar_rows(splits: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    rates = next(iter(splits.values()))["tar_at_far"]
    yield ("pairs", *(f"FAR {far}" for far in rates))
    for name, one in splits.items():
        yield (name, *(rate(found) for found in one["tar_at_far"].values()))


def _reasons(splits: Mapping[str, Any]) -> Iterator[str]:
    """The reasons for missing values, each once."""
    notes = [f"{name}: {one['reason']}" for name, one in splits.items() if "reason" in one]
    for name, one in splits.items():
        tar = [found["reason"] for found in one.get("tar_at_far", {}).values() if "reason" in found]
        notes += [f"{name}: {reason}" for reason in tar[:1]]
    if notes:
        yield from ["", *(f"- {line}" for line in notes)]


def _confusion_rows(counts: Mapping[str, int]) -> Iterator[tuple[str, ...]]:
    yield "", "said same", "said different"
    for truth in ("same", "different"):
        yield truth, f"{counts[f'{truth}_same']:,}", f"{counts[f'{truth}_different']:,}"


def _class_rows(classes: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield "", "precision", "recall", "F1", "pairs"
    for name, one in classes.items():
        yield name, *(number(one[what]) for what in ("precision", "recall", "f1")), f"{one['support']:,}"
