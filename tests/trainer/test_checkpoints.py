"""Checkpoints: what is written comes back, whole or not at all, and damage is a sentence."""

from __future__ import annotations

import errno
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import SafetensorError
from torch import Tensor

from maskgen.core.checksummed_json import add_checksum, parse_checksummed
from maskgen.core.reasons import UserError
from maskgen.trainer import checkpoints
from maskgen.trainer.checkpoints import Checkpoint, load_checkpoint, load_model, save_checkpoint
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.loading import load_recipe
from maskgen.trainer.state import progress_of
from maskgen.trainer.state_packing import pack, unpack

LEAVES = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False) | st.text(max_size=5)
KEYS = st.text(max_size=5) | st.integers(0, 9) | st.sampled_from(["::tensor", "::items", "::tuple"])
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(inner, max_size=3).map(tuple) | st.dictionaries(KEYS, inner, max_size=3)
    ),
    max_leaves=12,
)


def trained(steps: int = 2) -> tuple[Checkpoint, torch.nn.Module, torch.optim.Optimizer]:
    recipe = load_recipe("small", ["model.dim=8"])
    model = build_model(recipe.model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01, betas=(0.8, 0.9))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for _ in range(steps):
        model(torch.randn(4, 3, 32, 32)).square().mean().backward()
        optimizer.step()
        schedule.step()
    progress = {"epoch": 1, "best": math.nan, "random": torch.get_rng_state(), "scores": [(1, 0.5)]}
    state = Checkpoint(
        recipe,
        model.state_dict(),
        {"weight": torch.ones(3, 8)},
        optimizer.state_dict(),
        schedule.state_dict(),
        progress,
        (4, 7, 9),
    )
    return state, model, optimizer


def same(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor):
        return isinstance(second, Tensor) and first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple):
        return type(first) is type(second) and len(first) == len(second) and all(map(same, first, second))
    return type(first) is type(second) and (first == second or (first != first and second != second))


@given(NESTED)
@settings(max_examples=60, deadline=None)
def test_any_nested_state_survives_json(value: Any) -> None:
    tensors: dict[str, Tensor] = {}
    text = json.dumps(pack([value, torch.ones(2)], tensors, "x"), allow_nan=False)
    back = unpack(json.loads(text), tensors)
    assert same(back[0], value)
    assert torch.equal(back[1], torch.ones(2))


def test_what_a_checkpoint_cannot_hold_is_a_fault() -> None:
    with pytest.raises(TypeError, match=r"progress\.it is a set"):
        pack({"it": {1}}, {}, "progress")


def test_a_checkpoint_comes_back(tmp_path: Path) -> None:
    state, _, optimizer = trained()
    save_checkpoint(tmp_path / "last", state)
    back = load_checkpoint(tmp_path / "last")
    assert back.recipe == state.recipe
    assert back.targets == (4, 7, 9)
    for name in ("model_state", "loss_state", "optimizer_state", "schedule_state", "progress"):
        assert same(dict(getattr(back, name)), dict(getattr(state, name))), name
    optimizer.load_state_dict(dict(back.optimizer_state))


def test_the_model_of_a_checkpoint_embeds_alike(tmp_path: Path) -> None:
    state, model, _ = trained()
    save_checkpoint(tmp_path / "last", state)
    back, recipe = load_model(tmp_path / "last")
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(back(images), model.eval()(images))
    assert recipe == state.recipe
    assert not back.training


def test_the_same_state_gives_the_same_bytes(tmp_path: Path) -> None:
    state, _, _ = trained()
    for name in ("a", "b"):
        save_checkpoint(tmp_path / name, state)
    for file in sorted((tmp_path / "a").iterdir()):
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


def test_a_checkpoint_is_replaced_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, _, _ = trained()
    save_checkpoint(tmp_path / "last", state)
    save_checkpoint(tmp_path / "last", Checkpoint(state.recipe, state.model_state, progress={"step": 2}))
    assert load_checkpoint(tmp_path / "last").progress == {"step": 2}
    assert [path.name for path in tmp_path.iterdir()] == ["last"]

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoints, "_flush", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(tmp_path / "last", state)
    assert load_checkpoint(tmp_path / "last").progress == {"step": 2}


