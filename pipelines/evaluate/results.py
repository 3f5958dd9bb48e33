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
    """The test pairs that could be judged: rows of the lists' pictures, and what was measured on them.

    Attributes:
        pairs: int64 (n, 2).
        people: int64 (n, 2).
        same: bool (n,).
        distances: float32 (n,).
        left_out: how many more there are, of which a picture cannot be read.
    """

    pairs: Ints
    people: Ints
    same: Bools
    distances: Floats
    left_out: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """The distance up to which two pictures are taken for one person, and where it comes from."""

    value: float
    source: str
    overlap: Overlap | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that was found.

    Attributes:
        kinds, yaws: of the pictures, float64 (n,) the yaws; "" and NaN where nothing says.
        alignment: of the pictures, "" where it is not known.
        splits: by split a `Verification`, or why there is none.
        rows: which of the pairs each split holds.
        fixed_fmr: None where the lists do not tell people apart.
        benchmark: what results.json says of the benchmark, None where there is none.
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
    fixed_fmr: FixedFmr | None = None
    benchmark: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GalleryEvaluation:
    """Everything that was found: `enrolled` and `probes`, int64, are rows of the gallery's list.

    `alignment` is that of its pictures.
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
