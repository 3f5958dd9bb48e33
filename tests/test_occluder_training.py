"""The network of occluders that `benchmarks/` trains is the one that the program runs, and it learns."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import occluder_network
import occluder_network_fit as fit
from occluder_training.network import Net, stored
from occluder_training.samples import Drawn

from maskgen.core.networks.openvino_core import compiled_for_one_thread
from maskgen.masks.occluders.face_view import CELLS, CHANNELS, SIDE
from maskgen.masks.occluders.network import check_weights, network_of


@pytest.fixture(scope="module")
def faces() -> list[fit.Row]:
    """Changed pictures of two drawn people."""
    columns = [np.stack(column) for column in zip(*occluder_network.rows(range(2)), strict=True)]
    drawn = Drawn(*columns, np.zeros(len(columns[0]), bool))
    return list(fit.rows(drawn, np.arange(8) % len(columns[0]), "test"))


def test_a_changed_face_is_what_the_program_sees(faces: list[fit.Row]) -> None:
    assert len(faces) >= 6
    for maps, channels, front, grey in faces:
        assert [one.shape for one in maps] == [(32, 38, 38), (64, 18, 18), (128, 8, 8)]
        assert channels.shape == (CHANNELS, CELLS, CELLS) and front.shape == (3, CELLS, CELLS)
        assert grey.shape == (SIDE, SIDE) and grey.dtype == front.dtype == np.uint8
    assert any(front.any() for _, _, front, _ in faces)


def test_the_trained_network_is_the_programs_and_learns(faces: list[fit.Row]) -> None:
    torch.manual_seed(0)
    net = Net()
    optimiser, losses = torch.optim.AdamW(net.parameters(), lr=3e-3), []
    for _ in range(12):
        loss = fit.loss_of(net, faces)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
    weights = {name: each.astype(np.float32) for name, each in stored(net.eval()).items()}
    check_weights(weights)
    maps, channels, _, grey = faces[0]
    request = compiled_for_one_thread(network_of(weights)[0]).create_infer_request()
    levels = grey[None, None].astype(np.float32)
    request.infer(dict(enumerate((levels, *fit.brightness(levels), channels[None].astype(np.float32)))))
    with torch.no_grad():
        entries = [torch.from_numpy(one[None]).float() for one in (*maps, channels)]
        said = net(entries[:3], entries[3]).numpy()
    np.testing.assert_allclose(np.array(request.get_output_tensor(0).data), said, atol=0.05)
