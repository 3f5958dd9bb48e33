"""Any recogniser as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from maskgen.core.alignment_names import stored_cut
from maskgen.core.extras import need
from maskgen.core.reasons import UserError
from maskgen.core.records import Floats

from .base import FaceEmbedder, Images
from .chip_alignment import ChipAligner
from .onnx_input import OnnxInput, read_onnx_input
from .torch_network import CROP, GROUP

SUFFIX = ".onnx"
_MOST_BYTES = 1 << 31  # the maximum size of a protobuf message


class OnnxEmbedder(FaceEmbedder):
    """A network in an ONNX file that takes one input, pictures, and whose first output is embeddings.

    Args:
        path: the file; weights stored in separate files are not read.
        about: its input; None if its metadata describe it, as those of `maskgen export` do.
        device: "cpu", or "cuda" if onnxruntime supports it.

    Raises:
        UserError: it cannot be read, has other inputs or outputs, or the device is not available.
    """

    def __init__(self, path: Path, about: OnnxInput | None = None, device: str = "cpu") -> None:
        self.name = path.stem
        self._session = _session(path, device)
        self._about = about or _own_words(self._session, path)
        self._input, many = _taken(self._session, path)
        self._group = many if isinstance(many, int) else GROUP
        self._chipper = None if self._about.align == "crop" else ChipAligner(self._about.align, self._about.side)
        self.size = CROP if self._chipper else self._about.side
        self.alignment = self._about.alignment
        self.dim = self._tried(path)

    def _tried(self, path: Path) -> int:
        """The length of its embeddings, determined with black pictures.

        Raises:
            UserError: it does not take such pictures, or does not return embeddings.
        """
        side = self._about.side
        try:
            found = self._run(np.zeros((self._group, side, side, 3), np.uint8))
        except Exception as fault:  # onnxruntime has a separate exception class for each fault
            detail = " ".join(str(fault).split())[:200]
            raise UserError(
                f"{path} does not work with pictures of {side} x {side} ({detail}): correct `side` in --input."
            ) from None
        if found.ndim != 2 or len(found) != self._group:
            raise UserError(
                f"{path} gives {found.shape} for {self._group} pictures, not one embedding each: name a recogniser "
                "whose output is (n, dim)."
            )
        return int(found.shape[1])

    def _embed(self, images: Images) -> Floats:
        faces = np.stack(self._chipper.chips(list(images))) if self._chipper else images
        filled = np.concatenate([faces, np.zeros((-len(faces) % self._group, *faces.shape[1:]), np.uint8)])
        parts = [self._run(filled[at : at + self._group]) for at in range(0, len(filled), self._group)]
        return np.concatenate(parts)[: len(images)]

    def _run(self, images: Images) -> Floats:
        shown = images if self._about.channels == "RGB" else images[..., ::-1]
        values = (shown.astype(np.float32) - np.asarray(self._about.mean, np.float32)) * np.asarray(
            self._about.scale, np.float32
        )
        found = self._session.run(None, {self._input: np.ascontiguousarray(values.transpose(0, 3, 1, 2))})[0]
        return np.asarray(found, np.float32)


def open_onnx(path: Path, input_file: Path | str | None, device: str) -> OnnxEmbedder:
    """The recogniser in an ONNX file, with a TOML file that describes its input; see `OnnxEmbedder`."""
    return OnnxEmbedder(path, read_onnx_input(input_file) if input_file else None, device)


def _session(path: Path, device: str) -> Any:
    runtime = need("onnxruntime", "train")
    provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
    if provider not in runtime.get_available_providers():
        raise UserError(f"onnxruntime cannot use --device {device} here: leave out --device.")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"{path} is larger than an ONNX file can be: name another file.")
        return runtime.InferenceSession(path.read_bytes(), providers=[provider])
    except UserError:
        raise
    except Exception as fault:  # onnxruntime has a separate exception class for each fault
        why = "it is damaged, or of another form" if "PROTOBUF" in str(fault) else " ".join(str(fault).split())[:200]
        raise UserError(f"{path} cannot be read as ONNX: {why}. Export or download it again.") from None


def _taken(session: Any, path: Path) -> tuple[str, Any]:
    """The name of the input, and how many pictures it takes at once: a number, or something else for any number.

    Raises:
        UserError: it has other inputs than pictures, float32 (n, 3, side, side).
    """
    takes = session.get_inputs()
    if len(takes) != 1 or len(takes[0].shape) != 4 or takes[0].shape[0] == 0:
        raise UserError(
            f"{path} has other inputs than one of pictures (n, 3, side, side): name a recogniser of pictures."
        )
    one = takes[0]
    many, channels, _, last = one.shape
    if one.type != "tensor(float)":
        raise UserError(f"{path} takes {one.type}, not tensor(float): export it with an input of float32.")
    if isinstance(channels, int) and channels != 3 or last == 3:
        found = ", ".join(str(side) for side in one.shape)
        last_of_all = "channels last" if last == 3 else "other channels"
        raise UserError(
            f"{path} takes pictures ({found}), {last_of_all}: export it with an input of (n, 3, side, side)."
        )
    return one.name, many


def _own_words(session: Any, path: Path) -> OnnxInput:
    """The description that `maskgen export` wrote into the file: pixels of 0 to 255 are not normalised."""
    metadata = session.get_modelmeta().custom_metadata_map
    try:
        alignment = metadata.get("alignment", "")
        known = alignment if stored_cut(alignment, int(metadata["size"])) else ""
        return OnnxInput(int(metadata["size"]), align=metadata["align"] or "crop", alignment=known)
    except (KeyError, ValueError):
        raise UserError(f"{path} does not describe its input: give --input input.toml.") from None
