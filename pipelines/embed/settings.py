"""Settings of `maskgen embed`, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskgen.core.reasons import UserError

from ..checks import check_device_name, check_place, check_range

TRAIN, GALLERY = "train.csv", "gallery.csv"  # of `maskgen pairs` and `maskgen gallery`


@dataclass(frozen=True, slots=True)
class EmbedSettings:
    """All settings of `maskgen embed MODEL LIST.csv OUT.parquet`.

    Example:
        maskgen embed dlib lists/train.csv train.parquet

    Raises:
        UserError: a value that cannot be used.
    """

    model: str
    list_file: Path
    out: Path
    device: str = "cpu"
    workers: int = 2
    trust_pickle: bool = False
    input_file: Path | None = None
    allow_misaligned: bool = False

    def __post_init__(self) -> None:
        if self.list_file.is_dir():
            inside = self.list_file / (GALLERY if (self.list_file / GALLERY).is_file() else TRAIN)
            raise UserError(f"{self.list_file} is a folder: name a list in it, as {inside}.")
        if not self.list_file.is_file():
            raise UserError(
                f"{self.list_file} is not there: give a list that `maskgen pairs` or `maskgen gallery` wrote."
            )
        check_place("OUT", self.out.parent)
        check_range("--workers", self.workers, 1, 4096)
        check_device_name(self.device)
        if self.out.is_dir():
            raise UserError(f"{self.out} is a folder: name the file to write, as {self.out / 'embeddings.parquet'}.")
