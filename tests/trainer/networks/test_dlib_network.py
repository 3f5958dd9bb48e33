"""dlib's network as PyTorch runs it, against dlib."""

from __future__ import annotations

from pathlib import Path

import dlib
import numpy as np
import pytest
import torch
from drawn_people import drawn_people

from maskgen.core.images import decode
from maskgen.core.reasons import UserError
from maskgen.embedders.chip_alignment import ChipAligner
from maskgen.trainer.data.transforms import normalised
from maskgen.trainer.networks.dlib_resnet import DIM, MEAN, SIDE, STD, DlibBackbone, convolutions
from maskgen.trainer.networks.dlib_weights import dlib_file, load_dlib
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.recipe import ModelSpec

SPEC = ModelSpec("dlib_resnet", "dlib", "avg", DIM, "linear")


def embedded(chips: np.ndarray) -> np.ndarray:
    model = build_model(SPEC).eval()
    with torch.inference_mode():
        return model(normalised(torch.from_numpy(chips), MEAN, STD)).numpy()


def of_dlib(chips: np.ndarray) -> np.ndarray:
    net = dlib.face_recognition_model_v1(str(dlib_file()))
    return np.array([np.asarray(net.compute_face_descriptor(chip)) for chip in chips])


def test_drawn_faces_get_dlibs_embeddings() -> None:
    chips = [portrait.image for _, _, portrait in drawn_people(4, 2, seed=5)]
    chips = ChipAligner().chips(chips)
    chips += [np.full((SIDE, SIDE, 3), grey, np.uint8) for grey in (0, 255)]
    chips += list(np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3)).astype(np.uint8))
    np.testing.assert_allclose(embedded(np.stack(chips)), of_dlib(np.stack(chips)), atol=1e-4)


def test_forty_photographs_get_dlibs_embeddings(photographs: Path) -> None:
    paths = sorted((photographs / "lfw").glob("*/*_0001.jpg"))[::5][:40]
    chips = np.stack(ChipAligner().chips([decode(path.read_bytes()) for path in paths]))
    assert len(chips) == 40
    np.testing.assert_allclose(embedded(chips), of_dlib(chips), atol=1e-4)


def test_its_form_is_dlibs() -> None:
    assert len(convolutions(DlibBackbone())) == 29
    maps = DlibBackbone()(torch.zeros(1, 3, SIDE, SIDE))
    assert maps.shape == (1, 256, 2, 2)


def test_another_neck_keeps_the_backbones_weights() -> None:
    model, own = build_model(ModelSpec("dlib_resnet", "dlib", "gem", 64, "linear_bn")), build_model(SPEC)
    assert torch.equal(model.state_dict()["backbone.stem.0.weight"], own.state_dict()["backbone.stem.0.weight"])
    random = build_model(SPEC, pretrained=False).state_dict()["neck.weight"]
    assert not torch.equal(random, own.state_dict()["neck.weight"])


@pytest.mark.parametrize("way", ["short", "other", "longer", "value", "none"])
def test_a_file_that_is_no_such_network_is_refused(tmp_path: Path, way: str) -> None:
    data = dlib_file().read_bytes()
    broken = {
        "short": data[:-200_000],
        "other": data.replace(b"\x01\x07affine_", b"\x01\x07bn_con_", 1),
        "longer": data + b"\x01\x05con_4",
        "value": data[:400] + b"\xff\xff\xff\x7f" * 4 + data[416:],  # NaN
        "none": b"",
    }[way]
    (tmp_path / "net.dat").write_bytes(broken)
    with pytest.raises(UserError, match="is not dlib's face recognition network"):
        load_dlib(tmp_path / "net.dat")
