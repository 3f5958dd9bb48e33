"""Checkpoints: a folder with weights as safetensors and the rest as JSON, written atomically, with checksums.

model.safetensors      the network's weights and buffers
training.safetensors   the loss's weights, and the states of optimizer and scaler
checkpoint.json        recipe, people, progress, and the structure of training.safetensors
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from maskgen.core.atomic_writes import about as fault_of
from maskgen.core.atomic_writes import flush_folder
from maskgen.core.checksummed_json import CHECKSUM, add_checksum, parse, parse_checksummed
from maskgen.core.extras import need
from maskgen.core.reasons import UserError

from .networks.models import Embedder, build_model
from .networks.reference_files import is_reference_file, read_reference_file
from .recipes.loading import recipe_from_dict, recipe_to_dict
from .recipes.recipe import Recipe
from .state_packing import pack, unpack

MODEL, TRAINING, ABOUT = "model.safetensors", "training.safetensors", "checkpoint.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run's state after a step.

    Attributes:
        recipe: of the training.
        model_state, loss_state: `state_dict()`s, without the prefixes of DDP and the compiler.
        optimizer_state, schedule_state: `state_dict()`s; empty if the training cannot be resumed from here.
        progress: epoch, step, scores: nested numbers, strings, lists, dicts and tensors.
        targets: for each class of the loss, the person's number in the list.
        alignment: of the crops that it was trained on, see `core.alignment_names`; "" if unknown.
    """

    recipe: Recipe
    model_state: Mapping[str, Tensor]
    loss_state: Mapping[str, Tensor] = field(default_factory=dict)
    optimizer_state: Mapping[str, Any] = field(default_factory=dict)
    schedule_state: Mapping[str, Any] = field(default_factory=dict)
    progress: Mapping[str, Any] = field(default_factory=dict)
    targets: tuple[int, ...] = ()
    alignment: str = ""


