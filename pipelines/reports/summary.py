"""Summary of a run from its shards on disk: set_aside.csv, catalogue.parquet, contact sheet, totals."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import TextIO

from ..runs.catalogue import write_catalogue
from ..runs.records import SetAside, load_report
from ..runs.run_folder import RunFolder
from .contact_sheet import write_contact_sheet
from .run_report import Report, Totals

_HEADER = ("path", "reason", "detail")


def summarise(run: RunFolder, people: int, shards: Sequence[str]) -> Report:
    """Write what is written last but for the report itself, which is returned.

    Args:
        people: how many people the source holds.
        shards: the finished shards' ids, in the order of the plan.
    """
    totals = _write_set_aside(run, shards)
    with run.writing(run.catalogue) as part:
        rows = write_catalogue(part, [path for shard in shards if (path := run.rows(shard)).exists()])
    report = totals.report(people, rows)
    write_contact_sheet(run, report.outputs)
    return report


def _write_set_aside(run: RunFolder, shards: Iterable[str]) -> Totals:
    """Both tables of what was set aside, and the totals; faces have a table only where there are any."""
    totals = Totals()
    with (
        run.writing(run.set_aside) as photographs,
        run.writing(run.faces_set_aside) as faces,
        photographs.open("w", encoding="utf-8", newline="") as first,
        faces.open("w", encoding="utf-8", newline="") as second,
    ):
        _write_rows(first, [_HEADER])
        _write_rows(second, [_HEADER])
        for shard in shards:
            report = load_report(run, shard)
            totals.add(report)
            _write_rows(first, map(_fields, report.set_aside))
            _write_rows(second, map(_fields, report.faces_set_aside))
    if not totals.faces_set_aside:
        run.faces_set_aside.unlink()
    return totals


def _write_rows(file: TextIO, rows: Iterable[tuple[str, str, str]]) -> None:
    csv.writer(file, lineterminator="\n").writerows(rows)


def _fields(one: SetAside) -> tuple[str, str, str]:
    return one.path, one.reason, one.detail
