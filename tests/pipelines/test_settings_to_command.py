"""The line on a page is read back by the command as the settings that it was made of."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import click
import pytest

from maskgen.formats.any_path import RemotePath
from maskgen.pipelines.evaluate.command import evaluate_command
from maskgen.pipelines.evaluate.page import evaluate_command as evaluate_line
from maskgen.pipelines.evaluate.settings import EvaluateSettings
from maskgen.pipelines.gallery.command import gallery_command
from maskgen.pipelines.gallery.page import gallery_command as gallery_line
from maskgen.pipelines.gallery.settings import GallerySettings
from maskgen.pipelines.mask.command import mask_command
from maskgen.pipelines.mask.settings import MaskSettings
from maskgen.pipelines.options import fill_size
from maskgen.pipelines.pairs.command import pairs_command
from maskgen.pipelines.pairs.page import pairs_command as pairs_line
from maskgen.pipelines.pairs.settings import PairsSettings
from maskgen.pipelines.reports.outcome import mask_command as mask_line
from maskgen.pipelines.train.command import train_command
from maskgen.pipelines.train.page import train_command as train_line
from maskgen.pipelines.train.settings import TrainSettings

AWKWARD = Path('/a folder/it\'s "x"; $HOME')


def read_back(command: click.Command, line: str) -> dict[str, Any]:
    words = shlex.split(line)
    assert words[:2] == ["maskgen", command.name]
    found = dict(command.make_context("maskgen", words[2:]).params)
    if "size" in found:
        fill_size(found)
    return found


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"kinds": ("n95=3", "surgical:#ff8800"), "wear": ("proper=8", "nose_out"), "seed": -4, "write": "tar"},
        {"per_photo": 2, "bare": True, "unmasked_share": 0.1, "size": 112, "align": "arcface", "quality": 90},
        {"per_photo": "all", "crop": "none", "faces": "all", "min_trust": 0.0, "masked_input": "keep", "margin": None},
        {
            "source": RemotePath("s3://bucket/a b"),
            "margin": 0.25,
            "segmentation": True,
            "format": "png",
            "device": "cuda",
        },
        {"kinds": ("cloth:#ff0000+dots",), "max_yaw": 30.0, "max_pitch": 20.5},
        {"aligned": True, "crop": "none", "align": "arcface"},
        {"segmentation": "classes", "occluders": "keep", "crop": "none", "faces": "all", "labels": ("coco", "yolo")},
    ],
)
def test_mask(options: dict[str, Any]) -> None:
    settings = MaskSettings(**({"source": AWKWARD / "in", "run": AWKWARD / "out"} | options))
    found = read_back(mask_command, mask_line(settings)) | {"workers": 1}
    assert MaskSettings(**found) == settings


@pytest.mark.parametrize(
    "options",
    [
        {"run": AWKWARD},
        {
            "train": (Path("/a"), Path("/b c")),
            "eval": (Path("/d"),),
            "also": ("lfw", "bin"),
            "mix": (("mm", 1.0), ("mb", 0.5)),
        },
        {"run": AWKWARD, "people": (0.7, 0.2, 0.1), "max_pairs": 9, "balance": 3, "min_images": 2, "paths": "absolute"},
    ],
)
def test_pairs(options: dict[str, Any]) -> None:
    settings = PairsSettings(out=AWKWARD / "lists", **options)
    found = read_back(pairs_command, pairs_line(settings))
    assert not found.pop("check") and found.pop("root") is None and not found.pop("verbose")
    assert PairsSettings(**found) == settings


def test_gallery() -> None:
    settings = GallerySettings(
        *(AWKWARD, Path("/out"), "*mask*"),
        expect=(3, 2),
        keep_original=True,
        doubtful="keep",
        size=112,
        align="arcface",
        seed=5,
    )
    assert GallerySettings(**read_back(gallery_command, gallery_line(settings))) == settings


def test_train() -> None:
    overrides = ("optimizer.lr=0.01", "data.masks=online")
    settings = TrainSettings("model1", AWKWARD, Path("/run"), epochs=2, seed=3, set=overrides, pretrained=False)
    assert TrainSettings(**read_back(train_command, train_line(settings))) == settings


def test_evaluate(tmp_path: Path) -> None:
    settings = EvaluateSettings("a model.onnx", data=tmp_path, input_file=tmp_path / "i.toml", replicates=50, workers=2)
    assert EvaluateSettings(**read_back(evaluate_command, evaluate_line(settings))) == settings


def test_evaluate_on_a_benchmark(tmp_path: Path) -> None:
    settings = EvaluateSettings("dlib", benchmark=("mfr2", tmp_path), seed=2, workers=2)
    assert EvaluateSettings(**read_back(evaluate_command, evaluate_line(settings))) == settings
