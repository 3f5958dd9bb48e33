"""Contrast, lightness and light of the cloth of real masks and of rendered ones.

    python benchmarks/cloth_light.py REAL_DIR [--kinds world ...] [--seeds 3]

REAL_DIR holds SET/masked and SET/bare, as for `mask_detector.py`. Rendered masks are on the bare faces of all sets,
each once per seed. All are cut by the detector's points in the finished picture, EYES pixels between the eyes, and
measured in one rectangle between nose and chin; faces whose rectangle leaves the photograph are left out. Cloth whose
a* or b* varies by more than PRINTED counts as printed and is measured alone.

Prints a table: the median of each quantity, and in parentheses its 10 % and 90 % quantiles:

    lightness           median L*
    fine contrast       standard deviation of L* less its mean over 2 pixels (Gaussian, as the following)
    middle contrast     of the mean over 2 pixels less that over 8
    large contrast      of the mean over 8 pixels
    upper less lower    logarithm of linear light, third over third
    side to side        its absolute difference from left to right third
    middle less sides   middle third over the outer thirds
    b* of white masks   median
    down over across    logarithm of the root mean square gradient down over that across, of the mean over 1 pixel:
                        above 0 for streaks that run across
    down: sides over middle   logarithm of that down in the outer thirds over that in the middle third
    in a tenth          share of the squared gradients that a tenth of the pixels has; 0.33 of white noise
    step across         greatest difference in L* between two strips of the full height, STRIP wide and a third of that
                        apart, in the middle half: two halves beside a crest
    warmth of shade     b* of the darkest fifth of the cloth's pixels less that of the brightest fifth
    grain over skin's   median absolute difference of L* from its mean over 1 pixel, over that of the forehead
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from mask_detector import box_area

from maskgen.api import Masker, MaskerSettings
from maskgen.core.images import read_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.upright_crop import similarity, warp
from maskgen.masks.lighting.colour import GAMMA

SIDE, EYES = 160, 55.0  # of the crop, and between the eyes, in pixels
EYE_ROW = 60.0
ROWS, COLUMNS = slice(103, 136), slice(50, 110)  # the rectangle
FOREHEAD = slice(22, 42), slice(62, 98)
LEAST_GRAIN = 0.05  # of a forehead, in L*
SMALLEST = 35.0  # least distance between the eyes in the photograph, in pixels
PRINTED = 7.0
LIGHT, DARK = 70.0, 35.0  # L* from which a mask is light, and up to which dark
STRIP = 6  # columns
NEUTRAL = 14.0  # chroma up to which a light mask is white
QUANTITIES = (
    "lightness", "fine contrast", "middle contrast", "large contrast", "upper less lower", "side to side",
    "middle less sides", "b*", "warmth of shade", "down over across", "down: sides over middle", "in a tenth",
    "step across", "grain over skin's",
)  # fmt: skip


def largest(image: Image, detector: MtcnnDetector) -> Detection | None:
    """The largest face that is not too small."""
    found = detector.detect([image])[0]
    face = max(found, key=box_area, default=None)
    if face is None or np.hypot(*(face.points5[1] - face.points5[0])) < SMALLEST:
        return None
    return face


def cut(image: Image, face: Detection) -> tuple[Image, Image | None] | None:
    """The rectangle of the upright crop and the forehead; None for what leaves the photograph."""
    points = face.points5.astype(np.float64)
    across, down = points[1] - points[0], points[3:].mean(0) - points[:2].mean(0)
    eyes = max(np.hypot(*across), 0.85 * np.hypot(*down))
    right = across / np.hypot(*across)
    matrix = similarity(points[:2].mean(0), right, EYES / eyes, np.array([SIDE / 2, EYE_ROW]) - 0.5)
    inside = cv2.warpAffine(np.full(image.shape[:2], 255, np.uint8), matrix, (SIDE, SIDE))
    if inside[ROWS, COLUMNS].min() < 255:
        return None
    crop = warp(image, matrix, SIDE)
    return crop[ROWS, COLUMNS], crop[FOREHEAD] if inside[FOREHEAD].min() == 255 else None


def grain(part: Image) -> float:
    """The median absolute difference of L* from its mean over 1 pixel."""
    lightness = cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0]
    return float(np.median(np.abs(lightness - cv2.GaussianBlur(lightness, (0, 0), 1))))


def gradients(lightness: np.ndarray) -> tuple[float, float, float]:
    """The direction of a cloth's gradients, where those down are, how unevenly all are spread, see the QUANTITIES."""
    down, across = np.gradient(cv2.GaussianBlur(lightness, (0, 0), 1))
    squares = np.sort((down**2 + across**2).ravel())[::-1]
    spread = float(squares[: len(squares) // 10].sum() / squares.sum())
    third = down.shape[1] // 3
    sides = np.concatenate([down[:, :third], down[:, -third:]])
    steeper = np.log((sides**2).mean() / (down[:, third:-third] ** 2).mean()) / 2
    return float(np.log((down**2).mean() / (across**2).mean()) / 2), float(steeper), spread


def step_across(lightness: np.ndarray) -> float:
    """The greatest difference between neighbouring strips, see the QUANTITIES."""
    sums, apart = np.concatenate([[0.0], lightness.mean(0).cumsum()]), STRIP + STRIP // 3
    strips = (sums[STRIP:] - sums[:-STRIP]) / STRIP
    steps = strips[apart:] - strips[:-apart]
    edge = len(steps) // 6
    return float(np.abs(steps[edge:-edge]).max())


def measured(part: Image, forehead: Image | None) -> tuple[str, list[float]]:
    """The class of the cloth in the rectangle, and its QUANTITIES; NaN for what needs a forehead without one."""
    lab = cv2.cvtColor(part.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness, chroma = lab[..., 0], float(np.hypot(*np.median(lab[..., 1:].reshape(-1, 2), axis=0)))
    soft, softer = (cv2.GaussianBlur(lightness, (0, 0), width) for width in (2, 8))
    luma = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float64)
    log = GAMMA * np.log(np.maximum(luma, 6) / 255)
    rows, columns = log.mean(1), log.mean(0)
    third, wide = len(rows) // 3, len(columns) // 3
    dark, bright = np.quantile(lightness, [0.2, 0.8])
    shade = float(np.median(lab[lightness <= dark, 2]) - np.median(lab[lightness >= bright, 2]))
    middle = float(np.median(lightness))
    values = [
        middle,
        float((lightness - soft).std()),
        float((soft - softer).std()),
        float(softer.std()),
        float(rows[:third].mean() - rows[-third:].mean()),
        float(abs(columns[:wide].mean() - columns[-wide:].mean())),
        float(columns[wide:-wide].mean() - np.concatenate([columns[:wide], columns[-wide:]]).mean()),
        float(np.median(lab[..., 2])),
        shade,
        *gradients(lightness),
        step_across(lightness),
        np.nan if forehead is None else grain(part) / max(grain(forehead), LEAST_GRAIN),
    ]
    if lab[..., 1:].std(axis=(0, 1)).max() > PRINTED:
        return "printed", values
    if middle >= LIGHT and chroma < NEUTRAL:
        return "white", values
    return "black" if middle < DARK else "coloured", values


def photographs(folder: Path, name: str) -> list[Path]:
    return sorted(path for path in folder.glob(f"*/{name}/*") if path.is_file())


def rendered(paths: Sequence[Path], kinds: Sequence[str], seeds: int, detector: MtcnnDetector) -> Iterator[Image]:
    """Masked photographs."""
    for seed in range(seeds):
        masker = Masker(MaskerSettings(tuple(kinds), crop="none", seed=seed), detector)
        for path in paths:
            photo = read_photo(path)
            (found,) = masker.process([photo.sha256], [photo])
            if not isinstance(found, SetAsideError) and not isinstance(found[0], SetAsideError):
                yield found[0].image


def tabled(images: Iterator[Image], detector: MtcnnDetector) -> dict[str, np.ndarray]:
    """The QUANTITIES of each class, (n, quantities)."""
    found: dict[str, list[list[float]]] = {}
    for image in images:
        face = largest(image, detector)
        parts = None if face is None else cut(image, face)
        if parts is not None:
            name, values = measured(*parts)
            found.setdefault(name, []).append(values)
    return {name: np.array(rows) for name, rows in found.items()}


def report(tables: dict[str, dict[str, np.ndarray]]) -> None:
    for name in ("white", "black", "coloured", "printed"):
        counts = [f"{source}, {len(table.get(name, ()))}" for source, table in tables.items()]
        print(f"\n| {name} | {' | '.join(counts)} |\n|---|{'---|' * len(tables)}")
        for at, quantity in enumerate(QUANTITIES):
            cells = [_cell(table[name][:, at]) if name in table else "" for table in tables.values()]
            print(f"| {quantity} | {' | '.join(cells)} |")


def _cell(values: np.ndarray) -> str:
    low, middle, high = np.nanquantile(values, [0.1, 0.5, 0.9])
    digits = 2 if max(abs(low), abs(high)) < 2 else 1
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("real", type=Path)
    parser.add_argument("--kinds", nargs="+", default=["world", "surgical_blue,surgical_green,cloth,n95,kn95"])
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    detector = MtcnnDetector()
    tables = {"real": tabled((read_photo(path).image for path in photographs(asked.real, "masked")), detector)}
    for kinds in asked.kinds:
        drawn = rendered(photographs(asked.real, "bare"), kinds.split(","), asked.seeds, detector)
        tables[kinds] = tabled(drawn, detector)
    report(tables)
