"""Masks that PyTorch renders: like the CPU's, the same in any batch, and a reason where there is none."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.images import Photo
from maskgen.core.kindspec import DEFAULT_KINDS
from maskgen.core.reasons import Reason, SetAsideError, UserError
from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import MaskedPicture, analyse_face, apply_mask
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_mask
from maskgen.people import Scene, draw_person, draw_portrait
from maskgen.points.mark import Mark, mirrored
from maskgen.torch_masks import BatchMasker, MaskedBatch, pack_masks, prepare_mask, render_masks

Face = tuple[Image, np.ndarray]

NEAR, MOST = 2, 0.01  # grey levels, and the share of a picture's pixels that may differ by more
# The same of the pixels that a mask changes: where rounding decides whether an edge covers the centre of one pixel of
# the canvas, ten pixels of a blurred picture differ, and a small mask has 700.
MOST_OF_MASK = 0.02
POSES = ((0, 0, 0), (-35, 10, 8), (58, -12, -20), (20, 25, 35))
LIGHTS = ((0.0, -0.4, 1.0), (-1.0, -0.3, 0.5), (0.8, 0.1, 0.4), (0.0, -1.0, 0.3))


def drawn_faces(size: int) -> list[Face]:
    """Drawn people, each in another pose and light, the last blurred and moved to the edge of its picture."""
    faces = []
    for at, (pose, light) in enumerate(zip(POSES, LIGHTS, strict=True)):
        scene = Scene(
            *map(float, pose), scale=0.27 * size, centre=(0.5 * size, 0.52 * size), size=(size, size), light=light
        )
        one = draw_portrait(draw_person(rng_for(7, at)), scene)
        faces.append((one.image, one.points68.astype(np.float32)))
    image, points = faces[0]
    moved = np.float32([[1, 0, 0.3 * size], [0, 1, 0.2 * size]])
    soft = cv2.GaussianBlur(image, (0, 0), size / 60)
    faces.append((cv2.warpAffine(soft, moved, (size, size), borderMode=cv2.BORDER_REFLECT), points + moved[:, 2]))
    return faces


def portrait(size: int) -> Face:
    """scikit-image's portrait, cut out."""
    photo = Photo(astronaut(), sha256="")
    ((bare,),) = Masker(MaskerSettings(("n95",), size=size, unmasked_share=1.0)).process(["a"], [photo])
    assert isinstance(bare, Output)
    return bare.image, np.reshape(bare.row["points68"], (68, 2)).astype(np.float32)


@pytest.fixture(scope="module", params=[112, 224])
def faces(request: pytest.FixtureRequest) -> list[Face]:
    return [portrait(request.param), *drawn_faces(request.param)]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine take longer than one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def small() -> list[Face]:
    return drawn_faces(112)


def batch(faces: Sequence[Face]) -> Tensor:
    return torch.stack([torch.from_numpy(image).permute(2, 0, 1) for image, _ in faces])


def points_of(faces: Sequence[Face]) -> np.ndarray:
    return np.stack([points for _, points in faces])


def rows(images: Tensor) -> list[Image]:
    return list(images.permute(0, 2, 3, 1).numpy())


def off(found: np.ndarray, wanted: np.ndarray) -> float:
    """The share of pixels that differ by more than NEAR levels, in any colour."""
    away = np.abs(found.astype(int) - wanted.astype(int)) > NEAR
    return float((away.any(-1) if away.shape[-1] == 3 else away).mean())


def compare(faces: Sequence[Face], kinds: Sequence[str], wear: str = "proper") -> int:
    """Both renderers' pictures of each kind on each face; returns how many there are."""
    made, wanted, bare = [], [], []
    for at, (image, points) in enumerate(faces):
        analysed = analyse_face(image, points)
        for name in kinds:
            plan = plan_mask(rng_for(3, at, name), {wear: 1.0})
            try:
                wanted.append(apply_mask(image, analysed, plan, load_kind(name), parts=True))
            except SetAsideError:
                continue
            made.append(prepare_mask(image, analysed, plan, load_kind(name)))
            bare.append((image, points))
    packed = pack_masks(made, range(len(made)))
    found = render_masks(batch(bare), packed, parts=True)
    assert found.masked.all()
    assert found.parts is not None
    for at, row in enumerate(packed.rows.tolist()):
        check(rows(found.images)[at], found.coverage[at].numpy(), found.parts[at].numpy(), wanted[row], bare[row][0])
    return len(wanted)


