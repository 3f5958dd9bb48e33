"""The listing of a source: photographs by folder, in the same order on every machine, compact in memory."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise, repeat
from typing import TYPE_CHECKING, NamedTuple

from maskgen.formats.any_path import AnyPath

from .folder import Folder
from .output_names import escape
from .packed_folders import PackedFolders

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_KIND_AND_SUFFIX = re.compile(r"__[a-z0-9_-]+(?:\.f[0-9]+)?\.(?:jpg|png)")


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


@dataclass(frozen=True, slots=True)
class Listing:
    """All photographs of a source, in folders sorted by path; `notes` are messages for the user."""

    root: AnyPath
    folders: Sequence[Folder]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return self.folders.photographs if isinstance(self.folders, PackedFolders) else sum(map(len, self.folders))

    @property
    def people(self) -> int:
        """The number of people."""
        if isinstance(self.folders, PackedFolders):
            return self.folders.people
        return len({folder.person for folder in self.folders})

    def items(self, folder: Folder) -> Iterator[Item]:
        """The photographs of a folder, in order."""
        within = folder.path + "/" if folder.path else ""
        into = folder.into + "/" if folder.into else ""
        names = folder.names
        spans = repeat(None, len(names)) if folder.spans is None else zip(*map(_numbers, folder.spans), strict=True)
        for name, stem, span in zip(names, folder.stems(names), spans, strict=True):
            yield Item(within + name, folder.person, into + escape(stem), span, folder.faults.get(name, ""))


def _numbers(column: NDArray[np.int64]) -> list[int]:
    return column.tolist()


def with_distinct_outputs(folders: Sequence[Folder]) -> Sequence[Folder]:
    """The folders, with tags where outputs of two would get one name; a tag depends only on the folder's path."""
    if isinstance(folders, PackedFolders):  # the folders of a table's outputs lie in no other's
        return folders if folders.people == len(folders) else _apart(tuple(folders))
    return _beside_pictures(_apart(folders))


def _apart(folders: Sequence[Folder]) -> tuple[Folder, ...]:
    """The folders, with tags on the names of their outputs where another one of the same person has the same."""
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


def _beside_pictures(folders: tuple[Folder, ...]) -> tuple[Folder, ...]:
    """The folders, with tags on folders of outputs that may have the name of a picture: `Ann/1__n95.jpg`, where Ann has
    a photograph `1`. Which kinds and suffixes a run has is not known here."""
    named = {one.into for one in folders if ".jpg" in one.into or ".png" in one.into}
    if not named:
        return folders
    places = {place for into in named for place in _places(into)}
    above = {place.rpartition("/")[0] for place in places}
    outs: dict[str, set[str]] = {}
    for one in folders:
        if one.into in above:
            outs.setdefault(one.into, set()).update(map(escape, one.stems(one.names)))
    taken = {place for place in places if _may_be_picture(place, outs)}
    return tuple(replace(one, into=_renamed(one.into, taken)) if one.into in named else one for one in folders)


def _places(folder: str) -> list[str]:
    """A folder and those it lies in, the outermost first."""
    return list(accumulate(folder.split("/"), "{}/{}".format))


def _may_be_picture(place: str, outs: Mapping[str, Container[str]]) -> bool:
    """Whether one of the photographs, given by folder, may get a picture with this path."""
    folder, _, name = place.rpartition("/")
    of_it = outs.get(folder, ())
    return any(
        name[: at.start()] in of_it and _KIND_AND_SUFFIX.fullmatch(name, at.start())
        for at in re.finditer("(?=__)", name)
    )


def _renamed(folder: str, taken: Container[str]) -> str:
    places = _places(folder)
    return "/".join(place.rpartition("/")[2] + (_tag(place) if place in taken else "") for place in places)


def _tag(path: str) -> str:
    return "~" + hashlib.blake2b(path.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()
