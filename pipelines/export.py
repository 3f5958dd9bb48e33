"""`maskgen export` at work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from maskgen.core.reasons import UserError

if TYPE_CHECKING:
    from maskgen.embedders.base import FaceEmbedder


def export_model(embedder: FaceEmbedder, out: Path) -> str:
    """Write the model, once onnxruntime gives the same embeddings; returns a sentence.

    Raises:
        UserError: it is no PyTorch network, its ONNX form gives something else, or `out` is a folder.
    """
    from maskgen.core.files import write_whole
    from maskgen.embedders.network import NetworkEmbedder
    from maskgen.embedders.onnx_file import FARTHEST, farthest, input_name, to_onnx

    if out.is_dir():
        raise UserError(f"{out} is a folder: name the file to write, as {out / 'model.onnx'}.")
    if not isinstance(embedder, NetworkEmbedder):
        raise UserError(f"{embedder.name} is no PyTorch network: export a checkpoint, or facenet.")
    data = to_onnx(embedder)
    off = farthest(data, embedder)
    if not off <= FARTHEST:
        raise UserError(f"The ONNX form of {embedder.name} gives other embeddings (by {off:.2g}): nothing is written.")
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, data)
    return f"{out} takes {input_name(embedder)} and differs from the model by {off:.1e} at most."
