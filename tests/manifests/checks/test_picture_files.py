"""Whether files are there and decode."""

from __future__ import annotations

from pathlib import Path

from manifest_makers import draw

from maskgen.manifests.checks.picture_files import absent, as_array, fault


def test_absent_is_told_row_by_row(tmp_path: Path) -> None:
    draw(tmp_path / "faces" / "a b" / "1,2.jpg")
    (tmp_path / "top.jpg").write_bytes(b"x")
    (tmp_path / "faces" / "folder.jpg").mkdir()
    names = [
        "faces/a b/1,2.jpg",
        "top.jpg",
        "faces/folder.jpg",
        "faces/none.jpg",
        "nowhere/x.jpg",
        "faces/a b/",
    ]
    assert absent(tmp_path, as_array(names)).tolist() == [False, False, True, True, True, True]
    absolute = [(tmp_path / name).as_posix() for name in names[:2]]
    assert absent(Path("/nowhere"), as_array(absolute)).tolist() == [False, False]
    assert absent(tmp_path, as_array([])).tolist() == []


def test_fault_says_why_a_picture_does_not_decode(tmp_path: Path) -> None:
    draw(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    assert fault(tmp_path, "a.jpg") == "" and fault(tmp_path, "b.jpg") and fault(tmp_path, "c.jpg")
