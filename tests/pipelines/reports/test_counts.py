"""Every count of a run's reports, counted again from the catalogue, set_aside.csv and the files."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any

import cv2
import pyarrow.parquet as pq
import pytest
from support import catalogue

from maskgen.api import draw_sample
from maskgen.pipelines.mask.command import run_and_print
from maskgen.pipelines.mask.run import dry_run, run_mask
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.reports.catalogue_sample import pose_of, trust_of
from maskgen.pipelines.reports.run_report import Report

RUNS: dict[str, dict[str, Any]] = {
    "one mask each": {},
    "masked and bare": {"bare": True, "segmentation": "classes"},
    "every kind": {"per_photo": "all", "kinds": ("n95", "surgical_blue"), "bare": True},
    "half of them bare": {"unmasked_share": 0.5},
    "two each or bare": {"unmasked_share": 0.5, "per_photo": 2, "bare": True},
    "all bare": {"unmasked_share": 1.0},
    "every face cut": {"faces": "all", "bare": True},
    "whole photographs": {"crop": "none", "labels": ("coco", "yolo")},
    "every face of whole photographs": {"crop": "none", "faces": "all"},
    "the same, also bare": {"crop": "none", "faces": "all", "bare": True, "segmentation": "classes"},
    "the same, every kind": {
        "crop": "none",
        "faces": "all",
        "per_photo": "all",
        "kinds": ("n95", "cloth"),
        "bare": True,
    },
    "the same, half of them bare": {"crop": "none", "faces": "all", "unmasked_share": 0.5, "write": "tar"},
    "the forms of the world": {"crop": "none", "faces": "all", "kinds": ("world",)},
}


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photographs of four people; of two of them each also stands beside another, once at a strange side."""
    folder = tmp_path_factory.mktemp("groups")
    draw_sample(folder, people=4, each=3)
    people = sorted(folder.iterdir())
    for person, other in zip(people[:2], people[2:], strict=True):
        pictures = [cv2.imread(str(one / "01.png")) for one in (person, other)]
        cv2.imwrite(str(person / "both.png"), cv2.hconcat(pictures))
        cv2.imwrite(str(person / "lying.png"), cv2.hconcat([pictures[0], pictures[1], pictures[1][::-1]]))
    cv2.imwrite(str(people[0] / "nobody.png"), pictures[0][:40, :40])
    return folder


class Counts:
    """What a report.html counts: its large numbers, and its tables of bars by their captions."""

    def __init__(self, page: Path) -> None:
        text = page.read_text("utf-8").replace("<wbr>", "")
        large = re.search(r'<dl class="numbers">(.*?)</dl>', text)[1]  # type: ignore[index]
        self.numbers = self._pairs(re.findall(r"<dt>([^<]*)</dt><dd>([\d,]+)</dd>", large))
        self.tables = {
            caption: self._pairs(re.findall(r'data-value="([^"]*)".*?<td class="number">([\d,]+)</td>', body))
            for caption, body in re.findall(r'<table class="bars"[^>]*><caption>(.*?)</caption>(.*?)</table>', text)
        }
        self.lead = unescape(re.sub("<[^>]*>", "", re.search(r'<p class="lead">(.*?)</p>', text)[1]))  # type: ignore[index]

    @staticmethod
    def _pairs(found: list[tuple[str, str]]) -> dict[str, int]:
        return {unescape(name): int(count.replace(",", "")) for name, count in found}


def by(rows: list[dict[str, Any]], name: str) -> dict[str, int]:
    return dict(Counter(row[name] or "" for row in rows))


