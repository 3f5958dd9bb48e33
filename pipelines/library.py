"""The only place where commands load the library's heavy parts, when work begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from maskgen.core.images import Photo
    from maskgen.core.reasons import SetAsideError
    from maskgen.core.records import Face
    from maskgen.points.mark import Mark

    from .mask.settings import MaskSettings


class Masker(Protocol):
    """What a shard asks of the library: see `maskgen.api.Masker`."""

    timings: dict[str, float]

    def process(
        self,
        keys: Sequence[str],
        photos: Sequence[Photo],
        known: Sequence[Sequence[Face]] | None = None,
        given: Sequence[Sequence[Mark | SetAsideError]] | None = None,
    ) -> Sequence[Sequence[Any] | SetAsideError]:
        """One entry a photograph, in order; `known` are faces that need not be looked for, `given` those of a file."""
        ...


MaskerFactory = Callable[["MaskSettings"], Masker]


def load_masker(settings: MaskSettings) -> Masker:
    """The library's masker for a run's settings, with its networks and templates loaded."""
    from maskgen.api import Masker, MaskerSettings
    from maskgen.faces.detect import MtcnnDetector

    known: dict[str, Any] = {
        name: getattr(settings, name)
        for name in (
            "kinds",
            "wear",
            "size",
            "align",
            "margin",
            "crop",
            "faces",
            "seed",
            "landmarks",
            "landmarks_model",
            "per_photo",
            "bare",
            "min_trust",
            "masked_input",
        )
    }
    known |= {"unmasked_share": settings.unmasked_share, "max_pixels": settings.max_pixels}
    known |= {"parts": settings.classes, "occluders": settings.occluders}
    # Of given boxes, too, the detector sees what is cut around one.
    in_the_middle = settings.aligned or settings.points is not None
    return Masker(MaskerSettings(**known), MtcnnDetector(settings.device, in_the_middle))


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise UserError, with the nearest names, for a mask that there is not."""
    from maskgen.masks.kinds import load_kinds

    load_kinds(kinds)


def check_device(device: str) -> None:
    """Raise UserError for a device that there is not."""
    if device == "cpu":
        return  # nothing to ask PyTorch, which takes a second to import
    from maskgen.faces.mtcnn.nets import check_device as check

    check(device)


def portrait() -> Photo:
    """The built-in portrait: scikit-image's astronaut, which is in the public domain."""
    import hashlib

    from skimage import data

    from maskgen.core.images import Photo

    load: Any = data.astronaut  # it has no types
    image = load()
    return Photo(image, hashlib.sha256(image.tobytes()).hexdigest())
