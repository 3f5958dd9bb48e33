"""`maskgen evaluate --benchmark` on drawn people who lie on disk as a benchmark's do."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from drawn_people import drawn_people

from maskgen.core.images import encode_image, read_photo
from maskgen.pipelines.cli import main
from maskgen.pipelines.trained_people import TrainedPeople, names_of, trained_people
from maskgen.trainer.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.loading import load_recipe

PEOPLE, EACH = 6, 3


def call(*args: object) -> Result:
    return CliRunner().invoke(main, [*map(str, args)])


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `maskgen train` that learnt nothing."""
    run = tmp_path_factory.mktemp("train")
    recipe = load_recipe("small", ["data.size=32", "model.dim=16"])
    torch.manual_seed(0)
    save_checkpoint(run / "best", Checkpoint(recipe, build_model(recipe.model).state_dict()))
    return run


@pytest.fixture(scope="module")
def mfr2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everybody's second picture is said to show a mask; one picture shows nobody, and one is not there."""
    root = tmp_path_factory.mktemp("mfr2")
    names, labels = [], []
    for name, number, portrait in drawn_people(PEOPLE, EACH):
        place = root / name / f"{name}_{number:04}.png"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(encode_image(portrait.image, "png"))
        labels.append(f"{name}, {number}, {'cloth' if number == 2 else 'no-mask'}")
        names += [name] * (name not in names)
    grey = root / names[0] / f"{names[0]}_0009.png"
    grey.write_bytes(encode_image(np.full((160, 160, 3), 128, np.uint8), "png"))
    (root / "mfr2_labels.txt").write_text("\n".join([*labels, f"{names[0]}, 9, no-mask"]) + "\n")
    pairs = [f"{name} {first} {first + 1}" for name in names for first in (1, 2)]
    pairs += [f"{name} 1 {other} 2" for name, other in zip(names, names[1:], strict=False)]
    pairs += [f"{names[0]} 1 9", f"{names[0]} 1 77"]
    (root / "pairs.txt").write_text("\n".join(pairs) + "\n")
    return root


def small_pictures(people: int, each: int) -> list[bytes]:
    """PNGs of 112 x 112 pixels, person by person."""
    drawn = [portrait.image for _, _, portrait in drawn_people(people, each)]
    return [encode_image(cv2.resize(image, (112, 112), interpolation=cv2.INTER_AREA), "png") for image in drawn]


def results(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "results.json").read_text("utf-8"))
    return found


def test_a_benchmark_as_it_is_distributed(mfr2: Path, untrained: Path, tmp_path: Path) -> None:
    (untrained / "people.txt").write_text(f"{sorted(path.name for path in mfr2.iterdir() if path.is_dir())[0]}\nBo\n")
    report = tmp_path / "judged" / "small"
    words = ("evaluate", untrained, "--benchmark", "mfr2", mfr2, "--report", report, "--replicates", 20)
    first = call(*words)
    assert first.exit_code == 3, first.output
    found = results(report)["benchmark"]
    assert (found["pictures"], found["pictures_missing"], found["pictures_set_aside"]) == (PEOPLE * EACH + 1, 1, 1)
    assert (found["pairs"], found["pairs_left_out"]) == (3 * PEOPLE, 1)
    assert (len(found["trained_on"]["people"]), found["trained_on"]["of"]) == (1, PEOPLE)
    assert results(report)["trained_on"] == found["trained_on"]
    assert f"trained on people of these names, 1 of {PEOPLE} test people:" in first.output
    assert results(report)["splits"]["masked-bare"]["same"] == 2 * PEOPLE
    assert results(report)["splits"]["kind cloth"]["same"] == 2 * PEOPLE
    assert "needs 1,000 comparisons" in results(report)["fixed_fmr"]["reason"]
    rows = (tmp_path / "judged/faces-mfr2/set_aside.csv").read_text().splitlines()
    assert sorted(row.split(",")[1] for row in rows[1:]) == ["missing", "no_face"]
    again = call(*words)
    assert "holds the faces of this benchmark already" in again.output
    assert results(report)["benchmark"] == found


def aligned(untrained: Path, folder: Path, alignment: str) -> Path:
    """The same run, as if it had been trained on crops of this alignment."""
    save_checkpoint(folder / "best", replace(load_checkpoint(untrained / "best"), alignment=alignment))
    return folder


@pytest.mark.parametrize(("alignment", "side"), [("arcface", 112), ("maskgen-0.5", 160)])
def test_faces_are_cut_as_the_model_was_trained(
    mfr2: Path, untrained: Path, tmp_path: Path, alignment: str, side: int
) -> None:
    run, report = aligned(untrained, tmp_path / "run", alignment), tmp_path / "judged" / "small"
    result = call("evaluate", run, "--benchmark", "mfr2", mfr2, "--report", report, "--replicates", 20)
    assert result.exit_code == 3, result.output  # one picture shows nobody
    assert results(report)["pictures"]["alignment"] == alignment
    (face,) = (tmp_path / "judged" / f"faces-mfr2-{alignment}" / "faces" / "000").glob("000000*.png")
    assert read_photo(face).image.shape == (side, side, 3)


