"""The reference's model files: weights in a .pth, or whole pickled networks, which can execute code and need trust."""

from __future__ import annotations

import dataclasses
import pickle
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from maskgen.core.reasons import UserError

from ..recipes.loading import load_recipe
from ..recipes.recipe import Recipe
from .models import Embedder, build_model, fill_inception

_SAFE_SINCE = (2, 10)  # earlier versions have CVE-2025-32434 and CVE-2026-24747, which circumvent weights_only
_INCEPTION_MARK = "conv2d_1a.conv.weight"
_NOT_READABLE = (pickle.UnpicklingError, EOFError, RuntimeError, ValueError, KeyError, OSError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class ReferenceModel:
    """The content of a model file of the reference.

    Attributes:
        model: on the requested device, in evaluation mode.
        recipe: of the same model: its input and the settings of its training.
        optimizer_state: the optimizer's `state_dict()`, empty if the file has none. Parameters have the order of
            those of `model`.
    """

    model: Embedder
    recipe: Recipe
    optimizer_state: dict[str, Any]


def is_reference_file(path: Path) -> bool:
    """Whether a path is a file with a suffix of PyTorch's files."""
    return path.suffix.lower() in (".pth", ".pt", ".tar", ".bin") and path.is_file()


def read_reference_file(path: Path, trust_pickle: bool = False, device: str = "cpu") -> ReferenceModel:
    """Read model 2's file (`model_state_dict` and `optimizer_state_dict`), a plain state dict, or a whole network.

    Args:
        trust_pickle: allow the file to execute code, which a whole network needs. The file's author can then do
            everything on this machine that its user can.

    Raises:
        UserError: the file cannot be read, would execute code and is not trusted, or is of another network.
    """
    held = _trusted(path, device) if trust_pickle else _weights(path, device)
    if isinstance(held, nn.Module):
        return ReferenceModel(*_from_module(held, path, device), {})
    return _from_states(held, path, device)


def _weights(path: Path, device: str) -> Any:
    """The content of a file of only tensors and plain values."""
    if _version() < _SAFE_SINCE:
        raise UserError(
            f"{path} is a pickle, and PyTorch {torch.__version__} does not read these safely: install PyTorch 2.10 or "
            f"later, or say --trust-pickle if you trust who made the file."
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # warnings about pickles of other formats, which fail below
            return torch.load(path, map_location=device, weights_only=True)
    except _NOT_READABLE as error:
        code = re.search(r"GLOBAL ([\w.]+)", str(error))
        if code:
            raise UserError(
                f"{path} is not only weights: reading it would execute code ({code[1]}). Say --trust-pickle if you "
                f"trust who made the file."
            ) from None
        raise _unreadable(path, error) from None


def _trusted(path: Path, device: str) -> Any:
    try:
        return torch.load(path, map_location=device, weights_only=False)
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"{path} needs the program that wrote it ({error}): put that on PYTHONPATH, with its modules as they were."
        ) from None
    except _NOT_READABLE as error:
        raise _unreadable(path, error) from None


def _version() -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", torch.__version__)[:2])


def _unreadable(path: Path, error: Exception) -> UserError:
    # PyTorch's messages about other files name its internals ("101", "miniz error").
    why = str(error.strerror) if isinstance(error, OSError) and error.strerror else "damaged, or of another form"
    return UserError(f"{path} cannot be read as PyTorch's weights ({why}): give a checkpoint's folder or a .pth.")


def _from_states(held: Any, path: Path, device: str) -> ReferenceModel:
    if not isinstance(held, Mapping):
        raise UserError(f"{path} holds a {type(held).__name__}, neither weights nor a network: give a model's file.")
    state = held.get("model_state_dict", held)
    model, recipe = _from_weights(_plain(state, path), "model2", path)
    return ReferenceModel(model.to(device), recipe, dict(held.get("optimizer_state_dict") or {}))


def _plain(state: Any, path: Path) -> dict[str, Tensor]:
    """A state dict's tensors, without DataParallel's prefix of the names."""
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"{path} holds no state dict of a network: give a file with model_state_dict.")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def _from_weights(state: dict[str, Tensor], recipe_name: str, path: Path) -> tuple[Embedder, Recipe]:
    if _INCEPTION_MARK not in state:
        raise UserError(
            f"{path} holds the weights of a network that is not InceptionResnetV1: a file of weights alone is read "
            f"for that one only."
        )
    recipe = _unweighted(load_recipe(recipe_name))
    model = build_model(recipe.model, pretrained=False)
    fill_inception(model, state)
    return model.eval(), recipe


def _from_module(module: nn.Module, path: Path, device: str) -> tuple[Embedder, Recipe]:
    """A whole network: InceptionResnetV1 as this program's own, any other unchanged."""
    inner = module.module if isinstance(module, nn.DataParallel) else module
    if _INCEPTION_MARK in inner.state_dict():
        model, recipe = _from_weights(_plain(inner.state_dict(), path), "model1", path)
        return model.to(device), recipe
    recipe = _unweighted(load_recipe("model3"))
    dim = _probe(inner.eval().to(device), recipe.data.size, path, device)
    recipe = dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, dim=dim))
    return Embedder(inner, nn.Identity(), nn.Identity(), 0.0, dim).eval(), recipe


def _unweighted(recipe: Recipe) -> Recipe:
    return dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, pretrained=""))


def _probe(module: nn.Module, size: int, path: Path, device: str) -> int:
    """The length of a network's embeddings."""
    try:
        with torch.no_grad():
            found = module(torch.zeros(2, 3, size, size, device=device))
    except (AttributeError, RuntimeError, TypeError, ValueError) as error:
        raise UserError(
            f"The network in {path} does not run on PyTorch {torch.__version__} ({error}): install the version with "
            "which it was saved."
        ) from None
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != 2:
        raise UserError(f"The network in {path} gives no embeddings (n, dim): name the file of a face recogniser.")
    return found.shape[1]
