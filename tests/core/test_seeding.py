"""Draws depend on the key alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskgen.core.seeding import rng_for, words_for


@pytest.mark.parametrize("seed", [3, -1, 2**64 - 1])
def test_numpy_s_numbers_and_texts_draw_the_same(seed: int) -> None:
    """`for seed in np.arange(5)` drew other people than `range(5)`."""
    own = (np.uint64 if seed > 2**63 else np.int64)(seed)
    assert rng_for(own, np.str_("a"), np.int32(2)).integers(1 << 60) == rng_for(seed, "a", 2).integers(1 << 60)
    np.testing.assert_array_equal(words_for(5, own, np.str_("a")), words_for(5, seed, "a"))


def test_a_number_and_its_text_differ() -> None:
    assert rng_for(0, "1").integers(1 << 60) != rng_for(0, 1).integers(1 << 60)


@pytest.mark.parametrize("other", [0.5, 1.0, True, None, b"a", np.float64(1)])
def test_something_else_is_refused(other: Any) -> None:
    with pytest.raises(TypeError, match="cannot be a seed or key of random draws: give a whole number or a text"):
        rng_for(other)
    with pytest.raises(TypeError, match="cannot be a seed or key"):
        rng_for(0, other)
