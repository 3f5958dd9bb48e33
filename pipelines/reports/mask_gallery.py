"""The masked pictures of a run's page: a sample with filters, and the worst fits first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from maskgen.core.reasons import counted

from ..runs.catalogue import Row
from ..runs.run_folder import RunFolder
from .catalogue_sample import (
    POSES,
    TRUSTS,
    WORST,
    CatalogueSurvey,
    bare_paths,
    pose_of,
    rows_at,
    trust_of,
    within_pixels,
    without_repeats,
)
from .face_thumbnails import LIGHTS, show_all
from .outcome import Outcome
from .page.html import Markup, join, tag
from .page.picture_grid import Gallery, Item, Side, place_of, strip_of
from .page.thumbnails import Pictures
from .run_report import Report

OUTPUTS = "outputs"
PLAIN = "plain"
_WORST_TOLD = 10
_LONGEST = 120  # characters of a name or a detail
FIT_MEANING = (
    "Fit error: the median distance between the 68 landmarks and the head that was fitted to them, in distances "
    "between the eyes. Less is better: up to 0.07 is usual; look at masks above 0.1. It is an error of the landmarks "
    "or of the head, not of the mask, which may look right all the same."
)
# `own` states an expected error, and its trust is at most 1 less that over 0.3.
USUAL_TRUST = {"dlib": "0.85 and more", "own": "0.7 and more"}
TRUST_MEANING = (
    "Trust: how far the landmarks can be relied on, 0 to 1. More is better: {} is usual; faces under "
    "--min-trust ({:g}) were set aside."
)


def in_order(counts: Mapping[str, int], order: Sequence[str]) -> dict[str, int]:
    """Counts above zero, in this order."""
    return {name: counts[name] for name in order if counts.get(name)}


def plain_prints(prints: Mapping[str, int]) -> dict[str, int]:
    """Counts by print; masks without one are plain."""
    return {name or PLAIN: count for name, count in prints.items()}


def short(text: str) -> str:
    """A name or a detail, its middle left out if it is long."""
    return text if len(text) <= _LONGEST else text[: _LONGEST // 2] + "…" + text[-_LONGEST // 2 :]


class MaskGallery:
    """The gallery of masked pictures, and the rows with the largest fit error."""

    def __init__(self, run: RunFolder, outcome: Outcome, found: CatalogueSurvey, pictures: Pictures) -> None:
        rows = rows_at(run.catalogue, [*found.evenly, *(row for order in found.worst.values() for row in order)])
        worst = {name: without_repeats(rows, order) for name, order in found.worst.items()}
        first = sorted({row for order in worst.values() for row in order})
        self.total = found.masked or outcome.report.images
        self.found = found
        self.trusted = TRUST_MEANING.format(USUAL_TRUST[outcome.settings.landmarks], outcome.settings.min_trust)
        order = list(dict.fromkeys([*first, *found.evenly]))
        kept = sorted(order[: within_pixels([rows[row] for row in order])])
        self.rows = [rows[row] for row in kept]
        self.gallery = Gallery(
            self._items(run, outcome, pictures),
            f"A sample of the run's {_what(outcome.report, self.total)}: evenly over the run and its masks, with the "
            f"{WORST} of lowest trust and the {WORST} of largest fit error."
            if len(self.rows) < self.total
            else f"All {_what(outcome.report)} of the run.",
            (
                ("kind", "Mask", ()),
                ("form", "Form", ()),
                ("print", "Print", ()),
                ("wear", "Worn", ()),
                ("pose", "Pose", POSES),
                ("light", "Light", LIGHTS),
                ("trust", "Trust", TRUSTS),
            ),
            (("fit", "largest fit error first"), ("trust", "lowest trust first"), ("yaw", "most turned first")),
            self.total,
            self._totals(outcome.report),
        )

    def _totals(self, report: Report) -> dict[str, Mapping[str, int]]:
        """Counts of the whole run; of the light only the sample is known."""
        found = self.found
        totals = {"kind": report.masks, "form": found.forms, "print": plain_prints(found.prints), "wear": found.wearing}
        totals |= {"pose": found.poses, "trust": found.trusts}
        return {name: in_order(counts, [*counts]) for name, counts in totals.items()}

    def _items(self, run: RunFolder, outcome: Outcome, pictures: Pictures) -> list[Item]:
        settings = outcome.settings
        bare = bare_paths(run.catalogue, frozenset(row["source"] for row in self.rows)) if settings.bare else {}
        thumbs = show_all(run.root, None if settings.bare else outcome.source, self.rows, bare)
        beside = settings.write == "folders"
        return [
            _item(row, Side(pictures.add(one.masked), _alt(row), pictures.add(one.bare)), one.light, beside)
            for row, one in zip(self.rows, thumbs, strict=True)
        ]


def _what(report: Report, count: int | None = None) -> str:
    """What the gallery shows, with its number."""
    what = "bare picture" if not report.masks else "masked face" if report.shares_pictures else "masked picture"
    return f"{what}s" if count is None else counted(count, what)


def _alt(row: Row) -> str:
    wearing = f", worn {row['wearing']}" if row.get("wearing") else ""
    return f"{short(row['person'])}, {row['kind']}{wearing}"


def _item(row: Row, side: Side, light: str, beside: bool) -> Item:
    facets = {"kind": row["kind"], "form": row.get("form") or "", "wear": row.get("wearing") or ""}
    facets |= {"print": row.get("print") or PLAIN if row.get("form") else "", "person": short(row["person"])}
    facets |= {"pose": pose_of(row.get("yaw")), "light": light, "trust": trust_of(row.get("trust"))}
    known = {name: row[name] for name in ("trust", "fit_error", "yaw") if row.get(name) is not None}
    sorts = {"trust": known.get("trust"), "fit": _negative(known.get("fit_error")), "yaw": _negative(known.get("yaw"))}
    spelled = (
        ("trust", "trust", "trust {:.2f}"),
        ("fit", "fit_error", "error {:.3f}"),
        ("yaw", "yaw", "yaw {:z.0f}°"),
    )
    return Item(
        (side,),
        (row["kind"], short(row["person"])),
        {name: value for name, value in facets.items() if value},
        tuple(_facts(row, light)),
        {name: round(float(value), 4) for name, value in sorts.items() if value is not None},
        {name: text.format(known[value]) for name, value, text in spelled if value in known},
        quote(row["path"].encode("utf-8", "surrogateescape")) if beside else "",
    )


def _negative(value: float | None) -> float | None:
    return None if value is None else -abs(value)


def _facts(row: Row, light: str) -> Iterator[tuple[str, str]]:
    """The facts on a masked face, names and values."""
    yield "Picture", short(row["path"])
    yield "Photograph", short(row["source"])
    yield "Person", short(row["person"])
    worn = ("wearing", "Worn"), ("look", "Look"), ("form", "Form"), ("print", "Print"), ("colours", "Colours")
    yield from ((label, str(row[name])) for name, label in (("kind", "Mask"), *worn) if row.get(name))
    if row.get("yaw") is not None and row.get("pitch") is not None:
        yield "Pose", f"yaw {row['yaw']:z.0f}°, pitch {row['pitch']:z.0f}°, roll {row['roll']:z.0f}°"
    if light:
        yield "Light", f"{light} (measured above the mask)"
    if row.get("trust") is not None:
        yield "Trust", f"{row['trust']:.2f} of 1"
    if row.get("fit_error") is not None:
        yield "Fit error", f"{row['fit_error']:.3f} eye distances"


def gallery_of(shown: MaskGallery) -> Markup:
    """The worst fits and the lowest trusts with their meaning, then all that the page shows."""
    if not shown.rows:
        return tag("p", "No picture was written.")
    parts: list[Markup] = []
    half, most = (shown.found.fits.below(share) for share in (0.5, 0.95))
    own = f" In this run half are under {half:g} and 95 % under {most:g}." if half and most else ""
    for order, title, meaning in (("fit", "Worst fit", FIT_MEANING + own), ("trust", "Lowest trust", shown.trusted)):
        if any(order in item.sorts for item in shown.gallery.items):
            parts += [tag("h3", title), tag("p", meaning, class_="note"), strip_of(OUTPUTS, order, _WORST_TOLD)]
    return join([*parts, tag("h3", "All that this page shows"), place_of(OUTPUTS)])
