"""Does a mask's colour follow the light and not the skin: drawn people in ten skin tones, and photographs.

    python benchmarks/light.py FACES_DIR [--photographs 400]

Each drawn scene shows one person in ten skin tones under the same light; each wears the same white mask. Photographs
(FACES_DIR, searched for pictures, an even share of them) wear the same white mask, under one plan. Prints:

    drawn         largest and mean over scenes of the spread (largest less smallest) of the masks' median L*, and of the
                  largest difference in a* and b*
    photographs   Spearman's correlation of the masks' median L* with the skin's; share of masks' pixels with a channel
                  at 255 in photographs that have at most 0.2 % such pixels, and in the others beside their own share
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from maskgen.api import Masker, MaskerSettings
from maskgen.core.images import read_photo
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import MaskedPicture, analyse_and_apply
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import MaskPlan
from maskgen.people.person import SKINS, draw_person
from maskgen.people.portrait import draw_portrait
from maskgen.people.scene import draw_scene

WHITE = "surgical:#f4f4f2"
SCENES, TONES = 24, 10


def lab(pixels: np.ndarray) -> np.ndarray:
    """Median CIE L*, a*, b* of uint8 RGB (n, 3)."""
    values = cv2.cvtColor(np.median(pixels, axis=0)[None, None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return values[0, 0]


def cloth(worn: MaskedPicture) -> np.ndarray:
    """The pixels (n, 3) that are nothing but mask."""
    return worn.image[worn.coverage > 250]


def tones() -> np.ndarray:
    """Ten skins from the lightest to the darkest, (10, 3)."""
    at = np.linspace(0, len(SKINS) - 1, TONES)
    return np.stack([np.interp(at, np.arange(len(SKINS)), channel) for channel in SKINS.T], 1)


def drawn() -> None:
    kind, spreads = load_kind(WHITE), []
    for number in range(SCENES):
        rng = rng_for(0, "light benchmark", number)
        person, scene = draw_person(rng), draw_scene(rng)
        seen = []
        for skin in tones():
            portrait = draw_portrait(replace(person, skin=skin, lips=skin * (0.86, 0.62, 0.62)), scene)
            seen.append(lab(cloth(analyse_and_apply(portrait.image, portrait.points68, MaskPlan(), kind))))
        spreads.append(np.ptp(seen, axis=0))
    spread = np.array(spreads)
    print(
        f"drawn people, {SCENES} scenes, {TONES} skin tones: spread of the mask's median L* at most "
        f"{spread[:, 0].max():.2f}, mean {spread[:, 0].mean():.2f}; of a* and b* at most {spread[:, 1:].max():.2f}"
    )


def skin_of(image: Image, points: np.ndarray) -> np.ndarray:
    """Pixels (n, 3) of the cheeks and the bridge of the nose."""
    half = max(1, round(float(np.hypot(*(points[36:42].mean(0) - points[42:48].mean(0)))) / 12))
    places = (0.35 * points[2] + 0.65 * points[31], 0.35 * points[14] + 0.65 * points[35], points[28])
    corners = [np.maximum(np.rint(place).astype(int) - half, 0) for place in places]
    parts = [image[y : y + 2 * half + 1, x : x + 2 * half + 1].reshape(-1, 3) for x, y in corners]
    return np.concatenate(parts)


def ranks(values: np.ndarray) -> np.ndarray:
    return np.argsort(np.argsort(values, kind="stable"), kind="stable")


def photographs(folder: Path, most: int) -> None:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    paths = paths[:: -(-len(paths) // most)]
    masker, kind = Masker(MaskerSettings((WHITE,), crop="none", bare=True)), load_kind(WHITE)
    lights, skins, clips = [], [], []
    for path in paths:
        photo = read_photo(path)
        result = masker.process([photo.sha256], [photo])[0]
        if not isinstance(result, list):
            continue
        points = np.array(result[0].row["points68"], np.float32).reshape(68, 2)
        pixels = cloth(analyse_and_apply(photo.image, points, MaskPlan(), kind))
        lights.append(lab(pixels)[0])
        skins.append(lab(skin_of(photo.image, points))[0])
        clips.append([(part == 255).any(axis=-1).mean() for part in (photo.image, pixels)])
    habit, masks = np.array(clips).T
    rank = np.corrcoef(ranks(np.array(lights)), ranks(np.array(skins)))[0, 1]
    calm = habit <= 0.002
    darkest = np.argsort(skins)[: max(1, len(skins) // 20)]
    print(
        f"{len(lights)} photographs: mask L* median {np.median(lights):.1f}, correlation with the skin's {rank:.3f}; "
        f"on the darkest twentieth of skins median {np.median(np.array(lights)[darkest]):.1f}"
    )
    print(
        f"clipped pixels of masks: {masks[calm].mean():.4f} in {calm.sum()} photographs that do not clip, "
        f"{masks[~calm].mean():.4f} in the others, whose own share is {habit[~calm].mean():.4f}; masks with over 5 % "
        f"more than their photograph: {(masks > habit + 0.05).sum()}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--photographs", type=int, default=400)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    drawn()
    photographs(asked.faces, asked.photographs)
