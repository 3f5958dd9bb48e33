"""The training of `masked` in small: benchmarks/frozen_layers.py, last_layers.py and occlusion_gate.py."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

from drawn_people import drawn_people
from frozen_layers import SHAPE, Layers, covered, layers
from last_layers import Behind, Trial, between, embedded, learnt, trained, untrained

from maskgen.embedders.dlib_resnet import dlib_resnet
from maskgen.embedders.masked import MirrorAveraged
from maskgen.embedders.torch_network import CROP, NetworkEmbedder

SMALL = ("data.people=3", "data.images=2", "train.batch_size=6", "train.epochs=1")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Layers:
    """Three drawn people, each with two bare pictures, one of which is said to be the other in a mask."""
    folder = tmp_path_factory.mktemp("drawn")
    files, people = [], []
    for number, (person, _, portrait) in enumerate(drawn_people(3, 4, seed=3)):
        cv2.imwrite(str(folder / f"{number}.png"), cv2.resize(portrait.image, (CROP, CROP))[:, :, ::-1])
        files.append((folder / f"{number}.png", None))
        people.append(person)
    photographs = [f"{number // 2}" for number in range(len(files))]
    return layers([files], people, photographs, [number % 2 == 0 for number in range(len(files))], folder / "kept")


def test_frozen_and_last_layers_are_the_whole_network(drawn: Layers) -> None:
    whole = dlib_resnet()
    both = NetworkEmbedder("both", MirrorAveraged(whole.model), whole.dim, whole.data)
    folder = Path(drawn.maps[0][0].filename).parent.parent  # type: ignore[attr-defined]
    crops = [cv2.imread(str(folder / f"{row}.png"))[:, :, ::-1] for _, row in drawn.at]
    expected = both.embed([np.ascontiguousarray(one) for one in crops])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(drawn.embeddings, expected, atol=1e-4)
    np.testing.assert_allclose(embedded(untrained(), drawn), expected, atol=2e-3)  # the maps are kept in float16


def test_the_same_seed_gives_the_same_bytes(drawn: Layers) -> None:
    trial, own = Trial(SMALL), learnt(untrained())
    first, again = (trained(drawn, trial, 0) for _ in range(2))
    assert all(torch.equal(learnt(first)[name], value) for name, value in learnt(again).items())
    assert {name.split(".")[1] for name in own} == {"stage3", "stage4", "stage5", "weight"}
    assert not any(torch.equal(value, own[name]) for name, value in learnt(first).items())
    for name, value in learnt(between([first], 0.5)).items():
        torch.testing.assert_close(value, (learnt(first)[name] + own[name]) / 2)


def test_layers_that_are_frozen_beyond_are_run_once_and_stay(drawn: Layers) -> None:
    own, rows = untrained(), np.arange(len(drawn))
    expected = own.backbone[1](own.backbone[0](torch.from_numpy(drawn.values(rows, rows * 0))))
    found = Behind(drawn, own, 4).values(rows, rows * 0)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=2e-3, atol=2e-3)
    tail = trained(drawn, Trial((*SMALL, "model.frozen=4")), 0)
    same = {name: torch.equal(value, own.state_dict()[name]) for name, value in tail.named_parameters()}
    assert all(same[name] for name in same if "stage3" in name)
    assert not any(same[name] for name in same if "stage4" in name)
    assert embedded(tail, drawn).shape == drawn.embeddings.shape


def test_a_gate_begins_as_no_gate_and_learns_what_is_hidden(drawn: Layers) -> None:
    gated = untrained(Trial(SMALL, 1.0))
    np.testing.assert_allclose(embedded(gated, drawn), embedded(untrained(), drawn), atol=1e-6)
    found = learnt(trained(drawn, Trial(SMALL, 1.0), 0))
    names = [name for name in found if name.startswith("backbone.maps.1.covered")]
    assert len(names) == 2
    assert not any(torch.equal(found[name], learnt(gated)[name]) for name in names)


def test_cover_is_where_cloth_is(tmp_path: Path) -> None:
    cloth = np.zeros((150, 150), np.uint8)
    cloth[77:] = 255
    cloth[:40] = 100  # loops
    cv2.imwrite(str(tmp_path / "cloth.png"), cloth)
    found = covered(tmp_path / "cloth.png", np.eye(2, 3))
    assert found.shape == SHAPE[1:]
    assert (found[:9] == 0).all()
    assert (found[9:] == 255).all()
    assert (covered(None, np.eye(2, 3)) == 0).all()
