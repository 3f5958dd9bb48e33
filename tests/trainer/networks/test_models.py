"""Models: shapes, pooling against loops, and weights by the names of facenet-pytorch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from maskgen.core.reasons import UserError
from maskgen.embedders.facenet import facenet
from maskgen.trainer.networks.models import Embedder, build_model, check_size, fill_inception
from maskgen.trainer.networks.pooling import Average, GeM
from maskgen.trainer.recipes.loading import load_recipe
from maskgen.trainer.recipes.recipe import ModelSpec


def embed(model: Embedder, size: int = 64) -> Tensor:
    with torch.no_grad():
        return model.eval()(torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize(
    ("spec", "dim"),
    [
        (ModelSpec("small", dim=16), 16),
        (ModelSpec("small", neck="none"), 128),
        (ModelSpec("timm:resnet10t", pooling="gem", dim=24), 24),
        (ModelSpec("mobilenetv3_small_050", pooling="gem", neck="none"), 1024),
        (ModelSpec("convnext_atto", neck="none"), 320),
    ],
)
def test_embeddings_have_the_size_that_is_asked_for(spec: ModelSpec, dim: int) -> None:
    model = build_model(spec)
    out = embed(model)
    assert out.shape == (2, dim)
    assert model.dim == dim
    assert torch.isfinite(out).all()
    assert not torch.equal(out[0], out[1])


def test_a_transformers_tokens_are_pooled_without_its_class_token() -> None:
    model = build_model(ModelSpec("vit_tiny_patch16_224", neck="none", dropout=0.0)).eval()
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        tokens = model.backbone.inner(images)  # type: ignore[operator, union-attr]
        torch.testing.assert_close(model(images), tokens[:, 1:].mean(1))


@pytest.mark.parametrize(
    ("backbone", "size"), [("timm:efficientvit_b0", 64), ("timm:coat_tiny", 64), ("timm:vit_tiny_patch16_224", 112)]
)
def test_a_backbone_that_cannot_be_pooled_or_takes_another_size_is_a_sentence(backbone: str, size: int) -> None:
    recipe = load_recipe("small", [f"model.backbone={backbone}", f"data.size={size}"])
    with pytest.raises(UserError, match=backbone.removeprefix("timm:")):
        check_size(build_model(recipe.model), recipe)


def test_looking_whether_a_network_works_leaves_it_as_it_was() -> None:
    recipe = load_recipe("small")
    model = build_model(recipe.model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    check_size(model, recipe)
    assert model.training
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


@pytest.mark.parametrize("p", [1.0, 3.0, 4.5])
def test_gem_is_the_mean_of_powers(p: float) -> None:
    maps = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    pooled = GeM(p)(maps)
    for n in range(2):
        for c in range(3):
            values = [float(v) for v in maps[n, c].flatten()]
            expected = (sum(v**p for v in values) / len(values)) ** (1 / p)
            assert pooled[n, c].item() == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(GeM(1.0)(maps).double(), Average()(maps), rtol=1e-5, atol=1e-6)


def test_gem_learns_through_dark_maps() -> None:
    pool = GeM()
    maps = torch.zeros(1, 2, 3, 3, requires_grad=True)
    pool(maps).sum().backward()
    assert maps.grad is not None
    assert torch.isfinite(maps.grad).all()
    assert pool.p.grad is not None
    assert torch.isfinite(pool.p.grad)


def test_inception_is_facenets_own_network() -> None:
    """With the same weights it gives what facenet-pytorch's class gives, before its normalisation."""
    from facenet_pytorch import InceptionResnetV1

    torch.manual_seed(0)
    theirs = InceptionResnetV1(classify=True, num_classes=4).eval()
    model = build_model(load_recipe("model1").model, pretrained=False).eval()
    fill_inception(model, theirs.state_dict())
    images = torch.randn(2, 3, 80, 80)
    theirs.classify = False
    with torch.no_grad():
        torch.testing.assert_close(torch.nn.functional.normalize(model(images)), theirs(images))


def test_weights_of_another_network_are_refused() -> None:
    model = build_model(ModelSpec("inception_resnet_v1"))
    with pytest.raises(UserError, match="not an InceptionResnetV1"):
        fill_inception(model, {"conv1.weight": torch.zeros(1)})


def test_facenets_weights_come_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from facenet_pytorch import InceptionResnetV1

    theirs = InceptionResnetV1(classify=True, num_classes=2)
    (tmp_path / "checkpoints").mkdir()
    torch.save(theirs.state_dict(), tmp_path / "checkpoints" / "20180402-114759-vggface2.pt")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    model = build_model(load_recipe("model1").model)
    assert torch.equal(model.state_dict()["neck.linear.weight"], theirs.last_linear.weight)
    smaller = build_model(ModelSpec("inception_resnet_v1", "vggface2", dim=64))  # the neck is anew
    assert torch.equal(
        smaller.state_dict()["backbone.conv2d_1a.conv.weight"], theirs.state_dict()["conv2d_1a.conv.weight"]
    )


def test_weights_that_cannot_be_had_are_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", offline)
    with pytest.raises(UserError, match="no network.*--no-pretrained"):
        build_model(load_recipe("model1").model)
    with pytest.raises(UserError, match="no network.*put http") as caught:
        facenet()
    assert "--no-pretrained" not in str(caught.value)  # what is judged has no say in that


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (ModelSpec("resnet18x"), "did you mean resnet18"),
        (ModelSpec("small", "imagenet"), "small has no trained weights"),
        (ModelSpec("inception_resnet_v1", "imagenet"), "has weights vggface2 and casia-webface"),
        (ModelSpec("resnet18", "vggface2"), "has weights imagenet"),
    ],
)
def test_what_is_not_there_is_said(spec: ModelSpec, says: str) -> None:
    with pytest.raises(UserError, match=says):
        build_model(spec)
