"""What report.html costs of a run: seconds beside those of the run, and bytes.

    python benchmarks/report_cost.py RUN [ROWS]

RUN is a finished run of `maskgen mask`. Its page is made again from what is on disk, into a folder of its own, three
times; the fastest counts. With ROWS the catalogue is repeated up to that many rows before, so that the cost for a large
run is measured without masking one: the pictures are the same, the table is as long as it would be. The share is of
the seconds in RUN's timing.json, with ROWS of the same speed over as many photographs.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.reports.mask_page import write_mask_page
from maskgen.pipelines.reports.outcome import Outcome
from maskgen.pipelines.reports.run_report import Report
from maskgen.pipelines.reports.set_aside_sample import SetAsideSample
from maskgen.pipelines.runs.run_folder import RunFolder
from maskgen.pipelines.runs.shard_records import load_report


def aside_of(run: RunFolder) -> SetAsideSample:
    """What the run set aside."""
    sample = SetAsideSample()
    for shard in sorted(run.done()):
        report = load_report(run, shard)
        sample.add("photograph", report.set_aside)
        sample.add("face", report.faces_set_aside)
    return sample


def repeated(run: Path, folder: Path, rows: int) -> int:
    """A folder like the run's with its catalogue repeated; returns how many times."""
    table = pq.read_table(run / "catalogue.parquet", partitioning=None)
    times = max(round(rows / max(len(table), 1)), 1)
    with pq.ParquetWriter(folder / "catalogue.parquet", table.schema, compression="zstd") as writer:
        for _ in range(times):
            writer.write_table(table, row_group_size=8192)
    for name in ("faces", "segmentation"):
        if (run / name).is_dir():
            (folder / name).symlink_to(run / name)
    (folder / "scratch").mkdir()
    return times


def scaled(report: Report, times: int) -> Report:
    """The totals of a run that many times as large."""
    told: dict[str, Any] = {name: getattr(report, name) for name in report.__dataclass_fields__}
    for name in ("photographs", "written", "catalogue_rows", "faces", "several_faces"):
        told[name] *= times
    for name in ("set_aside", "faces_set_aside", "outputs", "faces_by_kind"):
        told[name] = {key: count * times for key, count in told[name].items()}
    return Report(**told)


def main() -> None:
    """Measure, and print a line."""
    run, rows = Path(sys.argv[1]).absolute(), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    stored = json.loads((run / "settings.json").read_text("utf-8"))["settings"]
    timing = json.loads((run / "timing.json").read_text("utf-8"))
    if not timing["photographs"]:
        sys.exit(f"{run} was done before its last start: give one whose timing.json says how fast it was.")
    source = Path(stored["SOURCE"])
    settings = MaskSettings(source, run, bare=stored["--bare"], segmentation=stored["--segmentation"])
    report, aside = Report.from_json((run / "report.json").read_bytes()), aside_of(RunFolder(run))
    with tempfile.TemporaryDirectory() as folder:
        times = repeated(run, Path(folder), rows)
        outcome = Outcome(settings, source, scaled(report, times), aside, timing)
        best = min(_seconds(RunFolder(Path(folder)), outcome) for _ in range(3))
        size = (Path(folder) / "report.html").stat().st_size
    whole = report.photographs * times / max(timing["photographs_per_second"], 1e-9)
    print(
        f"{report.catalogue_rows * times:,} rows: {best:.2f} s of {whole:,.1f} s ({100 * best / whole:.2f} %), "
        f"{size:,} bytes"
    )


def _seconds(run: RunFolder, outcome: Outcome) -> float:
    begun = time.perf_counter()
    write_mask_page(run, outcome)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
