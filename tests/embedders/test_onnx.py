"""A network as ONNX gives what the network gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from click.testing import CliRunner

from maskgen.embedders.base import FaceEmbedder
from maskgen.embedders.onnx_export import largest_difference, to_onnx
from maskgen.embedders.torch_network import NetworkEmbedder
from maskgen.pipelines.cli import main
from maskgen.trainer.checkpoints import Checkpoint, save_checkpoint
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.loading import load_recipe
from maskgen.trainer.recipes.recipe import DataSpec


class Noughts(FaceEmbedder):
    """A recogniser that an adapter adapts."""

    name, dim, size = "noughts", 8, 32

    def _embed(self, images: np.ndarray) -> np.ndarray:
        return images.reshape(len(images), -1)[:, :8].astype(np.float32)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = load_recipe("small", ["data.size=32", "model.dim=16", "data.mean=[0.4,0.5,0.6]"])
    torch.manual_seed(0)
    model = build_model(recipe.model)
    for module in model.modules():  # a neck that is no identity
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean = torch.randn_like(module.running_mean)
    folder = tmp_path_factory.mktemp("run") / "best"
    save_checkpoint(folder, Checkpoint(recipe, model.state_dict()))
    return folder


def test_the_file_gives_the_embeddings_of_pictures_as_they_are(checkpoint: Path, tmp_path: Path) -> None:
    from maskgen.embedders.by_name import open_embedder

    out = tmp_path / "model.onnx"
    result = CliRunner().invoke(main, ["export", str(checkpoint), str(out)])
    assert result.exit_code == 0, result.output
    (sentence,) = result.output.splitlines()  # and nothing of what the exporter says to its developers
    assert "differs from the model by" in sentence
    images = np.random.default_rng(0).integers(0, 256, (7, 32, 32, 3)).astype(np.uint8)
    session = onnxruntime.InferenceSession(str(out))
    (found,) = session.run(None, {"images": images.transpose(0, 3, 1, 2).astype(np.float32)})
    np.testing.assert_allclose(found, open_embedder(str(checkpoint)).embed(images), atol=1e-5)
    about = {entry.key: entry.value for entry in onnx.load(out).metadata_props}
    assert about["model"] == "small"
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]


def test_an_adapter_takes_features() -> None:
    torch.manual_seed(1)
    adapter = NetworkEmbedder("adapter", torch.nn.Linear(8, 4), 4, DataSpec(), features=Noughts())
    data = to_onnx(adapter)
    assert largest_difference(data, adapter) < 1e-5
    (taken,) = onnxruntime.InferenceSession(data).get_inputs()
    assert taken.name == "features"
    # Through the recogniser and then the adapter.
    images = np.random.default_rng(1).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    own = adapter.model(torch.from_numpy(Noughts().embed(images))).detach().numpy()
    np.testing.assert_allclose(adapter.embed(images), own / np.linalg.norm(own, axis=1, keepdims=True), atol=1e-6)


def test_a_form_that_gives_something_else_is_not_written(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from maskgen.embedders import onnx_export

    monkeypatch.setattr(onnx_export, "largest_difference", lambda *_: float("nan"))
    result = CliRunner().invoke(main, ["export", str(checkpoint), str(tmp_path / "model.onnx")])
    assert result.exit_code == 2
    assert "nothing is written" in result.output
    assert list(tmp_path.iterdir()) == []
