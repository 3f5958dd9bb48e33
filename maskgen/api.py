"""From photographs to masked faces: the module that combines face detection and mask rendering.

from maskgen import mask_photo
masked = mask_photo("photograph.jpg", "n95")     # or bytes, a PIL image, uint8 RGB (height, width, 3)
masked.image, masked.coverage, masked.record
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from maskgen.any_picture import Picture, photo_from
from maskgen.core.alignment_names import DEFAULT_ALIGNMENT, NOT_CUT, stored_alignment
from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import DEFAULT_MAX_PIXELS, Photo, encode_image
from maskgen.core.kindspec import DEFAULT_KINDS, DEFAULT_MIN_TRUST, FARTHEST_PITCH, FARTHEST_YAW, parse_kind, parse_wear
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Crop, Face, Floats, Image, Mask
from maskgen.faces.already_masked import MASKED_FROM, mask_scores
from maskgen.faces.catalogue_columns import face_columns
from maskgen.faces.choose import with_face_place
from maskgen.faces.crop_by_alignment import CropSettings, crop_face, stretch_to_square, stretched_matrix
from maskgen.faces.detect import Detector, MtcnnDetector
from maskgen.faces.landmarkers.by_name import DLIB, landmarker_by_name
from maskgen.faces.landmarks import Landmarker
from maskgen.faces.locate import Looks, detect_for, faces_with_landmarks, look
from maskgen.faces.trust import trust
from maskgen.faces.upright_crop import whole_photograph
from maskgen.masks.apply_mask import (
    AnalysedFace,
    MaskedPicture,
    MaskMaterial,
    analyse_faces,
    apply_mask,
    occluders_of,
    within_pose_limits,
)
from maskgen.masks.kind import Kind
from maskgen.masks.kinds import load_kind, load_kinds
from maskgen.masks.lighting.jpeg_blocks import compress_mask_as_jpeg
from maskgen.masks.occluders.find import Occluders
from maskgen.masks.plan import kind_order, plan_of_kind, stays_bare
from maskgen.points.given_faces import Marks, faces_from_marks

BARE = "bare"
TOGETHER = 64


@dataclass(frozen=True, slots=True)
class MaskerSettings:
    """The settings that decide the pixels of a masked face.

    Attributes:
        kinds: the masks to choose from, as on the command line, with weights: see `core.kindspec`; empty for the five
            default ones.
        wear: wearing positions, of "proper", "nose_out", "chin_out" and "under_chin", with weights: ("proper=3",
            "nose_out=1").
        size: side of the aligned crop in pixels.
        align: "maskgen", "arcface", "arcface-scaled" or "facenet", see `faces.crop_by_alignment`.
        margin: with "maskgen" the share of the face added around it; with "facenet" pixels of the crop; None for the
            alignment's default.
        crop: "face" for the aligned crop, "none" for the whole photograph in its own pixels.
        faces: "subject", "largest", "central" or "all", see `faces.choose`.
        per_photo: "random" for one kind drawn for each photograph, "all", or how many different ones.
        bare: also return the picture without a mask.
        min_trust: faces with landmarks of lower trust are set aside, 0..1, see `faces.trust`.
        landmarks: "dlib" for dlib's 68-point model, or another one in `landmarks_model`; "own" for this program's own.
        max_yaw, max_pitch: degrees, at most 80 and 90; faces turned or tilted further are set aside.
        unmasked_share: share of photographs, 0..1, that stay bare.
        masked_input: "set-aside" for faces that already wear a mask, see `faces.already_masked`, or "keep".
        parts: also return the mask part of each pixel.
        occluders: "ignore", or "keep" to keep hair and glasses in front of the mask, see `masks.occluders`.
    """

    kinds: tuple[str, ...] = ()
    wear: tuple[str, ...] = ("proper",)
    size: int = 160
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


@dataclass(frozen=True, slots=True)
class Output:
    """One picture: `image`, `coverage` uint8 (height, width) or None, and its row for the catalogue.

    `kind` is a mask's name or "bare", of several faces in one picture the first one's; `others` are the rows of the
    further faces of a whole photograph; `variant` counts the masks of one face from 0; `face_index` is 0 for the face
    that counts most; `parts`, uint8 (height, width), holds values of `masks.template.PARTS`, 0 where no mask is; None
    where the settings do not ask for it.
    """

    kind: str
    variant: int
    face_index: int
    image: Image
    coverage: Mask | None
    row: dict[str, Any]
    others: tuple[dict[str, Any], ...] = ()
    parts: Mask | None = None


@dataclass(frozen=True, slots=True, repr=False)
class MaskedFace:
    """What `mask_photo` gives back: `image` uint8 RGB, `coverage` uint8 (height, width), and what is known of them.

    `record` is the catalogue's row; `parts`, uint8 (height, width), see `Output`, where it was asked for. A notebook
    shows the picture.
    """

    image: Image
    coverage: Mask
    record: dict[str, Any]
    parts: Mask | None = None

    def __repr__(self) -> str:
        """One line for a terminal."""
        height, width = self.image.shape[:2]
        row = self.record
        return f"MaskedFace({row['kind']}, {width}x{height} pixels, yaw {row['yaw']:g}, trust {row['trust']:g})"

    def _repr_png_(self) -> bytes:
        """The picture for a notebook."""
        return encode_image(self.image, "png")


@dataclass(frozen=True, slots=True)
class _CutFace:
    """One face in the output picture, before its analysis."""

    face: Face
    crop: Crop
    points68: np.ndarray
    trust: float
    photo: Photo


@dataclass(frozen=True, slots=True)
class _AnalysedSubject:
    """One face in the output picture, analysed once for all masks; `columns` are those of the catalogue that all of
    its masks have in common, see `_face_columns`."""

    face: Face
    crop: Crop
    analysed: AnalysedFace
    quality: int | None
    columns: dict[str, Any]
    occluders: Occluders | None = None


@dataclass(frozen=True, slots=True)
class _PlacedMask:
    """The placement of a rendered mask on one face; the pictures themselves are not kept."""

    subject: _AnalysedSubject
    kind: Kind
    wearing: str
    look: str
    cloth: MaskMaterial
    outline: list[Floats]
    in_front: float


@dataclass(slots=True)
class Masker:
    """Detects faces and renders masks onto them; keeps its networks and templates between calls.

    `timings` adds up seconds by stage. `landmarker` is one that other maskers use too; None for one of its own, of the
    settings' model. `made` are kinds made already, see `masks.kinds.printed_kind`, in the place of those of the
    settings that have their names. One thread at a time may call a masker, or maskers that share a detector or
    landmarker. It pickles as its settings: another process makes networks and templates again.

    Example:
        >>> from skimage.data import astronaut
        >>> Masker(MaskerSettings(("n95",), crop="none")).mask(astronaut()).record["kind"]
        'n95'
    """

    settings: MaskerSettings
    detector: Detector = field(default_factory=MtcnnDetector)
    timings: dict[str, float] = field(default_factory=dict)
    landmarker: Landmarker | None = None
    made: tuple[Kind, ...] = ()
    _landmarker: Landmarker = field(init=False)
    _kinds: list[Kind] = field(init=False)
    _weights: np.ndarray = field(init=False)
    _wear: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self._landmarker = self.landmarker or landmarker_by_name(self.settings.landmarks, self.settings.landmarks_model)
        texts = self.settings.kinds or DEFAULT_KINDS
        made = {kind.name: kind for kind in self.made}
        named = [made.get(parse_kind(text).name) or load_kind(parse_kind(text).text) for text in texts]
        self._kinds = named if made else load_kinds(texts)
        self._weights = np.array([parse_kind(text).weight for text in texts])
        self._wear = dict(map(parse_wear, self.settings.wear))

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process makes it again from its settings, detector and landmarker."""
        return type(self), (self.settings, self.detector, {}, self.landmarker, self.made)

    def mask(self, picture: Picture, given: Marks | None = None, key: str | None = None) -> MaskedFace:
        """Render a mask onto the main face of one picture.

        Args:
            picture: a path, a picture file's bytes, a PIL image, an array (see `pictures`) or a Photo.
            given: its faces if known, see `process`.
            key: the key of the random draws; the hash of the picture by default.

        Raises:
            SetAsideError: no usable face, or not a picture, with its `reason`.
            ValueError: an array of another shape or type.
        """
        photo = photo_from(picture, self.settings.max_pixels)
        (result,) = self.process([key or photo.sha256], [photo], given=None if given is None else [given])
        if isinstance(result, SetAsideError):
            raise result
        masked = [one for one in result if isinstance(one, Output)]
        faults = [one for one in result if isinstance(one, SetAsideError)]
        if not masked:
            raise faults[0]
        assert masked[0].coverage is not None
        return MaskedFace(masked[0].image, masked[0].coverage, masked[0].row, masked[0].parts)

    def process(
        self,
        keys: Sequence[str],
        photos: Sequence[Photo],
        known: Sequence[Sequence[Face]] | None = None,
        given: Sequence[Marks] | None = None,
    ) -> list[list[Output | SetAsideError] | SetAsideError]:
        """The outputs of each photograph, in order; results do not depend on what else is in the call.

        Args:
            keys: the key of each photograph's random draws, such as the hash of its bytes.
            known: for each photograph the faces that an earlier call selected in it (see `faces.catalogue_columns`),
            none where it
                is to be detected.
            given: for each photograph one or more given faces (see `maskgen.points`), used in place of detection and of
                `known`.

        Returns:
            For each photograph a list of outputs, with a SetAsideError in place of each further face that could not be
            used (without any output where there are several such faces and no other), or one SetAsideError.
        """
        kept: Looks = {}
        faces = self._detected(photos, known, kept) if given is None else self._given(photos, given)
        if self.settings.masked_input != "keep":
            faces = self._without_masked(photos, faces, kept)
        return [result for some in _together(faces) for result in self._some(keys[some], photos[some], faces[some])]

    def _given(self, photos: Sequence[Photo], given: Sequence[Marks]) -> Sequence[Sequence[Face | SetAsideError]]:
        with self._stage("points"):
            images = [photo.image for photo in photos]
            return faces_from_marks(images, given, self.settings.faces, self.detector, self._landmarker)

    def _detected(
        self, photos: Sequence[Photo], known: Sequence[Sequence[Face]] | None, kept: Looks
    ) -> Sequence[Sequence[Face | SetAsideError]]:
        """The faces of each photograph, detected where none are known."""
        known = [()] * len(photos) if known is None else known
        search = [at for at, faces in enumerate(known) if not faces]
        images = [photos[at].image for at in search]
        with self._stage("find"):
            detections = detect_for(self.detector, images, self.settings.faces)
        with self._stage("points"):
            marked = faces_with_landmarks(
                images, detections, self.settings.faces, self._landmarker, self.detector, kept
            )
        found = dict(zip(search, marked, strict=True))
        return [found[at] if at in found else known[at] for at in range(len(photos))]

    def _without_masked(
        self, photos: Sequence[Photo], faces: Sequence[Sequence[Face | SetAsideError]], kept: Looks
    ) -> list[list[Face | SetAsideError]]:
        """The faces, with a fault in place of each that already wears a mask."""
        with self._stage("masked input"):
            each = [(photo.image, face) for photo, own in zip(photos, faces, strict=True) for face in own]
            seen = [look(image, face.detection.points5, kept) for image, face in each if isinstance(face, Face)]
            scores = iter(mask_scores(seen).tolist())
        return [
            [_unless_masked(face, next(scores)) if isinstance(face, Face) else face for face in own] for own in faces
        ]

    def _some(
        self, keys: Sequence[str], photos: Sequence[Photo], faces: Sequence[Sequence[Face | SetAsideError]]
    ) -> Iterator[list[Output | SetAsideError] | SetAsideError]:
        """The outputs of some photographs with their faces, analysed in one batch."""
        cut = [[self._cut(photo, face) for face in each] for photo, each in zip(photos, faces, strict=True)]
        studied = iter(self._analysed([one for each in cut for one in each if isinstance(one, _CutFace)]))
        for key, each in zip(keys, cut, strict=True):
            yield self._one(key, [next(studied) if isinstance(one, _CutFace) else one for one in each])

    def _one(
        self, key: str, faces: Sequence[_AnalysedSubject | SetAsideError]
    ) -> list[Output | SetAsideError] | SetAsideError:
        subjects = [face for face in faces if isinstance(face, _AnalysedSubject)]
        faults = [face for face in faces if isinstance(face, SetAsideError)]
        whole_photograph = self.settings.crop == "none" and subjects
        groups = [subjects] if whole_photograph else [[subject] for subject in subjects]
        results = [result for group in groups for result in self._outputs(key, group)]
        outputs = [result for result in results if isinstance(result, Output)]
        # A face that no mask fits has the same fault for every kind.
        failed = {str(result): result for result in results if isinstance(result, SetAsideError)}
        faults += failed.values()
        return [*outputs, *faults] if len(outputs) + len(faults) > 1 else [*outputs] or faults[0]

    def _cut(self, photo: Photo, face: Face | SetAsideError) -> _CutFace | SetAsideError:
        if isinstance(face, SetAsideError):
            return face
        sure = trust(face)
        if sure < self.settings.min_trust:
            fault = SetAsideError(Reason.DOUBTFUL_FIT, f"trust {sure:.2f}, less than {self.settings.min_trust:g}")
            return _told(fault, face)
        with self._stage("align"):
            crop = whole_photograph(photo.image) if self.settings.crop == "none" else self._aligned(photo.image, face)
        return _CutFace(face, crop, crop.carry(face.points68), sure, photo)

    def _analysed(self, faces: Sequence[_CutFace]) -> list[_AnalysedSubject | SetAsideError]:
        with self._stage("study"):
            wholes = [at.photo.image for at in faces]
            studied = analyse_faces([at.crop.image for at in faces], [at.points68 for at in faces], wholes)
            analysed_faces = within_pose_limits(studied, self.settings.max_yaw, self.settings.max_pitch)
            fronts = [self._before(at.crop.image, analysed) for at, analysed in zip(faces, analysed_faces, strict=True)]
        return [
            _told(analysed, at.face)
            if isinstance(analysed, SetAsideError)
            else _AnalysedSubject(
                at.face, at.crop, analysed, at.photo.quality, _face_columns(self.settings, at, analysed), occluders
            )
            for at, analysed, occluders in zip(faces, analysed_faces, fronts, strict=True)
        ]

    def _before(self, image: Image, analysed: AnalysedFace | SetAsideError) -> Occluders | None:
        """The occluders in front of a face, with occluders="keep"."""
        if self.settings.occluders == "ignore" or isinstance(analysed, SetAsideError):
            return None
        return occluders_of(image, analysed)

    def _aligned(self, image: Image, face: Face) -> Crop:
        return crop_face(image, face, CropSettings(self.settings.align, self.settings.size, self.settings.margin))

    def _outputs(self, key: str, group: list[_AnalysedSubject]) -> Iterator[Output | SetAsideError]:
        """Masked pictures of one crop, or of a whole photograph with all its faces; also the bare one if requested."""
        index = group[0].face.index
        drawn = [self._drawn_kinds(key, subject.face.index) for subject in group]
        for variant, kinds in enumerate(zip(*drawn, strict=True)):
            yield from self._masked(key, group, kinds, variant)
        if self.settings.bare or not drawn[0]:
            image = stretch_to_square(group[0].crop.image, group[0].crop.square)
            row, *others = [_row(self.settings, subject, None, 0) for subject in group]
            none = np.zeros(image.shape[:2], np.uint8)
            yield Output(BARE, 0, index, image, none, row, tuple(others), none if self.settings.parts else None)

    def _drawn_kinds(self, key: str, index: int) -> list[Kind]:
        """The kinds for this face, none if it stays bare; each further face has its own order."""
        settings = self.settings
        if stays_bare(settings.seed, key, settings.unmasked_share):
            return []
        if len(self._kinds) == 1 or (settings.per_photo == "all" and not index):
            return self._kinds
        many = {"random": 1, "all": len(self._kinds)}.get(str(settings.per_photo)) or int(settings.per_photo)
        return [self._kinds[at] for at in kind_order(settings.seed, key, index, self._weights)[:many]]

    def _masked(
        self, key: str, group: list[_AnalysedSubject], kinds: Sequence[Kind], variant: int
    ) -> Iterator[Output | SetAsideError]:
        """The picture with each face's mask on it, and a fault for each face that its mask does not fit."""
        image, coverage, parts = group[0].crop.image, np.zeros(0, np.uint8), None
        put: list[_PlacedMask] = []
        for subject, kind in zip(group, kinds, strict=True):
            try:
                one = self._dressed(key, image, subject, kind)
            except SetAsideError as fault:
                yield _told(fault, subject.face)
                continue
            image, coverage = one.image, np.maximum(coverage, one.coverage) if put else one.coverage
            parts = one.parts if parts is None or one.parts is None else np.where(one.parts > 0, one.parts, parts)
            put.append(_PlacedMask(subject, kind, one.wearing, one.look, one.cloth, one.outline, one.in_front))
        if put:
            row, *others = [_row(self.settings, one.subject, one, variant) for one in put]
            square = group[0].crop.square
            image, coverage = stretch_to_square(image, square), stretch_to_square(coverage, square)
            parts = None if parts is None else stretch_to_square(parts, square, cv2.INTER_NEAREST)
            # The first face's kind names the picture, whether it could be put on or not: no two have one name.
            yield Output(kinds[0].name, variant, group[0].face.index, image, coverage, row, tuple(others), parts)

    def _dressed(self, key: str, image: Image, subject: _AnalysedSubject, kind: Kind) -> MaskedPicture:
        with self._stage("wear"):
            plan = plan_of_kind(self.settings.seed, key, subject.face.index, kind.name, self._wear)
            one = apply_mask(image, subject.analysed, plan, kind, self.settings.parts, subject.occluders)
            return replace(
                one, image=compress_mask_as_jpeg(one.image, one.coverage, subject.crop.matrix, subject.quality)
            )

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + time.perf_counter() - start


