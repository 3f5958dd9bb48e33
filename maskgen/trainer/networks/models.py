"""Models: a backbone, pooling and a neck, from normalised pictures to embeddings."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from maskgen.core.reasons import UserError

from ..recipes.recipe import ModelSpec, Recipe
from .backbones import DLIB, INCEPTION, build_backbone, is_adapter, load_facenet
from .dlib_resnet import DIM as DLIB_DIM
from .dlib_weights import dlib_file, load_dlib
from .pooling import build_pooling

_EPS = 1e-3  # epsilon of the neck's batch norm, as in InceptionResnetV1


class Embedder(nn.Module):
    """float32 (n, 3, h, w) RGB, normalised as the recipe's `data` says, to embeddings (n, dim), not of unit length.

    An adapter's input is a frozen recogniser's embeddings instead, float32 (n, width).

    Attributes:
        dim: length of an embedding.
    """

    def __init__(self, backbone: nn.Module, pooling: nn.Module, neck: nn.Module, dropout: float, dim: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.neck = neck
        self.dim = dim

    def forward(self, images: Tensor) -> Tensor:
        """Embeddings (n, dim) of float images (n, 3, h, w)."""
        return self.neck(self.dropout(self.pooling(self.backbone(images))))


class LinearNorm(nn.Module):
    """A linear layer without bias and a batch norm: float (n, width) to (n, dim)."""

    def __init__(self, width: int, dim: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, dim, bias=False)
        self.norm = nn.BatchNorm1d(dim, eps=_EPS)

    def forward(self, features: Tensor) -> Tensor:
        """float (n, width) to (n, dim)."""
        return self.norm(self.linear(features))


def build_model(spec: ModelSpec, pretrained: bool = True) -> Embedder:
    """The network that a recipe describes, on the CPU, in training mode.

    Args:
        pretrained: False for random weights (PyTorch's generator), regardless of the recipe.

    Raises:
        UserError: the backbone does not exist, or its weights are not available.
    """
    weights = spec.pretrained if pretrained else ""
    backbone, width = build_backbone(spec, weights)
    pooling = nn.Identity() if is_adapter(spec.backbone) else build_pooling(spec.pooling)
    dropout = 0.0 if is_adapter(spec.backbone) else spec.dropout  # an adapter contains it
    neck, dim = _neck(spec, width)
    model = Embedder(backbone, pooling, neck, dropout, dim)
    if spec.backbone == INCEPTION and weights:
        fill_inception(model, _to_begin_with(weights))
    if spec.backbone == DLIB and weights:
        _fill_dlib(model)
    for part in list(model.backbone.children())[: spec.frozen]:
        part.requires_grad_(False)
    return model


def _neck(spec: ModelSpec, width: int) -> tuple[nn.Module, int]:
    """The neck, and the length of its output."""
    if spec.neck == "none":
        return nn.Identity(), width
    if spec.neck == "linear":
        return nn.Linear(width, spec.dim, bias=False), spec.dim
    return LinearNorm(width, spec.dim), spec.dim


def _fill_dlib(model: Embedder) -> None:
    """Load dlib's weights, with the neck's if it is the same, a linear layer to 128 numbers."""
    state = load_dlib(dlib_file())
    if not (isinstance(model.neck, nn.Linear) and model.dim == DLIB_DIM):
        del state["neck.weight"]
    model.load_state_dict(state, strict=False)


def check_size(model: Embedder, recipe: Recipe) -> None:
    """Check that the network embeds a black picture of the recipe's size; many of timm's take one size or give no maps.

    Raises:
        UserError: it fails, or returns no embedding.
    """
    if is_adapter(recipe.model.backbone):
        return
    size, was = recipe.data.size, model.training
    device = next(model.parameters()).device
    try:
        with torch.no_grad():
            shape = tuple(model.eval()(torch.zeros(1, 3, size, size, device=device)).shape)
        if shape != (1, model.dim):
            raise ValueError(f"it gives {shape} numbers in place of {(1, model.dim)}")
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # networks of timm raise many kinds of errors
        detail = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"{recipe.model.backbone} does not work with pictures of {size} x {size} ({detail}): set data.size or "
            "model.backbone."
        ) from None
    finally:
        model.train(was)


def _to_begin_with(weights: str) -> Mapping[str, Tensor]:
    try:
        return load_facenet(weights)
    except UserError as error:
        said = str(error).removesuffix(".")
        raise UserError(f"{said}; training can also begin without them, with --no-pretrained.") from None


def fill_inception(model: Embedder, state: Mapping[str, Tensor]) -> None:
    """Load facenet-pytorch's InceptionResnetV1 weights, by its names, with the neck's if it has 512 numbers.

    Raises:
        UserError: weights of another network.
    """
    ours = inception_names(state)
    if not (isinstance(model.neck, LinearNorm) and model.dim == 512):
        ours = {name: value for name, value in ours.items() if not name.startswith("neck.")}
    own = model.state_dict()
    wanted = {name for name in own if name.startswith("backbone.")} | set(ours)
    if wanted != set(ours) or any(own[name].shape != value.shape for name, value in ours.items() if name in own):
        raise UserError("These weights are not an InceptionResnetV1's: set model.backbone to the network they are of.")
    model.load_state_dict(ours, strict=False)


def inception_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """facenet-pytorch's weights with the names of an `Embedder`, without the classifier over people."""
    renamed = {}
    for name, value in state.items():
        if name.startswith("last_linear."):
            renamed["neck.linear." + name.removeprefix("last_linear.")] = value
        elif name.startswith("last_bn."):
            renamed["neck.norm." + name.removeprefix("last_bn.")] = value
        elif not name.startswith("logits."):
            renamed["backbone." + name] = value
    return renamed
