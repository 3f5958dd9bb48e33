"""docs/catalogue.md: every column of a run, no other, with the type, the signs and the matrix that it states."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from maskgen import mask_photo
from maskgen.core.seeding import rng_for
from maskgen.people import Scene, draw_person, draw_portrait
from maskgen.pipelines.mask.run import run_mask
from maskgen.pipelines.mask.settings import MaskSettings

PAGE = Path(__file__).parents[3] / "docs" / "catalogue.md"
LONG = {"string": pa.string(), "int64": pa.int64(), "double": pa.float64()}
TURNED = {
    "front": Scene(),
    "right": Scene(yaw=30),
    "left": Scene(yaw=-30),
    "up": Scene(pitch=20),
    "down": Scene(pitch=-20),
}
EVERYTHING: dict[str, Any] = {"segmentation": "classes", "landmarks": "own", "occluders": "keep", "bare": True}


@pytest.fixture(scope="module")
def turned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One drawn person, turned to known sides, once turned clockwise and once in a narrow range of 16 bits."""
    folder = tmp_path_factory.mktemp("turned") / "person"
    folder.mkdir()
    person = draw_person(rng_for(0, "person", 1))
    for name, scene in (TURNED | {"clockwise": Scene(roll=15)}).items():
        cv2.imwrite(str(folder / f"{name}.png"), draw_portrait(person, scene).image[..., ::-1])
    dim = cv2.imread(str(folder / "front.png")).astype(np.uint16) * 16
    cv2.imwrite(str(folder / "dim.png"), dim)
    rows = "".join(f"{path.name},60,50,190,215\n" for path in sorted(folder.iterdir()))
    (folder.parent / "points.csv").write_text(f"path,left,top,right,bottom\n{rows}")
    return folder


@pytest.fixture(scope="module")
def runs(turned: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pa.Table]:
    """Catalogues that have every column between them."""
    out = tmp_path_factory.mktemp("runs")
    options: dict[str, dict[str, Any]] = {
        "whole": {"crop": "none", "faces": "all", "kinds": ("world",)} | EVERYTHING,
        "given": {"points": turned.parent / "points.csv"} | EVERYTHING,
        "plain": {},
        "facenet": {"align": "facenet"},
    }
    for name, more in options.items():
        run_mask(MaskSettings(turned, out / name, workers=1, **more))
    return {name: pq.read_table(out / name / "catalogue.parquet") for name in options}


def described() -> dict[str, tuple[str, str]]:
    """The page's columns: type, and when each is there."""
    table = PAGE.read_text("utf-8").partition("## Columns")[2].partition("## Reading it")[0]
    found: dict[str, tuple[str, str]] = {}
    for line in table.splitlines():
        if line.startswith("| `"):
            names, kind, _, present = (cell.strip() for cell in line.strip("|").split("|"))
            found |= dict.fromkeys(re.findall("`([^`]+)`", names), (kind, present))
    return found


def test_the_page_has_every_column_and_no_other(runs: dict[str, pa.Table]) -> None:
    names = {name for table in runs.values() for name in table.column_names}
    assert set(described()) == names
    always = set.intersection(*(set(table.column_names) for table in runs.values()))
    optional = {name for name, (_, present) in described().items() if present.startswith("`--")}
    assert names - always == optional


def test_the_record_of_the_library_has_the_columns_from_kind_on(runs: dict[str, pa.Table], turned: Path) -> None:
    names = list(described())
    later = set(names[names.index("kind") :]) - {"picture_face"}
    assert set(mask_photo(turned / "front.png", "n95").record) == later & set(runs["plain"].column_names)


def test_types_and_empty_values_are_those_of_the_page(runs: dict[str, pa.Table]) -> None:
    for table in runs.values():
        for field in table.schema:
            kind, present = described()[field.name]
            assert ("float32" in kind) == (field.type == pa.list_(pa.float32()) or field.name == "outline"), field.name
            assert field.type == LONG.get(kind, field.type)
            lengths = {len(one) for one in table[field.name].to_pylist() if isinstance(one, list)}
            if lengths and field.name != "outline":
                assert lengths <= set(map(int, re.findall(r"of (\d+)", kind)))
            assert not table[field.name].null_count or "null" in present, field.name
    bare = [row for row in runs["whole"].to_pylist() if row["kind"] == "bare"]
    assert bare and all(
        row[name] == {'`""`': "", "0": 0, "`[]`": []}[empty[1]]
        for row in bare
        for name, (_, present) in described().items()
        if (empty := re.search(r"(`\"\"`|`\[\]`|\b0) for [^|]*`bare`", present)) and name in row
    )
    assert {row["source_levels"] for row in runs["plain"].to_pylist()} == {None, "128-2992"}


@pytest.mark.parametrize("name", ["whole", "plain", "facenet", "given"])
def test_signs_and_matrix_are_those_of_the_page(name: str, runs: dict[str, pa.Table]) -> None:
    rows = {Path(row["source"]).stem: row for row in runs[name].to_pylist()}
    assert rows["right"]["yaw"] > 10 > -10 > rows["left"]["yaw"]
    assert rows["up"]["pitch"] > rows["front"]["pitch"] + 3 > rows["front"]["pitch"] - 3 > rows["down"]["pitch"]
    upright = name in ("plain", "given")
    assert abs(rows["clockwise"]["roll"] - (0 if upright else 15)) < 4
    for row in rows.values():
        matrix, points = np.reshape(row["matrix"], (2, 3)), np.reshape(row["source_points68"], (68, 2))
        mine = np.reshape(row["points68"], (68, 2))
        assert np.abs(points @ matrix[:, :2].T + matrix[:, 2] - mine).max() < 0.1
        eyes = mine[36:42].mean(0), mine[42:48].mean(0)
        assert eyes[0][0] < eyes[1][0]  # the viewer's left first
        nose = mine[30][0] - (eyes[0][0] + eyes[1][0]) / 2
        if abs(row["yaw"]) > 10:
            assert np.sign(nose) == np.sign(row["yaw"])
        if Path(row["source"]).stem == "clockwise" and not upright:
            assert eyes[1][1] > eyes[0][1]
        apart = float(np.hypot(*(eyes[1] - eyes[0])))
        assert 0.7 < apart / row["scale"] < 1.1


def test_the_code_of_the_page_runs(turned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    monkeypatch.chdir(tmp_path)
    run_mask(MaskSettings(turned, Path("RUN"), workers=1, bare=True))
    names: dict[str, Any] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) == 2
    for block in blocks:
        exec(block, names)  # noqa: S102
    assert {Path(path).name.partition("__")[0] for path in names["to_the_right"]} == {"right"}
