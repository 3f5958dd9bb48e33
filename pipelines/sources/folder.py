"""Photographs of one person in one folder of a source, compact in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .output_names import NUL, escape, output_stems, packed_stems

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NO_FAULTS: Mapping[str, str] = {}


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
