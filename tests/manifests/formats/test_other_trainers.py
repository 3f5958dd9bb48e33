"""Training sets for other projects, read back by their own loading code, copied in small from their repositories.

Where a project reads through MXNet, a loop over the records stands in its place (`manifest_makers.slow_records`).
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from manifest_makers import Row, rows, slow_records, write_run
from PIL import Image

from maskgen.core.reasons import UserError
from maskgen.manifests.checks.check import check_lists
from maskgen.manifests.formats.image_folder import picture_names, remove_image_folder
from maskgen.manifests.formats.lmdb_set import packed
from maskgen.pipelines.pairs.run import run_pairs
from maskgen.pipelines.pairs.settings import PairsSettings

SIZE = 48
ALSO = ("cvlface", "adaface", "facexzoo", "bin")


def with_points(run: Path, alignment: str = "arcface") -> Path:
    """The run with landmarks, sizes and an alignment in its catalogue; the points of row n are all n / 10."""
    table = pq.read_table(run / "catalogue.parquet")
    n = len(table)
    points = pa.array([[row / 10 + at for at in range(10)] for row in range(n)], pa.list_(pa.float32()))
    table = table.append_column("points5", points)
    for name in ("width", "height"):
        table = table.append_column(name, pa.array([SIZE] * n, pa.int64()))
    pq.write_table(table.append_column("alignment", pa.array([alignment] * n)), run / "catalogue.parquet")
    return run


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("others")
    run = with_points(write_run(folder / "run", rows(12, 4, ["bare", "n95"]), pictures=True))
    run_pairs(PairsSettings(out=folder / "lists", run=run, also=ALSO, picture_size=SIZE))
    return folder / "lists"


def trained(lists: Path) -> list[dict[str, str]]:
    with (lists / "train.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def picture(lists: Path, path: str) -> np.ndarray:
    return np.asarray(Image.open(lists / path).convert("RGB"))


def read_memmap(mem_file_name: str) -> Any:
    """`read_memmap` of AdaFace's evaluate_utils.py, word for word but for the mode, "r+" there."""
    with Path(mem_file_name + ".conf").open() as file:
        memmap_configs = json.load(file)
        return np.memmap(mem_file_name, mode="r", shape=tuple(memmap_configs["shape"]), dtype=memmap_configs["dtype"])


def test_adaface_finds_its_validation_pairs(lists: Path) -> None:
    """`get_val_pair(lists, "test")` of AdaFace."""
    array = read_memmap(str(lists / "test" / "memfile" / "mem_file.dat"))
    same = np.load(lists / "test_list.npy")
    with (lists / "test.csv").open(encoding="utf-8", newline="") as file:
        wanted = list(csv.DictReader(file))
    assert array.shape == (2 * len(wanted), 3, SIZE, SIZE)
    assert array.dtype == np.float32
    assert same.tolist() == [row["target"] == row["pair_target"] for row in wanted]
    for at, row in enumerate(wanted):
        for half, name in enumerate(("path", "pair_path")):
            # `load_bin` of AdaFace's convert.py: blue first, ToTensor, Normalize(0.5, 0.5).
            bgr = picture(lists, row[name])[..., ::-1].transpose(2, 0, 1)
            assert np.abs(array[2 * at + half] - (bgr / 255 - 0.5) / 0.5).max() < 1e-6


def test_an_image_folder_has_the_targets_as_labels(lists: Path) -> None:
    """torchvision's `find_classes`, which AdaFace's `CustomImageFolderDataset` uses: folders by name, from 0."""
    classes = sorted(entry.name for entry in (lists / "imgs").iterdir() if entry.is_dir())
    numbers = {name: at for at, name in enumerate(classes)}
    found = sorted((path.name, numbers[path.parent.name], path) for path in (lists / "imgs").glob("*/*.jpg"))
    wanted = trained(lists)
    assert [label for _, label, _ in found] == [int(row["target"]) for row in wanted]
    for (_, _, path), row in zip(found, wanted, strict=True):
        assert path.read_bytes() == (lists / row["path"]).read_bytes()


