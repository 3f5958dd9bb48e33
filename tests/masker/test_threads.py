"""Threads that call one masker, or maskers that share what finds faces, get what one thread gets."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from skimage.data import astronaut

from maskgen import api
from maskgen.api import MaskedFace, Masker, MaskerSettings, mask_photo
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Detection, Image
from maskgen.faces.already_masked import mask_scores
from maskgen.faces.detect import Detector
from maskgen.points.mark import Mark

SETTINGS = MaskerSettings(("n95",), crop="none")
THREADS, CALLS = 4, 6


@cache
def pictures() -> list[Image]:
    """Of several sizes: an answer of another thread's picture then has another shape."""
    whole = astronaut()
    return [whole, np.ascontiguousarray(whole[:400]), np.ascontiguousarray(whole[20:, 30:])]


def in_threads(call: Callable[[int, int], Any]) -> list[Any]:
    """What a call gives for each thread's number and picture's number, or the exception that it raises."""
    found: list[Any] = []

    def work(thread: int) -> None:
        for at in range(CALLS):
            which = (thread + at) % len(pictures())
            try:
                found.append((which, call(thread, which)))
            except Exception as error:  # noqa: BLE001  a thread would drop it
                found.append((which, error))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def shared() -> list[Masker]:
    return [Masker(SETTINGS)] * THREADS


def of_shared_finders() -> list[Masker]:
    one = Masker(SETTINGS)
    return [Masker(SETTINGS, one.detector, landmarker=one._landmarker) for _ in range(THREADS)]


def apart() -> list[Masker]:
    return [Masker(SETTINGS) for _ in range(THREADS)]


@pytest.mark.parametrize("maskers", [shared, of_shared_finders, apart])
def test_threads_get_the_pictures_of_one_thread(maskers: Callable[[], list[Masker]]) -> None:
    many = maskers()
    wanted = [many[0].mask(picture).image for picture in pictures()]
    found = in_threads(lambda thread, which: many[thread].mask(pictures()[which]))
    assert len(found) == THREADS * CALLS
    for which, one in found:
        assert isinstance(one, MaskedFace), one
        np.testing.assert_array_equal(one.image, wanted[which])


def test_scores_of_masks_are_those_of_one_thread() -> None:
    faces = [np.ascontiguousarray(picture[30:94, 200:264]) for picture in pictures()]
    wanted = [mask_scores([face]).tolist() for face in faces]
    assert len({*map(tuple, wanted)}) > 1
    for which, one in in_threads(lambda _, which: [mask_scores([faces[which]]).tolist() for _ in range(40)]):
        assert one == [wanted[which]] * 40


class Waits(Detector):
    """A detector in which a thread waits."""

    def __init__(self) -> None:
        self.reached, self.over = threading.Event(), threading.Event()

    def _detect(self, images: Sequence[Image], include_small: bool) -> list[list[Detection]]:
        if images:
            self.reached.set()
            assert self.over.wait(60)
        return [[] for _ in images]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="not here")
@pytest.mark.parametrize("call", ["mask", "mask_photo"])
def test_a_forked_process_does_not_wait_for_a_thread_that_stayed_behind(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread is in a call of the masker when the process forks."""
    image, detector = astronaut(), Waits()
    known = mask_photo(image, "n95")
    masker = Masker(SETTINGS, detector)
    monkeypatch.setattr(api, "_masker", lambda _: masker)
    calls: dict[str, Callable[..., MaskedFace]] = {
        "mask": masker.mask,
        "mask_photo": lambda picture, given=None: mask_photo(picture, "n95", given=given),
    }
    thread = threading.Thread(target=lambda: pytest.raises(SetAsideError, calls[call], image))
    thread.start()
    assert detector.reached.wait(60)
    mark = Mark(points=np.reshape(known.record["source_points68"], (68, 2)))
    child = os.fork()
    if not child:
        signal.alarm(60)  # should it wait for ever
        same = False
        try:
            same = (calls[call](image, given=[mark]).image == known.image).all()
        finally:
            os._exit(0 if same else 1)
    detector.over.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert (calls[call](image, given=[mark]).image == known.image).all()