def _together(faces: Sequence[Sequence[Face | SetAsideError]]) -> Iterator[slice]:
    """Groups of consecutive photographs with about TOGETHER faces, whose crops are in memory at one time."""
    first = count = 0
    for end, each in enumerate(faces, 1):
        count += len(each)
        if count >= TOGETHER or end == len(faces):
            yield slice(first, end)
            first, count = end, 0


def _unless_masked(face: Face, score: float) -> Face | SetAsideError:
    if score <= MASKED_FROM:
        return face
    return _told(SetAsideError(Reason.ALREADY_MASKED, f"mask score {score:.2f}, more than {MASKED_FROM:g}"), face)


def _told(fault: SetAsideError, face: Face) -> SetAsideError:
    """The fault, with the face's position if the photograph has others."""
    return with_face_place(fault, face.detection) if face.of > 1 else fault


def _alignment(settings: MaskerSettings) -> str:
    if settings.crop != "face":
        return NOT_CUT
    return stored_alignment(settings.align, settings.size, settings.margin)


def _row(settings: MaskerSettings, subject: _AnalysedSubject, put: _PlacedMask | None, variant: int) -> dict[str, Any]:
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


def _face_columns(settings: MaskerSettings, one: _CutFace, analysed: AnalysedFace) -> dict[str, Any]:
    """The columns of `_row` that do not depend on the mask."""
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


