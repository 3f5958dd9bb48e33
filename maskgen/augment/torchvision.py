"""A transform for torchvision's v2: `v2.Compose([MaskFace(p=0.5), v2.ToDtype(torch.float32, scale=True)])`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from maskgen.augment import MaskAugment
from maskgen.core.kindspec import DEFAULT_KINDS, texts_of
from maskgen.core.reasons import why_no_number
from maskgen.core.records import Floats, Image

_KEY_POINTS = getattr(tv_tensors, "KeyPoints", None)  # from 0.23 on
_MODES = ("L", "LA", "RGB", "RGBA")


class MaskFace(v2.Transform):  # type: ignore[misc]
    """Renders a mask onto the face of a picture: a PIL image, or a uint8 tensor (3, height, width).

    The mode, the alpha channel and the size stay as they are, whether a mask is drawn or not.

    Five or 68 `tv_tensors.KeyPoints` in the sample are the face's points, a `tv_tensors.BoundingBoxes` with one box its
    box, as moved by earlier transforms; both stay unchanged. Without them the face is detected. Random numbers come
    from PyTorch's generator of the CPU.

    Args:
        kinds: the masks to draw from, see `MaskAugment`.
        wear: wearing positions.
        aligned: pictures are crops with one centred face.
        p: probability.

    Raises:
        TypeError: a tensor that is not uint8 with three channels: put this before `ToDtype` and `Normalize`; a PIL
            image of another mode than L, LA, RGB and RGBA; or a sample without a picture, such as a NumPy array. It is
            raised whether a mask is drawn or not.
        UserError: an invalid value of `kinds`, `wear` or `aligned`.
        ValueError: another number of key points, points or a box as shares of the picture's sides, or a `p` outside
            0..1.
    """

    _transformed_types = tuple(
        filter(None, (PIL.Image.Image, torch.Tensor, tv_tensors.Image, tv_tensors.BoundingBoxes, _KEY_POINTS))
    )

    def __init__(
        self,
        kinds: Sequence[str] = DEFAULT_KINDS,
        wear: Sequence[str] = ("proper",),
        aligned: bool = False,
        p: float = 0.5,
    ) -> None:
        super().__init__()
        if fault := why_no_number(p, 0.0, 1.0):
            raise ValueError(f"p {p!r} {fault}")
        self.kinds, self.wear = texts_of(kinds, "--kinds"), texts_of(wear, "--wear")
        self.aligned, self.p = aligned, p
        self._augment = MaskAugment(self.kinds, self.wear, aligned=aligned)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Refuse a sample without a picture, which would come out as it is.

        Raises:
            TypeError: there is none.
        """
        if not any(map(_may_be_picture, flat_inputs)):
            raise TypeError(
                "no picture in the sample: give a PIL image or a uint8 tensor (3, height, width); v2.ToImage() makes "
                "one of a NumPy array"
            )

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The random key, and the sample's points and box."""
        # As with PyTorch's own defaults: another default type or device would draw other masks.
        draw = float(torch.rand(1, dtype=torch.float32, device="cpu"))
        key = int(torch.randint(2**62, (1,), dtype=torch.int64, device="cpu"))
        found: dict[str, Any] = {"key": str(key) if draw < self.p else None, "points": None, "box": None}
        for one in flat_inputs:
            if _KEY_POINTS is not None and isinstance(one, _KEY_POINTS):
                points = _numbers(one)
                found["points"] = points[0] if points.ndim == 3 and len(points) == 1 else points
            elif isinstance(one, tv_tensors.BoundingBoxes) and one.numel() == 4:
                corners = v2.functional.convert_bounding_box_format(one, new_format=tv_tensors.BoundingBoxFormat.XYXY)
                found["box"] = _numbers(corners).reshape(4)
        return found

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """A picture with a mask, or unchanged if none can be rendered; other inputs unchanged."""
        if isinstance(inpt, tv_tensors.TVTensor) and not isinstance(inpt, tv_tensors.Image):
            return inpt
        _check_picture(inpt)
        if params["key"] is None:
            return inpt
        if isinstance(inpt, PIL.Image.Image):
            return self._masked_pil(inpt, params)
        picture = np.ascontiguousarray(inpt.detach().cpu().numpy().transpose(1, 2, 0))
        out = torch.from_numpy(self._masked(picture, params).transpose(2, 0, 1).copy()).to(inpt.device)
        return tv_tensors.wrap(out, like=inpt) if isinstance(inpt, tv_tensors.TVTensor) else out

    def _masked_pil(self, inpt: PIL.Image.Image, params: dict[str, Any]) -> PIL.Image.Image:
        picture = np.array(inpt.convert("RGB"))
        masked = self._masked(picture, params)
        if masked is picture:
            return inpt
        out = PIL.Image.fromarray(masked).convert("L" if inpt.mode in ("L", "LA") else "RGB")
        if inpt.mode in ("LA", "RGBA"):
            out.putalpha(inpt.getchannel("A"))
        return out

    def _masked(self, picture: Image, params: dict[str, Any]) -> Image:
        return self._augment(picture, params["key"], params["points"], params["box"])

    # As torchvision called them up to 0.20.
    _check_inputs, _get_params, _transform = check_inputs, make_params, transform


def _numbers(coordinates: torch.Tensor) -> Floats:
    """Coordinates of any type, device and gradients as float32."""
    return coordinates.as_subclass(torch.Tensor).detach().to("cpu", torch.float32).numpy()


def _check_picture(inpt: Any) -> None:
    if isinstance(inpt, PIL.Image.Image):
        if inpt.mode not in _MODES:
            raise TypeError(
                f"expected a PIL image of mode {', '.join(_MODES)}, got {inpt.mode}: convert it before MaskFace"
            )
        if 0 in inpt.size:
            raise TypeError(f"expected a picture, got one of {inpt.width}x{inpt.height} pixels: it is empty")
    elif inpt.dtype != torch.uint8 or inpt.ndim != 3 or inpt.shape[0] != 3 or not inpt.numel():
        raise TypeError(
            f"expected a uint8 tensor (3, height, width), got {inpt.dtype} {tuple(inpt.shape)}: {_wrong(inpt)}"
        )


def _wrong(tensor: torch.Tensor) -> str:
    """What is wrong with a tensor that is no picture."""
    if tensor.ndim < 2:
        return "torchvision takes the first plain tensor of a sample for its picture: put the picture before others"
    if tensor.dtype != torch.uint8:
        return "put MaskFace before ToDtype and Normalize"
    if tensor.ndim != 3:
        return "it is no single picture: use MaskFace before batches are made"
    if not tensor.numel():
        return "it is empty"
    channels = len(tensor)
    return f"it has {channels} channel{'s' if channels > 1 else ''}: convert it to RGB before MaskFace"


def _may_be_picture(one: Any) -> bool:
    """Whether v2 takes an input for a picture; of tensors without a type, numbers and lists are none."""
    if isinstance(one, tv_tensors.TVTensor):
        return isinstance(one, tv_tensors.Image)
    return isinstance(one, PIL.Image.Image) or (isinstance(one, torch.Tensor) and one.ndim > 1)
