"""What one mask costs on one core, from 68 points to the composited crop, and what it is spent on.

    python benchmarks/mask_cost.py SOURCE [--size 160] [--photographs 60] [--kinds NAME,NAME]

Every photograph's crop is made once; then all are analysed together, as a run does, and masks are applied to each,
again and again, of the five default kinds in turn, or one of them, of `world` or of --kinds alone, with other draws
each time; all are placed before the first one is rendered, as in a run. A kind named once more gets the same masks
again: `--kinds world` tells what its prints cost that are drawn for the first time, as long runs draw each only once.
Processor time is counted, and of several passes the fastest one: another process only ever slows a pass down. The ratio
to the five is the median over passes in which the kinds take turns. Memory is what one mask allocates at its peak
beyond its result.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import read_photo
from maskgen.core.kindspec import DEFAULT_KINDS, WORLD
from maskgen.core.seeding import rng_for
from maskgen.masks import apply_mask, render
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_mask

PASSES = 12
PARTS: tuple[tuple[ModuleType, str, str], ...] = (
    (apply_mask, "fit_cameras", "analyse: camera"),
    (apply_mask, "fit_shape_warps", "analyse: shape warp"),
    (apply_mask, "estimate_lights", "analyse: light"),
    (apply_mask, "estimate_blur_and_noise", "analyse: blur and noise"),
    (apply_mask, "placed_points", "apply: mesh on the head"),
    (apply_mask, "render", "apply: render"),
    (render, "vertex_values", "    of it, light and straps at the mesh's points"),
    (apply_mask, "composite_mask", "apply: noise, shadow and compositing"),
)

Face = tuple[np.ndarray, np.ndarray]


def faces(photographs: list[Path], size: int) -> list[Face]:
    """Crops and their 68 points."""
    masker = Masker(MaskerSettings(size=size, unmasked_share=1.0))
    found: list[Face] = []
    for result in masker.process([path.name for path in photographs], [read_photo(path) for path in photographs]):
        for one in result if isinstance(result, list) else []:
            if isinstance(one, Output):
                found.append((one.image, np.array(one.row["points68"], np.float32).reshape(-1, 2)))
    return found


def one_pass(crops: list[Face], number: int, names: Sequence[str] = DEFAULT_KINDS) -> tuple[float, float]:
    """Milliseconds a mask, of studying and of dressing; kinds in turn."""
    kinds = [load_kind(name) for name in names]
    plans = [plan_mask(rng_for(number, "cost", at)) for at in range(len(crops))]
    begun = time.process_time()
    analysed_faces = apply_mask.analyse_faces(*zip(*crops, strict=True))
    studied = time.process_time()
    placed = []
    for at, ((picture, _), analysed) in enumerate(zip(crops, analysed_faces, strict=True)):
        assert isinstance(analysed, apply_mask.AnalysedFace)
        kind = kinds[(at + number) % len(kinds)]
        placed.append((picture, analysed, apply_mask.place_mask(picture.shape[:2], analysed, plans[at], kind)))
    for one in placed:
        apply_mask.wear_mask(*one)
    dressed = time.process_time()
    return (studied - begun) / len(crops) * 1e3, (dressed - studied) / len(crops) * 1e3


def in_turns(crops: list[Face], sets: list[list[str]]) -> np.ndarray:
    """Milliseconds a mask, (PASSES, sets, 2), of `one_pass` with each set of kinds in turn.

    A machine that is slower for some seconds is so for all of them: a ratio within a pass says more than the fastest.
    """
    for names in sets:
        one_pass(crops, 0, names)
    return np.array([[one_pass(crops, number, names) for names in sets] for number in range(PASSES)])


def clocked(function: Callable[..., Any], name: str, spent: dict[str, float]) -> Callable[..., Any]:
    def timed(*args: Any, **named: Any) -> Any:
        begun = time.process_time()
        try:
            return function(*args, **named)
        finally:
            spent[name] += time.process_time() - begun

    return timed


def split(crops: list[Face]) -> dict[str, float]:
    """Milliseconds a mask by part, of the fastest pass each; the clocks themselves cost a little."""
    best: dict[str, float] = {}
    for number in range(PASSES):
        spent: defaultdict[str, float] = defaultdict(float)
        kept = [getattr(module, attribute) for module, attribute, _ in PARTS]
        for (module, attribute, name), function in zip(PARTS, kept, strict=True):
            setattr(module, attribute, clocked(function, name, spent))
        try:
            one_pass(crops, number)
        finally:
            for (module, attribute, _), function in zip(PARTS, kept, strict=True):
                setattr(module, attribute, function)
        best = {name: min(best.get(name, np.inf), seconds / len(crops) * 1e3) for name, seconds in spent.items()}
    return best


def peak_kilobytes(crops: list[Face]) -> float:
    tracemalloc.start()
    one_pass(crops[:5], 0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--size", type=int, default=160)
    parser.add_argument("--photographs", type=int, default=60)
    parser.add_argument("--kinds", default="", help="more kinds to time alone, beside the default ones")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    every = sorted(path for path in asked.source.rglob("*") if path.is_file())
    crops = faces(every[:: max(1, len(every) // asked.photographs)], asked.size)
    alone = [[name] for name in (*DEFAULT_KINDS, WORLD, *filter(None, asked.kinds.split(",")))]
    costs = in_turns(crops, [list(DEFAULT_KINDS), *alone])
    study, dress = costs[:, 0].min(0)
    print(f"{len(crops)} crops of {asked.size} pixels, five kinds in turn, one core, ms a mask")
    print(f"{'from points to composited crop':<40}{study + dress:8.2f}")
    print(f"{'a further mask on the same crop':<40}{dress:8.2f}")
    for at, (kind,) in enumerate(alone, 1):
        whole, further = (np.median(costs[:, at, part:].sum(1) / costs[:, 0, part:].sum(1)) for part in (0, 1))
        least = costs[:, at].min(0)
        times = (
            f"   {whole:.2f} times the five in turn, a further mask {further:.2f}" if kind not in DEFAULT_KINDS else ""
        )
        what = "again, prints kept" if [kind] in alone[: at - 1] else "alone, as above"
        print(f"  {f'{kind} {what}':<38}{least.sum():8.2f}{least[1]:8.2f}{times}")
    for name, each in split(crops).items():
        print(f"  {name:<38}{each:8.2f}")
    print(f"memory at its peak                      {peak_kilobytes(crops):8.0f} kB")
