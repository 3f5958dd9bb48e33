"""What a run of millions of names costs before its first photograph and after its last, on names only.

    python benchmarks/names.py [--names 2500000] [--files 200000] [--each 50] [--links] [--folder DIR]

A CSV lists the photographs, and of the run the shards' reports and catalogue rows are made up, as large and as hard to
pack as a run's of `maskgen mask` on drawn people, which they are made from. What is measured is `run_mask` itself, in a
process of its own for each line, up to the moment at which a worker would get its first shard, or to the end where
nothing is left to do. Walking a folder is measured on empty files, as many as --files says. --each is how many
photographs a person has. With --links the rows of all shards are links to one file, and only starting and going on are
measured: WebFace42M's rows would take a hundred GB.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maskgen.core.checksummed_json import add_checksum
from maskgen.pipelines.mask import run as runner
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.reports import contact_sheet
from maskgen.pipelines.runs.run_folder import RunFolder, open_run
from maskgen.pipelines.runs.shard_plan import cut, shard_size
from maskgen.pipelines.runs.shard_records import _ROWS as ROWS
from maskgen.pipelines.runs.shard_records import SetAside, ShardReport
from maskgen.pipelines.sources.listing import Item
from maskgen.pipelines.sources.source import list_source

ASIDE = 100  # one photograph of so many is set aside
MOST_LINKS = 50_000


def write_table(path: Path, names: int, each: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.write("path,person\n")
        for person in range(0, names, each):
            name = f"n{person // each:07}"
            last = min(person + each, names)
            file.writelines(f"photographs/{name}/{number:08}_01.jpg,{name}\n" for number in range(person, last))
    return path


def write_files(folder: Path, names: int, each: int) -> Path:
    for number in range(names):
        person = folder / f"n{number // each:07}"
        if number % each == 0:
            person.mkdir(parents=True)
        (person / f"{number:08}_01.jpg").touch()
    return folder


def drawn_rows(folder: Path) -> pa.Table:
    """The catalogue of a real run on drawn people."""
    from maskgen.api import draw_sample

    draw_sample(folder / "drawn", 4, 8, 0)
    runner.run_mask(MaskSettings(folder / "drawn", folder / "drawn run"))
    return pq.read_table(folder / "drawn run" / "catalogue.parquet")


class Rows:
    """Catalogue rows of any photographs: those of a real run, with numbers that differ from row to row."""

    def __init__(self, like: pa.Table, most: int) -> None:
        self.like = like.take(pa.array(np.arange(most) % len(like))).combine_chunks()
        self.rng = np.random.default_rng(0)

    def of(self, items: Sequence[Item]) -> pa.Table:
        """A row for each of these photographs."""
        kinds = self.like["kind"].slice(0, len(items)).to_pylist()
        paths = [f"faces/{item.out}__{kind}.jpg" for item, kind in zip(items, kinds, strict=True)]
        own = {
            "path": paths,
            "source": [item.key for item in items],
            "source_sha256": [self.rng.bytes(32).hex() for _ in items],
            "person": [item.person for item in items],
        }
        columns = {
            name: self._column(self.like[name].slice(0, len(items)).combine_chunks()) for name in self.like.column_names
        }
        return pa.table(columns | own)

    def _column(self, array: Any) -> Any:
        if isinstance(array, pa.ListArray):
            return pa.ListArray.from_arrays(array.offsets, self._column(array.values))
        if pa.types.is_floating(array.type):
            moved = array.to_numpy(zero_copy_only=False) + np.round(self.rng.normal(size=len(array)), 2)
            return pa.array(moved, array.type)
        return array


def write_run(source: Path, out: Path, rows: Rows, links: bool) -> None:
    """A run of which every shard is done, and nothing is summed up; of every second one with `links`, and with one
    shard's rows for all."""
    listing = list_source(source)
    settings = MaskSettings(source, out)
    one: Path | None = None
    with open_run(settings, shard_size(len(listing))) as (run, size):
        for shard in cut(listing, size)[:: 2 if links else 1]:
            items = shard.items(listing)
            written = [item for at, item in enumerate(items) if at % ASIDE]
            if one is None or not links:
                table = rows.of(written)
                one = Path(str(run.rows(shard.id)))
                pq.write_table(table, one, compression="zstd")
                digest = hashlib.sha256(one.read_bytes()).hexdigest()
            else:
                one = linked(one, Path(str(run.rows(shard.id))))
            report = ShardReport(
                photographs=len(items),
                written=len(written),
                set_aside=tuple(SetAside(item.key, "no_face", "") for item in items[::ASIDE]),
                outputs={"n95": len(written)} if links else dict(sorted(Counter(table["kind"].to_pylist()).items())),
                people=tuple(dict.fromkeys(item.person for item in written)),
                rows=len(written),
            )
            sealed = add_checksum(asdict(report) | {ROWS: digest})
            run.shard(shard.id).write_text(json.dumps(sealed) + "\n", encoding="utf-8")


