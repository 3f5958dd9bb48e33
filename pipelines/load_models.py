"""The only place where commands load the library's heavy parts, when work begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from maskgen.api import MaskerSettings
    from maskgen.core.images import Photo
    from maskgen.core.reasons import SetAsideError
    from maskgen.core.records import Face
    from maskgen.faces.detect import Detector
    from maskgen.faces.landmarks import Landmarker
    from maskgen.masks.kind import Kind
    from maskgen.points.mark import Mark

    from .mask.settings import MaskSettings


class Masker(Protocol):
    """The part of `maskgen.api.Masker` that a shard uses."""

    timings: dict[str, float]

    def process(
        self,
        keys: Sequence[str],
        photos: Sequence[Photo],
        known: Sequence[Sequence[Face]] | None = None,
        given: Sequence[Sequence[Mark | SetAsideError]] | None = None,
    ) -> Sequence[Sequence[Any] | SetAsideError]:
        """One entry per photograph, in order; `known` are faces of another run, `given` those of a file."""
        ...


MaskerFactory = Callable[["MaskSettings"], Masker]


def load_masker(settings: MaskSettings, made: tuple[Kind, ...] = ()) -> Masker:
    """The library's masker for a run's settings, with its networks and templates loaded; `made` as in
    `maskgen.Masker`."""
    from maskgen.api import Masker
    from maskgen.faces.detect import MtcnnDetector

    # Of given boxes, too, the detector sees what is cut around one.
    in_the_middle = settings.aligned or settings.points is not None
    return Masker(masker_settings(settings), MtcnnDetector(settings.device, in_the_middle), made=made)


def load_finders() -> tuple[Detector, Landmarker]:
    """What finds faces in photographs, for any number of maskers."""
    from maskgen.faces.detect import MtcnnDetector
    from maskgen.faces.landmarks import Landmarker

    return MtcnnDetector(), Landmarker()


def masker_settings(settings: MaskSettings) -> MaskerSettings:
    """What the library is told of a run's settings."""
    from maskgen.api import MaskerSettings

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
            "max_yaw",
            "max_pitch",
            "masked_input",
        )
    }
    if settings.crop == "none":  # the library refuses what is idle; of a run they may tell how SOURCE is aligned
        known = {name: value for name, value in known.items() if name not in ("size", "align", "margin")}
    known |= {"unmasked_share": settings.unmasked_share, "max_pixels": settings.max_pixels}
    known |= {"parts": settings.classes, "occluders": settings.occluders}
    return MaskerSettings(**known)


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise UserError for an unknown mask kind, with the nearest names."""
    from maskgen.masks.kinds import load_kinds

    load_kinds(kinds)


def check_landmarks_model(model: Path | None) -> None:
    """Raise UserError if a file is no 68-point model."""
    if model is None:
        return  # no need to read the installed one
    from maskgen.faces.landmarks import Landmarker

    Landmarker(model)


def check_device(device: str) -> None:
    """Raise UserError for a device that is not available."""
    if device == "cpu":
        return  # no need to import PyTorch, which takes a second
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
