"""Export of a network to a self-contained ONNX file, including normalisation of input and output."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from maskgen.core.extras import need
from maskgen.core.reasons import UserError
from maskgen.core.records import Floats
from maskgen.core.seeding import rng_for

from .torch_network import NetworkEmbedder

OPSET = 18
MOST_DIFFERENCE = 1e-3  # L2 distance between an embedding of the file and of the network


class _Whole(nn.Module):
    """The exported module: normalisation, network, and length 1."""

    def __init__(self, embedder: NetworkEmbedder) -> None:
        super().__init__()
        self.model = embedder.model
        self.is_pictures = embedder.features is None
        self.register_buffer("scale", _channels([1 / (255 * std) for std in embedder.data.std]))
        pairs = zip(embedder.data.mean, embedder.data.std, strict=True)
        self.register_buffer("shift", _channels([-mean / std for mean, std in pairs]))

    def forward(self, values: Tensor) -> Tensor:
        """float32 (n, 3, size, size) of 0..255, or features (n, d), to embeddings (n, dim) of length 1."""
        shown = values * self.get_buffer("scale") + self.get_buffer("shift") if self.is_pictures else values
        return nn.functional.normalize(self.model(shown))


def _channels(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, 3, 1, 1)


def to_onnx(embedder: NetworkEmbedder) -> bytes:
    """The file's bytes; the batch size is dynamic.

    Raises:
        UserError: packages are missing, or PyTorch cannot write this network as ONNX.
    """
    need("onnx", "train")
    need("onnxscript", "train")
    try:
        with _quiet():
            program = torch.onnx.export(
                _Whole(embedder).eval(),
                (torch.from_numpy(example(embedder, 2)),),
                input_names=[input_name(embedder)],
                output_names=["embeddings"],
                opset_version=OPSET,
                dynamic_shapes=({0: torch.export.Dim("n")},),
                dynamo=True,
                verbose=False,
            )
    except torch.onnx.errors.OnnxExporterError as fault:
        detail = str(fault).splitlines()[0]
        raise UserError(f"PyTorch cannot write {embedder.name} as ONNX ({detail}): take another backbone.") from None
    if program is None:
        raise UserError(f"PyTorch cannot write {embedder.name} as ONNX: take another backbone.")
    proto = program.model_proto
    about = {"model": embedder.name, "size": embedder.data.size, "dim": embedder.dim, "align": embedder.data.align}
    about["alignment"] = embedder.alignment if embedder.needs_alignment else ""
    for key, value in about.items():
        proto.metadata_props.add(key=key, value=str(value))
    return bytes(proto.SerializeToString())


def is_export(path: Path) -> bool:
    """Whether a file is one of `to_onnx`, by its metadata.

    Raises:
        UserError: the package onnx is missing.
    """
    onnx, messages = need("onnx", "train"), need("google.protobuf.message", "train")
    try:
        proto = onnx.load_model(path, load_external_data=False)
    except messages.DecodeError:
        return False
    return {"model", "size", "dim"} <= {one.key for one in proto.metadata_props}


def largest_difference(data: bytes, embedder: NetworkEmbedder) -> float:
    """The largest L2 distance between embeddings of onnxruntime and of the network, on batches of one and five."""
    runtime = need("onnxruntime", "train")
    session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
    worst = 0.0
    for n in (1, 5):
        values = example(embedder, n)
        (found,) = session.run(None, {input_name(embedder): values})
        with torch.inference_mode():
            own: Floats = _Whole(embedder).eval()(torch.from_numpy(values)).numpy()
        worst = max(worst, float(np.linalg.norm(found - own, axis=1).max()))
    return worst


def input_name(embedder: NetworkEmbedder) -> str:
    """The name of the file's input."""
    return "images" if embedder.features is None else "features"


def example(embedder: NetworkEmbedder, n: int) -> Floats:
    """A deterministic random input for the file, float32."""
    rng = rng_for(0, "onnx", n)
    if embedder.features is not None:
        return rng.normal(size=(n, embedder.features.dim)).astype(np.float32)
    return rng.integers(0, 256, (n, 3, embedder.data.size, embedder.data.size)).astype(np.float32)


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the exporter's messages for developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
