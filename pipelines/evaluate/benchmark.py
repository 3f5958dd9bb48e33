"""`maskgen evaluate --benchmark`: cut a public benchmark's faces once, then evaluate it like any list of pairs."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.alignment_names import ARCFACE, DEFAULT_ALIGNMENT, StoredCut, stored_cut
from maskgen.core.reasons import SetAsideError, UserError, counted

from ..checks import show_path
from ..embedding import open_model
from ..reports.progress import Notify, show_progress
from ..runs.json_files import checksummed_bytes, read_json
from ..runs.lock import LOCK, hold
from ..trained_people import trained_people
from .run import evaluate_lists
from .settings import JUDGED, EvaluateSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from maskgen.benchmarks.base import Benchmark, BenchmarkPicture, BenchmarkSet
    from maskgen.embedders.base import FaceEmbedder

STATE, SET_ASIDE, PICTURES = "prepared.json", "set_aside.csv", "pictures.csv"
FACES = "faces"
_NO_NAMES = "the benchmark does not name its people."
SIZE = 160  # of the crops, in pixels, where the alignment leaves it open


@dataclass(frozen=True, slots=True)
class Prepared:
    """A prepared benchmark: `folder` holds test.csv; counts of pictures and pairs, used and left out."""

    folder: Path
    counts: dict[str, int]


def run_benchmark(settings: EvaluateSettings, notify: Notify) -> dict[str, Any]:
    """Evaluate a model on a benchmark and write the report; returns the content of results.json.

    Raises:
        UserError: the benchmark or the model cannot be used.
        OSError: the faces or the report cannot be written.
    """
    from maskgen.benchmarks.by_name import benchmark

    if settings.benchmark is None:
        raise ValueError("the settings name no benchmark")
    name, place = settings.benchmark
    asked = benchmark(name)
    found = asked.read(place)
    trained = trained_people(settings.model)
    embedder = open_model(settings.model, settings.device, settings.trust_pickle, settings.input_file)
    alignment = ARCFACE if found.aligned else _alignment_for(embedder)
    which = f"{name}-{place.name}" if place.is_file() else name  # two files in one folder may be evaluated at once
    faces = f"faces-{which}" if found.aligned or alignment == DEFAULT_ALIGNMENT else f"faces-{which}-{alignment}"
    prepared = prepare(asked, found, settings.folder.parent / faces, notify, alignment)
    about = {
        "name": name,
        "title": asked.title,
        "folder": str(place),
        "protocol": asked.protocol,
        "licence": asked.licence,
        **prepared.counts,
        "trained_on": trained.overlap(one.person for one in found.pictures)
        if found.named
        else trained.unknown(_NO_NAMES),
    }
    listed = replace(settings, benchmark=None, data=prepared.folder / "test.csv", report=settings.folder)
    return evaluate_lists(listed, notify, about, found.named, (embedder, alignment))


def _alignment_for(embedder: FaceEmbedder) -> str:
    """The alignment of the crops: that of the model's training, if the model states it."""
    wanted = embedder.alignment if embedder.needs_alignment else ""
    return wanted if stored_cut(wanted, SIZE) else DEFAULT_ALIGNMENT


def _cut_as(alignment: str) -> StoredCut:
    """How faces of a stored alignment are cut.

    Raises:
        ValueError: the name is not one.
    """
    cut = stored_cut(alignment, SIZE)
    if cut is None:
        raise ValueError(f"unknown alignment {alignment!r}")
    return cut


def prepare(
    asked: Benchmark, found: BenchmarkSet, folder: Path, notify: Notify, alignment: str = DEFAULT_ALIGNMENT
) -> Prepared:
    """Cut the faces into `folder`, unless it already holds them for the same pictures and alignment.

    Args:
        alignment: a name of `core.alignment_names.stored_alignment`; for pictures that are already crops, theirs.

    Raises:
        UserError: the folder holds files of another origin, or no pair has two faces.
    """
    from maskgen.core.atomic_writes import remove_parts

    _refuse_others(asked, folder)
    folder.mkdir(parents=True, exist_ok=True)
    with hold(folder / LOCK):
        size = _cut_as(alignment).size
        deciding = {"benchmark": asked.name, "size": size, "alignment": alignment, "pictures": _digest(found)}
        state = read_json(folder / STATE)
        if state is not None and state.get("deciding") == deciding:
            notify(f"{folder} holds the faces of this benchmark already.")
            return Prepared(folder, {str(key): int(value) for key, value in state["counts"].items()})
        (folder / STATE).unlink(missing_ok=True)
        remove_parts(folder)
        if (folder / FACES).is_dir():
            shutil.rmtree(folder / FACES)  # of other pictures or labels
        counts = _cut(found, folder, notify, alignment)
        _place(folder / STATE, checksummed_bytes({"deciding": deciding, "counts": counts}))
        return Prepared(folder, counts)


