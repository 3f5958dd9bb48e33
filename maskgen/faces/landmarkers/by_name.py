"""Landmark models by name."""

from __future__ import annotations

from pathlib import Path

from maskgen.core.reasons import UserError
from maskgen.faces.landmarks import Landmarker

DLIB, OWN = "dlib", "own"


def landmarker_by_name(name: str, model: Path | None = None) -> Landmarker:
    """The landmark model with a name.

    Args:
        name: "dlib" for the installed cascade of dlib, "own" for this program's own network.
        model: with "dlib", the file of another dlib shape predictor with 68 landmarks.

    Raises:
        UserError: there is no such name, or the model cannot be used with it.
    """
    if name == OWN and model is None:
        from maskgen.faces.landmarkers.own import OwnLandmarker  # not needed with dlib's

        return OwnLandmarker()
    if name == OWN:
        raise UserError(f"{model} is a model of dlib's: leave it out with landmarks {OWN}, or take landmarks {DLIB}")
    if name != DLIB:
        raise UserError(f"landmarks {name} are unknown: give {DLIB} or {OWN}")
    return Landmarker(model)
