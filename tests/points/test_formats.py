"""Files of marked faces: each format read back as written, bad rows told, rows found by the end of a path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from maskgen.core.reasons import Reason, SetAsideError, UserError
from maskgen.points.mark import Mark
from maskgen.points.table import PointsTable

FIVE = np.float32([[69, 109], [106, 113], [77, 142], [73, 152], [108, 154]])
BOX = np.float32([60, 80, 120, 170])
TEXTS = {
    "csv": "path,left,top,right,bottom,x1,y1,x2,y2,x3,y3,x4,y4,x5,y5\n"
    "a/1.jpg,60,80,120,170,69,109,106,113,77,142,73,152,108,154\n",
    "csv; ": "person;PATH;x1;y1;x2;y2;x3;y3;x4;y4;x5;y5\n Ann ;a/1.jpg;69;109;106;113;77;142;73;152;108;154\n",
    "lst": "0\ta/1.jpg\t7\t60\t80\t120\t170\t69\t106\t77\t73\t108\t109\t113\t142\t152\t154\n",
    "celeba": "1\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x "
    "rightmouth_y\n1.jpg   69  109  106  113   77  142   73  152  108  154\n",
    "celeba csv": "image_id,lefteye_x,lefteye_y,righteye_x,righteye_y,nose_x,nose_y,leftmouth_x,leftmouth_y,"
    "rightmouth_x,rightmouth_y\n1.jpg,69,109,106,113,77,142,73,152,108,154\n",
    "retinaface": "# a/1.jpg\n60 80 60 90 69 109 0.0 106 113 0.0 77 142 0.0 73 152 0.0 108 154 0.0 0.82\n",
    "retinaface short": "# a/1.jpg\n60 80 60 90 69 109 0.0 106 113 0.0 77 142 0.0 73 152 0.0 108 154 0.82\n",
    "wider": "a/1.jpg\n1\n60 80 60 90 0 0 0 0 0 0 \n",
    "celeba box": "1\nimage_id x_1 y_1 width height\n1.jpg  60  80  60  90\n",
}


def table(folder: Path, text: str) -> PointsTable:
    path = folder / "points.txt"
    path.write_text(text, newline="", encoding="utf-8")
    return PointsTable(path)


def numbered(points: Iterable[int]) -> str:
    """A CSV whose columns of points have these numbers."""
    columns = [f"{axis}{at}" for at in points for axis in "xy"]
    return f"path,{','.join(columns)}\na/1.jpg,{','.join(map(str, range(len(columns))))}\n"


def faces(folder: Path, text: str, key: str = "data/a/1.jpg") -> list[Mark | SetAsideError]:
    return table(folder, text).faces(key.split("/"))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_format_says_what_was_written(tmp_path: Path, name: str, end: str) -> None:
    (face,) = faces(tmp_path, TEXTS[name].replace("\n", end))
    assert isinstance(face, Mark), face
    assert face.kind == ("box" if name in ("wider", "celeba box") else "points5")
    if face.points is not None:
        np.testing.assert_array_equal(face.points, FIVE)
    if face.box is not None:
        np.testing.assert_array_equal(face.box, BOX)
    assert (face.box is None) == (name in ("csv; ", "celeba", "celeba csv"))


@pytest.mark.parametrize("person", ["a b", "José, María", "St. John", "x.jpg y", "#1", "--help", "7"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_person_may_have_any_name(tmp_path: Path, name: str, person: str) -> None:
    quoted = f'"{person}/1.jpg"' if "csv" in name else f"{person}/1.jpg"
    old = "a/1.jpg" if "a/1.jpg" in TEXTS[name] else "1.jpg"
    text = TEXTS[name].replace(old, quoted)
    (face,) = faces(tmp_path, text, f"data/{person}/1.jpg")
    assert isinstance(face, Mark), face


def test_68_points_and_rows_of_several_faces(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(0, 200, (68, 2)).round(2).astype(np.float32)
    head = ",".join(f"{axis}{at}" for at in range(1, 69) for axis in "xy")
    row = ",".join(str(value) for value in points.ravel())
    empty = "," * 136
    text = f"path,left,top,right,bottom,{head}\na/1.jpg,,,,,{row}\na/1.jpg,60,80,120,170{empty}\n"
    first, second = faces(tmp_path, text)
    assert isinstance(first, Mark) and isinstance(second, Mark)
    assert (first.kind, second.kind) == ("points68", "box")
    assert first.points is not None
    np.testing.assert_array_equal(first.points, points)


def test_widers_photographs_of_many_faces_and_of_none(tmp_path: Path) -> None:
    text = (
        "p/1.jpg\n2\n1 2 30 40 0 0 0 0 0 0\n5 6 0 8 0 0 0 1 0 0\np/2.jpg\n0\n0 0 0 0 0 0 0 0 0 0\np/3.jpg\n1\n1 1 9 9\n"
    )
    first, second = faces(tmp_path, text, "p/1.jpg")
    assert isinstance(first, Mark) and isinstance(second, SetAsideError)
    assert "invalid" in second.detail
    (none,) = faces(tmp_path, text, "p/2.jpg")
    assert isinstance(none, SetAsideError) and none.reason is Reason.NO_FACE
    assert isinstance(faces(tmp_path, text, "p/3.jpg")[0], Mark)


def test_retinafaces_faces_without_points_are_boxes(tmp_path: Path) -> None:
    text = f"# p/1.jpg\n78 221 7 8 {'-1.0 ' * 15}0.2\n361 98 263 339\n# p/2.jpg\n# p/3.jpg\n1 1 9 9\n"
    assert [face.kind for face in faces(tmp_path, text, "p/1.jpg") if isinstance(face, Mark)] == ["box", "box"]
    (none,) = faces(tmp_path, text, "p/2.jpg")
    assert isinstance(none, SetAsideError) and none.reason is Reason.NO_FACE


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("60,80,120", "fewer than the header"),
        ("60,80,120,140,150", "more than the header"),
        ("60,80,50,170", "no area"),
        ("60,80,nan,170", "four finite numbers"),
        ("60,80,much,170", "'much' is no number"),
        ("60,80,1e39,170", "'1e39' is not in any picture"),
        ("60,80,-inf,170", "'-inf' is not in any picture"),
        ("60,,120,170", "some of its box are empty"),
        (",,,", "neither a box nor points"),
    ],
)
def test_a_bad_row_is_a_fault_with_its_reason(tmp_path: Path, row: str, said: str) -> None:
    good = "a/2.jpg,1,2,3,4\n"
    (face,) = faces(tmp_path, f"path,left,top,right,bottom\na/1.jpg,{row}\n{good}")
    assert isinstance(face, SetAsideError)
    assert face.reason is Reason.BAD_POINTS and said in face.detail


def test_bad_rows_of_the_others_formats(tmp_path: Path) -> None:
    for text, said in (
        (TEXTS["lst"].replace("\t154", ""), "16 values"),
        ("1\ta/1.jpg\t7\n", "neither a box nor points"),
        (TEXTS["celeba"].replace(" 154", ""), "9 numbers, not 10"),
        (TEXTS["celeba"].replace("69  109  106  113", "106  113  69  109"), "left and right are swapped"),
        ("# a/1.jpg\n1 2 3 4 5 6\n", "6 numbers"),
        (f"# a/1.jpg\n60 80 60 90{' 9 9 0.0' * 68} 0.9\n", "209 numbers"),
        ("a/1.jpg\n1\n1 2\n", "fewer than a box"),
    ):
        (face,) = faces(tmp_path, text)
        assert isinstance(face, SetAsideError) and said in face.detail, (text, face)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("hello\nworld\n", "has an unknown format: give "),
        ("path,x1,y1\n", "has no column x2: number the columns of points x1,y1,...,x5,y5 or x1,y1,...,x68,y68"),
        ("path,x,y\n", "has neither the columns left,top,right,bottom nor x1,y1,...,x5,y5 or x1,y1,...,x68,y68"),
        ("path,x1,y1,x2,y2,x5\na,1,2,3,4,5\n", "has no column y2|has no column x3"),
        (numbered(range(68)), "has no column x68 and has a column x0: number the columns of points x1,y1"),
        (numbered(range(5)), "has no column x5 and has a column x0"),
        (numbered(range(98)), "has a column x0"),
        (numbered(range(1, 99)), "has a column x69"),
        (numbered(range(1, 68)), "has no column x68"),
        (numbered([*range(1, 12), *range(13, 69)]), "has no column x12"),
        (numbered([*range(1, 12), 11, *range(13, 69)]), "has no column x12 and has two columns x11"),
        (numbered([1, 2, 3, 4, 5, 5]), "has two columns x5"),
        (numbered(range(1, 6)).replace("path", "path,x0"), "has a column x0"),
        (numbered(range(5)).replace("path", "path,left,top,right,bottom"), "has no column x5 and has a column x0"),
        ("path,left,top,right,bottom\n", "marks no face"),
        ("p/1.jpg\n3\n1 2 30 40 0 0 0 0 0 0\n", "line 3: the file ends among the faces of p/1.jpg|ends among"),
        ("p/1.jpg\n1\n1 2 30 40\n5 6 7 8\n1\n1 2 3 4\n", "line 4: a photograph's name"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as fault:
        table(tmp_path, text)
    assert "points.txt" in str(fault.value) and str(fault.value).endswith(".")


def test_a_row_is_of_the_photograph_whose_path_ends_with_its_name(tmp_path: Path) -> None:
    found = table(tmp_path, "path,left,top,right,bottom\n1.jpg,1,1,2,2\na/1.jpg,3,3,4,4\n.\\b\\2.jpg,5,5,6,6\n")
    assert found.name_of(["", "data", "a", "1.jpg"]) == "a/1.jpg"
    assert found.name_of(["", "data", "c", "1.jpg"]) == "1.jpg"
    assert found.name_of(["b", "2.jpg"]) == "b/2.jpg"
    assert found.name_of(["", "data", "2.jpg"]) is None
    (fault,) = found.faces(["x.jpg"])
    assert isinstance(fault, SetAsideError)
    assert str(fault) == "no_points: points.txt has no row for it"


def test_folders_of_another_machine_do_not_count(tmp_path: Path) -> None:
    rows = "".join(f"0\t/raid5/faces/imgs/{name}\t0\t1\t1\t9\t9\n" for name in ("p1/1.jpg", "p2/1.jpg"))
    found = table(tmp_path, rows)
    assert found.name_of(["", "home", "me", "p2", "1.jpg"]) == "/raid5/faces/imgs/p2/1.jpg"


@pytest.mark.parametrize("name", TEXTS)
def test_empty_lines_before_a_file_are_passed_over(tmp_path: Path, name: str) -> None:
    """The empty line was the CSV's header, and its header the row of a photograph `path`."""
    found = table(tmp_path, "\n \n" + TEXTS[name])
    assert len(found) == 1 and isinstance(found.faces(["a", "1.jpg"])[0], Mark)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# my landmarks\n" + TEXTS["csv"], "unknown format"),  # not RetinaFace's, of a photograph `my landmarks`
        (TEXTS["csv"].replace("path,", "path,path,").replace("a/1", "b/2.jpg,a/1"), "two columns path"),
        (TEXTS["csv"].replace("left,", "left,left,"), "two columns left"),
    ],
)
def test_a_file_that_may_mean_another_thing_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        table(tmp_path, text)


@pytest.mark.parametrize(
    ("row", "fault"), [('"a/1.jpg,1,2,3,4\na/2.jpg,1,2,3,4', "not closed"), ('"a/1"x.jpg,1,2,3,4', "expected")]
)
def test_a_wrong_quotation_mark_does_not_swallow_rows(tmp_path: Path, row: str, fault: str) -> None:
    with pytest.raises(UserError, match=rf"cannot be used: line [34].*{fault}"):
        table(tmp_path, f"\npath,left,top,right,bottom\n{row}\n")
