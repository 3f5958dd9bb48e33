"""Pictures that share a person, and people from wider ranges: the same for the same seed, with points that fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from maskgen.core.seeding import rng_for
from maskgen.people import draw_person, draw_portrait, draw_scene
from maskgen.people.portrait import draw_portraits
from maskgen.people.varied.draw import WIDEST_YAW, varied_person, varied_scene
from maskgen.people.varied.layered import SLIDING, paint_layered


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


def test_layers_tell_what_the_picture_shows() -> None:
    person = replace(draw_person(rng_for(0, "layers")), style="short", glasses="none")
    scene = replace(draw_scene(rng_for(0, "layers", 1), 100), yaw=20.0, pitch=0.0, roll=0.0, hand=False)
    ((portrait, layers),) = paint_layered(person, [scene])
    np.testing.assert_array_equal(portrait.image, draw_portrait(person, scene).image)
    skin, cloth, hair = (layers.shares[..., at].astype(int) for at in range(3))
    assert (skin + cloth + hair).max() <= 256
    x, y = np.rint(portrait.points68[30]).astype(int)
    assert skin[y, x] == 255 and cloth[-1].max() == 255 and hair.max() > 200
    assert layers.normals[y, x, 0] > 0 and np.abs(layers.normals).max() <= 127  # the nose looks where the head looks


def test_the_outline_lies_beyond_the_far_jaw_and_leaves_the_chin() -> None:
    person = draw_person(rng_for(0, "outline"))
    scene = replace(draw_scene(rng_for(0, "outline", 1), 100), yaw=35.0, pitch=0.0, roll=0.0)
    ((portrait, layers),) = paint_layered(person, [scene])
    moved = layers.outline - portrait.points68[:17]
    assert (moved[11:, 0] > 0).all() and (moved[:6, 0] < 0).all()
    np.testing.assert_array_equal(moved[[at for at in range(17) if at not in SLIDING]], 0)
