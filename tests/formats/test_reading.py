"""Any picture by its address: containers count as folders, and nothing but a reason comes of a broken one."""

from __future__ import annotations

import os
import sys
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from format_makers import record, tar_bytes, write_rec

from maskgen.core.reasons import Reason, SetAsideError
from maskgen.formats.reading import names_in, read_bytes, read_photo, split


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One picture's bytes in every form."""
    (tmp_path / "faces" / "ANNA").mkdir(parents=True)
    (tmp_path / "faces" / "ANNA" / "1.jpg").write_bytes(b"plain")
    (tmp_path / "faces" / "a.tar").write_bytes(tar_bytes([("ANNA/1.jpg", b"in tar"), ("2.jpg", b"top")]))
    (tmp_path / "faces" / "b.tar.gz").write_bytes(tar_bytes([("ANNA/1.jpg", b"in gz")], mode="w:gz"))
    write_rec(tmp_path / "train.rec", [(17, record(3, 17, b"in rec")), (4, record(1, 4, b"other"))])
    return tmp_path


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("faces/ANNA/1.jpg", b"plain"),
        ("faces/a.tar/ANNA/1.jpg", b"in tar"),
        ("faces/a.tar/2.jpg", b"top"),
        ("faces/b.tar.gz/ANNA/1.jpg", b"in gz"),
        ("train.rec/17", b"in rec"),
        ("train.rec/4", b"other"),
    ],
)
def test_pictures_are_read_wherever_they_lie(root: Path, address: str, data: bytes) -> None:
    assert read_bytes(root, address) == data
    assert read_bytes("/nowhere", str(root / address)) == data
    assert read_bytes(root / "faces", "../" + address) == data
    folder, _, name = address.rpartition("/")
    assert name in names_in(root, folder) and "9.jpg" not in names_in(root, folder)


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("faces/ANNA/9.jpg", "No such file"),
        ("faces/a.tar/ANNA/9.jpg", "a.tar does not hold it"),
        ("faces/a.tar/../ANNA/1.jpg", "a.tar does not hold it"),
        ("train.rec/18", "train.rec does not hold it"),
        ("train.rec/x", "train.rec does not hold it"),
        ("faces/9.tar/1.jpg", "No such file"),
    ],
)
def test_what_is_not_there_has_a_reason(root: Path, address: str, told: str) -> None:
    with pytest.raises(SetAsideError, match=told) as caught:
        read_bytes(root, address)
    assert caught.value.reason == Reason.UNREADABLE
    assert "1.jpg" not in names_in(root, "faces/9.tar") and "1.jpg" not in names_in(root, "nowhere/x")


def test_a_folder_named_as_a_container_stays_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.tar").mkdir()
    (tmp_path / "a.tar" / "1.jpg").write_bytes(b"x")
    assert split(f"{tmp_path}/a.tar/1.jpg") is None
    assert read_bytes(tmp_path, "a.tar/1.jpg") == b"x"


def test_a_container_that_was_replaced_is_read_anew(root: Path) -> None:
    assert read_bytes(root, "faces/a.tar/2.jpg") == b"top"
    (root / "new").write_bytes(tar_bytes([("x", b"1"), ("2.jpg", b"other place")]))
    (root / "new").replace(root / "faces" / "a.tar")
    assert read_bytes(root, "faces/a.tar/2.jpg") == b"other place"


def test_of_two_members_of_one_name_the_last_counts(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_bytes([("1.jpg", b"old"), ("2.jpg", b"two"), ("1.jpg", b"new")]))
    assert read_bytes(tmp_path, "a.tar/1.jpg") == b"new"


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("damage", ["cut", "overwritten"])
def test_of_a_damaged_tar_the_members_before_the_damage_are_read(tmp_path: Path, mode: str, damage: str) -> None:
    files = [(f"{number}.jpg", os.urandom(20_000)) for number in range(9)]
    data = tar_bytes(files, mode=mode)
    at = len(data) // 2  # in the fifth
    sound = data[:at]
    (tmp_path / "a.tar.gz").write_bytes(sound if damage == "cut" else sound + b"?" * 30_000 + data[at + 30_000 :])
    for name, content in [*files[3::-1], *files[:4]]:
        assert read_bytes(tmp_path, f"a.tar.gz/{name}") == content
        assert name in names_in(tmp_path, "a.tar.gz")
    with pytest.raises(SetAsideError, match=r"a\.tar\.gz: it (ends early|is damaged)"):
        read_bytes(tmp_path, "a.tar.gz/8.jpg")
    assert "8.jpg" not in names_in(tmp_path, "a.tar.gz")


def test_links_in_a_tar_are_not_followed(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
            info = tarfile.TarInfo(f"link{int(kind)}.jpg")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    for name in ("link1.jpg", "link2.jpg"):
        with pytest.raises(SetAsideError, match="not followed"):
            read_bytes(tmp_path, f"a.tar/{name}")


def test_a_photograph_has_one_hash_wherever_it_lies(photographs: Path, tmp_path: Path) -> None:
    data = (photographs / "landmarks68").glob("*.jpg").__next__().read_bytes()
    (tmp_path / "a.jpg").write_bytes(data)
    (tmp_path / "a.tar").write_bytes(tar_bytes([("a.jpg", data)]))
    write_rec(tmp_path / "a.rec", [(1, record(0, 1, data))])
    found = [read_photo(tmp_path, address) for address in ("a.jpg", "a.tar/a.jpg", "a.rec/1")]
    assert len({photo.sha256 for photo in found}) == 1
    assert len({photo.image.tobytes() for photo in found}) == 1


def test_the_real_record_file_and_verification_set(photographs: Path) -> None:
    formats = photographs / "formats"
    shapes = {read_photo(formats, f"train.rec/{number}").image.shape for number in range(8)}
    assert shapes == {(112, 112, 3)}
    assert read_photo(formats, "small_lfw.bin/0").image.shape == (112, 112, 3)
    with pytest.raises(SetAsideError):
        read_bytes(formats, "small_lfw.bin/999999")


def many(root: Path) -> list[tuple[str, bytes]]:
    wanted = []
    for form in ("w", "w:gz"):
        name = "m.tar.gz" if form.endswith("gz") else "m.tar"
        files = [(f"{i}.jpg", os.urandom(20_000)) for i in range(60)]
        (root / name).write_bytes(tar_bytes(files, mode=form))
        wanted += [(f"{name}/{member}", data) for member, data in files]
    return wanted


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    wanted = many(tmp_path)[::-1] * 3
    start = threading.Barrier(8)

    def read(one: tuple[str, bytes]) -> bool:
        return read_bytes(tmp_path, one[0]) == one[1]

    with ThreadPoolExecutor(8, initializer=start.wait) as pool:
        assert all(pool.map(read, wanted))


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="no forks here")
def test_forked_processes_read_too(tmp_path: Path) -> None:
    wanted = many(tmp_path)
    assert read_bytes(tmp_path, wanted[0][0]) == wanted[0][1]
    child = os.fork()
    if child == 0:
        good = all(read_bytes(tmp_path, address) == data for address, data in wanted)
        os._exit(0 if good else 1)
    assert all(read_bytes(tmp_path, address) == data for address, data in reversed(wanted))
    assert os.waitpid(child, 0)[1] == 0
