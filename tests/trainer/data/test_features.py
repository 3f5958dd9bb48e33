"""Training on a frozen recogniser's features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from list_makers import picture, png, write_lists
from runs import report, train, weights

from maskgen.core.reasons import UserError
from maskgen.core.records import Floats
from maskgen.embedders.base import FaceEmbedder, Images
from maskgen.embedders.dlib_resnet import dlib_resnet
from maskgen.metrics.distances import normalised
from maskgen.pipelines.train import features as train_features
from maskgen.pipelines.train.features import features_of
from maskgen.trainer.checkpoints import load_model
from maskgen.trainer.data.lists import read_training_list

SMALL = ("--set", "data.people=4", "--set", "data.images=2", "--epochs", "2")


class MeanColour(FaceEmbedder):
    """Stands in for a recogniser."""

    name, dim, size = "dlib", 3, 16

    def __init__(self) -> None:
        self.seen = 0

    def _embed(self, images: Images) -> Floats:
        self.seen += len(images)
        return images.mean((1, 2), dtype=np.float64).astype(np.float32)


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return write_lists(tmp_path / "lists", people=4, each=6)


def test_features_are_computed_once_for_the_bytes_that_a_picture_has(
    lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(train_features, "EACH", 7)
    listed, stand_in = read_training_list(lists), MeanColour()

    def asked() -> Floats:
        return features_of(tmp_path / "kept", listed.root, listed.addresses, "dlib", 1, lambda _: stand_in)

    found = asked()
    slow = normalised(np.stack([picture(n // 6, n % 6).mean((0, 1)) for n in range(24)]))
    assert np.allclose(found, slow, atol=0.02)
    assert stand_in.seen == 24
    assert np.array_equal(asked(), found)
    assert stand_in.seen == 24
    (lists / "faces/1/2.png").write_bytes(png(picture(9, 9)))
    changed = np.flatnonzero((asked() != found).any(1)).tolist()
    assert changed == [8]
    assert stand_in.seen == 24 + 7


@pytest.mark.parametrize("how", ["empty", "cut", "zeroed", "one bit"])
def test_kept_features_that_are_damaged_are_computed_again(lists: Path, tmp_path: Path, how: str) -> None:
    listed, stand_in = read_training_list(lists), MeanColour()

    def asked() -> Floats:
        return features_of(tmp_path / "kept", listed.root, listed.addresses, "dlib", 1, lambda _: stand_in)

    found = asked()
    (kept,) = (tmp_path / "kept").iterdir()
    assert np.array_equal(np.load(kept), found)
    data = bytearray(kept.read_bytes())
    data[200] ^= 1
    damaged = {"empty": b"", "cut": data[:-40], "zeroed": bytes(len(data)), "one bit": data}[how]
    kept.write_bytes(damaged)
    assert np.array_equal(asked(), found)
    assert stand_in.seen == 48


def test_pictures_that_cannot_be_read_have_none(lists: Path, tmp_path: Path) -> None:
    (lists / "faces/0/1.png").unlink()
    (lists / "faces/2/0.png").write_bytes(b"no picture")
    listed = read_training_list(lists)
    found = features_of(tmp_path / "kept", listed.root, listed.addresses, "dlib", 1, lambda _: MeanColour())
    assert np.flatnonzero(np.isnan(found[:, 0])).tolist() == [1, 12]
    nothing = pa.array(["a.png", "b.png"], pa.large_string())
    with pytest.raises(UserError, match="None of 2 pictures"):
        features_of(tmp_path / "kept", lists, nothing, "dlib", 1, lambda _: MeanColour())


def test_an_adapter_trains_on_the_recognisers_own_embeddings(tmp_path: Path) -> None:
    lists = write_lists(tmp_path / "lists", people=4, each=2)
    (lists / "faces/0/1.png").write_bytes(b"no picture")
    # To dlib's network pictures without a face look much alike, which the check for a collapse may take for one.
    small = (*SMALL, "--set", "train.on_collapse=go_on")
    result = train(lists, tmp_path / "run", *small, "--max-steps", "1", recipe="adapter", code=3)
    assert result.output.count("faces/0/1.png: it has no features") == 1
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "run/features").iterdir()}
    assert len(kept) == 2  # of the list, and of the pairs to judge on
    train(lists, tmp_path / "run", *small, "--workers", "2", "--resume", recipe="adapter", code=3)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run/features").iterdir()} == kept
    train(lists, tmp_path / "whole", *small, recipe="adapter", code=3)
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")
    assert report(tmp_path / "run")["unreadable"] == 1
    model, recipe = load_model(tmp_path / "run/last")
    assert recipe.data.features == "dlib"
    kept_rows = [np.load(path) for path in kept]
    (of_list,) = [one for one in kept_rows if len(one) == 8]
    assert np.allclose(of_list[3], dlib_resnet().embed([picture(1, 1)])[0], atol=1e-6)
    assert model.dim == 128
