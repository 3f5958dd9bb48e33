"""Masks on profiles: what each landmark model says of them, and a sheet to look at.

    python benchmarks/profile_masks.py lfw SHEET.png [--kind n95]

`lfw_profiles.txt` (beside this file) names 22 photographs of LFW in which the nose stands before the far cheek or the
background. It was made by looking at the 140 of 7,959 in which the detector's nose is farthest to one side of the
middle of eyes and mouth. Prints, for each photograph and model, yaw and trust, or why the face is set aside. A row of
the sheet shows two photographs: as it is, masked with `dlib`, masked with `own`. Whether the mask has a nose, that is,
whether its front edge follows the profile, is for a person to say.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import read_photo
from maskgen.core.kindspec import FARTHEST_YAW
from maskgen.core.records import Image

NAMES = ("dlib", "own")
LIST = Path(__file__).with_name("lfw_profiles.txt")
CELL, PART = 250, slice(30, 220)


def shown(image: Image) -> Image:
    """The middle of a photograph of LFW, enlarged."""
    return cv2.resize(image[PART, PART], (CELL, CELL), interpolation=cv2.INTER_CUBIC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lfw", type=Path)
    parser.add_argument("sheet", type=Path)
    parser.add_argument("--kind", default="n95")
    options = parser.parse_args()
    maskers = [
        Masker(
            MaskerSettings(
                (options.kind,), crop="none", landmarks=name, min_trust=0.0, max_yaw=FARTHEST_YAW, masked_input="keep"
            )
        )
        for name in NAMES
    ]
    rows = []
    for path in LIST.read_text().split():
        photo = read_photo(options.lfw / path)
        cells, said = [shown(photo.image)], []
        for name, masker in zip(NAMES, maskers, strict=True):
            (result,) = masker.process([path], [photo])
            out = result[0] if isinstance(result, list) else result
            if isinstance(out, Output):
                cells.append(shown(out.image))
                said.append(f"{name}: yaw {out.row['yaw']:6.1f} trust {out.row['trust']:.2f}")
            else:
                cells.append(np.zeros((CELL, CELL, 3), np.uint8))
                said.append(f"{name}: {out}")
        print(f"{path:60} " + "  ".join(said))
        rows.append(np.hstack(cells))
    rows += [np.zeros_like(rows[0])] * (len(rows) % 2)
    sheet = np.vstack([np.hstack(rows[at : at + 2]) for at in range(0, len(rows), 2)])
    cv2.imwrite(str(options.sheet), sheet[..., ::-1])


if __name__ == "__main__":
    main()
