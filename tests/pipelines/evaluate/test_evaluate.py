"""`maskgen evaluate` as a person types it: drawn people, dlib's network, and one that has learnt nothing."""

from __future__ import annotations

import csv
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from click.testing import CliRunner, Result
from drawn_people import drawn_people
from page_reader import PageFile
from support import lasting, picture, tree, write

from maskgen.core.images import encode_image
from maskgen.core.reasons import are
from maskgen.pipelines.cli import main
from maskgen.pipelines.evaluate.folder import held
from maskgen.pipelines.evaluate.results_text import trained_note
from maskgen.pipelines.evaluate.settings import EvaluateSettings, model_name
from maskgen.pipelines.evaluate.splits import splits
from maskgen.pipelines.train.folder import TrainFolder
from maskgen.trainer.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.loading import load_recipe


def call(*args: object) -> Result:
    return CliRunner().invoke(main, [*map(str, args)])


def done(*args: object) -> str:
    result = call(*args)
    assert result.exit_code == 0, result.output
    return result.output


def results(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    return found


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six people of four pictures, masked and bare; lists of three for eval and three for test; a gallery."""
    root = tmp_path_factory.mktemp("judge")
    for name, number, portrait in drawn_people(6, 4, seed=6):
        (root / "people" / name).mkdir(parents=True, exist_ok=True)
        (root / "people" / name / f"{number}.png").write_bytes(encode_image(portrait.image, "png"))
    done("mask", root / "people", root / "run", "--bare", "--kinds", "n95,cloth_black", "--workers", "1")
    done("pairs", "--run", root / "run", "--people", "0,0.5,0.5", root / "lists")
    done("gallery", "--simulate", root / "run", root / "gallery", "--expect", "2,2")
    return root


@pytest.fixture(scope="module")
def untrained(drawn: Path) -> Path:
    recipe = load_recipe("small", ["data.size=32", "model.dim=16"])
    torch.manual_seed(0)
    save_checkpoint(drawn / "train" / "best", Checkpoint(recipe, build_model(recipe.model).state_dict()))
    return drawn / "train"


@pytest.fixture(scope="module")
def judged(drawn: Path) -> tuple[Path, str]:
    """A report on dlib, and what was said."""
    return drawn / "report", done("evaluate", "dlib", "--data", drawn / "lists", "--report", drawn / "report")


def test_the_report_says_what_was_measured(judged: tuple[Path, str], drawn: Path) -> None:
    found = results(judged[0])
    assert found["model"] == {"given": "dlib", "name": "dlib", "dim": 128, "size": 160, "alignment": None}
    rows = len((drawn / "lists/test.csv").read_text().splitlines()) - 1
    assert found["pairs"] == {"listed": rows, "judged": rows, "left_out": 0}
    assert found["threshold"]["source"] == "eval lists"
    whole = found["splits"]["all"]
    assert whole["same"] + whole["different"] == rows
    counts = whole["confusion"]
    right = counts["same_same"] + counts["different_different"]
    assert whole["accuracy"]["value"] == pytest.approx(right / rows)
    assert whole["accuracy"]["low"] <= whole["accuracy"]["value"] <= whole["accuracy"]["high"]
    assert whole["auc"]["value"] > 0.8  # drawn people are told apart by a network that never saw any
    assert whole["tar_at_far"]["0.0001"]["value"] is None
    assert "needs 10,000 different-person pairs" in whole["tar_at_far"]["0.0001"]["reason"]
    sorts = [found["splits"][name] for name in ("masked-masked", "masked-bare", "bare-bare")]
    assert sum(one["same"] + one["different"] for one in sorts if "reason" not in one) == rows
    assert {"kind n95", "kind cloth_black"} <= set(found["splits"])


def test_the_page_has_a_threshold_that_counts_as_the_report_does(judged: tuple[Path, str]) -> None:
    found, page = results(judged[0])["splits"]["all"], PageFile(judged[0] / "report.html")
    judge, counts = page.data["judge"], found["confusion"]
    split, at = judge["splits"]["all"], judge["at"]
    assert (split["same"][at], split["different"][at]) == (counts["same_same"], counts["different_same"])
    assert (split["same"][-1], split["different"][-1]) == (found["same"], found["different"])
    assert judge["thresholds"][at] == pytest.approx(results(judged[0])["threshold"]["value"], abs=1e-6)
    items = page.items("errors")
    assert {item["facets"]["sort"].partition(",")[0] for item in items} == {"same person", "different people"}
    assert all(item["sides"][0]["img"] is not None and item["facets"]["pose"] for item in items)
    assert "By the larger yaw of a pair" in page.text and page.asked_for == []
    assert f"maskgen evaluate dlib --data {judged[0].parent / 'lists'}" in page.text


def test_pictures_and_text_are_there(judged: tuple[Path, str]) -> None:
    folder, said = judged
    for name in ("distances.png", "roc.png", "det.png", "confusion.png"):
        image = cv2.imread(str(folder / name))
        assert image is not None and image.shape == (540, 960, 3)
        assert image.std() > 5
    assert cv2.imread(str(folder / "errors.png")) is not None
    text = (folder / "results.md").read_text("utf-8")
    value = results(folder)["splits"]["all"]["accuracy"]["value"]
    assert f"{value:.4f}" in text and f"{value:.4f}" in said
    assert "## TAR at FAR" in text
    assert str(folder / "results.md") in said
    note = "Only 3 people are in these pairs: intervals over people are unreliable."
    assert results(folder)["notes"] == [note]
    assert text.count(note) == said.count(note) == 1


def test_the_same_seed_gives_the_same_bytes(judged: tuple[Path, str], drawn: Path, untrained: Path) -> None:
    call = ("evaluate", untrained, "--data", drawn / "lists", "--replicates", "50")
    done(*call, "--report", drawn / "one")
    done(*call)
    named = drawn / "lists" / "judged" / f"{drawn.name}-train"
    assert results(named)["model"]["name"] == "small"
    files = sorted(path.name for path in (drawn / "one").iterdir())
    assert files == sorted(path.name for path in judged[0].iterdir())
    assert all(lasting(drawn / "one" / name) == lasting(named / name) for name in files)


def test_broken_pictures_are_told_and_counted(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    with (own_lists(drawn, tmp_path) / "test.csv").open() as file:
        rows = list(csv.DictReader(file))
    victim = rows[0]["path"]
    (tmp_path / "lists" / victim).write_bytes(b"\xff\xd8nothing")
    result = call("evaluate", untrained, "--data", tmp_path / "lists", "--report", tmp_path / "out", "--replicates", 20)
    assert result.exit_code == 3, result.output
    assert f"Warning: {victim} is left out" in result.output
    lost = sum(victim in (row["path"], row["pair_path"]) for row in rows)
    told = f"1 picture cannot be read (unreadable.csv): {lost} of {len(rows)} test pairs {are(lost)} left out."
    assert told in result.stdout and told in (tmp_path / "out/results.md").read_text("utf-8")
    found = results(tmp_path / "out")
    assert found["pictures"]["unreadable"] == 1
    assert found["pairs"] == {"listed": len(rows), "judged": len(rows) - lost, "left_out": lost}
    assert (tmp_path / "out/unreadable.csv").read_text().startswith(f"path,reason\n{victim},")


def test_a_list_alone_takes_its_threshold_from_folds(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    text = (drawn / "lists/test.csv").read_text().replace("../run", str(drawn / "run"))
    (tmp_path / "pairs.csv").write_text(text)
    done("evaluate", untrained, "--data", tmp_path / "pairs.csv", "--report", tmp_path / "out", "--replicates", "20")
    found = results(tmp_path / "out")
    assert found["threshold"]["source"] == "ten folds of the test pairs"
    assert found["eval"] is None
    assert "masked-bare" in found["splits"]  # by the files' names, for no report says where the run is


def test_pairs_that_name_no_people_are_compared_as_listed_only(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    lists = drawn / "lists"
    with (lists / "test.csv").open() as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "pairs_label.txt").open("w") as file:
        for row in rows:
            same = int(row["target"] == row["pair_target"])
            file.write(f"{lists / row['path']}\t{lists / row['pair_path']}\t{same}\n")
    said = done("evaluate", untrained, "--data", tmp_path / "pairs_label.txt", "--report", tmp_path / "out")
    found = results(tmp_path / "out")
    assert found["pairs"]["judged"] == len(rows)
    assert found["fixed_fmr"] is None
    sentence = "These pairs name no people:"
    assert [note.startswith(sentence) for note in found["notes"]].count(True) == 1
    assert said.count(sentence) == (tmp_path / "out/results.md").read_text("utf-8").count(sentence) == 1
    assert sentence in PageFile(tmp_path / "out/report.html").text
    done("evaluate", untrained, "--data", lists, "--report", tmp_path / "named", "--replicates", "20")
    assert not any(sentence in note for note in results(tmp_path / "named")["notes"])


def test_pictures_of_one_photograph_are_not_compared(untrained: Path, tmp_path: Path) -> None:
    people = 46  # enough for a false match rate of 0.001
    rows = []
    for person in range(people):
        names = [f"{person}/{name}.png" for name in ("1__bare", "1__n95", "2__n95")]
        for at, name in enumerate(names):
            write(tmp_path / name, picture(10 * person + at))
        rows += [(names[0], person, other, person) for other in names[1:]]
        rows.append((names[0], person, f"{(person + 1) % people}/2__n95.png", (person + 1) % people))
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    (tmp_path / "test.csv").write_text(f"path,target,pair_path,pair_target\n{text}")
    said = done("evaluate", untrained, "--data", tmp_path, "--report", tmp_path / "out", "--replicates", "20")
    found = results(tmp_path / "out")
    fixed = found["fixed_fmr"]
    assert (fixed["comparisons_of_one_photograph"], found["genuine_pairs_of_one_photograph"]) == (people, people)
    counts = {name: (one["genuine"], one["impostor"]) for name, one in fixed["comparisons"].items()}
    others = people * (people - 1)
    assert counts == {
        "bare-bare": (0, others // 2),
        "masked-bare": (people, 2 * others),  # the bare picture with the masked one of the other photograph
        "masked-masked": (people, 2 * others),
    }
    assert f"of {people} people, except {people} of two pictures of one photograph." in said
    assert f"{people} of {2 * people} genuine test pairs are two pictures of one photograph" in said


def test_a_gallery(drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = done("evaluate", "dlib", "--gallery", drawn / "gallery/gallery.csv", "--report", out, "--far", "0.1")
    found = results(out)
    assert (found["enrolled"], found["people_enrolled"], found["probes"]) == (12, 6, 12)
    assert found["rank1"]["value"] > 0.3
    assert found["rank1"]["value"] <= found["rank5"]["value"]
    assert found["open_set"]["far"] <= 0.1
    with (out / "identified.csv").open() as file:
        people = list(csv.DictReader(file))
    assert len(people) == 6 and {row["probes"] for row in people} == {"2"}
    assert sum(int(row["first"]) for row in people) == pytest.approx(12 * found["rank1"]["value"])
    assert sum(int(row["let_in"]) for row in people) == pytest.approx(12 * found["open_set"]["far"])
    assert f"{found['rank1']['value']:.4f}" in said
    assert cv2.imread(str(out / "errors.png")) is not None
    page = PageFile(out / "report.html")
    assert page.items("errors") and "12 masked probes name their person first" in page.text
    assert page.data["judge"]["splits"]["all probes"]["different"][-1] == 12
    assert "|" not in said, "a terminal gets columns, not Markdown"
    few = call("evaluate", "dlib", "--gallery", drawn / "lists/train.csv")
    assert few.exit_code == 2


@pytest.mark.parametrize(("option", "data"), [("--data", "lists"), ("--gallery", "gallery")])
def test_people_of_the_training_set_are_counted_and_named(
    drawn: Path, untrained: Path, tmp_path: Path, option: str, data: str
) -> None:
    with (drawn / data / ("test.csv" if data == "lists" else "gallery.csv")).open() as file:
        judged = {int(row["target"]) for row in csv.DictReader(file)}
    with (drawn / data / "people.csv").open() as file:
        names = sorted(row["person"] for row in csv.DictReader(file) if row["target"] and int(row["target"]) in judged)
    model = shutil.copytree(untrained, tmp_path / "model")
    given = ("evaluate", model, option, drawn / data, "--report", tmp_path / "out", "--replicates", "20")
    assert "People in the training set: the model does not name" in done(*given)
    (model / "people.txt").write_text("somebody else\n")
    sentence = f"None of {len(names)} test people has the name of somebody in the model's training set."
    assert sentence in done(*given)
    (model / "people.txt").write_text(f"somebody else\n{names[1].replace('_', ' ')}\n")
    said = done(*given)
    sentence = f"trained on people of these names, 1 of {len(names)} test people: {names[1]}. Figures on"
    assert results(tmp_path / "out")["trained_on"] == {"people": [names[1]], "of": len(names)}
    for text in (said, (tmp_path / "out/results.md").read_text("utf-8"), PageFile(tmp_path / "out/report.html").text):
        assert text.count(sentence) == 1


def test_lists_without_names_say_so(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    model = shutil.copytree(untrained, tmp_path / "model")
    (model / "people.txt").write_text("somebody\n")
    text = (drawn / "lists/test.csv").read_text().replace("../run", str(drawn / "run"))
    (tmp_path / "pairs.csv").write_text(text)
    done("evaluate", model, "--data", tmp_path / "pairs.csv", "--report", tmp_path / "out", "--replicates", "20")
    found = results(tmp_path / "out")["trained_on"]
    assert found["people"] is None and "no people.csv" in found["reason"]


def test_many_people_of_the_training_set_are_named_in_part() -> None:
    names = [f"person {number:02}" for number in range(12)]
    note = trained_note({"trained_on": {"people": names, "of": 30}})
    assert "12 of 30 test people: person 00, " in note
    assert "person 09 and 2 more, whom results.json names." in note and "person 10" not in note


def test_a_probe_of_an_enrolled_photograph_is_left_out(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn / "gallery", tmp_path / "gallery", ignore=shutil.ignore_patterns("judged"))
    listed = tmp_path / "gallery/gallery.csv"
    with listed.open() as file:
        rows = list(csv.DictReader(file))
    bare = next(row for row in rows if row["role"] == "enrol")
    probe = next(row for row in rows if row["role"] == "probe" and row["target"] == bare["target"])
    probe["source"] = bare["source"]
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    listed.write_text("\n".join(lines) + "\n")
    given = ("evaluate", untrained, "--gallery", tmp_path / "gallery", "--report", tmp_path / "out")
    assert "1 further probe is of a photograph that is enrolled, too, and left out." in done(*given)
    found = results(tmp_path / "out")
    assert (found["enrolled"], found["probes"], found["probes_of_enrolled_photographs"]) == (12, 11, 1)


def test_a_gallery_by_its_folder(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    done("evaluate", untrained, "--gallery", drawn / "gallery", "--report", tmp_path / "out")
    assert results(tmp_path / "out")["probes"] == 12
    assert "needs 100 probes" in results(tmp_path / "out")["open_set"]["reason"]
    with (tmp_path / "out" / "identified.csv").open() as file:
        for row in csv.DictReader(file):
            assert (row["probes"], row["accepted"], row["taken_for_another"], row["let_in"]) == ("2", "", "", "")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    cells = [f'<td data-head="{name}">\N{EN DASH}</td>' for name in ("let in", "false matches of others with them")]
    assert [page.count(cell) for cell in cells] == [6, 6]


def of_arcface(untrained: Path, folder: Path) -> Path:
    """The same network, as if it had been trained on crops of --align arcface."""
    save_checkpoint(folder / "best", replace(load_checkpoint(untrained / "best"), alignment="arcface"))
    return folder


def test_a_model_of_another_alignment_is_refused(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    model, out = of_arcface(untrained, tmp_path / "model"), tmp_path / "out"
    says = (
        "small takes crops aligned as arcface, and these are aligned as maskgen: cut the pictures with --align "
        "arcface --size 112, or give --allow-misaligned."
    )
    calls: list[tuple[object, ...]] = [
        ("evaluate", model, "--data", drawn / "lists", "--report", out, "--replicates", 10),
        ("evaluate", model, "--gallery", drawn / "gallery", "--report", out, "--replicates", 10),
        ("embed", model, drawn / "lists" / "test.csv", out / "a.parquet"),
        ("embed", model, drawn / "gallery" / "gallery.csv", out / "b.parquet"),
    ]
    for one in calls:
        refused = call(*one)
        assert refused.exit_code == 2, refused.output
        assert says in " ".join(refused.output.split()), one
        allowed = call(*one, "--allow-misaligned")
        assert allowed.exit_code == 0, allowed.output
        assert "Warning: small takes crops aligned as arcface" in allowed.output
    assert results(out)["model"]["alignment"] == "arcface"
    assert results(out)["pictures"]["alignment"] == "maskgen"
    assert pq.read_schema(out / "a.parquet").metadata[b"alignment"] == b"maskgen"
    done("evaluate", model, "--data", drawn / "lists", "--report", out, "--replicates", 10, "--allow-misaligned")
    assert "Alignment of the pictures: maskgen; of the model: arcface." in (out / "results.md").read_text("utf-8")


def test_a_model_of_another_margin_is_refused(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    wide = replace(load_checkpoint(untrained / "best"), alignment="maskgen-0.5")
    save_checkpoint(tmp_path / "model" / "best", wide)
    refused = call("embed", tmp_path / "model", drawn / "lists" / "test.csv", tmp_path / "a.parquet")
    assert refused.exit_code == 2, refused.output
    assert "cut the pictures with --align maskgen --margin 0.5, or give" in " ".join(refused.output.split())


def test_an_exported_model_knows_its_alignment(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    said = done("export", of_arcface(untrained, tmp_path / "model"), tmp_path / "model.onnx")
    assert "of crops aligned as arcface" in said
    refused = call("embed", tmp_path / "model.onnx", drawn / "lists" / "test.csv", tmp_path / "a.parquet")
    assert refused.exit_code == 2
    assert "model takes crops aligned as arcface" in refused.output


def altered(untrained: Path, folder: Path, value: float) -> Path:
    """The same network with all its weights alike."""
    found = load_checkpoint(untrained / "best")
    state = {
        name: torch.full_like(weights, value) if weights.is_floating_point() else weights
        for name, weights in found.model_state.items()
    }
    save_checkpoint(folder / "model", Checkpoint(found.recipe, state))
    return folder / "model"


def test_a_collapsed_model_is_told(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    done("evaluate", altered(untrained, tmp_path, 0.0), "--data", drawn / "lists", "--report", tmp_path / "out")
    found = results(tmp_path / "out")
    assert "collapsed" in found["eval"]["degenerate"]
    assert found["eval"]["iou"] == 1
    assert found["eval"]["threshold"] is None
    assert found["splits"]["all"]["auc"]["value"] == 0.5
    assert "collapsed" in (tmp_path / "out/results.md").read_text("utf-8")


def test_a_broken_model_is_refused(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    result = call("evaluate", altered(untrained, tmp_path, float("nan")), "--data", drawn / "lists")
    assert result.exit_code == 2
    assert "not finite" in result.output


def test_pairs_are_split_by_what_is_worn() -> None:
    kinds = ["bare", "n95", "", "kn95", "n95", "bare"]
    pairs = np.array([[0, 1], [1, 4], [1, 3], [0, 5], [2, 0]])
    found = {split.name: np.flatnonzero(split.rows).tolist() for split in splits(kinds, pairs)}
    assert found == {
        "all": [0, 1, 2, 3, 4],
        "masked-masked": [1, 2],
        "masked-bare": [0],
        "bare-bare": [3],
        "unknown": [4],
        "kind kn95": [2],
        "kind n95": [0, 1, 2],
    }


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["dlib"], "--data LISTS, --gallery"),
        (["dlib", "--data", "LISTS", "--gallery", "x"], "one at a time"),
        (["dlib", "--data", "LISTS/eval_same.csv"], "is used for the threshold only"),
        (["dlibb", "--data", "LISTS"], "did you mean dlib?"),
        (["dlib", "--data", "nowhere"], "is not there"),
        (["dlib", "--gallery", "x", "--far", "1"], "above 0 and below 1"),
        (["dlib", "--data", "LISTS", "--far", "0.1"], "--far is for --gallery"),
        (["no_model", "--data", "LISTS"], "neither a checkpoint"),
        (["dlib", "--data", "LISTS", "--device", "cuda:99"], "--device cuda:99"),
    ],
)
def test_what_cannot_be_used_is_a_sentence(drawn: Path, options: list[str], says: str) -> None:
    result = call("evaluate", *[option.replace("LISTS", str(drawn / "lists")) for option in options])
    assert result.exit_code == 2
    assert says in result.output
    assert "Traceback" not in result.output


def test_pairs_by_name_and_number_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("1\t1\nAnn\t1\t2\nAnn\t1\tBo\t1\n")
    result = call("evaluate", "dlib", "--data", tmp_path / "pairs.txt")
    assert result.exit_code == 2
    assert "pairs.txt names no files: give it to `maskgen pairs --test-pairs`" in " ".join(result.output.split())


def test_names_of_reports() -> None:
    assert [model_name(name) for name in ("dlib", "facenet:vggface2", "/a/b/best", "m.pth")] == [
        "dlib", "facenet-vggface2", "b-best", "m.pth",
    ]  # fmt: skip


def own_lists(drawn: Path, folder: Path) -> Path:
    """A copy of the lists without any report, and of their run beside it."""
    for name in ("run", "lists"):
        shutil.copytree(drawn / name, folder / name, ignore=shutil.ignore_patterns("judged"))
    return folder / "lists"


def test_each_data_has_a_folder_of_its_own(tmp_path: Path) -> None:
    names = ("test.csv", "pairs_label.txt", "pairs.csv", "lfw.bin", "agedb_30.bin", "gallery.csv", "half.csv")
    for name in names:
        write(tmp_path / name, b"")
    bins = {"dlib-lfw.bin": ("bin", tmp_path / "lfw.bin"), "dlib-agedb_30.bin": ("bin", tmp_path / "agedb_30.bin")}
    benchmarks = {**bins, "dlib-lfw": ("lfw", tmp_path), "dlib-mfr2": ("mfr2", tmp_path)}
    for name, benchmark in benchmarks.items():
        assert EvaluateSettings("dlib", benchmark=benchmark).folder == tmp_path / "judged" / name
    lists = {"": "dlib", "test.csv": "dlib", "pairs_label.txt": "dlib-pairs_label.txt", "pairs.csv": "dlib-pairs.csv"}
    for file, name in lists.items():
        assert EvaluateSettings("dlib", data=tmp_path / file).folder == tmp_path / "judged" / name
    for file, name in {"": "dlib", "gallery.csv": "dlib", "half.csv": "dlib-half.csv"}.items():
        assert EvaluateSettings("dlib", gallery=tmp_path / file).folder == tmp_path / "judged" / name


def test_results_of_other_data_are_not_replaced_unasked(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    lists = own_lists(drawn, tmp_path)
    shutil.copy(lists / "test.csv", lists / "half.csv")
    few = ("--replicates", "20")
    done("evaluate", untrained, "--data", lists, *few)
    plain = lists / "judged" / model_name(str(untrained))
    before = tree(plain)
    said = done("evaluate", untrained, "--data", lists / "half.csv", *few)
    assert f"Open {plain}-half.csv/report.html" in " ".join(said.split())
    assert tree(plain) == before
    done("evaluate", untrained, "--data", lists / "test.csv", *few)  # the folder's own list, by its name
    # As earlier versions wrote it: results of a file, where those of the folder go.
    shutil.rmtree(plain)
    shutil.move(f"{plain}-half.csv", plain)
    refused = call("evaluate", untrained, "--data", lists, *few)
    assert refused.exit_code == 2
    told = " ".join(refused.output.split())
    assert f"{plain} holds the results of {lists / 'half.csv'}: name a folder with --report." in told
    done("evaluate", untrained, "--data", lists, "--report", plain, *few)


def test_results_of_a_model_of_the_same_name_are_not_replaced_unasked(
    drawn: Path, untrained: Path, tmp_path: Path
) -> None:
    lists = own_lists(drawn, tmp_path)
    models = [tmp_path / name / "masked" / "best" for name in ("a", "b")]
    for model in models:
        shutil.copytree(untrained / "best", model)
    for _ in range(2):
        done("evaluate", models[0], "--data", lists, "--replicates", "20")
    refused = call("evaluate", models[1], "--data", lists, "--replicates", "20")
    assert refused.exit_code == 2
    assert f"holds the results of {models[0]}: name a folder with --report." in " ".join(refused.output.split())


@pytest.mark.parametrize("what", ["run", "lists", "gallery", "training", "people", "pictures", "page", "notes"])
def test_a_report_does_not_replace_files_of_another_origin(
    drawn: Path, untrained: Path, tmp_path: Path, what: str
) -> None:
    made = {"run": "a masking run", "lists": "training lists", "gallery": "a gallery", "training": "a training"}
    place = tmp_path / what
    if what == "training":
        TrainFolder(place).make()
        TrainFolder(place).begin({"train.epochs": 1}, 0, resume=False, overwrite=False)
    elif (drawn / what).exists():
        shutil.copytree(drawn / what, place)
    else:
        write(place / {"pictures": "roc.jpg", "page": "report.html", "notes": "results.json"}[what], b"{}")
    before = tree(place)
    for option, data in (("--data", drawn / "lists"), ("--gallery", drawn / "gallery")):
        refused = call("evaluate", untrained, option, data, "--report", place)
        assert refused.exit_code == 2, refused.output
        told = " ".join(refused.output.split())
        assert f"is the folder of {made[what]}" in told if what in made else "that no evaluation wrote" in told
    assert tree(place) == before


@pytest.mark.parametrize(("option", "data"), [("--data", "lists"), ("--gallery", "gallery")])
def test_one_evaluation_at_a_time_writes_a_report(
    drawn: Path, untrained: Path, tmp_path: Path, option: str, data: str
) -> None:
    out = tmp_path / "new" / "out"
    given = ("evaluate", untrained, option, drawn / data, "--report", out, "--replicates", "20")
    with held(out):
        refused = call(*given)
        assert refused.exit_code == 2
        said = " ".join(refused.output.split())
        assert f"(process {os.getpid()} on " in said and "wait for it, or choose another folder." in said
        assert [path.name for path in out.iterdir()] == [".lock"]
    done(*given)


def test_an_evaluation_that_fails_leaves_no_folder(drawn: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    out = tmp_path / "kept" / "new" / "out"
    assert call("evaluate", "no_model", "--data", drawn / "lists", "--report", out).exit_code == 2
    assert call("evaluate", "dlib", "--data", tmp_path, "--report", out).exit_code == 2
    assert list(tmp_path.rglob("*")) == [tmp_path / "kept"]


def test_an_evaluation_goes_on_where_another_was_interrupted(drawn: Path, untrained: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = ("evaluate", untrained, "--data", drawn / "lists", "--report", out, "--replicates", "20")
    out.mkdir()
    done(*given)
    written = [path for path in out.iterdir() if path.name != ".lock"]
    order = sorted(written, key=lambda path: path.stat().st_mtime_ns)
    assert order[-1].name == "results.json"
    kept = {path.name: path.read_bytes() for path in order}
    for number in range(len(order)):
        shutil.rmtree(out)
        write(out / "unfinished.txt", b"")
        for path in order[:number]:
            write(path, kept[path.name])
        write(out / f".{order[number].name}.4711.part", b"half")
        EvaluateSettings(str(untrained), drawn / "lists", report=out)
    done(*given)
    shutil.rmtree(out)
    write(out / order[0].name, b"of another program")
    assert "that no evaluation wrote" in " ".join(call(*given).output.split())
    (out / order[0].name).unlink()
    done(*given)
    (out / "notes.txt").write_text("mine")
    done(*given)
    assert sorted(path.name for path in out.iterdir()) == sorted([*kept, ".lock", "notes.txt"])
