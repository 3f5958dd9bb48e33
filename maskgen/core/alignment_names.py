"""Names of crop alignments, and the sizes that each allows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from maskgen.core.reasons import UserError

MASKGEN, ARCFACE, ARCFACE_SCALED, FACENET = "maskgen", "arcface", "arcface-scaled", "facenet"
ALIGNMENTS = (MASKGEN, ARCFACE, ARCFACE_SCALED, FACENET)
DEFAULT_ALIGNMENT = MASKGEN
ARCFACE_SIDE = 112  # pixels; the side for which InsightFace states its template
DEFAULT_SIDE = 160  # pixels
ARCFACE_128 = "arcface-128"  # the catalogue's name for crops by InsightFace's rule at multiples of 128 pixels
NOT_CUT = "none"  # whole photographs
STORED = (MASKGEN, ARCFACE, ARCFACE_128, FACENET)
# Share of the crop added around the face. With it the eyes of a frontal face are 0.3 of the crop's side apart: the
# whole chin, the ears' roots and the hair's edge are inside, as recognition models of 112 to 160 pixels expect.
DEFAULT_MARGIN = 0.15
# The margin of crops that were cut with another one than the default: "maskgen-0.5", "facenet-0.0875".
_WITH_MARGIN = re.compile(rf"({MASKGEN}|{FACENET})-([0-9]+(?:\.[0-9]+)?)")


@dataclass(frozen=True, slots=True)
class StoredCut:
    """How crops of a stored alignment are cut: `--align`, `--margin` as it is typed, None for the default, `--size`."""

    align: str
    margin: float | None
    size: int

    @property
    def options(self) -> str:
        """As a command line has them; the size where the margin or the alignment depends on it."""
        margin = "" if self.margin is None else f" --margin {self.margin:g}"
        sized = self.align == ARCFACE or (self.align == FACENET and margin)
        return f"--align {self.align}{margin}" + (f" --size {self.size}" if sized else "")


def default_side(name: str) -> int:
    """The side of a crop where none is given, in pixels: 112 for "arcface", which has no template at 160."""
    return ARCFACE_SIDE if name == ARCFACE else DEFAULT_SIDE


def stored_alignment(name: str, size: int, margin: float | None = None) -> str:
    """The alignment's name in catalogues and lists: the same name for the same positions of eyes and mouth.

    Another margin than the default moves them, so it is part of the name: as typed for "maskgen", as a share of the
    side for "facenet".

    Args:
        size: side of the crop in pixels.
        margin: as `check_alignment` takes it; None for the default.

    Example:
        >>> stored_alignment("arcface", 112), stored_alignment("arcface", 256), stored_alignment("arcface-scaled", 256)
        ('arcface', 'arcface-128', 'arcface')
        >>> stored_alignment("maskgen", 160, 0.5), stored_alignment("facenet", 160, 14)
        ('maskgen-0.5', 'facenet-0.0875')
    """
    if name == ARCFACE and size % ARCFACE_SIDE:
        return ARCFACE_128
    if name in (ARCFACE, ARCFACE_SCALED):
        return ARCFACE
    usual = DEFAULT_MARGIN if name == MASKGEN else 0.0
    share = usual if margin is None else margin if name == MASKGEN else margin / size
    text = f"{share:.4f}".rstrip("0").rstrip(".")
    return name if float(text) == usual else f"{name}-{text}"


def stored_cut(stored: str, size: int) -> StoredCut | None:
    """How to cut crops of a stored alignment, None where the name is not one.

    Args:
        stored: as `stored_alignment` gives it.
        size: side of the crops where the alignment leaves it open.

    Example:
        >>> stored_cut("facenet-0.0875", 160), stored_cut("arcface-128", 160)
        (StoredCut(align='facenet', margin=14.0, size=160), StoredCut(align='arcface', margin=None, size=128))
    """
    if stored in STORED:
        sizes = {ARCFACE: ARCFACE_SIDE, ARCFACE_128: 128}
        return StoredCut(ARCFACE if stored in sizes else stored, None, sizes.get(stored, size))
    said = _WITH_MARGIN.fullmatch(stored)
    if said is None:
        return None
    name, margin = said[1], float(said[2])
    if margin > (4 if name == MASKGEN else 1 - 1 / size):
        return None
    return StoredCut(name, margin if name == MASKGEN else margin * size, size)


def mismatch(pictures: str, model: str) -> bool:
    """Whether the pictures' alignment differs from the model's; False if one is unknown ("")."""
    return bool(pictures and model) and pictures != model


def check_alignment(name: str, size: int, margin: float | None = None) -> None:
    """Check that an alignment exists and allows the size and the margin.

    Args:
        size: side of the crop in pixels.
        margin: as given; None for the default.

    Raises:
        UserError: an invalid combination; the message names valid ones.
    """
    if name not in ALIGNMENTS:
        raise UserError(f"--align {name} is unknown: give {', '.join(ALIGNMENTS[:-1])} or {ALIGNMENTS[-1]}.")
    if name == ARCFACE and size % ARCFACE_SIDE and size % 128:
        raise UserError(
            f"--align arcface is InsightFace's template, which is defined for multiples of 112 and of 128 pixels, not "
            f"for --size {size}: give --size 112, or --align {ARCFACE_SCALED} for the template at any size."
        )
    if name in (ARCFACE, ARCFACE_SCALED) and margin is not None:
        raise UserError(f"--align {name} has no margin: leave out --margin.")
    if name == MASKGEN and margin is not None and not 0 <= margin <= 4:
        raise UserError(f"--margin {margin} is out of range: give 0.0 to 4.0.")
    if name == FACENET and margin is not None and not 0 <= margin < size:
        raise UserError(
            f"--margin {margin:g} is out of range: with --align facenet it is pixels of the crop, 0 to {size - 1}."
        )
