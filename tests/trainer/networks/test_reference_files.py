"""The reference's files: read with the right weights; what would execute code is not read, and does not run."""

from __future__ import annotations

import os
import pickle
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from facenet_pytorch import InceptionResnetV1
from torch import Tensor, nn

from maskgen.core.reasons import UserError
from maskgen.trainer.checkpoints import load_model
from maskgen.trainer.networks import reference_files
from maskgen.trainer.networks.reference_files import read_reference_file
from maskgen.trainer.recipes.recipe import OptimizerSpec
from maskgen.trainer.schedules import build_optimizer


@pytest.fixture(scope="module")
def theirs() -> Any:
    torch.manual_seed(0)
    return InceptionResnetV1().eval()


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.randn(2, 3, 80, 80, generator=torch.Generator().manual_seed(1))


class Hostile:
    """Unpickling it makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


class Net(nn.Module):
    """Stands for the reference's third model: a class of its own, whole."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 7, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images).mean((2, 3))


def unit(model: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        return nn.functional.normalize(model(images))


@pytest.fixture(scope="module")
def optimizer(theirs: Any) -> torch.optim.Optimizer:
    """An optimizer that has taken a step, which the network has not."""
    optimizer = torch.optim.Adadelta(theirs.parameters(), lr=0.05)
    theirs(torch.randn(2, 3, 80, 80)).sum().backward()
    before = {name: value.clone() for name, value in theirs.state_dict().items()}
    optimizer.step()
    theirs.load_state_dict(before)
    return optimizer


def save_model2(path: Path, theirs: nn.Module, optimizer: torch.optim.Optimizer, prefix: str = "") -> None:
    state = {prefix + name: value for name, value in theirs.state_dict().items()}
    torch.save({"model_state_dict": state, "optimizer_state_dict": optimizer.state_dict(), "epoch": 3}, path)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_model_2_is_read_without_trust(
    theirs: Any, optimizer: torch.optim.Optimizer, images: Tensor, prefix: str, tmp_path: Path
) -> None:
    save_model2(tmp_path / "model2.pth", theirs, optimizer, prefix)
    model, recipe = load_model(tmp_path / "model2.pth")
    torch.testing.assert_close(unit(model, images), theirs(images).detach())
    assert (recipe.name, recipe.data.size, recipe.model.pretrained) == ("model2", 128, "")


def test_model_2s_optimizer_goes_on(theirs: Any, optimizer: torch.optim.Optimizer, tmp_path: Path) -> None:
    save_model2(tmp_path / "model2.pth", theirs, optimizer)
    found = read_reference_file(tmp_path / "model2.pth")
    parameters = list(found.model.parameters())
    ours_goes_on = build_optimizer(OptimizerSpec("adadelta", 0.05), parameters)
    ours_goes_on.load_state_dict(found.optimizer_state)
    for ours, before in zip(parameters, theirs.parameters(), strict=True):
        assert torch.equal(ours, before)
        assert torch.equal(ours_goes_on.state[ours]["square_avg"], optimizer.state[before]["square_avg"])


@pytest.mark.parametrize("old_form", [False, True])
def test_a_whole_model_1_needs_trust(theirs: Any, images: Tensor, old_form: bool, tmp_path: Path) -> None:
    path = tmp_path / "model1.pth"
    torch.save(theirs, path, _use_new_zipfile_serialization=not old_form)
    with pytest.raises(UserError, match=r"execute code \(facenet_pytorch.*InceptionResnetV1\).*--trust-pickle"):
        load_model(path)
    model, recipe = load_model(path, trust_pickle=True)
    torch.testing.assert_close(unit(model, images), theirs(images).detach())
    assert recipe.name == "model1"


def test_a_whole_network_of_another_class_is_used_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "model3.pth"
    sys.modules["their_nets"] = sys.modules[Net.__module__]
    name, Net.__module__ = Net.__module__, "their_nets"
    net = Net()
    try:
        torch.save(nn.DataParallel(net), path)
        with pytest.raises(UserError, match="--trust-pickle"):
            load_model(path)
        model, recipe = load_model(path, trust_pickle=True)
        images = torch.randn(2, 3, 32, 32)
        assert torch.equal(model(images), net(images))
        assert (model.dim, recipe.model.dim, recipe.name) == (7, 7, "model3")
    finally:
        Net.__module__ = name
        del sys.modules["their_nets"]
    with pytest.raises(UserError, match="needs the program that wrote it .*their_nets.*PYTHONPATH"):
        load_model(path, trust_pickle=True)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("form", ["zip", "old", "pickle", "inside"])
def test_a_hostile_file_does_not_run(theirs: Any, form: str, tmp_path: Path) -> None:
    path, mark = tmp_path / "model.pth", tmp_path / "mark"
    hostile = Hostile(mark)
    if form == "pickle":
        path.write_bytes(pickle.dumps(hostile))
    elif form == "inside":
        torch.save({"model_state_dict": theirs.state_dict(), "note": hostile}, path)
    else:
        torch.save(hostile, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(UserError, match="--trust-pickle" if form != "pickle" else "cannot be read|--trust-pickle"):
        load_model(path)
    assert not mark.exists()


def test_the_hostile_file_is_one_that_would_run(tmp_path: Path) -> None:
    """Else the test above could not fail."""
    torch.save(Hostile(tmp_path / "mark"), tmp_path / "model.pth")
    with pytest.raises(UserError, match="holds a"):
        load_model(tmp_path / "model.pth", trust_pickle=True)
    assert (tmp_path / "mark").exists()


def test_an_old_pytorch_is_not_relied_on(theirs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.save(theirs.state_dict(), tmp_path / "model.pth")
    assert load_model(tmp_path / "model.pth")[1].name == "model2"
    monkeypatch.setattr(reference_files.torch, "__version__", "2.9.1+cpu")
    with pytest.raises(UserError, match=r"install PyTorch 2\.10"):
        load_model(tmp_path / "model.pth")


@pytest.mark.parametrize(
    ("held", "says"),
    [
        ({"conv.weight": torch.ones(1)}, "not InceptionResnetV1"),
        ({"model_state_dict": 3}, "no state dict"),
        ([1, 2], "holds a list"),
        ({"conv2d_1a.conv.weight": torch.ones(1)}, "not an InceptionResnetV1's"),
    ],
)
def test_other_files_are_a_sentence(held: object, says: str, tmp_path: Path) -> None:
    torch.save(held, tmp_path / "model.pth")
    with pytest.raises(UserError, match=says):
        load_model(tmp_path / "model.pth")


@pytest.mark.parametrize(
    "data",
    [b"", b"no model at all", b"PK\x03\x04 broken", pickle.dumps(Path("x"), 4)],
    ids=["empty", "text", "zip", "pickle"],
)
@pytest.mark.parametrize("trust", [False, True])
def test_damaged_files_are_a_sentence(data: bytes, trust: bool, tmp_path: Path) -> None:
    (tmp_path / "model.pth").write_bytes(data)
    with warnings.catch_warnings(), pytest.raises(UserError, match="cannot be read.*damaged|holds a") as fault:
        warnings.simplefilter("error")
        load_model(tmp_path / "model.pth", trust_pickle=trust)
    assert "PyTorch 2.6" not in str(fault.value)


def test_a_network_of_another_sort_is_a_sentence(tmp_path: Path) -> None:
    torch.save(nn.Conv2d(3, 4, 3), tmp_path / "model.pth")
    with pytest.raises(UserError, match="gives no embeddings"):
        load_model(tmp_path / "model.pth", trust_pickle=True)
    torch.save(nn.Conv2d(4, 4, 3), tmp_path / "model.pth")
    with pytest.raises(UserError, match="does not run"):
        load_model(tmp_path / "model.pth", trust_pickle=True)
