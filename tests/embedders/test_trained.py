"""Checkpoints and other trained weights as embedders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from maskgen.core.reasons import UserError
from maskgen.embedders import dlib_resnet, masked
from maskgen.embedders.by_name import checkpoint_path, open_embedder
from maskgen.embedders.facenet import WEIGHTS, facenet
from maskgen.embedders.model_names import NAMES
from maskgen.embedders.trained import trained
from maskgen.trainer.checkpoints import Checkpoint, save_checkpoint
from maskgen.trainer.networks import backbones
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.loading import load_recipe


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny network that has learnt nothing, as a training run keeps it."""
    recipe = load_recipe("small", ["data.size=32", "model.dim=16", "data.mean=[0.4,0.5,0.6]"])
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("run") / "best"
    save_checkpoint(folder, Checkpoint(recipe, build_model(recipe.model).state_dict()))
    return folder


@pytest.mark.parametrize("name", ["model.safetensors", "checkpoint.json"])
def test_a_file_of_a_checkpoint_stands_for_it(checkpoint: Path, name: str) -> None:
    assert checkpoint_path(str(checkpoint / name)) == checkpoint


def pictures(n: int, side: int = 32) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, side, side, 3)).astype(np.uint8)


def test_a_checkpoint_embeds_as_its_model_does(checkpoint: Path) -> None:
    found = trained(checkpoint)
    assert (found.name, found.dim, found.size) == ("small", 16, 32)
    images = pictures(70)
    values = (images / 255 - [0.4, 0.5, 0.6]) / np.array(found.data.std)
    with torch.inference_mode():
        own = found.model(torch.from_numpy(values.astype(np.float32)).permute(0, 3, 1, 2)).numpy()
    own /= np.linalg.norm(own, axis=1, keepdims=True)
    np.testing.assert_allclose(found.embed(images), own, atol=1e-5)


def test_crops_of_other_sizes_are_resized(checkpoint: Path) -> None:
    found = trained(checkpoint)
    large = np.repeat(np.repeat(pictures(2), 2, axis=1), 2, axis=2)
    np.testing.assert_allclose(found.embed(large), found.embed(pictures(2)), atol=1e-5)
    np.testing.assert_allclose(found.embed([large[0], pictures(2)[1]]), found.embed(pictures(2)), atol=1e-5)
    with pytest.raises(ValueError, match="uint8 RGB"):
        found.embed(pictures(2)[..., 0])


def test_a_run_means_its_best_checkpoint(checkpoint: Path) -> None:
    by_run = open_embedder(str(checkpoint.parent)).embed(pictures(1))
    np.testing.assert_array_equal(by_run, open_embedder(str(checkpoint)).embed(pictures(1)))


def test_a_path_is_a_path(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = open_embedder(str(checkpoint)).embed(pictures(1))
    np.testing.assert_array_equal(open_embedder(checkpoint).embed(pictures(1)), wanted)
    (tmp_path / "dlib").symlink_to(checkpoint, target_is_directory=True)
    monkeypatch.chdir(tmp_path)
    assert open_embedder(Path("dlib")).name == "small"
    assert open_embedder("dlib").name == "dlib"
    for other in (None, 5, b"dlib"):
        with pytest.raises(TypeError, match="give a name, such as 'dlib', or a path"):
            open_embedder(other)  # type: ignore[arg-type]


def test_the_caller_s_autocast_makes_no_difference(checkpoint: Path) -> None:
    found = trained(checkpoint)
    wanted = found.embed(pictures(3))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        np.testing.assert_array_equal(found.embed(pictures(3)), wanted)


def test_names_are_those_of_the_models() -> None:
    assert [masked.NAME, dlib_resnet.NAME, *(f"facenet:{weights}" for weights in WEIGHTS)] == [*NAMES[:2], *NAMES[3:]]


def test_what_is_no_model_is_told(tmp_path: Path, checkpoint: Path) -> None:
    with pytest.raises(UserError, match="neither a checkpoint nor one of masked, dlib, facenet"):
        open_embedder("dlibb")
    with pytest.raises(UserError, match="not a checkpoint"):
        open_embedder(str(tmp_path))
    with pytest.raises(UserError, match="try --device cpu"):
        open_embedder(str(checkpoint), device="cudda")


def test_facenet_with_its_weights_and_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from facenet_pytorch import InceptionResnetV1

    def refused(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", refused)
    with pytest.raises(UserError, match="cannot be downloaded"):
        facenet()
    torch.manual_seed(1)
    own = InceptionResnetV1(classify=False, num_classes=8631).eval()
    (tmp_path / "checkpoints").mkdir()
    torch.save(own.state_dict(), tmp_path / "checkpoints" / backbones._FACENET_FILES["vggface2"])
    images = pictures(1, 160)
    with torch.inference_mode():
        expected = own((torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127.5) / 128).numpy()
    np.testing.assert_allclose(open_embedder("facenet").embed(images), expected, atol=1e-4)


def test_an_adapter_works_on_the_recognisers_embeddings(tmp_path: Path) -> None:
    recipe = load_recipe("adapter")
    torch.manual_seed(2)
    save_checkpoint(tmp_path / "best", Checkpoint(recipe, build_model(recipe.model).state_dict()))
    found, recogniser = trained(tmp_path / "best"), dlib_resnet.dlib_resnet()
    assert (found.name, found.size) == ("adapter", recogniser.size)
    images = pictures(3, 64)
    with torch.inference_mode():
        own = found.model(torch.from_numpy(recogniser.embed(images))).numpy()
    np.testing.assert_allclose(found.embed(images), own / np.linalg.norm(own, axis=1, keepdims=True), atol=1e-5)
