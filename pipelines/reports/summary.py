"""Summary of a run from its shards on disk: set_aside.csv, catalogue.parquet, totals."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from ..runs.catalogue import write_catalogue
from ..runs.run_folder import RunFolder
from ..runs.shard_records import load_report
from .run_report import Report, Totals
from .set_aside_sample import FACE, PHOTOGRAPH, SetAsideSample

_HEADER = ("path", "what", "reason", "detail")


def summarise(run: RunFolder, people: int, shards: Sequence[str], aside: SetAsideSample) -> Report:
    """Write the tables; returns the totals.

    Args:
        people: the number of people in the source.
        shards: the finished shards' ids, in the order of the plan.
        aside: filled with a sample of what was set aside.
    """
    totals = _write_set_aside(run, shards, aside)
    with run.writing(run.catalogue) as part:
        kinds = write_catalogue(part, [path for shard in shards if (path := run.rows(shard)).exists()])
    return totals.report(people, kinds)


def _write_set_aside(run: RunFolder, shards: Iterable[str], aside: SetAsideSample) -> Totals:
    """Write set_aside.csv, photographs and single faces, and sum the totals."""
    totals = Totals()
    with run.writing(run.set_aside) as part, part.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_HEADER)
        for shard in shards:
            report = load_report(run, shard)
            totals.add(report)
            aside.add(PHOTOGRAPH, report.set_aside)
            aside.add(FACE, report.faces_set_aside)
            rows.writerows((one.path, PHOTOGRAPH, one.reason, one.detail) for one in report.set_aside)
            rows.writerows((one.path, FACE, one.reason, one.detail) for one in report.faces_set_aside)
    return totals
