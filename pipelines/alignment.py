"""Whether pictures are aligned as a model needs them, or as other pictures are: a mismatch is refused or told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maskgen.core.alignments import mismatch, stored_cut
from maskgen.core.reasons import UserError

from .reports.progress import Notify

if TYPE_CHECKING:
    from maskgen.embedders.base import FaceEmbedder

allow_misaligned = click.option(
    "--allow-misaligned",
    is_flag=True,
    help="Go on where pictures and model, or two sets of pictures, are not aligned alike.",
)


def refuse_mismatch(pictures: str, model: str, sentence: str, allowed: bool, notify: Notify) -> None:
    """Raise UserError where pictures are not aligned as is needed, or warn where that is allowed.

    Args:
        pictures, model: see `core.alignments`; "" where it is not known, which fits everything.
        sentence: what is wrong, without a full stop.
    """
    if not mismatch(pictures, model):
        return
    if allowed:
        notify(f"Warning: {sentence}.")
        return
    cut = stored_cut(model, 160)
    again = f"cut the pictures with {cut.options}" if cut else "cut the pictures alike"
    raise UserError(f"{sentence}: {again}, or give --allow-misaligned.")


def check_pictures(embedder: FaceEmbedder, pictures: str, allowed: bool, notify: Notify) -> None:
    """Raise UserError where a model was trained on crops of another alignment; a model that comes as it is only warns.

    Args:
        pictures: the alignment of the list's crops, "" where it is not known.
    """
    sentence = f"{embedder.name} takes crops aligned as {embedder.alignment}, and these are aligned as {pictures}"
    refuse_mismatch(pictures, embedder.alignment, sentence, allowed or not embedder.needs_alignment, notify)
