"""`mask --points`: a run whose faces a file gives, on drawn people."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from drawn_people import drawn_people
from support import catalogue, set_aside, tree, write

from maskgen.core.images import encode_image
from maskgen.core.records import Floats
from maskgen.faces.upright_crop import five_points
from maskgen.pipelines.cli import main

LANDMARKS = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y rightmouth_x rightmouth_y"


def call(*args: object, workers: int = 1) -> Result:
    return CliRunner().invoke(main, ["mask", "--workers", str(workers), "--format", "png", *map(str, args)])


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Floats]]:
    """Two drawn people of two photographs each, and the 68 points of each photograph by its path."""
    folder, truth = tmp_path_factory.mktemp("drawn") / "photographs", {}
    for person, number, portrait in drawn_people(2, 2, seed=3):
        truth[f"{person}/{person}{number}.png"] = portrait.points68.round(2)
        write(folder / person / f"{person}{number}.png", encode_image(portrait.image, "png", 100))
    return folder, truth


def csv_of(path: Path, truth: dict[str, Floats]) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", *(f"{axis}{at}" for at in range(1, 69) for axis in "xy")])
        rows.writerows([name, *points.ravel().tolist()] for name, points in truth.items())
    return path


def test_given_points_are_in_catalogue_and_settings_and_the_bytes_repeat(
    people: tuple[Path, dict[str, Floats]], tmp_path: Path
) -> None:
    source, truth = people
    points = csv_of(tmp_path / "points.csv", truth)
    options = ("--kinds", "n95", "--bare", "--points")
    result = call(source, tmp_path / "run", *options, points)
    assert result.exit_code == 0, result.output
    rows = catalogue(tmp_path / "run")
    assert {row["given"] for row in rows} == {"points68"} and len(rows) == 8
    for row in rows:
        assert row["source_points68"] == pytest.approx(truth[row["source"]].ravel().tolist(), abs=0.006)
    stored = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert len(stored["settings"]["--points"]) == 64 and stored["config"]["points"] == str(points)
    assert call(source, tmp_path / "again", *options, points, workers=2).exit_code == 0
    assert tree(tmp_path / "again") == tree(tmp_path / "run")
    points.write_text(points.read_text().replace("path,", "PATH,"))
    assert "--points (was" in call(source, tmp_path / "run", *options, points).output


def test_rows_that_are_bad_or_absent_have_their_reasons(people: tuple[Path, dict[str, Floats]], tmp_path: Path) -> None:
    source, truth = people
    names = list(truth)
    lines = [f"{Path(name).name} {' '.join(str(v) for v in five_points(truth[name]).ravel())}" for name in names[:3]]
    lines[1] = lines[1].rpartition(" ")[0]
    points = write(tmp_path / "list_landmarks_celeba.txt", "\n".join(["5", LANDMARKS, *lines, "x.png 1", ""]).encode())
    result = call(source, tmp_path / "run", "--points", points)
    assert result.exit_code == 3, result.output
    assert "1 photograph has no row in it and is set aside." in result.output
    assert "1 of its photographs is not in SOURCE." in result.output
    assert set_aside(tmp_path / "run") == {names[1]: "bad_points", names[3]: "no_points"}
    assert {row["source"]: row["given"] for row in catalogue(tmp_path / "run")} == dict.fromkeys(
        (names[0], names[2]), "points5"
    )


def test_a_file_that_does_not_fit_the_source_is_refused(people: tuple[Path, dict[str, Floats]], tmp_path: Path) -> None:
    source, truth = people
    run = tmp_path / "run"
    points = csv_of(tmp_path / "points.csv", {"elsewhere.png": next(iter(truth.values()))})
    for options, said in (
        (("--points", points), "has no row for any photograph of SOURCE; its first is of elsewhere.png"),
        (("--points", tmp_path), "is not a file"),
        (("--points", points, "--aligned"), "leave out --aligned"),
        (("--points", points, "--reuse", tmp_path), "leave out --reuse"),
        (("--points", write(tmp_path / "a.txt", b"hello"), "--dry-run"), "has an unknown format"),
    ):
        result = call(source, run, *options)
        assert result.exit_code == 2 and said in result.output.replace("\n", " "), result.output
        assert result.output.count("Error:") == 1
    assert not run.exists()


def test_one_row_of_two_photographs_is_refused(tmp_path: Path, people: tuple[Path, dict[str, Floats]]) -> None:
    source, truth = people
    (name, points), *_ = truth.items()
    for folder in ("a", "b"):
        write(tmp_path / "two" / folder / "1.png", (source / name).read_bytes())
    result = call(tmp_path / "two", tmp_path / "run", "--points", csv_of(tmp_path / "points.csv", {"1.png": points}))
    assert result.exit_code == 2
    assert "the row of 1.png matches a/1.png and b/1.png" in result.output.replace("\n", " ")
