"""Masks for batches of aligned faces: `BatchMasker` draws and places them on the CPU and renders them on any device."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maskgen.core.kindspec import DEFAULT_KINDS, SEEDS, check_kinds, check_wear, parse_kind, parse_wear, texts_of
from maskgen.core.reasons import Reason, SetAsideError, check_flag, why_no_number
from maskgen.core.records import Image, check_pixels
from maskgen.core.seeding import key_texts
from maskgen.masks.apply_mask import AnalysedFace, analyse_faces, no_cloth_visible
from maskgen.masks.kinds import load_kinds
from maskgen.masks.plan import kind_order, plan_of_kind, stays_bare

from .packed import PackedMasks, pack_masks
from .prepared import PreparedMask, prepare_mask
from .renderer import render_masks

AT_ONCE = 256  # masks rendered in one pass
MOST_AT_ONCE = 1 << 20
ON_CPU = 400_000  # pixels of the pictures in one pass on a CPU: more do not fit in its cache
POINTS = (68, 2)

AnalysedFaces = Sequence[AnalysedFace | SetAsideError]


@dataclass(frozen=True, slots=True)
class PlannedBatch:
    """The masks of one batch, drawn and placed, but not rendered.

    Attributes:
        packed: its masks, those of one pass each.
        kinds: for each picture the drawn kind's name, "" where it stays bare or cannot get a mask. Of some masks no
            cloth is visible; only rendering tells.
        faults: for each picture why it gets no mask, None otherwise.
    """

    packed: tuple[PackedMasks, ...]
    kinds: tuple[str, ...]
    faults: tuple[SetAsideError | None, ...]

    def to(self, device: torch.device | str) -> PlannedBatch:
        """The same batch on another device."""
        return replace(self, packed=tuple(one.to(device) for one in self.packed))

    def pin_memory(self) -> PlannedBatch:
        """The same batch in pinned memory: a DataLoader calls this."""
        return replace(self, packed=tuple(one.pin_memory() for one in self.packed))


@dataclass(frozen=True, slots=True)
class MaskedBatch:
    """A batch of pictures, some with masks; tensors are on the device of the pictures that came in.

    Attributes:
        images: uint8 RGB (b, 3, height, width).
        coverage: uint8 (b, height, width), 0..255, the share of each pixel under the mask.
        masked: bool (b,), whether the picture has a mask; the others are unchanged.
        parts: uint8 (b, height, width), values of `masks.template.PARTS`; None if not requested.
    """

    images: Tensor
    coverage: Tensor
    masked: Tensor
    parts: Tensor | None
    _planned: tuple[str, ...]
    _faults: tuple[SetAsideError | None, ...]

    @property
    def kinds(self) -> tuple[str, ...]:
        """For each picture the name of its mask's kind, "" without a mask. Waits for the device."""
        return tuple(kind if done else "" for kind, done in zip(self._planned, self.masked.tolist(), strict=True))

    @property
    def faults(self) -> list[SetAsideError | None]:
        """For each picture why no mask could be rendered; None for a masked one, and for one that was to stay bare.
        Waits for the device."""
        return [
            no_cloth_visible() if kind and fault is None and not done else fault
            for kind, fault, done in zip(self._planned, self._faults, self.masked.tolist(), strict=True)
        ]


