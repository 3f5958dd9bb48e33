from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from maskgen.core.contact_sheets import contact_sheet, fit


def flat(height: int, width: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_every_picture_lies_in_its_cell() -> None:
    sheet = contact_sheet({"a": [flat(10, 10, value) for value in range(5)], "b": [flat(10, 10, 9)]}, 3, 10)
    assert sheet.shape == (2 * 26 + 3 * 14, 3 * 14 + 4, 3)
    for index in range(5):
        top, left = 26 + 14 * (index // 3), 4 + 14 * (index % 3)
        assert (sheet[top : top + 10, left : left + 10] == index).all()


def test_no_pictures_make_a_sheet_that_says_so() -> None:
    assert contact_sheet({}, 3, 50).shape == (26, 3 * 54 + 4, 3)


@pytest.mark.parametrize(("height", "width"), [(400, 200), (200, 400), (3000, 1)])
def test_large_pictures_are_shrunk_in_proportion(height: int, width: int) -> None:
    small = fit(flat(height, width, 7), 100)
    assert max(small.shape[:2]) == 100
    assert min(small.shape[:2]) == max(round(100 * min(height, width) / max(height, width)), 1)


def test_small_pictures_stay_as_they_are() -> None:
    image = flat(20, 30, 7)
    assert fit(image, 100) is image


PAIRS = """
import sys
import numpy as np
from maskgen.core.pair_sheets import ShownPair, pair_sheet
from maskgen.core.contact_sheets import contact_sheet
from maskgen.manifests.preview import _write

if "before" in sys.argv:
    contact_sheet({"a": []}, 3, 50)
picture, band = np.zeros((40, 40, 3), np.uint8), np.full((40, 160, 3), 250, np.uint8)
_write(band, "kn95 Dev Patel", 4, 4, 150)
print(pair_sheet({"a title": [ShownPair(picture, picture, "0.512")]}, 1, 40).sum(), band.sum())
"""


def test_text_does_not_depend_on_what_the_process_drew_before() -> None:
    commands = [[sys.executable, "-P", "-c", PAIRS], [sys.executable, "-P", "-c", PAIRS, "before"]]
    alone, after = (subprocess.run(one, capture_output=True, text=True, check=True).stdout for one in commands)
    assert alone == after
