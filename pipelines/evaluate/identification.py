"""`maskgen evaluate --gallery`: bare faces are enrolled, masked faces are probes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import UserError, are, counted

from ..alignment_checks import check_pictures
from ..embedding import Embedded, embed_all, open_model
from ..gallery.settings import GALLERY
from ..reports.progress import Notify
from ..trained_people import trained_people
from .errors import picture
from .folder import ERRORS, PEOPLE
from .report import begin, header, write_results, write_unreadable
from .results import GalleryEvaluation
from .results_text import aligned, rate, table, trained_note
from .settings import EvaluateSettings

if TYPE_CHECKING:
    from maskgen.core.pair_sheets import ShownPair
    from maskgen.manifests.lists import ImageList
    from maskgen.manifests.schema import Ints

_SHOWN = 32  # probes on errors.png
_COLUMNS = ("target", "person", "enrolled", "probes", "first", "fifth", "accepted", "taken_for_another", "let_in")


def run_gallery_evaluation(settings: EvaluateSettings, notify: Notify) -> dict[str, Any]:
    """Evaluate a model on a gallery and write the report; returns the content of results.json.

    Raises:
        UserError: the gallery or the model cannot be used.
    """
    from maskgen.manifests.list_alignment import alignment_of_list
    from maskgen.manifests.lists import read_image_list
    from maskgen.metrics.identification import identify, search

    gallery = read_image_list(_list_file(settings.gallery or Path()))
    target, roles, trained_on = gallery.numbers("target"), _roles(gallery), _trained_on(settings, gallery)
    embedder = open_model(settings.model, settings.device, settings.trust_pickle, settings.input_file)
    alignment = alignment_of_list(gallery.root, gallery.addresses, gallery.columns)
    check_pictures(embedder, alignment, settings.allow_misaligned, notify)
    notify(f"embedding {counted(len(gallery.addresses), 'picture')} with {embedder.name}")
    embedded = embed_all(embedder, gallery.root, gallery.addresses, settings.workers, notify)
    enrolled, probes, same = _rows(gallery, roles, embedded)
    rows = embedded.embeddings
    found = search(rows[probes], target[probes], rows[enrolled], target[enrolled])
    result = identify(found, target[enrolled], settings.false_accepts, settings.replicates, settings.seed)
    judged = GalleryEvaluation(
        settings, embedder, alignment, gallery, embedded, enrolled, probes, found, result, trained_on, same
    )
    return _write(judged)


def _list_file(gallery: Path) -> Path:
    """The gallery's list: for an output folder of `maskgen gallery`, its gallery.csv."""
    return gallery / GALLERY if gallery.is_dir() else gallery


def _roles(gallery: ImageList) -> list[str]:
    if "role" not in gallery.columns:
        raise UserError("--gallery has no column role: give the gallery.csv that `maskgen gallery` wrote.")
    roles: list[str] = gallery.columns["role"].to_pylist()
    return roles


def _trained_on(settings: EvaluateSettings, gallery: ImageList) -> dict[str, Any]:
    trained = trained_people(settings.model)
    if "person" not in gallery.columns:
        return trained.unknown("the gallery has no column person.")
    return trained.overlap(gallery.columns["person"].to_pylist())


def _rows(gallery: ImageList, roles: list[str], embedded: Embedded) -> tuple[Ints, Ints, int]:
    """The rows to enrol and those of probes; and the number of probes left out, whose photograph is enrolled, too."""
    import numpy as np

    readable = [(row, own) for row, own in enumerate(roles) if embedded.readable[row]]
    enrolled, probes = ([row for row, own in readable if own == role] for role in ("enrol", "probe"))
    there = {name for row in enrolled if (name := _photograph(gallery, row))[1]}
    others = [row for row in probes if _photograph(gallery, row) not in there]
    for role, rows in (("enrol", enrolled), ("probe", others)):
        if not rows:
            other = ", and whose photograph is not enrolled, too" if probes else ""
            raise UserError(
                f"The gallery in {gallery.root} has no picture to {role} that can be read{other}: correct the paths in "
                f"{GALLERY}, or make the gallery again."
            )
    return np.array(enrolled, np.int64), np.array(others, np.int64), len(probes) - len(others)


def _photograph(gallery: ImageList, row: int) -> tuple[str, str]:
    """The person and the photograph of a row; "" where the gallery does not name it."""
    source = gallery.columns["source"][row].as_py() if "source" in gallery.columns else ""
    return gallery.columns["target"][row].as_py(), source


def _write(found: GalleryEvaluation) -> dict[str, Any]:
    from .gallery_page import write_gallery_page

    folder = found.settings.folder
    begin(folder)
    results = _results(found)
    _write_people(found, folder)
    _write_errors(found, folder)
    write_unreadable(folder, found.embedded.faults)
    write_gallery_page(found, results)
    write_results(folder, results, "\n".join(_lines(results)) + "\n")
    return results


