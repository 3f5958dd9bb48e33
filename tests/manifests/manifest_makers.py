"""Made-up catalogues and small drawn pictures for the tests of the manifests."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maskgen.manifests.catalogue import Images, read_runs
from maskgen.manifests.schema import Person

KINDS = ("cloth_black", "kn95", "n95", "surgical_blue", "surgical_green")


@dataclass(frozen=True)
class Row:
    person: str
    photograph: str  # its file name
    kind: str
    sha256: str = ""

    @property
    def path(self) -> str:
        stem = self.photograph.rpartition(".")[0]
        return f"faces/{self.person}/{stem}__{self.kind}.jpg"


def rows(people: int, photographs: int, kinds: Sequence[str], name: str = "p") -> list[Row]:
    """Every person with so many photographs, each in all kinds."""
    return [
        Row(f"{name}{p:03d}", f"{name}{p:03d}_{i:04d}.jpg", kind)
        for p in range(people)
        for i in range(1, photographs + 1)
        for kind in kinds
    ]


def write_run(folder: Path, wanted: Iterable[Row], pictures: bool = False) -> Path:
    """A run folder with a catalogue of these rows, and with drawn pictures where they are asked for."""
    wanted = list(wanted)
    columns = {
        "path": [row.path for row in wanted],
        "source": [f"{row.person}/{row.photograph}" for row in wanted],
        "source_sha256": [row.sha256 or _hash(folder, row) for row in wanted],
        "person": [row.person for row in wanted],
        "kind": [row.kind for row in wanted],
        "variant": [0 for _ in wanted],
    }
    folder.mkdir(parents=True, exist_ok=True)
    texts = {name: pa.array(values) for name, values in columns.items() if name != "variant"}
    schema = {name: values.cast(pa.string()) for name, values in texts.items()}
    pq.write_table(
        pa.table(schema | {"variant": pa.array(columns["variant"], pa.int64())}), folder / "catalogue.parquet"
    )
    if pictures:
        for row in wanted:
            draw(folder / row.path)
    return folder


def _hash(folder: Path, row: Row) -> str:
    return hashlib.sha256(f"{folder.name}/{row.person}/{row.photograph}".encode()).hexdigest()


def draw(path: Path, size: int = 48) -> None:
    """A small picture whose colour depends on the name of its file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    colour = list(hashlib.sha256(str(path).encode()).digest()[:3])
    image = np.full((size, size, 3), 200, np.uint8)
    cv2.circle(image, (size // 2, size // 2), size // 3, colour, -1)
    path.write_bytes(cv2.imencode(".jpg", image)[1].tobytes())


def images_of(folder: Path, wanted: Iterable[Row]) -> Images:
    return read_runs([("run", write_run(folder, wanted))])


def made_up(person: Sequence[int], photograph: Sequence[int], kind: Sequence[int]) -> Images:
    """Images from codes alone, sorted by person; one code of a photograph is one photograph."""
    order = np.lexsort((kind, photograph, person))
    codes = [np.asarray(values, np.int32)[order] for values in (person, kind, photograph)]
    n_people = int(max(person, default=-1)) + 1
    paths = pa.array([f"faces/{i}.jpg" for i in range(len(order))], pa.large_string())
    people = tuple(Person("run", f"p{i:04d}") for i in range(n_people))
    return Images(paths, paths, codes[0], codes[1], codes[2], people, ("bare", *KINDS))


def slow_records(lists: Path) -> dict[int, tuple[list[float], bytes]]:
    """Labels and picture of each record by its number, read as the format's description says."""
    data = (lists / "train.rec").read_bytes()
    found = {}
    for line in (lists / "train.idx").read_text().splitlines():
        number, at = map(int, line.split("\t"))
        magic, word = struct.unpack_from("<II", data, at)
        assert magic == 0xCED7230A and word >> 29 == 0  # no part of a drawn picture is the magic number
        record = data[at + 8 : at + 8 + word % (1 << 29)]
        flag, label, own, _ = struct.unpack_from("<IfQQ", record)
        assert own == number
        labels = list(struct.unpack_from(f"<{flag}f", record, 24)) if flag else [label]
        found[number] = labels, record[24 + 4 * flag :]
    return found
