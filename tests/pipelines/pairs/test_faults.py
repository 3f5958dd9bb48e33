"""What `maskgen pairs` refuses or lists, and what --check finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from manifest_makers import Row, rows, write_run
from pair_lists import called, read, write
from support import without_packages

from maskgen.core.reasons import UserError
from maskgen.manifests import list_alignment
from maskgen.manifests.checks.check import check_lists
from maskgen.manifests.list_alignment import alignment_of_run
from maskgen.pipelines.pairs.report import table
from maskgen.pipelines.pairs.run import run_pairs
from maskgen.pipelines.pairs.settings import PairsSettings
from maskgen.pipelines.runs.lock import LOCK, hold


def test_missing_and_broken_files_are_refused_or_listed(drawn_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first, second = sorted((drawn_run / "faces" / "p").iterdir())[:2]
    first.unlink()
    second.write_bytes(b"broken")
    shares = {"run": drawn_run, "people": (0.5, 0.25, 0.25)}
    with pytest.raises(
        UserError, match=r"^1 of 48 images is missing or broken, the first is .*1__bare.jpg \(missing\)"
    ):
        write(out, verify="exist", **shares)
    assert not out.exists()
    with pytest.raises(UserError, match="2 of 48"):
        write(out, verify="decode", **shares)
    report = write(out, verify="decode", leave_out_missing=True, **shares)
    listed = read(out / "left_out.csv")
    assert [row["path"] for row in listed] == [f"../masked/faces/p/{path.name}" for path in (first, second)]
    assert listed[0]["reason"] == "missing" and report["rows"]["left_out.csv"] == 2
    assert check_lists(out, verify="decode").n_faults == 0
    again = write(out, verify="exist", leave_out_missing=True, **shares)
    assert again["images_left_out"] == {"missing": 1}


def test_photographs_of_two_people_are_told(tmp_path: Path) -> None:
    """Two runs of one source make each of its people two: two targets, and impostor pairs of one person."""
    of_source = [Row(row.person, row.photograph, row.kind, f"bytes of {row.photograph}") for row in rows(3, 2, ["n95"])]
    runs = tuple(write_run(tmp_path / name, of_source) for name in ("a", "b"))
    alone = write_run(
        tmp_path / "c",
        [*rows(6, 2, ["n95"], "q"), Row("r", "9.jpg", "n95", "twice"), Row("s", "8.jpg", "n95", "twice")],
    )
    report = write(tmp_path / "out", train=runs, eval=(alone,), test_share=0.3)
    twice = report["photographs_of_two_people"]
    assert twice["train"] == {
        "photographs": 6,
        "such_photographs": [
            f"a: {name} and b: {name}" for name in ("p000/p000_0001.jpg", "p000/p000_0002.jpg", "p001/p001_0001.jpg")
        ],
    }
    assert twice["evaluation"] == {"photographs": 1, "such_photographs": ["c: r/9.jpg and c: s/8.jpg"]}
    printed = table(report)
    assert "Warning: 6 photographs are, byte for byte, of two people in training (such as a: p000" in printed
    assert "Warning: 1 photograph is, byte for byte, of two people in evaluation (such as c: r/9.jpg" in printed
    once = write(tmp_path / "once", train=runs[:1], eval=(write_run(tmp_path / "d", rows(6, 2, ["n95"], "q")),))
    assert "of two people" not in table(once)


def with_further_faces(run: Path, alignment: str, further: str = "/p001_0002__") -> Path:
    """The run with columns of faces; pictures with this in their path are of a photograph's third face."""
    table = pq.read_table(run / "catalogue.parquet")
    faces = [2 if further in path else 0 for path in table["path"].to_pylist()]
    for name, column in (("face", faces), ("picture_face", [0] * len(faces)), ("alignment", [alignment] * len(faces))):
        table = table.append_column(name, pa.array(column))
    pq.write_table(table, run / "catalogue.parquet")
    return run