def _results(found: GalleryEvaluation) -> dict[str, Any]:
    result = found.result
    rates = {
        name: {"value": getattr(result, name), **asdict(result.intervals[name])}
        for name in ("rank1", "rank5", "accepted")
        if name in result.intervals
    }
    return {
        **header(found),
        "gallery": str(found.settings.gallery),
        "enrolled": len(found.enrolled),
        "people_enrolled": sum(person.enrolled > 0 for person in result.people),
        "probes": result.probes,
        "probes_of_nobody_enrolled": result.unknown,
        "probes_of_enrolled_photographs": found.of_one_photograph,
        "rank1": rates["rank1"],
        "rank5": rates["rank5"],
        "open_set": {
            "far_asked": result.far_asked,
            "far": result.far,
            "threshold": result.threshold,
            "accepted": rates.get("accepted", {"value": float("nan")}),
            "reason": result.reason,
        },
    }


def _write_people(found: GalleryEvaluation, folder: Path) -> None:
    """Write identified.csv: one row per person, in the order of their targets."""
    import pyarrow as pa

    from maskgen.manifests.csv_table import write_columns

    columns = found.gallery.columns
    named = columns.get("person", columns["target"]).to_pylist()
    names = dict(zip(found.gallery.numbers("target").tolist(), named, strict=True))
    rows = [asdict(person) for person in found.result.people]
    values = [pa.array([row["person"] for row in rows], pa.int64())]
    values.append(pa.array([names[row["person"]] for row in rows], pa.large_string()))
    values += [pa.array([row[name] for row in rows], pa.int64()) for name in _COLUMNS[2:]]
    write_columns(folder / PEOPLE, _COLUMNS, values)


def _write_errors(found: GalleryEvaluation, folder: Path) -> None:
    """Write errors.png: probes identified as another person, smallest distance first, beside a face of that person."""
    import numpy as np

    from maskgen.core.atomic_writes import write_atomic
    from maskgen.core.images import encode_image
    from maskgen.core.pair_sheets import pair_sheet

    wrong = np.flatnonzero(found.search.rank > 1)
    wrong = wrong[np.argsort(found.search.other[wrong], kind="stable")]
    groups = {
        f"Probe, and whom it is taken for ({len(wrong):,})": [_shown(found, row) for row in wrong[:_SHOWN].tolist()]
    }
    write_atomic(folder / ERRORS, encode_image(pair_sheet(groups, 4, 112), "png", 100))


def _shown(found: GalleryEvaluation, probe: int) -> ShownPair:
    from maskgen.core.pair_sheets import ShownPair

    gallery, search = found.gallery, found.search
    target = gallery.numbers("target")
    rival = int(found.enrolled[target[found.enrolled] == search.rival[probe]][0])
    shown = [picture(gallery.root, gallery.addresses[row].as_py()) for row in (int(found.probes[probe]), rival)]
    text = f"{search.other[probe]:.3f}, own {search.own[probe]:.3f}, rank {search.rank[probe]}"
    return ShownPair(shown[0], shown[1], text)


def summary(results: dict[str, Any]) -> str:
    """The printed summary."""
    return "\n".join(line for line in _summary_lines(results, aligned) if line)


def _lines(results: dict[str, Any]) -> list[str]:
    return [f"# {results['model']['name']} on {results['gallery']}", "", *_summary_lines(results, table)]


def _summary_lines(results: dict[str, Any], columns: Callable[[Sequence[Sequence[str]]], list[str]]) -> Iterator[str]:
    yield (
        f"{counted(results['enrolled'], 'bare face')} of {counted(results['people_enrolled'], 'person')} "
        f"{are(results['enrolled'])} enrolled, "
        f"{counted(results['probes'], 'masked face is a probe', 'masked faces are probes')}."
    )
    if results["probes_of_nobody_enrolled"]:
        unknown = results["probes_of_nobody_enrolled"]
        one, several = "is of a person who is not enrolled and counts", "are of people who are not enrolled and count"
        yield f"{counted(unknown, f'of these {one}', f'of these {several}')} in the open set only."
    if alike := results["probes_of_enrolled_photographs"]:
        one, several = "further probe is of a photograph that is", "further probes are of photographs that are"
        yield f"{counted(alike, one, several)} enrolled, too, and left out."
    yield trained_note(results)
    if results["pictures"]["unreadable"]:
        yield f"{counted(results['pictures']['unreadable'], 'picture')} cannot be read (unreadable.csv)."
    yield ""
    yield from columns(
        [("", "share of probes"), ("rank 1", rate(results["rank1"])), ("rank 5", rate(results["rank5"]))]
    )
    yield ""
    found = results["open_set"]
    if found["reason"]:
        yield f"Open set: {found['reason']}"
        return
    yield (
        f"Open set: within the threshold {found['threshold']:.4f}, {found['far']:.4f} of the probes would match "
        f"another person, and {rate(found['accepted'])} are identified correctly."
    )
    yield f"{PEOPLE} has a row for each person. In brackets: 95 % bootstrap intervals over people."
