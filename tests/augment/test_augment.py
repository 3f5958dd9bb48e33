"""Masks while a set is read: without a framework, through torchvision's v2, and through albumentations."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
from functools import cache
from typing import Any

import numpy as np
import pytest
from drawn_people import drawn_people

from maskgen.augment import MaskAugment, mark_of
from maskgen.core.reasons import SetAsideError, UserError
from maskgen.core.records import Image
from maskgen.faces.upright_crop import five_points
from maskgen.people.portrait import Portrait
from maskgen.points.mark import mirrored

KINDS = ("n95", "surgical:teal")


@cache
def portrait() -> Portrait:
    return drawn_people(1, 1, seed=3)[0][2]


@cache
def augment() -> MaskAugment:
    return MaskAugment(KINDS)


def changed(one: Image, other: Image) -> np.ndarray:
    return np.asarray((one != other).any(2))


def test_nothing_imports_a_framework_that_is_not_asked_for() -> None:
    code = (
        "import sys, maskgen.augment; sys.exit(' '.join({'torch', 'torchvision', 'albumentations'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_the_same_key_is_the_same_mask_and_points_need_no_search() -> None:
    image, points = portrait().image, portrait().points68
    masked = augment()(image, "a", points)
    assert changed(masked, image).mean() > 0.05
    np.testing.assert_array_equal(augment()(image, "a", points.ravel().tolist()), masked)
    assert any(changed(augment()(image, key, points), masked).any() for key in "bcd")
    for given in ({"points": five_points(points)}, {"box": [*points.min(0), *points.max(0)]}, {}):
        other = changed(augment()(image, "a", **given), image)
        assert (other & changed(masked, image)).sum() > 0.8 * (other | changed(masked, image)).sum()


def test_points_of_a_picture_that_was_mirrored_since_are_put_into_order() -> None:
    image = np.ascontiguousarray(portrait().image[:, ::-1])
    points = portrait().points68 * np.float32([-1, 1]) + np.float32([image.shape[1] - 1, 0])
    np.testing.assert_array_equal(augment()(image, "a", points), augment()(image, "a", mirrored(points)))
    assert changed(augment()(image, "a", points), image).any()
    mark = mark_of(five_points(portrait().points68) * np.float32([-1, 1]))
    assert mark is not None and mark.points is not None and mark.points[0, 0] < mark.points[1, 0]


def test_what_cannot_be_masked_stays_or_raises() -> None:
    grey = np.full((120, 120, 3), 128, np.uint8)
    assert augment()(grey, "a") is grey
    strict = MaskAugment(KINDS, strict=True)
    with pytest.raises(SetAsideError, match="no_face"):
        strict(grey, "a")
    with pytest.raises(ValueError, match="NaN"):
        strict(grey, "a", np.full((5, 2), np.nan))
    with pytest.raises(ValueError, match="uint8 RGB"):
        augment()(np.zeros((9, 9, 3), np.float32), "a")


@pytest.mark.parametrize("shape", [(1, 68, 2), (2, 68), (98, 2), (4, 2), (0,), (0, 2), (9,), (5,), (), (68,), (68, 1)])
def test_points_of_a_wrong_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected 5 or 68 points, .* got " + re.escape(str(shape))):
        augment()(portrait().image, "a", np.ones(shape))


def test_shares_of_the_pictures_sides_are_refused() -> None:
    """Such faces have less than a pixel: every picture of a set would stay bare, and nobody would be told."""
    points, size = portrait().points68, max(portrait().image.shape)
    for given in ({"points": points / size}, {"points": points / size * 2 - 1}, {"box": [0.2, 0.2, 0.8, 0.9]}):
        with pytest.raises(ValueError, match="give pixels, not shares of its sides"):
            augment()(portrait().image, "a", **given)


@pytest.mark.parametrize("points", [[[1, 2], [3]], "points", [["a", "b"]] * 5])
def test_points_that_are_no_numbers_are_refused(points: Any) -> None:
    with pytest.raises(ValueError, match="expected points of numbers, in rows of one length"):
        augment()(portrait().image, "a", points)


@pytest.mark.parametrize("wrong", [{"aligned": "no"}, {"strict": 1}])
def test_flags_are_true_or_false(wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="is neither True nor False"):
        MaskAugment(KINDS, **wrong)


@pytest.mark.parametrize("box", [[1, 2, 3], [1, 2, 3, 4, 5], [], [[1, 2, 3, 4]] * 2])
def test_a_box_of_a_wrong_shape_is_refused(box: Any) -> None:
    with pytest.raises(ValueError, match="expected a box of four numbers"):
        augment()(portrait().image, "a", box=box)


@pytest.mark.parametrize("value", [np.nan, np.inf, 9e3, -9e3, 0.0])
def test_points_and_boxes_of_any_values_leave_the_picture_unchanged(value: float) -> None:
    for given in ({"points": np.full((68, 2), value)}, {"points": [value] * 10}, {"box": [value] * 4}):
        assert augment()(portrait().image, "a", **given) is portrait().image


@pytest.mark.parametrize("how", ["spawn", "fork"])
def test_it_works_in_another_process(how: str) -> None:
    if how not in multiprocessing.get_all_start_methods():
        pytest.skip("not here")
    here = augment()(portrait().image, "a").tobytes()
    if how == "spawn":
        code = (
            "import pickle, sys; augment, image = pickle.load(sys.stdin.buffer)\n"
            "sys.stdout.buffer.write(augment(image, 'a').tobytes())"
        )
        sent = pickle.dumps((augment(), portrait().image))
        assert len(sent) < portrait().image.size + 5000
        done = subprocess.run([sys.executable, "-P", "-c", code], input=sent, capture_output=True, check=True)
        assert done.stdout == here
        return
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(60)  # should it wait for a thread that is not there
        os.write(write, b"same" if augment()(portrait().image, "a").tobytes() == here else b"other")
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        assert file.read() == b"same"
    os.waitpid(child, 0)
