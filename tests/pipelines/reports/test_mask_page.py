from __future__ import annotations

import base64
import functools
import json
import shlex
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from fake_masker import make_fake, make_told
from page_reader import PageFile
from support import lasting, picture, run, tree, write, write_people

from maskgen.core.images import encode_image
from maskgen.core.reasons import Reason
from maskgen.pipelines.cli import main
from maskgen.pipelines.mask import run as runner
from maskgen.pipelines.mask.run import run_mask
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.reports import catalogue_sample, face_thumbnails, mask_gallery, mask_page
from maskgen.pipelines.reports.page import thumbnails
from maskgen.pipelines.reports.page.page import MOST_BYTES
from maskgen.pipelines.reports.reasons import MEANING

HOSTILE = '<script>alert(1)</script> & "Ann" \'O'


def told(source: Path, out: Any, **options: Any) -> PageFile:
    run_mask(MaskSettings(source, out, **options), make_told)
    return PageFile(out / "report.html")


def test_a_page_says_what_became_of_the_photographs(source: Path, tmp_path: Path) -> None:
    write(source / "person 0" / "lost.png", picture(900, "no_face"))
    write(source / "person 1" / "text.png", b"no picture")
    page = told(source, tmp_path / "run", kinds=("n95", "kn95"), segmentation=True)
    assert "26 photographs of 3 people: 24 masked, 2 set aside (1 no_face, 1 not_a_picture)." in page.text
    assert "Each folder of photographs counts as one person" in page.text
    assert "The command that repeats this run" in page.text and "such as photographs that were added" in page.text
    assert {item["facets"]["reason"] for item in page.items("aside")} == {"no_face", "not_a_picture"}
    assert "person 0/lost.png" in page.text and "person 1/text.png" in page.text
    thumbs = {item["facets"]["reason"]: item["sides"][0]["img"] for item in page.items("aside")}
    assert thumbs["not_a_picture"] is None and thumbs["no_face"] is not None
    items = page.items("outputs")
    assert len(items) == 24
    assert {item["facets"]["kind"] for item in items} == {"n95", "kn95"}
    assert all(set(item["facets"]) == {"kind", "wear", "person", "pose", "light", "trust"} for item in items)
    assert page.asked_for == []
    assert all(told.get("alt") != "" for name, told in page.tags if name == "img")


