from __future__ import annotations

import random
from collections.abc import Iterator
from io import BytesIO

import pytest

from maskgen.core.reasons import UserError
from maskgen.formats import table_blocks
from maskgen.formats.table_blocks import read_neighbours
from maskgen.formats.tables import read_table

HEADS = ("path,person\n", "person;path\r\n", "\ufefffile\tx\tidentity\n", 'target,"path",y\n')
PATHS = ("a/1.jpg", "a/b/2.jpg", "b/1.jpg", "b/2.jpg", "3.jpg", "/4.jpg", "ü/ö.jpg", "a\\6.jpg", "a/b\\7.jpg")
ODD = (
    " a/1.jpg",
    "a/1.jpg\u3000",
    '"a/""1.jpg"',
    '"a/1.jpg',
    '"a"/1.jpg',
    '"a/\n8.jpg"',
    "",
    "a/\x001.jpg",
    "a,/9.jpg",
    "a/1.jpg\r",
    "\udcff",
)
PEOPLE = ("Ann", "Bob", "Ü", "3", "Ann/Bob", "Ann ")


def by_rows(data: bytes) -> list[tuple[str, str]] | str:
    try:
        return [(path, person) for path, person, _ in read_table(data, "x.csv")]
    except UserError as fault:
        return str(fault)


def _decoded(data: bytes) -> Iterator[tuple[str, str, str, bool]]:
    for folder, person, names, rising in read_neighbours(BytesIO(data), "x.csv"):
        yield folder.decode(), person.decode(), names.decode(), rising


def by_blocks(data: bytes) -> list[tuple[str, str]] | str:
    rows: list[tuple[str, str]] = []
    try:
        for folder, person, packed, rising in _decoded(data):
            within, names = folder if folder in ("", "/") else folder + "/", packed.split("\0")
            assert rising == (names == sorted(set(names)))
            rows += [(within + name, person) for name in names]
    except UserError as fault:
        return str(fault)
    return rows


def table(seed: int) -> bytes:
    """A table of a few rows; one in three holds a row that is not plain."""
    rng = random.Random(seed)
    head = rng.choice(HEADS)
    between = next(mark for mark in ";\t," if mark in head)
    ended = rng.choice(("\n", "\n", "\r\n"))
    lines = []
    for _ in range(rng.randrange(12)):
        odd = rng.random() < 0.03
        path = rng.choice(ODD if odd else PATHS)
        person = rng.choice(PEOPLE[:-1] if rng.random() < 0.98 else PEOPLE)
        values = ["x"] * (head.count(between) + 1)
        names = [name.strip('"\ufeff\r\n') for name in head.split(between)]
        for at, name in enumerate(names):
            values[at] = path if name in ("path", "file") else person if name != "x" and name != "y" else "x"
        lines += [between.join(values)] * rng.choice((1, 1, 3))
        lines += [""] if rng.random() < 0.02 else []
    text = head + ended.join(lines) + (ended if rng.random() < 0.8 else "")
    return text.encode("utf-8", "surrogateescape")


@pytest.mark.parametrize("block", [1, 40, 2**20])
def test_a_table_in_blocks_has_the_same_rows_and_faults(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "_BLOCK", block)
    for seed in range(400):
        data = table(seed)
        assert by_blocks(data) == by_rows(data), data


def test_rows_of_one_folder_and_person_come_together() -> None:
    data = b"path,person\n" + b"".join(b"n/long folder/%d.jpg,Ann\n" % at for at in range(3)) + b"n/x/1.jpg,Ann\n"
    assert list(_decoded(data)) == [
        ("n/long folder", "Ann", "0.jpg\x001.jpg\x002.jpg", True),
        ("n/x", "Ann", "1.jpg", True),
    ]


def test_faults_beyond_the_first_block_name_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_blocks, "_BLOCK", 30)
    for last, told in ((b"b/1.jpg\n", "line 52: 1 value where"), (b"\xff/1.jpg,1\n", "line 52: it is not UTF-8")):
        with pytest.raises(UserError, match=told):
            list(read_neighbours(BytesIO(b"path,person\n" + b"a/1.jpg,1\n" * 50 + last), "x.csv"))


def test_an_open_quotation_mark_does_not_swallow_rows() -> None:
    with pytest.raises(UserError, match="line 4: .*a quotation mark in it, or before it, is not closed"):
        list(read_table(b'path,person\na/1.jpg,Ann\n"a/2.jpg,Ann\na/3.jpg,Ann\n', "x.csv"))
