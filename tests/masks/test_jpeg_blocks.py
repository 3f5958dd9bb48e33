"""A mask on a compressed photograph has that photograph's blocks, as a codec and slow sums make them; nothing beside it
changes."""

import zlib

import cv2
import numpy as np
import pytest

from maskgen.core.kernels.arena import arena_of_thread
from maskgen.masks.lighting.jpeg_blocks import WORST, _inverse, compress_mask_as_jpeg

CHECKSUM = 1745701858  # of `test_turned_crops_keep_their_bytes`
HERE = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def scene() -> tuple[np.ndarray, np.ndarray]:
    """A picture with fine stripes, and a mask over its middle."""
    x = np.arange(160)
    stripes = (128 + 60 * np.sin(x / 1.7)[None] * np.cos(x / 2.3)[:, None]).astype(np.uint8)
    coverage = np.zeros((160, 160), np.uint8)
    coverage[50:130, 30:140] = 255
    return np.dstack([stripes, stripes[::-1], stripes]), coverage


def blockiness(picture: np.ndarray, where: tuple[slice, slice], shift: int = 0) -> float:
    """Steps at every eighth column over steps elsewhere."""
    luma = picture.astype(float).mean(2)
    steps = np.abs(np.diff(luma, axis=1))[where]
    first = where[1].start
    at = (np.arange(first, first + steps.shape[1]) + 1 + shift) % 8 == 0
    return float(steps[:, at].mean() / steps[:, ~at].mean())


@pytest.mark.parametrize("quality", [None, WORST, 100])
def test_a_good_photograph_changes_nothing(quality: int | None) -> None:
    image, coverage = scene()
    assert compress_mask_as_jpeg(image, coverage, HERE, quality) is image


def test_only_the_mask_changes_and_it_becomes_what_the_jpeg_of_it_is() -> None:
    image, coverage = scene()
    out = compress_mask_as_jpeg(image, coverage, HERE, 40)
    np.testing.assert_array_equal(out[coverage == 0], image[coverage == 0])
    coded = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)
    inside = (slice(66, 110), slice(50, 120))  # whole blocks under the mask
    before, after = (np.abs(each[inside].astype(int) - coded[inside]).mean() for each in (image, out))
    assert after < 0.3 * before


def test_worse_photographs_leave_worse_masks_in_their_own_grid() -> None:
    image, coverage = scene()
    inside = (slice(56, 120), slice(40, 130))
    rates = [blockiness(compress_mask_as_jpeg(image, coverage, HERE, quality), inside) for quality in (15, 40, 80)]
    assert rates[0] > rates[2]
    moved = HERE + np.array([[0, 0, 3.0], [0, 0, 5.0]])  # the crop begins within a block
    out = compress_mask_as_jpeg(image, coverage, moved, 15)
    assert blockiness(out, inside, -3) > 1.1 * blockiness(out, inside)


def test_turned_and_sized_crops_change_as_much() -> None:
    image, coverage = scene()
    plain = np.abs(compress_mask_as_jpeg(image, coverage, HERE, 30).astype(int) - image)[coverage > 0].mean()
    turned = np.array([[0.9, 0.3, -10.0], [-0.3, 0.9, 20.0]])
    out = compress_mask_as_jpeg(image, coverage, turned, 30)
    assert 0.4 * plain < np.abs(out.astype(int) - image)[coverage > 0].mean() < 2.5 * plain
    np.testing.assert_array_equal(out[coverage == 0], image[coverage == 0])
    assert compress_mask_as_jpeg(image, coverage, 0.2 * HERE, 30) is image


def test_nothing_is_worn() -> None:
    image, coverage = scene()
    assert compress_mask_as_jpeg(image, 0 * coverage, HERE, 30) is image


def test_in_place_it_is_the_same() -> None:
    image, coverage = scene()
    expected, own = compress_mask_as_jpeg(image, coverage, HERE, 30), image.copy()
    assert compress_mask_as_jpeg(own, coverage, HERE, 30, in_place=True) is own
    np.testing.assert_array_equal(own, expected)
    assert (own != image).any()


