"""CSV files, against Python's own csv module."""

from __future__ import annotations

import csv
import io
import weakref
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskgen.manifests.csv_table import CsvBatches, csv_lines, read_csv, write_columns

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
ROWS = st.lists(
    st.tuples(TEXT | st.sampled_from(["a,b", 'say "x"', "two\nlines", " x ", "ü", "\r"]), st.integers(0, 10**6)),
    max_size=12,
)
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def columns(rows: list[tuple[str, int]]) -> list[pa.Array]:
    return [
        pa.array([row[0] for row in rows], pa.large_string()),
        pa.array([row[1] for row in rows], pa.int64()),
    ]


@given(ROWS)
def test_lines_are_read_back_by_the_csv_module(rows: list[tuple[str, int]]) -> None:
    text = csv_lines(columns(rows)).decode()
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[name, str(number)] for name, number in rows]


@SHARED
@given(ROWS)
def test_a_written_file_is_read_back(tmp_path: Path, rows: list[tuple[str, int]]) -> None:
    path = tmp_path / "a.csv"
    assert write_columns(path, ("path", "target"), columns(rows)) == len(rows)
    text = read_csv(path)
    assert text.columns["path"].to_pylist() == [name for name, _ in rows]
    assert text.columns["target"].to_pylist() == [str(number) for _, number in rows]
    assert text.n_ragged == 0 and text.rows == len(rows)


def test_plain_values_have_no_quotes() -> None:
    assert csv_lines(columns([("faces/Anna B/é__n95.jpg", 3)])) == "faces/Anna B/é__n95.jpg,3\n".encode()


def test_unknown_values_are_empty() -> None:
    unknown = [pa.array([1, None]), pa.array(["a", None], pa.large_string())]
    assert csv_lines(unknown) == b'1,a\n,""\n'


def test_slices_of_an_array_are_written_as_slices() -> None:
    both = [column.slice(1, 2) for column in columns([("a", 1), ("b", 2), ("c", 3), ("d", 4)])]
    assert csv_lines(both) == b"b,2\nc,3\n"


def test_ragged_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("path,target\na,1\nb\nc,3,4\nd,5\n")
    text = read_csv(path)
    assert text.n_ragged == 2 and text.columns["path"].to_pylist() == ["a", "d"]
    assert "1 value instead of 2" in text.ragged[0]


def test_a_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfpath,target\r\na,1\r\n")
    assert read_csv(path).columns["path"].to_pylist() == ["a"]


@pytest.mark.parametrize("data", [b"", b"\n", b"path,path\na,b\n", b"path,target\n\xff\xfe,1\n", b"\xff\xd8\xff\xe0"])
def test_what_is_no_csv_says_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    with pytest.raises(ValueError):
        read_csv(path)


@pytest.mark.parametrize("text", ["path,target\n", "path,target\na,1\nb\n", "path\n" + "a\n" * 10, 'path\n"a'])
def test_no_thread_holds_python_objects_after_a_file_was_read(tmp_path: Path, text: str) -> None:
    """Or the process aborts if it ends right then. A thread that lets go late does so in one of 15 readings."""
    path = tmp_path / "some.csv"
    path.write_text(text)
    for _ in range(200):
        batches = CsvBatches(path)
        known = weakref.ref(batches)
        with suppress(ValueError):
            list(batches)
        del batches
        assert known() is None
