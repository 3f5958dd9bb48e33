"""Runs over every form of source: the same photographs give the same bytes wherever they lie."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import pickle
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import catalogue, picture, run, set_aside, tree, write

from maskgen.core.reasons import UserError
from maskgen.formats.any_path import any_path
from maskgen.pipelines.mask.run import dry_run
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.runs.shard_plan import cut
from maskgen.pipelines.sources.source import list_source

PEOPLE = {"Ann": 3, "Bob [2]": 2, "Ça va": 4}
PICTURES = {
    f"{person}/{number}.png": picture(100 * at + number)
    for at, (person, count) in enumerate(PEOPLE.items())
    for number in range(count)
}


def tar_of(files: dict[str, bytes], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.pax_headers = {"path": name} if "\0" in name else {}
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def rec_of(pictures: list[tuple[float, bytes]]) -> tuple[bytes, bytes, bytes]:
    """.rec, .idx and .lst of (label, picture)."""
    rec, idx, lst = b"", b"", b""
    for number, (label, data) in enumerate(pictures):
        one = struct.pack("<IfQQ", 0, label, number, 0) + data
        idx += f"{number}\t{len(rec)}\n".encode()
        lst += f"{number}\t{label:g}\tx.jpg\n".encode()
        rec += struct.pack("<II", 0xCED7230A, len(one)) + one + bytes(-len(one) % 4)
    return rec, idx, lst


def as_folder(root: Path) -> Path:
    for name, data in PICTURES.items():
        write(root / name, data)
    return root


def as_tar(root: Path) -> Path:
    return write(root / "set.tar", tar_of(PICTURES))


def as_packed_tar(root: Path) -> Path:
    return write(root / "set.tar.gz", tar_of(dict(reversed(PICTURES.items())), "w:gz"))


def as_tars(root: Path) -> Path:
    """Shards in which people are all over the place, with leading ./"""
    for shard in range(3):
        some = {f"./{name}": data for at, (name, data) in enumerate(PICTURES.items()) if at % 3 == shard}
        write(root / f"shard-{shard:03}.tar", tar_of(some))
    return root


def as_samples(root: Path) -> Path:
    """WebDataset's: numbers for names, a .cls beside each."""
    files = {}
    for at, (name, data) in enumerate(PICTURES.items()):
        files |= {f"{at:04}.png": data, f"{at:04}.cls": name.partition("/")[0].encode()}
    return write(root / "samples.tar", tar_of(files))


def as_table(root: Path) -> Path:
    as_folder(root / "somewhere")
    rows = [f'"somewhere/{name}","{name.partition("/")[0]}"\n' for name in PICTURES]
    return write(root / "list.csv", ("File,Identity\n" + "".join(rows)).encode())


def as_table_of_addresses(root: Path) -> Path:
    """A table of what lies in a tar."""
    write(root / "set.tar", tar_of(PICTURES))
    rows = [f'"set.tar/{name}","{name.partition("/")[0]}"\n' for name in PICTURES]
    return write(root / "list.csv", ("path,target\n" + "".join(rows)).encode())


def as_records(root: Path) -> Path:
    people = list(PEOPLE)
    rec, idx, lst = rec_of([(people.index(name.partition("/")[0]), data) for name, data in PICTURES.items()])
    write(root / "train.idx", idx)
    write(root / "train.lst", lst)
    return write(root / "train.rec", rec)


