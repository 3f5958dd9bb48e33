"""`maskgen gallery` as a person types it, on drawn people and on folders with faults."""

import csv
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from drawn_people import drawn_people
from page_reader import PageFile
from skimage.data import coffee
from support import forbid

from maskgen.core.images import encode_image, read_photo
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import MaskPlan
from maskgen.pipelines.cli import main
from maskgen.pipelines.gallery.photographs import list_photographs
from maskgen.pipelines.gallery.settings import GallerySettings


def call(*args: object) -> Result:
    return CliRunner().invoke(main, ["gallery", *map(str, args)])


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, two bare and two masked photographs each."""
    root = tmp_path_factory.mktemp("registered")
    for name, number, portrait in drawn_people(3, 4, seed=6):
        state = "bare" if number <= 2 else "masked"
        image = portrait.image
        if state == "masked":
            image = analyse_and_apply(image, portrait.points68, MaskPlan(), load_kind("kn95")).image
        (root / name / state).mkdir(parents=True, exist_ok=True)
        (root / name / state / f"{number}.png").write_bytes(encode_image(image, "png"))
    return root


@pytest.fixture
def source(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "source"))


def test_a_gallery_of_folders(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = call(source, out, "--expect", "2,2", "--keep-original")
    assert result.exit_code == 0, result.output
    rows = table(out / "gallery.csv")
    assert list(rows[0]) == [
        "path", "target", "person", "masked", "role", "source", "width", "height", "box", "score", "alignment",
    ]  # fmt: skip
    assert {row["alignment"] for row in rows} == {"maskgen"}
    assert len(rows) == 12 and {row["target"] for row in rows} == {"0", "1", "2"}
    assert all((row["role"] == "probe") == (row["masked"] == "1") for row in rows)
    assert all(read_photo(out / row["path"]).image.shape == (160, 160, 3) for row in rows)
    assert (out / "originals/person_01/bare/1.png").read_bytes() == (source / "person_01/bare/1.png").read_bytes()
    assert (out / "contact_sheet.png").is_file() and not (out / "warnings.csv").exists()
    page = PageFile(out / "report.html")
    assert len(page.items("faces")) == 12 and page.asked_for == []
    assert "--expect 2,2 --keep-original" in page.text
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
    assert "already" in call(source, out, "--expect", "2,2", "--keep-original").output
    cut = out / rows[3]["path"]
    cut.write_bytes(cut.read_bytes()[:99])
    assert "has 99 bytes" in call(source, out, "--expect", "2,2", "--keep-original").output
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"}
    assert call(source, out, "--expect", "2,2", "--keep-original", "--overwrite").exit_code == 0
    assert before == {path: path.read_bytes() for path in out.rglob("*") if path.is_file() and path.name != ".lock"}


def test_people_without_photographs_are_listed(source: Path, tmp_path: Path) -> None:
    shutil.rmtree(source / "person_03")
    for folder in ("person_00", "person_03/bare", "person_04/masked", "team/person_05", ".git/refs", "masked"):
        (source / folder).mkdir(parents=True)
    (source / "person_03/bare/.DS_Store").touch()
    shutil.move(source / "person_02/masked", source / "person_02/masked_later")
    (source / "person_02/masked").mkdir()
    shutil.rmtree(source / "person_02/masked_later")
    out = tmp_path / "out"
    result = call(source, out, "--expect", "2,2")
    rows = [tuple(row.values())[1:] for row in table(out / "people.csv")]
    nobody = [(f"person_0{at}", "0", "0", "no") for at in (0, 3, 4)]
    assert result.exit_code == 0, result.output
    assert "1 file of a file manager is passed over" in result.output
    assert rows == [
        nobody[0], ("person_01", "2", "2", "yes"), ("person_02", "2", "0", "no"), *nobody[1:],
        ("team/person_05", "0", "0", "no"),
    ]  # fmt: skip
    assert "without a face 4" in result.output
    assert "unexpected counts              5    of people, see people.csv" in result.output
    (source / "person_06").mkdir()
    said = " ".join(call(source, out, "--expect", "2,2").output.split())
    assert "holds a gallery, and some of the 6 files of SOURCE, or its people, were changed since: give --overw" in said
    assert call(source, tmp_path / "plain").exit_code in (0, 3)
    assert {row["as_expected"] for row in table(tmp_path / "plain/people.csv")} == {""}


def test_people_without_any_label_are_listed(source: Path, tmp_path: Path) -> None:
    for state in ("bare", "masked"):  # person_02 has photographs, and none in a folder that is called so
        shutil.move(source / "person_02" / state, source / "person_02" / f"{state} ones")
    (source / "person_01/stray.png").write_bytes((source / "person_01/bare/1.png").read_bytes())
    (source / "alone.png").write_bytes((source / "person_01/bare/1.png").read_bytes())
    os.mkfifo(source / "person_04")
    (source / "person_05").mkdir()
    os.mkfifo(source / "person_05/1.png")
    out = tmp_path / "out"
    result = call(source, out, "--expect", "2,2")
    assert result.exit_code == 3, result.output
    rows = [tuple(row.values())[1:] for row in table(out / "people.csv")]
    assert rows == [
        ("person_01", "2", "2", "yes"), ("person_02", "0", "0", "no"), ("person_03", "2", "2", "yes"),
        ("person_05", "0", "0", "no"),
    ]  # fmt: skip
    assert "people                         2    without a face 2" in result.output
    assert len(table(out / "set_aside.csv")) == 8


def test_so_are_people_whose_folder_cannot_be_read(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(source / "person_01", monkeypatch)
    found = list_photographs(GallerySettings(source, tmp_path / "out"))
    assert found.without == ["person_01"]
    found = list_photographs(GallerySettings(source, tmp_path / "out", masked_pattern="*_mask*"))
    assert found.without == ["person_01"]


def test_by_the_files_names_a_person_may_be_without_photographs(source: Path, tmp_path: Path) -> None:
    (source / "person_01/bare").rename(source / "bare")
    (source / "person_07").mkdir()
    settings = GallerySettings(source, tmp_path / "out", masked_pattern="*_mask*")
    assert list_photographs(settings).without == ["person_07"]


def test_faults_are_told_and_counted(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (source / "person_01/bare/broken.jpg").write_bytes(b"\xff\xd8\xff\xe0nothing")
    (source / "person_01/stray.png").write_bytes((source / "person_01/bare/1.png").read_bytes())
    shutil.move(source / "person_02/masked/3.png", source / "person_02/bare/3.png")
    result = call(source, out, "--expect", "2,2")
    assert result.exit_code == 3
    aside = {row["path"]: row["reason"] for row in table(out / "set_aside.csv")}
    assert aside == {
        "person_01/bare/broken.jpg": "broken_picture",
        "person_01/stray.png": "mask_unsaid",
        "person_02/bare/3.png": "contradicts_label",
    }
    assert not (out / "warnings.csv").exists()
    assert [row["person"] for row in table(out / "people.csv") if row["as_expected"] == "no"] == ["person_02"]
    page = PageFile(out / "report.html")
    assert {item["facets"]["reason"] for item in page.items("aside")} == {
        "broken_picture",
        "mask_unsaid",
        "contradicts_label",
    }
    assert "14 of 14 photographs, 3 set aside" in result.output
    report = json.loads((out / "report.json").read_text())
    assert report["bare"] + report["masked"] + sum(report["set_aside"].values()) == report["photographs"] == 14
    assert "other settings" in call(source, out).output
    (source / "person_01/bare/notes.txt").write_text("mine")
    said = " ".join(call(source, out, "--expect", "2,2").output.split())
    assert "the 13 files of SOURCE became 14 since: give --overwrite to make it again, or choose another OUT." in said


def test_files_of_a_file_manager_are_no_photographs(source: Path, tmp_path: Path) -> None:
    for name in (".DS_Store", "person_01/bare/Thumbs.db", "person_01/bare/._1.png", "person_01/masked/desktop.ini"):
        (source / name).write_bytes(b"no picture")
    (source / "person_01/bare/.hidden.png").write_bytes((source / "person_01/bare/1.png").read_bytes())
    result = call(source, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "4 files of a file manager are passed over" in result.output
    assert len(table(tmp_path / "out/gallery.csv")) == 13


def test_a_folder_that_cannot_be_read_is_set_aside(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forbid(source / "person_01/masked", monkeypatch)
    settings = GallerySettings(source, tmp_path / "out")
    found = list_photographs(settings)
    assert len(found.entries) == 10 and not found.unlabelled
    assert [item.key for item in found.unreadable] == ["person_01/masked"]
    assert call(source, tmp_path / "out").exit_code == 3
    (row,) = table(tmp_path / "out/set_aside.csv")
    assert row == {
        "path": "person_01/masked",
        "reason": "unreadable",
        "detail": "the folder cannot be read: Permission denied",
    }


def test_names_of_any_bytes_are_written_as_text(source: Path, tmp_path: Path) -> None:
    shutil.rmtree(source / "person_02")
    for at, name in ((1, os.fsdecode(b"\xff")), (3, os.fsdecode(b"\xe4\xf6"))):
        (source / f"person_0{at}").rename(source / name)
    (source / os.fsdecode(b"\xfe/bare")).mkdir(parents=True)
    (source / os.fsdecode(b"\xfe/bare/1.png")).write_bytes(b"no picture")
    result = call(source, tmp_path / "out")
    assert result.exit_code == 3, result.output
    assert {row["person"] for row in table(tmp_path / "out/gallery.csv")} == {r"\xff", r"\xe4\xf6"}
    people = {row["person"]: row["target"] for row in table(tmp_path / "out/people.csv")}
    assert people == {r"\xe4\xf6": "0", r"\xfe": "", r"\xff": "1"}
    page = PageFile(tmp_path / "out/report.html")
    assert {item["facets"]["person"] for item in page.items("faces")} == {r"\xff", r"\xe4\xf6"}
    assert "people                         2    without a face 1" in result.output
    assert json.loads((tmp_path / "out/report.json").read_text())["faceless"] == 1


def test_a_simulated_gallery_names_people_as_the_run_does(source: Path, tmp_path: Path) -> None:
    person = source / os.fsdecode(b"\xff\\n")
    (source / "person_01/bare").rename(person)
    for other in ("person_01", "person_02", "person_03"):
        shutil.rmtree(source / other)
    run = tmp_path / "run"
    made = CliRunner().invoke(main, ["mask", str(source), str(run), "--bare", "--workers", "1"])
    assert made.exit_code in (0, 3), made.output
    assert call("--simulate", run, tmp_path / "gallery", "--expect", "1,1").exit_code == 0
    rows = table(tmp_path / "gallery/gallery.csv")
    catalogue = pq.read_table(run / "catalogue.parquet").to_pylist()
    assert {row["person"] for row in rows} == {row["person"] for row in catalogue} == {r"\xff\\n"}
    assert {row["source"] for row in rows} == {row["source"] for row in catalogue}


def test_what_is_in_doubt_is_kept_on_request(source: Path, tmp_path: Path) -> None:
    shutil.move(source / "person_02/masked/3.png", source / "person_02/bare/3.png")
    scene = source / "person_01/masked/scene.png"
    scene.write_bytes(encode_image(np.ascontiguousarray(coffee()[::3, ::3]), "png"))
    assert call(source, tmp_path / "out").exit_code == 3
    aside = {row["path"] for row in table(tmp_path / "out/set_aside.csv")}
    assert aside == {"person_02/bare/3.png", "person_01/masked/scene.png"}
    result = call(source, tmp_path / "kept", "--doubtful", "keep")
    assert "doubtful, kept" in result.output
    warned = {row["source"]: (row["said"], row["looks"]) for row in table(tmp_path / "kept/warnings.csv")}
    assert warned["person_02/bare/3.png"] == ("bare", "looks masked")
    assert "other settings" in call(source, tmp_path / "out", "--doubtful", "keep").output


def test_copies_of_one_photograph_are_a_warning_and_not_doubtful(source: Path, tmp_path: Path) -> None:
    shutil.copy(source / "person_01/bare/1.png", source / "person_02/bare/again.png")
    shutil.copy(source / "person_03/bare/1.png", source / "person_03/bare/again.png")
    result = call(source, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "doubtful" not in result.output
    assert "the same bytes                 4    as another photograph, see warnings.csv" in result.output
    report = json.loads((tmp_path / "out/report.json").read_text())
    assert (report["in_doubt"], report["copies"]) == (0, 4)
    said = {row["source"]: (row["said"], row["looks"], row["score"]) for row in table(tmp_path / "out/warnings.csv")}
    assert said == {
        "person_01/bare/1.png": ("person_01", "the same bytes as person_02/bare/again.png", ""),
        "person_02/bare/again.png": ("person_02", "the same bytes as person_01/bare/1.png", ""),
        "person_03/bare/1.png": ("person_03", "the same bytes as person_03/bare/again.png", ""),
        "person_03/bare/again.png": ("person_03", "the same bytes as person_03/bare/1.png", ""),
    }
    page = PageFile(tmp_path / "out/report.html")
    assert "By name (copies: all) copies: all face photograph person copy faces/person_01/bare/1.jpg" in page.text
    assert "person_01 the same bytes as person_02/bare/again.png" in page.text
    assert "looks" not in page.text
    copies = [dict(item["facts"]) for item in page.items("faces") if item["facets"]["label"] != "plausible"]
    assert copies[0]["Copy"] == "the same bytes as person_02/bare/again.png" and "Looks" not in copies[0]
    labels = [item["facets"]["label"] for item in page.items("faces")]
    assert (labels.count("same bytes as another"), labels.count("contradicted")) == (4, 0)


def test_names_and_tables_say_the_same(source: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    lines = ["path,person,masked"]
    for photograph in sorted(source.rglob("*.png")):
        person, state, name = photograph.relative_to(source).parts
        (flat / person).mkdir(parents=True, exist_ok=True)
        shutil.copy(photograph, flat / person / f"{Path(name).stem}{'_mask' if state == 'masked' else ''}.png")
        lines.append(f"{person}/{state}/{name},{person},{int(state == 'masked')}")
    (source / "people.csv").write_text("\n".join(lines) + "\n")
    assert call(flat, tmp_path / "a", "--masked-pattern", "*_mask.*").exit_code == 0
    assert call(source / "people.csv", tmp_path / "b").exit_code == 0
    first, second = table(tmp_path / "a/gallery.csv"), table(tmp_path / "b/gallery.csv")
    same = ("person", "masked", "role", "box", "score")
    assert [[row[name] for name in same] for row in first] == [[row[name] for name in same] for row in second]


def test_wrong_calls_are_one_sentence(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for args, told in (
        ((tmp_path / "nowhere", out), "does not exist: name a folder of photographs, or a CSV with the columns"),
        ((source / "person_01/bare/1.png", out), "is one file: name a folder of photographs, or a CSV with the"),
        ((source / "person_01/bare/1.png", out, "--masked-pattern", "*_mask*"), "is one file: name a folder"),
        ((source, out, "--expect", "three"), "two numbers"),
        ((source, source / "out"), "inside SOURCE"),
        ((source / "person_01", out), "PERSON/bare"),
        ((source, out, "--simulate"), "no finished run"),
        ((source, out, "--simulate", "--keep-original"), "leave out"),
    ):
        result = call(*args)
        assert result.exit_code == 2 and told in " ".join(result.output.split()), result.output
        assert not (out / "gallery.csv").exists()
    bad = tmp_path / "bad.csv"
    bad.write_text("path,person,masked\na.png,../up,1\n")
    assert "no name that a folder can have" in call(bad, out).output
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    assert "no gallery wrote" in call(source, tmp_path / "mine").output


def test_a_gallery_made_up_from_a_run(tmp_path: Path) -> None:
    for name, number, portrait in drawn_people(3, 4, seed=6):
        (tmp_path / "people" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "people" / name / f"{number}.png").write_bytes(encode_image(portrait.image, "png"))
    run = tmp_path / "run"
    made = CliRunner().invoke(main, ["mask", str(tmp_path / "people"), str(run), "--bare", "--workers", "1"])
    assert made.exit_code == 0, made.output
    result = call("--simulate", run, tmp_path / "gallery", "--expect", "2,2")
    assert result.exit_code == 0, result.output
    rows = table(tmp_path / "gallery" / "gallery.csv")
    assert len(rows) == 12
    for person in {row["person"] for row in rows}:
        own = [row for row in rows if row["person"] == person]
        assert len({row["source"] for row in own}) == 4
        assert [row["role"] for row in own].count("probe") == 2
    for row in rows:
        assert row["width"] == row["height"] == "160"
        assert row["alignment"] == "maskgen"
        x0, y0, x1, y1 = map(float, row["box"].split())
        assert (x0 + x1) / 2 == pytest.approx(80, abs=25), "the box is in the pixels of the picture"
        assert (y0 + y1) / 2 == pytest.approx(80, abs=25)
    facts = [dict(item["facts"]) for item in PageFile(tmp_path / "gallery" / "report.html").items("faces")]
    assert {one["Picture's size"] for one in facts} == {"160 x 160"}, "the photographs of the run have other sizes"
    said = call("--simulate", run, tmp_path / "more", "--expect", "3,3").output
    assert "no person has more than 4 photographs; give a smaller --expect" in said
    assert "--bare" not in said


def test_copies_of_one_photograph_are_not_enrolled_and_searched(tmp_path: Path) -> None:
    for name, _, portrait in drawn_people(1, 1, seed=6):
        (tmp_path / "people" / name).mkdir(parents=True, exist_ok=True)
        for copy in ("a.png", "b.png"):
            (tmp_path / "people" / name / copy).write_bytes(encode_image(portrait.image, "png"))
    run = tmp_path / "run"
    made = CliRunner().invoke(main, ["mask", str(tmp_path / "people"), str(run), "--bare", "--workers", "1"])
    assert made.exit_code == 0, made.output
    said = call("--simulate", run, tmp_path / "gallery", "--expect", "1,1").output
    assert "no person has more than 1 photograph;" in said


def test_a_gallery_wants_bare_pictures(tmp_path: Path) -> None:
    for name, number, portrait in drawn_people(2, 2, seed=6):
        (tmp_path / "people" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "people" / name / f"{number}.png").write_bytes(encode_image(portrait.image, "png"))
    made = CliRunner().invoke(main, ["mask", str(tmp_path / "people"), str(tmp_path / "run"), "--workers", "1"])
    assert made.exit_code == 0, made.output
    said = call("--simulate", tmp_path / "run", tmp_path / "gallery", "--expect", "1,1").output
    assert "the run has no bare pictures; make it with --bare" in said
    assert "--expect" not in said
    catalogue = tmp_path / "run" / "catalogue.parquet"
    rows = pq.read_table(catalogue)
    pq.write_table(rows.drop_columns(["kind"]), catalogue)
    assert "has a row without kind: mask again." in call("--simulate", tmp_path / "run", tmp_path / "gallery").output
    catalogue.write_bytes(b"")
    assert "catalogue.parquet cannot be read (" in call("--simulate", tmp_path / "run", tmp_path / "gallery").output