@pytest.mark.parametrize("name", RUNS)
def test_every_count_is_that_of_the_catalogue_and_the_files(name: str, groups: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    settings = MaskSettings(groups, out, workers=1, **RUNS[name])
    planned = dry_run(settings)
    report = run_mask(settings)
    rows = catalogue(out)
    pictures = [row for row in rows if not row["picture_face"]]
    masks = [row for row in rows if row["kind"] != "bare"]
    masked, bare = ({row["path"] for row in rows if (row["kind"] == "bare") == is_bare} for is_bare in (False, True))
    with (out / "set_aside.csv").open(encoding="utf-8", newline="") as file:
        aside = [(row["what"], row["reason"]) for row in csv.DictReader(file)]
    lost = dict(Counter(reason for what, reason in aside if what == "photograph"))
    lost_faces = dict(Counter(reason for what, reason in aside if what == "face"))
    used, people = {row["source"] for row in rows}, {row["person"] for row in rows}

    if settings.write == "folders":
        assert {one.relative_to(out).as_posix() for one in (out / "faces").rglob("*.jpg")} == masked | bare
    page = Counts(out / "report.html")
    wanted = {
        "people": 4,
        "photographs": len(list(groups.rglob("*.png"))),
        "photographs used": len(used),
        "photographs set aside": sum(lost.values()),
        "people without any picture": 4 - len(people),
        "masked pictures": len(masked),
    }
    wanted |= {"bare pictures": len(bare)} if bare else {}
    if len(rows) > len(pictures):
        wanted |= {"masked faces": len(masks)} | ({"bare faces": len(rows) - len(masks)} if bare else {})
    wanted |= {"faces set aside": sum(lost_faces.values())} if lost_faces else {}
    assert page.numbers == wanted

    title = "Faces by mask" if len(rows) > len(pictures) else "Pictures by mask"
    tables = {title: by(rows, "kind"), "Pictures by person": by(pictures, "person")}
    if masks:
        tables["Masks by wearing position"] = by(masks, "wearing")
        tables["Masked faces by pose"] = dict(Counter(pose_of(row["yaw"]) for row in masks))
        tables["Masked faces by trust in their landmarks"] = dict(Counter(trust_of(row["trust"]) for row in masks))
    if any(row["form"] for row in masks):
        tables["Masks by form"] = by(masks, "form")
    if any(row["print"] for row in masks):
        tables["Masks by print"] = {print_ or "plain": count for print_, count in by(masks, "print").items()}
    tables |= {"Photographs, by reason": lost} if lost else {}
    tables |= {"Further faces, by reason": lost_faces} if lost_faces else {}
    assert page.tables == tables
    check_lead(page.lead, len(used), len(masked), len(bare), len(masks), len(rows) > len(pictures))
    check_gallery(out / "report.html", masks, rows)

    stored = json.loads((out / "report.json").read_text())
    told = {
        "people": 4,
        "people_written": len(people),
        "photographs": wanted["photographs"],
        "written": len(used),
        "images": len(masked | bare),
        "outputs": by(pictures, "kind"),
        "faces": len(rows),
        "faces_by_kind": by(rows, "kind"),
        "catalogue_rows": pq.read_metadata(out / "catalogue.parquet").num_rows,
        "several_faces": len({row["source"] for row in rows if row["faces_found"] > 1}),
        "set_aside": lost,
        "faces_set_aside": lost_faces,
    }
    assert {key: stored[key] for key in told} == told
    each_face = settings.faces == "all" and settings.crop == "face"
    most = max(Counter((row["source"], row["face"] if each_face else 0) for row in pictures).values())
    assert planned.images == most * planned.photographs
    assert ("for each face" in planned.table(), "at most" in planned.table()) == (each_face, name == "two each or bare")
    check_table(report, told, len(masked), len(bare))
    check_card((out / "CARD.md").read_text("utf-8"), told, len(masked), len(bare), len(masks))


def check_lead(lead: str, used: int, masked: int, bare: int, masks: int, shared: bool) -> None:
    if not bare and not shared:
        assert f": {used} masked, " in lead
        return
    said = [f"{masked} masked"] if masked else []
    said += [f"{bare} bare"] if bare else []
    assert f": {used} gave {' and '.join(said)} pictures" in lead
    assert (f"with {masks} masked faces" in lead) == shared
    assert f"{used} masked" not in lead.replace(f"{masked} masked", "") or masked == used


def check_gallery(page: Path, masks: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    data = json.loads(re.search(r'id="data"[^>]*>(.*?)</script>', page.read_text("utf-8"))[1])  # type: ignore[index]
    gallery = data["galleries"]["outputs"]
    assert gallery["total"] == len(masks or rows)
    assert gallery["totals"]["kind"] == by(masks, "kind")
    for item in gallery["items"]:
        for facet in ("kind", "pose", "trust"):
            assert item["facets"][facet] in gallery["totals"][facet] or not masks


def check_table(report: Report, told: dict[str, Any], masked: int, bare: int) -> None:
    lines = {line[:16].strip(): line[16:].split() for line in report.table().splitlines()}
    assert lines["people"][0] == str(told["people_written"])
    assert lines["photographs in"] == [str(told["photographs"])]
    assert lines["images out"][0] == str(told["images"])
    assert int((lines.get("several faces") or ["0"])[0]) == told["several_faces"]
    assert lines["set aside"][0] == str(sum(told["set_aside"].values()))
    assert int((lines.get("faces set aside") or ["0"])[0]) == sum(told["faces_set_aside"].values())
    kinds = {f"{kind} {count}" for kind, count in told["faces_by_kind"].items()}
    text = {name: " ".join(words[1:]) for name, words in lines.items()}
    if told["faces"] > told["images"]:
        assert lines["faces in them"][0] == str(told["faces"])
        assert set(text["faces in them"].split(", ")) == kinds
        whole = {f"masked {masked}"} | ({f"bare {bare}"} if bare else set())
        assert set(text["images out"].split(", ")) == whole
    else:
        assert "faces in them" not in lines
        assert set(text["images out"].split(", ")) == kinds


def check_card(card: str, told: dict[str, Any], masked: int, bare: int, masks: int) -> None:
    shared = told["faces"] > told["images"]
    first = card.split("\n")[2]
    numbers = [masks, masked] if shared else [masked]
    numbers += [bare] if bare else []
    assert [int(one) for one in re.findall(r"\d+", first.partition(", made with")[0])] == [
        *numbers,
        told["people_written"],
    ]
    head = "| mask | faces |" if shared else "| mask | pictures |"
    body = card.partition(head + "\n")[2].partition("\n\n")[0].splitlines()[1:]
    listed = {name.replace("\\", ""): int(count) for name, count in (line.strip("| ").split(" | ") for line in body)}
    assert listed == told["faces_by_kind"]
    faces = sum(told["faces_set_aside"].values())
    assert (f"{faces} more face" in card) == bool(faces)


@pytest.mark.parametrize("name", ["every kind", "whole photographs", "the same, also bare", "all bare", "no face"])
def test_the_files_of_the_page_are_those_of_the_run(name: str, groups: Path, tmp_path: Path) -> None:
    """What `Files` says lies in the folder, and nothing else does but the page and the lock."""
    out = tmp_path / "run"
    source = groups if name in RUNS else tmp_path / "nobody"
    if name not in RUNS:
        source.mkdir()
        (source / "1.png").write_bytes((groups / "person_01" / "nobody.png").read_bytes())
    settings = MaskSettings(source, out, workers=1, **RUNS.get(name, {"segmentation": "classes", "crop": "none"}))
    run_and_print(settings)
    there = {one.name + "/" * one.is_dir() for one in out.iterdir()} - {"report.html", ".lock"}
    text = (out / "report.html").read_text("utf-8").replace("<wbr>", "")
    files = text[text.index('id="files"') :]
    told = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", files[: files.index("Versions")]))
    later = {file for file, what in told.items() if "with --labels" in what}
    assert told.keys() - later == there
    assert (later == set()) == (bool(settings.labels) or settings.crop == "face" or name not in RUNS)
