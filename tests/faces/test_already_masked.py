"""Whether a face wears a mask already: alone as among others, on drawn people and on real photographs."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.data import astronaut

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import Photo, read_photo
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.faces.already_masked import MASKED_FROM, mask_scores
from maskgen.faces.classifiers.classifier_network import classifier_input
from maskgen.faces.detect import MtcnnDetector

PORTRAIT = np.ascontiguousarray(astronaut()[:280, 100:380])


def test_a_score_does_not_depend_on_the_others_in_the_call() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    faces = [rng.integers(0, 256, (64, 64, 3), np.uint8) for _ in range(19)]
    every = mask_scores(faces)
    assert every.shape == (19,) and np.ptp(every) > 0
    np.testing.assert_array_equal(every, [mask_scores([face])[0] for face in faces])
    np.testing.assert_array_equal(every[5:12], mask_scores(faces[5:12]))
    assert mask_scores([]).shape == (0,)


def test_a_masked_portrait_is_set_aside_and_kept_on_request() -> None:
    bare = Photo(PORTRAIT, "bare")
    ((masked, *_),) = Masker(MaskerSettings(("surgical_blue",), crop="none")).process(["bare"], [bare])
    assert isinstance(masked, Output)
    again = [Photo(masked.image, "masked"), bare]
    found, fine = Masker(MaskerSettings(("n95",), bare=True)).process(["masked", "bare"], again)
    assert isinstance(found, SetAsideError) and found.reason is Reason.ALREADY_MASKED
    assert isinstance(fine, list)
    kept = Masker(MaskerSettings(("n95",), masked_input="keep", min_trust=0.0)).process(["masked"], again[:1])[0]
    assert isinstance(kept, list) and isinstance(kept[0], Output)


def test_real_masks_are_seen_and_bare_faces_are_not_taken_for_them(photographs: Path) -> None:
    """The bars themselves are on all photographs: `benchmarks/already_masked.py` prints them."""
    detector = MtcnnDetector()

    def scores(folder: str, step: int) -> np.ndarray:
        paths = sorted(path for path in (photographs / folder).rglob("*") if path.is_file())[::step]
        images = [read_photo(path).image for path in paths]
        found = [faces[:1] for faces in detector.detect(images)]
        return mask_scores([classifier_input(i, own[0].points5) for i, own in zip(images, found, strict=True) if own])

    if not (photographs / "real/close/masked").is_dir():
        pytest.skip("no photographs of real masks here")
    assert np.mean(scores("real/close/masked", 5) > MASKED_FROM) > 0.8
    assert np.mean(scores("lfw", 100) > MASKED_FROM) < 0.03
