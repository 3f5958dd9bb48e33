"""The networks against facenet-pytorch's own, and a canvas of levels against each level alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from facenet_pytorch.models.mtcnn import ONet, PNet, RNet
from skimage.data import astronaut

from maskgen.core.reasons import UserError
from maskgen.faces import pyramid as pyramid_module
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.mtcnn.nets import Nets, check_device
from maskgen.faces.mtcnn.openvino_nets import OpenVinoNets
from maskgen.faces.mtcnn.torch_nets import TorchNets
from maskgen.faces.mtcnn.weights import load_weights
from maskgen.faces.pyramid import CELL, STRIDE, Pyramid, canvases, layout_of, patches, windows

FACE = np.ascontiguousarray(astronaut()[:280, 100:380])


@pytest.fixture(scope="module")
def nets() -> Nets:
    return Nets()


def plain(net: torch.nn.Module, images: np.ndarray) -> list[np.ndarray]:
    """What facenet-pytorch's module answers, as it is."""
    with torch.inference_mode():
        tensor = (torch.from_numpy(images).permute(0, 3, 1, 2).float() - 127.5) / 128
        return [answer.numpy() for answer in net.eval()(tensor)]


def test_the_networks_are_facenet_pytorchs(nets: Nets) -> None:
    images = np.random.default_rng(0).integers(0, 255, (19, 48, 48, 3), np.uint8)
    score, shift, points = nets.output(list(images))
    for ours, theirs in zip((shift, points, score), plain(ONet(), images), strict=True):
        np.testing.assert_allclose(ours, theirs[:, 1] if theirs.shape[1] == 2 else theirs, atol=1e-5)
    score, shift = nets.refine(list(images[:, :24, :24]))
    theirs = plain(RNet(), images[:, :24, :24])
    np.testing.assert_allclose(score, theirs[1][:, 1], atol=1e-5)
    np.testing.assert_allclose(shift, theirs[0], atol=1e-5)
    score, shift = nets.propose(list(images[:, :37, :41]))
    theirs = plain(PNet(), images[:, :37, :41])
    np.testing.assert_allclose(score, theirs[1][:, 1], atol=1e-5)
    np.testing.assert_allclose(shift, theirs[0], atol=1e-5)


def test_the_weights_are_facenet_pytorchs_bit_for_bit() -> None:
    for name, net in (("pnet", PNet()), ("rnet", RNet()), ("onet", ONet())):
        theirs = net.state_dict()
        ours = load_weights(name)
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            np.testing.assert_array_equal(value, theirs[key].numpy())


