"""`maskgen evaluate --data`: the threshold from the eval lists, all other numbers on the test pairs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from maskgen.core.reasons import UserError, counted

from ..alignment_checks import check_pictures
from ..embedding import Embedded, embed_all, open_model
from ..reports.progress import Notify
from ..trained_people import trained_people
from .results import Evaluation, MeasuredPairs, Threshold
from .settings import EvaluateSettings

if TYPE_CHECKING:
    from maskgen.core.records import Doubles
    from maskgen.embedders.base import FaceEmbedder
    from maskgen.manifests.lists import PairLists
    from maskgen.manifests.schema import Bools, Ints
    from maskgen.metrics.fixed_fmr import FixedFmr
    from maskgen.metrics.verification import Verification


def run_evaluate(settings: EvaluateSettings, notify: Notify) -> dict[str, Any]:
    """Evaluate a model on lists and write the report; returns the content of results.json.

    Raises:
        UserError: the lists or the model cannot be used.
    """
    return evaluate_lists(settings, notify)


def evaluate_lists(
    settings: EvaluateSettings,
    notify: Notify,
    about: dict[str, Any] | None = None,
    all_comparisons: bool = True,
    known: tuple[FaceEmbedder, str] | None = None,
) -> dict[str, Any]:
    """As `run_evaluate`.

    Args:
        about: the report's entry on the benchmark that the lists were made from.
        all_comparisons: the lists identify people, so pictures of different pairs can be compared.
        known: the model and the alignment of the pictures, if already loaded.
    """
    from .report import write_report
    from .splits import splits

    lists, test = _lists(settings)
    trained_on = about["trained_on"] if about else _trained_on(settings, lists, test)
    embedder, alignment = known or _model_and_alignment(settings, lists)
    check_pictures(embedder, alignment, settings.allow_misaligned, notify)
    notify(f"embedding {counted(len(lists.addresses), 'picture')} with {embedder.name}")
    embedded = embed_all(embedder, lists.root, lists.addresses, settings.workers, notify)
    judged = _judged(lists, test, embedded)
    _refuse_one_sort(judged, lists.root / test)
    threshold = _threshold(lists, test, embedded, judged, settings.seed)
    notify("measuring")
    kinds, yaws, photographs = _labels(lists)
    rows = {split.name: split.rows for split in splits(kinds, judged.pairs)}
    found = {name: _verified(settings, judged, own, threshold) for name, own in rows.items()}
    named = all_comparisons and lists.named[test]
    fixed = _fixed_fmr(settings, kinds, photographs, judged, embedded) if named else None
    return write_report(
        Evaluation(
            settings, embedder, alignment, lists, embedded, threshold, judged, kinds, yaws, found, rows, trained_on,
            _of_one_photograph(judged, photographs), fixed, about,
        )
    )  # fmt: skip


def _trained_on(settings: EvaluateSettings, lists: PairLists, test: str) -> dict[str, Any]:
    """The entry of results.json on the people of the test pairs who are in the model's training set, too."""
    import numpy as np

    trained = trained_people(settings.model)
    if not lists.named[test]:
        return trained.unknown("the pairs do not name their people.")
    return trained.overlap_of_lists(lists.root, np.unique(lists.people[test]).tolist())


def _model_and_alignment(settings: EvaluateSettings, lists: PairLists) -> tuple[FaceEmbedder, str]:
    from maskgen.manifests.list_alignment import alignment_of_list

    embedder = open_model(settings.model, settings.device, settings.trust_pickle, settings.input_file)
    return embedder, alignment_of_list(lists.root, lists.addresses)


def _labels(lists: PairLists) -> tuple[list[str], Doubles, Ints]:
    """The kinds, the yaws and the photographs of the lists' pictures."""
    from maskgen.manifests.mask_labels import mask_kinds_of, photographs_of, yaws_of

    pictures = lists.root, lists.addresses
    return mask_kinds_of(*pictures), yaws_of(*pictures), photographs_of(*pictures)


def _of_one_photograph(judged: MeasuredPairs, photographs: Ints) -> int:
    """The number of genuine test pairs of two pictures of one photograph."""
    first, second = photographs[judged.pairs].T
    return int((judged.same & (first == second)).sum())


