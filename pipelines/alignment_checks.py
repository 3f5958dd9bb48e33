"""Checks that pictures are aligned as a model, or other pictures, need: a mismatch is an error or a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from maskgen.core.alignment_names import mismatch, stored_cut
from maskgen.core.reasons import UserError

from .reports.progress import Notify

if TYPE_CHECKING:
    from maskgen.embedders.base import FaceEmbedder

allow_misaligned = click.option(
    "--allow-misaligned",
    is_flag=True,
    help="Continue with a warning where the alignments of pictures and model, or of two sets of pictures, differ.",
)


def refuse_mismatch(pictures: str, model: str, sentence: str, allowed: bool, notify: Notify) -> None:
    """Raise UserError for a mismatch of alignments, or warn where `--allow-misaligned` is given.

    Args:
        pictures, model: see `core.alignment_names`; "" for unknown, which matches everything.
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
    """Raise UserError where a model was trained on crops of another alignment; pretrained models only warn.

    The model's note is told.

    Args:
        pictures: the alignment of the list's crops, "" where unknown.
    """
    if embedder.note:
        notify(embedder.note)
    sentence = f"{embedder.name} takes crops aligned as {embedder.alignment}, and these are aligned as {pictures}"
    refuse_mismatch(pictures, embedder.alignment, sentence, allowed or not embedder.needs_alignment, notify)
