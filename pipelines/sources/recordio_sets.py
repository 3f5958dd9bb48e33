"""The pictures of a RecordIO set, and of a verification set, as folders of a source."""

from __future__ import annotations

from maskgen.formats.any_path import AnyPath

from .folder import Folder, Spans
from .output_names import escape


def record_folders(rec: AnyPath, path: str, several: bool) -> list[Folder]:
    """A RecordIO set's pictures by person; the label is the person.

    Args:
        path: the file, below the source.
        several: the source holds several sets, whose labels are different people: prefix the label with the file's
            name.

    Raises:
        ContainerError: it cannot be read.
    """
    import numpy as np

    from maskgen.formats.range_reads import open_sequential
    from maskgen.formats.recordio.index import load_index
    from maskgen.formats.recordio.people import record_people
    from maskgen.formats.recordio.stream import label_text

    pieces = open_sequential(rec)
    found = record_people(rec, pieces, load_index(rec, pieces))
    before = escape(path[:-4]) + "/" if several else ""
    cuts = np.flatnonzero(np.diff(found.labels)) + 1
    starts, ends = [0, *cuts.tolist()], [*cuts.tolist(), len(found.ids)]
    return [
        Folder.contained(
            path,
            [*map(str, found.ids[start:end].tolist())],
            before + label_text(float(found.labels[start])),
            Spans(found.offsets[start:end], found.sizes[start:end]),
        )
        for start, end in zip(starts, ends, strict=True)
        if start < end
    ]


def bin_folders(path_of: AnyPath, path: str) -> list[Folder]:
    """A verification set's pictures. It names nobody, so each genuine pair is a person and each impostor pair two.

    Raises:
        ContainerError: it cannot be read.
    """
    from maskgen.formats.bin_sets import load_bin

    _, same = load_bin(path_of)
    folders: list[Folder] = []
    for pair, alike in enumerate(same):
        names, person = [str(2 * pair), str(2 * pair + 1)], f"pair-{pair:05}"
        if alike:
            folders.append(Folder.contained(path, names, person, None))
        else:
            folders += [Folder.contained(path, [name], f"{person}-{side}", None) for side, name in enumerate(names, 1)]
    return folders
