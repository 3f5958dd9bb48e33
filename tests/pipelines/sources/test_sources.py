from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import forbid, picture, run, set_aside, write

from maskgen.core.reasons import UserError
from maskgen.pipelines.sources.folder import Folder
from maskgen.pipelines.sources.listing import Item, Listing
from maskgen.pipelines.sources.output_names import escape, output_stems, stem_of, unescape
from maskgen.pipelines.sources.source import check_apart, check_no_run, list_source

posix = pytest.mark.skipif(sys.platform == "win32", reason="names that Windows does not allow")
NAMES = st.text(st.characters(blacklist_characters="/\0"), min_size=1, max_size=8)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def items(source: Path) -> list[Item]:
    listing = list_source(source)
    return [item for folder in listing.folders for item in listing.items(folder)]


def keys(source: Path) -> list[str]:
    return [item.key for item in items(source)]


def test_every_file_at_any_depth_is_listed_in_one_order(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.jpg", "b/1.JPG", "a b/x", "a/.hidden", "a/deep/er/ß (1).png", "top.webp")
    assert keys(tmp_path) == [
        "top.webp",
        "a/.hidden",
        "a b/x",
        "a/deep/er/ß (1).png",
        "b/1.JPG",
        "b/2.jpg",
    ]


def test_person_is_the_folder_that_holds_the_photograph(tmp_path: Path) -> None:
    touch(tmp_path / "set", "ann/1.jpg", "deep/er/1.jpg", "1.jpg")
    listing = list_source(tmp_path / "set")
    people = {item.key: item.person for folder in listing.folders for item in listing.items(folder)}
    assert people == {"ann/1.jpg": "ann", "deep/er/1.jpg": "deep/er", "1.jpg": "set"}


def test_person_of_the_source_itself_is_never_another_person(tmp_path: Path) -> None:
    touch(tmp_path / "set", "1.jpg", "set/1.jpg")
    listing = list_source(tmp_path / "set")
    assert [folder.person for folder in listing.folders] == [".", "set"]


def test_one_file_is_a_source(tmp_path: Path) -> None:
    touch(tmp_path / "ann", "1.jpg", "2.jpg")
    assert keys(tmp_path / "ann" / "1.jpg") == ["1.jpg"]


@pytest.mark.parametrize("name", ["absent", "empty"])
def test_no_photographs_is_the_persons_fault(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="SOURCE"):
        list_source(tmp_path / name)


@posix
def test_links_are_followed_but_never_round_in_circles(tmp_path: Path) -> None:
    touch(tmp_path / "set", "a/1.jpg")
    touch(tmp_path / "elsewhere", "9.jpg")
    (tmp_path / "set" / "a" / "up").symlink_to(tmp_path / "set")
    (tmp_path / "set" / "a" / "self").symlink_to(tmp_path / "set" / "a" / "self")
    (tmp_path / "set" / "b").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "set" / "a")
    (tmp_path / "set" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "set" / "2.jpg").symlink_to(tmp_path / "elsewhere" / "9.jpg")
    assert set(keys(tmp_path / "set")) == {
        "2.jpg",
        "gone.jpg",
        "a/1.jpg",
        "a/self",
        "b/9.jpg",
        "b/back/1.jpg",
        "b/back/self",
    }


@posix
def test_what_is_no_regular_file_is_set_aside_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "set"
    write(source / "1.png", picture(1))
    for name in ("pipe", "pipe.tar", "pipe.tar.gz", "pipe.rec"):
        os.mkfifo(source / name)
    (source / "link to a pipe.png").symlink_to(source / "pipe")
    (source / "zeros.png").symlink_to("/dev/zero")
    (source / "zeros.tar").symlink_to("/dev/zero")
    (source / "itself.tar").symlink_to(source / "itself.tar")
    with socket.socket(socket.AF_UNIX) as listener:
        monkeypatch.chdir(source)  # the address of a socket has 108 bytes at most
        listener.bind("socket")
    report = run(source, tmp_path / "out")
    assert (report.photographs, report.written) == (10, 1)
    plain = dict.fromkeys(["pipe", "link to a pipe.png", "zeros.png", "socket"], "not_a_picture")
    containers = dict.fromkeys(["pipe.tar", "pipe.tar.gz", "pipe.rec", "zeros.tar", "itself.tar"], "unreadable")
    assert set_aside(tmp_path / "out") == plain | containers
    assert (tmp_path / "out" / "set_aside.csv").read_text().count("not a regular file") == 8


