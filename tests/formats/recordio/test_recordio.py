"""RecordIO: whole records, records in parts, and whose each picture is."""

from __future__ import annotations

import contextlib
import struct
from pathlib import Path

import numpy as np
import pytest
from format_makers import MAGIC, frame, record, write_rec
from hypothesis import given, settings
from hypothesis import strategies as st

from maskgen.core.reasons import SetAsideError
from maskgen.formats.faults import ContainerError
from maskgen.formats.range_reads import LocalRanges
from maskgen.formats.reading import read_bytes
from maskgen.formats.recordio.index import RecordIndex, load_index
from maskgen.formats.recordio.people import RecordPeople, record_people
from maskgen.formats.recordio.stream import Record, framed, pack, read_record, unpack

# Bytes in which the magic number is as frequent as anything else, at all places.
AWKWARD = st.lists(st.sampled_from([MAGIC, b"abcd", b"x", b"yz", b""]), max_size=12).map(b"".join)


class Bytes:
    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read(self, offset: int, size: int) -> bytes:
        return self.data[offset : offset + size]


def slow_records(data: bytes) -> list[bytes]:
    """The records of a file, read as the format's description says, in a slow loop."""
    records: list[bytes] = []
    parts: list[bytes] = []
    at = 0
    while at < len(data):
        assert data[at : at + 4] == MAGIC
        (word,) = struct.unpack_from("<I", data, at + 4)
        flag, length = word >> 29, word % (1 << 29)
        parts.append(data[at + 8 : at + 8 + length])
        assert len(parts[-1]) == length
        at += 8 + length
        while at % 4:
            assert data[at] == 0
            at += 1
        if flag in (0, 3):
            records.append(MAGIC.join(parts))
            parts = []
    assert not parts
    return records


@given(wanted=st.lists(AWKWARD, max_size=5))
def test_written_records_are_what_a_slow_reader_and_ours_find(wanted: list[bytes]) -> None:
    places, data = [], b""
    for one in wanted:
        places.append(len(data))
        data += b"".join(framed(one))
    assert slow_records(data) == wanted
    for size in (None, 1, 1000):
        assert [read_record(Bytes(data), place, size) for place in places] == wanted


def test_a_part_never_holds_the_magic_number_where_a_reader_looks_for_it() -> None:
    data = b"".join(framed(b"abcd" + MAGIC + b"x" + MAGIC + b"yzw" + MAGIC))
    flags = [
        struct.unpack_from("<I", data, at + 4)[0] >> 29 for at in range(0, len(data), 4) if data[at : at + 4] == MAGIC
    ]
    assert flags == [1, 2, 3]


@given(labels=st.lists(st.integers(0, 1 << 24), min_size=1, max_size=3), number=st.integers(0, 2**40), picture=AWKWARD)
def test_a_packed_record_is_unpacked(labels: list[int], number: int, picture: bytes) -> None:
    many = len(labels) > 1
    one = Record(tuple(map(float, labels)), number, picture, many)
    assert unpack(pack(one)) == one
    assert pack(one) == record(labels[0], number, picture, labels if many else ())


def test_a_label_that_float32_rounds_is_refused() -> None:
    with pytest.raises(ValueError, match="not exact"):
        pack(Record((float((1 << 24) + 1),), 1, b""))


@settings(max_examples=300, deadline=None)
@given(wanted=st.lists(AWKWARD, max_size=3), data=st.data())
def test_damage_is_a_reason_and_never_more(wanted: list[bytes], data: st.DataObject) -> None:
    raw = bytearray(b"".join(b"".join(framed(one)) for one in wanted) or b"\0")
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    broken = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    with contextlib.suppress(ContainerError):
        unpack(
            read_record(Bytes(broken), data.draw(st.integers(0, len(raw))), data.draw(st.none() | st.integers(0, 99)))
        )


def test_a_record_longer_than_any_picture_is_not_read() -> None:
    with pytest.raises(ContainerError, match="longer than any picture"):
        read_record(Bytes(MAGIC + struct.pack("<I", 1 << 28)), 0, None, most=1000)
    endless = frame(b"ab12", 1) + frame(b"cd34", 2) * 1000
    with pytest.raises(ContainerError, match="longer than any picture"):
        read_record(Bytes(endless), 0, None, most=1000)


def found(rec: Path) -> dict[str, list[int]]:
    """The pictures' numbers by person."""
    pieces = LocalRanges(rec)
    people: RecordPeople = record_people(rec, pieces, load_index(rec, pieces))
    by: dict[str, list[int]] = {}
    for label, number in zip(people.labels.tolist(), people.ids.tolist(), strict=True):
        by.setdefault(f"{label:g}", []).append(number)
    return by


def with_header(folder: Path, counts: list[int], labels: list[int] | None = None) -> Path:
    """A set as InsightFace's are: a header, pictures from 1 on, one record a person."""
    labels = labels or list(range(len(counts)))
    end = sum(counts) + 1
    records = [(0, record(0, 0, b"", (end, end + len(counts))))]
    for label, count in zip(labels, counts, strict=True):
        records += [(len(records) + i, record(label, len(records) + i, b"jpg")) for i in range(count)]
    first = 1
    for person, count in enumerate(counts):
        records.append((end + person, record(0, end + person, b"", (first, first + count))))
        first += count
    return write_rec(folder / "train.rec", records)


def test_people_of_a_set_with_a_header(tmp_path: Path) -> None:
    rec = with_header(tmp_path, [2, 3, 1])
    assert found(rec) == {"0": [1, 2], "1": [3, 4, 5], "2": [6]}
    rec.with_suffix(".idx").unlink()
    assert found(rec) == {"0": [1, 2], "1": [3, 4, 5], "2": [6]}


