"""The benchmarks' folders, as they lie on disk, made in small."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from maskgen.benchmarks.by_name import BENCHMARKS, benchmark
from maskgen.core.reasons import UserError


def files(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"a picture")
    return root


def mfr2(root: Path) -> Path:
    files(root, "AnnLee/AnnLee_0001.png", "AnnLee/AnnLee_0002.png", "BoKim/BoKim_0001.png")
    (root / "mfr2_labels.txt").write_text("AnnLee, 1, surgical_blue\nAnnLee, 2, no-mask\nBoKim, 1, cloth\n")
    (root / "pairs.txt").write_text("AnnLee 1 2\nAnnLee 2 BoKim 1\nBoKim 1 2\n")
    return root


def test_mfr2(tmp_path: Path) -> None:
    found = benchmark("mfr2").read(mfr2(tmp_path))
    assert [(one.path, one.person, one.masked, one.kind) for one in found.pictures] == [
        ("AnnLee/AnnLee_0001.png", "AnnLee", True, "surgical_blue"),
        ("AnnLee/AnnLee_0002.png", "AnnLee", False, ""),
        ("BoKim/BoKim_0001.png", "BoKim", True, "cloth"),
    ]
    assert found.pairs.tolist() == [[0, 1], [1, 2]]
    assert found.same.tolist() == [True, False]
    assert found.missing == ("BoKim 2",)


@pytest.mark.parametrize(("line", "fault"), [("AnnLee; 1; cloth", "line 3"), ("AnnLee, one, cloth", "line 3")])
def test_labels_that_are_none(tmp_path: Path, line: str, fault: str) -> None:
    mfr2(tmp_path)
    (tmp_path / "mfr2_labels.txt").write_text(f"AnnLee, 1, cloth\nAnnLee, 2, no-mask\n{line}\n")
    with pytest.raises(UserError, match=fault):
        benchmark("mfr2").read(tmp_path)


@pytest.mark.parametrize("folder", ["lfw", "lfw-deepfunneled", "."])
def test_lfw(tmp_path: Path, folder: str) -> None:
    files(tmp_path / folder, "Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0004.jpg", "Bo_Kim/Bo_Kim_0001.jpg")
    (tmp_path / "pairs.txt").write_text("1\t1\nAnn_Lee\t1\t4\nAnn_Lee\t1\tBo_Kim\t1\n")
    found = benchmark("lfw").read(tmp_path)
    assert found.same.tolist() == [True, False]
    assert not any(one.masked for one in found.pictures)


@pytest.mark.parametrize("text", ["", "10\t300\n"])
def test_a_list_without_a_pair_is_told(tmp_path: Path, text: str) -> None:
    """The folder is right: the file ends too early."""
    (tmp_path / "pairs.txt").write_text(text)
    with pytest.raises(UserError, match="pairs.txt has no pair: give the whole file"):
        benchmark("lfw").read(tmp_path)
    (tmp_path / "empty.bin").write_bytes(pickle.dumps(([], [])))
    with pytest.raises(UserError, match="empty.bin has no pair: give the whole file"):
        benchmark("bin").read(tmp_path / "empty.bin")


def test_a_pair_leads_out_of_no_folder(tmp_path: Path) -> None:
    files(tmp_path / "lfw", "Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0002.jpg")
    files(tmp_path, "secret/secret_0001.jpg")
    (tmp_path / "pairs.txt").write_text("Ann_Lee\t1\t2\nAnn_Lee\t1\t../secret\t1\n..\t1\t1\n")
    assert len(benchmark("lfw").read(tmp_path).pairs) == 1


def test_rmfrd(tmp_path: Path) -> None:
    bare = [f"AFDB_face_dataset/ann/{at}.jpg" for at in range(30)]
    files(tmp_path, *bare, "AFDB_face_dataset/bo/1.jpg", "AFDB_face_dataset/cy/1.jpg")
    files(tmp_path, "AFDB_masked_face_dataset/ann/1.jpg", "AFDB_masked_face_dataset/bo/1.jpg")
    found, again = (benchmark("rmfrd").read(tmp_path) for _ in range(2))
    assert found.pairs.tolist() == again.pairs.tolist()
    people = [one.person for one in found.pictures]
    assert people.count("ann") == 11  # ten of thirty bare ones
    assert "cy" not in people  # no masked picture
    for (first, second), same in zip(found.pairs, found.same, strict=True):
        assert found.pictures[first].masked
        assert not found.pictures[second].masked
        assert (people[first] == people[second]) == same
    assert found.same.sum() == (~found.same).sum() == 11


def test_a_bin(tmp_path: Path) -> None:
    path = tmp_path / "small.bin"
    path.write_bytes(pickle.dumps(([b"a", b"b", b"c", b"d"], [True, False])))
    found = benchmark("bin").read(path)
    assert found.aligned
    assert found.pairs.tolist() == [[0, 1], [2, 3]]
    assert [one.person for one in found.pictures] == ["0", "0", "-3", "-4"]


@pytest.mark.parametrize("name", list(BENCHMARKS))
def test_what_is_not_there_gets_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="give"):
        benchmark(name).read(tmp_path / "nowhere")


def test_a_name_that_is_none() -> None:
    with pytest.raises(UserError, match="did you mean mfr2"):
        benchmark("mfr")
