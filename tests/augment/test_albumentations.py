"""`maskgen.augment.albumentations.MaskFace` in a pipeline of albumentations or of AlbumentationsX."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import numpy as np
import pytest
from drawn_people import drawn_people

from maskgen.people.portrait import Portrait

A = pytest.importorskip("albumentations")

from maskgen.augment.albumentations import MaskFace  # noqa: E402


@cache
def portrait() -> Portrait:
    return drawn_people(1, 1, seed=3)[0][2]


def called(*transforms: Any, seed: int = 1, **data: Any) -> Any:
    return A.Compose(list(transforms), seed=seed)(image=portrait().image, **data)["image"]


def changed(image: Any) -> np.ndarray:
    return np.asarray((image != portrait().image).any(2))


def test_a_mask_by_the_pipelines_seed_with_and_without_points() -> None:
    points = portrait().points68
    one = called(MaskFace(("n95",), p=1.0), points=points)
    assert one.dtype == np.uint8 and changed(one).mean() > 0.05
    np.testing.assert_array_equal(called(MaskFace(("n95",), p=1.0), points=points), one)
    assert (called(MaskFace(("n95",), p=1.0), seed=2, points=points) != one).any()
    searched = changed(called(MaskFace(("n95",), p=1.0)))
    assert (searched & changed(one)).sum() > 0.8 * (searched | changed(one)).sum()
    assert not changed(called(MaskFace(("n95",), p=0.0))).any()


def test_keypoints_follow_what_comes_before() -> None:
    pipeline = A.Compose(
        [A.HorizontalFlip(p=1.0), MaskFace(("n95",), points="keypoints", p=1.0)],
        keypoint_params=A.KeypointParams("xy", remove_invisible=False),
        seed=1,
    )
    out = pipeline(image=portrait().image, keypoints=portrait().points68)
    seen = (out["image"] != portrait().image[:, ::-1]).any(2)
    mouth = np.asarray(out["keypoints"])[48:].mean(0).round().astype(int)
    assert seen[mouth[1], mouth[0]] and seen.mean() > 0.05


def test_keypoints_that_the_pipeline_removed_are_missed() -> None:
    pipeline = A.Compose(
        [MaskFace(("n95",), points="keypoints", p=1.0)], keypoint_params=A.KeypointParams("xy", remove_invisible=False)
    )
    with pytest.raises(ValueError, match="5 or 68 points"):
        pipeline(image=portrait().image, keypoints=portrait().points68[:60])


def test_it_pickles_and_shows_its_arguments() -> None:
    transform = MaskFace(("n95", "world"), ("nose_out",), p=0.25)
    again = pickle.loads(pickle.dumps(A.Compose([transform])))  # noqa: S301
    assert again(image=portrait().image)["image"].shape == portrait().image.shape
    assert "world" in repr(transform) and "nose_out" in repr(transform)