class BatchMasker:
    """Renders masks onto batches of face crops, on the CPU or on a GPU.

    The masks are those of `maskgen.Masker` with the same kinds, wear, seed and keys, and with 68 given landmarks; the
    pictures differ by rounding. On one device the same seed and key give the same bytes, whatever else is in the batch.
    It pickles, so a DataLoader's workers can do `analyse` and `plan`, and the process with the device `render`.

    Args:
        kinds: the masks to draw from, as on the command line, with weights, or one text.
        wear: wearing positions, with weights, or one text.
        unmasked_share: share of pictures, 0..1, that stay bare.
        parts: also return part labels.
        at_once: masks in one pass on the device; None for 256, on a CPU for 32 at 112 pixels and 8 at 224. A mask takes
            about 2 MB of memory at 112 pixels, 9 MB at 224.

    Raises:
        UserError: an invalid value of `kinds`, `wear` or `parts`.
        ValueError: a number that is out of range.

    Example:
        >>> import torch
        >>> from maskgen.people import sample_people
        >>> from maskgen.torch_masks import BatchMasker
        >>> people = [portrait for _, _, portrait in sample_people(2, 1, size=112)]
        >>> images = torch.stack([torch.from_numpy(one.image).permute(2, 0, 1) for one in people])
        >>> masker = BatchMasker(("n95", "surgical_blue"))
        >>> masked = masker(images, [one.points68 for one in people], keys=["first", "second"])
        >>> masked.images.shape
        torch.Size([2, 3, 112, 112])
    """

    def __init__(
        self,
        kinds: Sequence[str] = DEFAULT_KINDS,
        wear: Sequence[str] = ("proper",),
        *,
        unmasked_share: float = 0.0,
        parts: bool = False,
        at_once: int | None = None,
    ) -> None:
        _check_number("unmasked_share", unmasked_share, 0.0, 1.0)
        if at_once is not None:
            _check_number("at_once", at_once, 1, MOST_AT_ONCE)
        check_flag("parts", parts)
        self.kinds, self.wear = texts_of(kinds, "--kinds") or DEFAULT_KINDS, texts_of(wear, "--wear")
        check_kinds(self.kinds)
        check_wear(self.wear)
        self.unmasked_share, self.parts, self.at_once = unmasked_share, parts, at_once
        self._kinds = load_kinds(self.kinds)
        self._weights = np.array([parse_kind(text).weight for text in self.kinds])
        self._wear = dict(map(parse_wear, self.wear))

    def __reduce__(self) -> tuple[Any, ...]:
        """Another process loads the kinds again."""
        return _made, (self.kinds, self.wear, self.unmasked_share, self.parts, self.at_once)

    def __call__(self, images: Tensor, points: Any, keys: Sequence[str], seed: int = 0) -> MaskedBatch:
        """Analyse faces, draw a mask for each and render it.

        Args:
            images: uint8 RGB (b, 3, height, width), one face each.
            points: 68 landmarks of each, (b, 68, 2) or flat (b, 136), x and y in the picture's pixels; a row with a NaN
                has no face.
            keys: of the random draws, one for each picture.
            seed: -2**63..2**64 - 1, such as the number of the epoch.

        Raises:
            ValueError: another type or shape, an empty picture, landmarks as shares of the picture's sides, or no whole
                number as `seed`.
            TypeError: keys that are no texts.
        """
        pictures, at_once = _pictures(images), self.at_once or AT_ONCE
        if self.at_once is None and images.device.type == "cpu":
            at_once = max(1, ON_CPU // (images.shape[2] * images.shape[3]))
        planned = self._planned(pictures, self._analysed(pictures, points), keys, seed, at_once)
        return self.render(images, planned)

    def analyse(self, images: Tensor, points: Any) -> list[AnalysedFace | SetAsideError]:
        """Analyse faces, once for any number of masks: `points` as above. Works on the CPU."""
        return self._analysed(_pictures(images), points)

    def plan(self, images: Tensor, faces: AnalysedFaces, keys: Sequence[str], seed: int = 0) -> PlannedBatch:
        """Draw and place a mask for each face, analysed in these pictures or in others of their size that show the
        same. Works on the CPU.

        Raises:
            ValueError: the numbers of pictures, faces and keys differ, or the seed is no whole number.
            TypeError: keys that are no texts, or faces that are not of `analyse`.
        """
        return self._planned(_pictures(images), faces, keys, seed, self.at_once or AT_ONCE)

    def render(self, images: Tensor, planned: PlannedBatch) -> MaskedBatch:
        """Render planned masks on the device of `images`, which are those of the plan.

        Raises:
            ValueError: another type, shape or number of pictures.
            TypeError: no plan.
        """
        _check(images)
        if not isinstance(planned, PlannedBatch):
            raise TypeError(f"planned is a {type(planned).__name__}: give what plan returned")
        if len(images) != len(planned.kinds):
            raise ValueError(f"{len(images)} pictures, but a plan for {len(planned.kinds)}")
        out, coverage = images.clone(), torch.zeros_like(images[:, 0])
        masked = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        parts = torch.zeros_like(coverage) if self.parts else None
        for packed in planned.packed:
            moved = packed.to(images.device)
            some = render_masks(images, moved, self.parts)
            out[moved.rows], coverage[moved.rows], masked[moved.rows] = some.images, some.coverage, some.masked
            if parts is not None and some.parts is not None:
                parts[moved.rows] = some.parts
        return MaskedBatch(out, coverage, masked, parts, planned.kinds, planned.faults)

    def _analysed(self, pictures: Sequence[Image], points: Any) -> list[AnalysedFace | SetAsideError]:
        marks = _landmarks(points, len(pictures))
        faces: list[AnalysedFace | SetAsideError] = [_no_landmarks() for _ in pictures]
        known = np.flatnonzero(np.isfinite(marks).all((1, 2))).tolist()
        found = analyse_faces([pictures[at] for at in known], [marks[at] for at in known])
        for at, face in zip(known, found, strict=True):
            faces[at] = face
        return faces

    def _planned(
        self, pictures: Sequence[Image], faces: AnalysedFaces, keys: Sequence[str], seed: int, at_once: int
    ) -> PlannedBatch:
        _check_number("seed", seed, *SEEDS)
        seed = int(seed)  # another type of number would draw otherwise
        keys = key_texts(keys, "picture")
        if not len(pictures) == len(faces) == len(keys):
            raise ValueError(f"{len(pictures)} pictures, {len(faces)} faces and {len(keys)} keys")
        for face in faces:
            if not isinstance(face, (AnalysedFace, SetAsideError)):
                raise TypeError(f"a face is a {type(face).__name__}: give what analyse returned")
        kinds, faults = [""] * len(keys), [face if isinstance(face, SetAsideError) else None for face in faces]
        masks: list[tuple[PreparedMask, int]] = []
        for at, (picture, face, key) in enumerate(zip(pictures, faces, keys, strict=True)):
            if isinstance(face, SetAsideError) or stays_bare(seed, key, self.unmasked_share):
                continue
            kind = self._kinds[0]
            if len(self._kinds) > 1:
                kind = self._kinds[int(kind_order(seed, key, 0, self._weights)[0])]
            try:
                plan = plan_of_kind(seed, key, 0, kind.name, self._wear)
                masks.append((prepare_mask(picture, face, plan, kind), at))
                kinds[at] = kind.name
            except SetAsideError as fault:
                faults[at] = fault
        packed = tuple(pack_masks(*zip(*some, strict=True)) for some in _groups(masks, at_once))
        return PlannedBatch(packed, tuple(kinds), tuple(faults))


def _made(kinds: Sequence[str], wear: Sequence[str], share: float, parts: bool, at_once: int | None) -> BatchMasker:
    return BatchMasker(kinds, wear, unmasked_share=share, parts=parts, at_once=at_once)


def _no_landmarks() -> SetAsideError:
    return SetAsideError(Reason.NO_FACE, "no landmarks are given")


def _groups(masks: list[tuple[PreparedMask, int]], most: int) -> Iterator[list[tuple[PreparedMask, int]]]:
    for at in range(0, len(masks), most):
        yield masks[at : at + most]


def _check_number(name: str, value: float, low: float, high: float) -> None:
    if fault := why_no_number(value, low, high):
        raise ValueError(f"{name} {value!r} {fault}")


def _check(images: Tensor) -> None:
    if not isinstance(images, Tensor):
        raise ValueError(f"expected a tensor of uint8 pictures (b, 3, height, width), got {type(images).__name__}")
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"expected uint8 pictures (b, 3, height, width), got {images.dtype} {tuple(images.shape)}")
    if 0 in images.shape[2:]:
        raise ValueError(f"expected pictures, got empty ones, {tuple(images.shape)}")


def _pictures(images: Tensor) -> list[Image]:
    """The pictures of a batch, each uint8 (height, width, 3)."""
    _check(images)
    return list(images.permute(0, 2, 3, 1).contiguous().cpu().numpy())


def _landmarks(points: Any, count: int) -> NDArray[np.float32]:
    """Landmarks of any kind as float32 (count, 68, 2)."""
    values = points.detach().to("cpu", torch.float32).numpy() if isinstance(points, Tensor) else points
    try:
        marks = np.asarray(values, np.float32)
    except (TypeError, ValueError):
        raise ValueError(f"expected landmarks ({count}, 68, 2) of numbers, got {type(points).__name__}") from None
    if marks.shape not in ((count, *POINTS), (count, math.prod(POINTS))):
        raise ValueError(f"expected landmarks ({count}, 68, 2), got {marks.shape}")
    for own in marks.reshape(count, *POINTS):
        check_pixels(own, "all landmarks of a face lie")
    return marks.reshape(count, *POINTS)
