"""A masker with the shape of the library's that paints a square, so that tests of runs take no time on faces.

A picture says by its top left corner what is to happen to it: red 255 no face, green 255 ends the process,
blue 255 a fault of the program, yellow (255, 255, 0) two faces, the second with a fault, magenta (255, 0, 255)
two faces, both with a fault; anything else is one face.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from maskgen.core.reasons import Reason, SetAsideError, UserError
from maskgen.core.seeding import rng_for
from maskgen.pipelines.mask.settings import MaskSettings

COLOURS = {"surgical_green": 60, "surgical_blue": 90, "n95": 255, "kn95": 240, "cloth_black": 0}


@dataclass(frozen=True)
class FakeOutput:
    kind: str
    variant: int
    face_index: int
    image: Any
    coverage: Any
    row: dict[str, Any]
    others: tuple[dict[str, Any], ...] = ()
    parts: Any = None


class FakeMasker:
    def __init__(self, settings: MaskSettings) -> None:
        self.settings = settings
        self.timings: dict[str, float] = {"wear": 0.0}
        self.delay = float(os.environ.get("FAKE_MASKER_SECONDS", "0"))

    def process(self, keys: Any, photos: Any, known: Any = None, given: Any = None) -> list[Any]:
        return [self.one(key, photo.image) for key, photo in zip(keys, photos, strict=True)]

    def one(self, key: str, image: Any) -> Any:
        time.sleep(self.delay)
        self.timings["wear"] += self.delay
        corner = image[:8, :8].reshape(-1, 3).astype(int)
        marked = bool(((corner > 235) | (corner < 20)).all() and np.ptp(corner, axis=0).max() < 20)
        red, green, blue = (marked and bool(value > 235) for value in corner[0])
        if red and green and not blue:
            return [self.paint(key, image, 0, 2), SetAsideError(Reason.EXTREME_POSE, "face 2: yaw 88")]
        if red and blue and not green:
            return [SetAsideError(Reason.DOUBTFUL_FIT, "face 1"), SetAsideError(Reason.EXTREME_POSE, "face 2: yaw 88")]
        if red and not green and not blue:
            return SetAsideError(Reason.NO_FACE, "")
        if green and blue and not red:
            raise UserError("a model is missing")
        if green and not red:
            os._exit(9)
        if blue and not red:
            raise ZeroDivisionError("a fault of the program")
        outputs = [self.paint(key, image, variant) for variant in range(self.count())]
        if self.settings.bare:
            none, row = np.zeros(image.shape[:2], np.uint8), {"yaw": None, "faces_found": 1}
            outputs.append(FakeOutput("bare", 0, 0, image, none, row, parts=self.parts(none)))
        return outputs

    def count(self) -> int:
        per_photo = self.settings.per_photo
        return {"random": 1, "all": len(self.settings.kinds)}.get(str(per_photo)) or int(per_photo)

    def paint(self, key: str, image: Any, variant: int, faces: int = 1) -> FakeOutput:
        rng = rng_for(self.settings.seed, key)
        kind = str(rng.permutation(self.settings.kinds)[variant])
        covered = np.zeros(image.shape[:2], np.uint8)
        covered[image.shape[0] // 2 :, int(rng.integers(4)) : -4] = 255
        painted = np.where(covered[:, :, None] > 0, np.uint8(COLOURS.get(kind, 128)), image)
        row = {"yaw": float(rng.normal()), "points": rng.normal(size=(5, 2)).tolist(), "faces_found": faces}
        return FakeOutput(kind, variant, 0, painted, covered, row, parts=self.parts(covered))

    def parts(self, covered: Any) -> Any:
        return (covered > 0).astype(np.uint8) if self.settings.classes else None


def make_fake(settings: MaskSettings) -> FakeMasker:
    return FakeMasker(settings)


class ToldMasker(FakeMasker):
    """The stand-in, with what the library says of a face."""

    def one(self, key: str, image: Any) -> Any:
        found = super().one(key, image)
        if isinstance(found, list):
            for output in found:
                if isinstance(output, FakeOutput):
                    self.tell(key, output)
        return found

    def tell(self, key: str, output: FakeOutput) -> None:
        rng = rng_for(0, key)
        side = output.image.shape[0]
        points = np.linspace(0.2, 0.8, 136) * side
        trust, fit = (round(float(rng.uniform()), 4) for _ in range(2))
        told = {"yaw": float(rng.uniform(-60, 60)), "pitch": 2.0, "roll": 1.0, "trust": trust, "fit_error": fit}
        told |= {"width": side, "height": side, "matrix": [1.0, 0, 0, 0, 1, 0], "points68": points.tolist()}
        output.row.update(told | {"wearing": "" if output.kind == "bare" else "proper"})


def make_told(settings: MaskSettings) -> ToldMasker:
    return ToldMasker(settings)
