"""Labels for detectors of a real run, read back as COCO's and Ultralytics' tools read them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from drawn_people import drawn_people

from maskgen.core.images import encode_image, read_photo
from maskgen.core.reasons import UserError
from maskgen.manifests.detection.labels import class_names, read_labels
from maskgen.pipelines.cli import main

CLASSES = ["bare", "proper", "nose_out", "chin_out", "under_chin", "n95", "surgical_blue"]
OPTIONS = [
    "--crop", "none", "--faces", "all", "--bare", "--kinds", "n95,surgical_blue", "--wear", "proper,nose_out",
    "--per-photo", "all", "--workers", "1", "--labels", "coco", "--labels", "yolo",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, and one photograph of two; each masked and bare."""
    folder = tmp_path_factory.mktemp("labels")
    portraits = [portrait.image for _, _, portrait in drawn_people(3, 1, seed=5)]
    for number, image in enumerate(portraits):
        (folder / "photos" / f"person {number}").mkdir(parents=True)
        (folder / "photos" / f"person {number}" / "1.png").write_bytes(encode_image(image, "png"))
    (folder / "photos" / "both.png").write_bytes(encode_image(np.hstack(portraits[:2]), "png"))
    result = CliRunner().invoke(main, ["mask", str(folder / "photos"), str(folder / "run"), *OPTIONS])
    assert result.exit_code in (0, 3), result.output
    assert "The labels are in" in result.output
    return folder / "run"