def test_torchvision_gives_the_same_labels(lists: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    assert [label for _, label in datasets.ImageFolder(lists / "imgs").samples] == [
        int(row["target"]) for row in trained(lists)
    ]


def test_facexzoo_reads_the_list(lists: Path) -> None:
    """`ImageDataset.__init__` and what `__getitem__` opens, of FaceX-Zoo's data_processor/train_dataset.py."""
    train_list = []
    with (lists / "train_list.txt").open() as train_file_buf:
        line = train_file_buf.readline().strip()
        while line:
            image_path, image_label = line.split(" ")
            train_list.append((image_path, int(image_label)))
            line = train_file_buf.readline().strip()
    wanted = trained(lists)
    assert [label for _, label in train_list] == [int(row["target"]) for row in wanted]
    for (path, _), row in zip(train_list, wanted, strict=True):
        image = cv2.imread(str(lists / path))
        assert image.shape == (SIZE, SIZE, 3)
        assert np.array_equal(image, cv2.imread(str(lists / row["path"])))


def test_cvlface_reads_its_tables(lists: Path) -> None:
    """`MXFaceDataset.__init__` and the landmarks of `RepeatedWithLdmkThetaMXDataset`, CVLface's run_v1/dataset."""
    records = slow_records(lists)
    imgidx = np.array(range(1, int(records[0][0][0])))
    info = pd.read_csv(lists / "train.tsv", sep="\t", header=None)
    info.columns = ["_idx", "path", "label"]
    ldmk_info = pd.read_csv(lists / "ldmk_5points.csv", sep=",", index_col=0)
    wanted = trained(lists)
    catalogue = pq.read_table(lists.parent / "run" / "catalogue.parquet", columns=["path", "points5"]).to_pylist()
    points = {f"../run/{row['path']}": np.reshape(row["points5"], (5, 2)) for row in catalogue}
    assert len(info) == len(imgidx) == len(ldmk_info) == len(wanted)
    for index, row in enumerate(wanted):
        labels, data = records[imgidx[info.index[index]]]
        assert labels == [int(row["target"])] == [info.label[index]]
        assert info._idx[index] == imgidx[index]
        assert info.path[index] == row["path"]
        assert data == (lists / row["path"]).read_bytes()
        ldmk = ldmk_info.loc[index].values.reshape(-1, 2)  # shares of the side: drawn at ldmk * [width, height]
        assert np.abs(ldmk * SIZE - points[row["path"]]).max() < 1e-3
    label_info = dict(iter(info.groupby("label")))
    assert label_info[0].sample(1, random_state=0).index.item() in range(len(wanted))


def test_a_name_that_a_table_cannot_hold_does_not_stop_the_export(tmp_path: Path) -> None:
    odd = ['quo"te', "a\tb", "c\nd", "e\rf"]
    made = [Row(who, f"{at}.jpg", "n95") for who in odd for at in range(3)]
    run = with_points(write_run(tmp_path / "run", [*made, *rows(12, 3, ["n95"])], pictures=True))
    run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("cvlface",), picture_size=SIZE))
    wanted = trained(tmp_path / "lists")
    info = pd.read_csv(tmp_path / "lists" / "train.tsv", sep="\t", header=None)
    assert info[2].tolist() == [int(row["target"]) for row in wanted]
    listed = [line.split("\t") for line in (tmp_path / "lists" / "train.lst").read_bytes().decode().split("\n")[:-1]]
    assert [(int(at), int(target)) for at, target, _ in listed] == [
        (at, int(row["target"])) for at, row in enumerate(wanted, 1)
    ]


def test_landmarks_follow_a_picture_that_is_resized(tmp_path: Path) -> None:
    run = with_points(write_run(tmp_path / "run", rows(12, 3, ["n95"]), pictures=True))
    run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("cvlface",), picture_size=2 * SIZE))
    first = pd.read_csv(tmp_path / "lists" / "ldmk_5points.csv", index_col=0).loc[0].to_numpy()
    row = trained(tmp_path / "lists")[0]["path"].removeprefix("../run/")
    table = pq.read_table(run / "catalogue.parquet", columns=["path", "points5"]).to_pylist()
    own = next(one["points5"] for one in table if one["path"] == row)
    # A pixel's centre x lies at (x + 0.5) * 2 - 0.5 after the picture is made twice as large.
    assert np.abs(first * 2 * SIZE - ((np.array(own) + 0.5) * 2 - 0.5)).max() < 2e-3


