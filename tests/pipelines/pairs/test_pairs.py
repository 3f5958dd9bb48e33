"""`maskgen pairs` from catalogue to files: what is written, refused, said and found again by --check."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result

sys.path.insert(0, str(Path(__file__).parents[2] / "manifests"))

from manifest_makers import KINDS, Row, rows, write_run
from page_reader import PageFile
from support import lasting

from maskgen.core.reasons import UserError
from maskgen.formats.bin_sets import load_bin
from maskgen.manifests.checks.check import check_lists
from maskgen.manifests.formats.lfw_pairs import load_lfw_pairs
from maskgen.pipelines.pairs.command import pairs_command
from maskgen.pipelines.pairs.report import table
from maskgen.pipelines.pairs.run import run_pairs
from maskgen.pipelines.pairs.settings import PairsSettings

LISTS = ("train.csv", "eval_same.csv", "eval_diff.csv", "test.csv", "people.csv")


def write(out: Path, **options: Any) -> dict[str, Any]:
    options.setdefault("verify", "names")
    return run_pairs(PairsSettings(out=out, **options))


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def called(*arguments: object) -> Result:
    return CliRunner().invoke(pairs_command, [str(argument) for argument in arguments])


def all_bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: lasting(path) for path in folder.iterdir()}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of 30 people, two photographs each, in two masks and bare; names only."""
    return write_run(tmp_path / "masked", rows(30, 2, ("n95", "kn95", "bare")))


@pytest.fixture
def drawn_run(tmp_path: Path) -> Path:
    """A run of eight people with small pictures, some names as awkward as names get."""
    odd = ["Anna, B", 'say "x"', "Жанна [1]", "two__under", "d.o.t", " space ", "#hash", "p"]
    wanted = [Row(name, f"{i}.jpg", kind) for name in odd for i in (1, 2, 3) for kind in ("n95", "bare")]
    return write_run(tmp_path / "masked", wanted, pictures=True)


def test_one_set_divided_by_people(run: Path, tmp_path: Path) -> None:
    report = write(tmp_path / "out", run=run, people=(0.8, 0.1, 0.1))
    people = read(tmp_path / "out" / "people.csv")
    assert [row["target"] for row in people] == [str(i) for i in range(30)]
    assert report["people"] == {"eval": 3, "test": 3, "train": 24}
    splits = {row["person"]: row["split"] for row in people}
    found: dict[str, set[str]] = {"train": set(), "eval": set(), "test": set()}
    for name in LISTS[:-1]:
        split = name.partition(".")[0].partition("_")[0]
        for row in read(tmp_path / "out" / name):
            for column in ("path", "pair_path"):
                if column in row:
                    found[split].add(Path(row[column]).parent.name)
    for split, names in found.items():
        assert names == {person for person, where in splits.items() if where == split}
    assert report["rows"]["train.csv"] == 24 * 6 and all(row["images"] == "6" for row in people)


def test_rows_are_grouped_and_targets_start_at_nought(run: Path, tmp_path: Path) -> None:
    write(tmp_path / "out", run=run)
    targets = [int(row["target"]) for row in read(tmp_path / "out" / "train.csv")]
    assert targets == sorted(targets) and sorted(set(targets)) == list(range(24))
    for name in ("eval_same.csv", "eval_diff.csv", "test.csv"):
        firsts = [int(row["target"]) for row in read(tmp_path / "out" / name)]
        assert firsts == sorted(firsts)


