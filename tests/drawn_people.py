"""The drawn people of `sample_people`, each picture drawn once for all tests of a process: one takes 0.2 s.

That they are the same is tested in `people/test_sample.py`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from maskgen.core.seeding import rng_for
from maskgen.people import Person, Portrait, draw_person, draw_portrait, draw_scene


def drawn_people(people: int, each: int, seed: int = 0, size: int = 250) -> list[tuple[str, int, Portrait]]:
    """What `sample_people` draws, in pictures that a test may change."""
    return [
        (f"person_{person:02d}", number, _own_copy(_portrait(person, number, seed, size)))
        for person in range(1, people + 1)
        for number in range(1, each + 1)
    ]


@cache
def _portrait(person: int, number: int, seed: int, size: int) -> Portrait:
    scene = draw_scene(rng_for(seed, "person", person, "picture", number), size)
    return draw_portrait(_person(person, seed), scene)


@cache
def _person(person: int, seed: int) -> Person:
    return draw_person(rng_for(seed, "person", person))


def _own_copy(portrait: Portrait) -> Portrait:
    return replace(portrait, image=portrait.image.copy(), points68=portrait.points68.copy())
