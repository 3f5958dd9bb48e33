from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from maskgen.pipelines.mask.source_changes import Listed
from maskgen.pipelines.reports.run_report import Report, Totals
from maskgen.pipelines.runs import catalogue
from maskgen.pipelines.runs.catalogue import BASE, batches, load_rows, table_bytes, write_catalogue
from maskgen.pipelines.runs.run_folder import RunFolder
from maskgen.pipelines.runs.shard_records import SetAside, ShardReport, save_shard


def row(number: int, **more: Any) -> dict[str, Any]:
    base: dict[str, Any] = {name: str(number) for name, kind in BASE.items() if kind == "string"}
    return base | {"variant": 0, "face": 0} | more


def save(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_bytes(table_bytes(rows))
    return path


def test_rows_come_back(tmp_path: Path) -> None:
    rows = [row(1, yaw=0.1, points=[[0.5, 1.0]], colour="#fff"), row(2, yaw=None, points=None, colour=None)]
    assert load_rows(save(tmp_path / "a", rows)) == rows
    assert load_rows(tmp_path / "absent") == []


def test_parts_of_different_columns_make_one_catalogue(tmp_path: Path) -> None:
    parts = [
        save(tmp_path / "a", [row(1, yaw=None, outline=[])]),
        save(tmp_path / "b", [row(2, yaw=1.5, outline=[[[1.0, 2.0]]], extra=3)]),
    ]
    assert write_catalogue(tmp_path / "c", parts).total() == 2
    assert [(one["yaw"], one["extra"]) for one in load_rows(tmp_path / "c")] == [(None, None), (1.5, 3)]


def test_bytes_depend_on_the_rows_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "ROW_GROUP", 7)
    rows = [row(number, yaw=number / 3, points=[[number, 0.5]]) for number in range(30)]
    for name, cuts in {"x": [0, 1, 20, 30], "y": [0, 30], "z": [0, 7, 14, 28, 30]}.items():
        parts = [save(tmp_path / f"{name}{a}", rows[a:b]) for a, b in zip(cuts[:-1], cuts[1:], strict=True)]
        assert write_catalogue(tmp_path / name, parts).total() == 30
    assert (tmp_path / "x").read_bytes() == (tmp_path / "y").read_bytes() == (tmp_path / "z").read_bytes()
    assert pq.ParquetFile(tmp_path / "x").num_row_groups == 5
    assert [len(batch) for batch in batches(tmp_path / "x", ["path"])] == [7, 7, 7, 7, 2]


def test_an_empty_catalogue_has_its_columns(tmp_path: Path) -> None:
    assert write_catalogue(tmp_path / "c", []).total() == 0
    assert pq.read_schema(tmp_path / "c").names == list(BASE)


def test_counts_that_do_not_add_up_are_no_report() -> None:
    with pytest.raises(ValueError, match="3 photographs, but 1 written, 1 set aside"):
        ShardReport(3, 1, (SetAside("a", "no_face", ""),), outputs={"n95": 1})
    with pytest.raises(ValueError, match="2 photographs written in 1 pictures"):
        ShardReport(2, 2, outputs={"n95": 1})
    with pytest.raises(ValueError, match="3 photographs, but 1 written and 1 set aside"):
        Report(1, 1, 3, 1, 1, {"no_face": 1}, {}, {"n95": 1})
    with pytest.raises(ValueError, match="2 rows for 1 faces in 1 pictures"):
        Report(1, 1, 1, 1, 2, {}, {}, {"n95": 1}, faces=1)
    with pytest.raises(ValueError, match="1 faces, but 2 by kind"):
        Report(1, 1, 1, 1, 1, {}, {}, {"n95": 1}, faces=1, faces_by_kind={"n95": 2})
    with pytest.raises(ValueError, match="1 rows for 2 pictures"):
        ShardReport(2, 2, outputs={"n95": 2}, rows=1)


def test_a_person_in_two_shards_is_counted_once() -> None:
    totals = Totals()
    totals.add(ShardReport(2, 2, outputs={"n95": 2}, people=("a", "b"), rows=2))
    totals.add(ShardReport(1, 0, (SetAside("b/3", "no_face", ""),)))
    totals.add(ShardReport(2, 2, outputs={"n95": 2}, people=("b", "c"), rows=2))
    report = totals.report(people=3, faces_by_kind={"n95": 4})
    assert (report.people_written, report.photographs, report.set_aside) == (3, 5, {"no_face": 1})


def test_exit_codes() -> None:
    one: dict[str, Any] = {"outputs": {"n95": 1}, "faces": 1, "faces_by_kind": {"n95": 1}}
    assert Report(1, 1, 1, 1, 1, **one).exit_code == 0
    assert Report(1, 1, 2, 1, 1, {"no_face": 1}, {}, **one).exit_code == 3
    assert (
        Report(1, 1, 1, 1, 1, {}, {"low_score": 1}, {"n95": 1}, faces=1, faces_by_kind={"n95": 1}).exit_code == 3
    )  # a face is set aside
    assert Report(1, 0, 1, 0, 0, {"no_face": 1}).exit_code == 4


def test_report_comes_back_from_json() -> None:
    report = Report(2, 1, 3, 1, 2, {"no_face": 2}, {"low_score": 1}, {"bare": 1, "n95": 1}, 0, 2, {"bare": 1, "n95": 1})
    assert Report.from_json(report.to_json({"--seed": 0}, {})) == report
    assert "no_face 2" in report.table()


def test_outputs_of_finished_shards_are_known_and_no_others(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, "start")
    run.shards.mkdir()
    run.scratch.mkdir(parents=True)
    assert "faces/a/0__n95.jpg" not in Listed(run)
    for shard in ("one", "two"):
        rows = [row(number, path=f"faces/{shard}/{number}.jpg", segmentation=None) for number in range(40)]
        rows[7]["segmentation"] = f"segmentation/{shard}/7.png"
        report = ShardReport(photographs=40, written=40, outputs={"n95": 40}, people=("a",), rows=40)
        save_shard(run, shard, rows, report)
    listed = Listed(run)
    held = [f"faces/{shard}/{number}.jpg" for shard in ("one", "two") for number in range(40)]
    assert all(path in listed for path in [*held, "segmentation/two/7.png", "faces/one.tar", "segmentation/two.tar"])
    assert not any(path in listed for path in [f"faces/three/{number}.jpg" for number in range(400)])