FORMS: list[Callable[[Path], Path]] = [
    as_folder,
    as_tar,
    as_packed_tar,
    as_tars,
    as_samples,
    as_table,
    as_table_of_addresses,
    as_records,
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_pictures_of_a_folder(tmp_path: Path, form: Callable[[Path], Path]) -> None:
    plain, out = tmp_path / "plain", tmp_path / "out"
    run(as_folder(tmp_path / "folder"), plain, bare=True)
    report = run(form(tmp_path / "form"), out, bare=True, workers=2)
    assert (report.people, report.photographs, report.written, report.set_aside) == (3, 9, 9, {})
    wanted = {row["source_sha256"]: row["kind"] for row in catalogue(plain) if row["kind"] != "bare"}
    rows = catalogue(out)
    assert {row["source_sha256"]: row["kind"] for row in rows if row["kind"] != "bare"} == wanted
    assert len({row["path"] for row in rows}) == len(rows) == 18
    by_hash = {(row["source_sha256"], row["kind"]): plain / row["path"] for row in catalogue(plain)}
    for row in rows:
        same = by_hash[row["source_sha256"], row["kind"]]
        assert (out / row["path"]).read_bytes() == same.read_bytes()
        assert row["path"].startswith(f"faces/{row['person']}/")
        if form is not as_records:
            assert row["person"] == same.parent.name
    assert len({row["person"] for row in rows}) == 3


@pytest.mark.parametrize("form", FORMS)
def test_a_run_goes_on_and_its_bytes_do_not_depend_on_workers(tmp_path: Path, form: Callable[[Path], Path]) -> None:
    source = form(tmp_path / "form")
    run(source, tmp_path / "one")
    run(source, tmp_path / "two", workers=2)
    before = tree(tmp_path / "one")
    assert tree(tmp_path / "two") == before
    for name in ("report.json", "catalogue.parquet"):
        (tmp_path / "one" / name).unlink()
    next((tmp_path / "one" / "shards").glob("*.json")).unlink()
    run(source, tmp_path / "one")
    assert tree(tmp_path / "one") == before
    assert dry_run(MaskSettings(source, tmp_path / "one")).done == 9


def test_the_plan_of_a_tar_does_not_depend_on_the_order_of_its_members(tmp_path: Path) -> None:
    write(tmp_path / "a" / "set.tar", tar_of(PICTURES))
    write(tmp_path / "b" / "set.tar", tar_of(dict(reversed(PICTURES.items()))))
    plans = [[shard.id for shard in cut(list_source(tmp_path / folder / "set.tar"), 2)] for folder in "ab"]
    assert plans[0] == plans[1]


def test_every_member_of_a_hostile_tar_has_an_outcome_and_none_is_a_path(tmp_path: Path) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in ("good/1.png", "../../evil.png", "/tmp/evil.png", "good/2.png", "good/2.png"):
            info = tarfile.TarInfo(name)
            data = picture(7)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for name, kind in (("good/link.png", tarfile.SYMTYPE), ("good/hard.png", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        huge = tarfile.TarInfo("good/huge.png")
        huge.size = 1 << 33
        out.write(b"")
        archive.fileobj.write(huge.tobuf())  # type: ignore[union-attr]
    source = write(tmp_path / "in" / "x.tar", out.getvalue())
    report = run(source, tmp_path / "out")
    assert report.written == 2
    inside = ("../../evil.png", "/tmp/evil.png", "good/link.png", "good/hard.png", "good/huge.png")
    assert set_aside(tmp_path / "out") == dict.fromkeys(["x.tar", *(f"x.tar/{name}" for name in inside)], "unreadable")
    assert not list(tmp_path.rglob("evil*"))
    assert {path.parent.name for path in (tmp_path / "out" / "faces").rglob("*.jpg")} == {"good"}


def test_people_named_by_what_stands_beside_them_make_no_folders_elsewhere(tmp_path: Path) -> None:
    names = ["../../evil", "a/b", "..", ".", "%2E", "CON ", "x" * 300, "tab\there"]
    files: dict[str, bytes] = {}
    for at, name in enumerate(names):
        files |= {f"{at}.png": picture(at), f"{at}.cls": name.encode()}
    report = run(write(tmp_path / "in" / "x.tar", tar_of(files)), tmp_path / "out")
    assert report.written == 7 and report.set_aside == {"name_too_long": 1}
    folders = {path.parent for path in (tmp_path / "out" / "faces").rglob("*.jpg")}
    assert len(folders) == 7 and {folder.parent for folder in folders} == {tmp_path / "out" / "faces"}


def test_damage_in_a_tar_is_one_more_that_is_set_aside(tmp_path: Path) -> None:
    data = bytearray(tar_of(PICTURES))
    with tarfile.open(fileobj=io.BytesIO(bytes(data))) as archive:
        fifth = archive.getmembers()[5].offset
    data[fifth : fifth + 512] = b"?" * 512
    report = run(write(tmp_path / "in" / "x.tar", bytes(data)), tmp_path / "out")
    assert (report.photographs, report.written) == (6, 5)
    assert set_aside(tmp_path / "out") == {"x.tar": "unreadable"}


@pytest.mark.parametrize("joined", [False, True])
def test_what_lies_behind_zeros_in_a_tar_is_told(tmp_path: Path, joined: bool) -> None:
    data = tar_of(PICTURES)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        fifth = archive.getmembers()[5].offset
    data = data + tar_of(PICTURES) if joined else data[:fifth] + bytes(512) + data[fifth + 512 :]
    source = write(tmp_path / "in" / "x.tar", data)
    report = run(source, tmp_path / "out")
    assert report.written == (9 if joined else 5)
    assert set_aside(tmp_path / "out") == {"x.tar": "unreadable"}
    assert "it goes on behind the zeros that end it" in (tmp_path / "out" / "set_aside.csv").read_text()


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz"])
def test_names_in_a_tar_that_hold_nul_shift_no_other(tmp_path: Path, suffix: str) -> None:
    names = ["N/a\0z.png", "N/b.png", "N/c.png", "N/d\nd.png", "N\0M/e.png", "O\0.png"]
    files = {name: picture(at) for at, name in enumerate(names)}
    source = write(tmp_path / "in" / f"x{suffix}", tar_of(files, "w:gz" if suffix == ".tar.gz" else "w"))
    report = run(source, tmp_path / "out")
    assert (report.photographs, report.written) == (6, 3)
    aside = [rf"{source.name}/{name}" for name in (r"N/a\udc00z.png", r"N\udc00M/e.png", r"O\udc00.png")]
    assert set_aside(tmp_path / "out") == dict.fromkeys(aside, "unreadable")
    sound = {f"{source.name}/{name}": data for name, data in files.items() if "\0" not in name}
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in sound.items()}
    assert {row["source"]: row["source_sha256"] for row in catalogue(tmp_path / "out")} == hashes


def damaged(how: str, packed: bool) -> tuple[bytes, set[str]]:
    """A tar with damage, and its members that lie wholly before the damage."""
    data = tar_of(PICTURES)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        ends = {one.name: one.offset_data + one.size for one in archive}
        fifth = archive.getmembers()[4].offset
    if how == "cut between members":
        data, sound = data[:fifth], fifth
    if packed:
        data = gzip.compress(data)
    if how != "cut between members":
        at = len(data) // 2
        sound = len(zlib.decompressobj(31).decompress(data[:at])) if packed else at
        data = data[:at] + (b"" if how == "cut" else b"?" * 10_000 + data[at + 10_000 :])
    return data, {name for name, end in ends.items() if end <= sound}


@pytest.mark.parametrize("how", ["cut", "cut between members", "overwritten"])
@pytest.mark.parametrize("name", ["x.tar", "x.tgz", "x.tar.gz"])
def test_of_a_damaged_tar_the_photographs_before_the_damage_are_used(tmp_path: Path, name: str, how: str) -> None:
    data, sound = damaged(how, packed=name != "x.tar")
    source = write(tmp_path / "in" / name, data)
    run(source, tmp_path / "alone")
    run(source, tmp_path / "workers", workers=2)
    run(source.parent, tmp_path / "in a folder")
    assert tree(tmp_path / "workers") == tree(tmp_path / "alone")
    for out in (tmp_path / "alone", tmp_path / "in a folder"):
        assert len(sound) >= 4 and {row["source"] for row in catalogue(out)} == {f"{name}/{one}" for one in sound}
        assert set_aside(out)[name] == "unreadable"


def test_a_container_that_is_none_among_photographs_is_set_aside(tmp_path: Path) -> None:
    as_folder(tmp_path / "in")
    write(tmp_path / "in" / "Ann" / "x.tar", b"no tar")
    write(tmp_path / "in" / "y.rec", b"")
    write(tmp_path / "in" / "z.bin", b"no set, and nobody said so")
    report = run(tmp_path / "in", tmp_path / "out")
    assert report.written == 9
    reasons = {"Ann/x.tar": "unreadable", "y.rec": "unreadable", "z.bin": "not_a_picture"}
    assert set_aside(tmp_path / "out") == reasons


@pytest.mark.parametrize("name", ["x.tar", "x.tgz", "x.rec"])
@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT])
def test_a_container_that_cannot_be_opened_is_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    as_folder(tmp_path / "in")
    write(tmp_path / "in" / name, b"")
    really = os.open

    def no_open(path: str | Path, *options: int) -> int:
        if Path(path).name == name:
            raise OSError(number, os.strerror(number), str(path))
        return really(path, *options)

    monkeypatch.setattr(os, "open", no_open)
    (broken,) = [folder for folder in list_source(tmp_path / "in").folders if folder.faults]
    assert broken.faults == {name: os.strerror(number)}


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("x.tar", b"no tar at all", "it is no tar archive"),
        ("x.tar", bytes(10240), "holds no photographs"),
        ("x.tgz", b"\x1f\x8bno", "it is no gzip file"),
        ("x.rec", b"no", "it is no RecordIO file"),
        ("x.bin", pickle.dumps(os.getcwd), "it asks for posix.getcwd"),
        ("x.bin", b"no pickle", "it is not pictures and labels"),
        ("x.csv", b"path,person\n", "lists no photographs"),
        ("x.csv", b"path,person\na.jpg,1\na.jpg,2\n", "line 3: a.jpg is of 2, and of 1 in line 2"),
    ],
)
def test_a_source_that_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    source = write(tmp_path / name, data)
    with pytest.raises(UserError) as caught:
        list_source(source)
    assert told in str(caught.value) and str(source) in str(caught.value)


