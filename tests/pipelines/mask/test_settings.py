from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from maskgen.core import images
from maskgen.core.reasons import UserError
from maskgen.formats.any_path import any_path
from maskgen.pipelines.checks import MAX_PIXELS, differences, digest_of, option_name
from maskgen.pipelines.load_models import masker_settings
from maskgen.pipelines.mask.settings import MaskSettings

PLAIN = MaskSettings(Path("photographs"), Path("run"))
OTHER: dict[str, Any] = {
    "source": Path("elsewhere"),
    "kinds": ("n95",),
    "wear": ("nose_out",),
    "per_photo": "all",
    "bare": True,
    "min_trust": 0.75,
    "max_yaw": 45.0,
    "max_pitch": 30.0,
    "masked_input": "keep",
    "unmasked_share": 0.5,
    "size": 112,
    "align": "arcface-scaled",
    "margin": 0.5,
    "crop": "none",
    "faces": "all",
    "aligned": True,
    "segmentation": True,
    "occluders": "keep",
    "write": "tar",
    "format": "png",
    "quality": 80,
    "seed": 1,
    "landmarks": "own",
    "max_pixels": 1000,
    "device": "cuda",
}
HOW: dict[str, Any] = {
    "run": Path("elsewhere"),
    "workers": 7,
    "backend": "dask",
    "overwrite": True,
    "take_over": True,
    "dry_run": True,
    "retry_set_aside": True,
    "prune": True,
    "reuse": Path("elsewhere"),
}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("size", 4, "--size 4 is out of range: give 32 to 2048"),
        ("quality", 0, "--quality"),
        ("quality", 101, "--quality"),
        ("workers", 0, "--workers"),
        ("unmasked_share", 1.5, "--unmasked-share"),
        ("margin", -1.0, "--margin"),
        ("max_yaw", 81.0, "--max-yaw 81.0 is out of range: give 0.0 to 80.0"),
        ("max_pitch", -1.0, "--max-pitch"),
        ("per_photo", 6, "--per-photo 6 is out of range: give 1 to 5"),
        ("per_photo", "some", "--per-photo 'some' is unknown: give random, all or a whole number"),
        ("seed", 2**63, "--seed 9223372036854775808 is out of range: give -9223372036854775808 to 9223372036854775807"),
        ("kinds", (), "--kinds"),
        ("kinds", ("n95", "n95"), "twice"),
        ("crop", "half", "--crop"),
        ("landmarks", "dib", "--landmarks dib is unknown: give dlib or own"),
        ("landmarks_model", Path("absent.dat"), "absent.dat is not a file"),
        ("bare", "no", "bare='no' is neither True nor False"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: Any, said: str) -> None:
    with pytest.raises(UserError, match=said):
        replace(PLAIN, **{name: value})


def test_every_setting_is_known_to_decide_or_not(tmp_path: Path) -> None:
    by_file = {"landmarks_model", "points"}
    assert {field.name for field in fields(MaskSettings)} == {*OTHER, *HOW, *by_file, "scheduler", "labels"}
    for name, value in OTHER.items():
        (told,) = differences(PLAIN.deciding(), replace(PLAIN, **{name: value}).deciding())
        assert told.startswith(option_name(name))
    far = replace(PLAIN, run=any_path("s3://bucket/run"))  # --take-over is for an object store
    for name, value in HOW.items():
        assert replace(far, **{name: value}).deciding() == PLAIN.deciding()
    assert replace(PLAIN, backend="ray", scheduler="auto").deciding() == PLAIN.deciding()


def test_the_library_is_told_no_setting_that_a_whole_photograph_makes_idle() -> None:
    """A file of --config may hold a size, and --align tells how SOURCE is aligned."""
    whole = replace(PLAIN, crop="none", aligned=True, size=112, align="arcface", margin=None)
    assert masker_settings(whole) == masker_settings(replace(PLAIN, crop="none"))
    assert masker_settings(replace(whole, crop="face")).size == 112


def test_paths_mean_the_same_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "print.png").write_bytes(b"a picture")
    (tmp_path / "snout").mkdir()
    (tmp_path / "snout" / "template.toml").write_bytes(b"a form")
    settings = replace(PLAIN, kinds=("n95=3", "cloth:print.png=2", "./snout", "./snout:#ff8800"), reuse=Path("other"))
    everywhere = settings.absolute()
    deciding = settings.deciding()["--kinds"]
    monkeypatch.chdir("/")
    assert everywhere.kinds[0] == "n95=3"
    assert everywhere.deciding()["--kinds"] == deciding
    assert (everywhere.run, everywhere.reuse) == (tmp_path / PLAIN.run, tmp_path / "other")


@pytest.mark.parametrize(
    ("align", "side", "stored"),
    [("maskgen", 112, ""), ("arcface", 112, "arcface"), ("arcface", 128, "arcface-128"), ("facenet", 160, "facenet")],
)
def test_crops_that_keep_their_pixels_are_aligned_as_is_said(align: str, side: int, stored: str) -> None:
    kept = replace(PLAIN, aligned=True, crop="none", align=align)
    assert kept.keeps_crops
    assert kept.alignment_of_crop(side) == stored


def test_labels_are_of_whole_photographs_in_files() -> None:
    whole = replace(PLAIN, crop="none", labels=("coco",))
    assert whole.deciding() == replace(PLAIN, crop="none").deciding()
    for name, value in {"crop": "face", "write": "tar", "run": any_path("s3://bucket/run")}.items():
        with pytest.raises(UserError, match="--labels describes whole photographs in files of this machine"):
            replace(whole, **{name: value})


def test_a_scheduler_is_a_clusters() -> None:
    with pytest.raises(UserError, match="--backend dask or --backend ray"):
        replace(PLAIN, scheduler="127.0.0.1:8786")


def test_a_landmarks_model_is_known_by_its_content(tmp_path: Path) -> None:
    for name, content in {"a": b"one", "b": b"one", "c": b"two"}.items():
        (tmp_path / name).write_bytes(content)
    a, b, c = (replace(PLAIN, landmarks_model=tmp_path / name).deciding() for name in "abc")
    assert digest_of(a) == digest_of(b) != digest_of(c)


def test_a_landmarks_model_is_dlibs(tmp_path: Path) -> None:
    (tmp_path / "model.dat").write_bytes(b"one")
    with pytest.raises(UserError, match="leave out --landmarks own"):
        replace(PLAIN, landmarks="own", landmarks_model=tmp_path / "model.dat")


@pytest.mark.parametrize("empty", ["", []])
def test_a_list_of_nothing_is_none(empty: object) -> None:
    assert differences({"--also": empty}, {"--also": ["rec", "tar"]}) == ["--also (was none, now rec,tar)"]
    assert differences({"--also": 0}, {"--also": None}) == ["--also (was 0, now not set)"]


def test_unmasked_share_is_for_drawn_masks() -> None:
    with pytest.raises(UserError, match="--unmasked-share"):
        replace(PLAIN, per_photo="all", unmasked_share=0.1)


def test_aligned_crops_have_one_face() -> None:
    with pytest.raises(UserError, match="--aligned"):
        replace(PLAIN, aligned=True, faces="all")


def test_the_largest_photograph_is_the_librarys() -> None:
    assert MAX_PIXELS == images.DEFAULT_MAX_PIXELS
