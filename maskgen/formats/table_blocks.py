"""A large table read in blocks of lines: neighbouring photographs of one folder and person as one text.

Millions of rows cost too much one by one. A block whose lines are plain (no quotation marks, nothing to strip, as many
values in each line) is cut with NumPy; the rest of the table, from the first block that is not, by `read_table`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from .tables import Layout, layout_of, read_rest, read_table, separator

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUL = "\0"
_BLOCK = 2**19  # bytes; its numbers still fit into the cache
_LONGEST = 2**17  # bytes of a line; `csv` refuses longer values
_NOT_PLAIN = (b'"', b"\r", b"\0")
# What `str.strip` removes beyond ASCII.
_WIDE_SPACE = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_NEWLINE, _SLASH, _SPACE = 10, 47, 32


class Neighbours(NamedTuple):
    """Photographs of one folder and one person in neighbouring rows.

    `folder` is as in the table, "" for none and "/" for the root; `names` are joined by NUL, in the order of the rows.
    `rising` is True only where each name is greater than the one before.
    """

    folder: str
    person: str
    names: str
    rising: bool = False


def read_neighbours(file: BinaryIO, name: str) -> Iterator[Neighbours]:
    """The rows of a table, as `read_table` gives them, but together where folder and person are the same.

    Args:
        file: opened at its beginning.
        name: the file's, for messages.

    Raises:
        UserError: it is not a valid table; names the file and the line.
    """
    first = file.readline()
    layout = _plain_layout(first, name)
    if layout is None:
        file.seek(0)
        yield from _joined(read_table(file, name))
        return
    at, lines = len(first), 1
    while block := file.read(_BLOCK) + file.readline():
        found = _plain(block, layout)
        if found is None:
            file.seek(at)
            yield from _joined(read_rest(file, name, layout, lines))
            return
        yield from found
        at += len(block)
        lines += block.count(b"\n")


def _plain_layout(line: bytes, name: str) -> Layout | None:
    """The layout of a table with this first line; None where its header may go beyond that line."""
    if b"\r" in line.removesuffix(b"\r\n"):
        return None
    between = separator(line)
    try:
        header = next(csv.reader([line.decode("utf-8-sig")], delimiter=between, strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return None
    return layout_of(header, between, name)


def _joined(rows: Iterator[tuple[str, str, int]]) -> Iterator[Neighbours]:
    folder, last, names = "", "", list[str]()
    for path, person, _ in rows:
        here, slash, name = path.rpartition("/")
        if here != folder or person != last or not here:
            if names:
                yield Neighbours(folder, last, NUL.join(names))
            folder, last, names = here or slash, person, []
        names.append(name)
    if names:
        yield Neighbours(folder, last, NUL.join(names))


class _Fields(NamedTuple):
    """Where a block's folders, names and people begin and end: int64 (rows,) each."""

    folder: NDArray[np.int64]
    folder_end: NDArray[np.int64]
    name: NDArray[np.int64]
    name_end: NDArray[np.int64]
    person: NDArray[np.int64]
    person_end: NDArray[np.int64]


def _plain(block: bytes, layout: Layout) -> Iterator[Neighbours] | None:
    """The rows of a block of whole lines; None if one of them needs more than cutting."""
    text = block.replace(b"\r\n", b"\n") if b"\r" in block else block
    text = text if text.endswith(b"\n") else text + b"\n"
    if any(mark in text for mark in _NOT_PLAIN) or not _strips_as_ascii(text):
        return None
    fields = _fields(text, layout)
    return None if fields is None else _cut(text, fields, layout)