def between(picture: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A picture at places (h, w), to whole levels; its edge is repeated."""
    rows, columns = picture.shape[:2]
    x, y = np.clip(x, 0, columns - 1), np.clip(y, 0, rows - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    across, down = (x - left)[..., None], (y - top)[..., None]
    right, low = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
    upper = (1 - across) * picture[top, left] + across * picture[top, right]
    lower = (1 - across) * picture[low, left] + across * picture[low, right]
    return np.rint((1 - down) * upper + down * lower)


def mapped(matrix: np.ndarray, rows: range, columns: range) -> tuple[np.ndarray, np.ndarray]:
    """Where an affine map takes the pixels of some rows and columns: their x and y, (h, w) each."""
    places = np.stack([*np.meshgrid(columns, rows), np.ones((len(rows), len(columns)))])
    across, down = np.einsum("ij,jhw->ihw", matrix, places)
    return across, down


def slowly(image: np.ndarray, coverage: np.ndarray, matrix: np.ndarray, quality: int) -> np.ndarray:
    """What `compress_mask_as_jpeg` says, by OpenCV's codec and sums over all blocks in which the mask's box is."""
    to_photo = cv2.invertAffineTransform(matrix)
    left, top, wide, tall = cv2.boundingRect(coverage)
    corners = mapped(to_photo, range(top, top + tall + 1), range(left, left + wide + 1))
    columns, rows = (range(16 * int(np.floor(at.min() / 16)), 16 * int(np.ceil(at.max() / 16))) for at in corners)
    part = between(image, *mapped(matrix, rows, columns)).astype(np.uint8)
    data = cv2.imencode(".jpg", part[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    coded = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    change = np.pad(np.clip(coded.astype(int) - part, -128, 127), ((1, 1), (1, 1), (0, 0)))
    x, y = mapped(to_photo, range(len(image)), range(image.shape[1]))
    back = between(change, x - columns[0] + 1, y - rows[0] + 1)
    share = coverage[..., None] * np.float32(1 / 255)
    return np.clip(image + np.rint(back.astype(np.float32) * share), 0, 255)


def spoil_memory() -> None:
    """Fill the kernels' memory with what is no number."""
    arena = arena_of_thread()
    arena.begin()
    arena.room((4_000_000,), np.float32)[1][:] = np.nan


def any_scene(number: int) -> tuple[np.ndarray, np.ndarray, float]:
    """A picture of odd size, in colours or grey, of weak or strong contrast; a cover of it; and a random angle."""
    rng = np.random.default_rng(number)
    size = rng.integers(9, 150, 2)
    image = cv2.GaussianBlur(rng.integers(0, 256, (*size, 3), np.uint8), (0, 0), rng.uniform(0.4, 3))
    image = np.clip((image - 128.0) * rng.uniform(0.5, 5) + 128, 0, 255).astype(np.uint8)
    image = np.repeat(image[..., :1], 3, axis=2) if number % 3 == 0 else image
    middle, radii = (rng.integers(low, 1 + np.maximum(size[::-1], 40), 2).tolist() for low in (0, 1))
    coverage = np.zeros(size, np.uint8)
    cv2.ellipse(coverage, (middle, radii, float(rng.uniform(0, 180))), int(rng.integers(1, 256)), -1)
    return image, coverage, float(rng.uniform(-3, 3))


@pytest.mark.parametrize("number", range(24))
def test_in_the_photographs_own_grid_it_is_the_codec_bit_for_bit(number: int) -> None:
    image, coverage, _ = any_scene(number)
    spoil_memory()
    matrix = HERE + np.array([[0, 0, number - 11.0], [0, 0, 3.0 * number]])
    out = compress_mask_as_jpeg(image, coverage, matrix, 5 + 3 * number)
    np.testing.assert_array_equal(out, slowly(image, coverage, matrix, 5 + 3 * number))


@pytest.mark.parametrize("scale", [0.51, 0.8, 1.17, 2.9])
@pytest.mark.parametrize("number", range(8))
def test_turned_crops_are_those_of_slow_sums(number: int, scale: float) -> None:
    image, coverage, angle = any_scene(number)
    spoil_memory()
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, [12.3 * number - 40, 31.7 - 5.1 * number]])
    out = compress_mask_as_jpeg(image, coverage, matrix, 12 + 9 * number)
    off = np.abs(out - slowly(image, coverage, matrix, 12 + 9 * number))
    covered = max(int((coverage > 0).sum()), 1)
    assert off[coverage == 0].max(initial=0) == 0
    # A level that is rounded the other way may change a frequency of its block.
    assert off.max() <= 8 and (off > 1).sum() < 0.06 * 3 * covered and (off > 0).sum() < 0.15 * 3 * covered + 20