def test_the_records_own_labels_count_where_the_header_would_say_others(tmp_path: Path) -> None:
    assert found(with_header(tmp_path, [2, 3], labels=[7, 4])) == {"4": [3, 4, 5], "7": [1, 2]}


LST = {
    "number, label, path": "4\t1\tb.jpg\n17\t3\ta.jpg\n9\t1\tc.jpg\n",
    "floats": "4\t1.000000\tb.jpg\n17\t3.000000\ta.jpg\n9\t1.0\tc.jpg\n99\t5.0\tnot there\n",
    "1, path, label": "1\tb.jpg\t1\n1\tc.jpg\t1\n1\ta.jpg\t3\n",
    "none": "",
    "of another set": "1\t0\tx.jpg\n",
    "no numbers": "a\tb\tc\n",
}


@pytest.mark.parametrize("lst", LST)
@pytest.mark.parametrize("many", [False, True])
def test_people_by_the_list_and_without_one(tmp_path: Path, lst: str, many: bool) -> None:
    labels = {17: 3, 4: 1, 9: 1}
    rec = write_rec(
        tmp_path / "train.rec",
        [(number, record(label, number, b"jpg", (label, 1) if many else ())) for number, label in labels.items()],
    )
    if LST[lst]:
        rec.with_suffix(".lst").write_text(LST[lst])
    assert found(rec) == {"1": [4, 9], "3": [17]}


def test_a_list_that_says_otherwise_than_the_records_is_refused(tmp_path: Path) -> None:
    rec = write_rec(tmp_path / "train.rec", [(1, record(0, 1, b"x")), (2, record(1, 2, b"x"))])
    rec.with_suffix(".lst").write_text("1\t0\ta\n2\t0\tb\n")
    with pytest.raises(ContainerError, match=r"train.lst has label 0 for record 2, whose own label is 1"):
        found(rec)


@pytest.mark.parametrize(
    ("idx", "told"),
    [("a\tb\n", "two whole numbers"), ("1\n", "two whole numbers"), ("", "empty"), ("1\t2\t3\n", "two whole numbers")],
)
def test_an_index_that_is_none_is_told(tmp_path: Path, idx: str, told: str) -> None:
    rec = write_rec(tmp_path / "train.rec", [(1, record(0, 1, b"x"))])
    rec.with_suffix(".idx").write_text(idx)
    with pytest.raises(ContainerError, match=told):
        load_index(rec, LocalRanges(rec))


@pytest.mark.parametrize("data", [b"", b"abcd" * 10, b"\x0a\x23"])
def test_what_is_no_recordio_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.rec").write_bytes(data)
    with pytest.raises(ContainerError, match="no RecordIO|is empty"):
        load_index(tmp_path / "a.rec", LocalRanges(tmp_path / "a.rec"))


def test_places_behind_the_end_and_beside_a_record_are_reasons(tmp_path: Path) -> None:
    rec = write_rec(tmp_path / "train.rec", [(1, record(0, 1, b"whole")), (2, record(0, 2, b"cut off"))])
    rec.write_bytes(rec.read_bytes()[:-4])
    lines = rec.with_suffix(".idx").read_text()
    rec.with_suffix(".idx").write_text(lines + "3\t99999\n4\t2\n5\t-8\n")
    assert read_bytes(tmp_path, "train.rec/1") == b"whole"
    told = {2: "ends in the middle", 3: "ends before byte", 4: "no record begins", 5: "no record begins|ends before"}
    for number, reason in told.items():
        with pytest.raises(SetAsideError, match=reason):
            read_bytes(tmp_path, f"train.rec/{number}")
    assert sum(map(len, found(rec).values())) == 5


def test_a_truncated_file_without_an_index_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    rec = write_rec(tmp_path / "train.rec", [(1, record(0, 1, b"whole")), (2, record(0, 2, b"cut off"))], idx=False)
    rec.write_bytes(rec.read_bytes()[:-4])
    assert read_bytes(tmp_path, "train.rec/1") == b"whole"
    with pytest.raises(SetAsideError, match="ends in the middle"):
        read_bytes(tmp_path, "train.rec/2")


@pytest.mark.parametrize(("lost", "at"), [(0, 0), (2, 72), (4, 144)])
def test_an_index_that_lacks_records_is_told(tmp_path: Path, lost: int, at: int) -> None:
    rec = write_rec(tmp_path / "train.rec", [(n, record(n % 2, n, b"data")) for n in range(5)])
    lines = rec.with_suffix(".idx").read_text().splitlines(keepends=True)
    del lines[lost]
    rec.with_suffix(".idx").write_text("".join(lines))
    with pytest.raises(ContainerError, match=f"train.idx lacks the record at byte {at}: "):
        load_index(rec, LocalRanges(rec))
    rec.with_suffix(".idx").unlink()
    assert len(load_index(rec, LocalRanges(rec))) == 5


def test_of_two_lines_for_one_number_the_last_counts(tmp_path: Path) -> None:
    rec = write_rec(
        tmp_path / "train.rec", [(1, record(0, 1, b"old")), (2, record(0, 2, b"b")), (1, record(0, 1, b"new"))]
    )
    assert read_bytes(tmp_path, "train.rec/1") == b"new"
    assert found(rec) == {"0": [1, 2]}


def test_records_are_found_by_number_in_any_order() -> None:
    numbers = np.arange(100, dtype=np.int64)
    index = RecordIndex(numbers * 3, numbers[::-1] * 100, np.full(100, 100, np.int64))
    assert index.find(30) == (8900, 100) and index.find(31) is None and index.find(298) is None


def test_the_real_sample(photographs: Path) -> None:
    assert found(photographs / "formats" / "train.rec") == {"0": [0, 1, 2, 3], "1": [4, 5, 6, 7]}
