"""Lists in other projects' formats, with the images where the format holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from ..reports.progress import WRITTEN, Notify, show_progress
from .settings import EXTRA_FILES
from .work import Work

if TYPE_CHECKING:
    from maskgen.manifests.formats.tar_set import Sample
    from maskgen.manifests.schema import Ints, Pairs
    from maskgen.manifests.write import PathWriter

_T = TypeVar("_T")


def write_exports(work: Work, paths: PathWriter, notify: Notify) -> dict[str, int]:
    """Write the formats of --also; returns rows by file name."""
    if not work.settings.also:
        return {}
    from maskgen.manifests.write import trial_pairs

    pairs = trial_pairs(work.manifests)
    rows: dict[str, int] = {}
    for name in dict.fromkeys(work.settings.also):
        if name == "rec":
            notify("writing train.rec")
            rows["train.rec"] = _write_records(work, paths)
        elif name == "tar":
            notify("writing tars")
            rows |= _write_tars(work, paths)
        else:
            _write_pairs(name, work.settings.out / EXTRA_FILES[name][0], work, pairs, paths)
            rows[EXTRA_FILES[name][0]] = len(pairs)
    return rows


def _write_pairs(name: str, path: Path, work: Work, pairs: Pairs, paths: PathWriter) -> None:
    """The test pairs in one of the formats for pairs."""
    import numpy as np

    from maskgen.manifests.formats import bin_pairs, label_pairs, lfw_pairs
    from maskgen.manifests.pictures import encoded_pictures

    images = work.manifests.images
    same = images.person[pairs.first] == images.person[pairs.second]
    if name == "lfw":
        lfw_pairs.save_lfw_pairs(path, lfw_pairs.listed_pairs(images, pairs))
    elif name == "label":
        label_pairs.save_label_pairs(path, paths(pairs.first), paths(pairs.second), same)
    else:
        both = np.stack([pairs.first, pairs.second], axis=1).ravel()
        bin_pairs.save_bin(
            path, encoded_pictures(images, both, work.folder_of, work.settings.picture_size), same.tolist()
        )


def _write_records(work: Work, paths: PathWriter) -> int:
    """The training list as a RecordIO set."""
    from maskgen.manifests.formats.record_set import save_record_set
    from maskgen.manifests.pictures import encoded_pictures
    from maskgen.manifests.write import trained_rows

    images, size = work.manifests.images, work.settings.picture_size
    rows = trained_rows(work.manifests)
    pictures = encoded_pictures(images, rows, work.folder_of, size)
    targets = work.manifests.target[images.person[rows]]
    save_record_set(work.settings.out, _shown(pictures, len(rows)), targets, _named(paths, rows), size)
    return len(rows)


def _write_tars(work: Work, paths: PathWriter) -> dict[str, int]:
    """The training list as a WebDataset."""
    from maskgen.manifests.formats.tar_set import EACH, save_tar_set
    from maskgen.manifests.write import trained_rows

    rows = trained_rows(work.manifests)
    left = len(rows)
    counts: dict[str, int] = {}
    for path in save_tar_set(
        work.settings.out, lambda part: _samples(work, paths, rows[part]), left, work.settings.seed
    ):
        counts[path.relative_to(work.settings.out).as_posix()] = min(left, EACH)
        left -= EACH
    return counts


def _samples(work: Work, paths: PathWriter, rows: Ints) -> Iterator[Sample]:
    """The pictures of these images as they are, with what is known of them."""
    from maskgen.manifests.pictures import raw_picture

    manifests = work.manifests
    images, folders = manifests.images, work.folder_of
    for row, path in zip(rows.tolist(), _named(paths, rows), strict=True):
        code = int(images.person[row])
        person, target = images.people[code], int(manifests.target[code])
        known: dict[str, Any] = {"path": path, "target": target, "person": person.name, "run": person.run}
        known["kind"] = images.kinds[int(images.kind[row])]
        yield raw_picture(folders[code], images.paths[row].as_py()), path.rpartition(".")[2], target, known


def _named(paths: PathWriter, rows: Ints) -> Iterator[str]:
    """The images' paths as train.csv gives them."""
    from maskgen.manifests.table import stretches

    for part in stretches(rows):
        yield from paths(part).to_pylist()


def _shown(items: Iterable[_T], total: int) -> Iterator[_T]:
    """The same items, with a bar that shows how far they are."""
    with show_progress(total, 0, 0, WRITTEN) as progress:
        for item in items:
            yield item
            progress.add(1, 0)