@pytest.mark.parametrize(("side", "net"), [(24, "rnet"), (48, "onet"), (61, "pnet")])
def test_what_runs_on_a_card_is_what_runs_on_the_processor(side: int, net: str) -> None:
    torch.set_num_threads(1)
    images = np.random.default_rng(1).integers(0, 255, (8, side, side, 3), np.uint8)
    ours, theirs = OpenVinoNets((8, 8)), TorchNets("cpu")
    found = getattr(theirs, net)(images)
    for one, other in zip(getattr(ours, net)(images), found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):  # the caller's
        for one, other in zip(getattr(theirs, net)(images), found, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("many", [2, 15, 16, 17, 40])
def test_a_canvas_does_not_depend_on_the_batch(nets: Nets, many: int) -> None:
    rng = np.random.default_rng(many)
    canvases = [np.ascontiguousarray(FACE[y : y + 61, x : x + 90]) for x, y in rng.integers(0, 180, (many, 2))]
    every, alone = nets.propose(canvases), nets.propose(canvases[-1:])
    nets.propose([np.ascontiguousarray(FACE[:40, :50])])  # another size in between
    for whole, one, again in zip(every, alone, nets.propose(canvases[-1:]), strict=True):
        np.testing.assert_array_equal(whole[-1:], one)
        np.testing.assert_array_equal(again, one)


@pytest.mark.parametrize("many", [2, 15, 16, 17, 40])
def test_an_answer_does_not_depend_on_the_batch(nets: Nets, many: int) -> None:
    rng = np.random.default_rng(many)
    patches = [cv2.resize(FACE[y : y + 90, x : x + 90], (48, 48)) for x, y in rng.integers(0, 180, (many, 2))]
    order = rng.permutation(many)
    every, mixed = nets.output(patches), nets.output([patches[at] for at in order])
    alone = nets.output(patches[:1])
    for whole, other, one in zip(every, mixed, alone, strict=True):
        np.testing.assert_array_equal(whole[order], other)
        np.testing.assert_array_equal(whole[:1], one)


@pytest.mark.parametrize(("height", "width", "smallest"), [(250, 250, 85.0), (97, 301, 18.0), (500, 333, 40.0)])
def test_a_canvas_says_of_each_level_what_the_level_alone_says(
    nets: Nets, height: int, width: int, smallest: float
) -> None:
    image = cv2.resize(FACE, (width, height))
    layout = layout_of(height, width, smallest)
    (canvas,) = canvases([Pyramid(image)], layout)
    heat, _ = nets.propose([canvas])
    assert len(layout.places) > 1
    for number, (x, y, wide, tall) in enumerate(layout.places):
        level = np.ascontiguousarray(canvas[y : y + tall, x : x + wide])
        alone, _ = nets.propose([level])
        own = alone[0][: (tall - CELL) // STRIDE + 1, : (wide - CELL) // STRIDE + 1]
        there = heat[0][layout.level == number].reshape(own.shape)
        # The last row and column of windows may reach one pixel past a level of odd size.
        np.testing.assert_allclose(there, own, atol=1e-5)
    rows, columns = np.nonzero(layout.level >= 0)
    boxes = windows(layout, layout.level[rows, columns], rows, columns, np.array([width, height], np.float64))
    assert boxes.min() >= 0
    assert (boxes[:, 2] <= width + 1e-6).all()
    assert (boxes[:, 3] <= height + 1e-6).all()


def test_canvases_and_patches_are_the_same_however_many_are_made_together(monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = [np.ascontiguousarray(FACE[at : at + 120, at : at + 150]) for at in range(0, 50, 10)]
    layout = layout_of(120, 150, 30.0)
    boxes = [(x, y, x + 70.5, y + 70.5) for x, y in ((-20.0, 3.0), (40.5, 60.0), (300.0, 0.0), (20.0, 10.0))]

    def made() -> list[np.ndarray]:
        pyramids = [Pyramid(picture) for picture in pictures]
        parts = [pyramid.part(box, 70.5 / 24) for pyramid in pyramids for box in boxes]
        return [*canvases(pyramids, layout), *patches(parts, 24)]

    together = made()
    monkeypatch.setattr(pyramid_module, "TOGETHER", 1)
    monkeypatch.setattr(pyramid_module, "MOST_PATCHES", 3)
    for one, other in zip(together, made(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not together[len(pictures) + 2].any(), "beyond the picture"
    assert together[len(pictures)].any() and not together[len(pictures)][:, :6].any()


def test_the_middle_of_an_aligned_crop_is_where_a_search_finds_the_face(monkeypatch: pytest.MonkeyPatch) -> None:
    (face,) = MtcnnDetector().detect([FACE])[0]
    middle = (face.box[:2] + face.box[2:]) / 2
    x, y = (middle - 80).astype(int)
    crop = np.ascontiguousarray(FACE[y : y + 160, x : x + 160])
    (searched,) = MtcnnDetector().detect([crop])[0]
    aligned = MtcnnDetector(aligned=True)
    monkeypatch.setattr(aligned, "_upright", lambda images, include_small: pytest.fail("searched") if images else [])
    (known,) = aligned.detect([crop])[0]
    eyes = np.linalg.norm(searched.points5[1] - searched.points5[0])
    assert np.abs(known.points5 - searched.points5).max() < 0.1 * eyes
    assert known.score > 0.98


def test_an_aligned_crop_whose_middle_holds_no_face_is_searched() -> None:
    wide = np.full((280, 700, 3), 120, np.uint8)
    wide[:, :280] = FACE
    found, none = MtcnnDetector(aligned=True).detect([wide, np.full((112, 112, 3), 90, np.uint8)])
    assert len(found) == 1
    assert found[0].box[2] < 280
    assert none == []


@pytest.mark.parametrize("device", ["tpu", "cpu:1", "cuda:x", "cuda:99", ""])
def test_a_device_that_there_is_not_is_refused(device: str) -> None:
    with pytest.raises(UserError, match="--device"):
        check_device(device)
