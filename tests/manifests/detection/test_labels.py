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
from maskgen.manifests.detection.labels import FACE_CLASSES, Labelled, around_pixels, class_names, read_labels
from maskgen.manifests.detection.yolo import Division, save_yolo
from maskgen.pipelines.cli import main
from maskgen.pipelines.mask.labels import write_labels
from maskgen.pipelines.mask.settings import MaskSettings

CLASSES = ["bare", "proper", "nose_out", "chin_out", "under_chin", "n95", "surgical_blue"]
OPTIONS = [
    "--crop", "none", "--faces", "all", "--bare", "--kinds", "n95,surgical_blue", "--wear", "proper,nose_out",
    "--per-photo", "all", "--workers", "1", "--labels", "coco", "--labels", "yolo",
    "--segmentation",
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
    assert "val.txt has a tenth of the photographs" in result.output
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
        is_mask = name not in FACE_CLASSES
        if is_mask:
            assert name == row["kind"]
            drawn = np.zeros((row["height"], row["width"]), np.uint8)
            for polygon in one["segmentation"]:
                cv2.fillPoly(drawn, [np.round(np.reshape(polygon, (-1, 2))).astype(np.int32)], 1)
            assert abs(drawn.sum() - one["area"]) < 0.08 * one["area"]
            assert drawn[max(int(y), 0) : int(y + height) + 2, max(int(x), 0) : int(x + width) + 2].sum() == drawn.sum()
        else:
            assert name == (row["wearing"] or "bare")
            assert (x, y, x + width, y + height) == pytest.approx(row["box"], abs=0.02)
            corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
            (polygon,) = one["segmentation"]
            assert np.reshape(polygon, (-1, 2)) == pytest.approx(np.array(corners), abs=0.02)
            assert one["area"] == pytest.approx(width * height, rel=1e-3)
        assert one["attributes"]["kind"] == row["kind"]
        seen.add((images[one["image_id"]]["file_name"], one["attributes"]["face"], is_mask))
    assert seen == {(path, face, False) for path, face in rows} | {
        (path, face, True) for (path, face), row in rows.items() if row["kind"] != "bare"
    }
    assert sum(path == key and not mask for key, _, mask in seen for path in pictures(run)) > len(pictures(run))


def covered(run: Path, row: dict[str, Any]) -> np.ndarray:
    """Where the mask of a picture with one face has a coverage above one half."""
    coverage = cv2.imread(str(run / row["segmentation"]), cv2.IMREAD_UNCHANGED)
    assert coverage is not None
    return coverage > 127


def pixels_of(polygons: list[list[float]], shape: tuple[int, ...]) -> np.ndarray:
    """The pixels whose middle is inside one of these polygons, which count from the picture's corner: a ray's crossings
    are counted."""
    inside = np.zeros(shape, bool)
    ys, xs = np.mgrid[: shape[0], : shape[1]] + 0.5
    for polygon in polygons:
        points = np.reshape(polygon, (-1, 2))
        odd = np.zeros(shape, bool)
        for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
            if y0 != y1:
                odd ^= ((y0 <= ys) != (y1 <= ys)) & (xs < x0 + (ys - y0) / (y1 - y0) * (x1 - x0))
        inside |= odd
    return inside


def test_boxes_and_outlines_of_masks_hold_the_pixels_of_the_segmentation(run: Path) -> None:
    """Both formats count from the picture's corner, so the box around the pixels 3 to 5 is 3 wide."""
    about = json.loads((run / "coco.json").read_text("utf-8"))
    images = {one["id"]: one["file_name"] for one in about["images"]}
    alone = (row for row in catalogue(run) if row["kind"] != "bare" and row["source"] != "both.png")
    rows = {row["path"]: row for row in alone}
    apart = []
    for one in about["annotations"]:
        row = rows.get(images[one["image_id"]])
        if row is None or CLASSES[one["category_id"] - 1] in FACE_CLASSES:
            continue
        solid = covered(run, row)
        (ys, xs), (x, y, width, height) = np.nonzero(solid), one["bbox"]
        edges = np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1])
        apart.append(np.array([x, y, x + width, y + height]) - edges)
        drawn = pixels_of(one["segmentation"], solid.shape)
        assert (drawn & solid).sum() > 0.98 * (drawn | solid).sum()
        assert abs(one["area"] - solid.sum()) < 0.02 * solid.sum()
    assert len(apart) == len(rows) > 0
    # Single pixels beside a mask have no outline, and may be beyond its box.
    assert np.abs(apart).max() <= 2 and np.abs(apart).mean() < 0.25


def test_an_outline_is_half_a_pixel_around_the_middles_of_its_pixels() -> None:
    square = np.array([[2, 1], [4, 1], [4, 3], [2, 3]])
    assert around_pixels(square).tolist() == [[2, 1], [5, 1], [5, 4], [2, 4]]
    assert around_pixels(square[::-1]).tolist() == [[2, 4], [5, 4], [5, 1], [2, 1]]
    dented = np.array([[0, 0], [6, 0], [6, 6], [3, 6], [3, 3], [0, 3]])
    assert around_pixels(dented).tolist() == [[0, 0], [7, 0], [7, 7], [3, 7], [3, 4], [0, 4]]
    needle = np.array([[2, 1], [40, 1], [2, 2]])
    assert np.hypot(*(around_pixels(needle) - needle - 0.5).T).max() <= 1