def test_a_bin_is_of_insightfaces_alignment(untrained: Path, tmp_path: Path) -> None:
    pictures = small_pictures(4, 2)
    pairs = [pictures[at] for first in range(8) for at in (first, (first + 1) % 8)]
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps((pairs, [first % 2 == 0 for first in range(8)])))
    words = ("--benchmark", "bin", tmp_path / "lfw.bin", "--report", tmp_path / "out", "--replicates", 20)
    refused = call("evaluate", aligned(untrained, tmp_path / "own", "maskgen"), *words)
    assert refused.exit_code == 2
    assert "small takes crops aligned as maskgen, and these are aligned as arcface" in refused.output
    result = call("evaluate", aligned(untrained, tmp_path / "theirs", "arcface"), *words)
    assert result.exit_code == 0, result.output


def test_a_bin_is_judged_as_it_is(untrained: Path, tmp_path: Path) -> None:
    pictures = small_pictures(6, 3)
    same = [pictures[3 * person + at] for person in range(6) for at in (0, 1, 1, 2)]
    different = [pictures[at] for first in range(12) for at in (first, first + 3)]
    (tmp_path / "own.bin").write_bytes(pickle.dumps((same + different, [True] * 12 + [False] * 12)))
    report = tmp_path / "report"
    done = call("evaluate", untrained, "--benchmark", "bin", tmp_path / "own.bin", "--report", report)
    assert done.exit_code == 0, done.output
    assert results(report)["pairs"] == {"listed": 24, "judged": 24, "left_out": 0}
    assert results(report)["fixed_fmr"] is None
    assert done.output.count("These pairs name no people:") == 1
    assert results(report)["benchmark"]["trained_on"]["people"] is None
    assert set(results(report)["splits"]) == {"all", "unknown"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--benchmark", "mfr", "."), "did you mean mfr2"),
        (("--benchmark", "mlfw", "."), "no public source states the format of its pair list"),
        (("--benchmark", "mfr2", "nowhere"), "is not there"),
        (("--benchmark", "lfw", "."), "has no pairs.txt"),
        (("--benchmark", "lfw", ".", "--data", "."), "one at a time"),
    ],
)
def test_wrong_words(words: tuple[str, ...], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = call("evaluate", "dlib", *words)
    assert found.exit_code == 2
    assert sentence in found.output


def test_names_are_compared_whatever_stands_between_their_parts() -> None:
    known = TrainedPeople(("run/Ann_Lee", "Bo Kim"))
    assert known.overlap(["AnnLee", "Cy"]) == {"people": ["AnnLee"], "of": 2}
    assert TrainedPeople(None).overlap(["AnnLee"])["people"] is None
    assert trained_people("dlib").names is None


def test_a_run_knows_whom_it_trains_on(tmp_path: Path) -> None:
    rows = ["0,Ann,run,3,train", '1,"Bo\nKim",run,2,train', "2,Cy,run,2,test"]
    (tmp_path / "people.csv").write_text("\n".join(["target,person,run,images,split", *rows]) + "\n")
    assert names_of(tmp_path) == names_of(tmp_path / "train.csv") == ["Ann", "Bo Kim"]
    (tmp_path / "other").mkdir()
    assert names_of(tmp_path / "other") == []


def test_people_of_lists_are_named_by_their_numbers(tmp_path: Path) -> None:
    trained = TrainedPeople(("Ann", "Bo Kim"))
    assert "no people.csv" in trained.overlap_of_lists(tmp_path, [0])["reason"]
    (tmp_path / "people.csv").write_text('target,person,run,images,split\n0,Ann,run,3,test\n1,"Bo\nKim",run,2,test\n')
    assert trained.overlap_of_lists(tmp_path, [1]) == {"people": ["Bo Kim"], "of": 1}
    assert trained.overlap_of_lists(tmp_path / "test.csv", [0, 1]) == {"people": ["Ann", "Bo Kim"], "of": 2}
    assert trained.overlap_of_lists(tmp_path, [0, 2])["people"] is None  # a people.csv of other lists
    assert "the model does not name" in TrainedPeople(None).overlap_of_lists(tmp_path, [0])["reason"]


def test_faces_are_not_cut_into_a_folder_of_another_origin(untrained: Path, tmp_path: Path) -> None:
    pictures = small_pictures(2, 2)
    (tmp_path / "own.bin").write_bytes(pickle.dumps((pictures, [True, True])))
    place = tmp_path / "faces-bin-own.bin"
    place.mkdir()
    (place / "test.csv").write_text("mine\n")
    (place / "train.csv").write_text("mine\n")
    words = ("--benchmark", "bin", tmp_path / "own.bin", "--report", tmp_path / "report")
    refused = call("evaluate", untrained, *words)
    assert refused.exit_code == 2
    assert "holds files of another origin (such as train.csv)" in " ".join(refused.output.split())
    assert (place / "test.csv").read_text() == "mine\n"
