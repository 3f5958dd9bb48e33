"""The people of the built-in sample, and those that the tests draw once."""

from __future__ import annotations

import numpy as np
from drawn_people import drawn_people

from maskgen.people import sample_people


def test_tests_draw_the_people_of_the_sample() -> None:
    for one, other in zip(sample_people(1, 2, 0), drawn_people(1, 2), strict=True):
        assert one[:2] == other[:2]
        np.testing.assert_array_equal(one[2].image, other[2].image)
        np.testing.assert_array_equal(one[2].points68, other[2].points68)
