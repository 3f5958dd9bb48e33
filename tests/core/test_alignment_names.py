"""What alignments are called in catalogues and lists, and when two do not fit."""

from __future__ import annotations

import pytest

from maskgen.core.alignments import STORED, mismatch, stored_alignment


@pytest.mark.parametrize(
    ("name", "size", "stored"),
    [
        ("maskgen", 160, "maskgen"),
        ("facenet", 160, "facenet"),
        ("arcface", 112, "arcface"),
        ("arcface", 224, "arcface"),
        ("arcface", 128, "arcface-128"),
        ("arcface", 896, "arcface"),  # a multiple of both
        ("arcface-scaled", 128, "arcface"),
        ("arcface-scaled", 160, "arcface"),
    ],
)
def test_one_name_for_the_same_places(name: str, size: int, stored: str) -> None:
    assert stored_alignment(name, size) == stored
    assert stored in STORED


def test_what_is_not_known_fits_everything() -> None:
    assert mismatch("maskgen", "arcface")
    assert mismatch("arcface+maskgen", "arcface")
    assert not mismatch("arcface", "arcface")
    assert not mismatch("", "arcface")
    assert not mismatch("arcface", "")