def linked(rows: Path, other: Path) -> Path:
    """Make the other name a link to the rows, or a copy where the file has as many links as ext4 allows; returns the
    file to link to next."""
    if rows.stat().st_nlink < MOST_LINKS:
        os.link(rows, other)
        return rows
    shutil.copyfile(rows, other)
    return other


class FirstShardError(Exception):
    """Raised in place of the work."""


def begin(settings: MaskSettings) -> str:
    """Run until a worker would get its first shard, or to the end; returns what came of it."""

    def stop(tasks: Iterator[Any], pool: Any) -> Iterator[Any]:
        if next(tasks, None) is not None:
            raise FirstShardError
        return iter(())

    def fill(run: RunFolder, path: str) -> Any:
        return np.full((160, 160, 3), 128, np.uint8)

    runner.run_with_retries, contact_sheet._load = stop, fill  # type: ignore[assignment]
    told: list[str] = []
    try:
        report = runner.run_mask(settings, notify=told.append)
    except FirstShardError:
        return "first shard"
    return f"{report.photographs:,} photographs" if not told else told[-1]


def step(name: str, source: Path, run: Path) -> None:
    """Do one of the steps in this process, and print its line."""
    begun, processor = time.perf_counter(), time.process_time()
    if name == "list":
        came = f"{len(list_source(source)):,} photographs"
    elif name == "cut":
        listing = list_source(source)
        begun, processor = time.perf_counter(), time.process_time()
        came = f"{len(cut(listing, shard_size(len(listing)))):,} shards"
    else:
        came = begin(MaskSettings(source, run, retry_set_aside=name == "retry"))
    seconds, spent = time.perf_counter() - begun, time.process_time() - processor
    peak = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 2**10
    print(f"{seconds:>8.1f} s{spent:>8.1f} s of the processor{peak:>8.0f} MB   {came}", flush=True)


def show(title: str, name: str, source: Path, run: Path) -> None:
    print(f"{title:<44}", end="", flush=True)
    command = [sys.executable, __file__, "--step", name, str(source), str(run)]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)  # where runs tell how far they are


def halve(run: Path) -> None:
    """Take every second shard's commit back."""
    for report in sorted((run / "shards").glob("*.json"))[::2]:
        report.unlink()
        report.with_suffix(".parquet").unlink()


def measure(folder: Path, names: int, files: int, each: int, links: bool) -> None:
    table, run = folder / "list.csv", folder / "run"
    write_table(table, names, each)
    if not links:
        tree = write_files(folder / "files", files, each)
        show(f"list a folder of {files:,} files", "list", tree, run)
        show("cut it into shards", "cut", tree, run)
        show(f"list a table of {names:,} names", "list", table, run)
        show("cut it into shards", "cut", table, run)
    show(f"start a run of {names:,} names", "start", table, folder / "new")
    begun = time.perf_counter()
    write_run(table, run, Rows(drawn_rows(folder), 2 * shard_size(names)), links)
    if links:
        print(f"(its shards made up: {time.perf_counter() - begun:.0f} s)", flush=True)
        show("half done: go on", "half", table, run)
        return
    size = sum(path.stat().st_size for path in (run / "shards").iterdir())
    print(f"(its shards made up: {time.perf_counter() - begun:.0f} s, {size / 1e9:.1f} GB)", flush=True)
    show("all done: make catalogue and report", "end", table, run)
    print(f"{'':<44}{(run / 'catalogue.parquet').stat().st_size / 1e9:>8.1f} GB of catalogue")
    show("all done, and said so before", "again", table, run)
    show("all done: try again what was set aside", "retry", table, run)
    with table.open("a", encoding="utf-8") as file:
        file.write("photographs/new/1.jpg,new\n")
    show("all done, one photograph came", "more", table, run)
    halve(run)
    show("half done: go on", "half", table, run)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--names", type=int, default=2_500_000)
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--each", type=int, default=50, help="photographs a person")
    parser.add_argument("--links", action="store_true", help="one shard's rows for all, for very large runs")
    parser.add_argument("--folder", type=Path, help="where to put it all, and leave it")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        step(asked.step[0], Path(asked.step[1]), Path(asked.step[2]))
        return
    folder = asked.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        measure(folder, asked.names, asked.files, asked.each, asked.links)
    finally:
        if not asked.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
