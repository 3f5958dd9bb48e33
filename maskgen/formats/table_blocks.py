"""A large table read in blocks of lines: neighbouring photographs of one folder and person as one text.

Millions of rows cost too much one by one. A block whose lines are plain (no quotation marks, nothing to strip, as many
values in each line) is cut with NumPy; the rest of the table, from the first block that is not, by `read_table`. Texts
are UTF-8 bytes, eight of which are compared or copied as one number.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from operator import lt
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np

from .tables import Layout, layout_of, read_rest, read_table, separator

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUL = b"\0"
_BLOCK = 2**19  # bytes; its numbers still fit into the cache
_LONGEST = 2**17  # bytes of a line; `csv` refuses longer values
_HEAP = 2**24  # bytes
_LONG_NAME = 128  # bytes; a block's names are copied in rows that are as long as its longest
_NOT_PLAIN = (b'"', b"\r", b"\0")
# What `str.strip` removes beyond ASCII.
_WIDE_SPACE = re.compile("[\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_NEWLINE, _SLASH, _SPACE = 10, 47, 32


# Photographs of one folder and one person in neighbouring rows, in UTF-8: the folder as in the table, "" for none and
# "/" for the root; the person; the names, joined by NUL, in the order of the rows; and whether each name is greater
# than the one before.
Neighbours = tuple[bytes, bytes, bytes, bool]


def read_neighbours(file: BinaryIO, name: str) -> Iterator[Neighbours]:
    """The rows of a table, as `read_table` gives them, but together where folder and person are the same.

    Args:
        file: opened at its beginning.
        name: the file's, for messages.

    Raises:
        UserError: it is not a valid table; names the file and the line.
    """
    _keep_heap()
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


def _keep_heap() -> None:
    """Make glibc keep the memory of a block's arrays for those of the next one.

    It returns arrays of more than 128 kB to the system, and each page that it takes again is cleared: a quarter of the
    time. Once a larger one was freed, which need not be written to, it keeps all that are smaller.
    """
    freed = bytes(_HEAP)
    del freed


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
                yield _of_names(folder, last, names)
            folder, last, names = here or slash, person, []
        names.append(name)
    if names:
        yield _of_names(folder, last, names)


def _of_names(folder: str, person: str, names: Sequence[str]) -> Neighbours:
    packed = "\0".join(names).encode()
    return folder.encode(), person.encode(), packed, rises(packed)


def rises(packed: bytes) -> bool:
    """Whether joined names are in order, each once."""
    names = packed.split(NUL)
    return all(map(lt, names, islice(names, 1, None)))


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
    return None if fields is None else _cut(text, fields)


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
    if len(ends) % layout.values or not _ends_each(kinds[ends] == _NEWLINE, layout.values):
        return None
    fields = marks[ends]
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


def _ends_each(is_newline: NDArray[np.bool_], values: int) -> bool:
    """Whether each line has so many values."""
    lines = len(is_newline) // values
    return bool(is_newline[values - 1 :: values].all()) and int(np.count_nonzero(is_newline)) == lines


def _cut(text: bytes, fields: _Fields) -> Iterator[Neighbours]:
    longest = int((fields.name_end - fields.folder).max())
    # Any field can be read to its end in words of eight bytes.
    padded = text + bytes(8 + longest)
    words = np.ndarray(len(padded) - 7, "<u8", padded, strides=(1,))
    same = _as_before(words, fields.folder, fields.folder_end) & _as_before(words, fields.person, fields.person_end)
    first = np.flatnonzero(~same)
    people = zip(fields.person[first].tolist(), fields.person_end[first].tolist(), strict=True)
    folders = zip(fields.folder[first].tolist(), fields.folder_end[first].tolist(), strict=True)
    if int((fields.name_end - fields.name).max()) < _LONG_NAME:
        packed = _packed(words, fields, same, first)
    else:
        packed = _packed_one_by_one(text, fields, first)
    for (a, b), (c, d), (names, is_rising) in zip(folders, people, packed, strict=True):
        yield text[a:b], text[c:d], names, is_rising


def _packed(
    words: NDArray[np.uint64], fields: _Fields, same: NDArray[np.bool_], first: NDArray[np.int64]
) -> Iterator[tuple[bytes, bool]]:
    """The names of each group, joined by NUL, and whether they rise.

    Args:
        words: see `_as_before`.
        same: whether a row is of the group of the row before, (rows,).
        first: the first row of each group, (groups,).
    """
    lengths = fields.name_end - fields.name
    padded = _names(words, fields.name, lengths)
    rising = np.logical_and.reduceat(~same | _after_before(padded, same), first).tolist()
    width = 8 * padded.shape[1]
    kept = np.tri(width, dtype=np.bool_)  # row n: a name of n bytes, and the NUL behind it
    names = padded.view(np.uint8)[kept.take(lengths, axis=0)].tobytes()
    ends = np.cumsum(np.add.reduceat(lengths + 1, first)).tolist()
    for begin, end, is_rising in zip([0, *ends], ends, rising, strict=False):
        yield names[begin : end - 1], is_rising


def _names(words: NDArray[np.uint64], begins: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Each row's name in words, (rows, words), followed by one or more NULs."""
    shortest, longest = int(lengths.min()), int(lengths.max())
    padded = np.zeros((len(begins), longest // 8 + 1), "<u8")
    for at in range(0, longest, 8):
        word = words[begins + at]
        if shortest < at + 8:
            beyond = (8 * np.clip(at + 8 - lengths, 0, 8)).astype(np.uint64)
            word = word << beyond >> beyond  # by 64 gives 0
        padded[:, at // 8] = word
    return padded


def _after_before(padded: NDArray[np.uint64], same: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether each row's name is greater than that of the row before, where both are of one group."""
    after = np.zeros(len(padded), np.bool_)
    equal = same.copy()
    for word in padded.T:
        number = word.byteswap()
        after[1:] |= equal[1:] & (number[1:] > number[:-1])
        equal[1:] &= number[1:] == number[:-1]
        if not equal.any():
            break
    return after


def _packed_one_by_one(text: bytes, fields: _Fields, first: NDArray[np.int64]) -> Iterator[tuple[bytes, bool]]:
    """`_packed` for names of any length."""
    spans = list(zip(fields.name.tolist(), fields.name_end.tolist(), strict=True))
    starts = first.tolist()
    for begin, end in zip(starts, [*starts[1:], len(spans)], strict=True):
        packed = NUL.join([text[a:b] for a, b in spans[begin:end]])
        yield packed, rises(packed)


def _as_before(words: NDArray[np.uint64], begins: NDArray[np.int64], ends: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each row's field has the bytes of that of the row before; never the first row's.

    Args:
        words: the eight bytes from each place of the text on, the first one lowest.
        begins: of the fields, (rows,).
        ends: likewise.
    """
    lengths = ends - begins
    shortest, longest = int(lengths.min()), int(lengths.max())
    same = np.concatenate([[False], lengths[1:] == lengths[:-1]])
    compared = shortest // 8 * 8  # bytes of each field
    places = [begins + at for at in range(0, compared, 8)]
    if compared and compared < longest:
        places.append(ends - 8)
        compared += 8  # of longer ones the last eight
    for place in places:
        word = words[place]
        same[1:] &= word[1:] == word[:-1]
    for shift in range(shortest // 8 * 8, longest, 8):
        rows = np.flatnonzero(same & (lengths > max(shift, compared)))
        differing = words[begins[rows] + shift] ^ words[begins[rows - 1] + shift]
        beyond = 64 - 8 * np.minimum(lengths[rows] - shift, 8)
        same[rows] = (differing << beyond.astype(np.uint64)) == 0
    return same
