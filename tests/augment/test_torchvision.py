"""`maskgen.augment.torchvision.MaskFace` among other transforms of v2."""

from __future__ import annotations

import pickle
from functools import cache
from typing import Any

import numpy as np
import PIL.Image
import pytest
from drawn_people import drawn_people

from maskgen.people.portrait import Portrait

torch = pytest.importorskip("torch")
tv_tensors = pytest.importorskip("torchvision.tv_tensors")
v2 = pytest.importorskip("torchvision.transforms.v2")

from maskgen.augment.torchvision import MaskFace  # noqa: E402


@cache
def portrait() -> Portrait:
    return drawn_people(1, 1, seed=3)[0][2]


@cache
def transform() -> Any:
    return MaskFace(("n95",), p=1.0)


def picture() -> Any:
    return tv_tensors.Image(torch.from_numpy(portrait().image.transpose(2, 0, 1).copy()))


def key_points() -> Any:
    height, width = portrait().image.shape[:2]
    return tv_tensors.KeyPoints(torch.from_numpy(portrait().points68), canvas_size=(height, width))


def test_tensors_and_pil_images_get_the_same_mask() -> None:
    torch.manual_seed(1)
    out = transform()(picture())
    torch.manual_seed(1)
    pil = transform()(PIL.Image.fromarray(portrait().image))
    torch.manual_seed(1)
    plain = transform()(picture().as_subclass(torch.Tensor))
    assert isinstance(out, tv_tensors.Image) and out.shape == picture().shape
    np.testing.assert_array_equal(np.array(pil), out.numpy().transpose(1, 2, 0))
    np.testing.assert_array_equal(plain.numpy(), out.numpy())
    assert (out != picture()).any(0).float().mean() > 0.05
    torch.manual_seed(2)
    assert (transform()(picture()) != out).any()


@pytest.mark.skipif(not hasattr(tv_tensors, "KeyPoints"), reason="before torchvision 0.23")
def test_points_and_boxes_of_the_sample_are_used_as_they_were_moved() -> None:
    points = key_points()
    height, width = points.canvas_size
    box = tv_tensors.BoundingBoxes([[0, 0, width, height]], format="XYWH", canvas_size=(height, width))
    pipeline = v2.Compose([v2.RandomHorizontalFlip(1.0), transform(), v2.ToDtype(torch.float32, scale=True)])
    torch.manual_seed(1)
    out = pipeline({"image": picture(), "points": points, "box": box, "target": 3})
    assert out["image"].dtype is torch.float32 and out["target"] == 3
    assert isinstance(out["points"], tv_tensors.KeyPoints)
    mirrored = picture().flip(-1)
    seen = ((out["image"] * 255).round() != mirrored).any(0).numpy()
    mouth = out["points"][48:].mean(0).round().int().tolist()
    assert seen[mouth[1], mouth[0]] and seen.mean() > 0.05
    nowhere = tv_tensors.KeyPoints(points + 1000, canvas_size=points.canvas_size)
    assert (transform()({"image": picture(), "points": nowhere})["image"] == picture()).all()


@pytest.mark.skipif(not hasattr(tv_tensors, "KeyPoints"), reason="before torchvision 0.23")
def test_another_number_of_points_is_refused() -> None:
    size = key_points().canvas_size
    one = tv_tensors.KeyPoints(key_points()[None], canvas_size=size)
    assert (transform()({"image": picture(), "points": one})["image"] != picture()).any()
    for wrong in (key_points()[:67], torch.stack([key_points()] * 2)):
        sample = {"image": picture(), "points": tv_tensors.KeyPoints(wrong, canvas_size=size)}
        with pytest.raises(ValueError, match="5 or 68 points"):
            transform()(sample)


@pytest.mark.skipif(not hasattr(tv_tensors, "KeyPoints"), reason="before torchvision 0.23")
def test_points_and_boxes_of_any_type_of_numbers() -> None:
    size = key_points().canvas_size
    corners = torch.tensor([[*key_points().amin(0), *key_points().amax(0)]]).round()
    box = tv_tensors.BoundingBoxes(corners, format="XYXY", canvas_size=size)

    def of(given: Any) -> Any:
        torch.manual_seed(1)
        return transform()(picture(), given)[0]

    tracked, rough = key_points().clone().requires_grad_(), key_points().bfloat16()
    for points, plain in ((tracked, key_points()), (rough, rough.float())):
        given, wanted = (tv_tensors.KeyPoints(one, canvas_size=size) for one in (points, plain))
        assert torch.equal(of(given), of(wanted))
    half = tv_tensors.BoundingBoxes(corners.bfloat16(), format="XYXY", canvas_size=size)
    assert (corners == corners.bfloat16()).all() and torch.equal(of(half), of(box))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_the_mode_of_a_picture_does_not_depend_on_the_draw(mode: str) -> None:
    given = PIL.Image.fromarray(portrait().image).convert(mode)
    if mode.endswith("A"):
        given.putalpha(PIL.Image.linear_gradient("L").resize(given.size))
    masked, bare = transform()(given), MaskFace(("n95",), p=0.0)(given)
    assert masked.mode == bare.mode == mode and masked.size == given.size
    before, after = np.array(given), np.array(masked)
    changed = (before != after).reshape(*before.shape[:2], -1)
    assert 0.05 < changed.any(2).mean() < 0.7
    if mode.endswith("A"):
        assert not changed[..., -1].any()
    faceless = PIL.Image.new(mode, (120, 120))
    assert transform()(faceless) == faceless


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_pictures_that_cannot_be_masked_are_refused_whatever_the_draw(p: float) -> None:
    always = MaskFace(("n95",), p=p)
    for mode in ("P", "1", "CMYK", "I;16", "F"):
        with pytest.raises(TypeError, match=f"got {mode}: convert it before MaskFace"):
            always(PIL.Image.new(mode, (9, 9)))
    with pytest.raises(TypeError, match="before ToDtype"):
        always(torch.zeros(3, 9, 9))


