"""Backbones without their heads: InceptionResnetV1, dlib's, any of timm's, a tiny one, and adapters."""

from __future__ import annotations

import difflib
from collections import OrderedDict
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from torch import Tensor, nn

from maskgen.core.extras import need
from maskgen.core.reasons import UserError

from ..recipes.recipe import ModelSpec
from .adapters import PREFIX, RECOGNISERS, Adapter
from .dlib_resnet import WIDTH as DLIB_WIDTH
from .dlib_resnet import DlibBackbone

INCEPTION, DLIB = "inception_resnet_v1", "dlib_resnet"
INCEPTION_WIDTH = 1792
_FACENET = "https://github.com/timesler/facenet-pytorch/releases/download/v2.2.9/"
_FACENET_FILES = {"vggface2": "20180402-114759-vggface2.pt", "casia-webface": "20180408-102900-casia-webface.pt"}


class Small(nn.Sequential):
    """Four convolutions with batch norm, each halving the picture: (n, 3, h, w) to (n, 128, h / 16, w / 16)."""

    width = 128

    def __init__(self) -> None:
        layers: list[nn.Module] = []
        for into, out in zip((3, 16, 32, 64), (16, 32, 64, self.width), strict=True):
            layers += [nn.Conv2d(into, out, 3, 2, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)]
        super().__init__(*layers)


class Tokens(nn.Module):
    """A timm backbone whose features are tokens or channels-last, converted to maps (n, c, h, w)."""

    def __init__(self, inner: nn.Module, prefix: int) -> None:
        super().__init__()
        self.inner = inner
        self.prefix = prefix

    def forward(self, images: Tensor) -> Tensor:
        """The maps without class and register tokens; the other tokens are positions of a map of one column."""
        features: Tensor = self.inner(images)
        if features.ndim == 4:
            return features.permute(0, 3, 1, 2)
        return features[:, self.prefix :].transpose(1, 2).unsqueeze(3)


def is_adapter(name: str) -> bool:
    """Whether a backbone is an adapter, from features (n, c) to features; others are from images to maps."""
    return name.startswith(PREFIX)


def build_backbone(spec: ModelSpec, weights: str) -> tuple[nn.Module, int]:
    """A module from (n, 3, h, w) to maps (n, c, h, w), or for an adapter from (n, c) to (n, c); and c.

    Args:
        weights: "" for random ones; "imagenet" with timm's. InceptionResnetV1's and dlib's are loaded by
            `build_model`, because they contain the neck.

    Raises:
        UserError: an unknown name, or weights that are not available.
    """
    name = spec.backbone
    if is_adapter(name):
        _refuse(name, weights, ())
        return _adapter(name, spec.dropout)
    if name == "small":
        _refuse(name, weights, ())
        return Small(), Small.width
    if name == INCEPTION:
        _refuse(name, weights, tuple(_FACENET_FILES))
        return _inception(), INCEPTION_WIDTH
    if name == DLIB:
        _refuse(name, weights, ("dlib",))
        return DlibBackbone(), DLIB_WIDTH
    _refuse(name, weights, ("imagenet",))
    return _timm(name.removeprefix("timm:"), bool(weights))


def _refuse(name: str, weights: str, there_are: tuple[str, ...]) -> None:
    if weights and weights not in there_are:
        have = f"has weights {' and '.join(there_are)}" if there_are else "has no trained weights"
        raise UserError(f"{name} {have}, not {weights}: set model.pretrained, or train with --no-pretrained.")


def _adapter(name: str, dropout: float) -> tuple[nn.Module, int]:
    width = RECOGNISERS.get(name.removeprefix(PREFIX))
    if width is None:
        raise UserError(f"There is no adapter for {name}: there are {', '.join(PREFIX + one for one in RECOGNISERS)}.")
    return Adapter(width, dropout), width


def _inception() -> nn.Module:
    """facenet-pytorch's layers before its pooling, with their own names."""
    from facenet_pytorch import InceptionResnetV1

    whole = InceptionResnetV1()
    children = list(whole.named_children())
    end = [name for name, _ in children].index("avgpool_1a")
    return nn.Sequential(OrderedDict(children[:end]))


def load_facenet(name: str) -> dict[str, Tensor]:
    """InceptionResnetV1's weights of "vggface2" or "casia-webface", downloaded once into PyTorch's cache.

    Raises:
        UserError: they are not in the cache and cannot be downloaded.
    """
    file = _FACENET_FILES[name]
    hub = Path(torch.hub.get_dir())
    for folder in (hub / "checkpoints", hub.parent / "checkpoints"):  # the folders of PyTorch and of facenet-pytorch
        if (folder / file).is_file():
            return torch.load(folder / file, map_location="cpu", weights_only=True)
    try:
        return torch.hub.load_state_dict_from_url(_FACENET + file, map_location="cpu", weights_only=True)
    except (URLError, OSError) as error:
        raise UserError(
            f"InceptionResnetV1's weights ({name}) cannot be downloaded ({error}): put {_FACENET}{file} "
            f"into {hub / 'checkpoints'}."
        ) from None


def _timm(name: str, pretrained: bool) -> tuple[nn.Module, int]:
    timm = need("timm", "train")
    base = name.partition(".")[0]
    if not timm.is_model(base):
        near = difflib.get_close_matches(base, timm.list_models(), 1)
        hint = f"did you mean {near[0]}?" if near else "timm.list_models() lists what there is."
        raise UserError(f"There is no backbone {name}: {hint}")
    # global_pool="gem" fails in timm, so pooling is separate.
    model = _created(timm, name, pretrained)
    width = int(getattr(model, "head_hidden_size", None) or model.num_features)
    prefix = int(getattr(model, "num_prefix_tokens", 0))
    is_maps = not prefix and getattr(model, "output_fmt", "NCHW") == "NCHW" and not hasattr(model, "pos_embed")
    return (model if is_maps else Tokens(model, prefix)), width


def _created(timm: Any, name: str, pretrained: bool) -> Any:
    try:
        return timm.create_model(name, pretrained=pretrained, num_classes=0, global_pool="")
    except OSError as error:  # all errors of the hub are OSErrors
        raise UserError(
            f"The weights of {name} cannot be downloaded ({_first_line(error)}): train with --no-pretrained."
        ) from None
    except Exception as error:  # a network that needs its head raises one of various errors
        raise UserError(
            f"timm cannot make {name} without its head ({_first_line(error)}): take another backbone."
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]