def test_cocos_own_package_reads_it(run: Path) -> None:
    coco_tools = pytest.importorskip("pycocotools.coco")
    coco = coco_tools.COCO(str(run / "coco.json"))
    found = coco.loadAnns(coco.getAnnIds())
    faces = [one for one in found if CLASSES[one["category_id"] - 1] in FACE_CLASSES]
    assert 0 < len(faces) < len(found)
    for one in found:
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


def photographs_of(run: Path, listed_pictures: list[str]) -> set[str]:
    sources = {row["path"]: row["source"] for row in catalogue(run)}
    return {sources["faces/" + str(Path(path).relative_to(run / "yolo" / "images"))] for path in listed_pictures}


def divided(folder: Path, names: list[tuple[str, str]]) -> tuple[Division, list[str], list[str]]:
    """What is in train.txt and val.txt for photographs by (person, name), each bare and masked."""
    pictures = []
    for person, name in names:
        for kind in ("bare", "n95"):
            path = f"faces/{person}/{name}__{kind}.jpg"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(b"")
            pictures.append(Labelled(path, f"{person}/{name}.jpg", person, 8, 8, (), 0))
    division = save_yolo(folder, pictures, CLASSES)
    texts = ((folder / "yolo" / f"{name}.txt").read_text().strip().splitlines() for name in ("train", "val"))
    train, val = ([Path(line).name.partition("__")[0] for line in lines] for lines in texts)
    assert (division.train, division.val) == (len(train), len(val))
    return division, train, val


def test_a_tenth_of_the_people_is_held_back(tmp_path: Path) -> None:
    names = [(f"person {number}", f"{number}-{at}") for number in range(200) for at in range(2)]
    division, train, val = divided(tmp_path, names)
    assert division.by_people and 0.05 < len(val) / 800 < 0.15
    assert {one.partition("-")[0] for one in train} & {one.partition("-")[0] for one in val} == set()


@pytest.mark.parametrize(("many", "held_back"), [(2, 1), (9, 1), (40, 4)])
def test_photographs_are_divided_where_people_are_too_few(tmp_path: Path, many: int, held_back: int) -> None:
    names = [("holiday", f"IMG_{number:04}") for number in range(many)]
    division, train, val = divided(tmp_path / "a", names)
    assert not division.by_people
    assert set(train) & set(val) == set() and len(set(val)) == held_back
    assert sorted([*train, *val]) == sorted(name for _, name in names for _ in range(2))
    assert set(divided(tmp_path / "b", names[::-1])[2]) == set(val), "whatever the order"


def test_one_photograph_is_for_training(tmp_path: Path) -> None:
    division, train, val = divided(tmp_path, [("holiday", "1")])
    assert (division.by_people, train, val) == (False, ["1", "1"], [])


def test_yolo_finds_labels_beside_pictures(run: Path) -> None:
    yaml = pytest.importorskip("yaml")
    about = yaml.safe_load((run / "yolo" / "data.yaml").read_text("utf-8"))
    assert about["names"] == dict(enumerate(CLASSES))
    found = {name: listed(run / "yolo" / about[name]) for name in ("train", "val")}
    assert found["train"] and found["val"]
    assert photographs_of(run, found["train"]) & photographs_of(run, found["val"]) == set()
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


def test_no_name_of_a_folder_or_photograph_hides_a_label(tmp_path: Path) -> None:
    folders = ("images", "a/images/b", "images/images", "Sammy Davis Jr.", "Jr./x.", "%2E", "Jr%2E", "ends. ")
    stems = ("1", "two\nlines", "two\rlines", "two\x85lines", "two\u2028lines", "two%0Alines", "50%", " led ", "é☃")
    names = [(folder, stem) for folder in folders for stem in stems]
    division, _, _ = divided(tmp_path, names)
    found = [path for name in ("train", "val") for path in listed(tmp_path / "yolo" / f"{name}.txt")]
    assert len(set(found)) == len(found) == division.train + division.val == 2 * len(names)
    assert all(Path(path).is_file() and Path(label_path(path)).is_file() for path in found)
    for kept in ("50%__n95.jpg", " led __n95.jpg", "é☃__n95.jpg"):
        assert (tmp_path / "yolo" / "images" / "a" / "%69mages" / "b" / kept).is_file()


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


def with_faces_found(run: Path, folder: Path, faces: int) -> Path:
    """The run's catalogue as if this number of faces had been found in each photograph."""
    table = pq.read_table(run / "catalogue.parquet")
    at = table.column_names.index("faces_found")
    pq.write_table(table.set_column(at, "faces_found", pa.array([faces] * len(table))), folder / "catalogue.parquet")
    return folder


@pytest.mark.parametrize(
    ("faces", "says"),
    [
        ("all", "Warning: 15 faces in 4 photographs have no label: they were set aside, see set_aside.csv."),
        ("subject", "have no label: --faces subject selects one face of each photograph, --faces all every face."),
    ],
)
def test_faces_without_a_label_are_counted_once_a_photograph(run: Path, tmp_path: Path, faces: str, says: str) -> None:
    settings = MaskSettings(tmp_path, with_faces_found(run, tmp_path, 5), crop="none", faces=faces, labels=("coco",))
    said: list[str] = []
    write_labels(settings, said.append)
    assert said[-1].endswith(says)


def test_faces_that_were_set_aside_are_counted(run: Path, tmp_path: Path) -> None:
    labels = list(read_labels(with_faces_found(run, tmp_path, 5)))
    assert {one.unlabelled + len({seen.face for seen in one.seen}) for one in labels} == {5}
