"""Lists in other projects' formats, with the images where the format holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from maskgen.core.extras import need

from ..reports.progress import WRITTEN, Notify, show_progress
from .records import PlannedLists
from .settings import EXTRA_FILES, OF_ARCFACE, OF_PAIRS, OF_TRAINING, refuse_nothing

if TYPE_CHECKING:
    from maskgen.manifests.formats.tar_set import Sample
    from maskgen.manifests.schema import Ints, Pairs
    from maskgen.manifests.write import PathWriter

_T = TypeVar("_T")
Writer = Callable[[PlannedLists, "PathWriter"], Mapping[str, int]]


def write_exports(work: PlannedLists, paths: PathWriter, notify: Notify) -> dict[str, int]:
    """Write the formats of --also; returns rows by file name."""
    _warn(work, notify)
    rows: dict[str, int] = {}
    for name in dict.fromkeys(work.settings.also):
        if name == "rec" and "cvlface" in work.settings.also:
            continue  # which writes it
        notify(f"writing {_WHAT[name]}")
        rows |= WRITERS[name](work, paths)
    return rows


def check_packages(formats: Iterable[str]) -> None:
    """Raise UserError for a format of --also whose package is not installed."""
    for name in formats:
        if name in _PACKAGES:
            need(_PACKAGES[name], name)


def refuse_empty(work: PlannedLists) -> None:
    """Raise UserError where a format of --also would hold nothing."""
    rows = (
        ("training images", OF_TRAINING, len(work.manifests.train)),
        ("test pairs", OF_PAIRS, len(work.manifests.test.same) + len(work.manifests.test.diff)),
    )
    for what, formats, count in rows:
        if not count:
            refuse_nothing(what, work.settings.also, formats)


def _warn(work: PlannedLists, notify: Notify) -> None:
    """Warn where the crops are not aligned as the readers of the formats expect."""
    from maskgen.core.alignment_names import ARCFACE

    asked = [name for name in dict.fromkeys(work.settings.also) if name in OF_ARCFACE]
    other = {name: alignment for name, alignment in work.alignments.items() if alignment not in ("", ARCFACE)}
    if asked and other:
        run, alignment = next(iter(other.items()))
        notify(
            f"Warning: --also {', '.join(asked)} is for recognisers that need crops of --align arcface, and those of "
            f"{run} are aligned as {alignment}: a pretrained model fails on them, and they do not match lfw.bin."
        )

    if "hub" in work.settings.also and None in (work.settings.license, work.settings.consent):
        notify(
            "Warning: hub/README.md lacks the licence of the pictures or the consent of the people shown: give "
            "--license and --consent before you publish it."
        )


def _test_pairs(work: PlannedLists) -> tuple[Pairs, list[bool]]:
    """The test pairs in their order, and whether each is one person."""
    from maskgen.manifests.write import trial_pairs

    images, pairs = work.manifests.images, trial_pairs(work.manifests)
    return pairs, (images.person[pairs.first] == images.person[pairs.second]).tolist()


def _write_lfw(work: PlannedLists, _: PathWriter) -> Mapping[str, int]:
    from maskgen.manifests.formats.lfw_pairs import listed_pairs, save_lfw_pairs

    pairs, _same = _test_pairs(work)
    save_lfw_pairs(work.settings.out / EXTRA_FILES["lfw"][0], listed_pairs(work.manifests.images, pairs))
    return {EXTRA_FILES["lfw"][0]: len(pairs)}


def _write_labels(work: PlannedLists, paths: PathWriter) -> Mapping[str, int]:
    import numpy as np

    from maskgen.manifests.formats.label_pairs import save_label_pairs

    pairs, same = _test_pairs(work)
    name = EXTRA_FILES["label"][0]
    save_label_pairs(work.settings.out / name, paths(pairs.first), paths(pairs.second), np.array(same, np.bool_))
    return {name: len(pairs)}


def _write_bin(work: PlannedLists, _: PathWriter) -> Mapping[str, int]:
    from maskgen.manifests.formats.bin_pairs import save_bin

    pairs, same = _test_pairs(work)
    save_bin(work.settings.out / EXTRA_FILES["bin"][0], both_pictures(work, pairs), same)
    return {EXTRA_FILES["bin"][0]: len(pairs)}


def both_pictures(work: PlannedLists, pairs: Pairs) -> Iterator[bytes]:
    """First and second picture of each pair in turn, resized to --picture-size."""
    import numpy as np

    return _pictures(work, np.stack([pairs.first, pairs.second], axis=1).ravel())


def _pictures(work: PlannedLists, rows: Ints) -> Iterator[bytes]:
    from maskgen.manifests.square_faces import encoded_pictures

    return encoded_pictures(work.manifests.images, rows, work.folder_of, work.settings.picture_size)


def _trained(work: PlannedLists) -> tuple[Ints, Ints]:
    """The rows of train.csv, and the target of each."""
    from maskgen.manifests.write import targets_of

    rows = work.manifests.train
    return rows, targets_of(work.manifests, rows)


def _write_records(work: PlannedLists, paths: PathWriter) -> Mapping[str, int]:
    from maskgen.manifests.formats.recordio_set import save_recordio_set

    rows, targets = _trained(work)
    pictures = _shown(_pictures(work, rows), len(rows))
    save_recordio_set(work.settings.out, pictures, targets, _named(paths, rows), work.settings.picture_size)
    return {"train.rec": len(rows)}


def _write_cvlface(work: PlannedLists, paths: PathWriter) -> Mapping[str, int]:
    from maskgen.manifests.formats.cvlface import LANDMARKS, TSV, save_landmarks, save_tsv
    from maskgen.manifests.formats.five_landmarks import five_landmarks

    rows, targets = _trained(work)
    points = five_landmarks(work.manifests.images, rows, work.folders, work.settings.picture_size)
    save_tsv(work.settings.out, targets, _named(paths, rows))
    save_landmarks(work.settings.out, points)
    return {**_write_records(work, paths), TSV: len(rows), LANDMARKS: len(rows)}


def _write_folder(work: PlannedLists, name: str) -> int:
    """Write imgs/, once for all formats that use it."""
    from maskgen.manifests.formats.image_folder import save_image_folder

    rows, targets = _trained(work)
    if name == next(one for one in work.settings.also if one in ("adaface", "facexzoo")):
        save_image_folder(work.settings.out, _shown(_pictures(work, rows), len(rows)), targets)
    return len(rows)


def _write_adaface(work: PlannedLists, _: PathWriter) -> Mapping[str, int]:
    from maskgen.core.images import decode
    from maskgen.manifests.formats.adaface_memfile import DATA, save_memfile

    trained = _write_folder(work, "adaface")
    pairs, same = _test_pairs(work)
    if not same:  # NumPy cannot map an empty file
        return {"imgs": trained}
    size = work.settings.picture_size
    save_memfile(work.settings.out, map(decode, both_pictures(work, pairs)), same, size)
    return {"imgs": trained, DATA: len(pairs)}


def _write_facexzoo(work: PlannedLists, _: PathWriter) -> Mapping[str, int]:
    from maskgen.manifests.formats.image_folder import FACEX_LIST, save_facex_list

    trained = _write_folder(work, "facexzoo")
    save_facex_list(work.settings.out, _trained(work)[1])
    return {"imgs": trained, FACEX_LIST: trained}


def _write_lmdb(work: PlannedLists, _: PathWriter) -> Mapping[str, int]:
    from maskgen.manifests.formats.lmdb_set import FILE, save_lmdb

    rows, targets = _trained(work)
    save_lmdb(work.settings.out, _shown(_pictures(work, rows), len(rows)), targets)
    return {FILE: len(rows)}


def _write_hub(work: PlannedLists, paths: PathWriter) -> Mapping[str, int]:
    from .hub import write_hub

    return write_hub(work, *_trained(work), *_test_pairs(work))


def _write_tars(work: PlannedLists, paths: PathWriter) -> Mapping[str, int]:
    """The training list as a WebDataset."""
    from maskgen.manifests.formats.tar_set import EACH, save_tar_set

    rows, _ = _trained(work)
    left = len(rows)
    counts: dict[str, int] = {}
    for path in save_tar_set(
        work.settings.out, lambda part: _samples(work, paths, rows[part]), left, work.settings.seed
    ):
        counts[path.relative_to(work.settings.out).as_posix()] = min(left, EACH)
        left -= EACH
    return counts


def _samples(work: PlannedLists, paths: PathWriter, rows: Ints) -> Iterator[Sample]:
    """The pictures of these images unchanged, with their metadata."""
    from maskgen.manifests.square_faces import raw_picture

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
    from maskgen.manifests.csv_table import stretches

    for part in stretches(rows):
        yield from paths(part).to_pylist()


def _shown(items: Iterable[_T], total: int) -> Iterator[_T]:
    """The same items, with a progress bar."""
    with show_progress(total, 0, 0, WRITTEN) as progress:
        for item in items:
            yield item
            progress.add(1, 0)


WRITERS: dict[str, Writer] = {
    "lfw": _write_lfw,
    "label": _write_labels,
    "bin": _write_bin,
    "rec": _write_records,
    "tar": _write_tars,
    "cvlface": _write_cvlface,
    "adaface": _write_adaface,
    "facexzoo": _write_facexzoo,
    "lmdb": _write_lmdb,
    "hub": _write_hub,
}
_PACKAGES = {"lmdb": "lmdb"}  # that a format needs; the extra has the format's name
_WHAT = {name: files[0] if files else "tars" for name, files in EXTRA_FILES.items()}