_PARTS = ("loss_state", "optimizer_state", "schedule_state", "progress")


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write the folder under another name and rename it; an existing one is replaced.

    Raises:
        OSError: the disk is full, ...; names the folder, which is unchanged.
    """
    folder = Path(folder)
    part, before = _beside(folder, "part"), _beside(folder, "before")
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _write(part, checkpoint)
        if folder.exists():
            shutil.rmtree(before, ignore_errors=True)
            folder.rename(before)  # a run killed here leaves the old checkpoint, which `load_checkpoint` finds
        part.rename(folder)
        flush_folder(folder.parent)
        shutil.rmtree(before, ignore_errors=True)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise fault_of(error, folder) from None


def settle_checkpoint(folder: Path) -> None:
    """Put right what a killed `save_checkpoint` left beside a folder: the old checkpoint gets its name back where the
    new one did not get it, and the rest is removed."""
    part, before = _beside(folder, "part"), _beside(folder, "before")
    shutil.rmtree(part, ignore_errors=True)
    if before.is_dir() and not folder.exists():
        before.rename(folder)
    shutil.rmtree(before, ignore_errors=True)


def discard_checkpoint(folder: Path) -> None:
    """Remove a checkpoint; a process that is killed leaves all of it, or none."""
    settle_checkpoint(folder)
    if folder.exists():
        folder.rename(_beside(folder, "part"))
    settle_checkpoint(folder)


def is_checkpoint(folder: Path) -> bool:
    """Whether `load_checkpoint` finds a checkpoint in a folder, or the one that a killed process was replacing."""
    return any((place / ABOUT).is_file() for place in (folder, _beside(folder, "before")))


def load_checkpoint(folder: Path) -> Checkpoint:
    """The checkpoint in a folder, its tensors on the CPU.

    Raises:
        UserError: it does not exist, or is damaged.
    """
    place = _place(Path(folder))
    about = _about(place)
    tensors = _read(place / TRAINING, about)
    try:
        parts = {name: dict(unpack(about[name], tensors)) for name in _PARTS}
        targets = tuple(int(target) for target in about["targets"])
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise _damaged(place, error) from None
    alignment = _alignment(about)
    return Checkpoint(_recipe(place, about), _read(place / MODEL, about), targets=targets, alignment=alignment, **parts)


def _alignment(about: Mapping[str, Any]) -> str:
    """The alignment in a checkpoint; checkpoints of earlier versions have none."""
    said = about.get("alignment", "")
    return said if isinstance(said, str) else ""


def trained_alignment(path: Path) -> str:
    """The alignment of the crops that a checkpoint was trained on, "" if unknown, as in the reference's files.

    Raises:
        UserError: it cannot be read.
    """
    return "" if is_reference_file(Path(path)) else _alignment(_about(_place(Path(path))))


def load_model(path: Path, trust_pickle: bool = False) -> tuple[Embedder, Recipe]:
    """The network of a checkpoint, on the CPU, in evaluation mode.

    Args:
        path: a checkpoint's folder, or a model file of the reference.
        trust_pickle: allow a pickle to execute code; see `reference_files.read_reference_file`.

    Raises:
        UserError: it does not exist, is damaged, or would execute code and is not trusted.
    """
    if is_reference_file(Path(path)):
        legacy = read_reference_file(Path(path), trust_pickle)
        return legacy.model, legacy.recipe
    place = _place(Path(path))
    about = _about(place)
    recipe = _recipe(place, about)
    model = build_model(recipe.model, pretrained=False)
    state = _read(place / MODEL, about)
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise _damaged(place, error) from None
    return model.eval(), recipe


def _beside(folder: Path, what: str) -> Path:
    whole = folder.absolute()  # "." has no name of its own
    return whole.with_name(f".{whole.name}.{what}") if whole.name else whole / f".{what}"


def _write(part: Path, checkpoint: Checkpoint) -> None:
    tensors: dict[str, Tensor] = {}
    about: dict[str, Any] = {"format": FORMAT, "recipe": recipe_to_dict(checkpoint.recipe)}
    about["targets"] = list(checkpoint.targets)
    about["alignment"] = checkpoint.alignment
    for name in _PARTS:
        about[name] = pack(dict(getattr(checkpoint, name)), tensors, name)
    _save(part / MODEL, checkpoint.model_state)
    _save(part / TRAINING, tensors)
    about["sha256"] = {name: _sha256(part / name) for name in (MODEL, TRAINING)}
    text = json.dumps(add_checksum(about), indent=1, allow_nan=False) + "\n"
    (part / ABOUT).write_text(text, "utf-8")
    for name in (MODEL, TRAINING, ABOUT):
        _flush(part / name)
    flush_folder(part)


def _save(path: Path, tensors: Mapping[str, Tensor]) -> None:
    # Copies: safetensors refuses tensors that share memory, as tied weights do.
    plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    torch_file = need("safetensors.torch", "train")
    from safetensors import SafetensorError

    try:
        torch_file.save_file(plain, str(path))
    except SafetensorError as error:
        raise _systems(error, path) from error


def _systems(error: Exception, path: Path) -> Exception:
    """The OSError that safetensors reports only in its message; its own errors unchanged."""
    number = re.search(r"\(os error (\d+)\)", str(error))
    return OSError(int(number[1]), os.strerror(int(number[1])), str(path)) if number else error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Flush to the disk before the rename."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _place(folder: Path) -> Path:
    """The folder, or the replaced one if the writer was killed between the renames."""
    for place in (folder, _beside(folder, "before")):
        if (place / ABOUT).is_file():
            return place
    raise UserError(f"{folder} is not a checkpoint: it has no {ABOUT}, which `maskgen train` writes.")


def _about(place: Path) -> dict[str, Any]:
    try:
        data = (place / ABOUT).read_bytes()
        about = parse(data)
        if CHECKSUM in about:  # missing in checkpoints of earlier versions
            about = parse_checksummed(data)
    except (OSError, ValueError) as error:
        raise _damaged(place, f"{ABOUT}: {error}") from None
    if "recipe" not in about:
        raise _damaged(place, f"{ABOUT} holds no recipe")
    if about.get("format") != FORMAT:
        raise UserError(f"{place} was written by another version of maskgen, in form {about.get('format')}: use that.")
    return about


def _recipe(place: Path, about: Mapping[str, Any]) -> Recipe:
    try:
        return recipe_from_dict(about["recipe"], ABOUT)
    except UserError as error:
        raise _damaged(place, error) from None


def _read(path: Path, about: Mapping[str, Any]) -> dict[str, Tensor]:
    """A file's tensors, after the checksum is verified."""
    need("safetensors.torch", "train")
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        known = about.get("sha256", {})
        if known and (not isinstance(known, dict) or _sha256(path) != known.get(path.name)):
            raise _damaged(path.parent, f"{path.name} is not as it was written")
        return load_file(str(path))
    except (OSError, SafetensorError) as error:
        raise _damaged(path.parent, error) from None


def _damaged(place: Path, error: object) -> UserError:
    detail = " ".join(str(error).split())[:200]
    return UserError(f"The checkpoint {place} is damaged ({detail}): take another, or train again.")