@pytest.mark.parametrize("folder", ["ann", "deep/er"])
def test_a_folder_that_cannot_be_read_is_set_aside_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    source = tmp_path / "set"
    touch(source, "ann/1.jpg", "ben/1.jpg", "deep/er/1.jpg", "ann.jpg")
    everyone = {item.key: (item.person, item.out) for item in items(source)}
    forbid(source / folder, monkeypatch)
    found = {item.key: item for item in items(source)}
    unread = found.pop(folder)
    assert unread.person == folder and unread.fault == "the folder cannot be read: Permission denied"
    del everyone[f"{folder}/1.jpg"]
    assert {item.key: (item.person, item.out) for item in found.values()} == everyone
    assert all(item.fault == "" for item in found.values())


def test_people_whose_folders_cannot_be_read_are_all_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "set", "ann/1.jpg")
    forbid(tmp_path / "set" / "ann", monkeypatch)
    report = run(tmp_path / "set", tmp_path / "out")
    assert (report.people, report.written, report.set_aside) == (1, 0, {"unreadable": 1})
    row = "ann,photograph,unreadable,the folder cannot be read: Permission denied"
    assert row in (tmp_path / "out" / "set_aside.csv").read_text().splitlines()


def test_a_source_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path / "set", "ann/1.jpg")
    forbid(tmp_path / "set", monkeypatch)
    with pytest.raises(UserError, match=r"SOURCE .*/set cannot be read: Permission denied"):
        check_no_run(tmp_path / "set")
    with pytest.raises(UserError, match=r"SOURCE .*/set cannot be listed: Permission denied"):
        list_source(tmp_path / "set")


@pytest.mark.parametrize("within", ["", "deep/er"])
def test_a_run_inside_the_source_is_refused(tmp_path: Path, within: str) -> None:
    source, older = tmp_path / "set", tmp_path / "set" / within / "older"
    write(source / "ann" / "1.png", picture(1))
    run(source, tmp_path / "older", bare=True)
    older.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "older").rename(older)
    with pytest.raises(UserError) as caught:
        run(source, tmp_path / "out")
    assert f"holds a run of `maskgen mask`, {older}," in str(caught.value)
    (older / "settings.json").write_text("{")  # damaged, but the shards are there
    with pytest.raises(UserError, match="holds a run"):
        list_source(source)
    assert run(older / "faces", tmp_path / "again").written == 2


def test_what_only_looks_like_a_run_is_a_source(tmp_path: Path) -> None:
    write(tmp_path / "set" / "a" / "settings.json", b'{"version": 1}')
    write(tmp_path / "set" / "a" / "shards" / "1.png", picture(1))
    write(tmp_path / "set" / "b" / "shards" / "1.png", picture(2))
    assert keys(tmp_path / "set") == ["a/settings.json", "a/shards/1.png", "b/shards/1.png"]


@pytest.mark.parametrize(("source", "run"), [("a", "a"), ("a", "a/out"), ("a/in", "a")])
def test_source_and_run_stay_apart(tmp_path: Path, source: str, run: str) -> None:
    with pytest.raises(UserError, match="RUN"):
        check_apart(tmp_path / source, tmp_path / run)


@pytest.mark.parametrize(
    ("name", "stem"),
    [("a.jpg", "a"), ("a.b.jpg", "a.b"), (".hidden", ".hidden"), ("a", "a"), ("a.", "a."), ("..x", "..x")],
)
def test_stems(name: str, stem: str) -> None:
    assert stem_of(name) == stem


def test_clashing_stems_take_their_whole_names() -> None:
    names = ["a", "a.jpg", "a.jpg.png", "b.png", "b.c.png"]
    assert output_stems(names) == ["a", "a.jpg", "a.jpg.png", "b", "b.c"]


@given(st.lists(NAMES, unique=True, max_size=20))
def test_no_two_photographs_of_a_folder_share_a_name(names: list[str]) -> None:
    stems = output_stems(names)
    assert len(set(stems)) == len(names)


@given(NAMES, NAMES)
def test_stems_do_not_depend_on_order(first: str, second: str) -> None:
    names = sorted({first, second, first + ".jpg", second + ".png"})
    whole = dict(zip(names, output_stems(names), strict=True))
    assert dict(zip(names[::-1], output_stems(names[::-1]), strict=True)) == whole


@given(st.text(st.characters(codec=None)))
def test_escape_can_be_undone_and_is_utf8(text: str) -> None:
    assert unescape(escape(text)) == text
    escape(text).encode("utf-8")


def test_escape_leaves_ordinary_names_alone() -> None:
    assert escape("Zoë/été (1) 50%.jpg") == "Zoë/été (1) 50%.jpg"
    assert escape("caf\udce9") == r"caf\xe9"


@given(st.dictionaries(NAMES, st.lists(NAMES, min_size=1, unique=True), min_size=1))
def test_folder_keeps_its_names(folders: dict[str, list[str]]) -> None:
    listing = Listing(Path(), tuple(Folder.of(path, names) for path, names in folders.items()))
    assert len(listing) == sum(map(len, folders.values()))
    assert [folder.names for folder in listing.folders] == [sorted(names) for names in folders.values()]
