"""What a command that writes one file may replace: no input, and no file of another origin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from maskgen.core.reasons import UserError


def refuse_out(out: Path, suffix: str, inputs: Iterable[Path], model: str) -> None:
    """Raise UserError where OUT is an input or has another suffix.

    Args:
        suffix: of the file that is written, `.onnx`.
        inputs: files that the command reads; the model's is added.
        model: as `open_embedder` takes it.
    """
    from maskgen.embedders.model_names import NAMES

    files = [*inputs, *([] if model in NAMES else [Path(model)])]
    if any(_is_one_file(out, one) for one in files):
        raise UserError(f"OUT {out} is an input of this command: name another file.")
    if out.suffix.lower() != suffix:
        raise UserError(f"OUT {out} does not end with {suffix}: name a file such as {out.with_suffix(suffix)}.")


def refuse_foreign(out: Path, command: str, is_own: Callable[[Path], bool]) -> None:
    """Raise UserError where OUT exists and `is_own` says that the command did not write it."""
    if out.exists() and not is_own(out):
        raise UserError(f"OUT {out} is there already and is not of `maskgen {command}`: name another file.")


def _is_one_file(out: Path, other: Path) -> bool:
    return out.exists() and other.exists() and out.samefile(other)
