"""What is given to a masker, checked once a call: another form would end in an error somewhere below, or in none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from maskgen.core.images import Photo
from maskgen.core.reasons import SetAsideError, counted
from maskgen.core.records import Face
from maskgen.core.seeding import key_texts
from maskgen.points.given_faces import Marks
from maskgen.points.mark import Mark

_A_FACE = {"given": "a Mark, as in Mark(box=...) or Mark(points=...)", "known": "a Face"}


def checked_photos(keys: Iterable[str], photos: Iterable[Photo]) -> tuple[list[str], list[Photo]]:
    """Photographs and the key of each, as lists.

    Raises:
        TypeError: something else than texts and Photos.
        ValueError: another number of keys than of photographs.
    """
    texts = key_texts(keys, "photograph")
    if not isinstance(photos, Iterable):
        raise TypeError(f"photos are a {_type(photos)}: give a list of Photos")
    found = list(photos)
    for at, photo in enumerate(found):
        if not isinstance(photo, Photo):
            raise TypeError(
                f"photograph {at} is a {_type(photo)}: give a Photo, as in Photo(array, sha256=''), or call mask"
            )
    if len(texts) != len(found):
        raise ValueError(f"{counted(len(found), 'photograph')} and {counted(len(texts), 'key')}: give a key for each")
    return texts, found


def checked_given(given: Iterable[Marks], photographs: int) -> list[Marks]:
    """The given faces of each of some photographs, as lists.

    Raises:
        TypeError: something else than lists of Marks.
        ValueError: another number of lists than of photographs.
    """
    return _lists("given", given, (Mark, SetAsideError), photographs)


def checked_known(known: Iterable[Sequence[Face]], photographs: int) -> list[Sequence[Face]]:
    """The known faces of each of some photographs, as lists; errors as of `checked_given`."""
    return _lists("known", known, (Face,), photographs)


def _lists(name: str, values: object, types: tuple[type, ...], photographs: int) -> list[Any]:
    if not isinstance(values, Iterable):
        raise TypeError(f"{name} is a {_type(values)}: give a list of faces for each photograph")
    found = []
    for own in values:
        if not isinstance(own, Iterable):
            raise TypeError(f"{name} holds a {_type(own)}: give a list of faces for each photograph")
        found.append(list(own))
    for face in (face for own in found for face in own):
        if not isinstance(face, types):
            raise TypeError(f"a {name} face is a {_type(face)}: give {_A_FACE[name]}")
    if len(found) != photographs:
        lists = counted(len(found), f"list of {name} faces", f"lists of {name} faces")
        raise ValueError(f"{counted(photographs, 'photograph')} and {lists}: give a list for each")
    return found


def _type(value: object) -> str:
    return type(value).__name__