SPELLINGS = ["a/1.jpg", "./a/1.jpg", "b/../a/1.jpg", "a//1.jpg", "a/./1.jpg", "../{here}/a/1.jpg", "{root}/a/1.jpg"]
SPELLINGS += ["{root}/b/.././a/1.jpg", "a/b/../1.jpg", "//{root}//a/1.jpg"]


@pytest.mark.parametrize("others", ["", "./", "{root}/", "../{here}/"])
@pytest.mark.parametrize("at", range(1, len(SPELLINGS)))
def test_a_photograph_of_two_people_is_refused_in_any_spelling(tmp_path: Path, at: int, others: str) -> None:
    first, second, before = (
        one.format(root=tmp_path, here=tmp_path.name).replace("///", "//") for one in ("a/1.jpg", SPELLINGS[at], others)
    )
    rows = [f"{before}n{number:03}/1.jpg,n{number}\n" for number in range(40)]
    rows[7:7], rows[30:30] = [f"{before}{first},Ann\n"], [f"{second},Bob\n"]
    table = write(tmp_path / "x.csv", ("path,person\n" + "".join(rows)).encode())
    with pytest.raises(UserError) as caught:
        list_source(table)
    told = f"{table}, line 32: {second} is of Bob, and of Ann in line 9, as {before}{first}; correct one."
    assert str(caught.value) == (told if second != before + first else told.replace(f", as {before}{first}", ""))


