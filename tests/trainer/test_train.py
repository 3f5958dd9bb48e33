from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from list_makers import write_lists
from runs import report, train, weights
from safetensors import SafetensorError

from maskgen.embedders.by_name import open_embedder
from maskgen.manifests.formats.recordio_set import save_recordio_set
from maskgen.pipelines.train.monitor import Lines
from maskgen.trainer.checkpoints import load_checkpoint, load_model, trained_alignment
from maskgen.trainer.data.lists import read_training_list
from maskgen.trainer.monitoring import evaluation
from maskgen.trainer.monitoring.history import EPOCH, STEPS, read_history


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return write_lists(tmp_path / "lists", people=4, each=8)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """Lists, a run of two epochs on them, and what it said."""
    folder = tmp_path_factory.mktemp("plain")
    lists = write_lists(folder / "lists", people=4, each=8)
    return lists, folder / "run", train(lists, folder / "run", "--epochs", "2").output


def test_a_run_leaves_all_that_it_promises(plain: tuple[Path, Path, str]) -> None:
    _, run, said = plain
    found = report(run)
    assert (found["end"], found["epochs"], found["steps"]) == ("finished", 2, 8)
    assert (found["people"], found["pictures"], found["unreadable"]) == (4, 32, 0)
    assert found["images_per_s"] < found["images_per_s_without_wait"]
    assert found["best"]["iou"] < 0.2
    assert "best IOU" in said
    rows = read_history(run / "history.csv")
    assert [(row.kind, row.epoch, row.step) for row in rows] == [
        (STEPS, 1, 4),
        (EPOCH, 1, 4),
        (STEPS, 2, 8),
        (EPOCH, 2, 8),
    ]
    assert rows[-1].loss < rows[0].loss
    for name in ("loss.png", "distances/epoch-001.png", "distances/epoch-002.png"):
        assert cv2.imread(str(run / name)) is not None
    page = (run / "report.html").read_text("utf-8")
    assert "Distances after each epoch" in page and '"epochs":[["epoch 1 of 2",0],["epoch 2 of 2",1]]' in page
    assert "maskgen train small --data " in page
    assert len(list((run / "tensorboard").iterdir())) == 1
    model, recipe = load_model(run / "best")
    assert (model.dim, recipe.data.size) == (64, 32)


def test_each_loss_says_over_which_steps_it_is(plain: tuple[Path, Path, str], lists: Path, tmp_path: Path) -> None:
    _, run, said = plain
    rows = read_history(run / "history.csv")
    last, epoch = f"{rows[-2].loss:.4f}", f"{rows[-1].loss:.4f}"
    assert f"8 of 8 steps, loss {epoch} over epoch 2, " in said
    assert f"loss                  {last} over the last steps, {epoch} over epoch 2\n" in said
    assert f"{last} over the last steps, {epoch} over epoch 2" in (run / "report.html").read_text("utf-8")
    started = train(lists, tmp_path / "run", "--epochs", "2", "--max-steps", "3")
    (row,) = read_history(tmp_path / "run/history.csv")
    assert f"3 of 3 steps, loss {row.loss:.4f} over the last steps, " in started.output
    assert f"loss                  {row.loss:.4f} over the last steps\n" in started.output


def said_to_be(lists: Path, *runs: tuple[str, str]) -> None:
    """A report as `maskgen pairs` writes it, with the alignment of the run in each folder."""
    told = [{"folder": folder, "role": "all", "alignment": alignment} for folder, alignment in runs]
    (lists / "report.json").write_text(json.dumps({"runs": told}))


def test_a_checkpoint_knows_the_alignment_of_its_crops(lists: Path, tmp_path: Path) -> None:
    said_to_be(lists, ("faces", "arcface"))
    result = train(lists, tmp_path / "run", "--epochs", "1")
    assert load_checkpoint(tmp_path / "run/last").alignment == "arcface"
    assert trained_alignment(tmp_path / "run/best") == "arcface"
    assert open_embedder(str(tmp_path / "run")).alignment == "arcface"
    assert report(tmp_path / "run")["alignment"] == "arcface"
    assert "alignment             arcface" in result.output
    train(lists, tmp_path / "run", "--epochs", "2", "--resume")
    assert load_checkpoint(tmp_path / "run/last").alignment == "arcface"


