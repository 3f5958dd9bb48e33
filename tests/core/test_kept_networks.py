"""A network from the cache folder answers as the compiled one does, bit for bit, and no other is taken for it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maskgen.core.networks import kept_networks, openvino_core
from maskgen.core.networks.kept_networks import kept_network
from maskgen.core.networks.openvino_core import openvino_module
from maskgen.core.reasons import UserError
from maskgen.faces.classifiers import classifier_network
from maskgen.faces.mtcnn import openvino_nets
from maskgen.faces.mtcnn.openvino_nets import OpenVinoNets

PACKAGES = ("maskgen.metrics",)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder."""
    monkeypatch.setenv("MASKGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def doubling() -> Any:
    """A network of one operation."""
    openvino = openvino_module()
    entry = openvino.opset13.parameter([4], np.float32)
    return openvino.Model([openvino.opset13.multiply(entry, np.float32(2))], [entry], "doubling")


def not_again() -> Any:
    pytest.fail("made again")


def doubled(network: Any) -> list[float]:
    """What the network gives."""
    request = network.create_infer_request()
    request.infer({0: np.arange(4, dtype=np.float32)})
    return [float(one) for one in request.get_output_tensor(0).data]


def kept(cache: Path) -> int:
    """The number of networks in the cache folder."""
    return len(list(cache.glob("network-*")))


def test_a_network_is_made_once(cache: Path) -> None:
    for make in (doubling, not_again):
        assert doubled(kept_network(make, PACKAGES)) == [0, 2, 4, 6]
    assert kept(cache) == 1


def test_what_it_depends_on_tells_it_from_others(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = tmp_path / "weights"
    weights.write_bytes(b"1")
    os.utime(weights, (1, 1))
    kept_network(doubling, PACKAGES, [weights], "one")
    kept_network(not_again, PACKAGES, [weights], "one")
    kept_network(doubling, PACKAGES, [weights], "another")
    kept_network(doubling, (*PACKAGES, "maskgen.points"), [weights], "one")
    os.utime(weights, (2, 2))
    kept_network(doubling, PACKAGES, [weights], "one")
    assert kept(cache) == 4
    kept_networks._engine.cache_clear()
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    try:
        kept_network(doubling, PACKAGES, [weights], "one")
    finally:
        kept_networks._engine.cache_clear()
    assert kept(cache) == 5


def test_without_its_weights_the_fault_is_that_of_making_it(cache: Path, tmp_path: Path) -> None:
    def without() -> Any:
        raise UserError("the weights are missing")

    with pytest.raises(UserError, match="the weights are missing"):
        kept_network(without, PACKAGES, [tmp_path / "absent"])
    assert not kept(cache)


def test_one_that_openvino_refuses_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_network(doubling, PACKAGES)

    def refused(data: bytes) -> Any:
        raise RuntimeError("not a network")

    monkeypatch.setattr(kept_networks, "imported_for_one_thread", refused)
    assert doubled(kept_network(doubling, PACKAGES)) == [0, 2, 4, 6]


def test_where_openvino_cannot_export_it_is_made_each_time(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_networks, "_of_cpu", lambda name: ["FP32"])
    assert doubled(kept_network(doubling, PACKAGES)) == [0, 2, 4, 6]
    assert not kept(cache)


def answers(rng: np.random.Generator) -> list[np.ndarray]:
    """What the detector's networks and a classifier give for noise, each compiled or imported anew."""
    openvino_nets._COMPILED.clear()
    classifier_network._network.cache_clear()
    nets = OpenVinoNets((4, 2))
    pictures = [rng.integers(0, 256, (48, 48, 3), np.uint8) for _ in range(4)]
    whole = rng.integers(0, 256, (61, 47, 3), np.uint8)
    found = [*nets.pnet([whole]), *nets.rnet([one[:24, :24] for one in pictures]), *nets.onet(pictures[:2])]
    faces = [rng.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(4)]
    return [*map(np.asarray, found), classifier_network.classifier_scores(faces, "maskgen.faces", "masked.npz")]


def test_kept_networks_answer_like_compiled_ones(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = answers(np.random.default_rng(1))
    assert kept(cache) == 4
    with monkeypatch.context() as patch:
        patch.setattr(kept_networks, "compiled_for_one_thread", lambda model: pytest.fail("compiled again"))
        imported = answers(np.random.default_rng(1))
    assert len(compiled) == len(imported) == 8
    for one, other in zip(compiled, imported, strict=True):
        np.testing.assert_array_equal(one, other)


def test_imported_networks_are_never_released(monkeypatch: pytest.MonkeyPatch) -> None:
    kept_network(doubling, PACKAGES)
    before = len(openvino_core._KEPT)
    kept_network(not_again, PACKAGES)
    assert len(openvino_core._KEPT) == before + 1