def test_same_seed_same_bytes_and_another_seed_others(run: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        write(tmp_path / name, run=run, seed=seed)
    assert all_bytes(tmp_path / "a") == all_bytes(tmp_path / "b")
    assert (tmp_path / "a/test.csv").read_bytes() != (tmp_path / "c/test.csv").read_bytes()


def test_the_page_shows_pairs_and_the_card_carries_those_of_the_runs_on(drawn_run: Path, tmp_path: Path) -> None:
    (drawn_run / "CARD.md").write_text(
        "# The run\n\n## Licence\n\n<!-- licence: fill in; it -->\nCC0\n<!-- /licence -->\n"
    )
    out = tmp_path / "lists"
    write(out, run=drawn_run, people=(0.25, 0.5, 0.25), verify="exist")
    page = PageFile(out / "report.html")
    items = page.items("pairs")
    assert items and all(len(item["sides"]) == 2 and item["sides"][0]["img"] is not None for item in items)
    assert {item["facets"]["sort"] for item in items} == {"same person", "different people"}
    assert page.asked_for == []
    assert f"maskgen pairs {out} --run {drawn_run} --people 0.25,0.5,0.25" in page.text
    card = (out / "CARD.md").read_text("utf-8")
    assert "### The run" in card and "CC0" in card and card.count("<!-- licence") == 1


def test_the_order_of_the_catalogue_does_not_matter(run: Path, tmp_path: Path) -> None:
    write(tmp_path / "a", run=run, protocol="reference")
    wanted = rows(30, 2, ("n95", "kn95", "bare"))
    write_run(run, [wanted[i] for i in np.random.default_rng(0).permutation(len(wanted))])
    write(tmp_path / "b", run=run, protocol="reference")
    for name in LISTS:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_other_peoples_sets_keep_people_of_one_name_apart(tmp_path: Path) -> None:
    train = tuple(write_run(tmp_path / name, rows(3, 2, ["n95"])) for name in ("casia", "vggface2"))
    judged = write_run(tmp_path / "lfw", rows(20, 2, ["n95"]))
    report = write(tmp_path / "out", train=train, eval=(judged,))
    people = read(tmp_path / "out" / "people.csv")
    assert [(row["run"], row["person"]) for row in people[:6]] == [
        (name, f"p00{i}") for name in ("casia", "vggface2") for i in range(3)
    ]
    assert len({row["path"] for row in read(tmp_path / "out" / "train.csv")}) == 12
    assert report["people"] == {"eval": 18, "test": 2, "train": 6}
    assert [entry["role"] for entry in report["runs"]] == ["train", "train", "eval"]
    assert check_lists(tmp_path / "out", verify="names").n_faults == 0


def test_counts_of_the_reference_project(tmp_path: Path) -> None:
    images = []
    photographs = [1 + (9164 - 1680) // 1680] * 1680 + [1] * 4069
    for p, count in enumerate(photographs):
        images += [Row(f"p{p:04d}", f"p{p:04d}_{i:04d}.jpg", kind) for i in range(count) for kind in KINDS]
    spare = 64811 - len(images)
    images += [Row("p0000", f"p0000_{100 + i // 5:04d}.jpg", KINDS[i % 5]) for i in range(spare)]
    run = write_run(tmp_path / "lfw", images)
    report = write(tmp_path / "out", eval=(run,), protocol="reference", allow_same_source=True)
    expected = {"train.csv": 0, "eval_same.csv": 58329, "eval_diff.csv": 58329, "test.csv": 6482}
    assert report["rows"] == expected | {"people.csv": 5749}
    test = read(tmp_path / "out" / "test.csv")
    assert sum(row["target"] == row["pair_target"] for row in test) == 3241
    assert len({row["path"] for row in test}) == 6482
    firsts = {row["path"] for row in read(tmp_path / "out" / "eval_same.csv")}
    assert len(firsts) == 58329 and not firsts & {row["path"] for row in test}
    assert check_lists(tmp_path / "out", verify="names").n_faults == 0
    strict = write(tmp_path / "strict", eval=(run,), protocol="reference")
    alone = strict["eval"]["images_of_people_with_one_photograph"]
    assert strict["rows"]["eval_diff.csv"] == 58329 and strict["rows"]["eval_same.csv"] == 58329 - alone
    assert strict["eval"]["people_with_one_photograph"] >= 4069
    assert "people with one photograph are in impostor pairs only" in table(strict)


def test_awkward_names_come_through(drawn_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "a list" / "of, mine"
    write(out, run=drawn_run, people=(0.5, 0.25, 0.25), verify="decode", also=("label", "bin", "lfw"))
    for name in LISTS[:-1]:
        for row in read(out / name):
            assert (out / row["path"]).is_file() and (out / row.get("pair_path", row["path"])).is_file()
    assert check_lists(out, verify="decode").n_faults == 0
    assert {row["person"] for row in read(out / "people.csv")} == {p.name for p in (drawn_run / "faces").iterdir()}


def test_the_formats_of_others_say_the_same_as_test_csv(drawn_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, run=drawn_run, people=(0.0, 0.5, 0.5), verify="exist", also=("label", "bin", "lfw"), picture_size=32)
    test = read(out / "test.csv")
    same = [row["target"] == row["pair_target"] for row in test]
    lines = [f"{row['path']}\t{row['pair_path']}\t{truth:d}" for row, truth in zip(test, same, strict=True)]
    assert (out / "pairs_label.txt").read_text("utf-8").splitlines() == lines
    pictures, truths = load_bin(out / "test.bin")
    assert truths == same and len(pictures) == 2 * len(test)
    assert cv2.imdecode(np.frombuffer(pictures[0], np.uint8), cv2.IMREAD_COLOR).shape == (32, 32, 3)
    assert sum(pair.same for pair in load_lfw_pairs(out / "pairs.txt")) == sum(same)


def test_pictures_of_the_right_size_are_stored_as_they_are(drawn_run: Path, tmp_path: Path) -> None:
    write(tmp_path / "out", run=drawn_run, verify="exist", people=(0.5, 0.25, 0.25), also=("bin",), picture_size=48)
    pictures, _ = load_bin(tmp_path / "out" / "test.bin")
    test = read(tmp_path / "out" / "test.csv")
    assert pictures[1] == (tmp_path / "out" / test[0]["pair_path"]).read_bytes()


def test_previews_are_drawn_and_named(drawn_run: Path, tmp_path: Path) -> None:
    result = called("--run", drawn_run, "--people", "0.5,0.25,0.25", tmp_path / "out")
    assert result.exit_code == 0 and "pairs_preview.png" in result.stdout
    for name in ("train_preview.png", "pairs_preview.png"):
        image = cv2.imread(str(tmp_path / "out" / name))
        assert image is not None and image.std() > 10


def test_absolute_paths(drawn_run: Path, tmp_path: Path) -> None:
    write(tmp_path / "out", run=drawn_run, people=(0.5, 0.25, 0.25), paths="absolute", verify="exist")
    for row in read(tmp_path / "out" / "test.csv"):
        assert Path(row["path"]).is_absolute() and Path(row["path"]).is_file()


def test_missing_and_broken_files_are_refused_or_listed(drawn_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first, second = sorted((drawn_run / "faces" / "p").iterdir())[:2]
    first.unlink()
    second.write_bytes(b"broken")
    shares = {"run": drawn_run, "people": (0.5, 0.25, 0.25)}
    with pytest.raises(
        UserError, match=r"^1 of 48 images are missing or broken, the first is .*1__bare.jpg \(missing\)"
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


def test_balance_and_min_images(tmp_path: Path) -> None:
    wanted = [*rows(4, 6, ["n95", "kn95"], "many"), *rows(3, 1, ["n95"], "few")]
    run = write_run(tmp_path / "r", wanted)
    report = write(tmp_path / "out", train=(run,), balance=4, min_images=2)
    assert report["train"]["people_under_min_images"] == 3 and report["train"]["images"] == 16
    assert report["train"]["images_over_balance"] == 32 and report["train"]["kinds"] == {"kn95": 8, "n95": 8}
    people = read(tmp_path / "out" / "people.csv")
    assert [row["split"] for row in people] == ["train"] * 4 + ["left_out"] * 3
    assert {row["images"] for row in people[:4]} == {"4"}


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


def test_a_mix_and_other_kinds(run: Path, tmp_path: Path) -> None:
    result = called(
        "--eval", run, "--verify", "names", "--mix", "mm=1,mb=1,bb=0", "--pair-kinds", "other", tmp_path / "o"
    )
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "o" / "report.json").read_text())
    for sort in ("same", "diff"):
        counts = report["eval"][sort]
        assert counts["mm"] == counts["mb"] > 0 == counts["bb"] == counts["mm_same_kind"]


def test_the_same_command_again_and_other_settings(run: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out, run=run)
    before = all_bytes(out)
    write(out, run=run)
    assert all_bytes(out) == before
    with pytest.raises(UserError, match=r"--seed \(was 0, now 1\)"):
        write(out, run=run, seed=1)
    write(out, run=run, seed=1, overwrite=True)
    assert (out / "test.csv").read_bytes() != before["test.csv"]


def test_work_that_was_cut_short_goes_on_with_the_same_command_only(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"

    def die(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr("maskgen.pipelines.pairs.run.report_of", die)
        with pytest.raises(RuntimeError):
            write(out, run=run)
    assert not (out / "report.json").exists() and (out / "unfinished.json").exists()
    (out / ".train.csv.1234.part").write_bytes(b"half")
    with pytest.raises(UserError, match="other settings"):
        write(out, run=run, seed=1)
    write(out, run=run)
    write(tmp_path / "whole", run=run)
    assert all_bytes(out) == all_bytes(tmp_path / "whole")


def test_halves_that_a_killed_export_left_are_removed(run: Path, tmp_path: Path) -> None:
    write(tmp_path / "out", run=run)
    for half in ("hub/data/.train.parquet", "test/memfile/.mem_file.dat", "imgs/000001/.000000001.jpg"):
        path = tmp_path / "out" / f"{half}.1234.part"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    write(tmp_path / "out", run=run, overwrite=True)
    assert list((tmp_path / "out").rglob("*.part")) == []


@pytest.mark.parametrize("damage", ["", "{}", "[1]", "[" * 3000, "one digit"])
def test_a_damaged_report_is_one_sentence(run: Path, tmp_path: Path, damage: str) -> None:
    out = tmp_path / "out"
    write(out, run=run)
    whole = (out / "report.json").read_text()
    changed = whole.replace('"seed": 0', '"seed": 1', 1)
    assert changed != whole
    (out / "report.json").write_text(changed if damage == "one digit" else damage)
    with pytest.raises(UserError, match=r"report\.json is damaged.*--overwrite"):
        write(out, run=run)
    if damage != "{}":  # which is another program's report as well
        with pytest.raises(UserError, match=r"report\.json is damaged"):
            check_lists(out, verify="names")
    write(out, run=run, overwrite=True)
    assert (out / "report.json").read_text() == whole


def test_lists_of_another_origin_and_run_folders_are_left_alone(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "train.csv").write_text("by hand")
    with pytest.raises(UserError, match="another origin"):
        write(tmp_path / "mine", run=run)
    with pytest.raises(UserError, match="folder of a run"):
        write(run, run=run)
    assert (tmp_path / "mine" / "train.csv").read_text() == "by hand"


def test_photographs_in_training_and_evaluation_are_counted(tmp_path: Path) -> None:
    shared = [Row("x", "1.jpg", "n95", "same bytes"), Row("x", "2.jpg", "n95")]
    train = write_run(tmp_path / "t", shared)
    judged = write_run(tmp_path / "e", [*rows(20, 2, ["n95"]), Row("y", "9.jpg", "n95", "same bytes")])
    with pytest.raises(UserError, match="1 photographs are, byte for byte, .* --allow-leak"):
        write(tmp_path / "out", train=(train,), eval=(judged,))
    assert not (tmp_path / "out").exists()
    report = write(tmp_path / "out", train=(train,), eval=(judged,), allow_leak=True)
    assert report["leaks"]["photographs_in_training_and_evaluation"] == 1
    assert "byte for byte" in table(report)
    checked = check_lists(tmp_path / "out", verify="names")
    assert checked.n_faults == 1
    assert "FAULT photographs, byte for byte, in training and in evaluation" in checked.table()


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


def test_training_lists_alone(drawn_run: Path, tmp_path: Path) -> None:
    result = called("--train", drawn_run, tmp_path / "out")
    assert result.exit_code == 0 and "train_preview.png" in result.output and "pairs_pre" not in result.output
    assert read(tmp_path / "out" / "test.csv") == [] and len(read(tmp_path / "out" / "train.csv")) == 48
    assert called("--check", tmp_path / "out").exit_code == 0


@pytest.mark.parametrize(
    "arguments", [["--people", "a,b"], ["--mix", "mm"], ["--mix", "mm=1,mm=2"], ["--protocol", "x"]]
)
def test_wrong_usage_has_exit_code_2(run: Path, tmp_path: Path, arguments: list[str]) -> None:
    assert called("--run", run, *arguments, tmp_path / "out").exit_code == 2


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, maskgen.pipelines.pairs.command as p; p.pairs_command.main(['--help'], standalone_mode=False);"
        "print([m for m in ('numpy', 'pyarrow', 'pandas', 'cv2', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]" and "Examples:" in done.stdout