def test_crops_to_judge_on_are_aligned_as_those_to_train_on(lists: Path, tmp_path: Path) -> None:
    people = {person: ("arcface" if person < 4 else "maskgen") for person in range(7)}
    said_to_be(lists, *((f"faces/{person}", alignment) for person, alignment in people.items()))
    says = "The pictures to train on are aligned as arcface, and those to evaluate on as maskgen: cut the pictures with"
    assert says in train(lists, tmp_path / "run", "--epochs", "1", code=2).output
    result = train(lists, tmp_path / "run", "--epochs", "1", "--allow-misaligned")
    assert "Warning: The pictures to train on" in result.output


@pytest.mark.parametrize(
    ("epochs", "most", "said"),
    [
        ("2", "3", "3, inside epoch 1 of 2, stopped"),
        ("2", "4", "4, after epoch 1 of 2, stopped"),
        ("2", "9", "8 in 2 epochs, trained"),
        ("1", "9", "4 in 1 epoch, trained"),
    ],
)
def test_a_run_says_how_far_it_came(lists: Path, tmp_path: Path, epochs: str, most: str, said: str) -> None:
    assert said in train(lists, tmp_path / "run", "--epochs", epochs, "--max-steps", most).output


def test_tensorboard_gets_the_history(plain: tuple[Path, Path, str]) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _, run, _ = plain
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    rows = [row for row in read_history(run / "history.csv") if row.kind == EPOCH]
    for name in ("loss", "iou"):
        told = [(one.step, one.value) for one in events.Scalars(f"epoch/{name}")]
        assert told == [(row.step, pytest.approx(getattr(row, name), rel=1e-4)) for row in rows]


def test_the_same_seed_gives_the_same_weights_whatever_the_workers(lists: Path, tmp_path: Path) -> None:
    for name, options in (("a", ()), ("b", ("--workers", "2")), ("c", ("--seed", "5"))):
        train(lists, tmp_path / name, "--epochs", "1", *options)
    assert weights(tmp_path / "a") == weights(tmp_path / "b")
    assert weights(tmp_path / "a") != weights(tmp_path / "c")


def test_pictures_that_cannot_be_read_cost_a_warning_each(lists: Path, tmp_path: Path) -> None:
    (lists / "faces/1/3.png").write_bytes(b"no picture")
    (lists / "faces/5/1.png").unlink()
    result = train(lists, tmp_path / "run", "--epochs", "2", code=3)
    assert "unreadable pictures   2" in result.output
    assert result.output.count("faces/1/3.png: not_a_picture") == 1
    assert result.output.count("faces/5/1.png: unreadable") == 1
    assert report(tmp_path / "run")["unreadable"] == 2
    again = train(lists, tmp_path / "run", "--epochs", "2", "--resume", code=3)
    assert "holds this training already" in again.output


def without_rows(path: Path) -> None:
    path.write_text(path.read_text().splitlines(keepends=True)[0])


@pytest.mark.parametrize(
    ("spoil", "names", "why"),
    [
        (Path.unlink, ("eval_same.csv",), "there is no eval_same.csv beside the list"),
        (Path.unlink, ("eval_same.csv", "eval_diff.csv"), "there is no eval_same.csv and no eval_diff.csv beside the"),
        (without_rows, ("eval_diff.csv",), "eval_diff.csv has no rows"),
        (without_rows, ("eval_same.csv", "eval_diff.csv"), "eval_same.csv and eval_diff.csv have no rows"),
    ],
)
def test_without_pairs_there_is_a_last_and_no_best(
    lists: Path, tmp_path: Path, spoil: Callable[[Path], None], names: tuple[str, ...], why: str
) -> None:
    for name in names:
        spoil(lists / name)
    result = train(lists, tmp_path / "run", "--epochs", "2")
    assert report(tmp_path / "run")["best"] is None
    assert result.output.count(f"Not evaluated, so there will be no best/: {why}") == 1
    assert f"best IOU              none: {why}" in result.output
    assert "IOU 1" not in result.output
    assert f"It was not evaluated: {why}" in (tmp_path / "run/report.html").read_text("utf-8")
    assert (tmp_path / "run/last").is_dir()
    assert not (tmp_path / "run/best").exists()


def test_an_evaluation_without_a_pair_that_can_be_read_gives_no_figure(lists: Path, tmp_path: Path) -> None:
    for person in (4, 5, 6):
        (lists / f"faces/{person}/1.png").write_bytes(b"no picture")
    result = train(lists, tmp_path / "run", "--epochs", "2", code=3)
    assert "epoch 2: no IOU: no genuine pair can be read" in result.output
    assert "best IOU              none: no evaluation gave an IOU below 1" in result.output
    assert [math.isnan(row.iou) for row in read_history(tmp_path / "run/history.csv")] == [True] * 4
    assert not (tmp_path / "run/best").exists()


