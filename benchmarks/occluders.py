"""What `--occluders keep` leaves in front of masks, and what it leaves out by mistake.

    python benchmarks/occluders.py [FACES_DIR] [--people 60] [--photographs 400] [--sheet OUT.png]

Drawn people, where the truth is known, in long hair, in hair that hangs on the cheeks, in glasses, with fingers, a
microphone or a cup before the mouth, and with none of these (bald or short hair), each in one of three masks. Of the
pixels of cloth and loops: intersection over union of what was left in front with what is in front, its precision and
its recall, over all pixels; and how many have a hole in their cloth where nothing is in front. FACES_DIR holds
photographs of people: prints the share whose cloth has a hole of more than 0.2 % of it, which may be right or wrong,
what one face costs, and draws the faces with the largest holes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.atomic_writes import write_atomic
from maskgen.core.images import encode_image, read_photo
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import analyse_face, apply_mask, occluders_of
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_mask
from maskgen.masks.template import PARTS
from maskgen.people import Person, Portrait, Scene, draw_person, draw_portrait, draw_scene, occluded_share

KINDS = ("surgical_blue", "kn95", "cloth_black")
LONG = ("bob", "long", "fringe", "long_fringe")
HOLE = 0.002  # of the cloth
SORTS = 7  # of cases
LEAST = 40  # coverage from which on a pixel is a mask's


@dataclass(frozen=True, slots=True)
class Case:
    """A drawn person, and what is drawn in front: "", "microphone" or "cup"."""

    person: Person
    scene: Scene
    thing: str = ""

    def drawn(self) -> tuple[Portrait, np.ndarray]:
        """The picture, and the share of each pixel that something in front hides, (h, w)."""
        portrait, truth = draw_portrait(self.person, self.scene), occluded_share(self.person, self.scene)
        if not self.thing:
            return portrait, truth
        cover, colours = THINGS[self.thing](portrait, rng_for(self.scene.pattern, self.thing))
        image = portrait.image + cover[..., None] * (colours - portrait.image)
        image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
        return replace(portrait, image=image), np.maximum(truth, cover)


def _microphone(portrait: Portrait, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A dark ball below the lips on a lighter stem that comes from below: its cover and colours."""
    unit, chin = portrait.pose.scale, portrait.points68[8]
    middle = chin - np.array([rng.normal(0, 0.3), rng.uniform(0.05, 0.6)]) * unit
    foot, size = middle + np.array([rng.normal(0, 1.0), 3.0]) * unit, unit * float(rng.uniform(0.2, 0.4))
    ball, stem = (np.zeros(portrait.image.shape[:2], np.float32) for _ in range(2))
    _line(stem, middle, foot, 0.9 * size)
    cv2.circle(ball, _fine(middle), round(size * 16), 1.0, -1, cv2.LINE_AA, 4)
    y, x = np.indices(ball.shape)
    light = np.clip(1 - np.hypot(x - middle[0] + 0.3 * size, y - middle[1] + 0.3 * size) / (1.6 * size), 0, 1)
    colours = np.where(ball[..., None] > 0, 18 + 90 * light[..., None] ** 2, float(rng.uniform(60, 150)))
    return np.maximum(ball, stem), np.broadcast_to(colours, portrait.image.shape).astype(np.float32)