def check(image: Image, coverage: np.ndarray, parts: np.ndarray, wanted: MaskedPicture, bare: Image) -> None:
    changed = (wanted.image != bare).any(2)
    assert off(image, wanted.image) <= MOST
    assert off(image[changed], wanted.image[changed]) <= MOST_OF_MASK
    assert off(coverage, wanted.coverage) <= MOST
    assert wanted.parts is not None
    assert (parts != wanted.parts).mean() <= MOST
    assert (parts != wanted.parts)[changed].mean() <= MOST_OF_MASK
    assert (image[~changed] != bare[~changed]).mean() <= MOST


@pytest.mark.parametrize("kind", DEFAULT_KINDS)
def test_pictures_are_the_cpus(kind: str, faces: list[Face]) -> None:
    assert compare(faces, [kind]) == len(faces)


@pytest.mark.parametrize("wear", ["nose_out", "under_chin"])
def test_other_positions_too(wear: str, small: list[Face]) -> None:
    assert compare(small, ["surgical_blue", "n95"], wear) >= len(small)


def test_thin_clear_printed_and_every_other_material_too(small: list[Face]) -> None:
    kinds = ["window_white", "shield_blue", "sunglasses_black", "duckbill_white", "gaiter_navy", "cloth:red+dots"]
    assert compare(small, kinds) >= 5 * len(small)
    thin = [load_kind("world").drawn(plan_mask(rng_for(at)))[1].sheer > 0 for at in range(40)].index(True)
    image, points = small[0]
    plan, analysed = plan_mask(rng_for(thin)), analyse_face(image, points)
    wanted = apply_mask(image, analysed, plan, load_kind("world"), parts=True)
    packed = pack_masks([prepare_mask(image, analysed, plan, load_kind("world"))], [0])
    assert packed.sheer == (0,)
    found = render_masks(batch(small[:1]), packed, parts=True)
    assert found.parts is not None
    check(rows(found.images)[0], found.coverage[0].numpy(), found.parts[0].numpy(), wanted, image)


def keys_of(faces: Sequence[Face]) -> list[str]:
    return [f"picture {at}" for at in range(len(faces))]


def test_draws_are_the_maskers(small: list[Face]) -> None:
    kinds, wear = ("n95=3", "world", "cloth_black"), ("proper=2", "nose_out")
    found = BatchMasker(kinds, wear, unmasked_share=0.3)(batch(small), points_of(small), keys_of(small), seed=4)
    settings = MaskerSettings(kinds, wear, seed=4, crop="none", unmasked_share=0.3, min_trust=0.0, masked_input="keep")
    photos = [Photo(image, sha256="") for image, _ in small]
    results = Masker(settings).process(keys_of(small), photos, given=[[Mark(points=points)] for _, points in small])
    for at, result in enumerate(results):
        assert isinstance(result, list)
        (wanted,) = result
        assert isinstance(wanted, Output)
        assert found.kinds[at] == (wanted.kind if wanted.kind != "bare" else "")
        assert bool(found.masked[at]) == (wanted.kind != "bare")
        assert off(rows(found.images)[at], wanted.image) <= MOST
    assert {*found.kinds} > {""}


def same(one: MaskedBatch, other: MaskedBatch, order: Sequence[int]) -> None:
    assert one.parts is not None
    assert other.parts is not None
    for at, row in enumerate(order):
        for mine, its in ((one.images, other.images), (one.coverage, other.coverage), (one.parts, other.parts)):
            assert torch.equal(mine[at], its[row])


