"""The settings of a masker."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from maskgen.core.alignment_names import DEFAULT_ALIGNMENT, DEFAULT_SIDE
from maskgen.core.images import DEFAULT_MAX_PIXELS
from maskgen.core.kindspec import DEFAULT_KINDS, DEFAULT_MIN_TRUST, FARTHEST_PITCH, FARTHEST_YAW, texts_of
from maskgen.core.reasons import UserError, check_flag
from maskgen.faces.landmarkers.by_name import DLIB
from maskgen.masker.limits import check_mask_settings


@dataclass(frozen=True, slots=True)
class MaskerSettings:
    """The settings that decide the pixels of a masked face.

    Attributes:
        kinds: the masks to choose from, as on the command line, with weights: see `core.kindspec`; empty for the five
            default ones. A list, an iterator or one text becomes a tuple, as in `wear`.
        wear: wearing positions, of "proper", "nose_out", "chin_out" and "under_chin", with weights: ("proper=3",
            "nose_out=1").
        size: side of the aligned crop in pixels, 32..2048; with "arcface" a multiple of 112 or of 128.
        align: "maskgen", "arcface", "arcface-scaled" or "facenet", see `faces.crop_by_alignment`.
        margin: with "maskgen" the share of the face added around it; with "facenet" pixels of the crop; None for the
            alignment's default.
        crop: "face" for the aligned crop, "none" for the whole photograph in its own pixels: without size, align and
            margin.
        faces: "subject", "largest", "central" or "all", see `faces.choose`.
        seed: of all random draws, -2**63..2**64 - 1; the same seed, key and settings give the same pictures.
        per_photo: "random" for one kind drawn for each photograph, "all", or how many different ones.
        bare: also return the picture without a mask.
        min_trust: faces with landmarks of lower trust are set aside, 0..1, see `faces.trust`.
        landmarks: "dlib" for dlib's 68-point model, or another one in `landmarks_model`; "own" for this program's own.
        max_yaw, max_pitch: degrees, at most 80 and 90; faces turned or tilted further are set aside.
        unmasked_share: share of photographs, 0..1, that stay bare.
        masked_input: "set-aside" for faces that already wear a mask, see `faces.already_masked`, or "keep".
        max_pixels: larger pictures are set aside before they are decoded, 1..2**31 pixels.
        parts: also return the mask part of each pixel.
        occluders: "ignore", or "keep" to keep what stands in front of the mask, see `masks.occluders`.

    Raises:
        UserError: a value that the option of `maskgen mask` may not have either, or two that contradict each other; the
            message names valid ones.
    """

    kinds: tuple[str, ...] = ()
    wear: tuple[str, ...] = ("proper",)
    size: int = DEFAULT_SIDE
    align: str = DEFAULT_ALIGNMENT
    margin: float | None = None
    crop: str = "face"
    faces: str = "subject"
    seed: int = 0
    landmarks: str = DLIB
    landmarks_model: Path | None = None
    per_photo: str | int = "random"
    bare: bool = False
    min_trust: float = DEFAULT_MIN_TRUST
    unmasked_share: float = 0.0
    masked_input: str = "set-aside"
    max_pixels: int = DEFAULT_MAX_PIXELS
    parts: bool = False
    occluders: str = "ignore"
    max_yaw: float = FARTHEST_YAW
    max_pitch: float = FARTHEST_PITCH

    def __post_init__(self) -> None:
        for name in ("kinds", "wear"):
            object.__setattr__(self, name, texts_of(getattr(self, name), f"--{name}"))
        check_mask_settings(self, self.kinds or DEFAULT_KINDS)
        check_flag("parts", self.parts)
        object.__setattr__(self, "seed", int(self.seed))  # another type of number would draw otherwise
        usual = {one.name: one.default for one in fields(self)}
        idle = [f"--{name}" for name in ("size", "align", "margin") if getattr(self, name) != usual[name]]
        if self.crop == "none" and idle:
            raise UserError(f"--crop none keeps the photograph's own pixels: leave out {' and '.join(idle)}.")