def _cup(portrait: Portrait, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A cup before the mouth in one colour, lighter in the middle: its cover and colours."""
    unit, mouth = portrait.pose.scale, portrait.points68[48:60].mean(0)
    wide, tall, middle = rng.uniform(0.3, 0.5), rng.uniform(0.7, 1.1), mouth + rng.normal(0, 0.1, 2) * unit
    corners = middle + unit * np.array([[-wide, 0], [wide, 0], [0.75 * wide, tall], [-0.75 * wide, tall]])
    cover = np.zeros(portrait.image.shape[:2], np.float32)
    cv2.fillConvexPoly(cover, np.round(corners * 16).astype(np.int32), 1.0, cv2.LINE_AA, 4)
    across = np.abs(np.indices(cover.shape)[1] - middle[0])[..., None] / (wide * unit)
    return cover, (rng.uniform(30, 240, 3) * np.clip(1.1 - 0.5 * across, 0.4, 1)).astype(np.float32)


def _line(cover: np.ndarray, start: np.ndarray, end: np.ndarray, wide: float) -> None:
    cv2.line(cover, _fine(start), _fine(end), 1.0, max(1, round(wide)), cv2.LINE_AA, 4)


def _fine(point: np.ndarray) -> tuple[int, int]:
    """A point in OpenCV's sixteenths of a pixel."""
    return round(float(point[0]) * 16), round(float(point[1]) * 16)


THINGS = {"microphone": _microphone, "cup": _cup}


def cases(people: int) -> Iterator[tuple[str, Case]]:
    """Drawn people by what is in front of their face."""
    for number in range(people):
        person = replace(draw_person(rng_for(7, "occluders", number)), glasses="none")
        scene = draw_scene(rng_for(7, "occluders", number, "scene"))
        style = str(rng_for(7, "style", number).choice(LONG))
        bald = replace(person, style=("bald", "short", "buzz", "swept")[number % 4])
        yield "hair", Case(replace(person, style=style), scene)
        yield "hair on cheeks", Case(replace(person, style="loose"), scene)
        yield "glasses", Case(replace(bald, glasses=("round", "square")[number % 2]), scene)
        yield "hand", Case(bald, replace(scene, hand=True))
        yield "microphone", Case(bald, scene, "microphone")
        yield "cup", Case(bald, scene, "cup")
        yield "none", Case(bald, scene)


def left_out(case: Case, kind: str, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a picture bool (h, w) each: the mask's pixels without the loops, where it was left out, and where something is
    before it."""
    portrait, truth = case.drawn()
    analysed = analyse_face(portrait.image, portrait.points68)
    plan = plan_mask(rng_for(number, "occluders", kind))
    whole = apply_mask(portrait.image, analysed, plan, load_kind(kind), parts=True)
    kept = apply_mask(portrait.image, analysed, plan, load_kind(kind), occluders=occluders_of(portrait.image, analysed))
    assert whole.parts is not None
    mask = whole.coverage > LEAST
    return mask & _cloth(whole.parts), mask & (kept.coverage < whole.coverage // 2), mask & (truth > 0.5)


def _cloth(parts: np.ndarray) -> np.ndarray:
    """Where a mask is, but not its loops and what is next to them, bool (h, w)."""
    loops = cv2.dilate((parts == PARTS["strap"]).astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(loops == 0)


def drawn(people: int) -> None:
    """Print the table of drawn people."""
    counts: dict[str, np.ndarray] = {}
    holes: dict[str, list[float]] = {}
    for number, (name, case) in enumerate(cases(people)):
        cloth, out, true = left_out(case, KINDS[number // SORTS % len(KINDS)], number)
        for part, where in ((f"{name}, cloth", cloth), (f"{name}, loops", ~cloth)):
            pair = [(out & true & where).sum(), (out & where).sum(), (true & where).sum()]
            counts[part] = counts.get(part, np.zeros(3)) + pair
        holes.setdefault(name, []).append(float((out & ~true & cloth).sum() / cloth.sum()))
    print(f"{people} drawn people each     IoU  precision  recall  pixels in front")
    for part, (both, out, true) in counts.items():
        union = out + true - both
        row = [both / max(one, 1) for one in (union, out, true)]
        print(f"{part:<24}{row[0]:8.3f}{row[1]:11.3f}{row[2]:8.3f}{true:12.0f}")
    for name, shares in holes.items():
        wrong = np.array(shares)
        print(f"{name:<24}wrong holes of more than {HOLE:.1%} of the cloth: {(wrong > HOLE).sum()} of {len(wrong)}")


def photographs(folder: Path, most: int, sheet: Path | None) -> None:
    """Print how often cloth has holes on photographs, and what that costs."""
    every = sorted(path for path in folder.rglob("*") if path.is_file())
    photos = [read_photo(path) for path in every[:: max(1, len(every) // most)]]
    found: list[tuple[float, float, Image]] = []
    for result in Masker(MaskerSettings(unmasked_share=1.0)).process([p.sha256 for p in photos], photos):
        for one in result if isinstance(result, list) else []:
            if isinstance(one, Output):
                found.append(_one(one.image, np.array(one.row["points68"], np.float32).reshape(-1, 2), len(found)))
    holes, seconds = (np.array([one[at] for one in found]) for at in (0, 1))
    print(f"{len(found)} photographs: cloth with a hole of more than {HOLE:.1%}: {(holes > HOLE).mean():.3f}; ")
    print(f"more than 2 %: {(holes > 0.02).mean():.3f}; cost of one face: {1e3 * np.median(seconds):.2f} ms")
    if sheet is not None:
        worst = [found[at][2] for at in np.argsort(-holes)[:50]]
        write_atomic(sheet, encode_image(_sheet(worst), "png"))


def _one(image: Image, points: np.ndarray, number: int) -> tuple[float, float, Image]:
    """The share of cloth that is left out, processor seconds, and the face bare, masked and with the hole."""
    analysed, kind = analyse_face(image, points), load_kind(KINDS[number % len(KINDS)])
    plan = plan_mask(rng_for(number, "occluders"))
    begun = time.process_time()
    occluders = occluders_of(image, analysed)
    spent = time.process_time() - begun
    whole = apply_mask(image, analysed, plan, kind, parts=True)
    kept = apply_mask(image, analysed, plan, kind, occluders=occluders)
    assert whole.parts is not None
    cloth = (whole.coverage > LEAST) & _cloth(whole.parts)
    hole = cloth & (kept.coverage < whole.coverage // 2)
    return float(hole.sum() / max(cloth.sum(), 1)), spent, np.hstack([image, whole.image, kept.image])


def _sheet(rows: Sequence[Image]) -> Image:
    """Pictures four in a row."""
    blank = np.zeros_like(rows[0])
    padded = [*rows, *[blank] * (-len(rows) % 4)]
    return np.vstack([np.hstack(padded[at : at + 4]) for at in range(0, len(padded), 4)])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path, nargs="?")
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--photographs", type=int, default=400)
    parser.add_argument("--sheet", type=Path)
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    drawn(asked.people)
    if asked.faces is not None:
        photographs(asked.faces, asked.photographs, asked.sheet)
