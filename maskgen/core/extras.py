"""Optional packages and devices: packages are imported on demand, or an error says how to install them."""

from __future__ import annotations

import importlib
import re
from typing import Any

from maskgen.core.reasons import UserError

# What is imported at the top of modules that train and judge; `setup.cfg` says which packages bring it.
OF_TRAIN = frozenset(
    {"facenet_pytorch", "matplotlib", "onnx", "onnxruntime", "onnxscript", "pytorch_metric_learning", "safetensors"}
    | {"sklearn", "tensorboard", "timm", "torch", "torchvision"}
)


def need(module: str, extra: str) -> Any:
    """Import a package of one of the extras.

    Args:
        module: its import name, such as "timm".
        extra: the name in `pip install 'maskgen[EXTRA]'`.

    Raises:
        UserError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != module.partition(".")[0]:
            raise  # it is installed, but one of its own imports is missing
        raise _lacking(module, extra) from None


def check_device_name(device: str) -> None:
    """Raise UserError for a text that names no device; whether it is there, only PyTorch knows."""
    if not re.fullmatch(r"cpu|cuda(:[0-9]+)?", device):
        raise UserError(f"--device {device} is unknown: give cpu, cuda or cuda:N.")


def lacking(error: ModuleNotFoundError) -> UserError | None:
    """The sentence for an import that failed because the extra `train` is not installed; None for any other import."""
    package = (error.name or "").partition(".")[0]
    return _lacking(package, "train") if package in OF_TRAIN else None


def _lacking(module: str, extra: str) -> UserError:
    return UserError(f"This needs the package {module}: pip install 'maskgen[{extra}]' brings it.")
