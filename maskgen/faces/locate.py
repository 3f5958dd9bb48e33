"""From what a detector found to the faces that are meant, with their 68 points."""

from __future__ import annotations

from collections.abc import Sequence

from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Face, Floats, Image
from maskgen.faces.choose import choose
from maskgen.faces.landmarks import Landmarker
from maskgen.faces.stored import rounded_face

Faces = list[Face | SetAsideError]


def faces_with_landmarks(
    images: Sequence[Image], detections: Sequence[Sequence[Detection]], which: str, landmarker: Landmarker
) -> list[Faces]:
    """The faces that are meant in each picture, with a fault in the place of one, or of all, that cannot be used.

    Args:
        which: "largest", "central" or "all", see `faces.choose`.
    """
    meant = [_meant(found, image.shape[:2], which) for image, found in zip(images, detections, strict=True)]
    # All faces of all pictures at once: that is how their points are found fast.
    points = iter(
        landmarker.points68_of(
            [
                (image, one)
                for image, own in zip(images, meant, strict=True)
                for one in own
                if isinstance(one, Detection)
            ]
        )
    )
    return [
        [
            one if isinstance(one, SetAsideError) else _face(one, next(points), index, len(found))
            for index, one in enumerate(own)
        ]
        for own, found in zip(meant, detections, strict=True)
    ]


def _meant(found: Sequence[Detection], shape: tuple[int, int], which: str) -> list[Detection | SetAsideError]:
    try:
        return [*choose(found, shape, which)]
    except SetAsideError as fault:
        return [fault]


def _face(detection: Detection, points68: Floats | SetAsideError, index: int, of: int) -> Face | SetAsideError:
    return points68 if isinstance(points68, SetAsideError) else rounded_face(Face(detection, points68, index, of))