@pytest.mark.parametrize("quality", [1, 4, 11, 30, 49, 50, 51, 75, 82, 89])
def test_the_hardest_pictures_are_the_codecs_too(quality: int) -> None:
    """Black and white pixels by chance give the greatest sums; any coverage, to the last column."""
    rng = np.random.default_rng(quality)
    image = 255 * rng.integers(0, 2, (63, 75, 3), np.uint8)
    coverage = rng.integers(0, 256, image.shape[:2], np.uint8)
    spoil_memory()
    matrix = HERE + np.array([[0, 0, 5.0], [0, 0, -7.0]])
    out = compress_mask_as_jpeg(image, coverage, matrix, quality)
    np.testing.assert_array_equal(out, slowly(image, coverage, matrix, quality))


@pytest.mark.parametrize("black", [False, True])
def test_waves_of_every_frequency_and_full_strength_are_the_codecs_too(black: bool) -> None:
    at = np.arange(8)
    waves = np.cos((2 * at[:, None] + 1) * at * np.pi / 16) >= 0  # place, frequency
    blocks = waves[:, None, :, None] == waves[None, :, None, :]  # y, x, both frequencies
    grey = (255 * (blocks ^ black)).transpose(2, 0, 3, 1).reshape(64, 64).astype(np.uint8)
    image = np.dstack([grey] * 3)
    for quality in (1, 25, 60, 89):
        out = compress_mask_as_jpeg(image, np.full_like(grey, 255), HERE, quality)
        np.testing.assert_array_equal(out, slowly(image, np.full_like(grey, 255), HERE, quality))


def test_every_cover_takes_its_share_of_every_change() -> None:
    """Of each of 256 levels of coverage the changes of a hard picture, as the quotients by 255 are rounded."""
    rng = np.random.default_rng(1)
    image = np.clip(rng.normal(128, 90, (256, 64, 3)), 0, 255).astype(np.uint8)
    coverage = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 64, axis=1)
    spoil_memory()
    np.testing.assert_array_equal(compress_mask_as_jpeg(image, coverage, HERE, 2), slowly(image, coverage, HERE, 2))


def test_turned_crops_keep_their_bytes() -> None:
    """Pictures of whole numbers, and exact decimals: the checksum is that of the kernel which this one replaced."""
    checksum = 0
    for number in range(72):
        rows, columns = 30 + 17 * number % 121, 25 + 29 * number % 133
        y, x = np.mgrid[:rows, :columns]
        image = np.dstack([(x * x * (3 + c) // 7 + y * (5 * c + number) + x * y // (2 + c)) & 255 for c in range(3)])
        cover = (((x - columns // 2) ** 2 + (y - rows // 3) ** 2 < 9 * number) * (64 + 3 * x)).clip(0, 255)
        turn = np.array(
            [[(0.6, -0.8), (0.8, 0.6)], [(0.96, 0.28), (-0.28, 0.96)], [(-1.0, 0.0), (0.0, 1.0)]][number % 3]
        )
        scale = (0.5625, 0.875, 1.25, 2.75)[number // 3 % 4]
        matrix = np.column_stack([scale * turn, [7.375 * number - 90, 61.25 - 3.125 * number]])
        spoil_memory()
        out = compress_mask_as_jpeg(image.astype(np.uint8), cover.astype(np.uint8), matrix, 2 + 11 * number % 87)
        checksum = zlib.crc32(out.tobytes(), checksum)
    assert checksum == CHECKSUM


def test_the_map_back_is_opencvs() -> None:
    for matrix in np.random.default_rng(0).normal(size=(50, 2, 3)):
        np.testing.assert_allclose(_inverse(matrix.tolist()), cv2.invertAffineTransform(matrix), rtol=1e-12)


@pytest.mark.parametrize("number", range(12))
def test_a_pixel_changes_alike_whatever_else_is_covered(number: int) -> None:
    """A few covered pixels need some of the squares only; the corners give both covers the same box."""
    rng = np.random.default_rng(number)
    image = rng.integers(0, 256, (130, 150, 3), np.uint8)
    few = np.where(rng.random(image.shape[:2]) < 0.002, 255, 0).astype(np.uint8)
    few[0, 0] = few[-1, -1] = 255
    matrix = np.array([[2.75 - 5.5 * (number % 2), 0, 1.7 * number], [0, 2.75, -2.3 * number]])  # half of them mirrored
    spoil_memory()
    out = compress_mask_as_jpeg(image, few, matrix, 5)
    whole = compress_mask_as_jpeg(image, np.full_like(few, 255), matrix, 5)
    np.testing.assert_array_equal(out, np.where(few[..., None] > 0, whole, image))
