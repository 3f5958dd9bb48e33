"""The networks that `benchmarks/` train for the landmarks of our own are those that the program runs."""

from __future__ import annotations

import platform
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import own_landmarks_fit
import own_landmarks_refiner_fit
from landmark_training.patch import MIRRORED, WHOLE
from landmark_training.patch import SIDE as CANVAS
from landmark_training.samples import again
from own_landmarks_limits import FLOAT, exact, ran, roundings_on

from maskgen.core.networks.convolutions import roundings_of
from maskgen.core.networks.openvino_core import compiled_for_one_thread
from maskgen.core.seeding import rng_for
from maskgen.faces import landmarkers
from maskgen.faces.landmarkers.own_network import FACE, POINTS, SIDE, network_of, predict, stored_weights, to_patch
from maskgen.faces.landmarkers.own_refiner import UNIT, refine
from maskgen.faces.upright_crop import five_points
from maskgen.people import draw_person, draw_portrait, draw_scene


def patches(count: int) -> np.ndarray:
    """Grey patches of drawn people, roughly where their faces are."""
    drawn = [draw_portrait(draw_person(rng), draw_scene(rng, SIDE)) for rng in (rng_for(6, n) for n in range(count))]
    return np.stack([one.image.mean(2).astype(np.uint8) for one in drawn])


def weights(name: str) -> Path:
    with resources.as_file(resources.files(landmarkers) / name) as path:
        return path


def test_the_first_network_is_the_programs() -> None:
    seen = patches(8)
    net, entry = own_landmarks_fit.Net(), torch.from_numpy(seen)[:, None].float()
    with torch.no_grad():
        own_landmarks_fit.load(net, np.load(weights("own.npz")), entry)
        by_bins, _, _ = net(entry)  # with the same statistics as when the norms were set
    model, _ = network_of(exact(stored_weights("own.npz")))
    np.testing.assert_allclose(by_bins.numpy(), ran(model, seen)[0], atol=2e-3)


def test_whole_numbers_of_8_bits_move_landmarks_little() -> None:
    seen, weights = patches(7), stored_weights("own.npz")
    before, after = (ran(network_of(some)[0], seen)[0][:, :POINTS] for some in (exact(weights), weights))
    moved = np.linalg.norm(after - before, axis=2) * FACE.around
    assert len(moved) == 7 and 1e-4 < moved.mean() < 0.01 and moved.max() < 0.1


def test_roundings_are_stored_for_each_convolution_that_has_one() -> None:
    weights = stored_weights("own.npz")
    stored, measured = roundings_of(weights), roundings_on(patches(8), exact(weights))
    assert set(measured) == set(stored) and not set(FLOAT) & set(stored) and len(stored) == 31
    for name, (least, most, shift) in stored.items():
        assert 0.4 < most / measured[name].most < 2.5, name
        assert (least == 0) == (measured[name].least == 0), name
        assert least < 0 or np.corrcoef(shift, measured[name].shift)[0, 1] > 0.6, name


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="OpenVINO's own for this processor")
def test_openvino_computes_with_whole_numbers() -> None:
    model, _ = network_of(stored_weights("own.npz"))
    runs = [node.get_rt_info() for node in compiled_for_one_thread(model).get_runtime_model().get_ops()]
    kinds = [info["runtimePrecision"].get() for info in runs if info["layerType"].get() == "Convolution"]
    assert kinds.count("u8") == 31 and len(kinds) == 33


def test_the_second_network_is_the_programs() -> None:
    said = predict(patches(5))
    points, net = (
        said.points[:, :POINTS],
        own_landmarks_refiner_fit.started(None, (), weights("own_refiner.npz")).eval(),
    )
    with torch.no_grad():
        moves, _ = own_landmarks_refiner_fit.moved(net, said.sight, points)
    assert np.abs(moves.numpy()).max() > 0.01
    np.testing.assert_allclose(points + UNIT * moves.numpy(), refine(said.sight, points), atol=2e-4)


def test_a_patch_of_training_shows_what_the_program_cuts() -> None:
    """On average over turns and mirror images, the points are where the program's own cut of the picture has them."""
    rng = rng_for(7)
    true = draw_portrait(draw_person(rng), draw_scene(rng, 200)).points68
    whole, face = (to_patch(five_points(true), view) for view in (WHOLE, FACE))
    on_canvas, shown = ((true @ m[:, :2].T + m[:, 2] + 0.5) / side for m, side in ((whole, CANVAS), (face, SIDE)))
    grey, flags, mirrored = np.zeros((CANVAS, CANVAS), np.uint8), np.ones(POINTS, bool), MIRRORED[:POINTS]
    points = np.concatenate([on_canvas, on_canvas[:17]])
    mean = np.mean([again(grey, points, flags, rng, FACE)[1] for _ in range(2000)], 0)[:POINTS]
    np.testing.assert_allclose(mean, (shown + shown[mirrored] * [-1, 1] + [1, 0]) / 2, atol=0.004)
