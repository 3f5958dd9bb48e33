from __future__ import annotations

import hashlib
import random
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote
from zlib import crc32

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskgen.pipelines.runs.shard_plan import cut, shard_size
from maskgen.pipelines.sources import packed_folders, tables
from maskgen.pipelines.sources.folder import Folder, Spans
from maskgen.pipelines.sources.listing import Item, Listing
from maskgen.pipelines.sources.name_checksums import divisible
from maskgen.pipelines.sources.source import list_source

FOLDERS = st.dictionaries(
    st.text("abc", min_size=1, max_size=3), st.lists(st.text("xyz.", min_size=1), min_size=1, unique=True)
)


def listing_of(folders: dict[str, list[str]]) -> Listing:
    return Listing(Path("set"), tuple(Folder.of(path, folders[path]) for path in sorted(folders)))


def numbered(people: int, each: int) -> dict[str, list[str]]:
    return {f"n{person:06}": [f"{number:04}.jpg" for number in range(each)] for person in range(people)}


@given(FOLDERS, st.sampled_from([16, 32]))
def test_shards_hold_every_photograph_once_in_order(folders: dict[str, list[str]], size: int) -> None:
    listing = listing_of(folders)
    whole: list[Item] = [item for folder in listing.folders for item in listing.items(folder)]
    shards = cut(listing, size)
    assert [item for shard in shards for item in shard.items(listing)] == whole
    assert all(shard.count <= 2 * size for shard in shards)
    assert len({shard.id for shard in shards}) == len(shards)


def test_a_photograph_more_changes_few_shards() -> None:
    folders = numbered(40, 50)
    before = {shard.id for shard in cut(listing_of(folders), 32)}
    folders["n000003"].append("new.jpg")
    after = {shard.id for shard in cut(listing_of(folders), 32)}
    assert 0 < len(after - before) <= 4
    assert len(before) > 40


def test_a_name_that_changes_its_neighbours_output_changes_the_shard() -> None:
    plain = cut(listing_of({"a": ["1.jpg", "2.jpg"]}), 16)
    clash = cut(listing_of({"a": ["1.jpg", "1.png", "2.jpg"]}), 16)
    assert plain[0].id != clash[0].id


def test_shards_grow_with_the_source() -> None:
    assert [shard_size(count) for count in (1, 479, 480, 1200, 4026, 20_000)] == [16, 16, 32, 64, 128, 256]


def test_many_names_are_planned_in_seconds() -> None:
    listing = listing_of(numbered(2_000, 125))
    begun = time.perf_counter()
    shards = cut(listing, 256)
    assert sum(shard.count for shard in shards) == 250_000
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(("size", "digest"), [(16, "ef89268a99e9b80f"), (64, "e3e82b706ab5af9d")])
def test_shards_are_those_of_earlier_versions(size: int, digest: str) -> None:
    folders = [Folder.of(f"n{at:03}", [f"{number:03}.jpg" for number in range(at * 7 % 60 + 1)]) for at in range(60)]
    odd = ["a.jpg", "a.jpg.jpg", ".b.jpg", "c.png", "d.", "é.jpg", "x\udce9.jpg"]
    several = [f"{number}.jpg" for number in range(90)]
    folders += [Folder.of("odd", odd, "p", ""), Folder.of("double", ["a.jpg", "a.jpg.jpg", "b.jpg"])]
    folders.append(replace(Folder.of("tagged", several), tag="~ab"))
    spans = Spans(np.arange(41), np.ones(41, np.int64))
    folders.append(Folder.contained("t.tar", [*several[:40], "1.jpg"], "p", spans))
    ids = " ".join(shard.id for shard in cut(Listing(Path("set"), tuple(folders)), size))
    assert hashlib.sha256(ids.encode()).hexdigest()[:16] == digest


def test_folders_of_a_table_are_cut_like_any_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_MANY", 20)
    monkeypatch.setattr(packed_folders, "AT_ONCE", 3)
    for seed in range(25):
        table = table_of(random.Random(seed))
        (tmp_path / "t.csv").write_text(table, encoding="utf-8")
        listing = list_source(tmp_path / "t.csv")
        listed = [f"{item.key},{unquote(item.person)}" for folder in listing.folders for item in listing.items(folder)]
        assert sorted(listed) == sorted(set(table.splitlines()[1:]))
        others = replace(listing, folders=tuple(listing.folders))
        assert (len(listing), listing.people) == (len(others), others.people)
        assert [folder.names for folder in listing.folders] == [sorted({*one.names}) for one in others.folders]
        assert cut(listing, 16) == cut(others, 16)


def table_of(rng: random.Random) -> str:
    """A table in any order, of people and names as they come."""
    endings = rng.choice([(".jpg",), (".jpg", ".png", "", ".", ".jpg.jpg"), ("_a_long_name.jpeg",)])
    rows = [
        (f"{rng.choice('abc')}/{rng.choice('xyz')}", f"{rng.choice(('', '.', '0000'))}{number}{rng.choice(endings)}")
        for number in range(rng.choice((2, 150)))
    ]
    people = {folder: rng.choice(("Ann", "Ann_B", "..", "a/b", "\u65e5")) + folder[-1] for folder, _ in rows}
    if rng.random() < 0.5:
        rows.sort()
    return "path,person\n" + "".join(f"{folder}/{name},{people[folder]}\n" for folder, name in [*rows, rows[0]])


@pytest.mark.parametrize("divisor", [1, 3, 8, 128, 256, 512])
def test_checksums_of_many_names_are_those_of_each(divisor: int) -> None:
    rng = random.Random(divisor)
    for longest in (2, 9, 20, 70):
        names = [bytes(rng.choices(range(1, 256), k=rng.randrange(1, longest))) for _ in range(300)]
        expected = [at for at, name in enumerate(names) if crc32(name) % divisor == 0]
        assert divisible(b"\0".join(names), divisor) == expected
