"""The photographs of a tar as folders of a source."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from maskgen.formats.any_path import AnyPath

from .file_managers import is_of_file_manager
from .folder import Folder, Spans
from .output_names import escape, folder_name

if TYPE_CHECKING:
    from maskgen.formats.tars.people import TarPhoto


def tar_folders(tar: AnyPath, path: str) -> tuple[list[Folder], int, str]:
    """A tar's photographs by folder and person, how many files of a file manager it holds beside them, and why the rest
    of it cannot be read ("" if it can).

    Args:
        path: the tar, below the source.

    Raises:
        ContainerError: nothing of it can be read.
    """
    from maskgen.formats.containers import open_tar
    from maskgen.formats.gzip_ranges import GzipRanges
    from maskgen.formats.range_reads import ReadAhead, RemoteRanges
    from maskgen.formats.tars.people import photographs

    pieces = open_tar(tar)
    whole, fault = photographs(ReadAhead(pieces) if isinstance(pieces, RemoteRanges) else pieces)
    found = [one for one in whole if not is_of_file_manager(one.name.rpartition("/")[2])]
    sorts = sorted(found, key=lambda one: (one.name.rpartition("/")[0], _person(one, path), one.name))
    groups = groupby(sorts, key=lambda one: (one.name.rpartition("/")[0], _person(one, path)))
    with_spans = not isinstance(pieces, GzipRanges)
    folders = [_folder(path, within, person, list(group), with_spans) for (within, person), group in groups]
    return folders, len(whole) - len(found), fault


def _person(one: TarPhoto, path: str) -> str:
    """The person: from the sample's metadata, else the folder in the tar, else the tar's name."""
    from maskgen.formats.tars.people import folder_of

    if one.person:
        return folder_name(one.person)
    return escape(folder_of(one.name)) or escape(_stem(path))


def _stem(path: str) -> str:
    for ending in (".tar.gz", ".tgz", ".tar"):
        if path.lower().endswith(ending):
            return path[: -len(ending)] or path
    return path


def _folder(path: str, within: str, person: str, group: list[TarPhoto], with_spans: bool) -> Folder:
    import numpy as np

    names = [one.name.rpartition("/")[2] for one in group]
    spans = None
    if with_spans:
        columns = np.array([(one.offset, one.size) for one in group], np.int64)
        spans = Spans(columns[:, 0], columns[:, 1])
    place = f"{path}/{within}" if "/" in group[0].name else path
    faults = {name: one.fault for name, one in zip(names, group, strict=True) if one.fault}
    return Folder.contained(place, names, person, spans, faults)
