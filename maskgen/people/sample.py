"""The built-in sample: a few people, several pictures each, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator

from maskgen.core.seeding import rng_for

from .person import draw_person
from .portrait import Portrait, draw_portrait
from .scene import draw_scene


def sample_people(
    people: int = 12, each: int = 10, seed: int = 0, size: int = 250
) -> Iterator[tuple[str, int, Portrait]]:
    """Pictures of rendered people: the person's name, the picture's number from 1, and the picture.

    A picture depends on the seed, the size, its person's number and its own: more people or pictures do not change it.
    """
    for number in range(1, people + 1):
        person = draw_person(rng_for(seed, "person", number))
        for picture in range(1, each + 1):
            scene = draw_scene(rng_for(seed, "person", number, "picture", picture), size)
            yield f"person_{number:02d}", picture, draw_portrait(person, scene)
