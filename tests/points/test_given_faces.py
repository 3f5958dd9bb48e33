"""Marked faces on drawn people: used as they are, completed where they give less, and told where they fit nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from drawn_people import drawn_people

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import Photo
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.records import Detection, Face, Floats, Image
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.landmarkers.own import OwnLandmarker
from maskgen.faces.landmarks import Landmarker, Points68
from maskgen.faces.upright_crop import five_points
from maskgen.people.portrait import Portrait
from maskgen.points.given_faces import faces_from_marks
from maskgen.points.mark import Mark, is_mirrored, mirrored

SETTINGS = MaskerSettings(("n95",), bare=True)


@cache
def masker() -> Masker:
    return Masker(SETTINGS, MtcnnDetector(aligned=True))


@cache
def portraits() -> list[Portrait]:
    return [portrait for _, _, portrait in drawn_people(3, 2, seed=3)]


def box_of(points68: Floats) -> Floats:
    """As people mark boxes: from the brows up to the hair, tight at the sides."""
    low, high = points68.min(0), points68.max(0)
    return np.float32([low[0], low[1] - 0.3 * (high[1] - low[1]), high[0], high[1]])


def found(marks: Sequence[Sequence[Mark | SetAsideError]], which: str = "subject") -> list[list[Face | SetAsideError]]:
    images = [portrait.image for portrait in portraits()[: len(marks)]]
    return faces_from_marks(images, marks, which, MtcnnDetector(aligned=True), Landmarker())


def test_68_points_are_used_as_they_are() -> None:
    truth = [portrait.points68 for portrait in portraits()]
    for own, points in zip(found([[Mark(points=points)] for points in truth]), truth, strict=True):
        (face,) = own
        assert isinstance(face, Face) and face.given == "points68"
        np.testing.assert_allclose(face.points68, points, atol=0.006)
        np.testing.assert_allclose(face.detection.points5, five_points(points), atol=0.006)


@pytest.mark.parametrize("kind", ["points5", "box"])
def test_the_68_points_are_found_from_five_points_or_a_box(kind: str) -> None:
    truth = [portrait.points68 for portrait in portraits()]
    marks = [[Mark(box_of(points)) if kind == "box" else Mark(points=five_points(points))] for points in truth]
    for own, points in zip(found(marks), truth, strict=True):
        (face,) = own
        assert isinstance(face, Face), face
        assert face.given == kind
        eyes = np.linalg.norm(points[36:42].mean(0) - points[42:48].mean(0))
        off = np.linalg.norm(face.points68 - points, axis=1)[17:].mean() / eyes
        assert off < 0.12
        if kind == "box":
            np.testing.assert_allclose(face.detection.box, box_of(points), atol=0.006)


def test_a_given_box_says_nothing_of_the_chin() -> None:
    """Only the detector's own box is evidence for landmarks of our own: others end elsewhere."""
    portrait = portraits()[0]
    points, box = five_points(portrait.points68), box_of(portrait.points68)
    marks = [[Mark(made, points)] for made in (box, box + np.float32([0, 0, 0, 40]))]
    found = faces_from_marks([portrait.image] * 2, marks, "subject", MtcnnDetector(aligned=True), OwnLandmarker())
    (one,), (other,) = found
    assert isinstance(one, Face) and isinstance(other, Face)
    assert one.detection.box[3] + 40 == pytest.approx(other.detection.box[3], abs=0.01)
    np.testing.assert_array_equal(one.points68, other.points68)


class Recorder(Landmarker):
    """Keeps what it was asked for."""

    def points68_of(self, faces: Sequence[tuple[Image, Detection]]) -> list[Points68 | SetAsideError]:
        self.asked = [detection for _, detection in faces]
        return super().points68_of(faces)


def test_a_landmark_model_sees_the_detector_s_box_and_not_a_given_one() -> None:
    portrait, detector, landmarker = portraits()[0], MtcnnDetector(aligned=True), Recorder()
    given = np.float32([*(portrait.points68.min(0) - 25), *(portrait.points68.max(0) + 25)])
    ((face,),) = faces_from_marks([portrait.image], [[Mark(given)]], "subject", detector, landmarker)
    ((found, *_),) = detector.detect([portrait.image])
    (asked,) = landmarker.asked
    assert isinstance(face, Face) and np.abs(face.detection.box - given).max() < 0.01
    assert np.abs(asked.box - found.box).max() < 6 < np.abs(asked.box - given).max()
    assert not asked.box_given and face.detection.box_given


def test_what_a_search_found_gives_the_same_pictures_when_it_is_given() -> None:
    photos = [Photo(portrait.image, f"{at}") for at, portrait in enumerate(portraits())]
    keys = [photo.sha256 for photo in photos]
    searched = Masker(SETTINGS).process(keys, photos)
    rows = [result[0].row for result in searched if not isinstance(result, SetAsideError)]  # type: ignore[union-attr]
    assert len(rows) == len(photos)
    marks = [[Mark(points=np.float32(row["source_points68"]).reshape(68, 2))] for row in rows]
    for one, other in zip(masker().process(keys, photos, given=marks), searched, strict=True):
        assert isinstance(one, list) and isinstance(other, list)
        for mine, theirs in zip(one, other, strict=True):
            assert isinstance(mine, Output) and isinstance(theirs, Output)
            np.testing.assert_array_equal(mine.image, theirs.image)
            assert mine.row["given"] == "points68" and "given" not in theirs.row


def test_faults_take_the_place_of_single_faces_or_of_all() -> None:
    points = portraits()[0].points68
    height, width = portraits()[0].image.shape[:2]
    bad = SetAsideError(Reason.BAD_POINTS, "points.csv: it has 3 numbers")
    small = Mark(points=five_points(points) * 0.05)
    outside = Mark(points=points + np.float32([width, height]))
    (all_faces,) = found([[bad, Mark(points=points), small]], "all")
    assert [getattr(face, "reason", None) for face in all_faces] == [None, Reason.TOO_SMALL, Reason.BAD_POINTS]
    (subject,) = found([[bad, Mark(points=points), small]])
    assert [getattr(face, "of", None) for face in subject] == [3]
    for marks, said in (
        ([bad], "3 numbers"),
        ([outside], f"outside the picture of {width}x{height} pixels"),
        ([Mark(np.float32([width + 9, 0, width + 99, 90]))], "box lies outside"),
        ([Mark(np.float32([0, 0, 20, 20]))], "no_face: in the box, face at 0,0 of 20x20 pixels"),
        ([small], "pixels between the eyes"),
        ([Mark(points=np.zeros((68, 2), np.float32))], "pixels between the eyes"),
        ([Mark(points=five_points(points)[[0, 1, 2, 0, 1]])], ""),
    ):
        ((fault,),) = found([marks])
        assert isinstance(fault, SetAsideError) and said in str(fault), (fault, said)


def test_points_of_no_face_end_in_a_reason() -> None:
    rng = np.random.default_rng(0)
    photo = Photo(portraits()[0].image, "0")
    for _ in range(8):
        points = rng.uniform(0, 250, (68, 2)).astype(np.float32)
        marks = [Mark(points=mirrored(points) if is_mirrored(five_points(points)) else points)]
        (result,) = masker().process(["0"], [photo], given=[marks])
        assert isinstance(result, SetAsideError) or all(isinstance(one, (Output, SetAsideError)) for one in result)
