"""What stands before a mask stays there, and bare faces keep whole masks."""

import os
import subprocess
import sys
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import Photo
from maskgen.core.reasons import UserError
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks import occluders as occluders_package
from maskgen.masks.apply_mask import MaskedPicture, analyse_face, apply_mask, occluders_of
from maskgen.masks.kinds import load_kind
from maskgen.masks.occluders import network
from maskgen.masks.occluders.find import Occluders, confident
from maskgen.masks.occluders.find import occluded_share as share_of
from maskgen.masks.plan import MaskPlan
from maskgen.masks.render import Window
from maskgen.masks.template import PARTS
from maskgen.people import Expression, Person, Portrait, Scene, draw_person, draw_portrait, occluded_share

SCENE = Scene(scale=48.0, centre=(110.0, 115.0), size=(220, 220), light=(-0.1, -0.4, 0.9), ambient=0.6)
PALE = np.array([232.0, 190.0, 168.0])
PLAIN: dict[str, Any] = {"glasses": "none", "beard": 0.0, "moustache": 0.0, "freckles": 0.0, "age": 0.2}


def person(**looks: Any) -> Person:
    pale = {"skin": PALE, "hair": np.array([48.0, 34.0, 28.0])}
    return replace(draw_person(rng_for(3, "front")), **{**PLAIN, **pale, **looks})


def both(
    whose: Person, kind: str = "surgical_blue", scene: Scene = SCENE
) -> tuple[Portrait, MaskedPicture, MaskedPicture]:
    """A portrait, and a mask on it drawn over what is in front and behind it."""
    return masked(draw_portrait(whose, scene), kind)


def masked(portrait: Portrait, kind: str = "surgical_blue") -> tuple[Portrait, MaskedPicture, MaskedPicture]:
    analysed = analyse_face(portrait.image, portrait.points68)
    occluders = occluders_of(portrait.image, analysed)
    over = apply_mask(portrait.image, analysed, MaskPlan(), load_kind(kind), parts=True)
    return (
        portrait,
        over,
        apply_mask(portrait.image, analysed, MaskPlan(), load_kind(kind), parts=True, occluders=occluders),
    )


@pytest.mark.parametrize("kind", ["surgical_blue", "n95", "cloth_black"])
@pytest.mark.parametrize("tone", [1.0, 0.6, 0.35])
def test_a_bare_face_keeps_its_whole_mask(kind: str, tone: float) -> None:
    _, over, kept = both(person(style="bald", skin=tone * PALE), kind)
    cloth = over.coverage > 130
    assert (kept.coverage[cloth] > 127).all()


def test_hair_on_the_cheeks_stays_before_the_mask() -> None:
    whose = person(style="loose")
    _, over, kept = both(whose)
    mask, out = over.coverage > 40, kept.coverage < over.coverage // 2
    true = (occluded_share(whose, SCENE) > 0.5) & mask
    assert true.sum() > 300
    assert (out & true & mask).sum() / ((out | true) & mask).sum() > 0.5
    assert kept.in_front > 0.02
    assert over.in_front == 0.0
    assert kept.parts is not None
    assert not kept.parts[out & mask & (kept.coverage == 0)].any()


def test_what_is_in_front_is_the_photograph_itself() -> None:
    portrait, over, kept = both(person(style="loose"))
    gone = (over.coverage > 130) & (kept.coverage == 0)
    assert gone.sum() > 100
    assert np.abs(kept.image[gone].astype(int) - portrait.image[gone]).max() <= 1  # also no shadow of the cloth


def test_rims_stay_before_a_mask_that_sits_high() -> None:
    portrait = draw_portrait(person(style="bald", glasses="square"), SCENE)
    analysed = analyse_face(portrait.image, portrait.points68)
    occluders = occluders_of(portrait.image, analysed)
    assert occluders is not None
    rims = occluders.others > 0.5
    assert rims.sum() > 20
    part = portrait.image[occluders.window.slices]
    assert part[rims].mean() < 0.6 * part[np.maximum(occluders.hair, occluders.others) == 0].mean()