def test_neighbours_and_threads_change_nothing(small: list[Face]) -> None:
    many = [*small, *small]
    masker = BatchMasker(("n95", "world", "window_white"), parts=True)
    images, points, keys = batch(many), points_of(many), keys_of(many)
    whole = masker(images, points, keys)
    for order in ([3], [4, 2, 9], list(range(9, -1, -1))):
        same(masker(images[order], points[order], [keys[at] for at in order]), whole, order)
    same(BatchMasker(masker.kinds, parts=True, at_once=2)(images, points, keys), whole, range(len(many)))
    torch.set_num_threads(3)
    same(masker(images, points, keys), whole, range(len(many)))
    assert not torch.equal(masker(images, points, keys, seed=1).images, whole.images)


@pytest.mark.parametrize("usual", [torch.float64, torch.float16, torch.bfloat16])
def test_the_programs_usual_type_of_numbers_changes_nothing(usual: torch.dtype, small: list[Face]) -> None:
    masker = BatchMasker(("n95", "world", "window_white"), parts=True)
    images, points, keys = batch(small), points_of(small), keys_of(small)
    wanted = masker(images, points, keys)
    torch.set_default_dtype(usual)
    try:
        found = masker(images, points, keys)
    finally:
        torch.set_default_dtype(torch.float32)
    same(found, wanted, range(len(small)))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no card")
def test_a_cards_pictures_are_the_cpus(small: list[Face]) -> None:
    masker = BatchMasker(("n95", "world", "window_white"), parts=True)
    images, points, keys = batch(small), points_of(small), keys_of(small)
    here, there = masker(images, points, keys), masker(images.cuda(), points, keys)
    assert there.images.is_cuda
    assert there.masked.cpu().equal(here.masked)
    for found, wanted in zip(rows(there.images.cpu()), rows(here.images), strict=True):
        assert off(found, wanted) <= MOST
    assert torch.equal(masker(images.cuda(), points, keys).images, there.images)


def test_the_parts_of_a_call_can_be_done_apart_and_elsewhere(small: list[Face]) -> None:
    images, keys = batch(small), keys_of(small)
    masker = BatchMasker(("n95", "world"))
    before = images.clone()
    whole = masker(images, torch.from_numpy(points_of(small)), keys)
    assert torch.equal(images, before)
    elsewhere = pickle.loads(pickle.dumps(masker))  # noqa: S301  our own
    planned = elsewhere.plan(images, elsewhere.analyse(images, points_of(small)), keys)
    received = pickle.loads(pickle.dumps(planned))  # noqa: S301  our own
    found = masker.render(images, received)
    assert torch.equal(found.images, whole.images)
    channels_last = images.to(memory_format=torch.channels_last)
    assert torch.equal(masker.render(channels_last, planned.to("cpu")).images, whole.images)


def test_pictures_without_a_mask_stay_as_they_were_and_say_why(small: list[Face]) -> None:
    image, points = small[0]
    aside = points + (86, 0)  # of the mask only a strap is in the picture
    marks = np.stack([points, np.full_like(points, np.nan), points * 0.05, aside])
    images = batch([(image, points)] * 4)
    found = BatchMasker(("n95",))(images, marks, ["a", "b", "c", "d"])
    assert found.masked.tolist() == [True, False, False, False]
    assert torch.equal(found.images[1:], images[1:])
    assert not found.coverage[1:].any()
    reasons = [fault and fault.reason for fault in found.faults]
    assert reasons == [None, Reason.NO_FACE, Reason.TOO_SMALL, Reason.DOUBTFUL_FIT]
    assert found.kinds == ("n95", "", "", "")
    empty = BatchMasker(("n95",), unmasked_share=1.0, parts=True)(images, marks, ["a", "b", "c", "d"])
    assert torch.equal(empty.images, images)
    assert empty.kinds == ("",) * 4
    assert empty.faults[0] is None


