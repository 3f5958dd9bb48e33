from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from list_makers import picture, png, write_csv, write_lists

from maskgen.core.reasons import UserError
from maskgen.formats.reading import read_bytes
from maskgen.manifests.formats.recordio_set import save_recordio_set
from maskgen.manifests.formats.tar_set import save_tar_set
from maskgen.trainer.data.lists import TrainingList, read_eval_pairs, read_training_list


def contents(found: TrainingList) -> list[tuple[bytes, int]]:
    addresses = found.addresses.to_pylist()
    return sorted((read_bytes(found.root, a), t) for a, t in zip(addresses, found.targets.tolist(), strict=True))


def test_a_csv_gives_its_rows_in_order(tmp_path: Path) -> None:
    found = read_training_list(write_lists(tmp_path, people=3, each=2))
    assert found.addresses.to_pylist() == [f"faces/{p}/{n}.png" for p in range(3) for n in range(2)]
    assert found.targets.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.counts().tolist() == [2, 2, 2]


def test_targets_with_gaps_are_closed_in_the_order_of_numbers(tmp_path: Path) -> None:
    write_csv(tmp_path / "train.csv", ("path", "target"), [("a", 10), ("b", 9), ("c", 10)])
    found = read_training_list(tmp_path)
    assert found.targets.tolist() == [1, 0, 1]
    assert found.labels == ("9", "10")


def test_folders_records_and_tars_hold_the_same_set(tmp_path: Path) -> None:
    listed = read_training_list(write_lists(tmp_path, people=3, each=4))
    data = [read_bytes(tmp_path, address) for address in listed.addresses.to_pylist()]
    save_recordio_set(tmp_path, data, listed.targets, listed.addresses.to_pylist(), 32)
    save_tar_set(tmp_path, lambda rows: ((data[r], "png", int(listed.targets[r]), {}) for r in rows), len(data), seed=1)
    recorded, in_tars = read_training_list(tmp_path / "train.rec"), read_training_list(tmp_path / "shards")
    assert contents(recorded) == contents(in_tars) == contents(listed)
    assert recorded.labels == in_tars.labels == listed.labels == ("0", "1", "2")


def test_a_folder_with_a_record_file_alone_is_read(tmp_path: Path) -> None:
    data = [png(picture(p, 0)) for p in range(2)]
    save_recordio_set(tmp_path, data, np.array([0, 1]), ["a", "b"], 32)
    assert contents(read_training_list(tmp_path)) == sorted(zip(data, [0, 1], strict=True))


def test_people_of_a_tar_without_numbers_are_its_folders(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "set.tar", "w") as tar:
        for name in ("ben/1.png", "ann/1.png"):
            (tmp_path / "one.png").write_bytes(png(picture(1, 1)))
            tar.add(tmp_path / "one.png", name)
    found = read_training_list(tmp_path / "set.tar")
    assert found.labels == ("ann", "ben")
    assert found.addresses.to_pylist() == ["set.tar/ann/1.png", "set.tar/ben/1.png"]


def test_a_tar_that_was_cut_is_no_list(tmp_path: Path) -> None:
    listed = read_training_list(write_lists(tmp_path, people=3, each=4))
    data = [read_bytes(tmp_path, address) for address in listed.addresses.to_pylist()]
    save_tar_set(tmp_path, lambda rows: ((data[r], "png", int(listed.targets[r]), {}) for r in rows), len(data), seed=1)
    (tar,) = (tmp_path / "shards").iterdir()
    for size in (tar.stat().st_size // 2, 100):
        tar.write_bytes(tar.read_bytes()[:size])
        for source in (tar, tar.parent):
            with pytest.raises(UserError, match=rf"{tar.name} cannot be read: it "):
                read_training_list(source)


def test_the_digest_tells_lists_apart(tmp_path: Path) -> None:
    first = read_training_list(write_lists(tmp_path, people=3)).digest
    assert read_training_list(tmp_path).digest == first
    assert read_training_list(write_lists(tmp_path, people=4)).digest != first


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("train.csv", "path\na\n", "no column target"),
        ("train.csv", "", "empty"),
        ("train.csv", "path,target\na,0\nb\n", "1 value instead of 2"),
        ("train.csv", "path,target\na,0\n", "holds pictures of 1 person"),
        ("train.rec", "nothing", "no RecordIO"),
        ("notes.txt", "", "no train.csv"),
    ],
)
def test_what_cannot_be_trained_on_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=said):
        read_training_list(tmp_path)


@pytest.mark.parametrize("name", ["train.csv", "test.csv", "eval_diff.csv"])
@pytest.mark.parametrize("titles", ["path,target,pair_path,pair_target", "path,pair_path", "path;target;pair_path"])
def test_a_list_of_pairs_is_no_training_list(tmp_path: Path, name: str, titles: str) -> None:
    between = ";" if ";" in titles else ","
    rows = [between.join(["a.png", "0", "b.png", "1"][: titles.count(between) + 1]) for _ in range(2)]
    (tmp_path / name).write_text("\n".join([titles, *rows]) + "\n")
    with pytest.raises(UserError, match=rf"{name} is a list of pairs: give a list of single pictures, as train\.csv"):
        read_training_list(tmp_path / name)


def test_a_file_of_another_kind_and_an_absent_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UserError, match="is not a known list"):
        read_training_list(tmp_path / "notes.txt")
    with pytest.raises(UserError, match="is not there"):
        read_training_list(tmp_path / "nowhere")


def test_each_picture_to_judge_on_is_there_once(tmp_path: Path) -> None:
    found = read_eval_pairs(write_lists(tmp_path, people=2))[0]
    assert found is not None
    addresses = found.addresses.to_pylist()
    assert len(set(addresses)) == len(addresses) == 6
    named = [[addresses[row] for row in pair] for pair in found.same.tolist()]
    assert named == [[f"faces/{p}/0.png", f"faces/{p}/1.png"] for p in (2, 3, 4)]
    assert [addresses[row] for row in found.different[0]] == ["faces/2/0.png", "faces/3/1.png"]


def test_pairs_are_looked_for_in_the_folder_above_and_may_be_absent(tmp_path: Path) -> None:
    assert read_eval_pairs(tmp_path)[0] is None
    write_lists(tmp_path)
    (tmp_path / "shards").mkdir()
    assert read_eval_pairs(tmp_path / "shards")[0] is not None
    assert read_eval_pairs(tmp_path / "train.rec")[0] is not None
