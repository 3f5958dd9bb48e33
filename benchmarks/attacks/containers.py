"""List damaged containers and tables, and read what they list."""

from __future__ import annotations

import io
import pickle
import shutil
import struct
import tarfile
from pathlib import Path

import numpy as np

from maskgen.core.reasons import SetAsideError, UserError

from .pictures import pictures
from .tries import Tally, damaged, tries


def containers() -> dict[str, bytes]:
    """A sound container of each kind, by file name; b.rec has its index beside it."""
    jpeg = pictures()["jpeg"]
    tar, packed = io.BytesIO(), io.BytesIO()
    for out, mode in ((tar, "w"), (packed, "w:gz")):
        with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
            for name, data in (("ann/1.jpg", jpeg), ("ann/1.json", b'{"person": "Ann"}'), ("bo/2.jpg", jpeg)):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    rec, idx = b"", ""
    for number in range(4):
        record = struct.pack("<IfQQ", 0, float(number % 2), number, 0) + jpeg
        idx += f"{number}\t{len(rec)}\n"
        rec += struct.pack("<II", 0xCED7230A, len(record)) + record + bytes(-len(record) % 4)
    pairs = pickle.dumps(([jpeg, jpeg], [True]), protocol=4)
    return {
        "a.tar": tar.getvalue(),
        "a.tar.gz": packed.getvalue(),
        "a.rec": rec,
        "b.rec": rec,
        "b.idx": idx.encode(),
    } | {
        "a.bin": pairs,
        "a.csv": b"path,person\nann/1.jpg,Ann\n",
    }


def attack_containers(tally: Tally, count: int, until: float, seed: int, folder: Path) -> None:
    """List damaged containers, and read all that they list."""
    from maskgen.formats.reading import photo_at
    from maskgen.pipelines.sources.source import list_source

    whole = containers()
    names = sorted(whole)

    def one(rng: np.random.Generator, number: int) -> str:
        name = names[number % len(names)]
        place = folder / f"{number}"
        place.mkdir()
        if name.startswith("b."):
            for beside in ("b.rec", "b.idx"):
                (place / beside).write_bytes(whole[beside])
        (place / name).write_bytes(damaged(whole[name], rng))
        try:
            listing = list_source(place / ("b.rec" if name == "b.idx" else name))
        except UserError:
            return "refused"
        finally_good = 0
        for item in (item for part in listing.folders for item in listing.items(part)):
            try:
                if not item.fault:
                    photo_at(listing.root, item.key, item.span, 1_000_000)
                    finally_good += 1
            except SetAsideError:
                continue
        shutil.rmtree(place)
        return "all read" if finally_good == len(listing) else "some read" if finally_good else "none read"

    tries(tally, count, until, one, seed)