def _refuse_others(asked: Benchmark, folder: Path) -> None:
    """Raise UserError where the folder for the faces holds what no preparation wrote."""
    from maskgen.core.atomic_writes import finished_name
    from maskgen.manifests.schema import TEST

    if not folder.is_dir() or (folder / STATE).is_file():
        return
    own = {FACES, SET_ASIDE, PICTURES, TEST, LOCK, JUDGED}
    if strangers := {finished_name(path.name) for path in folder.iterdir()} - own:
        raise UserError(
            f"{show_path(folder)} is for the faces of {asked.name}, and holds files of another origin (such as "
            f"{min(strangers)}): give --report another place."
        )


def _digest(found: BenchmarkSet) -> str:
    """A digest that changes with a picture, its size or time, or a pair."""
    digest = hashlib.blake2b(digest_size=16)
    for one in found.pictures:
        path = found.root if found.root.is_file() else found.root / one.path
        state = path.stat()
        worn = f"{one.masked} {one.kind}".rstrip()
        digest.update(f"{one.path}\0{one.person}\0{worn}\0{state.st_size} {state.st_mtime_ns}\n".encode())
    digest.update(found.pairs.tobytes() + found.same.tobytes())
    return digest.hexdigest()


def _cut(found: BenchmarkSet, folder: Path, notify: Notify, alignment: str) -> dict[str, int]:
    """Write every face and the tables; returns the counts."""
    notify(f"cutting the faces of {counted(len(found.pictures), 'picture')} into {folder}")
    cutter = _as_they_are(found) if found.aligned else _searched(found, alignment)
    paths: list[str | None] = []
    faults: list[tuple[str, str, str]] = [(name, "missing", "") for name in found.missing]
    with show_progress(len(found.pictures), 0, 0) as progress:
        for number, one in enumerate(found.pictures):
            name = _name(number, one)
            try:
                _place(folder / name, cutter(one))
                paths.append(name)
            except SetAsideError as error:
                paths.append(None)
                faults.append((one.path, str(error.reason), error.detail))
            progress.add(1, int(paths[-1] is None))
    left_out = _tables(found, folder, paths, faults)
    return {
        "pictures": len(found.pictures),
        "pictures_missing": len(found.missing),
        "pictures_set_aside": paths.count(None),
        "pairs": len(found.pairs),
        "pairs_left_out": left_out,
    }


def _name(number: int, one: BenchmarkPicture) -> str:
    """The path of a crop; `maskgen evaluate` reads the mask kind from the end of the name."""
    from maskgen.core.kindspec import file_name

    kind = "" if one.masked is None else f"__{file_name(one.kind) or 'masked'}" if one.masked else "__bare"
    return f"{FACES}/{number // 1000:03}/{number:06}{kind}.png"


def _searched(found: BenchmarkSet, alignment: str) -> Callable[[BenchmarkPicture], bytes]:
    from maskgen.core.images import encode_image, read_photo
    from maskgen.faces.crop_by_alignment import CropSettings
    from maskgen.gallery.multi_view import MultiViewDetector
    from maskgen.gallery.portrait_finder import PortraitFinder

    finder = PortraitFinder(MultiViewDetector())
    asked = _cut_as(alignment)
    how = CropSettings(asked.align, asked.size, asked.margin)

    def cut(one: BenchmarkPicture) -> bytes:
        image = read_photo(found.root / one.path).image
        crop = finder.find(image, one.masked, how).crop
        return encode_image(crop.image, "png")

    return cut


def _as_they_are(found: BenchmarkSet) -> Callable[[BenchmarkPicture], bytes]:
    from maskgen.core.images import decode, encode_image
    from maskgen.formats.containers import open_container

    container = open_container(found.root)
    return lambda one: encode_image(decode(container.read(one.path)), "png")


def _tables(found: BenchmarkSet, folder: Path, paths: list[str | None], faults: list[tuple[str, str, str]]) -> int:
    """Write test.csv, pictures.csv and set_aside.csv; returns how many pairs are left out."""
    from maskgen.gallery.targets_and_roles import targets
    from maskgen.manifests.schema import IMAGE_COLUMNS, PAIR_COLUMNS, TEST

    target = targets(one.person for one in found.pictures)

    def side(row: int) -> tuple[str, int] | None:
        path = paths[row]
        return None if path is None else (path, target[found.pictures[row].person])

    sides = [(side(first), side(second)) for first, second in found.pairs.tolist()]
    rows = [(*first, *second) for first, second in sides if first is not None and second is not None]
    if not rows:
        raise UserError(f"No pair of {found.root} has two pictures with a face: see {folder / SET_ASIDE}.")
    listed = [
        (path, target[one.person], one.person, one.path)
        for path, one in zip(paths, found.pictures, strict=True)
        if path is not None
    ]
    _table(folder / SET_ASIDE, ("path", "reason", "detail"), sorted(faults))
    _table(folder / PICTURES, (*IMAGE_COLUMNS, "person", "source"), listed)
    _table(folder / TEST, PAIR_COLUMNS, rows)
    return len(sides) - len(rows)


def _table(path: Path, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    _place(path, text.getvalue().encode("utf-8", "surrogateescape"))


def _place(path: Path, data: bytes) -> None:
    from maskgen.core.atomic_writes import write_atomic

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, data)
