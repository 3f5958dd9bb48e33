"""`maskgen pairs --test-pairs`: pairs that a file lists."""

from __future__ import annotations

from pathlib import Path

import pytest
from manifest_makers import Row, write_run
from pair_lists import read, write

from maskgen.core.reasons import UserError
from maskgen.manifests.checks.check import check_lists


def test_listed_test_pairs_make_their_people_the_test(run: Path, tmp_path: Path) -> None:
    listed = tmp_path / "pairs.txt"
    listed.write_text("1\t1\np000\t1\t2\np001\t1\tp002\t2\nnobody\t1\t2\n")
    report = write(tmp_path / "out", run=run, test_pairs=listed)
    test = read(tmp_path / "out" / "test.csv")
    names = [(Path(row["path"]).name, Path(row["pair_path"]).name) for row in test]
    assert [name for name, _ in names] == ["p000_0001__bare.jpg", "p001_0001__bare.jpg"]
    assert all("bare" not in name for _, name in names)
    assert report["listed_pairs"] == {"listed": 3, "made": 2, "left_out": 1}
    assert report["people"] == {"eval": 3, "test": 3, "train": 24}
    assert "nobody" in read(tmp_path / "out" / "left_out.csv")[0]["path"]


def test_lists_of_test_pairs_that_were_written_here_are_read_back(run: Path, tmp_path: Path) -> None:
    first = tmp_path / "first"
    write(first, run=run, people=(0.5, 0.0, 0.5), also=("label",))
    wanted = read(first / "test.csv")
    assert len(wanted) > 20
    with_commas = first / "commas.txt"
    with_commas.write_text((first / "pairs_label.txt").read_text().replace("\t", ","))
    with_semicolons = first / "semicolons.csv"
    with_semicolons.write_text((first / "test.csv").read_text().replace(",", ";"))
    for number, listed in enumerate((first / "test.csv", first / "pairs_label.txt", with_commas, with_semicolons)):
        out = tmp_path / f"again{number}"
        report = write(out, run=run, test_pairs=listed)
        assert report["listed_pairs"] == {"listed": len(wanted), "made": len(wanted), "left_out": 0}
        pairs = [{(row["path"], row["pair_path"]) for row in rows} for rows in (wanted, read(out / "test.csv"))]
        assert pairs[0] == pairs[1], listed


def test_listed_images_that_make_no_pair_are_each_told(run: Path, tmp_path: Path) -> None:
    names = [f"masked/faces/p00{person}/p00{person}_000{n}__{kind}.jpg" for person, n, kind in (
        (0, 1, "n95"), (0, 2, "n95"), (0, 1, "kn95"), (1, 1, "n95"), (9, 9, "n95"),
    )]  # fmt: skip
    lines = [(names[0], names[1], 1), (names[0], names[2], 1), (names[1], names[3], 1), (names[0], names[4], 0)]
    listed = tmp_path / "list.txt"
    listed.write_text("".join(f"{one} {two} {same}\n" for one, two, same in lines))
    report = write(tmp_path / "out", run=run, test_pairs=listed)
    assert report["listed_pairs"] == {"listed": 4, "made": 1, "left_out": 3}
    reasons = [row["reason"] for row in read(tmp_path / "out" / "left_out.csv")]
    assert reasons == [
        "both are one photograph",
        "the runs say they are two people",
        f"the runs have no image {names[4]}",
    ]
    with pytest.raises(UserError, match="leave out --wear"):
        write(tmp_path / "other", run=run, test_pairs=listed, wear="bare")


@pytest.mark.parametrize("form", ["names", "images"])
def test_a_pair_that_is_listed_twice_is_made_once(run: Path, tmp_path: Path, form: str) -> None:
    listed = tmp_path / "pairs.txt"
    if form == "names":
        lines = ["p000\t1\t2", "p000\t2\t1", "p001\t1\tp002\t2", "p002\t2\tp001\t1", "p000\t1\t2", "p000\t1\t1"]
        wear = "bare"
    else:
        at = {f"p00{p}\t{n}": f"masked/faces/p00{p}/p00{p}_000{n}__n95.jpg" for p in range(3) for n in (1, 2)}
        ends = [("p000\t1", "p000\t2"), ("p000\t2", "p000\t1"), ("p001\t1", "p002\t2"), ("p002\t2", "p001\t1")]
        ends += [ends[0], ("p000\t1", "p000\t1")]
        lines, wear = [f"{at[a]}\t{at[b]}\t{int(a[:4] == b[:4])}" for a, b in ends], None
    listed.write_text("".join(f"{line}\n" for line in lines))
    report = write(tmp_path / "out", run=run, test_pairs=listed, wear=wear)
    assert report["listed_pairs"] == {"listed": 6, "made": 2, "left_out": 4}
    left_out = read(tmp_path / "out" / "left_out.csv")
    assert [row["path"].partition(":")[0] for row in left_out] == ["pair 2", "pair 4", "pair 5", "pair 6"]
    assert [row["reason"] for row in left_out][:3] == ["it is listed already"] * 3
    assert check_lists(tmp_path / "out", verify="names").n_faults == 0


def test_lfw_pairs_on_a_run_of_lfw(photographs: Path, tmp_path: Path) -> None:
    wanted = [
        Row(person.name, photo.name, kind)
        for person in sorted((photographs / "lfw").iterdir())
        for photo in sorted(person.iterdir())
        for kind in ("bare", "n95")
    ]
    run = write_run(tmp_path / "lfw", wanted)
    for wear, sort in (("bare", "bb"), ("masked", "mm"), ("mixed", "mb")):
        report = write(tmp_path / wear, eval=(run,), test_pairs=photographs / "lfw_pairs.txt", wear=wear)
        assert report["listed_pairs"] == {"listed": 584, "made": 584, "left_out": 0}
        assert report["test"]["same"][sort] == 292 == report["test"]["diff"][sort]
        assert check_lists(tmp_path / wear, verify="names").n_faults == 0
