"""Convolutions in float32 and in whole numbers of 8 bits."""

from __future__ import annotations

import numpy as np
import pytest

from maskgen.core.networks.convolutions import Convolutions, Rounding, rounded, rounding_for, roundings_of
from maskgen.core.networks.openvino_core import compiled_for_one_thread, openvino_module
from maskgen.core.records import Floats, floats

Layer = tuple[Floats, Floats, Floats]  # input, weights, bias


def convolved(x: Floats, weights: Floats, bias: Floats, roundings: dict[str, Rounding]) -> Floats:
    openvino = openvino_module()
    entry = openvino.opset13.parameter(list(x.shape), np.float32)
    made = Convolutions(openvino.opset13, roundings)
    out = made("one", entry, (weights, bias), 1, 1)
    assert made.inputs == {"one": entry} and made.made["one"][0] is weights
    request = compiled_for_one_thread(openvino.Model([out], [entry], "one")).create_infer_request()
    request.infer({0: x})
    return np.array(request.get_output_tensor(0).data)


def by_hand(x: Floats, weights: Floats, bias: Floats) -> Floats:
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    return np.asarray(np.einsum("nchwij,ocij->nohw", seen, weights) + bias[:, None, None])


def between(least: float, most: float, shift: float = 0.0) -> dict[str, Rounding]:
    return {"one": Rounding(least, most, np.full(8, shift, np.float32))}


@pytest.fixture
def layer() -> Layer:
    """Input in steps of 1 / 64, and weights in steps of 1 / 128, 64 of them at most in every output channel."""
    rng = np.random.default_rng(0)
    x = floats(rng.integers(0, 256, (2, 16, 7, 7)) / 64)
    weights = floats(rng.integers(-64, 65, (8, 16, 3, 3)) / 128)
    weights[:, 0, 0, 0] = 0.5
    return x, weights, floats(rng.normal(0, 1, 8))


def test_without_a_rounding_it_is_in_float32(layer: Layer) -> None:
    np.testing.assert_allclose(convolved(*layer, {}), by_hand(*layer), rtol=1e-5, atol=1e-4)
    other = {"another": between(0, 1)["one"]}
    np.testing.assert_array_equal(convolved(*layer, other), convolved(*layer, {}))


def test_what_lies_on_the_levels_is_exact(layer: Layer) -> None:
    np.testing.assert_allclose(convolved(*layer, between(0, 255 / 64)), by_hand(*layer), rtol=1e-4, atol=1e-3)
    shifted = convolved(*layer, between(0, 255 / 64, shift=0.5))
    np.testing.assert_allclose(shifted, by_hand(*layer) + 0.5, rtol=1e-4, atol=1e-3)


def test_negative_inputs_have_levels_too(layer: Layer) -> None:
    x, weights, bias = layer
    x -= 2  # -128 to 127 steps of 1 / 64
    found = convolved(x, weights, bias, between(-2, 127 / 64))
    np.testing.assert_allclose(found, by_hand(x, weights, bias), rtol=1e-4, atol=1e-3)


def test_inputs_beyond_the_limits_are_clipped(layer: Layer) -> None:
    x, weights, bias = layer
    near = by_hand(np.clip(x, 0, 2), weights, bias)
    found = convolved(x, weights, bias, between(0, 2))
    assert np.abs(found - near).max() < 0.1 < 5 < np.abs(found - by_hand(x, weights, bias)).max()


def test_weights_are_rounded(layer: Layer) -> None:
    x, _, bias = layer
    weights = floats(np.random.default_rng(1).normal(0, 1, (8, 16, 3, 3)) * np.arange(1, 9).reshape(-1, 1, 1, 1))
    whole = rounded(weights)
    step = np.abs(weights).max((1, 2, 3)) / 64
    for one, own in zip(whole, step, strict=True):
        assert np.abs(one / own - np.rint(one / own)).max() < 1e-4 and len(np.unique(one)) <= 129
    found = convolved(x, weights, bias, between(0, 255 / 64))
    np.testing.assert_allclose(found, by_hand(x, whole, bias), rtol=1e-4, atol=1e-2)
    assert np.abs(found - by_hand(x, weights, bias)).max() > 0.5


def test_a_shift_gives_rounded_weights_the_mean_of_exact_ones(layer: Layer) -> None:
    x, weights, bias = layer
    weights = floats(weights * 1.01 + 0.003)
    rounding = rounding_for((weights, bias), x, 1.0)
    right = by_hand(x, weights, bias)[:, :, 1:-1, 1:-1].mean((0, 2, 3))
    off = {}
    for name, shift in (("with", rounding.shift), ("without", np.zeros(8, np.float32))):
        found = convolved(x, weights, bias, {"one": rounding._replace(shift=shift)})
        off[name] = np.abs(found[:, :, 1:-1, 1:-1].mean((0, 2, 3)) - right).mean()
    assert off["with"] < 0.5 * off["without"]


def test_limits_leave_out_what_is_rare(layer: Layer) -> None:
    _, weights, bias = layer
    values = floats(np.append(np.linspace(0, 1, 15999), 50.0)).reshape(1, 16, 20, 50)
    assert rounding_for((weights, bias), values, 0.999)[:2] == pytest.approx((0, 1), abs=0.01)
    assert rounding_for((weights, bias), values, 1.0)[:2] == pytest.approx((0, 50))


def test_limits_on_both_sides_have_0_among_their_levels(layer: Layer) -> None:
    _, weights, bias = layer
    values = np.zeros((1, 16, 2, 2), np.float32)
    values[0, 0] = [[-3, 0], [1, 0]]
    least, most, _ = rounding_for((weights, bias), values, 1.0)
    step = (most - least) / 255
    assert most == 3 and abs(least / step - round(least / step)) < 1e-4


def test_stored_roundings_are_found_by_name() -> None:
    stored = {
        "a.w": np.zeros(3, np.float32),
        "a.limits": np.array([-1, 2], np.float32),
        "a.shift": np.array([4, 5], np.float32),
    }
    (found,) = roundings_of(stored).items()
    assert found[0] == "a" and found[1][:2] == (-1, 2) and found[1].shift.tolist() == [4, 5]


@pytest.mark.parametrize("limits", [[0], [0, 1, 2], [1, 2], [-1, 0], [0, np.nan], [0, np.inf]])
def test_wrong_limits_are_named(limits: list[float]) -> None:
    with pytest.raises(ValueError, match=r"stage1\.limits: a number up to 0 and a larger one are expected"):
        roundings_of({"stage1.limits": np.array(limits, np.float32), "stage1.shift": np.zeros(1, np.float32)})
