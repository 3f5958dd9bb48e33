"""A run on a stand-in for the masker, of which one file is damaged."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from maskgen.core.reasons import UserError

from .kills import tree
from .pictures import PIXELS


@dataclass(frozen=True)
class Worn:
    """What the stand-in masker gives for a photograph."""

    kind: str
    variant: int
    face_index: int
    image: Any
    coverage: Any
    row: dict[str, Any]
    others: tuple[dict[str, Any], ...] = ()


class StandIn:
    """A masker that inverts pictures, so that attacks on runs spend no time on faces."""

    timings: dict[str, float] = {}  # noqa: RUF012  as the library's

    def process(self, keys: Any, photos: Any, known: Any = None, given: Any = None) -> list[Any]:
        """One output a photograph."""
        return [
            [Worn("n95", 0, 0, 255 - photo.image, np.zeros(photo.image.shape[:2], np.uint8), {"faces_found": 1})]
            for photo in photos
        ]


def stand_in(settings: Any) -> StandIn:
    """The factory of the stand-in."""
    return StandIn()


def half_done(folder: Path) -> tuple[Path, Path, str]:
    """A source, a run of it that was not summed up, and the hash of what it comes to."""
    from maskgen.pipelines.mask.run import run_mask
    from maskgen.pipelines.mask.settings import MaskSettings
    from maskgen.pipelines.runs.run_folder import RunFolder

    source, run = folder / "source", folder / "run"
    for person in range(3):
        (source / f"p{person}").mkdir(parents=True)
        for number in range(16):
            image = Image.fromarray(np.roll(PIXELS, 3 * number + person, axis=1))
            image.save(source / f"p{person}" / f"{number}.png")
    run_mask(MaskSettings(source, run, kinds=("n95",)), stand_in)
    whole = tree(run)
    RunFolder(run).remove_summaries()
    return source, run, whole


def gone_on(source: Path, run: Path, whole: str, copy: Path) -> str:
    """What becomes of a run with a damaged file."""
    from maskgen.pipelines.mask.run import run_mask
    from maskgen.pipelines.mask.settings import MaskSettings

    kept = run.with_name("kept")
    shutil.copytree(run, kept)
    try:
        run_mask(MaskSettings(source, run, kinds=("n95",)), stand_in)
    except UserError:
        return "sentence"
    else:
        if tree(run) != whole:
            raise ValueError("another result")
        return "the same result"
    finally:
        shutil.rmtree(run)
        kept.rename(run)
