"""Masks as data augmentation: `MaskAugment`, and transforms for albumentations and torchvision that use it.

Neither library is imported here: `maskgen.augment.albumentations` and `maskgen.augment.torchvision` import theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from maskgen.core.kindspec import DEFAULT_KINDS, texts_of
from maskgen.core.reasons import SetAsideError, check_flag
from maskgen.core.records import Floats, Image, check_image, check_pixels
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.upright_crop import five_points
from maskgen.masker.masker import Masker
from maskgen.masker.results import MaskedFace
from maskgen.masker.settings import MaskerSettings
from maskgen.points.mark import Mark, given_numbers, is_mirrored, mirrored

__all__ = ["MaskAugment", "mark_of"]


def mark_of(points: ArrayLike | None = None, box: ArrayLike | None = None) -> Mark | None:
    """The face given by points or a box; None without both.

    Args:
        points: five or 68 points, (n, 2) or more columns, of which x and y are taken, or flat x, y, x, y, ... as the
            catalogue's `points5` and `points68` are; points of a picture that was mirrored afterwards are reordered.
        box: x0, y0, x1, y1.

    Raises:
        ValueError: they have another shape, or are not a valid face.
    """
    return _face(*_shaped(points, box))


def _face(points: Floats | None, box: Floats | None) -> Mark | None:
    if points is None and box is None:
        return None
    return Mark(box, None if points is None else _in_order(points))


def _shaped(points: ArrayLike | None, box: ArrayLike | None) -> tuple[Floats | None, Floats | None]:
    """Points (5, 2) or (68, 2) and box (4,), whatever their values in pixels.

    Raises:
        ValueError: they have another shape, or are shares of the picture's sides.
    """
    xy = None if points is None else given_numbers(points, "points")
    if xy is not None:
        pairs = xy.reshape(-1, 2) if xy.ndim == 1 and xy.size % 2 == 0 else xy
        if pairs.ndim != 2 or len(pairs) not in (5, 68) or pairs.shape[1] < 2:
            raise ValueError(f"expected 5 or 68 points, (n, 2), got {xy.shape}")
        xy = np.ascontiguousarray(pairs[:, :2])
        check_pixels(xy, "all points lie")
    corners = None if box is None else given_numbers(box, "a box")
    if corners is not None and corners.size != 4:
        raise ValueError(f"expected a box of four numbers, x0, y0, x1, y1, got {corners.shape}")
    if corners is not None:
        check_pixels(corners, "the box lies")
    return xy, None if corners is None else corners.reshape(4)


def _in_order(points: Floats) -> Floats:
    if not np.isfinite(points).all():  # `Mark` says so
        return points
    return mirrored(points) if is_mirrored(five_points(points) if len(points) == 68 else points) else points


class MaskAugment:
    """Renders a mask onto the face of a picture; the same key gives the same mask. It pickles, and works after a fork.

    Args:
        kinds: the masks to draw from, as on the command line, with weights, or one text; "world" samples masks as they
            occur in public.
        wear: wearing positions, with weights.
        aligned: pictures are crops with one centred face; with points no face is detected in any case.
        min_trust: faces whose landmarks are less reliable stay bare, 0..1.
        strict: raise SetAsideError where no mask can be rendered; otherwise the picture stays unchanged.

    Raises:
        UserError: an invalid value.

    Example:
        >>> from skimage.data import astronaut
        >>> augment = MaskAugment(("n95",))
        >>> augment(astronaut(), key="first").shape
        (512, 512, 3)
    """

    def __init__(
        self,
        kinds: Sequence[str] = DEFAULT_KINDS,
        wear: Sequence[str] = ("proper",),
        *,
        aligned: bool = False,
        min_trust: float = 0.0,
        strict: bool = False,
    ) -> None:
        check_flag("aligned", aligned)
        check_flag("strict", strict)
        texts, positions = texts_of(kinds, "--kinds"), texts_of(wear, "--wear")
        settings = MaskerSettings(texts, positions, crop="none", min_trust=min_trust)
        self._masker = Masker(settings, MtcnnDetector(aligned=aligned))
        self.strict = strict

    def mask(
        self, image: Image, key: str, points: ArrayLike | None = None, box: ArrayLike | None = None
    ) -> MaskedFace | None:
        """The masked picture with its record; None if no mask can be rendered.

        Args:
            image: uint8 RGB (height, width, 3).
            key: the key of the random draws.
            points: see `mark_of`; without points and box the face is detected.
            box: see `mark_of`.

        Raises:
            ValueError: `image`, points or box have another shape or type, or are shares of the picture's sides; with
                `strict` also if a number is not finite, or the box has no area.
            TypeError: the key is no text.
            SetAsideError: with `strict`, if no mask can be rendered.
        """
        check_image(image)
        xy, corners = _shaped(points, box)  # a shape or unit is the program's fault, and values are the picture's
        try:
            mark = _face(xy, corners)
            return self._masker.mask(np.ascontiguousarray(image), None if mark is None else [mark], key)
        except (SetAsideError, ValueError):
            if self.strict:
                raise
            return None

    def __call__(self, image: Image, key: str, points: ArrayLike | None = None, box: ArrayLike | None = None) -> Image:
        """The picture with a mask, or unchanged; see `mask`."""
        masked = self.mask(image, key, points, box)
        return image if masked is None else masked.image