def test_without_landmarks_cvlface_is_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", rows(12, 3, ["n95"]), pictures=True)
    with pytest.raises(UserError, match="lacks the column 'points5': mask again, or leave out --also cvlface"):
        run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("cvlface",)))


def test_sota_reads_the_lmdb(tmp_path: Path) -> None:
    """`LMDB.__init__` and `__getitem__` of data/data_loader_train_lmdb.py, SOTA-Face-Recognition-Train-and-Test."""
    lmdb = pytest.importorskip("lmdb")
    msgpack = pytest.importorskip("msgpack")
    run = write_run(tmp_path / "run", rows(12, 4, ["bare", "n95"]), pictures=True)
    for name in ("a", "b"):
        run_pairs(PairsSettings(out=tmp_path / name, run=run, also=("lmdb",), picture_size=SIZE))
    db_path = str(tmp_path / "a" / "train.lmdb")
    env = lmdb.open(db_path, subdir=Path(db_path).is_dir(), readonly=True, lock=False, readahead=False, meminit=False)
    with env.begin(write=False) as txn:
        length = msgpack.loads(txn.get(b"__len__"))
        keys = msgpack.loads(txn.get(b"__keys__"))
        classnum = msgpack.loads(txn.get(b"__classnum__"))
    wanted = trained(tmp_path / "a")
    assert length == len(keys) == len(wanted)
    assert classnum == len({row["target"] for row in wanted})
    for index, row in enumerate(wanted):
        with env.begin(write=False) as txn:
            unpacked = msgpack.loads(txn.get(keys[index]))
        assert np.array_equal(
            np.asarray(Image.open(io.BytesIO(unpacked[0])).convert("RGB")), picture(tmp_path / "a", row["path"])
        )
        assert unpacked[1] == int(row["target"])
    env.close()
    assert (tmp_path / "a" / "train.lmdb").read_bytes() == (tmp_path / "b" / "train.lmdb").read_bytes()
    assert not list((tmp_path / "a").glob("*lock*"))


SHORT = [b"", b"x" * 255, 0, 127, 128, 255, []]
LONG = [b"x" * 256, b"x" * 65536, 256, 65535, 65536, 2**32, [1] * 16, [b"a", 2] * 40000]


@pytest.mark.parametrize("value", [*SHORT, *LONG], ids=range(15))
def test_msgpack_reads_what_is_packed(value: Any) -> None:
    msgpack = pytest.importorskip("msgpack")
    assert msgpack.loads(packed(value)) == value
    assert packed(value) == msgpack.dumps(value)


def test_the_check_takes_these_formats_for_no_lists(lists: Path) -> None:
    checked = check_lists(lists, None, "exist", map)
    assert checked.n_faults == 0, checked.table()
    assert "ldmk" not in checked.table()


def test_folders_of_a_million_people_stay_in_order() -> None:
    names = list(picture_names(np.array([0, 9, 1_000_000])))
    assert names == sorted(names)
    assert names[1] == "imgs/0000009/000000001.jpg"


def test_an_earlier_image_folder_goes_and_other_files_stay(tmp_path: Path, lists: Path) -> None:
    run = lists.parent / "run"
    settings = PairsSettings(out=tmp_path / "lists", run=run, also=("facexzoo",), picture_size=SIZE)
    run_pairs(settings)
    before = len(list((tmp_path / "lists" / "imgs").glob("*/*.jpg")))
    (tmp_path / "lists" / "imgs" / "note.txt").write_text("mine")
    run_pairs(PairsSettings(out=tmp_path / "lists", run=run, also=("facexzoo",), balance=2, overwrite=True))
    assert len(list((tmp_path / "lists" / "imgs").glob("*/*.jpg"))) < before
    remove_image_folder(tmp_path / "lists")
    assert [path.name for path in (tmp_path / "lists" / "imgs").iterdir()] == ["note.txt"]


def test_an_image_folder_of_somebody_else_is_not_touched(tmp_path: Path, lists: Path) -> None:
    mine = tmp_path / "lists" / "imgs" / "000001" / "000000001.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"mine")
    with pytest.raises(UserError, match="holds imgs of another origin"):
        run_pairs(PairsSettings(out=tmp_path / "lists", run=lists.parent / "run"))
    run_pairs(PairsSettings(out=tmp_path / "lists", run=lists.parent / "run", overwrite=True))
    assert mine.read_bytes() == b"mine"
