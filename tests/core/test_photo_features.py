"""The first stages of dlib's recognition network in OpenVINO, against the same network in PyTorch."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut

from maskgen.core.dlib_models import photo_features as module
from maskgen.core.dlib_models.photo_features import (
    CONTRAST,
    MOST,
    PARTS,
    USED,
    enlarging,
    photo_features,
    stored_stages,
)
from maskgen.core.networks.convolutions import Convolutions
from maskgen.core.networks.openvino_core import compiled_for_one_thread, openvino_module
from maskgen.core.reasons import UserError
from maskgen.core.records import floats
from maskgen.trainer.networks.dlib_resnet import SIDE
from maskgen.trainer.networks.models import build_model
from maskgen.trainer.recipes.recipe import ModelSpec

PATCH = 90


def test_maps_are_those_of_the_network() -> None:
    face = cv2.cvtColor(astronaut()[50:200, 150:300], cv2.COLOR_RGB2GRAY)
    patch = cv2.resize(face, (PATCH, PATCH), interpolation=cv2.INTER_AREA).astype(np.float32)[None, None]
    mean, factor = (floats(one).reshape(1, 1, 1, 1) for one in (patch.mean(), 1 / patch.std()))
    openvino = openvino_module()
    entries = [openvino.opset13.parameter(list(one.shape), np.float32) for one in (patch, mean, factor)]
    maps = photo_features(Convolutions(openvino.opset13, {}), entries[0], entries[1], entries[2], SIDE)
    request = compiled_for_one_thread(openvino.Model(maps, entries, "features")).create_infer_request()
    request.infer(dict(enumerate((patch, mean, factor))))
    larger = np.rint(PARTS * (enlarging(PATCH, SIDE) @ patch[0, 0] @ enlarging(PATCH, SIDE).T)) / PARTS
    grey = torch.from_numpy(floats((larger - mean[0, 0]) * factor[0, 0] * CONTRAST))
    backbone = build_model(ModelSpec("dlib_resnet", "dlib", "avg", 128, "linear")).eval().backbone
    first = next(module for module in backbone.stem.modules() if isinstance(module, torch.nn.Conv2d))
    (whole, _), _ = stored_stages()
    with torch.inference_mode():
        steps = torch.from_numpy(whole) - first.weight.sum(1, keepdim=True)
        assert 0 < steps.abs().max() < 0.5 / MOST * first.weight.sum(1).abs().max()
        first.weight.copy_(torch.from_numpy(whole / 3))
        seen = backbone.stem(grey.expand(1, 3, SIDE, SIDE))
        for number in range(USED):
            seen = getattr(backbone, f"stage{number + 1}")(seen)
            found = request.get_output_tensor(number).data
            assert found.std() > 0.3
            np.testing.assert_allclose(found, seen.numpy(), atol=2e-4)


@pytest.mark.parametrize(("small", "large"), [(90, 160), (10, 37), (8, 8)])
def test_a_row_is_enlarged_as_by_opencv(small: int, large: int) -> None:
    row = np.random.default_rng(0).normal(0, 1, (1, small)).astype(np.float32)
    np.testing.assert_allclose(
        row @ enlarging(small, large).T, cv2.resize(row, (large, 1), interpolation=cv2.INTER_LINEAR), atol=1e-5
    )


def test_another_file_gets_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.dat").write_bytes(b"another file")
    monkeypatch.setattr(module, "installed_model", lambda name: tmp_path / "net.dat")
    with pytest.raises(UserError, match="is not dlib's face recognition network"):
        stored_stages()
