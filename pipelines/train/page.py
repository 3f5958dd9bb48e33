"""TRAIN/report.html: curves over the steps of a training, and the histograms of every epoch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import SetAsideError, counted

from ..checks import show_path
from ..reports.page.html import Markup, join, tag
from ..reports.page.page import Page, Section, page_bytes
from ..reports.page.plots import Axis, Curve, axis_over, chart, facts, numbers, table
from ..reports.page.thumbnails import Pictures, thumbnail
from ..settings_to_command import command_line, repeated
from .folder import DISTANCES, PAGE, TrainFolder
from .report import ENDS, losses, why_no_best
from .settings import TrainSettings

if TYPE_CHECKING:
    from maskgen.trainer.monitoring.history import Row

_HOW = frozenset({"workers", "threads", "resume", "overwrite", "device", "max_steps"})
_POINTS = 600  # points of a curve
_EPOCHS = 60  # epochs whose histograms are shown
_SHOT, _SHOT_BYTES = 640, 40_000


def train_command(settings: TrainSettings) -> str:
    """The command line that repeats a training."""
    spelled = {
        "data": lambda value: ["--data", show_path(value.absolute())],
        "run": lambda value: ["--run", show_path(value.absolute())],
        "set": repeated("--set"),
        "pretrained": lambda value: [] if value else ["--no-pretrained"],
    }
    return command_line("train", settings, ("recipe",), _HOW, spelled, always=("data", "run"))


def write_page(folder: TrainFolder, settings: TrainSettings, report: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Write report.html."""
    pictures = Pictures()
    epochs = _epochs(folder, pictures)
    distances = tag("div", data_epochs="") if epochs else tag("p", "No epoch was evaluated.")
    sections = [
        Section("outcome", "Results", _outcome(report)),
        Section("curves", "Curves", _curves(rows)),
        Section("distances", "Distances after each epoch", distances),
        Section("epochs", "Epochs", _table(rows)),
        Section("asked", "Settings", facts({name: _text(one) for name, one in report["settings"].items()}, many=True)),
    ]
    start = {"Folder": show_path(folder.root.resolve()), "Took": f"{report['seconds']:,.1f} s (the last start)"}
    if report["images_per_s"] is not None:
        without = f"{report['images_per_s_without_wait']:,.1f} without waiting for data"
        start["Speed"] = f"{report['images_per_s']:,.1f} images a second; {without}"
    start["Loss"] = losses(report)
    start["Device"] = f"{report['device']}, {counted(report['processes'], 'process')}"
    data: dict[str, object] = {"pictures": pictures.stored, "epochs": epochs}
    title = f"Training of {report['recipe']}"
    folder.place(PAGE, page_bytes(Page(title, _lead(report), start, train_command(settings), sections, data)))


def _lead(report: Mapping[str, Any]) -> str:
    text = f"{counted(report['steps'], 'step')} in {counted(report['epochs'], 'epoch')}, {ENDS[report['end']]}."
    best = report["best"]
    if best is None:
        what = "It was not evaluated" if report.get("not evaluated") else "No epoch is the best"
        return f"{text} {what}: {why_no_best(report)}."
    return text + f" The lowest overlap (IOU) of the eval distances is {best['iou']:.4f}, after epoch {best['epoch']}."


def _outcome(report: Mapping[str, Any]) -> Markup:
    counts = {"people": report["people"], "images": report["pictures"], "steps": report["steps"]}
    counts |= {"parameters": report["parameters"], "unreadable images": report["unreadable"]}
    said = report.get("said") or []
    notes = tag("ul", *(tag("li", sentence) for sentence in said)) if said else ""
    return join([numbers(counts), notes])


def _curves(rows: Sequence[Row]) -> Markup:
    steps = _thinned([row for row in rows if row.kind == "steps"])
    epochs = [row for row in rows if row.kind == "epoch"]
    charts = [
        _chart("Loss", "loss", [("every few steps", steps, "loss"), ("mean of an epoch", epochs, "loss")]),
        _chart("Learning rate", "rate", [("rate", steps or epochs, "rate")]),
        _chart("Images a second", "images/s", [("seen", steps, "images_per_s")]),
    ]
    if judged := [row for row in epochs if not math.isnan(row.iou)]:
        overlap = [("IOU", judged, "iou")]
        charts.insert(
            1, _chart("Overlap of the eval distances, lower is better", "IOU", overlap, Axis("IOU", 0.0, 1.0))
        )
        charts.append(_chart("Threshold between the eval distances", "distance", [("threshold", judged, "threshold")]))
    return tag("div", *charts, class_="columns")


def _chart(
    title: str, label: str, lines: Sequence[tuple[str, Sequence[Row], str]], y: Axis | None = None
) -> Markup | str:
    curves = [
        Curve(name, [float(row.step) for row in rows], [float(getattr(row, value)) for row in rows])
        for name, rows, value in lines
        if any(math.isfinite(getattr(row, value)) for row in rows)
    ]
    if not curves:
        return ""
    x = axis_over("step", [at for curve in curves for at in curve.x], zero=True)
    return chart(title, curves, x, y or axis_over(label, [at for curve in curves for at in curve.y], zero=True))


def _thinned(rows: Sequence[Row]) -> list[Row]:
    each = max(math.ceil(len(rows) / _POINTS), 1)
    return [*rows[: len(rows) - 1 : each], *rows[-1:]] if rows else []


def _epochs(folder: TrainFolder, pictures: Pictures) -> list[list[object]]:
    """Label and picture of each epoch's histogram; evenly spaced epochs if there are many."""
    from maskgen.core.images import read_photo

    files = sorted((folder.root / DISTANCES).glob("epoch-*.png"))
    count = min(len(files), _EPOCHS)
    shown: list[list[object]] = []
    for path in [files[at * (len(files) - 1) // max(count - 1, 1)] for at in range(count)]:
        try:
            image = read_photo(path).image
        except SetAsideError:
            continue  # left by a killed start
        label = f"epoch {int(path.stem.rpartition('-')[2])} of {len(files)}"
        shown.append([label, pictures.add(thumbnail(image, _SHOT, _SHOT_BYTES))])
    return shown


def _table(rows: Sequence[Row]) -> Markup:
    epochs = [row for row in rows if row.kind == "epoch"]
    head = ("epoch", "step", "loss", "IOU", "threshold", "images a second")
    body = [
        (
            row.epoch,
            f"{row.step:,}",
            *map(_number, (row.loss, row.iou, row.threshold)),
            "" if math.isnan(row.images_per_s) else f"{row.images_per_s:,.1f}",
        )
        for row in epochs[-500:]
    ]
    note = (
        "Every epoch" if len(body) == len(epochs) else f"The last {len(body)} of {len(epochs):,}; history.csv has all"
    )
    return table(note, head, body)


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}"


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, float):
        return repr(float(f"{value:.6g}"))
    return "not set" if value is None else "yes" if value is True else "no" if value is False else str(value) or "none"
