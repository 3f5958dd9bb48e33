"""Rendered people with known landmarks: the built-in sample, ground truth for tests, and training data."""

from .person import Person, draw_person
from .portrait import Portrait, draw_portrait, neutral_head, occluded_share
from .sample import sample_people
from .scene import Expression, Scene, draw_scene

__all__ = [
    "Expression",
    "Person",
    "Portrait",
    "Scene",
    "draw_person",
    "draw_scene",
    "occluded_share",
    "neutral_head",
    "draw_portrait",
    "sample_people",
]