def test_crops_of_further_faces_are_in_no_list(tmp_path: Path) -> None:
    """Nothing says whom they show: with the photograph's person they would be a genuine pair."""
    sorts = rows(12, 4, ["bare", "n95"])
    run, other = (with_further_faces(write_run(tmp_path / name, sorts), "arcface") for name in ("run", "other"))
    report = write(tmp_path / "out", train=(run,), eval=(other,), verify="names", allow_leak=True)
    used = [
        row[name]
        for file in ("train", "eval_same", "eval_diff", "test")
        for row in read(tmp_path / "out" / f"{file}.csv")
        for name in row
        if name.endswith("path")
    ]
    left_out = read(tmp_path / "out" / "left_out.csv")
    assert not [path for path in used if "p001_0002" in path] and [path for path in used if "p001_0001" in path]
    assert [(row["path"], row["person"], row["run"]) for row in left_out] == [
        (f"../{run}/faces/p001/p001_0002__{kind}.jpg", "p001", run)
        for run in ("other", "run")
        for kind in ("bare", "n95")
    ]
    assert report["images_left_out"] == {"a further face of its photograph": 4}
    assert "4 crops of further faces are left out, since nothing says whom they show" in table(report)
    assert {row["images"] for row in read(tmp_path / "out" / "people.csv") if row["person"] == "p001"} == {"6"}


@pytest.mark.parametrize(("alignment", "further"), [("none", "/p001_0002__"), ("arcface", "no path")])
def test_whole_photographs_and_first_faces_are_used(tmp_path: Path, alignment: str, further: str) -> None:
    run = with_further_faces(write_run(tmp_path / "run", rows(12, 4, ["n95"])), alignment, further)
    report = write(tmp_path / "out", run=run, verify="names")
    assert report["images_left_out"] == {} and not (tmp_path / "out" / "left_out.csv").exists()


