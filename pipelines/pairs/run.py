"""`maskgen pairs`: training lists and verification pairs from the catalogues of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import UserError, counted
from maskgen.formats.any_path import AnyPath

from ..alignment_checks import refuse_mismatch
from ..reports.progress import Notify
from ..runs.json_files import checksummed_bytes
from ..runs.lock import LOCK, hold
from .exports import check_packages, refuse_empty, write_exports
from .folder import open_out, refuse_out
from .image_checks import of_first_faces, path_writer, verified
from .records import LeftOut, PlannedLists
from .report import report_of
from .settings import PairsSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from maskgen.manifests.catalogue import Images
    from maskgen.manifests.formats.lfw_pairs import ListedPair, Resolved
    from maskgen.manifests.lists import PairLists
    from maskgen.manifests.plan import ManifestSettings


def run_pairs(settings: PairsSettings, notify: Notify = lambda _: None) -> dict[str, Any]:
    """Write the manifests; returns the content of report.json.

    Raises:
        UserError: there are too few images, files are missing, OUT holds something else, or a package that --also
            needs is not installed.
    """
    check_packages(settings.also)
    listed = _listed(settings)
    names, folders = _runs(settings)
    refuse_out(settings)
    places = dict(zip(names, folders, strict=True))
    alignments = _alignments(settings, places, notify)
    images, left_out = _images(settings, names, folders, notify)
    manifest_settings = _manifest_settings(settings, names)
    resolved = None if listed is None else _resolve(settings, listed, manifest_settings, places, images)
    notify("drawing pairs")
    from maskgen.manifests.plan import make_manifests

    manifests = make_manifests(images, manifest_settings, None if resolved is None else resolved.drawn)
    _refuse_leak(settings, manifests.facts["leaks"])
    work = PlannedLists(settings, places, alignments, manifests, left_out, resolved)
    return _write(work, notify)


def _alignments(settings: PairsSettings, folders: dict[str, AnyPath], notify: Notify) -> dict[str, str]:
    """The alignment of each run's crops.

    Raises:
        UserError: the alignments differ, or a run has no catalogue.
    """
    from maskgen.manifests.list_alignment import alignment_of_run

    found = {name: alignment_of_run(folder) for name, folder in folders.items()}
    known = {name: alignment for name, alignment in found.items() if alignment}
    first = next(iter(known), "")
    for name, alignment in known.items():
        sentence = f"The crops of {first} are aligned as {known[first]}, and those of {name} as {alignment}"
        refuse_mismatch(alignment, known[first], sentence, settings.allow_misaligned, notify)
    return found


def _refuse_leak(settings: PairsSettings, leaks: Mapping[str, Any]) -> None:
    """Raise UserError where photographs are in both training and evaluation."""
    photographs = leaks["photographs_in_training_and_evaluation"]
    if photographs and not settings.allow_leak:
        raise UserError(
            f"{counted(photographs, 'photograph is', 'photographs are')}, byte for byte, in training and in "
            f"evaluation (such as {'; '.join(leaks['such_photographs'])}): take one of each out of the "
            "photographs and mask them again with --prune, or give --allow-leak."
        )


def _runs(settings: PairsSettings) -> tuple[list[str], list[AnyPath]]:
    """Every run once, training runs first: name and folder."""
    from maskgen.manifests.catalogue import run_names

    folders: list[AnyPath] = [settings.run] if settings.run is not None else [*settings.train, *settings.eval]
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder: give one that `maskgen mask` wrote.")
    return run_names(folders), folders


def _images(
    settings: PairsSettings, names: list[str], folders: list[AnyPath], notify: Notify
) -> tuple[Images, LeftOut]:
    from maskgen.manifests.catalogue import read_runs

    images = read_runs(list(zip(names, folders, strict=True)))
    if not len(images):
        raise UserError(f"The catalogue of {folders[0]} lists no image: mask some photographs first.")
    people = counted(len(images.people), "person")
    notify(f"read {counted(len(images), 'image')} of {people} from {counted(len(names), 'run')}")
    places = dict(zip(names, folders, strict=True))
    images, further = of_first_faces(settings, places, images)
    if settings.verify == "names":
        return images, further
    images, missing = verified(settings, places, images, notify)
    return images, LeftOut(further.rows + missing.rows)


def _manifest_settings(settings: PairsSettings, names: list[str]) -> ManifestSettings:
    from maskgen.manifests.pairs import KindRule, PairRules
    from maskgen.manifests.plan import ManifestSettings, Protocol
    from maskgen.manifests.schema import Mix

    mix = None if settings.mix is None else Mix.of(dict(settings.mix))
    kinds = KindRule(settings.pair_kinds)
    rules = PairRules(mix, kinds, settings.allow_same_source, settings.max_pairs)
    shares = settings.people or (0.8, 0.1, 0.1)
    return ManifestSettings(
        protocol=Protocol(settings.protocol),
        shares=(shares[0], shares[1], shares[2]) if settings.run is not None else None,
        train_runs=frozenset(names[: len(settings.train)]),
        test_share=_test_share(settings, shares),
        rules=rules,
        balance=settings.balance,
        min_images=settings.min_images,
        seed=settings.seed,
    )


def _test_share(settings: PairsSettings, shares: tuple[float, ...]) -> float:
    """The test share: as given, from --people with the reference protocol on one run, or a tenth."""
    if settings.test_share is not None:
        return settings.test_share
    if settings.run is not None and settings.people is not None and shares[1] + shares[2] > 0:
        return round(shares[2] / (shares[1] + shares[2]), 9)
    return 0.1


def _listed(settings: PairsSettings) -> PairLists | list[ListedPair] | None:
    """The content of --test-pairs: images in pairs, or pairs by name and number as in LFW's pairs.txt."""
    if (path := settings.test_pairs) is None:
        return None
    from maskgen.manifests.formats.lfw_pairs import load_lfw_pairs
    from maskgen.manifests.lists import read_pair_lists
    from maskgen.manifests.pairs_by_path import lists_image_paths

    if lists_image_paths(path):
        if settings.wear is not None:
            raise UserError(f"{path} names the images themselves: leave out --wear.")
        return read_pair_lists([path])
    try:
        return load_lfw_pairs(path)
    except ValueError as error:
        raise UserError(f"{path} is neither a pairs.txt nor a list of images in pairs: {error}.") from error