def test_an_epoch_whose_distances_give_no_figure_is_never_the_best(
    lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first epoch's distances are not finite, the third's all equal."""
    measured = evaluation.pair_l2
    epochs: list[float] = [math.nan, math.nan, 1, 1, 0, 0]  # two kinds of pairs each

    def measure(embeddings: np.ndarray, *rows: np.ndarray) -> np.ndarray:
        return measured(embeddings * epochs.pop(0), *rows)

    monkeypatch.setattr(evaluation, "pair_l2", measure)
    first = train(lists, tmp_path / "run", "--epochs", "3", "--max-steps", "4")
    assert "epoch 1: IOU 1: 9 of 9 distances are not finite." in first.output
    assert "best IOU              none: no evaluation gave an IOU below 1" in first.output
    assert not (tmp_path / "run/best").exists()
    result = train(lists, tmp_path / "run", "--epochs", "3", "--resume")
    assert "epoch 3: IOU 1: All 9 distances are 0" in result.output
    assert report(tmp_path / "run")["best"]["epoch"] == 2
    assert load_checkpoint(tmp_path / "run/best").progress["epoch"] == 2


def test_a_record_file_trains_as_the_folder_it_was_made_from(lists: Path, tmp_path: Path) -> None:
    listed = read_training_list(lists)
    data = [(lists / path).read_bytes() for path in listed.addresses.to_pylist()]
    save_recordio_set(lists, data, listed.targets, listed.addresses.to_pylist(), 32)
    train(lists, tmp_path / "folder", "--epochs", "1")
    train(lists / "train.rec", tmp_path / "rec", "--epochs", "1")
    assert weights(tmp_path / "folder") == weights(tmp_path / "rec")
    assert report(tmp_path / "rec")["best"] is not None


def test_the_checkpoint_knows_whom_its_classes_stand_for(lists: Path, tmp_path: Path) -> None:
    text = (lists / "train.csv").read_text().replace(",3\n", ",30\n")
    (lists / "train.csv").write_text(text)
    train(lists, tmp_path / "run", "--max-steps", "1")
    assert load_checkpoint(tmp_path / "run/last").targets == (0, 1, 2, 30)


@pytest.mark.parametrize("setting", ["train.precision=bf16", "train.precision=fp16", "train.channels_last=true"])
def test_other_precisions_and_orders_in_memory_learn_as_well(
    plain: tuple[Path, Path, str], tmp_path: Path, setting: str
) -> None:
    lists, run, _ = plain
    train(lists, tmp_path / "other", "--epochs", "2", "--set", setting)
    assert report(tmp_path / "other")["loss"] == pytest.approx(report(run)["loss"], abs=0.6)
    assert weights(run) != weights(tmp_path / "other")


def test_the_compiler_is_asked_where_the_recipe_says_so(
    lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    asked: list[torch.nn.Module] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda module: asked.append(module))
    train(lists, tmp_path / "run", "--max-steps", "1", "--set", "train.compile=true")
    assert len(asked) == 1
    load_model(tmp_path / "run/last")  # the names of its weights are what they were


def test_gradients_that_add_up_are_those_of_the_whole_batch(lists: Path, tmp_path: Path) -> None:
    """With pictures that are all alike within a person, and no batch norm in between, halves and wholes agree."""
    same = ("--set", "data.flip=false", "--set", "optimizer.name=sgd", "--set", "schedule.name=constant")
    train(lists, tmp_path / "halves", "--epochs", "1", "--batch-size", "8", "--set", "train.accumulate=2", *same)
    train(lists, tmp_path / "wholes", "--epochs", "1", "--batch-size", "16", *same)
    assert report(tmp_path / "halves")["steps"] == report(tmp_path / "wholes")["steps"] == 2
    halves, wholes = (load_checkpoint(tmp_path / n / "last").loss_state for n in ("halves", "wholes"))
    for name in halves:
        assert np.allclose(halves[name], wholes[name], atol=2e-3)


def test_long_gradients_are_clipped(lists: Path, tmp_path: Path) -> None:
    fixed = ("--max-steps", "1", "--set", "optimizer.name=sgd", "--set", "optimizer.lr=1", "--set")
    still = ("optimizer.weight_decay=0", "--set", "optimizer.momentum=0", "--set", "schedule.name=constant", "--set")
    train(lists, tmp_path / "run", *fixed, *still, "train.clip_norm=0.01")
    train(lists, tmp_path / "start", *fixed, *still, "train.clip_norm=1e-30")
    after, before = (load_checkpoint(tmp_path / name / "last") for name in ("run", "start"))
    learnt = [name for name in after.model_state if "running" not in name and "num_batches" not in name]
    moved = [after.model_state[name] - before.model_state[name] for name in learnt]
    moved += [after.loss_state[name] - before.loss_state[name] for name in after.loss_state]
    assert float(sum((one.double() ** 2).sum() for one in moved) ** 0.5) == pytest.approx(0.01, rel=1e-3)


def test_another_run_in_the_folder_is_refused_by_what_differs(lists: Path, tmp_path: Path) -> None:
    train(lists, tmp_path / "run", "--max-steps", "2")
    told = train(lists, tmp_path / "run", "--set", "optimizer.lr=0.5", code=2).output
    assert "optimizer.lr (was 0.003, now 0.5)" in told
    told = train(lists, tmp_path / "run", code=2).output
    assert "--resume" in told
    write_lists(lists, people=5, each=8)
    assert "the training list (was" in train(lists, tmp_path / "run", code=2).output
    train(lists, tmp_path / "run", "--max-steps", "1", "--overwrite")
    assert report(tmp_path / "run")["people"] == 5


def test_a_finished_run_is_not_done_again(lists: Path, tmp_path: Path) -> None:
    train(lists, tmp_path / "run", "--epochs", "1")
    before = weights(tmp_path / "run"), (tmp_path / "run/history.csv").read_bytes()
    assert "holds this training already" in train(lists, tmp_path / "run", "--epochs", "1").output
    assert before == (weights(tmp_path / "run"), (tmp_path / "run/history.csv").read_bytes())


def test_foreign_folders_files_and_unknown_names_are_refused(lists: Path, tmp_path: Path) -> None:
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/thesis.txt").write_text("")
    assert "no training wrote" in train(lists, tmp_path / "foreign", code=2).output
    assert "is a file" in train(lists, tmp_path / "foreign/thesis.txt", code=2).output
    assert "no recipe" in train(lists, tmp_path / "run", recipe="model9", code=2).output
    assert "is not there" in train(tmp_path / "nowhere", tmp_path / "run", code=2).output
    assert "no GPU" in train(lists, tmp_path / "run", "--device", "cuda", code=2).output
    assert not (tmp_path / "run").exists()


def test_the_history_can_be_read_by_anybody(lists: Path, tmp_path: Path) -> None:
    train(lists, tmp_path / "run", "--max-steps", "2")
    with (tmp_path / "run/history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["steps"]
    assert float(rows[0]["loss"]) > 0


def test_a_full_disk_is_one_sentence(lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    said = train(lists, tmp_path / "run", "--max-steps", "1", code=2).output
    assert f"The disk is full at {tmp_path / 'run'}" in said


@pytest.mark.parametrize("size", ["33", "100000"])
def test_a_batch_larger_than_the_list_is_refused(lists: Path, tmp_path: Path, size: str) -> None:
    said = train(lists, tmp_path / "run", "--epochs", "1", "--batch-size", size, code=2).output
    assert f"train.batch_size is {size}, and the list has only 32 pictures: give --batch-size 32 or less." in said
    assert not (tmp_path / "run").exists()


def test_a_run_that_was_refused_at_its_start_takes_other_settings(lists: Path, tmp_path: Path) -> None:
    pk = ["--set", "data.sampler=pk", "--set", "data.images=2", "--set"]
    said = train(lists, tmp_path / "run", *pk, "data.people=9", "--batch-size", "18", code=2).output
    assert "the list only 4" in said
    train(lists, tmp_path / "run", *pk, "data.people=4", "--batch-size", "8", "--max-steps", "1")
    assert "other settings" in train(lists, tmp_path / "run", code=2).output


@pytest.mark.parametrize(("seconds", "said"), [(10, "less than a minute"), (70, "1 minute"), (7200, "120 minutes")])
def test_the_time_that_is_left(seconds: float, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    lines = Lines(2, 0, lambda: now[0])
    now[0] = seconds
    lines.on_step(1)
    lines.close()
    assert f"1 of 2 steps, {said} left" in capsys.readouterr().err


def test_a_backbone_that_cannot_be_built_leaves_no_run(lists: Path, tmp_path: Path) -> None:
    wrong = ("--set", "model.backbone=timm:efficientvit_b0", "--set", "data.size=64", "--no-pretrained")
    assert "take another backbone" in train(lists, tmp_path / "run", *wrong, code=2).output
    assert not (tmp_path / "run").exists()
    train(lists, tmp_path / "run", "--epochs", "1")