def test_in_front_is_nothing_for_a_bald_head_and_all_of_a_hand() -> None:
    bald = person(style="bald")
    assert np.abs(occluded_share(bald, SCENE)).max() < 1e-4
    hand = replace(SCENE, hand=True)
    changed = np.abs(draw_portrait(bald, hand).image.astype(int) - draw_portrait(bald, SCENE).image).max(2) > 40
    truth = occluded_share(bald, hand)
    assert changed.sum() > 500
    assert (truth[changed] > 0.3).all()


def test_the_same_photograph_gives_the_same_bytes() -> None:
    first, again = (both(person(style="loose"))[2] for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)


def overlap(portrait: Portrait, before: np.ndarray) -> float:
    """Intersection over union of what is left in front of a mask with what is `before` it, on the mask's pixels."""
    _, over, kept = masked(portrait)
    mask = over.coverage > 40
    out, true = mask & (kept.coverage < over.coverage // 2), mask & before
    assert true.sum() > 300
    return float((out & true).sum() / (out | true).sum())


@pytest.mark.parametrize("tone", [1.0, 0.45])
def test_fingers_stay_before_the_mask(tone: float) -> None:
    whose, scene = person(style="bald", skin=tone * PALE), replace(SCENE, hand=True)
    assert overlap(draw_portrait(whose, scene), occluded_share(whose, scene) > 0.5) > 0.4


def test_a_microphone_stays_before_the_mask() -> None:
    portrait = draw_portrait(person(style="short"), SCENE)
    image, cover = portrait.image.copy(), np.zeros(portrait.image.shape[:2], np.uint8)
    x, y = np.rint(portrait.points68[57] + [0, 8]).astype(int).tolist()
    for target, ball, stem in ((image, (28, 28, 30), (70, 70, 74)), (cover, (1,), (1,))):
        cv2.line(target, (x, y), (x + 14, y + 100), stem, 11, cv2.LINE_AA)
        cv2.circle(target, (x, y), 13, ball, -1, cv2.LINE_AA)
    assert overlap(replace(portrait, image=image), cover > 0) > 0.5


@pytest.mark.parametrize(
    ("looks", "circumstances"),
    [
        ({"beard": 1.0, "moustache": 1.0}, {}),
        ({"beard": 1.0, "moustache": 1.0, "hair": np.array([200.0, 196.0, 190.0])}, {}),
        ({"beard": 0.35}, {"expression": Expression(mouth=1.0)}),
        ({}, {"expression": Expression(mouth=0.8, smile=0.8)}),
        ({}, {"light": (-1.6, -0.2, 0.5), "ambient": 0.2}),
        ({"age": 1.0, "freckles": 1.0}, {"light": (0.0, -1.4, 0.5), "ambient": 0.3}),
    ],
)
def test_beards_open_mouths_and_shadows_make_no_hole(looks: dict[str, Any], circumstances: dict[str, Any]) -> None:
    _, over, kept = both(person(style="bald", **looks), scene=replace(SCENE, **circumstances))
    cloth = over.coverage > 130
    assert (kept.coverage[cloth] <= 127).mean() < 0.002


@pytest.mark.parametrize(
    ("what", "straps", "part", "hidden"),
    [
        ("hair", False, "cloth", True),
        ("hair", True, "cloth", True),
        ("hair", True, "strap", False),
        ("likely_hair", False, "strap", True),
        ("likely_hair", True, "strap", False),
        ("likely_hair", False, "cloth", False),
        ("others", True, "strap", True),
        ("others", False, "strap", True),
        ("others", False, "cloth", True),
    ],
)
def test_hair_hides_cloth_and_loops_but_no_head_straps(what: str, straps: bool, part: str, hidden: bool) -> None:
    window, half = Window(0, 0, 4, 4), np.zeros((4, 4), np.float32)
    half[:, :2] = 1
    shares = {name: half if name == what else 0 * half for name in ("hair", "likely_hair", "others")}
    share = share_of(Occluders(window, **shares), np.full((4, 4), PARTS[part], np.uint8), window, straps)
    np.testing.assert_array_equal(share, half * hidden)


def test_faces_of_a_batch_do_not_change_each_other() -> None:
    images = [draw_portrait(person(style=style), SCENE).image for style in ("loose", "bald", "long")]
    photos = [Photo(image, f"{at:064x}") for at, image in enumerate(images)]
    masker = Masker(MaskerSettings(("surgical_blue",), occluders="keep"))

    def pictures(some: list[Photo]) -> list[Image]:
        found = masker.process([one.sha256 for one in some], some)
        return [one.image for each in found if isinstance(each, list) for one in each if isinstance(one, Output)]

    together, alone = pictures(photos), [pictures([photo])[0] for photo in photos]
    assert len(together) == len(alone) == 3
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_nothing_is_loaded_where_occluders_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(network, "_network", never)
    photo = Photo(draw_portrait(person(style="loose"), SCENE).image, "0" * 64)
    for occluders, asked in (("ignore", False), ("keep", True)):
        masker = Masker(MaskerSettings(("surgical_blue",), occluders=occluders))
        if asked:
            with pytest.raises(AssertionError, match="asked for"):
                list(masker.process(["0" * 64], [photo]))
        else:
            assert isinstance(next(iter(masker.process(["0" * 64], [photo]))), list)


@pytest.mark.parametrize("content", [None, b"", b"PK nothing", b"halved"])
def test_missing_or_damaged_weights_are_one_clear_sentence(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (resources.files(occluders_package) / network.WEIGHTS).read_bytes()
    if content is not None:
        (tmp_path / network.WEIGHTS).write_bytes(whole[: len(whole) // 2] if content == b"halved" else content)
    monkeypatch.setattr(network.resources, "files", lambda _: tmp_path)
    with pytest.raises(UserError, match=r"network\.npz is missing or damaged: install maskgen again$"):
        network.stored_weights()


def test_weights_of_another_network_are_refused() -> None:
    weights = network.stored_weights()
    with pytest.raises(ValueError, match="last.w is missing or has not"):
        network.check_weights(weights | {"last.w": weights["last.w"][:1]})


def test_cells_are_the_same_where_openvino_is_kept_from_avx512() -> None:
    code = (
        "import numpy as np\n"
        "from maskgen.core.seeding import rng_for\n"
        "from maskgen.masks.apply_mask import analyse_face\n"
        "from maskgen.masks.occluders.face_view import face_view\n"
        "from maskgen.masks.occluders.network import front_of\n"
        "from maskgen.people import draw_person, draw_portrait, draw_scene\n"
        "for rng in [rng_for(6, number) for number in range(4)]:\n"
        "    one = draw_portrait(draw_person(rng), draw_scene(rng, 200))\n"
        "    at = analyse_face(one.image, one.points68)\n"
        "    view = face_view(one.image, at.camera, at.shift, at.light)\n"
        "    print(*front_of(view).ravel().tolist())\n"
    )
    found = []
    for isa in ("AVX2", "ALL"):
        env = {**os.environ, "ONEDNN_MAX_CPU_ISA": isa}
        done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, env=env, check=True)
        found.append(np.array(done.stdout.split(), float))
    assert found[0].shape == (4 * 3 * 76 * 76,)
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def test_a_part_counts_only_with_one_sure_cell() -> None:
    likely = np.zeros((40, 40), np.float32)
    likely[2:10, 2:10] = likely[20:30, 20:30] = 0.8
    likely[25, 25] = 0.97
    found = confident(likely, 0.7, 0.95)
    assert not found[:15, :15].any() and found[20:30, 20:30].all()
    likely[32:34, 2:5] = 0.99  # too few cells
    assert not confident(likely, 0.7, 0.95)[32:34].any()


@pytest.mark.parametrize(("small", "large"), [(8, 18), (18, 38), (38, network.CELLS)])
def test_an_enlarged_map_keeps_a_slope_between_its_places(small: int, large: int) -> None:
    """Places of the coarser map lie where its convolution saw them in the finer one."""
    first, step = network.LATTICE[small]
    slope = first + step * np.arange(small)
    between = np.arange(large)[(np.arange(large) >= slope[0]) & (np.arange(large) <= slope[-1])]
    assert np.allclose((network.enlarging_map(small, large) @ slope)[between], between)
