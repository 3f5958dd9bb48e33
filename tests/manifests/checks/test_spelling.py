"""One spelling for each path, against the standard library's functions for paths."""

from __future__ import annotations

import posixpath
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maskgen.formats.any_path import AnyPath, RemotePath
from maskgen.manifests.checks import spelling
from maskgen.manifests.checks.picture_files import as_array
from maskgen.manifests.checks.spelling import one_spelling

STEPS = st.sampled_from(["a", "b", "..", ".", "", "...", ".a", "lists", "data"])
PATHS = st.builds(
    lambda start, steps: "/".join([*start, *steps, "1.jpg"]), st.sampled_from([[], [""]]), st.lists(STEPS)
)


def spelled(paths: list[str], root: AnyPath) -> list[str]:
    """The paths in one spelling; their folders are those of this spelling."""
    alike, codes = one_spelling(as_array(paths), root)
    found: list[str] = alike.to_pylist()
    folders = [path.rpartition("/")[0] for path in found]
    assert [[a == b for b in codes] for a in codes] == [[a == b for b in folders] for a in folders]
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(PATHS, min_size=1, max_size=9))
def test_two_paths_are_one_text_where_they_are_one_file(paths: list[str]) -> None:
    root = Path("/data/lists")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spelling, "_AT_ONCE", 4)
        found = spelled(paths, root)
    files = [posixpath.normpath(f"/{path.lstrip('/')}" if path[0] == "/" else f"{root}/{path}") for path in paths]
    assert [[a == b for b in found] for a in found] == [[a == b for b in files] for a in files]


@pytest.mark.parametrize(
    ("root", "paths"),
    [
        ("/data/lists", ["a/1.jpg", "../run/faces/1.jpg", "../../r/1.jpg", "...jpg", "a../1.jpg", "..a/.b/1.jpg"]),
        ("/data/lists", ["/data/lists/1.jpg", "/data/run.tar/a/1.jpg"]),
    ],
)
def test_paths_that_are_spelled_well_are_not_copied(root: str, paths: list[str]) -> None:
    given = as_array(paths)
    assert one_spelling(given, Path(root))[0] is given


@pytest.mark.parametrize("suffix", ["tar", "tgz", "tar.gz"])
def test_archives_are_no_folders_of_people(suffix: str) -> None:
    _, folders = one_spelling(
        as_array([f"run/1.{suffix}/Ann/1.jpg", f"run/2.{suffix}/Ann/2.jpg", "x/Bob/1.jpg"]), Path("/data")
    )
    assert folders[0] == folders[1] != folders[2]


def test_links_in_the_way_to_the_root(tmp_path: Path) -> None:
    (tmp_path / "disk" / "lists").mkdir(parents=True)
    link = tmp_path / "link"
    link.symlink_to("disk")
    paths = ["1.jpg", f"{link}/lists/1.jpg", f"{tmp_path}/disk/lists/1.jpg", "../../disk/lists/1.jpg"]
    assert set(spelled(paths, link / "lists")) == {"1.jpg"}


def test_addresses_keep_their_names_and_are_those_below_the_root() -> None:
    paths = ["a/1.jpg", "s3://b/run/a/1.jpg", "s3://b/other//1.jpg", "./a/1.jpg"]
    assert spelled(paths, RemotePath("s3://b/run")) == ["a/1.jpg", "a/1.jpg", "s3://b/other//1.jpg", "a/1.jpg"]