def catalogue(run: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(run / "catalogue.parquet").to_pylist()
    return rows


def pictures(run: Path) -> list[str]:
    return sorted({row["path"] for row in catalogue(run)})


def test_classes_are_ways_of_wearing_and_kinds(run: Path) -> None:
    assert class_names(run) == CLASSES


def test_coco_names_every_face_and_mask(run: Path) -> None:
    about = json.loads((run / "coco.json").read_text("utf-8"))
    assert [one["name"] for one in about["categories"]] == CLASSES
    assert [one["id"] for one in about["categories"]] == list(range(1, len(CLASSES) + 1))
    images = {one["id"]: one for one in about["images"]}
    assert sorted(one["file_name"] for one in images.values()) == pictures(run)
    for one in images.values():
        assert read_photo(run / one["file_name"]).image.shape == (one["height"], one["width"], 3)
    rows = {(row["path"], row["picture_face"]): row for row in catalogue(run)}
    assert {one["unlabelled_faces"] for one in images.values()} == {0}
    seen = set()
    for one in about["annotations"]:
        row = rows[images[one["image_id"]]["file_name"], one["attributes"]["face"]]
        name = CLASSES[one["category_id"] - 1]
        x, y, width, height = one["bbox"]
        if one["segmentation"]:
            assert name == row["kind"]
            drawn = np.zeros((row["height"], row["width"]), np.uint8)
            for polygon in one["segmentation"]:
                cv2.fillPoly(drawn, [np.round(np.reshape(polygon, (-1, 2))).astype(np.int32)], 1)
            assert abs(drawn.sum() - one["area"]) < 0.08 * one["area"]
            assert drawn[max(int(y), 0) : int(y + height) + 2, max(int(x), 0) : int(x + width) + 2].sum() == drawn.sum()
        else:
            assert name == (row["wearing"] or "bare")
            assert (x, y, x + width, y + height) == pytest.approx(row["box"], abs=0.02)
        assert one["attributes"]["kind"] == row["kind"]
        seen.add((images[one["image_id"]]["file_name"], one["attributes"]["face"], bool(one["segmentation"])))
    assert seen == {(path, face, False) for path, face in rows} | {
        (path, face, True) for (path, face), row in rows.items() if row["kind"] != "bare"
    }
    assert sum(path == key and not mask for key, _, mask in seen for path in pictures(run)) > len(pictures(run))


def test_cocos_own_package_reads_it(run: Path) -> None:
    coco_tools = pytest.importorskip("pycocotools.coco")
    coco = coco_tools.COCO(str(run / "coco.json"))
    masks = [one for one in coco.loadAnns(coco.getAnnIds()) if one["segmentation"]]
    assert masks
    for one in masks:
        assert abs(int(coco.annToMask(one).sum()) - one["area"]) < 0.08 * one["area"]


def label_path(picture: str) -> str:
    """`img2label_paths` of ultralytics/data/utils.py, for one path."""
    sa, sb = f"{os.sep}images{os.sep}", f"{os.sep}labels{os.sep}"
    return sb.join(picture.rsplit(sa, 1)).rsplit(".", 1)[0] + ".txt"


def listed(part: Path) -> list[str]:
    """`BaseDataset.get_img_files` of ultralytics/data/base.py, for a list of pictures."""
    parent = str(part.parent) + os.sep
    lines = part.read_text().strip().splitlines()
    return [line.replace("./", parent) if line.startswith("./") else line for line in lines]


def test_yolo_finds_labels_beside_pictures(run: Path) -> None:
    yaml = pytest.importorskip("yaml")
    about = yaml.safe_load((run / "yolo" / "data.yaml").read_text("utf-8"))
    assert about["names"] == dict(enumerate(CLASSES))
    found = {name: listed(run / "yolo" / about[name]) for name in ("train", "val")}
    assert found["train"] and found["val"]
    wanted = {one.path: one for one in read_labels(run)}
    everything = sorted({*found["train"], *found["val"]})
    assert [str(Path(path).relative_to(run / "yolo" / "images")) for path in everything] == [
        path.removeprefix("faces/") for path in pictures(run)
    ]
    for path in everything:
        one = wanted["faces/" + str(Path(path).relative_to(run / "yolo" / "images"))]
        assert Path(path).read_bytes() == (run / one.path).read_bytes()
        # `verify_image_label` of ultralytics/data/utils.py: five columns, classes that are named, shares of 0 to 1.
        lines = [line.split() for line in Path(label_path(path)).read_text().strip().splitlines()]
        labels = np.array(lines, dtype=np.float32)
        assert labels.shape == (len(one.seen), 5)
        assert labels[:, 1:].max() <= 1 and labels.min() >= 0
        for (number, *shares), seen in zip(labels.tolist(), one.seen, strict=True):
            assert about["names"][int(number)] == seen.name
            middle, size = np.array(shares[:2]), np.array(shares[2:])
            sides = np.array([one.width, one.height])
            box = [*((middle - size / 2) * sides), *((middle + size / 2) * sides)]
            assert box == pytest.approx(seen.box, abs=0.01)


def test_the_same_command_again_writes_the_same_labels(run: Path) -> None:
    before = (run / "coco.json").read_bytes()
    result = CliRunner().invoke(main, ["mask", str(run.parent / "photos"), str(run), *OPTIONS])
    assert "All photographs are already processed" in result.output
    assert (run / "coco.json").read_bytes() == before


def test_crops_have_no_labels(run: Path, tmp_path: Path) -> None:
    table = pq.read_table(run / "catalogue.parquet")
    at = table.column_names.index("alignment")
    crops = table.set_column(at, "alignment", pa.array(["maskgen"] * len(table)))
    pq.write_table(crops, tmp_path / "catalogue.parquet")
    with pytest.raises(UserError, match="holds crops: labels are for whole photographs"):
        list(read_labels(tmp_path))
    pq.write_table(table.drop(["wearing"]), tmp_path / "catalogue.parquet")
    with pytest.raises(UserError, match="lacks the column 'wearing'"):
        list(read_labels(tmp_path))


def test_faces_that_were_set_aside_are_counted(run: Path, tmp_path: Path) -> None:
    table = pq.read_table(run / "catalogue.parquet")
    at = table.column_names.index("faces_found")
    more = table.set_column(at, "faces_found", pa.array([5] * len(table)))
    pq.write_table(more, tmp_path / "catalogue.parquet")
    assert {one.unlabelled + len({seen.face for seen in one.seen}) for one in read_labels(tmp_path)} == {5}
