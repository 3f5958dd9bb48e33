"""Kinds and ways of wearing, mixed on the command line, with the real library."""

from pathlib import Path

import pyarrow.parquet as pq
from click.testing import CliRunner

from maskgen.api import draw_sample
from maskgen.pipelines.cli import main


def test_mixed_kinds_and_ways_from_the_command_line(tmp_path: Path) -> None:
    draw_sample(tmp_path / "people", 3, 2)
    args = ["--kinds", "n95=3,surgical:#FF8800", "--wear", "proper=2,nose_out", "--per-photo", "2", "--workers", "1"]
    result = CliRunner().invoke(main, ["mask", str(tmp_path / "people"), str(tmp_path / "run"), *args])
    assert result.exit_code == 0, result.output
    rows = pq.read_table(tmp_path / "run" / "catalogue.parquet").to_pylist()
    assert {row["kind"] for row in rows} == {"n95", "surgical:#ff8800"}
    assert {row["wearing"] for row in rows} == {"proper", "nose_out"}
    assert len(list((tmp_path / "run" / "faces").rglob("*__surgical-ff8800.jpg"))) == 6
    again = CliRunner().invoke(main, ["mask", str(tmp_path / "people"), str(tmp_path / "run"), "--kinds", "n95"])
    assert again.exit_code == 2 and "--kinds" in again.output
