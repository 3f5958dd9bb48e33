"""history.csv: a row every few steps and a row per epoch."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from maskgen.core.atomic_writes import write_atomic
from maskgen.core.reasons import UserError

HISTORY = "history.csv"
STEPS, EPOCH = "steps", "epoch"


@dataclass(frozen=True, slots=True)
class Row:
    """One row; values that do not apply are NaN, and empty in the file.

    Attributes:
        kind: "steps" for the last steps up to `step`, "epoch" for a whole epoch.
        epoch: counted from 1.
        loss: the mean over these steps or the epoch.
        rate: the optimizer's at the end.
        images_per_s, images_per_s_without_wait: the latter without waiting for data.
        waited: share of the time in which the network waited for data.
        unreadable: number of unreadable pictures since this start.
        iou, threshold: of the evaluation after an epoch.
    """

    kind: str
    epoch: int
    step: int
    loss: float
    rate: float
    images_per_s: float = math.nan
    images_per_s_without_wait: float = math.nan
    waited: float = math.nan
    unreadable: int = 0
    iou: float = math.nan
    threshold: float = math.nan


COLUMNS = tuple(field.name for field in fields(Row))


class History:
    """The rows of a run, appended to a file."""

    def __init__(self, path: Path, until: int = 0) -> None:
        """Continue an existing file after step `until`; later rows, of an interrupted start, are dropped.

        Raises:
            UserError: the file was not written by this class.
        """
        self.path = path
        self.rows = [row for row in read_history(path) if row.step <= until] if path.is_file() and until else []
        write_atomic(path, _lines(COLUMNS, *map(_texts, self.rows)))

    def add(self, row: Row) -> None:
        """Append a row; `rows` has it as the file does, so that a run that goes on has the same rows."""
        texts = _texts(row)
        self.rows += _rows([texts])
        with self.path.open("ab") as file:
            file.write(_lines(texts))


def read_history(path: Path) -> list[Row]:
    """The rows of a file.

    Raises:
        UserError: it is not a history file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (UnicodeDecodeError, csv.Error):
        lines = []
    if not lines or tuple(lines[0]) != COLUMNS:
        raise UserError(f"{path} is no history of this version of maskgen: choose another folder for --run.")
    try:
        return list(_rows(lines[1:]))
    except (ValueError, OverflowError) as error:
        raise UserError(f"{path} is damaged ({error}): put a copy of it back, or remove it to go on without.") from None


def _rows(lines: list[list[str]]) -> Iterator[Row]:
    for line in lines:
        if len(line) != len(COLUMNS):
            continue  # an incomplete last line of a killed start
        kind, *numbers = line
        values = [math.nan if text == "" else float(text) for text in numbers]
        named = dict(zip(COLUMNS[1:], values, strict=True))
        epoch, step, unreadable = (int(named.pop(name)) for name in ("epoch", "step", "unreadable"))
        yield Row(kind, epoch, step, unreadable=unreadable, **named)


def _texts(row: Row) -> list[str]:
    values = (getattr(row, name) for name in COLUMNS)
    return [_number(value) if isinstance(value, float) else str(value) for value in values]


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def _lines(*rows: list[str] | tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
