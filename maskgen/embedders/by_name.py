"""Embedders by name: "dlib", "facenet", or a checkpoint's path."""

from __future__ import annotations

from pathlib import Path

from maskgen.trainer.checkpoints import ABOUT, MODEL, is_checkpoint

from .base import FaceEmbedder
from .dlib_resnet import dlib_resnet
from .facenet import WEIGHTS, facenet
from .masked import masked
from .model_names import DLIB, MASKED, NAMES, ONNX, check_input, check_model
from .onnx_model import open_onnx
from .trained import trained

BEST = ("best", "last")  # checkpoints in a training run's folder; the first that exists


def open_embedder(
    model: str | Path, device: str = "cpu", trust_pickle: bool = False, input_file: Path | str | None = None
) -> FaceEmbedder:
    """The embedder of a name or path.

    Args:
        model: one of `NAMES`, a checkpoint's folder, a training run's folder (its best checkpoint), a model file of the
            reference, or any recogniser's `.onnx`. For a file or folder with the name of an embedder write `./dlib`; a
            `Path` is always a path.
        input_file: the description of an ONNX file's input, see `onnx_input`; None if its metadata has it.

    Raises:
        UserError: the model does not exist, or cannot be used here.
        TypeError: the model is neither a text nor a path.
    """
    if not isinstance(model, (str, Path)):
        raise TypeError(f"model is {model!r}: give a name, such as {DLIB!r}, or a path")
    if isinstance(model, Path):
        model = f"./{model}" if str(model) in NAMES else str(model)
    check_input(model, input_file)
    if model.endswith(ONNX) and Path(model).is_file():
        return open_onnx(Path(model), input_file, device)
    if model == MASKED:
        return masked(device)
    if model == DLIB:
        return dlib_resnet(device)
    if model in NAMES:
        return facenet(model.partition(":")[2] or WEIGHTS[0], device)
    path = checkpoint_path(model)
    embedder = trained(path, device, trust_pickle)
    if path == Path(model) / BEST[1]:
        embedder.note = f"{model} has no best/: its last/ is taken."
    return embedder


def checkpoint_path(model: str) -> Path:
    """The checkpoint at a path.

    Raises:
        UserError: it does not exist.
    """
    check_model(model)
    path = Path(model)
    if path.name in (MODEL, ABOUT) and (path.parent / ABOUT).is_file():
        return path.parent  # a file of a checkpoint means the checkpoint
    if path.is_dir() and not (path / ABOUT).is_file():
        return next((path / name for name in BEST if is_checkpoint(path / name)), path)
    return path
