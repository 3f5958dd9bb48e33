"""Masks on drawn heads, whose points, pose and colour are known, and on real photographs with marked points."""

import functools
import itertools
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_people import drawn_people
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000, rgb2lab

from maskgen.core.images import read_photo
from maskgen.core.kindspec import DEFAULT_KINDS, WEARINGS
from maskgen.core.reasons import Reason, SetAsideError
from maskgen.core.seeding import rng_for
from maskgen.masks import mask_mesh
from maskgen.masks.apply_mask import (
    AnalysedFace,
    analyse_and_apply,
    analyse_face,
    analyse_faces,
    apply_mask,
    place_mask,
    wear_mask,
)
from maskgen.masks.composite import shadow_reach
from maskgen.masks.deformations import OUTLINE
from maskgen.masks.kind import Kind
from maskgen.masks.kinds import kind_names, load_kind
from maskgen.masks.lighting.blur_and_noise import blur_reach
from maskgen.masks.lighting.mesh_values import vertex_values
from maskgen.masks.plan import MaskPlan, plan_mask
from maskgen.masks.pose.camera import Camera, fit_cameras, rotation
from maskgen.masks.pose.head import mean68
from maskgen.masks.pose.shape_warp import KEYS, STIFF, fit_shape_warps
from maskgen.masks.template import PARTS, template_files
from maskgen.people import Portrait

KINDS = tuple(name for name in kind_names() if load_kind(name).template.role == "mask")
# Of each form the first colour: where a mask lies depends on its form only, as a test says of every colour.
FORM_OF = {name: load_kind(name).template.name for name in KINDS}
FORMS = tuple({form: name for name, form in reversed(FORM_OF.items())}.values())
PLAN = MaskPlan()


def head_points(yaw: float = 0, pitch: float = 0, roll: float = 0, scale: float = 46.0) -> np.ndarray:
    camera = Camera(scale, rotation(yaw, pitch, roll), np.array([80.0, 88.0]))
    return camera.project(mean68())[:, :2].astype(np.float32)


def plain(grey: int = 128) -> np.ndarray:
    return np.full((160, 160, 3), grey, np.uint8)


def red_at_the_left(kind: Kind, turned: bool) -> bool:
    """Whether a mask of red and blue on a head that looks at the camera is red at the viewer's left."""
    plan = replace(PLAN, turned=turned)
    worn = analyse_and_apply(plain(), head_points(), plan, kind).image.astype(int)
    left, right = (worn[100:130, columns, 0] - worn[100:130, columns, 2] for columns in (slice(50, 75), slice(85, 110)))
    assert abs(left.mean() - right.mean()) > 100
    return bool(left.mean() > right.mean())


@pytest.mark.parametrize("own", [False, True], ids=["print", "template"])
def test_a_users_picture_is_never_mirrored(tmp_path: Path, own: bool) -> None:
    halves = np.zeros((300, 660, 3), np.uint8)
    halves[:, :330, 0] = halves[:, 330:, 2] = 220
    if own:
        (tmp_path / "flag").mkdir()
        for name, data in template_files("cloth").items():
            (tmp_path / "flag" / name).write_bytes(data)
        edited = (tmp_path / "flag/template.toml").read_text("utf-8").partition("[[look]]")[0]
        (tmp_path / "flag/template.toml").write_text(edited.replace('black = "#000000"', 'print = "#ffffff"'), "utf-8")
        size = cv2.imread(str(tmp_path / "flag/texture.png")).shape[1::-1]
        cv2.imwrite(str(tmp_path / "flag/texture.png"), cv2.resize(halves, size)[..., ::-1])
    else:
        cv2.imwrite(str(tmp_path / "flag.png"), halves[..., ::-1])
    kind = load_kind(str(tmp_path / "flag") if own else f"cloth:{tmp_path / 'flag.png'}")
    assert red_at_the_left(kind, turned=False) and red_at_the_left(kind, turned=True)


@functools.cache
def on_plain(*angles: float) -> AnalysedFace:
    """The mean head so turned, before grey."""
    return analyse_face(plain(), head_points(*angles))


