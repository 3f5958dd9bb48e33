"""The catalogue's row of one face."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskgen.core.alignment_names import NOT_CUT, stored_alignment
from maskgen.core.kindspec import BARE
from maskgen.faces.catalogue_columns import face_columns
from maskgen.faces.crop_by_alignment import stretched_matrix
from maskgen.masker.settings import MaskerSettings
from maskgen.masker.subjects import AnalysedSubject, CutFace, WornMask
from maskgen.masks.apply_mask import AnalysedFace, MaskMaterial


def catalogue_row(
    settings: MaskerSettings, subject: AnalysedSubject, put: WornMask | None, variant: int
) -> dict[str, Any]:
    """The catalogue's columns for one face: box and source_* in the photograph's pixels, all else in the output's own,
    degrees."""
    return {
        "kind": put.kind.name if put else BARE,
        "colour": put.kind.colour if put else "",
        "variant": variant,
        **subject.columns,
        "wearing": put.wearing if put else "",
        "look": put.look if put else "",
        **_cloth_columns(put.cloth if put else None),
        **({"in_front": round(put.in_front, 4) if put else 0.0} if settings.occluders == "keep" else {}),
        "outline": [_rounded(subject.crop.stretched(polygon)) for polygon in put.outline] if put else [],
    }


def columns_of_face(settings: MaskerSettings, one: CutFace, analysed: AnalysedFace) -> dict[str, Any]:
    """The columns of `catalogue_row` that do not depend on the mask."""
    face, pose, crop = one.face, analysed.camera.pose(), one.crop
    height, width = (crop.square,) * 2 if crop.square else crop.image.shape[:2]
    return {
        "seed": settings.seed,
        "width": width,
        "height": height,
        "alignment": _alignment(settings),
        "faces_found": face.of,
        **face_columns(face),
        **({"given": face.given} if face.given else {}),
        "matrix": [round(float(v), 6) for v in stretched_matrix(crop).ravel()],
        "points5": _rounded(crop.stretched(crop.carry(face.detection.points5))),
        "points68": _rounded(crop.stretched(one.points68)),
        "yaw": round(pose.yaw, 2),
        "pitch": round(pose.pitch, 2),
        "roll": round(pose.roll, 2),
        "scale": round(pose.scale, 3),
        "trust": round(one.trust, 4),
        "fit_error": round(analysed.fit_error, 4),
    }


def _alignment(settings: MaskerSettings) -> str:
    if settings.crop != "face":
        return NOT_CUT
    return stored_alignment(settings.align, settings.size, settings.margin)


def _cloth_columns(cloth: MaskMaterial | None) -> dict[str, Any]:
    """Columns on the material; `colours` are "#rrggbb" separated by spaces, of the cloth and then of its parts."""
    return {
        "form": cloth.form if cloth else "",
        "print": cloth.print if cloth else "",
        "colours": " ".join(cloth.colours) if cloth else "",
        "translucency": round(cloth.translucency, 3) if cloth else 0.0,
        "wear": round(cloth.wear, 3) if cloth else 0.0,
    }


def _rounded(points: np.ndarray) -> list[float]:
    """x0, y0, x1, y1, ... to a hundredth of a pixel."""
    return np.round(points.ravel().astype(np.float64), 2).tolist()
