"""A face on its way through a masker: cut, analysed, with a mask on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from maskgen.core.images import Photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Crop, Face, Floats
from maskgen.masks.apply_mask import AnalysedFace, MaskMaterial
from maskgen.masks.kind import Kind
from maskgen.masks.occluders.find import Occluders
from maskgen.masks.occluders.photograph_edge import PhotographEdge
from maskgen.masks.render import PlacedMask


@dataclass(frozen=True, slots=True)
class CutFace:
    """One face in the output picture, before its analysis."""

    face: Face
    crop: Crop
    points68: np.ndarray
    trust: float
    photo: Photo


@dataclass(frozen=True, slots=True)
class AnalysedSubject:
    """One face in the output picture, analysed once for all masks; `columns` are those of the catalogue that all of
    its masks have in common, see `columns_of_face`; `edge` is the photograph's in the crop, None if the crop lies
    within it."""

    face: Face
    crop: Crop
    analysed: AnalysedFace
    quality: int | None
    columns: dict[str, Any]
    occluders: Occluders | None = None
    edge: PhotographEdge | None = None


class PlacedSubject(NamedTuple):
    """One face with each of its masks in its place, or why that does not fit it."""

    subject: AnalysedSubject
    masks: list[tuple[Kind, PlacedMask | SetAsideError]]


@dataclass(frozen=True, slots=True)
class WornMask:
    """A rendered mask on one face; the pictures themselves are not kept."""

    subject: AnalysedSubject
    kind: Kind
    wearing: str
    look: str
    cloth: MaskMaterial
    outline: list[Floats]
    in_front: float
