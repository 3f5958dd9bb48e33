"""Where a gallery may be written when SOURCE is a CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskgen.core.reasons import UserError
from maskgen.pipelines.gallery.folder import SETTINGS, GalleryFolder
from maskgen.pipelines.gallery.photographs import list_photographs
from maskgen.pipelines.gallery.run import check_out
from maskgen.pipelines.gallery.settings import GallerySettings


def test_out_may_lie_beside_the_csv_and_not_around_its_photographs(tmp_path: Path) -> None:
    table = tmp_path / "photographs.csv"
    table.write_text("path;person;masked\nfaces/ann.jpg;Ann;0\n")
    beside = GallerySettings(table, tmp_path / "gallery")
    check_out(beside, list_photographs(beside))
    around = GallerySettings(table, tmp_path / "faces")
    with pytest.raises(UserError, match=r"holds faces/ann\.jpg of SOURCE"):
        check_out(around, list_photographs(around))


def test_out_may_not_lie_in_a_folder_of_photographs(tmp_path: Path) -> None:
    (tmp_path / "Ann" / "bare").mkdir(parents=True)
    (tmp_path / "Ann" / "bare" / "1.jpg").write_bytes(b"x")
    settings = GallerySettings(tmp_path, tmp_path / "gallery")
    with pytest.raises(UserError, match="lies inside SOURCE"):
        check_out(settings, list_photographs(settings))


def test_unfinished_files_of_a_killed_gallery_are_removed(tmp_path: Path) -> None:
    folder = GalleryFolder(tmp_path)
    (tmp_path / f".{SETTINGS}.1234.part").write_bytes(b"half")
    assert folder.begin({"seed": 1}, overwrite=False, notify=print) is None
    half = tmp_path / "faces" / "Ann" / "bare" / ".1.jpg.1234.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert folder.begin({"seed": 1}, overwrite=False, notify=print) is None
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [SETTINGS]
