"""Embedders by name: "dlib", "facenet", or a checkpoint's path."""

from __future__ import annotations

import difflib
from pathlib import Path

from maskgen.core.reasons import UserError
from maskgen.trainer.checkpoints import ABOUT, MODEL

from .base import FaceEmbedder
from .dlib_resnet import NAME as DLIB
from .dlib_resnet import dlib_resnet
from .facenet import WEIGHTS, facenet
from .trained import trained

NAMES = (DLIB, "facenet", *(f"facenet:{weights}" for weights in WEIGHTS))
BEST = ("best", "last")  # of a training run's folder, the first that is there


def open_embedder(model: str, device: str = "cpu", trust_pickle: bool = False) -> FaceEmbedder:
    """The embedder that is meant.

    Args:
        model: one of `NAMES`, a checkpoint's folder, a training run's folder (its best checkpoint), or a model file
            of the reference's. A file or folder called as one of the names is meant by `./dlib`.

    Raises:
        UserError: there is no such thing, or it cannot be used here.
    """
    if model == DLIB:
        return dlib_resnet(device)
    if model in NAMES:
        return facenet(model.partition(":")[2] or WEIGHTS[0], device)
    return trained(checkpoint_path(model), device, trust_pickle)


def checkpoint_path(model: str) -> Path:
    """The checkpoint that a path leads to.

    Raises:
        UserError: nothing is there.
    """
    path = Path(model)
    if not path.exists():
        near = difflib.get_close_matches(model, NAMES, 1)
        hint = f": did you mean {near[0]}?" if near else "."
        raise UserError(f"{model} is neither a checkpoint nor one of {', '.join(NAMES[:2])}{hint}")
    if path.name in (MODEL, ABOUT) and (path.parent / ABOUT).is_file():
        return path.parent  # a file of a checkpoint stands for it
    if path.is_dir() and not (path / ABOUT).is_file():
        return next((path / name for name in BEST if (path / name / ABOUT).is_file()), path)
    return path
