"""Draw the pictures of the README and the documentation with the program itself.

python docs/draw_pictures.py        # writes docs/masks.png and docs/people.png
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from skimage.data import astronaut

from maskgen import mask_photo
from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import Photo, encode_image, write_whole
from maskgen.masks.kinds import kind_names
from maskgen.masks.people import sample_people

HERE = Path(__file__).parent


def masks() -> np.ndarray:
    """The built-in portrait in all masks, one row."""
    return np.hstack([mask_photo(astronaut(), kind, size=224).image for kind in kind_names()])


def people() -> np.ndarray:
    """Drawn people in turn in every mask, three rows."""
    kinds = kind_names()
    masker = Masker(MaskerSettings(kinds, size=160, per_photo="all"))
    tiles = []
    for number, (name, picture, portrait) in enumerate(sample_people(12, 2)):
        result = masker.process([f"{name} {picture}"], [Photo(portrait.image, "")])[0]
        outputs = [one for one in result if isinstance(one, Output)] if isinstance(result, list) else []
        if outputs:
            tiles.append(outputs[number % len(outputs)].image)
    return np.vstack([np.hstack(tiles[at : at + 8]) for at in range(0, len(tiles) - 7, 8)])


if __name__ == "__main__":
    write_whole(HERE / "masks.png", encode_image(masks(), "png"))
    write_whole(HERE / "people.png", encode_image(people(), "png"))