def test_landmarks_of_mirrored_crops_are_to_be_put_into_order(small: list[Face]) -> None:
    images, keys = batch(small).flip(-1), keys_of(small)
    points = points_of(small) * np.float32([-1, 1]) + np.float32([images.shape[-1] - 1, 0])
    masker = BatchMasker(("n95",))
    assert not masker(images, points, keys).masked.any()
    assert masker(images, np.stack([mirrored(one) for one in points]), keys).masked.all()


@pytest.mark.parametrize("shape", [(2, 112, 112, 3), (3, 112, 112)])
def test_other_tensors_are_refused_by_their_shape(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected uint8 pictures"):
        BatchMasker()(torch.zeros(shape, dtype=torch.uint8), np.zeros((2, 68, 2)), ["a", "b"])


def test_other_wrong_arguments_are_refused(small: list[Face]) -> None:
    masker, images = BatchMasker(), batch(small)
    with pytest.raises(ValueError, match=r"expected uint8 pictures .* got torch.float32"):
        masker(images.float(), points_of(small), keys_of(small))
    with pytest.raises(ValueError, match=r"expected pictures, got empty ones, \(5, 3, 0, 112\)"):
        masker(images[:, :, :0], points_of(small), keys_of(small))
    with pytest.raises(ValueError, match=r"expected a tensor of uint8 pictures .* got ndarray"):
        masker(images.numpy(), points_of(small), keys_of(small))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"expected landmarks \(5, 68, 2\), got \(5, 5, 2\)"):
        masker(images, np.zeros((5, 5, 2)), keys_of(small))
    with pytest.raises(ValueError, match="5 pictures, 5 faces and 1 keys"):
        masker(images, points_of(small), ["a"])
    planned = masker.plan(images, masker.analyse(images, points_of(small)), keys_of(small))
    with pytest.raises(ValueError, match="4 pictures, but a plan for 5"):
        masker.render(images[:4], planned)
    with pytest.raises(ValueError, match=r"expected uint8 pictures \(b, 3, 112, 112\)"):
        masker.render(images[:, :, :100], planned)
    with pytest.raises(ValueError, match="unmasked_share 2 is out of range: give 0.0 to 1.0"):
        BatchMasker(unmasked_share=2)
    with pytest.raises(ValueError, match="at_once 0 is out of range: give 1 to"):
        BatchMasker(at_once=0)