def _strips_as_ascii(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        return not _WIDE_SPACE.search(text.decode("utf-8"))
    except UnicodeDecodeError:
        return False


def _fields(text: bytes, layout: Layout) -> _Fields | None:
    """The fields of plain text; None where a line has another number of values, or one that needs a closer look."""
    data = np.frombuffer(text, np.uint8)
    marks = np.flatnonzero((data == _NEWLINE) | (data == ord(layout.between)) | (data == _SLASH))
    kinds = data[marks]
    ends = np.flatnonzero(kinds != _SLASH)  # of fields, in `marks`
    fields = marks[ends]
    if len(ends) % layout.values or not np.array_equal(
        np.flatnonzero(kinds[ends] == _NEWLINE), np.arange(layout.values - 1, len(ends), layout.values)
    ):
        return None
    stops = fields.reshape(-1, layout.values)
    begins = np.concatenate([[0], fields[:-1] + 1]).reshape(stops.shape)
    path, end = begins[:, layout.path], stops[:, layout.path]
    person, person_end = begins[:, layout.person], stops[:, layout.person]
    before = ends.reshape(stops.shape)[:, layout.path] - 1  # the mark before a path's end
    slash = np.where(kinds[before] == _SLASH, marks[before], -1)
    # Without a slash the folder is empty; a path that begins with its only slash lies in the root.
    if (
        (end <= path).any()
        or (person_end <= person).any()
        or (slash == path).any()
        or (stops[:, -1] - begins[:, 0]).max() >= _LONGEST
        or min(data[one].min() for one in (path, end - 1, person, person_end - 1)) <= _SPACE
        or (b"\\" in text and (slash < path).any())
    ):
        return None
    slash = np.maximum(slash, path - 1)
    return _Fields(path, np.maximum(slash, path), slash + 1, end, person, person_end)


def _cut(text: bytes, fields: _Fields, layout: Layout) -> Iterator[Neighbours]:
    words = np.ndarray(len(text) + 1, "<u8", text + bytes(8), strides=(1,))
    same = _as_before(words, fields.folder, fields.folder_end) & _as_before(words, fields.person, fields.person_end)
    first = np.flatnonzero(~same)
    last = np.append(first[1:], len(same)) - 1
    rising = np.logical_and.reduceat(~same | _after_before(words, fields.name, fields.name_end), first).tolist()
    people = zip(fields.person[first].tolist(), fields.person_end[first].tolist(), strict=True)
    folders = zip(fields.folder[first].tolist(), fields.folder_end[first].tolist(), strict=True)
    packed = _packed_if_alone(text, fields, first, last) if layout.values == 2 else _packed(text, fields, first, last)
    for (a, b), (c, d), names, is_rising in zip(folders, people, packed, rising, strict=True):
        yield Neighbours(text[a:b].decode(), text[c:d].decode(), names.decode(), is_rising)


def _packed(text: bytes, fields: _Fields, first: NDArray[np.int64], last: NDArray[np.int64]) -> Iterator[bytes]:
    """The names of each group, joined by NUL."""
    spans = list(zip(fields.name.tolist(), fields.name_end.tolist(), strict=True))
    for begin, end in zip(first.tolist(), (last + 1).tolist(), strict=True):
        yield b"\0".join([text[a:b] for a, b in spans[begin:end]])


def _packed_if_alone(
    text: bytes, fields: _Fields, first: NDArray[np.int64], last: NDArray[np.int64]
) -> Iterator[bytes]:
    """The same where lines have no other values: what lies between two names of a group is always the same text."""
    after = fields.name[np.minimum(first + 1, last)]
    places = (fields.name[first], fields.name_end[first], after, fields.name_end[last])
    for begin, gap, next_name, end in zip(*(place.tolist() for place in places), strict=True):
        yield text[begin:end].replace(text[gap:next_name], b"\0") if end > gap else text[begin:gap]


def _as_before(words: NDArray[np.uint64], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each row's field has the bytes of that of the row before; never the first row's.

    Args:
        words: the eight bytes from each place of the text on, the first one lowest.
        begins: of the fields, (rows,).
        ends: likewise.
    """
    lengths = ends - begins
    same = np.concatenate([[False], lengths[1:] == lengths[:-1]])
    for shift in range(0, int(lengths.max()), 8):
        rows = np.flatnonzero(same & (lengths > shift))
        differing = words[begins[rows] + shift] ^ words[begins[rows - 1] + shift]
        beyond = 64 - 8 * np.minimum(lengths[rows] - shift, 8)
        same[rows] = (differing << beyond.astype(np.uint64)) == 0
    return same


def _after_before(words: NDArray[np.uint64], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the first eight bytes of each row's field are greater than those of the row before; see `_as_before`."""
    beyond = 8 * np.maximum(8 - (ends - begins), 0).astype(np.uint64)
    numbers = words[begins].byteswap() >> beyond << beyond
    return np.concatenate([[False], numbers[1:] > numbers[:-1]])
