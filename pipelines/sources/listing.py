"""The listing of a source: photographs by folder, in the same order on every machine, compact in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise, repeat
from typing import TYPE_CHECKING, NamedTuple

from maskgen.formats.any_path import AnyPath

from .output_names import NUL, escape, output_stems, packed_stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NO_FAULTS: Mapping[str, str] = {}


class Item(NamedTuple):
    """One photograph to process.

    `key` is its address below the source, `/` between folders, as the file system names it; `person` and `out` (the
    path of its outputs, without kind and suffix) are valid text. `span` is the byte range (offset, size) in a container
    if known, `fault` the reason why it cannot be read, if any.
    """

    key: str
    person: str
    out: str
    span: tuple[int, int] | None = None
    fault: str = ""


class Spans(NamedTuple):
    """Byte ranges of a folder's photographs in its container: int64 (n,) each, in the order of its names."""

    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Folder:
    """Photographs of one person in one folder.

    The names are kept in one string, because 2.5 million separate strings take 180 MB more.

    Attributes:
        path: the folder, below the source ("" for itself); a container counts as a folder.
        packed: the photographs' names, in order.
        person: the person of all of them.
        into: the folder of their outputs ("" for none): the person's, except for photographs directly in the source.
        tag: a suffix of their output names, where another folder of the person has the same names.
        spans: byte ranges in a container.
        faults: reasons why photographs cannot be read, by name.
    """

    path: str
    packed: str
    person: str
    into: str
    tag: str = ""
    spans: Spans | None = None
    faults: Mapping[str, str] = field(default_factory=lambda: _NO_FAULTS)

    @classmethod
    def of(cls, path: str, names: Sequence[str], person: str | None = None, into: str | None = None) -> Folder:
        """The folder with these names, sorted by code point, independent of the locale; its person is its path."""
        return cls.of_packed(path, NUL.join(sorted(names)), person, into)

    @classmethod
    def of_packed(cls, path: str, packed: str, person: str | None = None, into: str | None = None) -> Folder:
        """`of` with names that are sorted and joined already."""
        person = escape(path) if person is None else person
        return cls(path, packed, person, person if into is None else into)

    @classmethod
    def contained(
        cls, path: str, names: Sequence[str], person: str, spans: Spans | None, faults: Mapping[str, str] | None = None
    ) -> Folder:
        """Photographs in a container, in the order given."""
        return cls(path, NUL.join(names), person, person, "", spans, faults or _NO_FAULTS)

    @property
    def names(self) -> list[str]:
        """The photographs' names, in order."""
        return self.packed.split(NUL)

    def stems(self, names: Sequence[str]) -> list[str]:
        """The output names of its photographs, whose names are given."""
        stems = output_stems(names)
        return [stem + self.tag for stem in stems] if self.tag else stems

    def packed_stems(self) -> str:
        """The output names of all its photographs, joined."""
        if self.tag or self.spans is not None:  # in a container one name may be there twice
            return NUL.join(self.stems(self.names))
        return packed_stems(self.packed)

    def __len__(self) -> int:
        return self.packed.count(NUL) + 1


@dataclass(frozen=True, slots=True)
class Listing:
    """All photographs of a source, in folders sorted by path; `notes` are messages for the user."""

    root: AnyPath
    folders: tuple[Folder, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.folders))

    @property
    def people(self) -> int:
        """The number of people."""
        return len({folder.person for folder in self.folders})

    def items(self, folder: Folder) -> Iterator[Item]:
        """The photographs of a folder, in order."""
        within = folder.path + "/" if folder.path else ""
        into = folder.into + "/" if folder.into else ""
        spans = repeat(None) if folder.spans is None else zip(*(part.tolist() for part in folder.spans), strict=True)
        names = folder.names
        for name, stem, span in zip(names, folder.stems(names), spans, strict=False):
            yield Item(within + name, folder.person, into + escape(stem), span, folder.faults.get(name, ""))


def with_distinct_outputs(folders: Sequence[Folder]) -> tuple[Folder, ...]:
    """The folders, with tags where outputs of two would get one name; a tag depends only on the folder's path."""
    # By their order: a dictionary of millions of folders takes more memory than their names.
    several = {one for one, other in pairwise(sorted(folder.into for folder in folders)) if one == other}
    if not several:
        return tuple(folders)
    groups: dict[str, list[Folder]] = {}
    for one in folders:
        if one.into in several:
            groups.setdefault(one.into, []).append(one)
    alike = {into for into, group in groups.items() if _alike(group)}
    return tuple(replace(one, tag=_tag(one.path)) if one.into in alike else one for one in folders)


def _alike(folders: Sequence[Folder]) -> bool:
    stems = [stem for folder in folders for stem in folder.stems(folder.names)]
    return len(set(stems)) < len(stems)


def _tag(path: str) -> str:
    return "~" + hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