@pytest.mark.parametrize("at", range(1, len(SPELLINGS)))
def test_a_photograph_of_one_person_counts_once_in_any_spelling(tmp_path: Path, at: int) -> None:
    second = SPELLINGS[at].format(root=tmp_path, here=tmp_path.name).replace("///", "//")
    rows = ["a/1.jpg,Ann", f"{second},Ann", f"{second[:-5]}2.jpg,Ann", "a/2.jpg,Ann", "a/3.jpg,Bob", "c/1.jpg,Ann"]
    table = write(tmp_path / "x.csv", "\n".join(["path,person", *rows]).encode())
    folders = list_source(table).folders
    listed = [(one.person, tmp_path / one.path / name) for one in folders for name in one.names]
    whole = sorted((person, "/" + os.path.normpath(path).lstrip("/")) for person, path in listed)
    assert whole == sorted(
        (person, str(tmp_path / path))
        for person, path in [("Ann", "a/1.jpg"), ("Ann", "a/2.jpg"), ("Bob", "a/3.jpg"), ("Ann", "c/1.jpg")]
    )


PARTS = st.lists(st.sampled_from(["a", "b", ".", "..", "", "table", ".c"]), max_size=4)
LISTED = st.tuples(
    st.sampled_from(["", "{root}/", "./"]), PARTS, st.sampled_from(["1.jpg", "2.jpg"]), st.sampled_from("xy")
)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(listed=st.lists(LISTED, min_size=1, max_size=6), before=st.sampled_from(["", "a/", "../", "/", "./"]))
def test_a_table_is_refused_where_a_photograph_is_of_two_people(
    tmp_path: Path, listed: list[tuple[str, list[str], str, str]], before: str
) -> None:
    table = tmp_path / "table" / "x.csv"
    paths = [f"{before}{start.format(root=table.parent)}{'/'.join([*parts, name])}" for start, parts, name, _ in listed]
    people: dict[str, set[str]] = {}
    for path, (*_, person) in zip(paths, listed, strict=True):
        people.setdefault("/" + os.path.normpath(table.parent / path).lstrip("/"), set()).add(person)
    rows = [f"{path},{person}\n" for path, (*_, person) in zip(paths, listed, strict=True)]
    write(table, ("path,person\n" + "".join(rows)).encode())
    if all(len(whose) == 1 for whose in people.values()):
        assert sum(map(len, list_source(table).folders)) == len(people)
        return
    with pytest.raises(UserError, match=r"line \d+: .* is of [xy], and of [xy] in line \d+"):
        list_source(table)