def _resolve(
    settings: PairsSettings,
    listed: PairLists | list[ListedPair],
    manifest_settings: ManifestSettings,
    folders: dict[str, AnyPath],
    images: Images,
) -> Resolved:
    from maskgen.manifests.formats.lfw_pairs import Wear, resolve
    from maskgen.manifests.pairs_by_path import resolve_image_paths

    if isinstance(listed, list):
        resolved = resolve(images, listed, Wear(settings.wear or "mixed"), manifest_settings)
    else:
        resolved = resolve_image_paths(images, folders, listed, settings.allow_same_source)
    if not len(resolved.drawn.same) + len(resolved.drawn.diff):
        why = resolved.left_out[0][1] if resolved.left_out else "it lists no pair"
        raise UserError(f"No pair of {settings.test_pairs} can be made: {why}.")
    return resolved


def _write(work: PlannedLists, notify: Notify) -> dict[str, Any]:
    refuse_empty(work)
    out = work.settings.out
    out.mkdir(parents=True, exist_ok=True)
    with hold(out / LOCK, keep=False):
        refuse_out(work.settings)  # another process may have written lists since the first check
        return _write_all(work, notify)


def _write_all(work: PlannedLists, notify: Notify) -> dict[str, Any]:
    from maskgen.core.atomic_writes import write_atomic
    from maskgen.formats.local_or_remote_files import persist
    from maskgen.manifests.schema import REPORT, UNFINISHED
    from maskgen.manifests.write import write_manifests

    from .card import write_card
    from .page import write_page

    settings, out = work.settings, work.settings.out
    open_out(settings)
    paths = path_writer(settings, work.folders, work.manifests.images)
    notify("writing lists")
    rows = write_manifests(work.manifests, out, paths)
    rows |= _write_left_out(work)
    rows |= write_exports(work, paths, notify)
    if settings.verify != "names":
        notify("drawing previews")
        _write_previews(work)
    report = report_of(work, rows)
    write_page(work, report)
    write_card(work, report)
    persist(out)  # all other files must be on the disk before the mark
    write_atomic(out / REPORT, checksummed_bytes(report), durable=True)
    (out / UNFINISHED).unlink(missing_ok=True)
    return report


def _write_left_out(work: PlannedLists) -> dict[str, int]:
    from maskgen.manifests.checks.picture_files import as_array
    from maskgen.manifests.csv_table import write_columns
    from maskgen.manifests.schema import LEFT_OUT, LEFT_OUT_COLUMNS

    rows = list(work.left_out.rows)
    if work.resolved is not None:
        rows += [(where, "", "", reason) for where, reason in work.resolved.left_out]
    if not rows:
        return {}
    columns = [as_array(column) for column in zip(*rows, strict=True)]
    return {LEFT_OUT: write_columns(work.settings.out / LEFT_OUT, LEFT_OUT_COLUMNS, columns)}


def _write_previews(work: PlannedLists) -> None:
    from maskgen.core.atomic_writes import write_atomic
    from maskgen.core.images import encode_image
    from maskgen.manifests import preview
    from maskgen.manifests.schema import PAIRS_PREVIEW, TRAIN_PREVIEW

    pictures = {
        TRAIN_PREVIEW: preview.train_preview(work.manifests, work.folder_of),
        PAIRS_PREVIEW: preview.pairs_preview(work.manifests, work.folder_of),
    }
    for name, picture in pictures.items():
        if picture is not None:
            write_atomic(work.settings.out / name, encode_image(picture, "png", 100))
