"""Whose a photograph is: what stands beside it in a tar, and what a table says."""

from __future__ import annotations

import json

import pytest
from format_makers import tar_bytes

from maskgen.core.reasons import UserError
from maskgen.formats.tables import read_table
from maskgen.formats.tars.people import photographs
from maskgen.formats.tars.writer import sample_name


class Bytes:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, offset: int, size: int) -> bytes:
        return self.data[offset : offset + size]


def people(*files: tuple[str, bytes]) -> dict[str, str]:
    found, fault = photographs(Bytes(tar_bytes(files)))
    assert fault == ""
    return {one.name: one.fault or one.person for one in found}


JPG = b"a picture"


@pytest.mark.parametrize(
    ("beside", "person"),
    [
        ({"cls": b"17"}, "17"),
        ({"cls": b"17\n", "json": b'{"person": "Ann"}'}, "17"),
        ({"json": b'{"label": 3.0, "width": 7}'}, "3"),
        ({"json": b'{"width": 7, "person": "Ann", "label": 3}'}, "Ann"),
        ({"json": b'{"width": 7}', "txt": b"Ann Lee"}, "Ann Lee"),
        ({"txt": b"Ann Lee\n"}, "Ann Lee"),
        ({"txt": b"a photograph of\ntwo people"}, ""),
        ({"txt": b"word " * 50}, ""),
        ({"json": b"[1, 2]"}, "the .json beside it is a list of 2, not an object that names the person"),
        ({"json": b"true"}, "the .json beside it is true, not an object that names the person"),
        ({"json": b'[{"label": 3}]'}, "3"),
        ({"json": b"{broken"}, "the .json beside it cannot be read"),
        ({"json": b'{"label": [3], "width": 7}'}, "3"),
        ({"json": b'{"label": [3, 4]}'}, "the .json beside it says label as a list of 2, not as one name or number"),
        ({"json": b'{"label": {"id": 3}}'}, 'the .json beside it says label as {"id": 3}, not as one name or number'),
        ({"json": b'{"label": [0.1, 0.9], "person": "Ann"}'}, "Ann"),
        ({"json": b'{"label": null, "person": "", "class": []}'}, ""),
        ({"json": b'{"caption": "a red hat", "url": "x", "key": "0"}', "txt": b"a red hat"}, ""),
        ({"npy": b"numbers"}, ""),
        ({}, ""),
    ],
)
def test_what_stands_beside_a_photograph(beside: dict[str, bytes], person: str) -> None:
    files = [(f"000.{suffix}", data) for suffix, data in beside.items()]
    assert people(*files, ("000.jpg", JPG)) == people(("000.jpg", JPG), *files) == {"000.jpg": person}


def test_a_folder_counts_before_a_text_and_after_a_class() -> None:
    assert people(("Ann/1.jpg", JPG), ("Ann/1.txt", b"smiling")) == {"Ann/1.jpg": ""}
    assert people(("train/1.jpg", JPG), ("train/1.cls", b"5")) == {"train/1.jpg": "5"}
    assert people(("Ann/1.jpg", JPG), ("Ann/1.json", b"[[12, 40], [88, 97]]")) == {"Ann/1.jpg": ""}


def test_members_beside_no_photograph_are_photographs_that_reading_will_refuse() -> None:
    found = people(("README.txt", b"hello"), ("Ann/1", JPG), ("Ann/2.JPG", JPG), ("Ann/2.json", b"{}"))
    assert set(found) == {"README.txt", "Ann/1", "Ann/2.JPG"}


def test_several_pictures_of_a_sample_have_its_person() -> None:
    assert people(("1.left.jpg", JPG), ("1.right.png", JPG), ("1.cls", b"4")) == {"1.left.jpg": "4", "1.right.png": "4"}


@pytest.mark.parametrize("name", ["../1.jpg", "a/../../1.jpg", "/etc/1.jpg", "C:/1.jpg", "..\\1.jpg", "a\\..\\1.jpg"])
def test_names_that_lead_out_are_told(name: str) -> None:
    assert people((name, JPG)) == {name: "its name leads out of the archive"}


