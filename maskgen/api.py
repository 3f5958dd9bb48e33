"""The calls of the library: a masker and its results, one photograph masked, drawn people for a first try.

Example:
    from maskgen import mask_photo
    masked = mask_photo("photograph.jpg", "n95")     # or bytes, a PIL image, uint8 RGB (height, width, 3)
    masked.image, masked.coverage, masked.record
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from maskgen.any_picture import Picture
from maskgen.core.alignment_names import DEFAULT_SIDE
from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import encode_image
from maskgen.faces.detect import Detector, MtcnnDetector
from maskgen.faces.landmarks import Landmarker
from maskgen.masker.masker import Masker
from maskgen.masker.results import MaskedFace, Output
from maskgen.masker.settings import MaskerSettings
from maskgen.points.given_faces import Marks
from maskgen.points.mark import Mark

__all__ = ["MaskedFace", "Masker", "MaskerSettings", "Output", "draw_sample", "mask_photo"]


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
    given: Marks | Mark | None = None,
    parts: bool = False,
) -> MaskedFace:
    """Render a mask onto the main face of a picture.

    Args:
        image: a path, a picture file's bytes, a PIL image, or uint8 RGB (height, width, 3).
        kind: one mask as `--kinds` takes it, without a weight: a name that `maskgen kinds` lists, "surgical:teal",
            "cloth:red+dots", "cloth:print.png", the folder of a template, or "world".
        seed: another seed varies the position of the mask slightly, with "world" the whole mask.
        size: side of an aligned crop in pixels, 32..2048; None for the whole picture.
        given: the picture's faces if known, each a `Mark`, or its one face; otherwise they are detected.
        parts: also return the mask part of each pixel.

    Raises:
        SetAsideError: no usable face, with its `reason`.
        UserError: the kind does not exist, or another value is out of range.
        ValueError: an array of another shape or type.
        TypeError: the kind is not a string, the image no picture, or a given face no `Mark`.

    Example:
        >>> from skimage.data import astronaut
        >>> mask_photo(astronaut(), "n95").record["kind"]
        'n95'
    """
    if not isinstance(kind, str):
        raise TypeError(f"kind is the name of one mask, such as 'n95', not {kind!r}")
    crop = "none" if size is None else "face"
    side = DEFAULT_SIDE if size is None else size
    settings = MaskerSettings((kind,), seed=seed, crop=crop, size=side, parts=parts)
    return _masker(settings).mask(image, given)


def draw_sample(folder: Path | str, people: int, each: int, seed: int = 0) -> None:
    """Write drawn people as FOLDER/PERSON/NN.png; the same seed writes the same bytes."""
    from maskgen.people import sample_people  # not needed for masking

    for name, number, portrait in sample_people(people, each, seed):
        own = Path(folder) / name
        own.mkdir(parents=True, exist_ok=True)
        write_atomic(own / f"{number:02d}.png", encode_image(portrait.image, "png"))