@pytest.mark.parametrize("packed", [False, True])
def test_files_of_a_file_manager_are_passed_over_and_counted(tmp_path: Path, packed: bool) -> None:
    theirs = dict.fromkeys((".DS_Store", "Ann/._1.png", "Ann/Thumbs.db", "empty/desktop.ini"), b"no picture")
    if packed:
        write(tmp_path / "set.tar", tar_of(PICTURES | theirs))
    else:
        for name, data in (PICTURES | theirs).items():
            write(tmp_path / name, data)
    listing = list_source(tmp_path)
    assert {folder.person: len(folder) for folder in listing.folders} == PEOPLE
    assert listing.notes == ("4 files of a file manager are passed over (.DS_Store, Thumbs.db, desktop.ini, ._*).",)


def test_a_folder_of_nothing_but_files_of_a_file_manager_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "Ann/.DS_Store", b"")
    with pytest.raises(UserError, match="holds no photographs"):
        list_source(tmp_path)


def test_what_lies_beside_a_record_file_is_part_of_it(tmp_path: Path) -> None:
    as_records(tmp_path / "in")
    write(tmp_path / "in" / "property", b"3,48,48")
    report = run(tmp_path / "in", tmp_path / "out")
    assert (report.photographs, report.written) == (9, 9)
    with pytest.raises(UserError, match=r"is only the index of train.rec"):
        list_source(tmp_path / "in" / "train.idx")


def test_labels_of_two_record_files_are_not_the_same_people(tmp_path: Path) -> None:
    as_records(tmp_path / "in" / "a")
    as_records(tmp_path / "in" / "b")
    assert {folder.person for folder in list_source(tmp_path / "in").folders} == {
        f"{set_}/train/{label}" for set_ in "ab" for label in range(3)
    }


def test_pairs_of_a_verification_set_are_people_of_their_own(tmp_path: Path) -> None:
    pictures = [np.frombuffer(picture(at), np.uint8) for at in range(4)]
    source = write(tmp_path / "in" / "lfw.bin", pickle.dumps((pictures, [True, False]), protocol=2))
    report = run(source, tmp_path / "out")
    assert report.written == 4
    rows = catalogue(tmp_path / "out")
    assert [row["person"] for row in rows] == ["pair-00000", "pair-00000", "pair-00001-1", "pair-00001-2"]
    assert [row["source"] for row in rows] == [f"lfw.bin/{at}" for at in range(4)]


def test_photographs_of_one_name_from_two_places_keep_apart(tmp_path: Path) -> None:
    write(tmp_path / "in" / "Ann" / "1.png", picture(1))
    write(tmp_path / "in" / "a.tar", tar_of({"Ann/1.png": picture(2)}))
    write(tmp_path / "in" / "b.tar", tar_of({"Ann/1.png": picture(3), "Ann/2.png": picture(4)}))
    report = run(tmp_path / "in", tmp_path / "out")
    assert (report.people, report.written) == (1, 4)
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (tmp_path / "out" / "faces" / "Ann").iterdir()}
    assert len(hashes) == 4


