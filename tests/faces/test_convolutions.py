"""Convolutions in float32 and in whole numbers of 8 bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from maskgen.core.records import Floats, floats
from maskgen.faces.mtcnn.convolutions import Convolutions, limits_of
from maskgen.faces.mtcnn.openvino_core import compiled_for_one_thread, openvino_module


def convolved(x: Floats, weights: Floats, bias: Floats, limits: dict[str, Any], step: int = 1) -> Floats:
    openvino = openvino_module()
    entry = openvino.opset13.parameter(list(x.shape), np.float32)
    made = Convolutions(openvino.opset13, limits)
    out = made("one", entry, (weights, bias), step, 1)
    assert made.inputs == {"one": entry}
    request = compiled_for_one_thread(openvino.Model([out], [entry], "one")).create_infer_request()
    request.infer({0: x})
    return np.array(request.get_output_tensor(0).data)


def by_hand(x: Floats, weights: Floats, bias: Floats) -> Floats:
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.asarray(np.einsum("nchwij,ocij->nohw", seen, weights) + bias[:, None, None])


@pytest.fixture
def layer() -> tuple[Floats, Floats, Floats]:
    """Input in steps of 1 / 64, and weights in steps of 1 / 128, of which the largest is 63.5."""
    rng = np.random.default_rng(0)
    x = floats(rng.integers(0, 256, (2, 16, 7, 7)) / 64)
    x[:, 0] = 0  # where that weight is, which lies between two levels
    weights = floats(rng.integers(-63, 64, (8, 16, 3, 3)) / 128)
    weights[:, 0, 0, 0] = 63.5 / 128  # so that every output channel has the same levels
    return x, weights, floats(rng.normal(0, 1, 8))


def test_without_limits_it_is_in_float32(layer: tuple[Floats, Floats, Floats]) -> None:
    np.testing.assert_allclose(convolved(*layer, {}), by_hand(*layer), rtol=1e-5, atol=1e-4)
    other = {"another": np.array([0, 1], np.float32)}
    np.testing.assert_array_equal(convolved(*layer, other), convolved(*layer, {}))


def test_what_lies_on_the_levels_is_exact(layer: tuple[Floats, Floats, Floats]) -> None:
    limits = {"one": np.array([0, 255 / 64], np.float32)}
    np.testing.assert_allclose(convolved(*layer, limits), by_hand(*layer), rtol=1e-4, atol=1e-3)


def test_negative_inputs_have_levels_too(layer: tuple[Floats, Floats, Floats]) -> None:
    x, weights, bias = layer
    x[:, 1:] -= 2  # -128 to 127 steps of 1 / 64
    limits = {"one": np.array([-2, 127 / 64], np.float32)}
    np.testing.assert_allclose(convolved(x, weights, bias, limits), by_hand(x, weights, bias), rtol=1e-4, atol=1e-3)


def test_inputs_beyond_the_limits_are_clipped(layer: tuple[Floats, Floats, Floats]) -> None:
    x, weights, bias = layer
    limits = {"one": np.array([0, 2], np.float32)}
    near = by_hand(np.clip(x, 0, 2), weights, bias)
    found = convolved(x, weights, bias, limits)
    assert np.abs(found - near).max() < 0.1 < 5 < np.abs(found - by_hand(x, weights, bias)).max()


def test_limits_leave_out_what_is_rare() -> None:
    values = np.concatenate([np.linspace(0, 1, 9999, dtype=np.float32), [50.0]]).astype(np.float32)
    np.testing.assert_allclose(limits_of(values, 0.999), [0, 1], atol=0.01)
    np.testing.assert_allclose(limits_of(values, 1.0), [0, 50])


def test_limits_on_both_sides_have_0_among_their_levels() -> None:
    least, most = limits_of(np.array([-3, 0, 1], np.float32), 1.0)
    step = (most - least) / 255
    assert most == 3 and abs(least / step - round(least / step)) < 1e-4
