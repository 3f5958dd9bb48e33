"""The names of embedders, without importing any, so that a mistyped name is reported before PyTorch is loaded."""

from __future__ import annotations

import difflib
from pathlib import Path

from maskgen.core.reasons import UserError

MASKED, DLIB, FACENET = "masked", "dlib", "facenet"
ONNX = ".onnx"
NAMES = (MASKED, DLIB, FACENET, *(f"{FACENET}:{weights}" for weights in ("vggface2", "casia-webface")))


def check_model(model: str) -> None:
    """Raise UserError, with the nearest name, for a text that is neither one of NAMES nor an existing path."""
    if not model:
        raise UserError(f"MODEL is empty: name a checkpoint, or one of {', '.join(NAMES[:3])}.")
    if model not in NAMES and not Path(model).exists():
        near = difflib.get_close_matches(model, NAMES, 1)
        hint = f": did you mean {near[0]}?" if near else "."
        raise UserError(f"{model} is neither a checkpoint nor one of {', '.join(NAMES[:3])}{hint}")


def check_input(model: str, input_file: Path | str | None) -> None:
    """Raise UserError for a description of an ONNX file's input that cannot be read, or beside another model."""
    if input_file is None:
        return
    if not (model.endswith(ONNX) and Path(model).is_file()):
        raise UserError(f"--input describes the input of an ONNX file, and {model} is not one: leave it out.")
    from .onnx_input import read_onnx_input

    read_onnx_input(input_file)
