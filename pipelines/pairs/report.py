"""Report of `maskgen pairs`: report.json and the printed table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from maskgen import __version__
from maskgen.core.reasons import counted

from .image_checks import FURTHER
from .records import PlannedLists

_NOBODY = "left out, since nothing says whom they show, see left_out.csv"


def report_of(work: PlannedLists, rows: dict[str, int]) -> dict[str, Any]:
    """The content of report.json."""
    from collections import Counter

    from maskgen.manifests.catalogue import digest

    settings, manifests = work.settings, work.manifests
    runs = [
        {
            "run": name,
            "folder": settings.plain(folder),
            "role": "all" if settings.run else "train" if folder in settings.train else "eval",
            "catalogue_sha256": digest(folder),
            "alignment": work.alignments[name] or None,
        }
        for name, folder in work.folders.items()
    ]
    report: dict[str, Any] = {
        "maskgen": __version__,
        "seed": settings.seed,
        "protocol": settings.protocol,
        "settings": settings.deciding(),
        "runs": runs,
        "rows": rows,
        "people": dict(sorted(Counter(str(split) for split in manifests.split).items())),
        **manifests.facts,
        "images_left_out": dict(sorted(Counter(row[3].split(":")[0] for row in work.left_out.rows).items())),
    }
    if work.resolved is not None:
        report["listed_pairs"] = work.resolved.counts()
    return report


def table(report: dict[str, Any]) -> str:
    """The printed table: one line per file, then the notes."""
    width = max(16, *(len(name) + 1 for name in report["rows"]))
    lines = [f"{name:<{width}}{rows:>12,} {'row' if rows == 1 else 'rows'}" for name, rows in report["rows"].items()]
    return "\n".join([*lines, *_remarks(report)])


def _remarks(report: dict[str, Any]) -> Iterator[str]:
    """Notes on the lists, one sentence each; zero counts are left out."""
    train, settings = report["train"], report["settings"]
    few, left_out = "with fewer images than --min-images", report.get("listed_pairs", {}).get("left_out", 0)
    leaks = report["leaks"]["photographs_in_training_and_evaluation"]
    further = report["images_left_out"].get(FURTHER, 0)
    missing = sum(report["images_left_out"].values()) - further
    counts = (
        (train["people_under_min_images"], f"person {few} is", f"people {few} are", "not trained on"),
        (train["images_over_balance"], "image over --balance is", "images over --balance are", "not trained on"),
        (further, "crop of a further face is", "crops of further faces are", _NOBODY),
        (missing, "image is", "images are", "missing or broken, see left_out.csv"),
        (left_out, "pair", "pairs", "of --test-pairs could not be made, see left_out.csv"),
        (leaks, "photograph is", "photographs are", "in training and in evaluation, byte for byte"),
    )
    yield from (f"{counted(count, one, several)} {what}." for count, one, several, what in counts if count)
    for part, name in (("train", "training"), ("evaluation", "evaluation")):
        twice = report["photographs_of_two_people"][part]
        if many := twice["photographs"]:
            such = "; ".join(twice["such_photographs"])
            found = f"{counted(many, 'photograph is', 'photographs are')}, byte for byte, of two people in {name}"
            yield (
                f"Warning: {found} (such as {such}): one label is wrong, or two runs of one source make two of each."
            )
    for name in ("eval", "test"):
        yield from _pair_remarks(name, report[name], bool(settings["--allow-same-source"]))


def _pair_remarks(name: str, facts: dict[str, Any], allow_same_source: bool) -> Iterator[str]:
    if facts["people_with_one_photograph"] and not allow_same_source:
        single = counted(
            facts["people_with_one_photograph"], "person with one photograph is", "people with one photograph are"
        )
        yield f"{name}: {single} in impostor pairs only."
    for sort in ("same", "diff"):
        counts = facts[sort]
        kinds = {"masked-masked": counts["mm"], "masked-bare": counts["mb"], "bare-bare": counts["bb"]}
        if counts["rows"]:
            parts = [f"{label} {100 * n / counts['rows']:.0f} %" for label, n in kinds.items() if n]
            yield f"{name}, {'genuine' if sort == 'same' else 'impostor'} pairs: {', '.join(parts)}"
    if facts["partners_from_the_other_part"]:
        partners = counted(facts["partners_from_the_other_part"], "partner is", "partners are")
        yield f"{name}: {partners} from the other part."