def test_names_with_dots_that_lead_nowhere_are_fine() -> None:
    assert people(("./Ann/1..jpg", JPG), ("..Ann/1.jpg", JPG)) == {"./Ann/1..jpg": "", "..Ann/1.jpg": ""}


def test_what_comes_before_the_damage_is_kept_and_the_damage_told() -> None:
    data = tar_bytes([("a/1.jpg", JPG), ("a/2.jpg", JPG)])
    found, fault = photographs(Bytes(data[:1024] + b"?" * 1024))
    assert [one.name for one in found] == ["a/1.jpg"] and "damaged at byte 1024" in fault


def test_a_photograph_whose_person_is_behind_the_damage_is_not_given_another() -> None:
    files = [(f"{number}.{suffix}", b"1234") for number in range(3) for suffix in ("jpg", "cls")]
    data = tar_bytes(files)
    last = data.index(b"2.cls")
    for end in (last, last + 512, last + 514):  # without its .cls, or with two of its four digits
        found, fault = photographs(Bytes(data[:end]))
        lost = "the damage may have taken the name of its person"
        assert [one.fault or one.person for one in found] == ["1234", "1234", lost] and fault == "it ends early"
    found, _ = photographs(Bytes(data[: last + 516]))
    assert [one.fault or one.person for one in found] == ["1234"] * 3
    in_folders, _ = photographs(Bytes(tar_bytes([(f"ann/{name}.jpg", JPG) for name in "12"])[:2048]))
    assert [one.fault or one.person for one in in_folders] == ["", ""]


def test_sample_names_hold_no_dot_and_stay_apart() -> None:
    names = ["a.b", "a%2Eb", "a%2eb", "a/b.c", ".hidden", "a"]
    assert len({sample_name(name) for name in names}) == len(names)
    assert all("." not in sample_name(name).rpartition("/")[2] for name in names)


@pytest.mark.parametrize(
    "text",
    [
        "path,target\na/1.jpg,3\nb 2.jpg,Ann\n",
        "\ufeffFile Name;Person ID\r\na/1.jpg;3\r\nb 2.jpg;Ann\r\n",
        "label\timage_path\tx\n3\ta/1.jpg\t\nAnn\tb 2.jpg\t\n",
        'target,path,pair_path,pair_target\n3,"a/1.jpg",z,1\n\nAnn,b 2.jpg,z,2\n',
        "Identity,IMG\n3,a\\1.jpg\nAnn,b 2.jpg\n",
    ],
)
def test_tables_by_any_name_of_their_columns(text: str) -> None:
    rows = [(path, person) for path, person, _ in read_table(text.encode(), "x.csv")]
    assert rows == [("a/1.jpg", "3"), ("b 2.jpg", "Ann")]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    assert list(read_table(b'path,person\n"a\nb.jpg",Ann\n\nc.jpg,Bob\n', "x")) == [
        ("a\nb.jpg", "Ann", 3),
        ("c.jpg", "Bob", 5),
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "line 1: no column for a photograph's path (it has nothing)"),
        (b"path,width\na,1\n", "line 1: no column for its person (it has path, width)"),
        (b"a/1.jpg,3\n", "line 1: no column for a photograph's path (it has a/1.jpg, 3)"),
        (b"path,person\na.jpg\n", "line 2: 1 value where the first line has 2"),
        (b"path,person\na.jpg,1\n,1\n", "line 3: no path"),
        (b"path,person\na.jpg, \n", "line 2: no person"),
        (b"path,person\na.jpg,1\n\xff,1\n", "line 3: it is not UTF-8"),
        (b"path,person\n" + b"a" * 200_000 + b",1\n", "line 2: it cannot be read"),
    ],
)
def test_faults_of_tables_name_the_line(data: bytes, told: str) -> None:
    with pytest.raises(UserError) as caught:
        list(read_table(data, "x.csv"))
    assert str(caught.value).startswith(f"x.csv, {told}")
    assert str(caught.value).count(". ") == 0


def test_json_of_a_number_as_large_as_one_likes() -> None:
    assert people(("1.jpg", JPG), ("1.json", json.dumps({"label": 10**400}).encode()))["1.jpg"]
    assert people(("1.jpg", JPG), ("1.json", b'{"label": 1e999}'))["1.jpg"].endswith(
        "says label as Infinity, not as one name or number"
    )
