"""The check finds every fault that is planted, counts it, and finds none where there is none."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from manifest_makers import draw

from maskgen.core.reasons import UserError
from maskgen.manifests.checks.check import check_lists
from maskgen.manifests.checks.findings import Checked
from maskgen.manifests.schema import UNFINISHED

TRAIN = [("a/1.jpg", 0), ("a/2.jpg", 0), ("b/1.jpg", 1)]
SAME = [("c/1__n95.jpg", 2, "c/2__n95.jpg", 2), ("d/1__n95.jpg", 3, "d/2__bare.jpg", 3)]
DIFF = [("c/1__n95.jpg", 2, "d/2__bare.jpg", 3)]
TEST = [("e/1.jpg", 4, "e/2.jpg", 4), ("e/1.jpg", 4, "f/1.jpg", 5)]
PEOPLE = [
    (0, "a", "train"),
    (1, "b", "train"),
    (2, "c", "eval"),
    (3, "d", "eval"),
    (4, "e", "test"),
    (5, "f", "test"),
]


def write(folder: Path, name: str, rows: list[tuple[object, ...]]) -> None:
    header = "path,target" if name == "train.csv" else "path,target,pair_path,pair_target"
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"
    (folder / name).write_text(text, encoding="utf-8")


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """Four lists without a fault, and their pictures."""
    for name, rows in {
        "train.csv": TRAIN,
        "eval_same.csv": SAME,
        "eval_diff.csv": DIFF,
        "test.csv": TEST,
    }.items():
        write(tmp_path, name, rows)
        for row in rows:
            for path in row[::2]:
                draw(tmp_path / str(path))
    return tmp_path


def add_people(folder: Path, **report: object) -> None:
    rows = "".join(f"{target},{person},run,2,{split}\n" for target, person, split in PEOPLE)
    (folder / "people.csv").write_text("target,person,run,images,split\n" + rows)
    settings = {"--allow-same-source": False}
    (folder / "report.json").write_text(json.dumps({"protocol": "disjoint", "settings": settings, "rows": {}} | report))


def faults(checked: Checked) -> dict[tuple[str, str], int]:
    return {(one.file, one.check): one.count for one in checked.findings if one.count and one.fault}


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("verify", ["names", "exist", "decode"])
def test_nothing_is_wrong(lists: Path, verify: str, ours: bool) -> None:
    if ours:
        add_people(lists)
    checked = check_lists(lists, verify=verify)
    assert faults(checked) == {} and checked.n_faults == 0
    assert checked.rows == {"train.csv": 3, "eval_same.csv": 2, "eval_diff.csv": 1, "test.csv": 2}
    assert checked.table() == f"Nothing is wrong: 4 files, 8 rows, {len(checked.findings)} checks."
    assert checked.table(verbose=True).count("  ok ") == len(checked.findings)


def test_only_what_was_found_is_listed_unless_all_is_asked_for(lists: Path) -> None:
    with (lists / "train.csv").open("a") as file:
        file.write("a/9__n95.jpg,0\n")
    checked = check_lists(lists)
    title, found, *examples, last = checked.table().splitlines()
    assert title == "train.csv, 4 rows" and "FAULT images without a file" in found and "a/9__n95.jpg" in examples[0]
    assert last.startswith("1 fault, 1 note: 4 files, 9 rows, ")
    assert "ok" not in checked.table() and "ok" in checked.table(verbose=True)


@pytest.mark.parametrize(
    ("name", "rows", "check"),
    [
        ("train.csv", [*TRAIN, ("c/1__n95.jpg", "x")], "targets that are not whole numbers from 0"),
        ("train.csv", [*TRAIN, ("c/1.jpg", "-1")], "targets that are not whole numbers from 0"),
        ("train.csv", [*TRAIN, ("c/1.jpg", "1.0")], "targets that are not whole numbers from 0"),
        ("train.csv", [*TRAIN, ("", 1)], "rows without a path"),
        ("train.csv", [*TRAIN, ("b/2.jpg",)], "rows with too many or too few values"),
        ("train.csv", [*TRAIN, ("b/9.jpg", 1)], "images without a file"),
        ("train.csv", [*TRAIN, TRAIN[0]], "images listed twice"),
        ("train.csv", [*TRAIN[:2], ("b/1.jpg", 2)], "numbers that no person has, from 0 to the highest"),
        ("train.csv", [*TRAIN, ("a/1.jpg", 1)], "images with two targets"),
        ("eval_same.csv", [*SAME, ("c/1__n95.jpg", 2, "d/1__n95.jpg", 3)], "rows of two people"),
        ("eval_same.csv", [*SAME, ("c/1__n95.jpg", 2, "c/1__n95.jpg", 2)], "images paired with themselves"),
        ("eval_same.csv", [*SAME, (*SAME[0][2:], *SAME[0][:2])], "pairs listed twice, in either order"),
        ("eval_diff.csv", [*DIFF, SAME[0]], "rows of one person"),
    ],
)
def test_a_planted_fault_is_found(lists: Path, name: str, rows: list[tuple[object, ...]], check: str) -> None:
    write(lists, name, rows)
    assert faults(check_lists(lists))[name, check] == 1


@pytest.mark.parametrize("ours", [True, False])
def test_leaks_between_splits_are_found(lists: Path, ours: bool) -> None:
    if ours:
        add_people(lists)
    write(lists, "train.csv", [*TRAIN, ("c/1__n95.jpg", 2)])
    found = faults(check_lists(lists))
    pair = next(where for where, check in found if check == "images in both")
    assert set(pair.split(", ")) == {"train", "eval"} and found[pair, "images in both"] == 1
    assert found[pair, "people in both" if ours else "folders, counted as people, in both"] == 1


def test_a_person_in_eval_and_test_is_a_leak_by_people_csv(lists: Path) -> None:
    add_people(lists)
    draw(lists / "c/3.jpg")
    write(lists, "test.csv", [*TEST, ("c/3.jpg", 2, "e/1.jpg", 4)])
    found = faults(check_lists(lists))
    assert found["test.csv", "people of another split"] == 1
    assert found["eval, test", "people in both"] == 1


def test_the_reference_protocol_shares_people_but_no_first_image(lists: Path) -> None:
    add_people(lists, protocol="reference")
    text = (lists / "people.csv").read_text()
    (lists / "people.csv").write_text(text.replace(",eval\n", ",eval+test\n").replace(",test\n", ",eval+test\n"))
    draw(lists / "c/3.jpg")
    write(lists, "test.csv", [*TEST, ("c/3.jpg", 2, "c/1__n95.jpg", 2), ("e/2.jpg", 4, "e/1.jpg", 4)])
    assert faults(check_lists(lists)) == {}
    write(lists, "test.csv", [*TEST, ("c/1__n95.jpg", 2, "c/3.jpg", 2)])
    assert faults(check_lists(lists)) == {("eval, test", "images, as the first of a pair, in both"): 1}


def test_a_wrong_label_is_found_by_the_folder(lists: Path) -> None:
    add_people(lists)
    write(lists, "train.csv", [("a/1.jpg", 1), ("a/2.jpg", 1), ("b/1.jpg", 0)])
    assert faults(check_lists(lists))["train.csv", "folders that are not their person's"] == 2


def test_a_target_that_people_csv_does_not_have(lists: Path) -> None:
    add_people(lists)
    write(lists, "test.csv", [*TEST, ("g/1.jpg", 9, "e/1.jpg", 4)])
    draw(lists / "g/1.jpg")
    assert faults(check_lists(lists)) == {("test.csv", "targets that people.csv does not have"): 1}


@pytest.mark.parametrize("allow", [True, False])
def test_pairs_of_one_photograph_are_faults_where_they_were_not_asked_for(lists: Path, allow: bool) -> None:
    add_people(lists, settings={"--allow-same-source": allow})
    draw(lists / "c/1__kn95.jpg")
    write(lists, "eval_same.csv", [*SAME, ("c/1__n95.jpg", 2, "c/1__kn95.jpg", 2)])
    assert check_lists(lists).n_faults == (0 if allow else 1)


def test_a_picture_that_does_not_decode(lists: Path) -> None:
    (lists / "a/1.jpg").write_bytes(b"broken")
    assert check_lists(lists).n_faults == 0
    assert faults(check_lists(lists, verify="decode")) == {("train.csv", "images that do not decode"): 1}


def test_a_list_that_was_written_and_is_gone(lists: Path) -> None:
    add_people(lists, rows={"train.csv": 3, "test.csv": 2})
    (lists / "test.csv").unlink()
    assert faults(check_lists(lists)) == {("test.csv", "the file is missing"): 1}


@pytest.mark.parametrize("asked", ["", "train.csv"])
def test_lists_that_were_not_written_to_the_end(lists: Path, asked: str) -> None:
    (lists / UNFINISHED).write_bytes(b"{}")
    assert faults(check_lists(lists / asked)) == {
        (UNFINISHED, "the lists were not written to the end: repeat the command that writes them"): 1
    }


def test_lists_of_others_with_their_own_root_names_and_columns(lists: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    (other / "lfw_test.csv").write_text(
        "id,path,target,pair_path,pair_target\n0,e/1.jpg,0,e/2.jpg,0\n1,e/1.jpg,0,f/1.jpg,1\n"
    )
    (other / "notes.csv").write_text("a,b\n1,2\n")
    assert check_lists(other, root=lists).n_faults == 0
    assert faults(check_lists(other)) == {("lfw_test.csv", "images without a file"): 3}
    assert check_lists(other / "lfw_test.csv", root=lists).rows == {"lfw_test.csv": 2}


@pytest.mark.parametrize("content", ["", "nonsense\n1\n"])
def test_a_list_that_cannot_be_read_is_a_fault(lists: Path, content: str) -> None:
    (lists / "test.csv").write_text(content)
    assert check_lists(lists).n_faults == 1


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        ("path,target,pair_path", "pair_target"),
        ("path,target,pair_target", "pair_path"),
        ("path,pair_path", "target and pair_target"),
        ("path", "target"),
        ("a,b", "path and target"),
    ],
)
def test_a_header_that_lacks_columns_is_a_fault(lists: Path, header: str, lacking: str) -> None:
    (lists / "test.csv").write_text(f"{header}\n")
    expected = {("test.csv", f"not a list: no column {lacking}"): 1}
    assert faults(check_lists(lists)) == expected
    (lists / "test.csv").rename(lists / "other.csv")
    assert faults(check_lists(lists / "other.csv")) == {("other.csv", check): 1 for _, check in expected}
    anyhow = "pair" in header  # a folder may hold tables that are no lists, but none of half a pair
    assert check_lists(lists).n_faults == anyhow


def test_there_must_be_something_to_check(tmp_path: Path) -> None:
    (tmp_path / "a_run").mkdir()
    (tmp_path / "a_run" / "set_aside.csv").write_text("path,reason\na.jpg,no_face\n")
    with pytest.raises(UserError, match="holds no list"):
        check_lists(tmp_path / "a_run")
    with pytest.raises(UserError, match="no CSV file"):
        check_lists(tmp_path)
    with pytest.raises(UserError, match="neither a folder nor"):
        check_lists(tmp_path / "none")


SPELLINGS = ("./{}", ".//{}", "x/../{}", "{folder}/{}", "../{folder.name}/{}", "../../{up}/{folder.name}/{}")


@pytest.mark.parametrize("how", SPELLINGS)
def test_one_picture_in_two_spellings_is_one(lists: Path, how: str) -> None:
    (lists / "x").mkdir()
    spell = partial(how.format, folder=lists, up=lists.parent.name)
    write(lists, "train.csv", [*TRAIN, (spell("a/1.jpg"), 0)])
    found = check_lists(lists)
    assert faults(found) == {("train.csv", "images listed twice"): 1}
    assert spell("a/1.jpg") not in found.table() and "row 4: a/1.jpg" in found.table()
    write(lists, "train.csv", TRAIN)
    write(lists, "eval_same.csv", [*SAME, (*SAME[0][:2], spell("c/1__n95.jpg"), 2)])
    assert ("eval_same.csv", "images paired with themselves") in faults(check_lists(lists))


@pytest.mark.parametrize("how", SPELLINGS)
def test_leaks_between_lists_of_two_spellings_are_found(lists: Path, how: str) -> None:
    (lists / "x").mkdir()
    rows = [
        (how.format(path, folder=lists, up=lists.parent.name), at) for at, path in enumerate(["e/1.jpg", "g/1.jpg"])
    ]
    draw(lists / "g/1.jpg")
    write(lists, "train.csv", rows)
    where = "test, train"
    assert faults(check_lists(lists)) == {
        (where, "images in both"): 1,
        (where, "folders, counted as people, in both"): 1,
    }


def test_people_of_folders_in_any_spelling(lists: Path) -> None:
    add_people(lists)
    write(lists, "train.csv", [("./a/1.jpg", 0), ("a/./2.jpg", 0), (f"{lists}//b/1.jpg", 1)])
    assert faults(check_lists(lists)) == {}


def label_file(folder: Path, rows: list[tuple[object, ...]]) -> Path:
    path = folder / "pairs_label.txt"
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


LABELLED = [("e/1.jpg", "e/2.jpg", 1), ("e/1.jpg", "f/1.jpg", 0)]


def test_pairs_with_a_label_are_checked(lists: Path) -> None:
    add_people(lists)  # their people are not numbered as people.csv does
    checked = check_lists(label_file(lists, LABELLED), verify="decode")
    assert (checked.rows, checked.n_faults) == ({"pairs_label.txt": 2}, 0)
    assert not any(one.count for one in checked.findings)
    rows = [*LABELLED, ("f/1.jpg", "./e/1.jpg", 0), ("e/2.jpg", "e/2.jpg", 1), ("e/9.jpg", "e/2.jpg", 1)]
    found = faults(check_lists(label_file(lists, rows)))
    assert found == {
        ("pairs_label.txt", "images without a file"): 1,
        ("pairs_label.txt", "images paired with themselves"): 1,
        ("pairs_label.txt", "pairs listed twice, in either order"): 1,
    }


def test_labels_that_the_folders_contradict_are_a_note(lists: Path) -> None:
    checked = check_lists(label_file(lists, [("e/1.jpg", "f/1.jpg", 1), ("c/1__n95.jpg", "c/2__n95.jpg", 0)]))
    notes = {one.check: one.count for one in checked.findings if one.count and not one.fault}
    assert notes == {"pairs labelled 1, in two folders": 1, "pairs labelled 0, in one folder": 1}
    assert checked.n_faults == 0


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("e/1.jpg", "e/2.jpg", 2), "line 3: expected two paths and 1 or 0"),
        (("e/2.jpg", "e/1.jpg", 0), "are labelled as two people, but other lines make them one"),
    ],
)
def test_a_wrong_label_is_a_fault(lists: Path, row: tuple[object, ...], says: str) -> None:
    checked = check_lists(label_file(lists, [*LABELLED, row]))
    assert checked.n_faults == 1
    assert says in checked.table()


def test_pairs_by_name_and_number_cannot_be_checked(lists: Path) -> None:
    (lists / "pairs.txt").write_text("1\t1\nAnn\t1\t2\nAnn\t1\tBo\t1\n")
    with pytest.raises(UserError, match=r"pairs\.txt names people and numbers, no files, and is not checked: give"):
        check_lists(lists / "pairs.txt")
