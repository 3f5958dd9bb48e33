"""Settings of `maskgen export`, checked before any work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from maskgen.core.reasons import UserError

from ..checks import check_place


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """All settings of `maskgen export MODEL OUT.onnx`.

    Example:
        maskgen export runs/masked/best model.onnx

    Raises:
        UserError: OUT.onnx is a folder, or cannot be in its folder.
    """

    model: str
    out: Path
    trust_pickle: bool = False

    def __post_init__(self) -> None:
        check_place("OUT", self.out.parent)
        if self.out.is_dir():
            raise UserError(f"{self.out} is a folder: name the file to write, as {self.out / 'model.onnx'}.")