def test_the_command_on_the_page_repeats_the_run(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run_mask", functools.partial(runner.run_mask, factory=make_fake))
    options = {"kinds": ("n95=3", "surgical:#ff8800"), "wear": ("proper=8", "nose_out"), "bare": True, "size": 96}
    run(source, tmp_path / "a run", **options, seed=-4, workers=1)
    page = PageFile(tmp_path / "a run" / "report.html")
    line = page.text[page.text.index("maskgen mask ") :].partition("--seed -4")
    words = shlex.split(line[0] + line[1])
    assert words[:2] == ["maskgen", "mask"]
    words[words.index(str(tmp_path / "a run"))] = str(tmp_path / "again")
    done = CliRunner().invoke(main, [*words[1:], "--workers", "1"])
    assert done.exit_code == 0, done.output
    assert tree(tmp_path / "again") == tree(tmp_path / "a run")


def test_equal_runs_have_equal_pages_but_for_one_block(source: Path, tmp_path: Path) -> None:
    for name, workers in (("one", 1), ("two", 2)):
        told(source, tmp_path / name, workers=workers)
    one, two = (tmp_path / name / "report.html" for name in ("one", "two"))
    assert lasting(one) == lasting(two)
    assert one.read_bytes() != two.read_bytes()  # the folder
    assert str(tmp_path / "one").encode() not in lasting(one)


def test_the_worst_are_shown_whatever_the_sample(source: Path, tmp_path: Path) -> None:
    write_people(source, people=8, each=50)
    page = told(source, tmp_path / "run", workers=2)
    rows = [item for item in page.items("outputs") if "trust" in item["sorts"]]
    assert len(rows) < 400
    lowest = min(item["sorts"]["trust"] for item in rows)
    import pyarrow.parquet as pq

    column = pq.read_table(tmp_path / "run" / "catalogue.parquet")["trust"].to_pylist()
    assert lowest == min(column)
    assert sorted(column)[:20] == sorted(item["sorts"]["trust"] for item in rows)[:20]
    assert "A sample of" in page.data["galleries"]["outputs"]["note"]


@pytest.mark.parametrize("bare", [True, False])
def test_bare_lies_under_the_slider(source: Path, tmp_path: Path, bare: bool) -> None:
    page = told(source, tmp_path / "run", bare=bare, kinds=("cloth_black",))
    items = page.items("outputs")
    assert len(items) == 24 and {item["facets"]["kind"] for item in items} == {"cloth_black"}
    for item in items:
        masked, under = (decoded(page, item["sides"][0][name]) for name in ("img", "bare"))
        assert masked[30:, 10:40].mean() < 10 < 50 < under[30:, 10:40].mean()


def decoded(page: PageFile, number: int) -> Any:
    data = base64.b64decode(page.data["pictures"][number])
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def test_names_are_never_markup(tmp_path: Path) -> None:
    source = tmp_path / "photographs"
    person = HOSTILE.replace("/", "%")
    write(source / person / "</script><img src=x onerror=alert(2)>.png".replace("/", "%"), picture(1))
    write(source / person / "<b>.png", picture(2, "no_face"))
    page = told(source, tmp_path / "run")
    assert [name for name, _ in page.tags].count("script") == 2
    assert not [name for name, told in page.tags if name == "b" or "onerror" in told]
    assert page.items("outputs")[0]["said"][1] == person
    assert "<b>.png" in page.text
    assert page.asked_for == []


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    source = tmp_path / "photographs"
    source.mkdir()
    try:
        write(source / "A" / "b\udcff\u202e\n.png", picture(1))
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system wants UTF-8")
    assert len(told(source, tmp_path / "run").items("outputs")) == 1


@pytest.mark.parametrize("nothing", [True, False])
def test_nothing_masked_and_nothing_set_aside(source: Path, tmp_path: Path, nothing: bool) -> None:
    if nothing:
        source = tmp_path / "other"
        write(source / "Ann" / "0.png", picture(1, "no_face"))
    page = told(source, tmp_path / "run")
    assert ("No picture was written." in page.text) == nothing
    assert ("Nothing was set aside." in page.text) != nothing
    assert (tmp_path / "run" / "CARD.md").is_file()


def test_a_page_of_many_large_pictures_is_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue_sample, "SHARE", 1.0)  # as many as of a large run
    source = tmp_path / "photographs"
    for number in range(260):
        write(source / f"{'n' * 200}{number % 5}" / f"{number:04}.png", picture(number, side=160))
    for number in range(150):
        write(source / "lost" / f"{number:04}.png", picture(1000 + number, "no_face", side=160))
    page = told(source, tmp_path / "run", bare=True, workers=2)
    assert len(page.bytes) < MOST_BYTES
    assert len(page.items("aside")) == 120
    assert "A sample of 150" in page.data["galleries"]["aside"]["note"]
    assert len(page.items("outputs")) >= 200


def test_what_is_shown_is_a_share_of_the_run_within_bounds() -> None:
    def shown(**outputs: int) -> dict[str, int]:
        return {kind: len(places) for kind, places in catalogue_sample._wanted(outputs).items()}

    assert shown(n95=50, kn95=30, bare=80) == {"n95": 50, "kn95": 30}
    assert sum(shown(n95=500, kn95=300).values()) == 120
    assert sum(shown(n95=700, kn95=580).values()) == 160
    assert shown(n95=10**6, kn95=10**6, cloth=3) == {"n95": 98, "kn95": 99, "cloth": 3}


