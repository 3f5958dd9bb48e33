"""`maskgen pairs` from catalogue to files: which people, pairs and pictures are in the lists."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from manifest_makers import KINDS, Row, rows, write_run
from page_reader import PageFile
from pair_lists import LISTS, all_bytes, called, read, write

from maskgen.formats.bin_sets import load_bin
from maskgen.manifests.checks.check import check_lists
from maskgen.manifests.formats.lfw_pairs import load_lfw_pairs
from maskgen.pipelines.pairs.report import table


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


def test_with_the_reference_protocol_a_second_photograph_may_be_in_the_other_part(tmp_path: Path) -> None:
    people = [Row(f"p{p}", f"p{p}_{n}.jpg", kind) for p in range(12) for n in range(4) for kind in ("n95", "kn95")]
    alone = [Row(f"q{p}", f"q{p}_1.jpg", kind) for p in range(3) for kind in ("n95", "kn95")]
    several = write(tmp_path / "several", eval=(write_run(tmp_path / "one", people),), protocol="reference")
    # The test part has a single photograph of some people, whose genuine partners are from the other part.
    assert several["test"]["partners_from_the_other_part"] > 0
    facts = [several[name]["people_with_one_photograph"] for name in ("eval", "test")]
    assert facts == [0, 0] and "in impostor pairs only" not in table(several)
    mixed = write(tmp_path / "mixed", eval=(write_run(tmp_path / "two", [*people, *alone]),), protocol="reference")
    told = {row["target"]: row["person"] for row in read(tmp_path / "mixed" / "people.csv")}
    rows = {name: read(tmp_path / "mixed" / name) for name in ("eval_same.csv", "eval_diff.csv", "test.csv")}
    firsts = {name: {told[row["target"]] for row in own} for name, own in rows.items()}
    assert mixed["eval"]["people_with_one_photograph"] == len(firsts["eval_diff.csv"] - firsts["eval_same.csv"])
    in_test = {told[row["target"]] for row in rows["test.csv"]}
    assert mixed["test"]["people_with_one_photograph"] == len({name for name in in_test if name.startswith("q")})
    assert "with one photograph" in table(mixed)


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


def test_balance_and_min_images(tmp_path: Path) -> None:
    wanted = [*rows(4, 6, ["n95", "kn95"], "many"), *rows(3, 1, ["n95"], "few")]
    run = write_run(tmp_path / "r", wanted)
    report = write(tmp_path / "out", train=(run,), balance=4, min_images=2)
    assert report["train"]["people_under_min_images"] == 3 and report["train"]["images"] == 16
    assert report["train"]["images_over_balance"] == 32 and report["train"]["kinds"] == {"kn95": 8, "n95": 8}
    people = read(tmp_path / "out" / "people.csv")
    assert [row["split"] for row in people] == ["train"] * 4 + ["left_out"] * 3
    assert {row["images"] for row in people[:4]} == {"4"}


def test_a_mix_and_other_kinds(run: Path, tmp_path: Path) -> None:
    result = called(
        "--eval", run, "--verify", "names", "--mix", "mm=1,mb=1,bb=0", "--pair-kinds", "other", tmp_path / "o"
    )
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "o" / "report.json").read_text())
    for sort in ("same", "diff"):
        counts = report["eval"][sort]
        assert counts["mm"] == counts["mb"] > 0 == counts["bb"] == counts["mm_same_kind"]


def test_training_lists_alone(drawn_run: Path, tmp_path: Path) -> None:
    result = called("--train", drawn_run, tmp_path / "out")
    assert result.exit_code == 0 and "train_preview.png" in result.output and "pairs_pre" not in result.output
    assert read(tmp_path / "out" / "test.csv") == [] and len(read(tmp_path / "out" / "train.csv")) == 48
    assert called("--check", tmp_path / "out").exit_code == 0
