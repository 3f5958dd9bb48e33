"""The masker: photographs to masked faces; combines face detection and mask rendering."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np

from maskgen.any_picture import Picture, photo_from
from maskgen.core.images import Photo
from maskgen.core.kindspec import BARE, DEFAULT_KINDS, parse_kind, parse_wear
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Crop, Face, Image, Mask
from maskgen.faces.already_masked import MASKED_FROM, mask_scores
from maskgen.faces.choose import with_face_place
from maskgen.faces.crop_by_alignment import CropSettings, crop_face, stretch_to_square
from maskgen.faces.detect import Detector, MtcnnDetector
from maskgen.faces.landmarkers.by_name import landmarker_by_name
from maskgen.faces.landmarks import Landmarker
from maskgen.faces.locate import Kept, detect_for, faces_with_landmarks
from maskgen.faces.trust import trust
from maskgen.faces.upright_crop import whole_photograph
from maskgen.masker.arguments import checked_given, checked_known, checked_photos
from maskgen.masker.catalogue_row import catalogue_row, columns_of_face
from maskgen.masker.results import MaskedFace, Output
from maskgen.masker.settings import MaskerSettings
from maskgen.masker.subjects import AnalysedSubject, CutFace, PlacedSubject, WornMask
from maskgen.masker.turns import Turns
from maskgen.masks.apply_mask import (
    AnalysedFace,
    MaskedPicture,
    analyse_faces,
    occluders_of,
    place_mask,
    wear_mask,
    within_pose_limits,
)
from maskgen.masks.kind import Kind
from maskgen.masks.kinds import load_kind, load_kinds
from maskgen.masks.lighting.jpeg_blocks import compress_mask_as_jpeg
from maskgen.masks.occluders.find import Occluders
from maskgen.masks.occluders.photograph_edge import PhotographEdge
from maskgen.masks.part_labels import part_labels
from maskgen.masks.plan import kind_order, plan_of_kind, stays_bare
from maskgen.masks.render import PlacedMask, Window
from maskgen.points.given_faces import Marks, faces_from_marks
from maskgen.points.mark import Mark

TOGETHER = 64


@dataclass(slots=True)
class Masker:
    """Detects faces and renders masks onto them; keeps its networks and templates between calls.

    `timings` adds up seconds by stage. `landmarker` is one that other maskers use too; None for one of its own, of the
    settings' model. `made` are kinds made already, see `masks.kinds.printed_kind`, in the place of those of the
    settings that have their names. Several threads may call a masker: they take turns. Maskers of several threads may
    share a detector and landmarker of this package. It pickles as its settings: another process makes networks and
    templates again.

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
    _turns: Turns = field(init=False, repr=False, compare=False, default_factory=Turns)
    _landmarker: Landmarker = field(init=False)
    _kinds: list[Kind] = field(init=False)
    _weights: np.ndarray = field(init=False)
    _wear: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        self._check_types()
        self._landmarker = self.landmarker or landmarker_by_name(self.settings.landmarks, self.settings.landmarks_model)
        texts = self.settings.kinds or DEFAULT_KINDS
        made = {kind.name: kind for kind in self.made}
        named = [made.get(parse_kind(text).name) or load_kind(text) for text in texts]
        self._kinds = named if made else load_kinds(texts)
        self._weights = np.array([parse_kind(text).weight for text in texts])
        self._wear = dict(map(parse_wear, self.settings.wear))

    def _check_types(self) -> None:
        if not isinstance(self.settings, MaskerSettings):
            raise TypeError(
                f"settings are {self.settings!r}: give MaskerSettings, as in Masker(MaskerSettings(('n95',)))"
            )
        if not isinstance(self.detector, Detector):
            raise TypeError(f"detector is {self.detector!r}: give a Detector, such as MtcnnDetector()")
        if self.landmarker is not None and not isinstance(self.landmarker, Landmarker):
            raise TypeError(f"landmarker is {self.landmarker!r}: give a Landmarker, such as another masker's, or None")

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process makes it again from its settings, detector and landmarker."""
        return type(self), (self.settings, self.detector, {}, self.landmarker, self.made)

    def mask(self, picture: Picture, given: Marks | Mark | None = None, key: str | None = None) -> MaskedFace:
        """Render a mask onto the main face of one picture.

        Args:
            picture: a path, a picture file's bytes, a PIL image, an array (see `pictures`) or a Photo.
            given: its faces if known, see `process`, or its one face.
            key: the key of the random draws; the hash of the picture by default.

        Raises:
            SetAsideError: no usable face, or not a picture, with its `reason`.
            ValueError: an array of another shape or type.
            TypeError: something that is no picture, or no Mark as a given face, or no text as the key.
        """
        photo = photo_from(picture, self.settings.max_pixels)
        marks = None if given is None else [[given] if isinstance(given, Mark) else given]
        (result,) = self.process([photo.sha256 if key is None else key], [photo], given=marks)
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
                none where it is to be detected.
            given: for each photograph one or more given faces (see `maskgen.points`), used in place of detection and of
                `known`.

        Returns:
            For each photograph a list of outputs, with a SetAsideError in place of each further face that could not be
            used (without any output where there are several such faces and no other), or one SetAsideError.

        Raises:
            TypeError: keys that are no texts, or other types of photographs or faces.
            ValueError: another number of keys, or of lists of faces, than of photographs.
        """
        keys, photos = checked_photos(keys, photos)
        given = None if given is None else checked_given(given, len(photos))
        known = None if known is None else checked_known(known, len(photos))
        with self._turns.lock:
            return self._processed(keys, photos, known, given)

    def _processed(
        self,
        keys: Sequence[str],
        photos: Sequence[Photo],
        known: Sequence[Sequence[Face]] | None,
        given: Sequence[Marks] | None,
    ) -> list[list[Output | SetAsideError] | SetAsideError]:
        kept = Kept()
        faces = self._detected(photos, known, kept) if given is None else self._given(photos, given)
        if self.settings.masked_input != "keep":
            faces = self._without_masked(photos, faces, kept)
        return [result for some in _together(faces) for result in self._some(keys[some], photos[some], faces[some])]

    def _given(self, photos: Sequence[Photo], given: Sequence[Marks]) -> Sequence[Sequence[Face | SetAsideError]]:
        with self._stage("points"):
            images = [photo.image for photo in photos]
            return faces_from_marks(images, given, self.settings.faces, self.detector, self._landmarker)

    def _detected(
        self, photos: Sequence[Photo], known: Sequence[Sequence[Face]] | None, kept: Kept
    ) -> Sequence[Sequence[Face | SetAsideError]]:
        """The faces of each photograph, detected where none are known."""
        known = [()] * len(photos) if known is None else known
        search = [at for at, faces in enumerate(known) if not faces]
        images = [photos[at].image for at in search]
        with self._stage("find"):
            detections = detect_for(self.detector, images, self.settings.faces, kept)
        with self._stage("points"):
            marked = faces_with_landmarks(
                images, detections, self.settings.faces, self._landmarker, self.detector, kept
            )
        found = dict(zip(search, marked, strict=True))
        return [found[at] if at in found else known[at] for at in range(len(photos))]

    def _without_masked(
        self, photos: Sequence[Photo], faces: Sequence[Sequence[Face | SetAsideError]], kept: Kept
    ) -> list[list[Face | SetAsideError]]:
        """The faces, with a fault in place of each that already wears a mask."""
        with self._stage("masked input"):
            each = [(photo.image, face) for photo, own in zip(photos, faces, strict=True) for face in own]
            seen = [kept.look(image, face.detection.points5) for image, face in each if isinstance(face, Face)]
            scores = iter(mask_scores(seen).tolist())
        return [
            [_unless_masked(face, next(scores)) if isinstance(face, Face) else face for face in own] for own in faces
        ]

    def _some(
        self, keys: Sequence[str], photos: Sequence[Photo], faces: Sequence[Sequence[Face | SetAsideError]]
    ) -> Iterator[list[Output | SetAsideError] | SetAsideError]:
        """The outputs of some photographs with their faces, analysed in one batch."""
        cut = [[self._cut(photo, face) for face in each] for photo, each in zip(photos, faces, strict=True)]
        studied = iter(self._analysed([one for each in cut for one in each if isinstance(one, CutFace)]))
        analysed = [[next(studied) if isinstance(one, CutFace) else one for one in each] for each in cut]
        # Many masks are placed before the first one is rendered, see `wear_mask`.
        for at in _together(analysed, max(1, TOGETHER // max(self._masks_per_face(), 1))):
            placed = [
                [self._placed(key, one) for one in each] for key, each in zip(keys[at], analysed[at], strict=True)
            ]
            yield from map(self._one, placed)

    def _placed(self, key: str, subject: AnalysedSubject | SetAsideError) -> PlacedSubject | SetAsideError:
        """The face with its masks in their places; none if it stays bare."""
        if isinstance(subject, SetAsideError):
            return subject
        with self._stage("wear"):
            kinds = self._drawn_kinds(key, subject.face.index)
            return PlacedSubject(subject, [(kind, self._place(key, subject, kind)) for kind in kinds])

    def _place(self, key: str, subject: AnalysedSubject, kind: Kind) -> PlacedMask | SetAsideError:
        """One mask in its place, or the fault of a face that it does not fit."""
        plan = plan_of_kind(self.settings.seed, key, subject.face.index, kind.name, self._wear)
        if subject.face.certainty is not None:
            plan = replace(plan, unsure=subject.face.certainty.expected)
        try:
            return place_mask(subject.crop.image.shape[:2], subject.analysed, plan, kind)
        except SetAsideError as fault:
            return fault

    def _one(self, faces: Sequence[PlacedSubject | SetAsideError]) -> list[Output | SetAsideError] | SetAsideError:
        subjects = [face for face in faces if isinstance(face, PlacedSubject)]
        faults = [face for face in faces if isinstance(face, SetAsideError)]
        whole_photograph = self.settings.crop == "none" and subjects
        groups = [subjects] if whole_photograph else [[subject] for subject in subjects]
        results = [result for group in groups for result in self._outputs(group)]
        outputs = [result for result in results if isinstance(result, Output)]
        # A face that no mask fits has the same fault for every kind.
        failed = {str(result): result for result in results if isinstance(result, SetAsideError)}
        faults += failed.values()
        return [*outputs, *faults] if len(outputs) + len(faults) > 1 else [*outputs] or faults[0]

    def _cut(self, photo: Photo, face: Face | SetAsideError) -> CutFace | SetAsideError:
        if isinstance(face, SetAsideError):
            return face
        sure = trust(face)
        if sure < self.settings.min_trust:
            fault = SetAsideError(Reason.DOUBTFUL_FIT, f"trust {sure:.2f}, less than {self.settings.min_trust:g}")
            return _told(fault, face)
        with self._stage("align"):
            crop = whole_photograph(photo.image) if self.settings.crop == "none" else self._aligned(photo.image, face)
        return CutFace(face, crop, crop.carry(face.points68), sure, photo)

    def _analysed(self, faces: Sequence[CutFace]) -> list[AnalysedSubject | SetAsideError]:
        with self._stage("study"):
            wholes = [at.photo.image for at in faces]
            studied = analyse_faces([at.crop.image for at in faces], [at.points68 for at in faces], wholes)
            analysed_faces = within_pose_limits(studied, self.settings.max_yaw, self.settings.max_pitch)
            fronts = [self._before(at.crop.image, analysed) for at, analysed in zip(faces, analysed_faces, strict=True)]
        return [
            _told(analysed, at.face) if isinstance(analysed, SetAsideError) else self._subject(at, analysed, occluders)
            for at, analysed, occluders in zip(faces, analysed_faces, fronts, strict=True)
        ]

    def _subject(self, at: CutFace, analysed: AnalysedFace, occluders: Occluders | None) -> AnalysedSubject:
        edge = PhotographEdge.of(at.crop.image.shape, at.crop.matrix, at.photo.image.shape)
        columns = columns_of_face(self.settings, at, analysed)
        return AnalysedSubject(at.face, at.crop, analysed, at.photo.quality, columns, occluders, edge)

    def _before(self, image: Image, analysed: AnalysedFace | SetAsideError) -> Occluders | None:
        """The occluders in front of a face, with occluders="keep"."""
        if self.settings.occluders == "ignore" or isinstance(analysed, SetAsideError):
            return None
        return occluders_of(image, analysed)

    def _aligned(self, image: Image, face: Face) -> Crop:
        return crop_face(image, face, CropSettings(self.settings.align, self.settings.size, self.settings.margin))

    def _outputs(self, group: list[PlacedSubject]) -> Iterator[Output | SetAsideError]:
        """Masked pictures of one crop, or of a whole photograph with all its faces; also the bare one if requested."""
        for variant in range(len(group[0].masks)):
            yield from self._masked(group, variant)
        if self.settings.bare or not group[0].masks:
            of = group[0].subject
            image = stretch_to_square(of.crop.image, of.crop.square)
            row, *others = [catalogue_row(self.settings, each.subject, None, 0) for each in group]
            none = np.zeros(image.shape[:2], np.uint8)
            yield Output(BARE, 0, of.face.index, image, none, row, tuple(others), none if self.settings.parts else None)

    def _drawn_kinds(self, key: str, index: int) -> list[Kind]:
        """The kinds for this face, none if it stays bare; each further face has its own order."""
        settings = self.settings
        if stays_bare(settings.seed, key, settings.unmasked_share):
            return []
        if len(self._kinds) == 1 or (settings.per_photo == "all" and not index):
            return self._kinds
        order = kind_order(settings.seed, key, index, self._weights)
        return [self._kinds[at] for at in order[: self._masks_per_face()]]

    def _masks_per_face(self) -> int:
        many = str(self.settings.per_photo)
        return {"random": 1, "all": len(self._kinds)}.get(many) or int(many)

    def _masked(self, group: list[PlacedSubject], variant: int) -> Iterator[Output | SetAsideError]:
        """The picture with each face's mask on it, and a fault for each face that its mask does not fit."""
        crop, coverage, parts = group[0].subject.crop, np.zeros(0, np.uint8), None
        image = crop.image
        put: list[WornMask] = []
        for subject, masks in group:
            kind, placed = masks[variant]
            try:
                one = self._dressed(image, subject, placed)
            except SetAsideError as fault:
                yield _told(fault, subject.face)
                continue
            image, coverage = one.image, np.maximum(coverage, one.coverage) if put else one.coverage
            parts = one.parts if parts is None or one.parts is None else np.where(one.parts > 0, one.parts, parts)
            put.append(WornMask(subject, kind, one.wearing, one.look, one.cloth, one.outline, one.in_front))
        if put:
            row, *others = [catalogue_row(self.settings, one.subject, one, variant) for one in put]
            image, coverage = stretch_to_square(image, crop.square), stretch_to_square(coverage, crop.square)
            parts = None if parts is None else _stretched_parts(parts, coverage, crop.square)
            # The first face's kind names the picture, whether it could be put on or not: no two have one name.
            first, (kind, _) = group[0].subject.face.index, group[0].masks[variant]
            yield Output(kind.name, variant, first, image, coverage, row, tuple(others), parts)

    def _dressed(self, image: Image, subject: AnalysedSubject, placed: PlacedMask | SetAsideError) -> MaskedPicture:
        if isinstance(placed, SetAsideError):
            raise placed
        with self._stage("wear"):
            one = wear_mask(image, subject.analysed, placed, self.settings.parts, subject.occluders, subject.edge)
            compress_mask_as_jpeg(one.image, one.coverage, subject.crop.matrix, subject.quality, in_place=True)
            return one

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.timings[name] = self.timings.get(name, 0.0) + time.perf_counter() - start


def _together(faces: Sequence[Sequence[Any]], many: int = TOGETHER) -> Iterator[slice]:
    """Groups of consecutive photographs with about `many` faces, what is made of which is in memory at one time."""
    first = count = 0
    for end, each in enumerate(faces, 1):
        count += len(each)
        if count >= many or end == len(faces):
            yield slice(first, end)
            first, count = end, 0


def _unless_masked(face: Face, score: float) -> Face | SetAsideError:
    if score <= MASKED_FROM:
        return face
    return _told(SetAsideError(Reason.ALREADY_MASKED, f"mask score {score:.2f}, more than {MASKED_FROM:g}"), face)


def _stretched_parts(parts: Mask, coverage: Mask, square: int | None) -> Mask:
    """Part labels stretched to a square, for the pixels that `coverage`, stretched to it, says."""
    if coverage.shape == parts.shape:
        return parts
    # At an edge a pixel's area may be half covered where its middle is not: labels also go to their neighbours.
    side = 2 * math.ceil(max(parts.shape) / min(coverage.shape)) + 1
    wide = np.where(parts > 0, parts, cv2.dilate(parts, np.ones((side, side), np.uint8)))
    whole = Window(0, 0, coverage.shape[1], coverage.shape[0])
    return part_labels(stretch_to_square(wide, square, cv2.INTER_NEAREST), coverage, whole)


def _told(fault: SetAsideError, face: Face) -> SetAsideError:
    """The fault, with the face's position if the photograph has others."""
    return with_face_place(fault, face.detection) if face.of > 1 else fault