def test_the_bare_picture_lies_under_the_masked_one(source: Path, tmp_path: Path) -> None:
    """A photograph's part, cut anew in the thumbnail's size, is the crop's thumbnail in all but the last bits."""
    rng = np.random.default_rng(3)
    photograph = cv2.GaussianBlur(rng.integers(0, 256, (300, 280, 3), np.uint8), (0, 0), 6)
    photograph = cv2.normalize(photograph, None, 0, 255, cv2.NORM_MINMAX)
    write(tmp_path / "a.png", encode_image(photograph, "png"))
    for scale, size in ((1.0, 160), (0.8, 160), (1.9, 112), (1.3, 400)):
        matrix = np.array([[scale, 0.1, -9.3], [-0.1, scale, -20.6]])
        crop = cv2.warpAffine(photograph, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
        cut = face_thumbnails._cut(tmp_path, {"source": "a.png", "matrix": matrix.ravel().tolist()}, crop)
        assert cut is not None
        like = thumbnails._within(crop, thumbnails.SIDE)
        assert cut.shape == like.shape
        assert np.abs(cut.astype(int) - like).mean() < 1.5


def test_a_run_that_goes_on_says_what_its_last_start_took(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    write_people(source, people=6, each=40)
    told(source, out)
    write_people(source, people=7, each=8)
    page = told(source, out)
    assert "248 photographs of 7 people" in page.text
    assert "the last start" in page.text and "for 248 photographs" not in page.text
    (out / "report.html").unlink()
    assert told(source, out).bytes == page.bytes  # nothing was done but the page


def test_a_run_in_tars_has_the_same_pictures_on_its_page(source: Path, tmp_path: Path) -> None:
    plain = told(source, tmp_path / "plain", bare=True)
    tars = told(source, tmp_path / "tars", bare=True, write="tar")
    assert plain.data["pictures"] == tars.data["pictures"]


def test_a_run_in_an_object_store_has_a_page(source: Path, tmp_path: Path) -> None:
    import fsspec

    from maskgen.formats.any_path import RemotePath

    out = RemotePath(f"memory://{tmp_path.name}-page/run")
    page = told(source, out)
    assert len(page.items("outputs")) == 24
    assert str(out) in page.text
    assert (out / "CARD.md").read_text().startswith("# photographs, masked")
    fsspec.filesystem("memory").rm(f"/{tmp_path.name}-page", recursive=True)


def test_every_reason_has_a_meaning() -> None:
    assert set(MEANING) == {str(reason) for reason in Reason}


def test_a_card_says_what_a_run_is(source: Path, tmp_path: Path) -> None:
    write(source / "person 0" / "lost.png", picture(900, "no_face"))
    run(source, tmp_path / "run", seed=5)
    text = (tmp_path / "run" / "CARD.md").read_text("utf-8")
    for said in (
        "24 pictures",
        "25 photographs of 3 people",
        "no\\_face",
        "seed is 5",
        f"    maskgen mask {source} --seed 5 RUN",
        "## Known limits",
        "## Licence",
    ):
        assert said in text, said
    assert all(name in text for name in json.loads((tmp_path / "run" / "report.json").read_text())["versions"])


def test_a_licence_that_was_filled_in_stays(source: Path, tmp_path: Path) -> None:
    card = tmp_path / "run" / "CARD.md"
    run(source, tmp_path / "run")
    before, mark, after = card.read_text("utf-8").partition("Not filled in.")
    assert mark
    _, end, rest = after.partition("<!-- /licence -->")
    card.write_text(before + "CC BY 4.0, with consent.\n" + end + rest, "utf-8")
    write_people(source, people=4, each=8)
    run(source, tmp_path / "run")
    text = card.read_text("utf-8")
    assert "CC BY 4.0, with consent." in text and "Not filled in" not in text
    assert "32 photographs of 4 people" in text
    card.write_text("My own words.\n")
    write_people(source, people=5, each=8)
    run(source, tmp_path / "run")
    assert card.read_text() == "My own words.\n"
    run(source, tmp_path / "run", overwrite=True)
    assert "40 photographs of 5 people" in card.read_text("utf-8")


def test_the_most_frequent_reasons_are_told() -> None:
    assert mask_page.set_aside_text({}) == "0 set aside"
    five = {"no_face": 2, "already_masked": 6, "too_small": 1, "low_score": 1, "broken_picture": 1}
    told_ = mask_page.set_aside_text(five)
    assert told_.startswith("11 set aside (6 already_masked, 2 no_face, ") and told_.endswith(", 1 for other reasons)")


def test_a_pose_of_nearly_nothing_has_no_sign() -> None:
    row = {"path": "a", "source": "a", "person": "a", "kind": "n95", "yaw": -0.3, "pitch": -1.4, "roll": -0.04}
    assert dict(mask_gallery._facts(row, ""))["Pose"] == "yaw 0°, pitch -1°, roll 0°"