def _fixed_fmr(
    settings: EvaluateSettings, kinds: list[str], photographs: Ints, judged: MeasuredPairs, embedded: Embedded
) -> FixedFmr:
    """FNMR at a fixed FMR, over all pictures whose mask state is known."""
    import numpy as np

    from maskgen.metrics.fixed_fmr import fixed_fmr

    rows, first = np.unique(judged.pairs, return_index=True)
    people = judged.people.ravel()[first]
    known = np.array([kinds[row] != "" for row in rows], np.bool_)
    rows, people = rows[known], people[known]
    masked = np.array([kinds[row] != "bare" for row in rows], np.bool_)
    return fixed_fmr(
        embedded.embeddings[rows],
        people,
        masked,
        replicates=settings.replicates,
        seed=settings.seed,
        photographs=photographs[rows],
    )


def _lists(settings: EvaluateSettings) -> tuple[PairLists, str]:
    """The lists, and the name of the test pairs among them."""
    from maskgen.manifests.formats.lfw_pairs import is_lfw_pairs
    from maskgen.manifests.lists import read_pair_lists, refuse_unfinished
    from maskgen.manifests.schema import EVAL_DIFF, EVAL_SAME, TEST

    data = settings.data or Path()
    test = data / TEST if data.is_dir() else data
    refuse_unfinished(test.parent)
    if not test.is_file():
        raise UserError(f"{test} is not there: give the folder that `maskgen pairs` wrote, or a CSV file of pairs.")
    if test.name in (EVAL_SAME, EVAL_DIFF):
        raise UserError(f"{test} is used for the threshold only: give its folder, or other pairs.")
    if is_lfw_pairs(test):
        raise UserError(
            f"{test} names no files: give it to `maskgen pairs --test-pairs`, and --data what that writes; or give "
            "lines of two paths and 1 or 0, as in pairs_label.txt."
        )
    evals = [test.parent / name for name in (EVAL_SAME, EVAL_DIFF)]
    found = read_pair_lists([*(evals if all(path.is_file() for path in evals) else []), test])
    if not len(found.pairs[test.name]):
        raise UserError(f"{test} holds no pair: give lists with test pairs.")
    return found, test.name


def _judged(lists: PairLists, name: str, embedded: Embedded) -> MeasuredPairs:
    from maskgen.metrics.distances import pair_l2

    pairs = lists.pairs[name]
    good = embedded.readable[pairs].all(axis=1)
    people, same, pairs = lists.people[name][good], lists.same(name)[good], pairs[good]
    distances = pair_l2(embedded.embeddings, pairs[:, 0], pairs[:, 1])
    return MeasuredPairs(pairs, people, same, distances, int((~good).sum()))


def _refuse_one_sort(judged: MeasuredPairs, path: Path) -> None:
    for what, there in (("one person", judged.same.any()), ("different people", (~judged.same).any())):
        if not there:
            raise UserError(
                f"{path} has no pair of {what} that can be read: an evaluation needs genuine and impostor pairs."
            )


def _threshold(lists: PairLists, test: str, embedded: Embedded, judged: MeasuredPairs, seed: int) -> Threshold:
    """The threshold of the eval lists; if they are missing or degenerate, the mean of ten folds of the test pairs."""
    from maskgen.manifests.schema import EVAL_DIFF, EVAL_SAME
    from maskgen.metrics.folds import FOLDS, best_threshold, fold_accuracy
    from maskgen.metrics.histogram_iou import compare_histograms

    overlap = None
    if test not in (EVAL_SAME, EVAL_DIFF) and EVAL_SAME in lists.pairs:
        same, different = (_judged(lists, name, embedded).distances for name in (EVAL_SAME, EVAL_DIFF))
        overlap = compare_histograms(same, different)
        if not overlap.degenerate:
            return Threshold(overlap.threshold, "eval lists", overlap)
    near, far = judged.distances[judged.same], judged.distances[~judged.same]
    if min(len(near), len(far)) < FOLDS:
        return Threshold(best_threshold(near, far), "the test pairs themselves", overlap)
    return Threshold(
        float(fold_accuracy(near, far, seed=seed).thresholds.mean()), "ten folds of the test pairs", overlap
    )


def _verified(
    settings: EvaluateSettings, judged: MeasuredPairs, rows: Bools, threshold: Threshold
) -> Verification | str:
    from maskgen.metrics.bootstrap import PairPeople
    from maskgen.metrics.verification import verify

    from .page import band_rates

    same, different = rows & judged.same, rows & ~judged.same
    if not same.any() or not different.any():
        genuine = counted(int(same.sum()), "same-person pair")
        return f"It has {genuine} and {counted(int(different.sum()), 'different-person pair')}."
    people = PairPeople(judged.people[same, 0], judged.people[different])
    distances = judged.distances
    near, far = distances[same], distances[different]
    return verify(near, far, threshold.value, people, settings.replicates, settings.seed, band_rates(len(far)))
