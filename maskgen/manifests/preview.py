"""Preview images: some training people, and pairs with their people's names."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from maskgen.core.contact_sheets import WEIGHT, fit
from maskgen.core.reasons import SetAsideError, counted
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.formats.any_path import AnyPath
from maskgen.formats.reading import read_photo

from .catalogue import Images
from .plan import Manifests
from .schema import Ints, Pairs
from .split import balance

PEOPLE, EACH = 8, 10  # rows and columns of the training preview
PAIRS, PAIRS_A_ROW = 12, 4
_CELL, _GAP = 112, 6
_LINE = 20  # pixels of a line of text
_PAPER, _INK, _PALE = 250, (40, 40, 40), (120, 120, 120)


def train_preview(manifests: Manifests, folders: Sequence[AnyPath]) -> Image | None:
    """A row for each of some people with many training images; None without training.

    Args:
        folders: the run folder of each person of the images.
    """
    images = manifests.images
    trained, counts = np.unique(images.person[manifests.train], return_counts=True)
    if len(trained):  # people with many images show more
        trained = trained[counts >= np.quantile(counts, 0.75, method="lower")]
    bands = []
    for code in trained[_spread(len(trained), PEOPLE)].tolist():
        rows = manifests.train[images.person[manifests.train] == code]
        bands.append(_person(images, rows, int(manifests.target[code]), folders[code]))
    return np.concatenate(bands) if bands else None


def pairs_preview(manifests: Manifests, folders: Sequence[AnyPath]) -> Image | None:
    """Genuine pairs above, impostor pairs below, with their names; eval pairs if there are no test pairs."""
    drawn = manifests.test if len(manifests.test.same) + len(manifests.test.diff) else manifests.eval
    groups = {"Same person": drawn.same, "Different people": drawn.diff}
    bands = []
    for title, pairs in groups.items():
        if len(pairs):
            shown = pairs.take(_spread(len(pairs), PAIRS))
            bands += [_heading(f"{title} ({counted(len(pairs), 'pair')})"), *_pair_rows(manifests, shown, folders)]
    return np.concatenate(bands) if bands else None


def _spread(total: int, wanted: int) -> Ints:
    """At most `wanted` of range(total), evenly."""
    count = min(total, wanted)
    return np.arange(count) * total // max(count, 1)


def _person(images: Images, rows: Ints, target: int, folder: AnyPath) -> Image:
    shown = rows[balance(rng_for(0, "preview", target), images.take(rows), EACH)]
    band = _paper(_LINE + _CELL + _LINE + _GAP, EACH * (_CELL + _GAP) + _GAP)
    name = images.people[int(images.person[rows[0]])].name
    _write(band, f"{target}: {name}, {counted(len(rows), 'image')}", _GAP, 0, EACH * _CELL)
    for column, row in enumerate(shown.tolist()):
        left = _GAP + column * (_CELL + _GAP)
        _paste(band, _picture(images, row, folder), left, _LINE)
        _write(band, images.kinds[int(images.kind[row])], left, _LINE + _CELL, _CELL, _PALE)
    return band


def _heading(text: str) -> Image:
    band = _paper(_LINE + 2 * _GAP, _pairs_width())
    _write(band, text, _GAP, _GAP, _pairs_width())
    return band


def _pairs_width() -> int:
    return PAIRS_A_ROW * (2 * _CELL + 3 * _GAP) + _GAP


def _pair_rows(manifests: Manifests, pairs: Pairs, folders: Sequence[AnyPath]) -> list[Image]:
    cells = [
        _pair(manifests.images, first, second, folders)
        for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    ]
    rows = [cells[at : at + PAIRS_A_ROW] for at in range(0, len(cells), PAIRS_A_ROW)]
    width = _pairs_width()
    return [_padded(np.concatenate(row, axis=1), width) for row in rows]


def _padded(image: Image, width: int) -> Image:
    band = _paper(image.shape[0], width)
    band[:, : image.shape[1]] = image
    return band


def _pair(images: Images, first: int, second: int, folders: Sequence[AnyPath]) -> Image:
    cell = _paper(_CELL + 2 * _LINE + _GAP, 2 * _CELL + 3 * _GAP)
    for place, row in enumerate((first, second)):
        code = int(images.person[row])
        left = _GAP + place * (_CELL + 2)
        _write(cell, images.people[code].name, left, 0, _CELL)
        _paste(cell, _picture(images, row, folders[code]), left, _LINE)
        _write(cell, images.kinds[int(images.kind[row])], left, _LINE + _CELL, _CELL, _PALE)
    return cell


def _picture(images: Images, row: int, folder: AnyPath) -> Image:
    """The image within a cell; a grey cell if the file does not decode."""
    try:
        photo = read_photo(folder, images.paths[row].as_py(), max_pixels=2**31)
    except SetAsideError:
        return np.full((_CELL, _CELL, 3), 200, np.uint8)
    return fit(photo.image, _CELL)


def _paste(canvas: Image, image: Image, left: int, top: int) -> None:
    height, width = image.shape[:2]
    top, left = top + (_CELL - height) // 2, left + (_CELL - width) // 2
    canvas[top : top + height, left : left + width] = image


def _write(canvas: Image, text: str, left: int, top: int, width: int, ink: tuple[int, int, int] = _INK) -> None:
    """One line of text in any script, shortened until it fits the width in pixels."""
    face = cv2.FontFace("sans")
    line = " ".join(text.split())
    shown = line
    while len(shown) > 1 and cv2.getTextSize((10**6, _LINE), shown, (0, 0), face, 13, WEIGHT)[2] > width:
        line = line[:-1]
        shown = line + "…"
    cv2.putText(canvas, shown, (left, top + 15), ink, face, 13, WEIGHT)


def _paper(height: int, width: int) -> Image:
    return np.full((height, width, 3), _PAPER, np.uint8)