@pytest.mark.parametrize("kinds", ["n95", iter(["n95"]), ["n95"]])
def test_kinds_in_other_forms_than_a_tuple(kinds: Any, small: list[Face]) -> None:
    masker = BatchMasker(kinds, "nose_out")  # type: ignore[arg-type]
    assert (masker.kinds, masker.wear) == (("n95",), ("nose_out",))
    assert masker(batch(small[:1]), points_of(small[:1]), ["a"]).kinds == ("n95",)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"kinds": {"n95": 3}}, "--kinds is a dict: give a tuple, with weights as in n95=3."),
        ({"kinds": ("n95", "n95=3")}, "--kinds names a mask twice"),
        ({"wear": ()}, "--wear names no wearing position"),
        ({"wear": ("proper", "proper=2")}, "--wear names a position twice"),
    ],
)
def test_kinds_and_positions_have_the_limits_of_the_maskers(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        BatchMasker(**wrong)
    assert BatchMasker(()).kinds == DEFAULT_KINDS


@pytest.mark.parametrize("wrong", [{"unmasked_share": "0.5"}, {"at_once": 1.5}, {"at_once": True}])
def test_settings_that_are_no_numbers_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"^\w+ .* is not a (whole )?number"):
        BatchMasker(**wrong)
    with pytest.raises(UserError, match="parts='no' is neither True nor False"):
        BatchMasker(parts="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [1.5, None, "1", True, 2**64, torch.tensor(1)])
def test_seeds_that_are_no_whole_numbers_are_refused(seed: Any, small: list[Face]) -> None:
    masker, images, points = BatchMasker(("n95",)), batch(small[:1]), points_of(small[:1])
    with pytest.raises(ValueError, match="^seed .* is (not a whole number|out of range)"):
        masker(images, points, ["a"], seed=seed)
    with pytest.raises(ValueError, match="^seed "):
        masker.plan(images, masker.analyse(images, points), ["a"], seed=seed)


def test_a_seed_of_numpy_draws_as_the_same_number(small: list[Face]) -> None:
    masker, images, points = BatchMasker(), batch(small[:1]), points_of(small[:1])
    one, other = (masker(images, points, ["a"], seed=seed) for seed in (3, np.int64(3)))
    assert torch.equal(one.images, other.images)
    assert one.kinds == other.kinds


@pytest.mark.parametrize(
    ("keys", "told"),
    [("abcde", "keys are one text, 'abcde'"), ([0, 1, 2, 3, 4], "key 0 is not a text: give '0'"), (5, "keys are 5")],
)
def test_keys_are_texts(keys: Any, told: str, small: list[Face]) -> None:
    with pytest.raises(TypeError, match=told):
        BatchMasker(("n95",))(batch(small), points_of(small), keys)


def test_keys_of_numpy_draw_as_texts(small: list[Face]) -> None:
    masker, images, points, keys = BatchMasker(), batch(small), points_of(small), keys_of(small)
    one, other = (masker(images, points, each) for each in (keys, np.array(keys)))
    assert one.kinds == other.kinds
    assert torch.equal(one.images, other.images)


def test_landmarks_may_be_flat_as_in_the_catalogue(small: list[Face]) -> None:
    masker, images, keys = BatchMasker(("n95",)), batch(small), keys_of(small)
    wanted = masker(images, points_of(small), keys).images
    flat = [points.ravel().tolist() for points in points_of(small)]
    assert torch.equal(masker(images, flat, keys).images, wanted)


def test_landmarks_may_be_tensors_of_any_type(small: list[Face]) -> None:
    masker, images, keys = BatchMasker(("n95",)), batch(small), keys_of(small)
    points = torch.from_numpy(points_of(small))
    assert torch.equal(
        masker(images, points.requires_grad_(), keys).images, masker(images, points_of(small), keys).images
    )
    rough = points.detach().bfloat16()
    assert torch.equal(masker(images, rough, keys).images, masker(images, rough.float(), keys).images)


def test_landmarks_as_shares_of_the_sides_are_refused(small: list[Face]) -> None:
    points = points_of(small)
    points[1] /= 112
    with pytest.raises(ValueError, match="give pixels, not shares of its sides"):
        BatchMasker(("n95",))(batch(small), points, keys_of(small))


@pytest.mark.parametrize("points", [[[1, 2], [3]], "points", None])
def test_landmarks_that_are_no_numbers_are_refused(points: Any, small: list[Face]) -> None:
    with pytest.raises(ValueError, match=r"expected landmarks \(5, 68, 2\)"):
        BatchMasker(("n95",))(batch(small), points, keys_of(small))


@pytest.mark.parametrize("right", [60, 80, 86, 100, 200, 2000])
def test_only_a_masked_picture_has_a_kind(right: int, small: list[Face]) -> None:
    """From a face at the edge to one far outside the picture."""
    image, points = small[0]
    masker, images = BatchMasker(("n95",)), batch([(image, points)] * 2)
    found = masker(images, np.stack([points + np.float32([right, 0]), points]), ["a", "b"])
    assert [kind != "" for kind in found.kinds] == found.masked.tolist()
    assert [fault is None for fault in found.faults] == found.masked.tolist()
    assert bool(found.masked[1]) and (bool(found.masked[0]) or right >= 80)


def test_what_is_no_plan_or_no_face_is_told() -> None:
    masker, images = BatchMasker(("n95",)), torch.zeros(1, 3, 32, 32, dtype=torch.uint8)
    with pytest.raises(TypeError, match="planned is a list: give what plan returned"):
        masker.render(images, [])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a face is a NoneType: give what analyse returned"):
        masker.plan(images, [None], ["a"])  # type: ignore[list-item]
