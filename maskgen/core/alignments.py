"""Names of crop alignments, and the sizes that each allows."""

from __future__ import annotations

from maskgen.core.reasons import UserError

MASKGEN, ARCFACE, ARCFACE_SCALED, FACENET = "maskgen", "arcface", "arcface-scaled", "facenet"
ALIGNMENTS = (MASKGEN, ARCFACE, ARCFACE_SCALED, FACENET)
DEFAULT_ALIGNMENT = MASKGEN
ARCFACE_SIDE = 112  # pixels; the side for which InsightFace states its template
ARCFACE_128 = "arcface-128"  # the catalogue's name for crops by InsightFace's rule at multiples of 128 pixels
NOT_CUT = "none"  # whole photographs
STORED = (MASKGEN, ARCFACE, ARCFACE_128, FACENET)


def stored_alignment(name: str, size: int) -> str:
    """The alignment's name in catalogues and lists: the same name for the same template.

    Example:
        >>> stored_alignment("arcface", 112), stored_alignment("arcface", 256), stored_alignment("arcface-scaled", 256)
        ('arcface', 'arcface-128', 'arcface')
    """
    if name == ARCFACE and size % ARCFACE_SIDE:
        return ARCFACE_128
    return ARCFACE if name == ARCFACE_SCALED else name


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
