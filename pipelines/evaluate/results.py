"""What `maskgen evaluate --data` measures, before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..embedding import Embedded
from .settings import EvaluateSettings

if TYPE_CHECKING:
    from maskgen.core.records import Floats
    from maskgen.embedders.base import FaceEmbedder
    from maskgen.manifests.lists import PairLists
    from maskgen.manifests.schema import Bools, Ints
    from maskgen.metrics.fixed_fmr import FixedFmr
    from maskgen.metrics.overlap import Overlap
    from maskgen.metrics.verification import Verification


@dataclass(frozen=True, slots=True)
class Judged:
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
        splits: by split a `Verification`, or why there is none.
        fixed_fmr: None where the lists do not tell people apart.
        benchmark: what results.json says of the benchmark, None where there is none.
    """

    settings: EvaluateSettings
    embedder: FaceEmbedder
    lists: PairLists
    embedded: Embedded
    threshold: Threshold
    judged: Judged
    kinds: list[str]
    splits: dict[str, Verification | str]
    fixed_fmr: FixedFmr | None = None
    benchmark: dict[str, Any] | None = None
