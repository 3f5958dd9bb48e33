"""Settings of `maskgen gallery`, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskgen.core.alignment_names import DEFAULT_ALIGNMENT, DEFAULT_SIDE, check_alignment
from maskgen.core.reasons import UserError

from ..checks import LANDMARKS, MAX_PIXELS, check_choice, check_place, check_range, show_path

EACH = (3, 3)
DOUBTFUL = ("keep", "drop")

GALLERY = "gallery.csv"
PHOTOGRAPHS = "the photographs"  # in settings.json: the digest of SOURCE


@dataclass(frozen=True, slots=True)
class GallerySettings:
    """All settings of `maskgen gallery SOURCE OUT`.

    Example:
        maskgen gallery registered gallery --expect 3,3 --keep-original

    Cost: about 25 one-megapixel photographs a second if the first detection succeeds, a tenth of that with the search
    in several views.

    Raises:
        UserError: a value that cannot be used.
    """

    source: Path
    out: Path
    masked_pattern: str | None = None
    simulate: bool = False
    expect: tuple[int, int] | None = None
    keep_original: bool = False
    doubtful: str = "drop"
    size: int = DEFAULT_SIDE
    align: str = DEFAULT_ALIGNMENT
    margin: float | None = None
    seed: int = 0
    max_pixels: int = MAX_PIXELS
    landmarks: str = "dlib"
    device: str = "cpu"
    overwrite: bool = False

    def __post_init__(self) -> None:
        check_place("OUT", self.out)
        check_choice("--doubtful", self.doubtful, DOUBTFUL)
        check_range("--size", self.size, 32, 2048)
        check_choice("--landmarks", self.landmarks, LANDMARKS)
        check_alignment(self.align, self.size, self.margin)
        check_range("--seed", self.seed, -(2**63), 2**63 - 1)
        check_range("--max-pixels", self.max_pixels, 1, 2**31)
        for number in self.expect or ():
            check_range("--expect", number, 0, 100_000)
        if self.simulate and (self.masked_pattern or self.keep_original):
            raise UserError("--simulate takes a run's pictures: leave out --masked-pattern and --keep-original.")
        if self.simulate and 0 in self.each:
            raise UserError("--simulate needs at least one bare and one masked picture: give --expect 3,3.")

    @property
    def each(self) -> tuple[int, int]:
        """The numbers of bare and masked pictures of a simulated person."""
        return self.expect or EACH

    def deciding(self, photographs: str) -> dict[str, object]:
        """The settings that decide the gallery, by option name.

        Args:
            photographs: the digest of SOURCE.
        """
        return {
            "SOURCE": show_path(self.source.resolve()),
            PHOTOGRAPHS: photographs,
            "--masked-pattern": self.masked_pattern,
            "--simulate": self.simulate,
            "--expect": list(self.expect) if self.expect else None,
            "--keep-original": self.keep_original,
            "--doubtful": self.doubtful,
            "--size": self.size,
            "--align": self.align,
            "--margin": self.margin,
            "--seed": self.seed,
            "--max-pixels": self.max_pixels,
            "--landmarks": self.landmarks,
            "--device": self.device.partition(":")[0],
        }