_ONE_AT_A_TIME = threading.Lock()  # a masker's networks run one call at a time


@cache
def _finders() -> tuple[Detector, Landmarker]:
    """The detector and landmarker, created once per process."""
    return MtcnnDetector(), Landmarker()


@lru_cache(maxsize=16)
def _masker(settings: MaskerSettings) -> Masker:
    """The masker of `mask_photo`, kept for the next call."""
    detector, landmarker = _finders()
    return Masker(settings, detector, landmarker=landmarker)


def mask_photo(
    image: Picture,
    kind: str = "surgical_blue",
    *,
    seed: int = 0,
    size: int | None = None,
    given: Marks | None = None,
    parts: bool = False,
) -> MaskedFace:
    """Render a mask onto the main face of a picture.

    Args:
        image: a path, a picture file's bytes, a PIL image, or uint8 RGB (height, width, 3).
        kind: a mask's name, as `maskgen kinds` lists them.
        seed: another seed varies the position of the mask slightly.
        size: side of an aligned crop in pixels; None for the whole picture.
        given: the picture's faces if known, each a `Mark`; otherwise they are detected.
        parts: also return the mask part of each pixel.

    Raises:
        SetAsideError: no usable face, with its `reason`.
        UserError: the kind does not exist.

    Example:
        >>> from skimage.data import astronaut
        >>> mask_photo(astronaut(), "n95").record["kind"]
        'n95'
    """
    crop = "none" if size is None else "face"
    settings = MaskerSettings((kind,), seed=seed, crop=crop, size=size or 160, parts=parts)
    with _ONE_AT_A_TIME:
        return _masker(settings).mask(image, given)


def draw_sample(folder: Path, people: int, each: int, seed: int = 0) -> None:
    """Write drawn people as FOLDER/PERSON/NN.png; the same seed writes the same bytes."""
    from maskgen.people import sample_people  # not needed for masking

    for name, number, portrait in sample_people(people, each, seed):
        (folder / name).mkdir(parents=True, exist_ok=True)
        write_atomic(folder / name / f"{number:02d}.png", encode_image(portrait.image, "png"))