def covered(kind: Kind, *angles: float) -> np.ndarray:
    return apply_mask(plain(), on_plain(*angles), PLAN, kind).coverage


def under(points: np.ndarray, mask: np.ndarray) -> np.ndarray:
    x, y = np.clip(np.round(points).astype(int), 0, np.array(mask.shape[::-1]) - 1).T
    return mask[y, x]


@pytest.fixture(scope="module")
def portraits() -> list[Portrait]:
    return [portrait for _, _, portrait in drawn_people(4, 2, seed=5)]


def test_the_five_kinds_are_there() -> None:
    assert set(DEFAULT_KINDS) == set(KINDS[:5]) == {"surgical_green", "surgical_blue", "n95", "kn95", "cloth_black"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("yaw", [-40, 0, 25])
def test_mouth_nose_and_chin_are_covered_and_eyes_are_not(form: str, yaw: float) -> None:
    points = head_points(yaw)
    mask = cv2.dilate(covered(load_kind(form), yaw), np.ones((3, 3))) > 127
    assert under(points[48:68], mask).all()
    assert under(points[30:36], mask).all()
    assert under(points[6:11], mask).all()
    assert not under(points[36:48], mask).any()


def test_every_colour_lies_where_its_form_does() -> None:
    for kind, form in FORM_OF.items():
        first = next(name for name in FORMS if FORM_OF[name] == form)
        np.testing.assert_array_equal(covered(load_kind(kind), 25), covered(load_kind(first), 25), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_colour_is_the_one_that_was_asked_for(kind: str) -> None:
    asked = load_kind(kind).colour
    wanted = np.array([int(asked[at : at + 2], 16) for at in (1, 3, 5)], float)
    for plan in (PLAN, *(plan_mask(rng_for(seed)) for seed in range(12))):
        worn = apply_mask(plain(), on_plain(0), plan, load_kind(kind), parts=True)
        seen = np.median(worn.image[(worn.coverage == 255) & (worn.parts == PARTS["cloth"])], axis=0)
        assert deltaE_ciede2000(*rgb2lab(np.array([seen, wanted]) / 255)) <= 5


def test_relief_deepens_folds_and_light_from_above_does_not_darken_the_cloth_as_a_whole() -> None:
    face, kind = analyse_face(plain(), head_points()), load_kind("surgical_blue")
    usual, deep, above = (
        apply_mask(plain(), face, replace(PLAN, **own), kind) for own in ({}, {"relief": 1.5}, {"overhead": 0.3})
    )
    cloth = cv2.erode(usual.coverage, np.ones((9, 9))) == 255
    grey = [each.image.mean(2) for each in (usual, deep, above)]
    assert grey[1][cloth].std() > 1.15 * grey[0][cloth].std()
    assert abs(np.median(grey[2][cloth]) - np.median(grey[0][cloth])) < 3
    rows = np.flatnonzero(cloth.any(1))
    upper, lower = (np.isin(np.arange(160), part)[:, None] & cloth for part in np.array_split(rows, 2))
    contrast = [each[upper].mean() - each[lower].mean() for each in grey]
    assert contrast[2] > contrast[0] + 1


@pytest.mark.parametrize("kind", FORMS)
@given(seed=st.integers(0, 10_000), yaw=st.floats(-45, 45), roll=st.floats(-30, 30))
@settings(max_examples=8, deadline=None)
def test_pixels_beyond_the_masks_reach_stay_as_they_were(kind: str, seed: int, yaw: float, roll: float) -> None:
    image = np.random.default_rng(seed).integers(0, 256, (160, 160, 3), np.uint8)
    before = image.copy()
    analysed = analyse_face(image, head_points(yaw, 0, roll))
    worn = apply_mask(image, analysed, plan_mask(rng_for(seed)), load_kind(kind))
    np.testing.assert_array_equal(image, before)
    side = 2 * (shadow_reach(analysed.camera.scale) + blur_reach(analysed.grain) + 1) + 1
    near = cv2.dilate((worn.coverage > 0).astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    np.testing.assert_array_equal(worn.image[~near], image[~near])


@pytest.mark.parametrize("yaw", [-70, 20, 70])
def test_what_is_behind_the_head_gets_no_shadow(yaw: float) -> None:
    image = plain()
    analysed = analyse_face(image, head_points(yaw))
    worn = apply_mask(image, analysed, PLAN, load_kind("n95"))
    head = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(head, np.rint(analysed.outline).astype(np.int32), 1)
    behind = (worn.coverage == 0) & (cv2.dilate(head, np.ones((5, 5))) == 0)
    assert np.abs(worn.image[behind].astype(int) - image[behind]).max() <= 1
    beside = (worn.coverage == 0) & (head > 0)
    assert (image[beside].astype(int) - worn.image[beside]).max() > 20


def opacity_of_straps(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The opacity of a kind's straps on a turned head in an empty picture, and what the mesh says of their points."""
    face = analyse_face(plain(), head_points(40))
    face = replace(face, light=replace(face.light, skin=None))
    placed = place_mask(plain().shape[:2], face, PLAN, load_kind(kind))
    level = placed.kind.colours_at(PLAN.look, face.camera.scale)
    values = vertex_values(placed.mesh, PLAN, level, placed.points.pixels, 0, face.camera, face.light, plain())
    straps = slice(placed.mesh.straps_from, None)
    return (values[straps, 0] + 0.5) / level.slope_down.shape[1], placed.mesh.carried[straps]


def test_straps_go_out_of_sight_bit_by_bit_and_loops_on_the_silhouette() -> None:
    sight = analyse_face(plain(), head_points(40)).camera.rotation[2]
    straps, _ = opacity_of_straps("n95")
    assert straps.max() > 0.9
    assert straps.min() == 0
    assert ((straps > 0.1) & (straps < 0.9)).sum() >= 4
    opacity, loops = opacity_of_straps("surgical_green")
    away, facing = loops["ray"] @ sight, loops["under"] @ sight
    assert (opacity[(away > 0.11) & (facing > 0.16)] > 1 - 1e-5).all()
    assert (opacity[(away < 0) | (facing < 0)] == 0).all()
    assert (away > 0.11).any() and (away < 0).any()


@pytest.mark.parametrize("kind", ["surgical_green", "kn95", "cloth_black"])
def test_no_loop_stands_beside_the_far_cheek_of_a_turned_head(kind: str) -> None:
    worn = apply_mask(plain(), analyse_face(plain(), head_points(13)), PLAN, load_kind(kind), parts=True)
    assert worn.parts is not None
    straps, cloth = worn.parts == PARTS["strap"], worn.parts == PARTS["cloth"]
    middle = np.median(np.nonzero(cloth)[1])
    near, far = (int((straps & side).sum()) for side in _sides(straps.shape, middle))
    assert near > 40
    assert far < 0.1 * near


def _sides(shape: tuple[int, ...], middle: float) -> tuple[np.ndarray, np.ndarray]:
    left = np.broadcast_to(np.arange(shape[1]) < middle, shape)
    return left, ~left


def test_the_cheek_does_not_cut_a_loop_into_pieces() -> None:
    plan = replace(PLAN, size=0.98, up=-0.05, outline=tuple(low for low, _ in OUTLINE))
    image, points = plain(), head_points(0, -20)
    worn = apply_mask(image, analyse_face(image, points), plan, load_kind("cloth_black"), parts=True)
    assert worn.parts is not None
    assert cv2.connectedComponents((worn.parts > 0).astype(np.uint8), connectivity=8)[0] == 2


TURNS = {
    "yaw": [(angle, 0, 0) for angle in range(-75, 76)],
    "yaw, looking up": [(angle, 20, 0) for angle in range(-75, 76)],
    "yaw, looking down": [(angle, -20, 0) for angle in range(-75, 76)],
    "pitch": [(0, angle, 0) for angle in range(-45, 46)],
    "roll": [(0, 0, angle) for angle in range(-45, 46)],
}


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("kind", ["surgical_green", "n95", "kn95", "cloth_black"])
def test_one_degree_more_changes_the_mask_a_little(kind: str, turn: str) -> None:
    covers = [covered(load_kind(kind), *angles) > 127 for angles in TURNS[turn]]
    jumps = [(one ^ two).sum() / two.sum() for one, two in itertools.pairwise(covers)]
    assert max(jumps) < 0.04


@pytest.mark.parametrize("kind", DEFAULT_KINDS)
def test_few_triangles_of_the_head_hide_what_all_of_them_would(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = list(itertools.product((-70, -45, -20, 0, 10, 33, 58), (-15, 0, 15)))

    def covers(worn: Kind) -> list[np.ndarray]:
        return [covered(worn, *turn) for turn in turns]

    def anew() -> Kind:
        """The kind with nothing remembered of what hides it."""
        known = load_kind(kind)
        return replace(known, template=replace(known.template))

    few = covers(load_kind(kind))
    every = np.arange(len(mask_mesh.bare_head_model().triangles))
    monkeypatch.setattr(mask_mesh, "hiding_triangles", lambda *_: every)
    whole = covers(anew())
    assert unlike(few, whole) <= 2
    monkeypatch.setattr(mask_mesh, "hiding_triangles", lambda *_: every[:0])
    assert unlike(covers(anew()), whole) > 50


def unlike(some: list[np.ndarray], others: list[np.ndarray]) -> int:
    """Pixels whose coverage differs by more than a third of a loop's."""
    return sum(int((cv2.absdiff(one, other) > 40).sum()) for one, other in zip(some, others, strict=True))


def test_the_same_plan_gives_the_same_bytes(portraits: list[Portrait]) -> None:
    for portrait in portraits:
        first, second = (analyse_and_apply(portrait.image, portrait.points68, PLAN, load_kind("n95")) for _ in range(2))
        np.testing.assert_array_equal(first.image, second.image)
        assert first.outline[0].shape[1] == 2


@pytest.mark.parametrize("wearing", ["proper", "under_chin"])
def test_the_outline_is_at_the_edge_of_the_coverage(portraits: list[Portrait], wearing: str) -> None:
    for portrait, kind in itertools.product(portraits, ("n95", "cloth_black")):
        worn = analyse_and_apply(portrait.image, portrait.points68, replace(PLAN, wearing=wearing), load_kind(kind))
        solid = (worn.coverage > 127).astype(np.uint8)
        contours, _ = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        edge = max(contours, key=cv2.contourArea).reshape(-1, 2).astype(float)
        far = [abs(cv2.pointPolygonTest(worn.outline[0], point, True)) for point in edge.tolist()]
        assert max(far) <= 0.5 + 1e-6


def test_masks_are_the_same_if_all_are_placed_before_the_first_one_is_rendered(portraits: list[Portrait]) -> None:
    each = [(one, analyse_face(one.image, one.points68), at) for at, one in enumerate(portraits)]
    drawn = [(one, face, plan_mask(rng_for(at, kind)), kind) for one, face, at in each for kind in ("n95", "world")]
    alone = [apply_mask(one.image, face, plan, load_kind(kind)) for one, face, plan, kind in drawn]
    placed = [place_mask(one.image.shape[:2], face, plan, load_kind(kind)) for one, face, plan, kind in drawn]
    for of, mask, expected in reversed(list(zip(drawn, placed, alone, strict=True))):
        worn = wear_mask(of[0].image, of[1], mask)
        np.testing.assert_array_equal(worn.image, expected.image)
        np.testing.assert_array_equal(worn.coverage, expected.coverage)
        assert worn.cloth == expected.cloth


def test_drawn_people_are_covered_in_every_form(portraits: list[Portrait]) -> None:
    for portrait in portraits:
        analysed = analyse_face(portrait.image, portrait.points68)
        for form in FORMS:
            mask = apply_mask(portrait.image, analysed, PLAN, load_kind(form)).coverage > 127
            assert under(portrait.points68[48:68], mask).mean() > 0.95
            assert under(portrait.points68[36:48], mask).mean() == 0


def test_a_greyscale_photograph_gets_a_grey_mask(portraits: list[Portrait]) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(portraits[0].image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    worn = analyse_and_apply(grey, portraits[0].points68, PLAN, load_kind("surgical_blue"))
    assert np.ptp(worn.image[worn.coverage > 200].astype(int), axis=1).max() <= 2


def test_one_sided_light_gives_a_one_sided_mask() -> None:
    ramp = np.linspace(60, 235, 160, dtype=np.uint8)
    image = np.ascontiguousarray(np.broadcast_to(ramp[None, :, None], (160, 160, 3)))
    worn = analyse_and_apply(image, head_points(), PLAN, load_kind("surgical_blue"))
    solid = worn.coverage == 255
    left, right = (worn.image[..., 1][solid & side].mean() for side in (np.arange(160) < 70, np.arange(160) > 90))
    assert right > left + 8


def test_glossy_black_cloth_does_not_shine_like_metal_in_light_from_one_side() -> None:
    face = on_plain()
    lit = replace(face, light=replace(face.light, direction=np.array([-0.8, -0.2, 0.2]), unexplained=None))

    def brightest(gloss: float) -> float:
        kind = replace(load_kind("cloth_black"), gloss=gloss)
        worn = apply_mask(plain(), lit, replace(PLAN, relief=2.5), kind)
        return float(np.quantile(worn.image[worn.coverage > 200].max(1), 0.99))

    assert brightest(0.0) + 30 < brightest(0.9) < 125


def test_a_soft_photograph_gets_a_soft_mask(portraits: list[Portrait]) -> None:
    portrait = portraits[0]
    soft = cv2.GaussianBlur(portrait.image, (0, 0), 3)

    def steepest(image: np.ndarray) -> float:
        coverage = analyse_and_apply(image, portrait.points68, PLAN, load_kind("n95")).coverage.astype(float)
        return float(np.abs(np.diff(coverage, axis=0)).max())

    assert steepest(soft) < 0.6 * steepest(portrait.image)


def test_faces_that_cannot_be_masked_say_why() -> None:
    with pytest.raises(SetAsideError) as tiny:
        analyse_face(plain(), head_points(scale=3.0))
    assert tiny.value.reason is Reason.TOO_SMALL
    with pytest.raises(SetAsideError) as turned:
        analyse_face(plain(), head_points(yaw=88))
    assert turned.value.reason is Reason.EXTREME_POSE


@functools.cache
def crowd(many: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures of several sizes, in colours and grey, and their points; the second and every fourth face is no use."""
    faces = []
    for number, (_, _, portrait) in zip(range(many), itertools.cycle(drawn_people(4, 2, seed=5)), strict=False):
        image, points = portrait.image, portrait.points68 + np.float32(number / 7)
        if number % 3 == 2:
            image = np.ascontiguousarray(image[:-9, 4 : -3 - number % 5])
            points = points - np.float32([4, 0])
        if number % 5 == 4:
            image = np.repeat(image[..., 1:2], 3, axis=2)
        faces.append((image, points * 0.02 if number % 4 == 1 else points))
    return faces


def parts_of(analysed: AnalysedFace) -> tuple[bytes, ...]:
    camera, light = analysed.camera, analysed.light
    arrays = (
        camera.rotation,
        camera.shift,
        analysed.shift,
        light.direction,
        light.cast,
        light.tone.tint,
        analysed.eyes,
        analysed.outline,
    )
    numbers = (
        camera.scale,
        light.level,
        light.tone.colour,
        analysed.grain.blur,
        analysed.grain.noise,
        analysed.fit_error,
    )
    return tuple(array.tobytes() for array in (*arrays, np.array(numbers)))


@functools.cache
def alone(number: int) -> tuple[bytes, ...]:
    return parts_of(analyse_face(*crowd(70)[number]))


@pytest.mark.parametrize("many", [1, 2, 7, 64, 70])
def test_a_face_is_understood_alike_alone_and_among_others(many: int) -> None:
    faces = crowd(70)[:many]
    for number, analysed in enumerate(analyse_faces(*zip(*faces, strict=True))):
        if number % 4 == 1:
            assert isinstance(analysed, SetAsideError)
            assert analysed.reason is Reason.TOO_SMALL
        else:
            assert isinstance(analysed, AnalysedFace)
            assert parts_of(analysed) == alone(number)


def test_a_persons_shift_solves_the_splines_equations() -> None:
    points = np.stack([head_points(yaw) for yaw in (-50, 0, 35)]) + np.random.default_rng(0).normal(size=(3, 68, 2))
    cameras, _ = fit_cameras(points)
    keys = mean68()[KEYS]
    apart = np.linalg.norm(keys[:, None] - keys, axis=2)
    for seen, camera, shift in zip(points, cameras.each(), fit_shape_warps(points, cameras), strict=True):
        wanted = seen[KEYS] - camera.project(keys)[:, :2]
        weights, plane = shift[:-4], shift[-4:]
        left = wanted - (apart @ weights + plane[0] + keys @ plane[1:])  # what smoothness leaves of each key
        believed = STIFF * np.abs(weights) / np.maximum(np.abs(left), 1e-12)
        np.testing.assert_array_less(believed[:, 0], 1 + 1e-6)
        np.testing.assert_allclose(believed[17:], 1, rtol=1e-6)
        np.testing.assert_allclose(np.column_stack([np.ones(len(keys)), keys]).T @ weights, 0, atol=1e-9)


@pytest.fixture(scope="module")
def marked(photographs: Path) -> list[tuple[str, np.ndarray, np.ndarray, AnalysedFace]]:
    """Name, pixels and hand-marked points of photographs, and what is understood of each."""
    found = []
    for marks in sorted((photographs / "landmarks68").glob("*.pts")):
        points, image = np.loadtxt(marks), read_photo(marks.with_suffix(".jpg")).image
        found.append((marks.stem, image, points, analyse_face(image, points)))
    return found


@pytest.mark.parametrize("form", FORMS)
def test_full_cover_on_marked_photographs(
    form: str, marked: list[tuple[str, np.ndarray, np.ndarray, AnalysedFace]]
) -> None:
    full, eyes = [], []
    for name, image, points, analysed in marked:
        mask = apply_mask(image, analysed, plan_mask(rng_for(0, name, form)), load_kind(form)).coverage > 127
        near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3))) > 0
        all_of_it = all(under(points[a:b], near).all() for a, b in ((48, 68), (30, 36), (6, 11)))
        eyes.append(under(points[36:48], mask).mean())
        full.append(all_of_it and eyes[-1] == 0)
    assert np.mean(full) >= 0.9
    assert np.mean(eyes) <= 0.002


@pytest.mark.parametrize(("name", "yaw"), [("cloth_black", 25.0), ("surgical_blue", 40.0), ("kn95", 30.0)])
def test_a_mask_under_the_chin_does_not_stand_up_beside_a_turned_face(name: str, yaw: float) -> None:
    points = head_points(yaw)
    worn = apply_mask(plain(), on_plain(yaw), MaskPlan(wearing="under_chin"), load_kind(name)).coverage
    (x, y), ends = points[8], points[[0, 16], 0]
    far = np.abs(ends - x).argmin()
    beyond = worn[:, : int(x)] if far == 0 else worn[:, int(x) :]
    highest = np.flatnonzero((beyond > 127).any(1))[0]
    assert (y - highest) / 46 < 0.45


@pytest.mark.parametrize("wearing", WEARINGS)
@pytest.mark.parametrize("form", FORMS)
def test_what_a_wearing_position_leaves_bare(form: str, wearing: str) -> None:
    worn = apply_mask(plain(), on_plain(), MaskPlan(wearing=wearing), load_kind(form))
    covers = under(head_points()[[33, 51, 57, 8]], worn.coverage > 127).tolist()  # below the nose, both lips, chin
    bare = {"proper": (), "nose_out": (0,), "chin_out": (3,), "under_chin": (0, 1, 2)}[wearing]
    assert covers == [number not in bare for number in range(4)]
    assert worn.wearing == wearing


@pytest.mark.parametrize("form", ["shield_white", "sunglasses_black"])
def test_shields_and_glasses_have_one_wearing_position_and_say_so(form: str) -> None:
    proper, *others = [
        apply_mask(plain(), on_plain(), MaskPlan(wearing=wearing), load_kind(form)) for wearing in WEARINGS
    ]
    assert [other.wearing for other in others] == ["proper"] * 3
    assert all((other.image == proper.image).all() for other in others)
