"""What other forms of sets cost to list and to read: RecordIO of millions of records, tar, tar.gz, a table.

    python benchmarks/formats.py [--records 5000000] [--members 100000]

Everything is made up in a temporary folder: small records that only begin like photographs, so that listing and
addressing are measured and not the disk.
"""

from __future__ import annotations

import argparse
import io
import re
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

PICTURE = b"\xff\xd8" + bytes(62)
EACH = 60  # pictures a person


def write_rec(folder: Path, records: int) -> Path:
    """A set as InsightFace's are, with a header record; every record has one size, so NumPy writes it in one go."""
    length = 24 + len(PICTURE)
    people = -(-records // EACH)
    kind = np.dtype(
        [("magic", "<u4"), ("length", "<u4"), ("flag", "<u4"), ("label", "<f4"), ("id", "<u8"), ("id2", "<u8")]
        + [("data", f"V{len(PICTURE)}")]
    )
    rows = np.zeros(records, kind)
    rows["magic"], rows["length"] = 0xCED7230A, length
    rows["label"], rows["id"] = np.arange(records) // EACH, np.arange(1, records + 1)
    rows["data"] = np.void(PICTURE)
    head = header(0, records + 1, records + 1 + people)
    with (folder / "train.rec").open("wb") as file:
        file.write(head)
        rows.tofile(file)
        for person in range(people):
            first = 1 + person * EACH
            file.write(header(records + 1 + person, first, min(first + EACH, records + 1)))
    ends = len(head) + kind.itemsize * np.arange(records + 1)
    numbers = np.arange(records + 1 + people)
    offsets = np.concatenate([[0], ends[:-1], ends[-1] + len(head) * np.arange(people)])
    np.savetxt(folder / "train.idx", np.stack([numbers, offsets], axis=1), "%d", "\t")
    return folder / "train.rec"


def header(number: int, first: int, second: int) -> bytes:
    """A record without a picture."""
    data = struct.pack("<IfQQ2f", 2, 0.0, number, 0, first, second)
    return struct.pack("<II", 0xCED7230A, len(data)) + data


def write_tar(path: Path, members: int) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w", **packing(path)) as archive:
        for number in range(members):
            info = tarfile.TarInfo(f"{number // EACH:06}/{number:08}.jpg")
            info.size = len(PICTURE)
            archive.addfile(info, io.BytesIO(PICTURE))
    return path


def packing(path: Path) -> dict[str, int]:
    return {"compresslevel": 1} if path.suffix == ".gz" else {}


def write_table(path: Path, rows: int) -> Path:
    lines = (f"faces/{number // EACH:06}/{number:08}.jpg,{number // EACH}\n" for number in range(rows))
    path.write_text("path,target\n" + "".join(lines))
    return path


def list_it(source: Path) -> None:
    """List and cut a source in a process of its own, so that its memory is its own; prints a line."""
    from maskgen.pipelines.runs.shard_plan import cut, shard_size
    from maskgen.pipelines.sources.source import list_source

    begun = time.perf_counter()
    listing = list_source(source)
    listed = time.perf_counter()
    shards = cut(listing, shard_size(len(listing)))
    done = time.perf_counter()
    peak = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 2**10
    print(
        f"{source.name:<12}{len(listing):>12,}{listing.people:>10,}{listed - begun:>10.1f}{done - listed:>10.1f}"
        f"{peak:>10.0f}{len(shards):>9,}"
    )


def show_reading(source: Path, addresses: list[str]) -> None:
    """Microseconds that one picture by its address takes, the container open already."""
    from maskgen.formats.reading import read_bytes

    read_bytes(source.parent, addresses[0])
    begun = time.perf_counter()
    for address in addresses:
        read_bytes(source.parent, address)
    print(f"{source.name:<12}{1e6 * (time.perf_counter() - begun) / len(addresses):>10.1f} us a picture")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=5_000_000)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--list", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.list:
        list_it(asked.list)
        return
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        makers: dict[str, tuple[Callable[..., Path], int]] = {
            "train.rec": (lambda path, count: write_rec(path.parent, count), asked.records),
            "set.tar": (write_tar, asked.members),
            "set.tar.gz": (write_tar, asked.members),
            "list.csv": (write_table, asked.records),
        }
        sources = [make(root / name, count) for name, (make, count) in makers.items()]
        print(f"{'':<12}{'photographs':>12}{'people':>10}{'list s':>10}{'cut s':>10}{'peak MB':>10}{'shards':>9}")
        for source in sources:
            subprocess.run([sys.executable, __file__, "--list", str(source)], check=True)
        chosen = rng.integers(1, asked.records + 1, 5000).tolist()
        show_reading(sources[0], [f"train.rec/{number}" for number in chosen])
        some = rng.integers(0, asked.members, 5000).tolist()
        for source in sources[1:3]:
            show_reading(source, [f"{source.name}/{number // EACH:06}/{number:08}.jpg" for number in some])


if __name__ == "__main__":
    main()
