"""Report of `maskgen evaluate --data`: results.json, results.md, plots."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen import __version__
from maskgen.core.reasons import are, counted

from .folder import FILES, RESULTS, TEXT, UNFINISHED, UNREADABLE
from .results_text import markdown

if TYPE_CHECKING:
    from maskgen.metrics.bootstrap import Interval
    from maskgen.metrics.fixed_fmr import FixedFmr
    from maskgen.metrics.verification import Verification

    from .results import Evaluation

_NAMELESS = (
    "These pairs name no people: intervals take pictures that genuine pairs connect for one person, and there is no "
    "FNMR at a fixed FMR, since two pictures that no pair compares may show one person."
)


def write_report(found: Evaluation) -> dict[str, Any]:
    """Write every file, results.json last; returns its content."""
    from .errors import write_errors
    from .page import write_page
    from .plots import write_pictures

    folder = found.settings.folder
    begin(folder)
    results = _results(found)
    write_pictures(found, folder)
    write_errors(found, folder)
    write_unreadable(folder, found.embedded.faults)
    write_page(found, results)
    write_results(folder, results, markdown(results))
    return results


def begin(folder: Path) -> None:
    """Make the folder of a report, mark it as unfinished, and remove the parts of files of a start that was killed."""
    from maskgen.core.atomic_writes import remove_parts_of, write_atomic

    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(folder / UNFINISHED, b"`maskgen evaluate` writes here, or was interrupted.\n")
    remove_parts_of(*(folder / name for name in (*FILES, UNFINISHED)))


def write_results(folder: Path, results: dict[str, Any], text: str) -> None:
    """Write results.md and then results.json, in which unknown values are null; the report is finished then."""
    from maskgen.core.atomic_writes import write_atomic

    write_atomic(folder / TEXT, text.encode())
    data = json.dumps(plain(results), indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    write_atomic(folder / RESULTS, data.encode())
    (folder / UNFINISHED).unlink(missing_ok=True)


def write_unreadable(folder: Path, faults: Sequence[tuple[str, str]]) -> None:
    """Write unreadable.csv (`path,reason`) if any picture is unreadable."""
    from maskgen.manifests.checks.picture_files import as_array
    from maskgen.manifests.csv_table import write_columns

    if faults:
        columns = [as_array(column) for column in zip(*faults, strict=True)]
        write_columns(folder / UNREADABLE, ("path", "reason"), columns)
    else:
        (folder / UNREADABLE).unlink(missing_ok=True)


def plain(value: Any) -> Any:
    """NaN and infinities as None, so that every JSON reader accepts the file."""
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def header(found: Any) -> dict[str, Any]:
    """The entries that every results.json starts with: model, settings, pictures, and people known from training."""
    settings, embedder = found.settings, found.embedder
    return {
        "maskgen": __version__,
        "model": {"given": settings.model, "name": embedder.name, "dim": embedder.dim, "size": embedder.size}
        | {"alignment": embedder.alignment or None},
        "seed": settings.seed,
        "replicates": settings.replicates,
        "pictures": {"listed": len(found.embedded.readable), "unreadable": len(found.embedded.faults)}
        | {"alignment": found.alignment or None},
        "trained_on": found.trained_on,
    }


def _results(found: Evaluation) -> dict[str, Any]:
    pairs = len(found.judged.pairs)
    return {
        **header(found),
        "data": str(found.settings.data),
        "pairs": {"listed": pairs + found.judged.left_out, "judged": pairs, "left_out": found.judged.left_out},
        "eval": _eval(found),
        "threshold": {"value": found.threshold.value, "source": found.threshold.source},
        "splits": {
            name: {"reason": one} if isinstance(one, str) else _split(one) for name, one in found.splits.items()
        },
        "fixed_fmr": None if found.fixed_fmr is None else _fixed_fmr(found.fixed_fmr),
        "benchmark": found.benchmark,
        "genuine_pairs_of_one_photograph": found.of_one_photograph,
        "notes": [*([_NAMELESS] if found.fixed_fmr is None else []), *_one_photograph(found), *_notes(found.splits)],
    }


def _one_photograph(found: Evaluation) -> list[str]:
    """The note on genuine pairs that are too easy."""
    if not (alike := found.of_one_photograph):
        return []
    genuine = counted(int(found.judged.same.sum()), "genuine test pair")
    return [
        f"{alike:,} of {genuine} {are(alike)} two pictures of one photograph, which agree in all but the mask: the "
        "figures are too good; write the lists without --allow-same-source."
    ]


def _fixed_fmr(found: FixedFmr) -> dict[str, Any]:
    """Errors at a fixed false match rate, or the reason why the threshold cannot be set."""
    head = {"fmr_asked": found.asked, "pictures": found.pictures, "people": found.people}
    head["comparisons_of_one_photograph"] = found.one_photograph
    if found.reason:
        return {**head, "reason": found.reason}
    sorts = {
        name: {"genuine": one.genuine, "impostor": one.impostor, "fnmr": _rate(one.fnmr, one.interval), "fmr": one.fmr}
        for name, one in found.sorts.items()
    }
    return {**head, "threshold": found.threshold, "comparisons": sorts}


def _notes(splits: Mapping[str, Verification | str]) -> list[str]:
    """The subsets with too few people, each sentence once."""
    sentences: dict[str, list[str]] = {}
    for name, one in splits.items():
        if not isinstance(one, str) and one.few_people:
            sentences.setdefault(one.few_people, []).append(name)
    # A note on all pairs applies to each subset.
    whole = [sentence for sentence, names in sentences.items() if "all" in names]
    return whole or [f"{', '.join(names)}: {sentence}" for sentence, names in sentences.items()]


def _eval(found: Evaluation) -> dict[str, Any] | None:
    overlap = found.threshold.overlap
    if overlap is None:
        return None
    return {"iou": overlap.iou, "threshold": overlap.threshold, "degenerate": overlap.degenerate}


def _split(one: Verification) -> dict[str, Any]:
    rates, counts = one.rates, one.confusion
    tar = {f"{at.far:g}": {**_rate(at.tar, one.intervals.get(f"tar@{at.far:g}")), "threshold": at.threshold}
           | ({"reason": at.reason} if at.reason else {}) for at in one.tar_at}  # fmt: skip
    return {
        "same": counts.same_same + counts.same_different,
        "different": counts.different_same + counts.different_different,
        **{name: _rate(rates[name], one.intervals.get(name)) for name in ("accuracy", "auc", "eer")},
        "tar_at_far": tar,
        "confusion": asdict(counts),
        "classes": {name: asdict(numbers) for name, numbers in counts.report().items()},
        "ten_fold": _folds(one),
    }


def _rate(value: float, interval: Interval | None) -> dict[str, Any]:
    """A rate, with its interval if it has one."""
    return {"value": value} | ({} if interval is None else asdict(interval))


def _folds(one: Verification) -> dict[str, Any]:
    if one.folds is None:
        return {"reason": one.no_folds}
    folds = one.folds
    return {
        "mean": folds.mean,
        "deviation": folds.deviation,
        "standard_error": folds.error,
        "accuracies": folds.accuracies.tolist(),
    }
