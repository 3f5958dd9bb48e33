"""Write a model as ONNX and compare it with the original."""

from __future__ import annotations

from maskgen.core.reasons import UserError

from ..interrupts import ends_at_once
from ..output_file import refuse_foreign, refuse_out
from .settings import ExportSettings


def run_export(settings: ExportSettings) -> str:
    """Write the model if onnxruntime gives the same embeddings; returns a sentence.

    Raises:
        UserError: the model cannot be read, is not a PyTorch network, its ONNX form gives other embeddings, or OUT
            may not be replaced.
    """
    from maskgen.core.atomic_writes import remove_parts_of, write_atomic

    out = settings.out
    with ends_at_once():  # PyTorch's exporter loses interrupts, too
        data, off, sentence = _exported(settings)
    out.parent.mkdir(parents=True, exist_ok=True)
    remove_parts_of(out)
    write_atomic(out, data)
    return f"{sentence} and differs from the model by {off:.1e} at most."


def _exported(settings: ExportSettings) -> tuple[bytes, float, str]:
    """The file, how much its embeddings differ, and the beginning of what is told of it."""
    from maskgen.embedders.by_name import open_embedder
    from maskgen.embedders.onnx_export import MOST_DIFFERENCE, input_name, is_export, largest_difference, to_onnx
    from maskgen.embedders.onnx_model import SUFFIX
    from maskgen.embedders.torch_network import NetworkEmbedder

    out = settings.out
    refuse_out(out, SUFFIX, [], settings.model)
    refuse_foreign(out, "export", is_export)
    embedder = open_embedder(settings.model, "cpu", settings.trust_pickle)
    if not isinstance(embedder, NetworkEmbedder):
        raise UserError(f"{embedder.name} is no PyTorch network: export a checkpoint, masked, dlib or facenet.")
    data = to_onnx(embedder)
    off = largest_difference(data, embedder)
    if not off <= MOST_DIFFERENCE:
        raise UserError(
            f"The ONNX form of {embedder.name} gives other embeddings (by {off:.2g}): nothing is written. Take another "
            "backbone, or another version of PyTorch."
        )
    aligned = f", of crops aligned as {embedder.alignment}," if embedder.alignment else ""
    note = f"{embedder.note} " if embedder.note else ""
    return data, off, f"{note}{out} takes {input_name(embedder)}{aligned}"