FULL = "Error while serializing: I/O error: No space left on device (os error 28)"


def test_a_full_disk_is_the_systems_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, _, _ = trained()
    save_checkpoint(tmp_path / "last", state)

    def full(*_: object) -> None:
        raise SafetensorError(FULL)

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(OSError, match="No space left") as caught:
        save_checkpoint(tmp_path / "last", state)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "last"))
    assert [path.name for path in tmp_path.iterdir()] == ["last"]  # what was written of it would keep the disk full
    assert load_checkpoint(tmp_path / "last").targets == (4, 7, 9)


def test_what_safetensors_refuses_itself_stays_its_own_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise SafetensorError("InvalidTensorView")

    monkeypatch.setattr("safetensors.torch.save_file", refused)
    with pytest.raises(SafetensorError, match="InvalidTensorView"):
        save_checkpoint(tmp_path / "last", trained()[0])


def test_killed_between_the_two_renames_the_old_one_is_found(tmp_path: Path) -> None:
    state, _, _ = trained()
    save_checkpoint(tmp_path / "last", state)
    (tmp_path / "last").rename(tmp_path / ".last.before")
    assert load_checkpoint(tmp_path / "last").targets == (4, 7, 9)
    save_checkpoint(tmp_path / "last", state)
    assert load_checkpoint(tmp_path / "last").targets == (4, 7, 9)


@pytest.mark.parametrize("file", ["model.safetensors", "training.safetensors", "checkpoint.json"])
def test_damage_is_a_sentence(file: str, tmp_path: Path) -> None:
    state, _, _ = trained()
    save_checkpoint(tmp_path / "last", state)
    path = tmp_path / "last" / file
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="is damaged"):
        load_checkpoint(tmp_path / "last")
    path.unlink()
    with pytest.raises(UserError, match="is damaged|is not a checkpoint"):
        load_checkpoint(tmp_path / "last")


def test_weights_that_do_not_fit_the_recipe_are_a_sentence(tmp_path: Path) -> None:
    state, _, _ = trained()
    save_checkpoint(tmp_path / "last", Checkpoint(load_recipe("small", ["model.dim=9"]), state.model_state))
    with pytest.raises(UserError, match="is damaged"):
        load_model(tmp_path / "last")
    for nowhere in (tmp_path / "nowhere", Path(), Path("/")):
        with pytest.raises(UserError, match="is not a checkpoint"):
            load_model(nowhere)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_damage_anywhere_is_a_sentence(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made, "last")
        save_checkpoint(folder, DAMAGED[0])
        path = folder / data.draw(st.sampled_from(["model.safetensors", "training.safetensors", "checkpoint.json"]))
        content = bytearray(path.read_bytes())
        for at in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5, unique=True)):
            content[at] ^= data.draw(st.integers(1, 255))
        path.write_bytes(content)
        with pytest.raises(UserError, match="is damaged|another version"):
            load_checkpoint(folder)


DAMAGED = trained()


@pytest.mark.parametrize(
    "change",
    [
        {"recipe": []},
        {"recipe": {"name": "x", "train": {"epochs": "many"}}},
        {"progress": None},
        {"targets": [["a"]]},
        {"optimizer_state": {"::tensor": "gone"}},
        {"sha256": 3},
    ],
)
def test_what_no_run_writes_is_a_sentence_though_its_checksum_fits(change: dict[str, Any], tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "last", trained()[0])
    path = tmp_path / "last" / "checkpoint.json"
    path.write_text(json.dumps(add_checksum(parse_checksummed(path.read_text()) | change)))
    with pytest.raises(UserError, match="is damaged"):
        load_checkpoint(tmp_path / "last")


@pytest.mark.parametrize("progress", [{"step": "7"}, {"epoch": -1}, {"loss_sum": None}, {"batch": 1.5}])
def test_progress_that_no_run_makes_is_a_sentence(progress: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="is damaged"):
        progress_of(Checkpoint(load_recipe("small"), {}, progress=progress))