@pytest.mark.parametrize("p", [2, -1, float("nan")])
def test_a_chance_that_is_none_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=f"p {p} is out of range: give 0.0 to 1.0"):
        MaskFace(("n95",), p=p)
    with pytest.raises(ValueError, match="p '1' is not a number"):
        MaskFace(("n95",), p="1")  # type: ignore[arg-type]


def test_chance_and_pickling() -> None:
    never = MaskFace(("n95",), p=0.0)
    assert never(picture()) is not None and (never(picture()) == picture()).all()
    again = pickle.loads(pickle.dumps(transform()))  # noqa: S301
    torch.manual_seed(1)
    one = transform()(picture())
    torch.manual_seed(1)
    assert (again(picture()) == one).all()
    with pytest.raises(TypeError, match="before ToDtype"):
        transform()(torch.zeros(3, 9, 9))


@pytest.mark.parametrize("mine", [torch.float16, torch.float64])
def test_another_default_type_draws_the_same(mine: torch.dtype) -> None:
    transform = MaskFace(("n95", "world"), p=0.5)
    torch.manual_seed(1)
    wanted = [transform.make_params([]) for _ in range(20)]
    before = torch.get_default_dtype()
    torch.set_default_dtype(mine)
    try:
        torch.manual_seed(1)
        assert [transform.make_params([]) for _ in range(20)] == wanted
        with torch.device("meta"):  # any other default device
            torch.manual_seed(1)
            assert [transform.make_params([]) for _ in range(20)] == wanted
    finally:
        torch.set_default_dtype(before)


def test_other_tensors_of_a_sample_are_left_alone() -> None:
    mask = tv_tensors.Mask(torch.zeros(portrait().image.shape[:2], dtype=torch.uint8))
    image, same, label = transform()(picture(), mask, torch.tensor(4))
    assert (image != picture()).any() and (same == mask).all() and label == 4


def test_one_text_is_one_kind() -> None:
    assert (MaskFace("n95", "nose_out").kinds, MaskFace("n95", "nose_out").wear) == (("n95",), ("nose_out",))
    assert MaskFace(iter(["n95"])).kinds == ("n95",)


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize(
    ("tensor", "told"),
    [
        (torch.zeros(3, 9, 9), "put MaskFace before ToDtype and Normalize"),
        (torch.zeros(1, 9, 9, dtype=torch.uint8), "it has 1 channel: convert it to RGB before MaskFace"),
        (torch.zeros(4, 9, 9, dtype=torch.uint8), "it has 4 channels: convert it to RGB before MaskFace"),
        (torch.zeros(2, 3, 9, 9, dtype=torch.uint8), "it is no single picture: use MaskFace before batches are made"),
        (torch.zeros(3, 0, 9, dtype=torch.uint8), "it is empty"),
        ((torch.tensor(3), torch.zeros(3, 9, 9, dtype=torch.uint8)), "put the picture before others"),
        ((torch.zeros(10), torch.zeros(3, 9, 9, dtype=torch.uint8)), "put the picture before others"),
    ],
)
def test_what_is_wrong_with_a_tensor_is_told(tensor: Any, told: str, p: float) -> None:
    with pytest.raises(TypeError, match="0x5 pixels: it is empty"):
        MaskFace(("n95",), p=p)(PIL.Image.new("RGB", (0, 5)))
    with pytest.raises(TypeError, match=told):
        MaskFace(("n95",), p=p)(tensor)


@pytest.mark.parametrize("p", [0.0, 1.0])
@pytest.mark.parametrize("sample", [np.zeros((9, 9, 3), np.uint8), {"label": torch.tensor(3)}, {"label": 3}, "a.jpg"])
def test_a_sample_without_a_picture_is_refused(sample: Any, p: float) -> None:
    with pytest.raises(TypeError, match=r"no picture in the sample: .* v2.ToImage\(\) makes one of a NumPy array"):
        MaskFace(("n95",), p=p)(sample)
    image, array = transform()(picture(), np.zeros((9, 9, 3), np.uint8))
    assert (image != picture()).any() and not array.any()
