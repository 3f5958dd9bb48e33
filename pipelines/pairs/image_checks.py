"""Images that no list may hold: crops of further faces, and files that are missing or broken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import UserError, are, counted
from maskgen.formats.any_path import AnyPath

from ..reports.progress import CHECKED, Notify, show_progress
from .records import LeftOut
from .settings import PairsSettings

if TYPE_CHECKING:
    from maskgen.manifests.catalogue import Images
    from maskgen.manifests.write import PathWriter


FURTHER = "a further face of its photograph"  # the reason in left_out.csv


def of_first_faces(settings: PairsSettings, folders: dict[str, AnyPath], images: Images) -> tuple[Images, LeftOut]:
    """The images without crops of further faces, of whom nothing says whom they show, and these."""
    import numpy as np

    from maskgen.manifests.columns.further_faces import further_faces

    rows = np.flatnonzero(further_faces(list(folders.items()), images)).tolist()
    if not rows:
        return images, LeftOut()
    return _without(settings, folders, images, dict.fromkeys(rows, FURTHER))


def verified(
    settings: PairsSettings, folders: dict[str, AnyPath], images: Images, notify: Notify
) -> tuple[Images, LeftOut]:
    """The images whose files exist (with --verify decode: and decode), and the others."""
    import numpy as np

    notify("checking that every file exists" if settings.verify == "exist" else "decoding every file")
    reasons = dict(_faults(settings, folders, images))
    if not reasons:
        return images, LeftOut()
    rows = np.array(sorted(reasons))
    paths = path_writer(settings, folders, images)(rows).to_pylist()
    if not settings.leave_out_missing:
        raise UserError(
            f"{len(rows):,} of {counted(len(images), 'image')} {are(len(rows))} missing or broken, the first is "
            f"{paths[0]} ({reasons[int(rows[0])]}): mask again, or give --leave-out-missing."
        )
    return _without(settings, folders, images, reasons)


def _without(
    settings: PairsSettings, folders: dict[str, AnyPath], images: Images, reasons: Mapping[int, str]
) -> tuple[Images, LeftOut]:
    """The images without these rows, and the rows with their reasons."""
    import numpy as np

    rows = np.array(sorted(reasons))
    paths = path_writer(settings, folders, images)(rows).to_pylist()
    people = [images.people[int(code)] for code in images.person[rows]]
    listed = [(path, who.name, who.run, reasons[int(row)]) for path, who, row in zip(paths, people, rows, strict=True)]
    good = np.ones(len(images), np.bool_)
    good[rows] = False
    return images.take(good), LeftOut(tuple(listed))


def _faults(settings: PairsSettings, folders: dict[str, AnyPath], images: Images) -> Iterator[tuple[int, str]]:
    """(row, reason) of every image whose file cannot be used."""
    import numpy as np

    from maskgen.manifests.csv_table import stretches

    check = _broken if settings.verify == "decode" else _missing
    for name, folder in folders.items():
        own = np.array([person.run == name for person in images.people], np.bool_)
        for rows in stretches(np.flatnonzero(own[images.person])):
            yield from check(folder, rows.tolist(), images.paths.take(rows), settings.workers)


def _missing(folder: AnyPath, rows: list[int], paths: Any, _: int) -> Iterator[tuple[int, str]]:
    from maskgen.manifests.checks.picture_files import MISSING, absent

    gone = absent(folder, paths).tolist()
    yield from ((row, MISSING) for row, is_gone in zip(rows, gone, strict=True) if is_gone)


def _broken(folder: AnyPath, rows: list[int], paths: Any, workers: int) -> Iterator[tuple[int, str]]:
    """As `_missing`; existing files are decoded too, with a progress bar."""
    from maskgen.manifests.checks.picture_files import fault

    missing = dict(_missing(folder, rows, paths, workers))
    yield from missing.items()
    files = {row: path for row, path in zip(rows, paths.to_pylist(), strict=True) if row not in missing}
    with ThreadPoolExecutor(workers) as pool, show_progress(len(files), 0, 0, CHECKED) as progress:
        for row, reason in zip(files, pool.map(partial(fault, folder), files.values()), strict=True):
            progress.add(1, bool(reason))
            if reason:
                yield row, reason


def path_writer(settings: PairsSettings, folders: dict[str, AnyPath], images: Images) -> PathWriter:
    """Formats image paths for the lists."""
    from maskgen.manifests.write import PathWriter

    absolute = settings.paths == "absolute"
    starts = {name: PathWriter.prefix(run, settings.out, absolute) for name, run in folders.items()}
    return PathWriter(images, starts)
