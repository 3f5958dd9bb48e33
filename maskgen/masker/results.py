"""What a masker gives back: pictures, and their rows for the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maskgen.core.images import encode_image
from maskgen.core.records import Image, Mask


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
