"""Our own reader of tar headers: what the standard library's finds, and a reason for whatever is no tar."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
import time
import zlib
from pathlib import Path

import pytest
from format_makers import tar_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from maskgen.core.reasons import SetAsideError
from maskgen.formats.faults import ContainerError
from maskgen.formats.gzip_ranges import GzipRanges
from maskgen.formats.range_reads import LocalRanges
from maskgen.formats.reading import read_bytes
from maskgen.formats.tars.archive_end import BLOCK
from maskgen.formats.tars.members import Member, members

NAME = st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=12)
PATH = st.lists(NAME | st.sampled_from(["..", ".", "a" * 120, "é" * 90]), min_size=1, max_size=3).map("/".join)
FILES = st.lists(st.tuples(PATH, st.binary(max_size=1500)), max_size=6)
FORMS = st.sampled_from([tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])


class Bytes:
    """Range reads of bytes in memory, which count the bytes requested."""

    def __init__(self, data: bytes) -> None:
        self.data, self.asked = data, 0

    def read(self, offset: int, size: int) -> bytes:
        self.asked += min(size, len(self.data))
        return self.data[offset : offset + size]


@settings(deadline=None)
@given(files=FILES, form=FORMS)
def test_members_are_those_that_the_standard_library_finds(files: list[tuple[str, bytes]], form: int) -> None:
    data = tar_bytes(files, form)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        theirs = [(one.name, one.offset_data, one.size) for one in archive if one.isreg()]
    ours = list(members(Bytes(data)))
    assert [(one.name.rstrip("/"), one.offset, one.size) for one in ours] == theirs
    assert [data[one.offset : one.offset + one.size] for one in ours] == [content for _, content in files]


def test_every_kind_of_member(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
        for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
            info = tarfile.TarInfo(f"kind{kind.decode()}")
            info.type = kind
            archive.addfile(info)
        long = tarfile.TarInfo("f" * 80 + "/" + "n" * 90)  # in ustar's two fields
        archive.addfile(long)
    found = list(members(LocalRanges(tmp_path / "a.tar")))
    assert [(one.name, one.plain) for one in found] == [
        *((f"kind{kind}", False) for kind in "2163"),
        (long.name, True),
    ]


def test_a_long_name_ends_at_its_first_nul_as_in_tar() -> None:
    data = bytearray(tar_bytes([("x" * 120 + "?hidden.jpg", b"a"), ("b.jpg", b"b")], tarfile.GNU_FORMAT))
    data[data.index(b"?")] = 0
    names = [one.name for one in members(Bytes(bytes(data)))]
    with tarfile.open(fileobj=io.BytesIO(bytes(data))) as archive:
        assert names == archive.getnames() == ["x" * 120, "b.jpg"]


def test_sizes_beyond_eight_octal_gigabytes() -> None:
    info = tarfile.TarInfo("large")
    info.size = 9 << 30
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        header = info.tobuf(form)
        assert next(members(Bytes(header))) == Member("large", len(header), 9 << 30, True)


@settings(deadline=None, max_examples=300)
@given(files=FILES, form=FORMS, data=st.data())
def test_damage_is_a_reason_and_never_more(files: list[tuple[str, bytes]], form: int, data: st.DataObject) -> None:
    raw = bytearray(tar_bytes(files, form))
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=8)):
        raw[at] = data.draw(st.integers(0, 255))
    broken = bytes(raw[: data.draw(st.integers(0, len(raw)))])
    pieces = Bytes(broken)
    try:
        found = list(members(pieces))
    except ContainerError:
        return
    assert all(one.size >= 0 and one.offset <= len(broken) for one in found)
    assert pieces.asked <= 20 * len(broken) + 10_000


CUT_FORMS = [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT]


@pytest.mark.parametrize("form", CUT_FORMS)
def test_an_archive_that_lacks_its_end_is_told_wherever_it_was_cut(form: int) -> None:
    data = tar_bytes([("a.jpg", b"a" * 600), ("b.jpg", b""), ("é" * 40 + "/" + "c" * 60, b"c" * 512)], form)
    last = list(members(Bytes(data)))[-1]
    end = last.offset + last.size
    for size in range(1, len(data)):
        found: list[Member] = []
        try:
            found.extend(members(Bytes(data[:size])))
        except ContainerError as fault:
            assert size <= end and str(fault) == ("it ends early" if size >= BLOCK else "it is no tar archive")
        else:
            assert size > end and len(found) == 3


@pytest.mark.parametrize("zeros", [1, 511, 512, 513, 1024, 20 * 512, 32_000])
def test_zeros_as_padding_makes_them_are_the_end_of_an_archive(zeros: int) -> None:
    data = tar_bytes([("a.jpg", b"a" * 600)])
    (one,) = members(Bytes(data))
    body = data[: one.offset + 1024]
    assert list(members(Bytes(body + bytes(zeros)))) == [one]
    assert list(members(Bytes(body + bytes((1 << 18) - len(body))))) == [one]  # tar --blocking-factor=512


def told(data: bytes) -> tuple[list[str], str]:
    """The names of the members, and the fault after them, of an archive in gzip as well."""
    found: list[list[str]] = []
    faults: list[str] = []
    for pieces in (Bytes(data), GzipRanges(Bytes(gzipped(data)))):
        names: list[str] = []
        fault = ""
        try:
            names.extend(one.name for one in members(pieces))
        except ContainerError as error:
            fault = str(error)
        found.append(names)
        faults.append(fault)
    assert found[0] == found[1] and faults[0] == faults[1]
    return found[0], faults[0]


@pytest.mark.parametrize("zeros", [512, 1024, 1536, 8192])
@pytest.mark.parametrize("form", CUT_FORMS)
def test_zeros_in_place_of_a_header_are_damage(form: int, zeros: int) -> None:
    names = [f"{number}.jpg" for number in range(4)]
    data = bytearray(tar_bytes([(name, os.urandom(9000)) for name in names], form))
    third = list(members(Bytes(bytes(data))))[2].offset - BLOCK
    data[third : third + zeros] = bytes(zeros)
    assert told(bytes(data)) == (names[:2], f"{BEHIND} {third}: {JOINED}")


BEHIND, JOINED = (
    "it goes on behind the zeros that end it at byte",
    "it is damaged there, or archives were joined, which are read as files of their own",
)


def test_joined_archives_are_told() -> None:
    first, second = (tar_bytes([(f"{number}.jpg", os.urandom(700))]) for number in range(2))
    end = list(members(Bytes(first)))[0].offset + 1024
    names, fault = told(first + second)
    assert (names, fault) == (["0.jpg"], f"{BEHIND} {end}: {JOINED}")
    with pytest.raises(ContainerError, match=BEHIND):
        list(members(GzipRanges(Bytes(gzipped(first) + gzipped(second)))))


def test_zeros_in_place_of_the_rest_are_told() -> None:
    data = tar_bytes([(f"{number}.jpg", os.urandom(50_000) + b"\xff\xd9") for number in range(9)])
    found = list(members(Bytes(data)))
    for at in range(1, 9):
        begin, end = found[at].offset - BLOCK, found[at].offset + found[at].size
        for cut in (begin, begin + BLOCK, end - 700, end - 9):
            with pytest.raises(ContainerError, match="zeros stand in place of its end|it is damaged at byte"):
                list(members(Bytes(data[:cut] + bytes(len(data) - cut))))
        assert list(members(Bytes(data[:end] + bytes(9000)))) == found[: at + 1]
    sparse = Bytes(data[: found[1].offset - BLOCK] + bytes(50 << 20))
    with pytest.raises(ContainerError, match="zeros stand in place of its end"):
        list(members(sparse))
    assert sparse.asked < 10 << 20


def test_a_picture_that_is_padded_with_zeros_is_whole() -> None:
    files = [("a.jpg", b"a" * 600 + b"\xff\xd9" + bytes(300)), ("b.bmp", b"b" * 600 + bytes(300))]
    for some in (files, files[:1]):
        assert told(tar_bytes(some)) == ([name for name, _ in some], "")


@pytest.mark.skipif(shutil.which("tar") is None, reason="no tar here")
@pytest.mark.parametrize("blocks", [1, 20])
@pytest.mark.parametrize("form", ["v7", "ustar", "gnu", "pax"])
def test_archives_of_the_program_tar_are_whole(tmp_path: Path, form: str, blocks: int) -> None:
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).write_bytes(name.encode() * 300)
        mode = "-r" if (tmp_path / "a.tar").exists() else "-c"
        command = ["tar", "-C", str(tmp_path), f"--format={form}", f"--blocking-factor={blocks}", mode]
        subprocess.run([*command, "-f", str(tmp_path / "a.tar"), name], check=True)
    assert [one.name for one in members(LocalRanges(tmp_path / "a.tar"))] == ["1.jpg", "2.jpg"]


@pytest.mark.parametrize("data", [b"", b"no tar", os.urandom(4096), b"\xff" * 1024])
def test_what_is_no_tar_is_told(data: bytes) -> None:
    with pytest.raises(ContainerError, match="no tar archive|is empty"):
        list(members(Bytes(data)))


def test_a_name_that_would_fill_memory_is_refused() -> None:
    info = tarfile.TarInfo("x" * 200_000)
    with pytest.raises(ContainerError, match="a name of 200001 bytes"):
        list(members(Bytes(info.tobuf(tarfile.GNU_FORMAT))))


def test_huge_and_missing_members_are_reasons(tmp_path: Path) -> None:
    info = tarfile.TarInfo("huge.jpg")
    info.size = 1 << 40
    (tmp_path / "a.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + b"x" * 1024)
    with pytest.raises(SetAsideError, match="more than any picture"):
        read_bytes(tmp_path, "a.tar/huge.jpg")
    (tmp_path / "b.tar").write_bytes(tar_bytes([("1.jpg", b"y" * 4096)])[:2000])
    with pytest.raises(SetAsideError, match="ends before it does"):
        read_bytes(tmp_path, "b.tar/1.jpg")


@settings(deadline=None, max_examples=50)
@given(
    parts=st.lists(st.binary(max_size=30_000), min_size=1, max_size=3),
    wanted=st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 50_000)), max_size=8),
)
def test_any_piece_of_a_gzip(parts: list[bytes], wanted: list[tuple[int, int]]) -> None:
    packed = b"".join(gzipped(part) for part in parts) + bytes(512)
    pieces, whole = GzipRanges(Bytes(packed)), b"".join(parts)
    for offset, size in wanted:
        assert pieces.read(offset, size) == whole[offset : offset + size]


def gzipped(data: bytes, level: int = 1) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def test_a_gzip_is_read_up_to_its_damage_again_and_again() -> None:
    whole = bytes(100_000) + os.urandom(150_000) + b"text " * 40_000
    packed = gzipped(whole[:200_000]) + gzipped(whole[200_000:], 9)
    for at in [500, 70_000, 100_000, 140_000, len(packed) - 300]:
        sound = plain_bytes(packed[:at])
        for broken in (packed[:at], packed[:at] + b"?" * 200 + packed[at + 200 :]):
            pieces = GzipRanges(Bytes(broken))
            for _ in range(2):
                with pytest.raises(ContainerError, match="it ends early|it is damaged|its checksum is wrong"):
                    pieces.check_rest()
                assert pieces.read(0, len(sound)) == whole[: len(sound)] == sound
                assert pieces.read(max(len(sound) - 700, 0), 700) == sound[-700:]
                with pytest.raises(ContainerError, match="it ends early|it is damaged|its checksum is wrong"):
                    pieces.read(len(sound) - 10, len(whole))


def plain_bytes(packed: bytes) -> bytes:
    """What the standard library makes of a gzip file that may be cut."""
    found = b""
    while packed:
        unpacker = zlib.decompressobj(31)
        found += unpacker.decompress(packed)
        packed = unpacker.unused_data
    return found


def test_the_checksum_of_a_gzip_is_checked_behind_the_end_of_its_tar() -> None:
    data = bytearray(tar_bytes([("1.jpg", os.urandom(5000))], mode="w:gz"))
    assert [one.name for one in members(GzipRanges(Bytes(bytes(data))))] == ["1.jpg"]
    for broken, told in [(data[:-3], "it ends early"), (data[:-8] + bytes(8), "its checksum is wrong")]:
        found = members(GzipRanges(Bytes(bytes(broken))))
        assert next(found).name == "1.jpg"
        with pytest.raises(ContainerError, match=told):
            next(found)


def test_a_large_gzip_is_read_backwards_in_no_time() -> None:
    block = os.urandom(1 << 20)
    whole = b"".join(block[at:] + block[:at] for at in range(40))
    pieces = GzipRanges(Bytes(gzipped(whole)))
    assert pieces.read(len(whole) - 10, 100) == whole[-10:]
    begun = time.perf_counter()
    for at in range(len(whole) - 1000, 0, -4_000_000):
        assert pieces.read(at, 1000) == whole[at : at + 1000]
    assert time.perf_counter() - begun < 5
    assert pieces.weight < 400_000


def test_broken_gzips_are_told() -> None:
    packed = gzipped(os.urandom(200_000))
    for data, told in [(packed[:1000], "ends early"), (b"\x1f\x8bnonsense", "no gzip"), (b"", "no gzip")]:
        with pytest.raises(ContainerError, match=told):
            GzipRanges(Bytes(data)).read(10_000_000, 1)
    broken = bytearray(packed)
    broken[100_000:100_100] = bytes(100)
    with pytest.raises(ContainerError, match="damaged|ends early"):
        GzipRanges(Bytes(bytes(broken))).read(10_000_000, 1)


def test_a_bomb_is_not_unpacked_to_its_end() -> None:
    packed = gzipped(bytes(700 << 20), 9)
    begun = time.perf_counter()
    with pytest.raises(ContainerError, match="a hundred times its size"):
        GzipRanges(Bytes(packed)).read(699 << 20, 1)
    assert time.perf_counter() - begun < 10
