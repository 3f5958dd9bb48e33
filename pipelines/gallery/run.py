"""Make a gallery: detect, align, write and record each face; or simulate a gallery from a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.alignment_names import stored_alignment
from maskgen.core.reasons import Reason, SetAsideError, UserError, counted
from maskgen.gallery.targets_and_roles import PhotographCounts, Picture, photograph_counts, role_of, simulated, targets

from ..reports.progress import Notify, show_progress
from ..runs.json_files import checksummed_bytes
from ..runs.lock import hold
from ..runs.run_folder import RunFolder
from ..sources.output_names import escape, unescape
from ..sources.source import check_apart
from .folder import PEOPLE, REPORT, SET_ASIDE, SHEET, WARNINGS, GalleryFolder
from .outcomes import GalleryRow, Outcomes
from .page import write_page
from .photographs import Photographs, list_photographs
from .report import GalleryReport
from .settings import GALLERY, GallerySettings

if TYPE_CHECKING:
    from maskgen.core.records import Image
    from maskgen.gallery.entries import Entry
    from maskgen.gallery.portrait_finder import PortraitFinder

MOST_ON_SHEET = 100  # people
CELL = 112
# Of a run's catalogue, for --simulate; those of earlier versions may lack the last two.
_NEEDED = ("path", "person", "source", "kind", "face", "width", "height", "box", "matrix", "score")
_COLUMNS = (*_NEEDED, "alignment", "source_sha256")


def run_gallery(settings: GallerySettings, notify: Notify) -> GalleryReport:
    """Make the gallery that the settings ask for.

    Raises:
        UserError: SOURCE or OUT cannot be used.
        OSError: an output cannot be written.
    """
    if settings.out.exists() and not settings.out.is_dir():
        raise UserError(f"OUT {settings.out} is a file: name a folder.")
    GalleryFolder(settings.out).refuse_other_owner()
    if settings.simulate:
        return _simulate(settings, notify)
    photographs = list_photographs(settings)
    check_out(settings, photographs)
    for note in photographs.notes:
        notify(note)
    return _begun(settings, photographs.digest(), notify, lambda folder: _look(settings, photographs, folder))


def check_out(settings: GallerySettings, photographs: Photographs) -> None:
    """Raise UserError where OUT is inside SOURCE, or contains photographs that a CSV lists."""
    if settings.source.is_dir():
        check_apart(settings.source, settings.out)
        return
    out = settings.out.resolve()
    for entry in photographs.entries:
        if (photographs.root / entry.path).resolve().is_relative_to(out):
            raise UserError(f"OUT {settings.out} holds {entry.path} of SOURCE: give OUT a folder of its own.")


def _begun(
    settings: GallerySettings, digest: str, notify: Notify, work: Callable[[GalleryFolder], Any]
) -> GalleryReport:
    """Make the gallery in OUT under a lock, unless it is already finished."""
    folder = GalleryFolder(settings.out)
    folder.root.mkdir(parents=True, exist_ok=True)
    deciding = settings.deciding(digest)
    with hold(folder.lock):
        if (done := folder.begin(deciding, settings.overwrite, notify)) is not None:
            notify(f"{settings.out} holds this gallery already.")
            return GalleryReport.from_json(done)
        outcomes, everyone = work(folder)
        report = _sum_up(settings, folder, outcomes, everyone)
        write_page(folder, settings, outcomes, report)
        sizes = folder.sizes(member.path for member in outcomes.members)
        folder.place(REPORT, checksummed_bytes(report.to_json(deciding, sizes)))
        return report


def _look(settings: GallerySettings, photographs: Photographs, folder: GalleryFolder) -> tuple[Outcomes, set[str]]:
    """Detect, cut and write every face."""
    from maskgen.faces.landmarkers.by_name import landmarker_by_name
    from maskgen.gallery.multi_view import MultiViewDetector
    from maskgen.gallery.portrait_finder import PortraitFinder

    landmarker = landmarker_by_name(settings.landmarks)
    outcomes, finder = Outcomes(), PortraitFinder(MultiViewDetector(settings.device), landmarker)
    for unlabelled in photographs.unlabelled:
        outcomes.refuse(unlabelled.path, SetAsideError(Reason.MASK_UNSAID, unlabelled.detail))
    for item in photographs.unreadable:
        outcomes.refuse(item.key, SetAsideError(Reason.UNREADABLE, item.fault))
    aside = len(outcomes.set_aside)
    with show_progress(aside + len(photographs.entries), aside, aside) as progress:
        for entry, name in zip(photographs.entries, photographs.names, strict=True):
            before = len(outcomes.set_aside)
            try:
                _one(settings, photographs.root, entry, name, folder, finder, outcomes)
            except SetAsideError as error:
                outcomes.refuse(entry.path, error)
            progress.add(1, len(outcomes.set_aside) - before)
    outcomes.warn_of_copies()
    return outcomes, photographs.people


def _one(
    settings: GallerySettings,
    root: Path,
    entry: Entry,
    name: str,
    folder: GalleryFolder,
    finder: PortraitFinder,
    outcomes: Outcomes,
) -> None:
    from maskgen.core.images import encode_image, read_photo
    from maskgen.faces.crop_by_alignment import CropSettings

    from .photograph_checks import doubts_of

    photo = read_photo(root / entry.path, max_pixels=settings.max_pixels)
    image = photo.image
    found = finder.find(image, entry.masked, CropSettings(settings.align, settings.size, settings.margin))
    doubts = doubts_of(found, entry.masked)
    if doubts and settings.doubtful == "drop":
        raise doubts[0].fault()
    path = f"faces/{name}.jpg"
    folder.place(path, encode_image(found.crop.image, "jpg", 95))
    if settings.keep_original:
        _keep(folder, root / entry.path, name)
    height, width = image.shape[:2]
    box = " ".join(f"{float(at):.1f}" for at in found.detection.box)
    score = round(found.detection.score, 4)
    aligned = stored_alignment(settings.align, settings.size, settings.margin)
    row = GalleryRow(path, entry.person, entry.masked, entry.path, width, height, box, score, aligned)
    outcomes.add(row, photo.sha256)
    outcomes.doubtful += [(path, escape(entry.path), one.label, one.looks, round(one.score, 2)) for one in doubts]


def _keep(folder: GalleryFolder, photograph: Path, name: str) -> None:
    """Copy the original photograph."""
    suffix = photograph.suffix
    folder.place(f"originals/{name}{'' if name.endswith(suffix) else escape(suffix)}", photograph.read_bytes())


def _sum_up(
    settings: GallerySettings,
    folder: GalleryFolder,
    outcomes: Outcomes,
    everyone: set[str],
) -> GalleryReport:
    """Write the tables and the contact sheet; returns the report, which is written last."""
    number = targets(member.person for member in outcomes.members)
    counts = photograph_counts(((member.person, member.masked) for member in outcomes.members), everyone)
    members = sorted(outcomes.members, key=lambda one: (one.person, one.masked, one.path))
    folder.place_table(GALLERY, (_row(member, number[member.person]) for member in members))
    folder.place_table(PEOPLE, (_person(tally, number, settings) for tally in counts))
    folder.place_table(SET_ASIDE, sorted(outcomes.set_aside))
    if outcomes.warnings:
        folder.place_table(WARNINGS, outcomes.warnings)
    folder.place(SHEET, _sheet(folder.root, members))
    return GalleryReport(
        photographs=len(outcomes.members) + len(outcomes.set_aside),
        people=len(number),
        faceless=len(counts) - len(number),
        bare=sum(not member.masked for member in members),
        masked=sum(member.masked for member in members),
        set_aside=dict(sorted(Counter(reason for _, reason, _ in outcomes.set_aside).items())),
        unlike=sum(not _as_expected(tally, settings) for tally in counts),
        in_doubt=len({path for path, *_ in outcomes.doubtful}),
        copies=len(outcomes.copies),
    )


def _row(member: GalleryRow, target: int) -> tuple[object, ...]:
    return (
        member.path, target, escape(member.person), int(member.masked), role_of(member.masked), escape(member.source),
        member.width, member.height, member.box, member.score, member.alignment,
    )  # fmt: skip


def _as_expected(tally: PhotographCounts, settings: GallerySettings) -> bool:
    return settings.expect is None or (tally.bare, tally.masked) == settings.expect


def _person(tally: PhotographCounts, number: dict[str, int], settings: GallerySettings) -> tuple[object, ...]:
    expected = "" if settings.expect is None else "yes" if _as_expected(tally, settings) else "no"
    return number.get(tally.person, ""), escape(tally.person), tally.bare, tally.masked, expected


def _sheet(root: Path, members: Sequence[GalleryRow]) -> bytes:
    """The contact sheet: a row per person, bare faces first, at most MOST_ON_SHEET people, evenly over the gallery."""
    from maskgen.core.contact_sheets import contact_sheet
    from maskgen.core.images import encode_image, read_photo

    by_person: dict[str, list[GalleryRow]] = {}
    for member in members:
        by_person.setdefault(member.person, []).append(member)
    people = list(by_person)
    shown = [
        people[at * len(people) // min(len(people), MOST_ON_SHEET)] for at in range(min(len(people), MOST_ON_SHEET))
    ]
    columns = max((len(by_person[person]) for person in shown), default=1)
    groups: dict[str, list[Image]] = {
        escape(person): [read_photo(root / member.path).image for member in by_person[person]] for person in shown
    }
    return encode_image(contact_sheet(groups, min(columns, 24), CELL), "png")


def _simulate(settings: GallerySettings, notify: Notify) -> GalleryReport:
    """Make a gallery from the pictures of a masked run, copied unchanged."""
    run = RunFolder(settings.source)
    if not run.catalogue.is_file():
        raise UserError(f"{settings.source} is no finished run of maskgen mask: it has no catalogue.parquet.")
    rows = _rows(run)
    chosen, short = simulated([row[0] for row in rows.values()], settings.each, settings.seed)
    if not chosen:
        raise _nobody(settings, [row[0] for row in rows.values()])
    if short:
        told = counted(len(short), "person has too few photographs and is", "people have too few photographs and are")
        notify(f"{told} left out.")
    from maskgen.manifests.catalogue import digest

    check_apart(settings.source, settings.out)
    return _begun(settings, digest(settings.source), notify, lambda folder: _copied(settings, rows, chosen, folder))


def _nobody(settings: GallerySettings, pictures: Sequence[Picture]) -> UserError:
    """The error that no person has enough pictures, and what to do."""
    bare, masked = settings.each
    if all(one.masked for one in pictures):
        hint = "the run has no bare pictures; make it with --bare."
    else:
        most = max(Counter(person for person, _ in {(one.person, one.source) for one in pictures}).values())
        there = counted(most, "photograph")
        hint = f"no person has more than {there}; give a smaller --expect, or mask more photographs."
    return UserError(
        f"No person in {settings.source} has {bare} bare and {counted(masked, 'masked picture')} from different "
        f"photographs: {hint}"
    )


def _rows(run: RunFolder) -> dict[str, tuple[Picture, dict[str, Any]]]:
    """The run's pictures, by path; only the first face of each. Files of a person with the same bytes are one source.

    Raises:
        UserError: the catalogue is damaged.
    """
    import pyarrow as pa

    from ..runs.catalogue import batches

    found: dict[str, tuple[Picture, dict[str, Any]]] = {}
    sources: dict[tuple[str, str], str] = {}
    try:
        for row in (row for batch in batches(run.catalogue, _COLUMNS) for row in batch):
            if empty := [name for name in _NEEDED if row.get(name) is None]:
                raise UserError(f"{run.catalogue} has a row without {empty[0]}: mask again.")
            if row["face"] == 0:
                bytes_of = row.get("source_sha256") or row["source"]
                source = sources.setdefault((row["person"], bytes_of), row["source"])
                picture = Picture(row["path"], row["person"], source, row["kind"] != "bare")
                found[row["path"]] = picture, row
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"{run.catalogue} cannot be read ({str(error).splitlines()[0]}): mask again.") from None
    return found


def _copied(
    settings: GallerySettings,
    rows: dict[str, tuple[Picture, dict[str, Any]]],
    chosen: Sequence[Picture],
    folder: GalleryFolder,
) -> tuple[Outcomes, set[str]]:
    from maskgen.manifests.square_faces import raw_picture

    outcomes = Outcomes()
    for picture in chosen:
        row = rows[picture.path][1]
        state = "masked" if picture.masked else "bare"
        path = f"faces/{picture.person}/{state}/{picture.path.rpartition('/')[2]}"
        folder.place(path, raw_picture(settings.source, picture.path))
        box = " ".join(f"{at:.1f}" for at in _box_in_picture(row["box"], row["matrix"]))
        outcomes.members.append(
            GalleryRow(
                path,
                unescape(picture.person),
                picture.masked,
                unescape(row["source"]),
                row["width"],
                row["height"],
                box,
                row["score"],
                row.get("alignment") or "",
            )  # fmt: skip
        )
    return outcomes, {unescape(picture.person) for picture in chosen}


def _box_in_picture(box: Sequence[float], matrix: Sequence[float]) -> tuple[float, float, float, float]:
    """A box of the source photograph in pixels of the run's picture, as an upright box."""
    x0, y0, x1, y1 = box
    a, b, c, d, e, f = matrix
    corners = [(a * x + b * y + c, d * x + e * y + f) for x in (x0, x1) for y in (y0, y1)]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
