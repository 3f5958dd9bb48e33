"""What a masker is given in another form than it takes: one sentence that says what to give."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from skimage.data import astronaut

import maskgen
from maskgen import Mark, Photo
from maskgen.api import MaskedFace, Masker, MaskerSettings, Output
from maskgen.augment import MaskAugment


@cache
def masker() -> Masker:
    return Masker(MaskerSettings(("n95", "cloth_black"), crop="none"))


@cache
def masked() -> MaskedFace:
    return masker().mask(astronaut(), key="a")


def photo() -> Photo:
    return Photo(astronaut(), sha256="")


def mark() -> Mark:
    return Mark(points=masked().record["source_points68"])


@pytest.mark.parametrize("settings", [{}, None, "n95", MaskerSettings])
def test_settings_that_are_none_are_refused(settings: Any) -> None:
    with pytest.raises(TypeError, match=r"^settings are .*: give MaskerSettings, as in Masker\(MaskerSettings\("):
        Masker(settings)


@pytest.mark.parametrize("wrong", [{"detector": "cpu"}, {"detector": None}, {"landmarker": "dlib"}])
def test_finders_that_are_none_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="^(detector|landmarker) is "):
        Masker(MaskerSettings(), **wrong)


@pytest.mark.parametrize(
    ("keys", "fault", "told"),
    [
        ("a", TypeError, "keys are one text, 'a': give a list, a key for each photograph"),
        ([1], TypeError, "key 1 is not a text: give '1'"),
        ([None], TypeError, "key None is not a text"),
        (3, TypeError, "keys are 3: give a list of texts"),
        (["a", "b"], ValueError, "1 photograph and 2 keys: give a key for each"),
        ([], ValueError, "1 photograph and 0 keys: give a key for each"),
    ],
)
def test_keys_are_texts_one_for_each_photograph(keys: Any, fault: type[Exception], told: str) -> None:
    with pytest.raises(fault, match=told):
        masker().process(keys, [photo()])


@pytest.mark.parametrize("photos", [[astronaut()], ["a.jpg"], photo(), [None], 3])
def test_process_takes_photos(photos: Any) -> None:
    with pytest.raises(TypeError, match=r"Photo"):
        masker().process(["a"], photos)
    with pytest.raises(TypeError, match=r"photograph 0 is a ndarray: give a Photo, as in Photo\(array, sha256=''\)"):
        masker().process(["a"], [astronaut()])  # type: ignore[list-item]


@pytest.mark.parametrize(
    ("given", "fault", "told"),
    [
        (lambda: mark(), TypeError, "given is a Mark: give a list of faces for each photograph"),
        (lambda: [mark()], TypeError, "given holds a Mark: give a list of faces for each photograph"),
        (lambda: [[[1, 2, 30, 40]]], TypeError, r"a given face is a list: give a Mark, as in Mark\(box="),
        (lambda: [np.zeros((1, 4))], TypeError, "a given face is a ndarray: give a Mark"),
        (lambda: [{"box": [1, 2, 3, 4]}], TypeError, "a given face is a str: give a Mark"),
        (lambda: [[mark()], [mark()]], ValueError, "1 photograph and 2 lists of given faces: give a list for each"),
        (lambda: [], ValueError, "1 photograph and 0 lists of given faces: give a list for each"),
    ],
)
def test_given_faces_are_lists_of_marks_one_for_each_photograph(given: Any, fault: Any, told: str) -> None:
    with pytest.raises(fault, match=told):
        masker().process(["a"], [photo()], given=given())


def test_known_faces_are_lists_of_faces_one_for_each_photograph() -> None:
    with pytest.raises(TypeError, match="a known face is a Mark: give a Face"):
        masker().process(["a"], [photo()], known=[[mark()]])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="1 photograph and 2 lists of known faces"):
        masker().process(["a"], [photo()], known=[[], []])


def test_iterators_are_read_once() -> None:
    (one,) = masker().process(iter(["a"]), iter([photo()]), given=iter([iter([mark()])]))  # type: ignore[arg-type]
    assert isinstance(one, list) and isinstance(one[0], Output)
    np.testing.assert_array_equal(one[0].image, masked().image)


def test_one_mark_is_a_given_face() -> None:
    for one in (masker().mask(astronaut(), mark(), "a"), masker().mask(astronaut(), [mark()], "a")):
        np.testing.assert_array_equal(one.image, masked().image)
    with pytest.raises(TypeError, match="a given face is a list: give a Mark"):
        maskgen.mask_photo(astronaut(), given=[[1, 2, 30, 40]])  # type: ignore[list-item]


def test_keys_of_other_types_of_text_draw_as_the_text() -> None:
    for key in ("a", "b", "c"):
        one, other = (masker().mask(astronaut(), mark(), each) for each in (key, np.str_(key)))
        np.testing.assert_array_equal(one.image, other.image)


def test_an_empty_key_is_a_key() -> None:
    whole, part = astronaut(), np.ascontiguousarray(astronaut()[:500])
    ways = [{masker().mask(one, mark(), key).record["kind"] for one in (whole, part)} for key in ("", "a", "b", "c")]
    assert all(len(kinds) == 1 for kinds in ways)


@pytest.mark.parametrize("picture", [PIL.Image.fromarray(astronaut()), "a.jpg", Path("a.jpg"), None, [[1]]])
def test_an_augmentation_takes_arrays(picture: Any) -> None:
    augment = MaskAugment(("n95",))
    with pytest.raises(ValueError, match=r"expected a uint8 RGB picture \(height, width, 3\) as a NumPy array, got "):
        augment(picture, "a")
    with pytest.raises(TypeError, match="key 0 is not a text: give '0'"):
        augment(astronaut(), 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(0, 0, 3), (0, 0), (0, 0, 4), (5, 0, 3)])
def test_an_empty_array_is_called_empty(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected a uint8 RGB picture .* got an empty one"):
        maskgen.mask_photo(np.zeros(shape, np.uint8))


def test_of_an_open_file_the_bytes_are_a_picture(tmp_path: Path) -> None:
    data = masked()._repr_png_()
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(TypeError, match=r"BytesIO is not a picture: give its bytes, as \.read\(\) returns them"):
        maskgen.mask_photo(io.BytesIO(data))
    with (tmp_path / "a.png").open("rb") as file, pytest.raises(TypeError, match=r"give its bytes, as \.read\(\)"):
        maskgen.mask_photo(file)
