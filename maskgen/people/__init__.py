"""People that this project draws itself: the built-in sample, and ground truth for tests."""

from maskgen.people.person import Person, draw_person
from maskgen.people.portrait import Portrait, neutral_head, paint
from maskgen.people.sample import sample_people
from maskgen.people.scene import Scene, draw_scene

__all__ = [
    "Person",
    "Portrait",
    "Scene",
    "draw_person",
    "draw_scene",
    "neutral_head",
    "paint",
    "sample_people",
]
