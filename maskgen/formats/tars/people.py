"""The photographs in a tar and their people: from the folder in the tar, or from the sample's metadata.

A WebDataset sample is the members with one name up to the first dot of the file name: `000017.jpg`, `000017.cls`,
`000017.json`. A member with a picture's suffix is a photograph. A member of a sample without one is tried as a
photograph; the others are metadata.

The person is the content of a .cls, else the `person` or label of a .json, else the folder, else a .txt of one short
line. A .txt beside a .json with a caption or an address is img2dataset's caption and not a person.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from ..faults import ContainerError
from ..range_reads import RangeReader
from ..recordio.stream import label_text
from .members import NUL, Member, members, read_whole

PICTURES = frozenset(("jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "tif", "tiff", "gif", "ppm", "pgm", "pnm"))
PICTURES |= {"avif", "heic", "jp2"}
_METADATA = ("cls", "json", "txt")
_PERSON_KEYS = ("person", "identity", "subject", "label", "target", "cls", "class", "person_id", "class_id")
_CAPTIONED = ("caption", "url", "captions", "text", "prompt")  # keys of a .json whose .txt is a caption
_MOST_METADATA = 1 << 20  # bytes of a .cls, .json or .txt
_LONGEST_LINE = 100
_LEADS_OUT = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)|^[/\\]|^[a-zA-Z]:")


@dataclass(frozen=True, slots=True)
class TarPhoto:
    """A photograph in a tar: its member's name, byte range, and person.

    `person` is "" if only the folder, `folder_of(name)`, names it; `fault` says why it cannot be read, "" if it can.
    """

    name: str
    offset: int
    size: int
    person: str = ""
    fault: str = ""


@dataclass(slots=True)
class _Samples:
    """Members by sample: possible photographs, and metadata."""

    photographs: dict[str, Member] = field(default_factory=dict)
    others: dict[str, Member] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    pictured: set[str] = field(default_factory=set)
    fault: str = ""
    last: str = ""  # the last one before the fault

    def unnamed(self) -> str:
        """The sample at the fault if its metadata may be behind it, because the other samples have some; else ""."""
        if not self.fault or self.last in self.metadata:
            return ""
        return self.last if self.metadata.keys() & self.pictured else ""


def photographs(pieces: RangeReader) -> tuple[list[TarPhoto], str]:
    """The photographs of a tar by name, and why the rest of it cannot be read ("" if it can).

    Of two members of one name the last counts, as in tar.

    Raises:
        ContainerError: nothing of it can be read.
    """
    samples = _gather(pieces)
    if samples.fault and not samples.photographs and not samples.others:
        raise ContainerError(samples.fault)
    alone = (one for name, one in samples.others.items() if sample_of(name) not in samples.pictured)
    unnamed = samples.unnamed()
    found = [
        _unnamed(one)
        if unnamed and sample_of(one.name) == unnamed
        else _photo(one, samples.metadata.get(sample_of(one.name), {}))
        for one in (*samples.photographs.values(), *alone)
    ]
    return sorted(found, key=lambda one: one.name), samples.fault


def _gather(pieces: RangeReader) -> _Samples:
    samples, name = _Samples(), ""
    try:
        for one in members(pieces):
            name = one.name
            suffix = one.name.rpartition(".")[2].lower()
            if suffix in PICTURES:
                samples.photographs[one.name] = one
                samples.pictured.add(sample_of(one.name))
                continue
            samples.others[one.name] = one
            if suffix in _METADATA and one.plain and one.size <= _MOST_METADATA:
                text = read_whole(pieces, one.offset, one.size).decode("utf-8", "replace").strip()
                samples.metadata.setdefault(sample_of(one.name), {})[suffix] = text
    except ContainerError as fault:
        samples.fault, samples.last = str(fault), sample_of(name)
    return samples


def sample_of(name: str) -> str:
    """The name of the sample that a member belongs to.

    Example:
        >>> sample_of("shard/000017.left.jpg")
        'shard/000017'
    """
    folder, slash, file = name.rpartition("/")
    return f"{folder}{slash}{file.partition('.')[0] or file}"


def folder_of(name: str) -> str:
    """The folder of a member, "" for none; `./` and doubled slashes are dropped.

    Example:
        >>> folder_of("./lfw//ANNA/1.jpg")
        'lfw/ANNA'
    """
    return "/".join(part for part in name.split("/")[:-1] if part not in ("", "."))


def _photo(one: Member, parts: dict[str, str]) -> TarPhoto:
    try:
        person = _person(one.name, parts)
        fault = _fault(one)
    except ContainerError as error:
        person, fault = "", str(error)
    return TarPhoto(one.name, one.offset, one.size, person, fault)


def _unnamed(one: Member) -> TarPhoto:
    return TarPhoto(one.name, one.offset, one.size, fault="the damage may have taken the name of its person")


def _fault(one: Member) -> str:
    if _LEADS_OUT.search(one.name):
        return "its name leads out of the archive"
    if not one.plain:
        return "a link or a device, which are not followed"
    if NUL in one.name:
        return "its name holds a NUL, which no file's can"
    return ""


def _person(name: str, parts: dict[str, str]) -> str:
    if parts.get("cls"):
        return parts["cls"]
    metadata = _metadata(parts["json"], named=bool(folder_of(name))) if parts.get("json") else {}
    if person := _of_json(metadata):
        return person
    text = parts.get("txt", "")
    short = len(text) <= _LONGEST_LINE and len(text.splitlines()) == 1
    return text if short and not folder_of(name) and not any(key in metadata for key in _CAPTIONED) else ""


def _metadata(text: str, named: bool) -> Mapping[str, Any]:
    """The object in a .json, or in a list of one; other content is annotations, if a folder has named the person."""
    try:
        metadata = _single(json.loads(text))
    except (ValueError, RecursionError):
        raise ContainerError("the .json beside it cannot be read") from None
    if isinstance(metadata, dict):
        return metadata
    if named:
        return {}
    raise ContainerError(f"the .json beside it is {_described(metadata)}, not an object that names the person")


def _of_json(metadata: Mapping[str, Any]) -> str:
    """The first key that names the person; a list of one counts as its element."""
    values = {key: metadata[key] for key in _PERSON_KEYS if key in metadata}
    if person := next(_texts(map(_single, values.values())), ""):
        return person
    for key, value in values.items():
        if value not in (None, "") and value != []:
            raise ContainerError(f"the .json beside it says {key} as {_described(value)}, not as one name or number")
    return ""


def _single(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _described(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return json.dumps(value)[:40]


def _texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str) and value.strip():
            yield value.strip()
        elif isinstance(value, int) and not isinstance(value, bool):
            yield str(value)
        elif isinstance(value, float) and isfinite(value):
            yield label_text(value)
