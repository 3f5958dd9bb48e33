"""What alignments are called in catalogues and lists, and when two do not fit."""

from __future__ import annotations

import pytest

from maskgen.core.alignment_names import STORED, StoredCut, check_alignment, mismatch, stored_alignment, stored_cut


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


@pytest.mark.parametrize(
    ("name", "size", "margin", "stored"),
    [
        ("maskgen", 160, 0.15, "maskgen"),
        ("maskgen", 112, 0.5, "maskgen-0.5"),
        ("maskgen", 160, 0.5, "maskgen-0.5"),  # a share of the face: the same at every size
        ("maskgen", 160, 0, "maskgen-0"),
        ("facenet", 160, 0, "facenet"),
        ("facenet", 160, 14, "facenet-0.0875"),
        ("facenet", 320, 28, "facenet-0.0875"),
    ],
)
def test_another_margin_moves_the_face_and_so_has_another_name(
    name: str, size: int, margin: float, stored: str
) -> None:
    check_alignment(name, size, margin)
    assert stored_alignment(name, size, margin) == stored
    cut = stored_cut(stored, size)
    assert cut is not None
    check_alignment(cut.align, cut.size, cut.margin)
    assert stored_alignment(cut.align, cut.size, cut.margin) == stored


def test_how_to_cut_a_stored_alignment() -> None:
    assert stored_cut("arcface-128", 160) == StoredCut("arcface", None, 128)
    assert [stored_cut(name, 160) for name in ("", "none", "dlib", "maskgen-nan", "maskgen-9", "facenet-1")] == [
        None
    ] * 6
    told = {name: cut.options for name in (*STORED, "maskgen-0.5", "facenet-0.0875") if (cut := stored_cut(name, 160))}
    assert told == {
        "maskgen": "--align maskgen",
        "arcface": "--align arcface --size 112",
        "arcface-128": "--align arcface --size 128",
        "facenet": "--align facenet",
        "maskgen-0.5": "--align maskgen --margin 0.5",
        "facenet-0.0875": "--align facenet --margin 14 --size 160",
    }


def test_what_is_not_known_fits_everything() -> None:
    assert mismatch("maskgen", "arcface")
    assert mismatch("arcface+maskgen", "arcface")
    assert not mismatch("arcface", "arcface")
    assert not mismatch("", "arcface")
    assert not mismatch("arcface", "")
