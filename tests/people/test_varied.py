"""Pictures that share a person, and people from wider ranges: the same for the same seed, with points that fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maskgen.core.seeding import rng_for
from maskgen.people import draw_person, draw_portrait, draw_scene
from maskgen.people.portrait import draw_portraits
from maskgen.people.varied.draw import WIDEST_YAW, varied_person, varied_scene


def test_a_picture_among_several_is_the_one_alone() -> None:
    person = draw_person(rng_for(0, "several"))
    first = draw_scene(rng_for(0, "several", 1), 100)
    other = replace(draw_scene(rng_for(0, "several", 2), 100, 75), expression=first.expression, clothes=first.clothes)
    together = draw_portraits(person, [first, other])
    np.testing.assert_array_equal(together[0].image, draw_portrait(person, first).image)
    np.testing.assert_array_equal(together[1].points68, draw_portrait(person, other).points68)


def test_varied_people_are_the_same_for_the_same_seed_and_keep_their_faces_in_the_picture() -> None:
    yaws = []
    for number in range(12):
        drawn = [
            draw_portraits(varied_person(rng), [varied_scene(rng, 80)])[0]
            for rng in (rng_for(0, "varied", number), rng_for(0, "varied", number))
        ]
        np.testing.assert_array_equal(drawn[0].image, drawn[1].image)
        inside = (drawn[0].points68 > 0) & (drawn[0].points68 < 79)
        assert inside.all(1).mean() > 0.9
        assert drawn[0].visible68.sum() > 10
        yaws.append(abs(drawn[0].pose.yaw))
    assert max(yaws) > 45 and max(yaws) <= WIDEST_YAW
