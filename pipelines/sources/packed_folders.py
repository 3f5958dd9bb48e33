"""The folders of a table of millions of photographs: a text for each, a `Folder` only where one is asked for.

Two million `Folder`s take half a gigabyte and ten seconds; what a shard plan needs of them is cut from many at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, overload

from .folder import Folder
from .output_names import folder_name, packed_stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

END = b"\0"
AT_ONCE = 512  # folders whose names are worked on at once
_WORD = 8  # bytes that are compared at once


class Texts(NamedTuple):
    """What the outputs of some folders depend on, for each of them, in UTF-8."""

    titles: Sequence[bytes]  # its path, person and output folder, each ended by NUL
    names: Sequence[bytes]  # its photographs', joined by NUL
    stems: Sequence[bytes]  # the names of their outputs, joined by NUL
    counts: Sequence[int]  # photographs


class PackedFolders(Sequence[Folder]):
    """Folders of one person each, whose photographs are outside of containers.

    Args:
        records: of each folder its path, its person as the table has it, and its photographs' names, each once and in
            order, in UTF-8 and joined by NUL; in the order of paths and people, each pair once.
    """

    def __init__(self, records: Sequence[bytes]) -> None:
        self._records = records

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, at: int) -> Folder: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Folder]: ...
    def __getitem__(self, at: int | slice) -> Folder | Sequence[Folder]:
        if isinstance(at, slice):
            return PackedFolders(self._records[at])
        path, person, names = self._records[at].decode().split("\0", 2)
        return Folder.of_packed(path, names, folder_name(person))

    @cached_property
    def photographs(self) -> int:
        """The number of photographs."""
        return sum(END.join(batch).count(END) - 2 * len(batch) + 1 for batch in self._batches())

    @cached_property
    def people(self) -> int:
        """The number of people; `folder_name` keeps them apart."""
        if all(one < other for one, other in pairwise(map(_person, self._records))):
            return len(self._records)
        return len(set(map(_person, self._records)))

    def texts(self) -> Iterator[Texts]:
        """What the outputs of the folders depend on, of many at once."""
        return map(_texts, self._batches())

    def _batches(self) -> Iterator[Sequence[bytes]]:
        for begun in range(0, len(self._records), AT_ONCE):
            yield self._records[begun : begun + AT_ONCE]


def _person(record: bytes) -> bytes:
    return record.split(END, 2)[1]


def texts_of(folders: Sequence[Folder]) -> Texts:
    """What the outputs of any folders depend on."""
    return Texts(
        [_encoded(f"{one.path}\0{one.person}\0{one.into}\0") for one in folders],
        [_encoded(one.packed) for one in folders],
        [_encoded(one.packed_stems()) for one in folders],
        [len(one) for one in folders],
    )


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _texts(records: Sequence[bytes]) -> Texts:
    import numpy as np

    text = END.join(records) + END
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == 0)
    begins = np.append(0, ends[:-1] + 1)
    stops = np.cumsum(np.fromiter(map(len, records), np.int64, len(records)) + 1) - 1  # the records' ends
    last = np.searchsorted(ends, stops)
    first = np.append(0, last[:-1] + 1)  # of a record's texts: its path
    is_name = np.ones(len(ends), np.bool_)
    is_name[first] = is_name[first + 1] = False
    counts = last - first - 1
    path, person, name = (begins[first + at].tolist() for at in range(3))
    titles = [text[a:b] + 2 * _plain(text[b:c]) for a, b, c in zip(path, person, name, strict=True)]
    names = [text[a:b] for a, b in zip(name, stops.tolist(), strict=True)]
    stems = _stems(text, begins[is_name], ends[is_name], counts)
    for at in (at for at, one in enumerate(stems) if not one):
        stems[at] = packed_stems(names[at].decode()).encode()
    return Texts(titles, names, stems, counts.tolist())


def _plain(person: bytes) -> bytes:
    """`folder_name` of a person, which most are already; both ended by NUL."""
    if person.translate(None, b"_\0").isalnum():
        return person
    return folder_name(person[:-1].decode()).encode() + END


def _stems(text: bytes, begins: NDArray[np.int64], ends: NDArray[np.int64], counts: NDArray[np.int64]) -> list[bytes]:
    """The output names of each folder, joined; none where they are more than names without one plain suffix, that of
    the first name.

    Args:
        text: texts, each ended by NUL.
        begins: of the names in it, (photographs,).
        ends: likewise.
        counts: photographs of each folder, (folders,).
    """
    import numpy as np

    _, dot, after = text[begins[0] : ends[0]].rpartition(b".")
    size = len(dot + after)
    if not dot or not after or size > _WORD:
        return [b""] * len(counts)
    data = np.frombuffer(text, np.uint8)
    plain = (data[begins] != ord(b".")) & _end_in(text, ends, dot + after)
    plain &= ~_end_in(text, ends - size, dot + after)  # or a stem may be the whole name of another
    cut = ends[plain]
    kept = np.ones(len(text), np.bool_)
    for place in range(1, size + 1):
        kept[cut - place] = False
    stems = data[kept].tobytes()
    missing = np.append(0, size * np.cumsum(plain))  # bytes, before each name
    first = np.cumsum(counts) - counts
    begin = begins[first] - missing[first]
    end = np.where(np.logical_and.reduceat(plain, first), ends[first + counts - 1] - missing[first + counts], begin)
    return [stems[a:b] for a, b in zip(begin.tolist(), end.tolist(), strict=True)]


def _end_in(text: bytes, ends: NDArray[np.int64], suffix: bytes) -> NDArray[np.bool_]:
    """Whether the texts with these ends have a suffix of at most eight bytes; (texts,)."""
    import numpy as np

    padded = bytes(2 * _WORD) + text
    words = np.ndarray(len(text) + _WORD + 1, "<u8", padded, strides=(1,))
    others = np.uint64(8 * (_WORD - len(suffix)))
    found: NDArray[np.bool_] = words[ends + _WORD] >> others == int.from_bytes(suffix, "little")
    return found
