"""Draw the pictures of the README and the documentation with the program itself.

python docs/draw_pictures.py        # writes the pictures beside this one
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Picture
from skimage.data import astronaut

from maskgen import mask_photo
from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.alignment_names import ALIGNMENTS
from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import Photo, encode_image
from maskgen.core.kindspec import DEFAULT_KINDS, WEARINGS
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.faces.upright_crop import five_points
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import kind_names, load_kind
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import template_names
from maskgen.people import Person, Scene, draw_person, draw_portrait, sample_people

HERE = Path(__file__).parent
SIDE = 200
FRAMES, TURN = 28, 60.0  # of the moving picture, and degrees to each side
PLACE = Scene(scale=48.0, centre=(100.0, 106.0), size=(SIDE, SIDE))


def masks() -> Image:
    """The built-in portrait in the five default masks, one row."""
    return np.hstack([mask_photo(astronaut(), kind, size=224).image for kind in DEFAULT_KINDS])


def people() -> Image:
    """Drawn people in turn in every mask, three rows."""
    masker = Masker(MaskerSettings(size=160, per_photo="all"))
    tiles = []
    for number, (name, picture, portrait) in enumerate(sample_people(12, 2)):
        result = masker.process([f"{name} {picture}"], [Photo(portrait.image, "")])[0]
        outputs = [one for one in result if isinstance(one, Output)] if isinstance(result, list) else []
        if outputs:
            tiles.append(outputs[number % len(outputs)].image)
    return rows_of(tiles, 8)


def rows_of(tiles: Sequence[Image], columns: int) -> Image:
    """Tiles side by side, row by row; the last row is filled with white ones."""
    white = [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    full = [*tiles, *white]
    return sheet(full[at : at + columns] for at in range(0, len(full), columns))


def worn(person: Person, scene: Scene, kind: str, seed: int, way: str = "proper", look: float | None = None) -> Image:
    """A drawn person in a mask, at the points that are known."""
    portrait = draw_portrait(person, scene)
    plan = plan_mask(rng_for("pictures", seed, kind), {way: 1.0})
    plan = plan if look is None else replace(plan, look=look)
    return analyse_and_apply(portrait.image, portrait.points68, plan, load_kind(kind)).image


def poses() -> Image:
    """The five default masks, one a row, on a head that turns, nods and tilts."""
    angles = [(yaw, 0.0, 0.0) for yaw in (-70.0, -35.0, 0.0, 35.0, 70.0)]
    angles += [(0.0, 25.0, 0.0), (0.0, -25.0, 0.0), (20.0, 0.0, 35.0)]
    scenes = [replace(PLACE, yaw=yaw, pitch=pitch, roll=roll) for yaw, pitch, roll in angles]
    return sheet(
        [worn(draw_person(rng_for("pictures", 1)), scene, kind, 0) for scene in scenes] for kind in DEFAULT_KINDS
    )


def light() -> Image:
    """One-sided, dark, warm and flat light, a soft, a noisy and a greyscale picture: one mask a row."""
    changes = [
        {"light": (-0.9, -0.2, 0.3), "ambient": 0.15},
        {"light": (0.9, -0.2, 0.3), "ambient": 0.15},
        {"level": 0.35},
        {"cast": (1.15, 1.0, 0.72)},
        {"ambient": 1.0},
        {"blur": 2.2},
        {"noise": 14.0},
    ]
    scenes = [replace(PLACE, **change) for change in changes]  # type: ignore[arg-type]
    person = draw_person(rng_for("pictures", 7))
    lines = []
    for kind in ("surgical_blue", "n95", "cloth_black"):
        grey = draw_portrait(person, PLACE)
        plain = np.repeat(grey.image.mean(2, keepdims=True), 3, 2).astype(np.uint8)
        last = analyse_and_apply(plain, grey.points68, plan_mask(rng_for("pictures", 0)), load_kind(kind)).image
        lines.append([*(worn(person, scene, kind, 0) for scene in scenes), last])
    return sheet(lines)


def skins() -> Image:
    """People of every skin and age, with beards and with glasses."""
    drawn = [draw_person(rng_for("pictures", 100 + at)) for at in range(60)]
    wanted = sorted(drawn, key=lambda one: float(one.skin.sum()))[::6][:8]
    bearded = [one for one in drawn if one.beard > 0.4][:4] + [one for one in drawn if one.glasses != "none"][:4]
    return sheet([worn(person, PLACE, kind, 3) for person in group] for group in (wanted, bearded) for kind in
                 ("surgical_green", "kn95"))  # fmt: skip


def variety() -> Image:
    """One kind a row, as eight seeds draw it."""
    person = draw_person(rng_for("pictures", 12))
    return sheet(
        [worn(person, PLACE, kind, seed) for seed in range(8)]
        for kind in ("surgical_blue", "n95", "kn95", "cloth_black", "surgical:#ff8800")
    )


def world() -> Image:
    """Masks of `world`, as 16 seeds draw them on the portrait."""
    return rows_of([mask_photo(astronaut(), "world", size=160, seed=seed).image for seed in range(16)], 8)


def ways() -> Image:
    """One way of wearing it a column."""
    person = draw_person(rng_for("pictures", 15))
    return sheet([worn(person, PLACE, kind, 2, way) for way in WEARINGS] for kind in ("surgical_green", "kn95"))


def kinds() -> Image:
    """Every built-in kind, then the further looks."""
    person = draw_person(rng_for("pictures", 21))
    plain = [worn(person, PLACE, kind, 0, look=0.0) for kind in kind_names()]
    other = [worn(person, PLACE, kind, 0, look=0.999) for kind in ("n95", "kn95", "cloth_grey")]
    return rows_of([*plain, *other], 8)


def alignments() -> Image:
    """The built-in portrait in each alignment at 224 pixels, its five landmarks marked."""
    tiles = []
    for align in ALIGNMENTS:
        result = Masker(MaskerSettings(("surgical_blue",), size=224, align=align)).process(
            ["portrait"], [Photo(np.ascontiguousarray(astronaut()), "")]
        )[0]
        assert isinstance(result, list)
        (one,) = (output for output in result if isinstance(output, Output))
        tile = one.image.copy()
        for x, y in five_points(np.array(one.row["points68"], np.float32).reshape(68, 2)):
            cv2.circle(tile, (round(float(x)), round(float(y))), 3, (255, 40, 40), -1, cv2.LINE_AA)
        cv2.putText(tile, align, (6, 216), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 3, cv2.LINE_AA)
        cv2.putText(tile, align, (6, 216), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
        tiles.append(tile)
    return np.hstack(tiles)


def forms() -> Image:
    """The further forms, one a row, over poses."""
    person = draw_person(rng_for("pictures", 12))
    turns = ((0, 0, 0), (-25, 0, 0), (25, 10, 5), (-50, 0, 0), (50, -10, -5), (70, 0, 0), (0, 25, 0), (0, -25, 0))
    scenes = [replace(PLACE, yaw=yaw, pitch=pitch, roll=roll) for yaw, pitch, roll in turns]
    names = ("pitta", "kf94", "duckbill", "bandana", "gaiter", "window", "shield", "sunglasses")
    return sheet([worn(person, scene, name, at) for at, scene in enumerate(scenes)] for name in names)


def every_form() -> Image:
    """Every form, one a row: turned, looking up, turned back, in three lights, on the palest and darkest skin."""
    person, palest, darkest = draw_person(rng_for("pictures", 7)), *_far_skins()
    looks = [(person, replace(PLACE, yaw=yaw, pitch=pitch)) for yaw, pitch in ((50.0, 0.0), (0.0, 20.0), (-50.0, 0.0))]
    lights = ({"light": (-0.9, -0.2, 0.3), "ambient": 0.15}, {"level": 0.35}, {"cast": (1.15, 1.0, 0.72)})
    looks += [(person, replace(PLACE, **light)) for light in lights]  # type: ignore[arg-type]
    looks += [(palest, PLACE), (darkest, PLACE)]
    return sheet([worn(*look, name, at) for at, look in enumerate(looks)] for name in template_names())


def _far_skins() -> tuple[Person, Person]:
    drawn = sorted((draw_person(rng_for("pictures", 100 + at)) for at in range(60)), key=lambda one: one.skin.sum())
    return drawn[-1], drawn[0]


def turning() -> bytes:
    """Five drawn people in the five default masks, who turn from side to side: an animated WebP."""
    people = [draw_person(rng_for("pictures", number)) for number in (1, 7, 12, 15, 21)]
    angles = [TURN * math.sin(math.tau * frame / FRAMES) for frame in range(FRAMES)]
    scenes = [replace(PLACE, yaw=angle, pitch=4.0 * math.sin(math.radians(2 * angle))) for angle in angles]
    frames = [
        np.hstack([worn(person, scene, kind, 0) for person, kind in zip(people, DEFAULT_KINDS, strict=True)])
        for scene in scenes
    ]
    first, *others = [Picture.fromarray(frame) for frame in frames]
    data = io.BytesIO()
    first.save(data, "WEBP", save_all=True, append_images=others, duration=90, loop=0, quality=70, method=6)
    return data.getvalue()


def sheet(lines: Iterable[Sequence[Image]]) -> Image:
    """Rows of tiles."""
    return np.vstack([np.hstack(line) for line in lines])


if __name__ == "__main__":
    write_atomic(HERE / "masks.png", encode_image(masks(), "png"))
    write_atomic(HERE / "turning.webp", turning())
    pictures = {
        "people": people, "poses": poses, "light": light, "skins": skins, "variety": variety, "wearing": ways,
        "world": world, "kinds": kinds, "alignments": alignments, "forms": forms,
        "every_form": every_form,
    }  # fmt: skip
    for name, draw in pictures.items():
        write_atomic(HERE / f"{name}.jpg", encode_image(draw(), "jpg", 88))
