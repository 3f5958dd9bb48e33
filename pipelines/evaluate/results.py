"""What `maskgen evaluate` measures, before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..embedding import Embedded
from .settings import EvaluateSettings

if TYPE_CHECKING:
    from maskgen.core.records import Doubles, Floats
    from maskgen.embedders.base import FaceEmbedder
    from maskgen.manifests.lists import ImageList, PairLists
    from maskgen.manifests.schema import Bools, Ints
    from maskgen.metrics.fixed_fmr import FixedFmr
    from maskgen.metrics.histogram_iou import Overlap
    from maskgen.metrics.identification import Identification, Search
    from maskgen.metrics.verification import Verification


@dataclass(frozen=True, slots=True)
class MeasuredPairs:
    """The test pairs that could be evaluated: rows of the lists' pictures, and their distances.

    Attributes:
        pairs: int64 (n, 2).
        people: int64 (n, 2).
        same: bool (n,).
        distances: float32 (n,).
        left_out: the number of pairs with an unreadable picture.
    """

    pairs: Ints
    people: Ints
    same: Bools
    distances: Floats
    left_out: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """The distance up to which two pictures match, and the pairs that it was chosen on."""

    value: float
    source: str
    overlap: Overlap | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of an evaluation on pairs.

    Attributes:
        kinds, yaws: of the pictures; yaws are float64 (n,). "" and NaN where unknown.
        alignment: of the pictures, "" where unknown.
        splits: a `Verification` by subset, or the reason why there is none.
        rows: the pairs of each subset, bool (n,).
        trained_on: the entry of results.json on the people who are in the model's training set, too.
        of_one_photograph: the number of genuine pairs of two pictures of one photograph.
        fixed_fmr: None where the lists do not identify people.
        benchmark: the entry of results.json on the benchmark, None without one.
    """

    settings: EvaluateSettings
    embedder: FaceEmbedder
    alignment: str
    lists: PairLists
    embedded: Embedded
    threshold: Threshold
    judged: MeasuredPairs
    kinds: list[str]
    yaws: Doubles
    splits: dict[str, Verification | str]
    rows: dict[str, Bools]
    trained_on: dict[str, Any]
    of_one_photograph: int
    fixed_fmr: FixedFmr | None = None
    benchmark: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GalleryEvaluation:
    """The result of an evaluation on a gallery: `enrolled` and `probes`, int64, are rows of the gallery's list.

    `alignment` is that of its pictures, `trained_on` as in `Evaluation`, `of_one_photograph` the number of probes that
    are left out, since their photograph is enrolled, too.
    """

    settings: EvaluateSettings
    embedder: FaceEmbedder
    alignment: str
    gallery: ImageList
    embedded: Embedded
    enrolled: Ints
    probes: Ints
    search: Search
    result: Identification
    trained_on: dict[str, Any]
    of_one_photograph: int
