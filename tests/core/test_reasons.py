"""Counts in sentences: one is one thing."""

from __future__ import annotations

import pytest

from maskgen.core.reasons import are, counted


@pytest.mark.parametrize(
    ("words", "none", "one", "many"),
    [
        (("photograph",), "0 photographs", "1 photograph", "1,200 photographs"),
        (("person",), "0 people", "1 person", "1,200 people"),
        (("pair is", "pairs are"), "0 pairs are", "1 pair is", "1,200 pairs are"),
    ],
)
def test_counts_are_in_the_singular_for_one_only(words: tuple[str, ...], none: str, one: str, many: str) -> None:
    assert [counted(number, *words) for number in (0, 1, 1200)] == [none, one, many]


def test_the_verb_goes_with_the_count() -> None:
    assert [are(number) for number in (0, 1, 2)] == ["are", "is", "are"]