def test_a_format_whose_package_is_not_installed_is_refused_before_any_work(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_packages(monkeypatch)
    said: list[str] = []
    with pytest.raises(UserError, match=r"the package lmdb: pip install 'maskgen\[lmdb\]'"):
        run_pairs(PairsSettings(out=tmp_path / "out", run=run, verify="names", also=("rec", "lmdb")), said.append)
    assert said == [] and not (tmp_path / "out").exists()


def test_photographs_in_training_and_evaluation_are_counted(tmp_path: Path) -> None:
    shared = [Row("x", "1.jpg", "n95", "same bytes"), Row("x", "2.jpg", "n95")]
    train = write_run(tmp_path / "t", shared)
    judged = write_run(tmp_path / "e", [*rows(20, 2, ["n95"]), Row("y", "9.jpg", "n95", "same bytes")])
    with pytest.raises(
        UserError, match=r"1 photograph is, byte for byte, .*such as t: x/1\.jpg and e: y/9\.jpg.*--allow-leak"
    ):
        write(tmp_path / "out", train=(train,), eval=(judged,))
    assert not (tmp_path / "out").exists()
    report = write(tmp_path / "out", train=(train,), eval=(judged,), allow_leak=True)
    assert report["leaks"]["photographs_in_training_and_evaluation"] == 1
    assert "byte for byte" in table(report)
    checked = check_lists(tmp_path / "out", verify="names")
    assert checked.n_faults == 1
    assert "FAULT photographs, byte for byte, in training and in evaluation" in checked.table()
    assert "t: x/1.jpg and e: y/9.jpg" in checked.table()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "Name the runs"),
        ({"run": "RUN", "train": ("RUN",)}, "leave out --train"),
        ({"eval": ("RUN",), "people": (0.8, 0.1, 0.1)}, "--people divides"),
        ({"run": "RUN", "people": (0.8, 0.1)}, "three shares"),
        ({"run": "RUN", "people": (0.8, 0.1, 0.2)}, "three shares"),
        ({"run": "FEW"}, "train, eval and test need 5 people, and there are 3"),
        ({"run": "ONE"}, "and there is 1: mask photographs of more people"),
        ({"run": "RUN", "test_share": 0.2}, "--test-share divides"),
        ({"run": "RUN", "protocol": "reference", "mix": (("mm", 1.0),)}, "--mix is for"),
        ({"run": "RUN", "mix": (("xx", 1.0),)}, "mm=1,mb=1"),
        ({"run": "BARELESS", "mix": (("mm", 1.0), ("mb", 1.0))}, "--bare"),
        ({"run": "SINGLES"}, "--allow-same-source"),
        ({"run": "SINGLES", "allow_same_source": True}, "larger set"),
        ({"run": "RUN", "min_images": 1000}, "lower --min-images"),
        ({"eval": ("RUN", "RUN")}, "given twice"),
        ({"run": "NOWHERE"}, "not a folder"),
        ({"run": "RUN", "wear": "bare"}, "--test-pairs FILE"),
        ({"run": "RUN", "balance": 0}, "--balance 0 is out of range"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    run: Path, tmp_path: Path, options: dict[str, Any], sentence: str
) -> None:
    write_run(tmp_path / "BARELESS", rows(30, 2, ["n95"]))
    write_run(tmp_path / "FEW", rows(3, 2, ["n95"]))
    write_run(tmp_path / "ONE", rows(1, 4, ["n95"]))
    write_run(tmp_path / "SINGLES", rows(30, 1, ["n95"]))
    places = {"RUN": run}

    def placed(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(placed(one) for one in value)
        return places.get(value, tmp_path / value) if isinstance(value, str) and value.isupper() else value

    with pytest.raises(UserError) as raised:
        write(tmp_path / "out", **{name: placed(value) for name, value in options.items()})
    text = str(raised.value)
    assert sentence in text and text.endswith(".") and text.count(". ") == 0
    assert not (tmp_path / "out").exists()


def test_check_tells_and_its_exit_code_says(drawn_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, run=drawn_run, people=(0.5, 0.25, 0.25), verify="exist")
    result = called("--check", out)
    assert result.exit_code == 0 and "Nothing is wrong: " in result.output
    (out / read(out / "train.csv")[0]["path"]).unlink()
    result = called("--check", out)
    assert result.exit_code == 1 and "images without a file" in result.output
    assert result.output.splitlines()[-1].startswith("1 fault: 4 files, ")
    assert len(called("--check", "--verbose", out).output.splitlines()) > 50 > len(result.output.splitlines())


def test_check_takes_no_sets_and_only_check_takes_a_root(run: Path, tmp_path: Path) -> None:
    for arguments, sentence in (
        (("--check", "--run", run), "leave out --run"),
        (("--root", run), "for --check"),
    ):
        result = called(*arguments, tmp_path / "out")
        assert isinstance(result.exception, UserError) and sentence in str(result.exception)


@pytest.mark.parametrize(
    "arguments", [["--people", "a,b"], ["--mix", "mm"], ["--mix", "mm=1,mm=2"], ["--protocol", "x"]]
)
def test_wrong_usage_has_exit_code_2(run: Path, tmp_path: Path, arguments: list[str]) -> None:
    assert called("--run", run, *arguments, tmp_path / "out").exit_code == 2


def test_the_help_has_examples() -> None:
    assert "Examples:" in called("--help").output


def test_two_commands_in_one_folder_do_not_mix(run: Path, tmp_path: Path) -> None:
    before = write(tmp_path / "out", run=run)
    with hold(tmp_path / "out" / LOCK), pytest.raises(UserError, match=r"is working in .*out: wait for it"):
        write(tmp_path / "out", run=run, overwrite=True)
    assert write(tmp_path / "out", run=run) == before
    assert not (tmp_path / "out" / LOCK).exists()


def test_lists_that_another_command_has_written_meanwhile_stay(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def later(folder: Path) -> Any:
        monkeypatch.undo()
        write(tmp_path / "out", run=run, seed=5)
        return alignment_of_run(folder)

    monkeypatch.setattr(list_alignment, "alignment_of_run", later)
    with pytest.raises(UserError, match="holds lists with other settings: --seed"):
        write(tmp_path / "out", run=run)
