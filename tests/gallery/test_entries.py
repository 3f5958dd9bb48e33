"""Which photographs a gallery is made of: folders, names and tables."""

import pytest

from maskgen.core.reasons import UserError
from maskgen.gallery.entries import (
    Entry,
    UnlabelledPhotograph,
    from_csv,
    from_folders,
    from_names,
    person_of_unlabelled,
)


def test_folders_say_whose_and_whether_masked() -> None:
    found = from_folders(["Ann/masked/1.jpg", "set/Bo/Bare/2.jpg", "Ann/3.jpg", "masked/4.jpg"])
    assert found[:2] == [Entry("Ann/masked/1.jpg", "Ann", True), Entry("set/Bo/Bare/2.jpg", "set/Bo", False)]
    assert all(isinstance(one, UnlabelledPhotograph) for one in found[2:])


def test_names_say_whether_masked() -> None:
    found = from_names(["Ann/1_Mask.jpg", "Ann/1.jpg", "alone_mask.jpg"], "*_mask*")
    assert found[:2] == [Entry("Ann/1_Mask.jpg", "Ann", True), Entry("Ann/1.jpg", "Ann", False)]
    assert isinstance(found[2], UnlabelledPhotograph)


def test_a_table_says_both() -> None:
    text = "\ufeffperson,masked,path\nAnn,1,a/1.jpg\nBo,no,b 2.jpg\n"
    assert from_csv(text, "x.csv") == [Entry("a/1.jpg", "Ann", True), Entry("b 2.jpg", "Bo", False)]


def test_a_table_with_semicolons_says_both() -> None:
    assert from_csv("path;person;masked\na,b.jpg;Ann;yes\n", "x.csv") == [Entry("a,b.jpg", "Ann", True)]


def test_titles_may_be_in_any_case() -> None:
    assert from_csv("Path, Person,MASKED\na.jpg,Ann,1\n", "x.csv") == [Entry("a.jpg", "Ann", True)]


def test_a_row_that_is_there_twice_counts_once() -> None:
    text = "path,person,masked\nb.jpg,Ann,1\na.jpg,Ann,1\n./b.jpg,Ann,masked\nb.jpg,Ann,0\nb.jpg,Bo,1\n"
    assert from_csv(text, "x.csv") == [
        Entry("b.jpg", "Ann", True),
        Entry("a.jpg", "Ann", True),
        Entry("b.jpg", "Ann", False),
        Entry("b.jpg", "Bo", True),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("path,who\n", "x.csv: no column 'person'"),
        ("path,person,masked\na.jpg,Ann,1\nb.jpg,Bo,perhaps\n", "x.csv, line 3"),
        ("path,person,masked\na.jpg,,1\n", "x.csv, line 2"),
        ("path,person,masked\na.jpg\n", "x.csv, line 2"),
        ("path,person,masked\na.jpg," + "x" * 200_000 + ",1\n", "x.csv, line .*cannot be read"),
        ("", "no column"),
    ],
)
def test_a_faulty_table_is_one_sentence(text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        from_csv(text, "x.csv")


@pytest.mark.parametrize(
    ("folder", "person"),
    [
        ("Odd/stuff", "Odd"),
        ("Odd", "Odd"),
        ("", None),
        ("masked", None),
        ("Odd/Masked/more", "Odd"),
        ("Ann/holiday", "Ann"),
        ("Ann/holiday/1", "Ann"),
        ("team/Cy", "team/Cy"),
        ("team/Bo/holiday", "team/Bo"),
    ],
)
def test_a_photograph_without_a_label_is_of_somebody(folder: str, person: str | None) -> None:
    assert person_of_unlabelled(folder, {"Ann", "team/Bo"}, by_names=False) == person


def test_by_names_the_folder_is_the_person() -> None:
    assert person_of_unlabelled("Odd/stuff", {"Ann"}, by_names=True) == "Odd/stuff"


def test_an_open_quotation_mark_does_not_swallow_rows() -> None:
    with pytest.raises(UserError, match=r"x\.csv, line 3: .*not closed"):
        from_csv('path,person,masked\n"a.jpg,Ann,1\nb.jpg,Bo,0\n', "x.csv")