@pytest.mark.parametrize("write_as", ["folders", "tar"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_with_the_name_of_a_picture_keeps_apart_from_it(tmp_path: Path, packed: bool, write_as: str) -> None:
    names = ["A/1.png", "A/1__n95.jpg/2.png", "A/1__n95.jpg/2__bare.png/3.png", "A/4__n95.jpg/5.png", "6.png"]
    names += ["6__x__bare.f2.jpg/7.png", "6__x.png", "B/1__n95.jpg/8.png", "A/1__n95.jpeg/9.png"]
    files = {name: picture(at) for at, name in enumerate(names)}
    for name, data in files.items():
        write(tmp_path / "set" / name, data)
    source = write(tmp_path / "set.tar", tar_of(files)) if packed else tmp_path / "set"
    outs = {}
    for workers in (1, 2):
        out = tmp_path / f"out {workers}"
        report = run(source, out, kinds=("n95",), bare=True, segmentation=True, write=write_as, workers=workers)
        assert (report.photographs, report.written) == (9, 9) and not report.set_aside
        outs[workers] = tree(out)
    assert outs[1] == outs[2]
    into = {row["source"].removeprefix("set.tar/"): row["path"] for row in catalogue(tmp_path / "out 1")}
    tagged = {name for name, path in into.items() if "~" in path}
    top = set() if packed else {"6__x__bare.f2.jpg/7.png"}  # a tar's own photographs have a folder
    assert tagged == {"A/1__n95.jpg/2.png", "A/1__n95.jpg/2__bare.png/3.png", *top}
    assert {row["person"] for row in catalogue(tmp_path / "out 1")} >= {"A", "A/1__n95.jpg", "A/1__n95.jpg/2__bare.png"}


def test_the_real_samples(photographs: Path, tmp_path: Path) -> None:
    formats = photographs / "formats"
    counts = {"train.rec": (8, 2), "small_lfw.bin": (20, 10), "vggface2": (64, 3)}
    for name, (images, people) in counts.items():
        listing = list_source(formats / name)
        assert (len(listing), listing.people) == (images, people)
    assert list_source(formats / "vggface2").notes[-1].startswith("2 files of a file manager are passed over")
    report = run(formats / "vggface2", tmp_path / "out")
    assert report.set_aside == {} and report.people_written == 3
    assert {row["person"] for row in catalogue(tmp_path / "out")} == {
        f"samples (test set)/n{number}" for number in ("000106", "007241", "008937")
    }


def test_loose_and_tight_crops_of_a_person_are_one_person_and_told(tmp_path: Path) -> None:
    root = tmp_path / "vgg"
    for crop in ("loose_crop (release version)", "tight_crop (used for training)"):
        for number in range(2):
            write(root / "samples (test set)" / crop / "n000106" / f"000{number}_01.jpg", picture(len(crop) + number))
    said: list[str] = []
    from fake_masker import make_fake

    from maskgen.pipelines.mask.run import run_mask

    report = run_mask(MaskSettings(root, tmp_path / "out"), make_fake, said.append)
    assert (report.people, report.written) == (1, 4)
    assert said and "two crops of one photograph" in said[0]
    assert {row["person"] for row in catalogue(tmp_path / "out")} == {"samples (test set)/n000106"}
    only = list_source(root / "samples (test set)" / "tight_crop (used for training)")
    assert [folder.person for folder in only.folders] == ["n000106"] and only.notes == ()


@pytest.mark.parametrize("form", [as_folder, as_tar, as_packed_tar, as_table, as_records])
def test_a_source_in_an_object_store(tmp_path: Path, form: Callable[[Path], Path]) -> None:
    import fsspec

    source = form(tmp_path / "form")
    store = fsspec.filesystem("memory")
    base = f"/{tmp_path.name}"
    store.put(str(tmp_path / "form"), base, recursive=True)
    remote = any_path(f"memory:/{base}/{source.relative_to(tmp_path / 'form').as_posix()}".rstrip("/."))
    run(source, tmp_path / "local")
    report = run(remote, tmp_path / "out")  # type: ignore[arg-type]
    assert report.written == 9
    local, far = catalogue(tmp_path / "local"), catalogue(tmp_path / "out")
    assert [row["path"] for row in far] == [row["path"] for row in local]
    assert [row["source_sha256"] for row in far] == [row["source_sha256"] for row in local]
    store.rm(base, recursive=True)


def test_a_tar_that_was_cut_and_is_whole_now_goes_on(tmp_path: Path) -> None:
    data = tar_of(PICTURES)
    source = write(tmp_path / "in" / "c.tar", data[:-9000]).parent
    assert run(source, tmp_path / "out").set_aside["unreadable"] >= 1
    write(source / "c.tar", data)
    report = run(source, tmp_path / "out")
    assert (report.photographs, report.written, report.set_aside) == (9, 9, {})
    run(source, tmp_path / "at once")
    assert tree(tmp_path / "out") == tree(tmp_path / "at once")
