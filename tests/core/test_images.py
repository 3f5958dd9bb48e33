"""Picture files of every sort, made here, against Pillow; broken and hostile ones; writing whole or not at all."""

import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from skimage.data import astronaut

from maskgen.core.images import decode, encode_image, photo_of, read_photo
from maskgen.core.pillow_files import FORMATS
from maskgen.core.reasons import Reason, SetAsideError

PIXELS = astronaut()[:96, 128:256]
PICTURE = Image.fromarray(PIXELS)


def stored(picture: Image.Image, format: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


def turned(number: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = number
    return exif


PLAIN = {
    "jpeg": stored(PICTURE, "JPEG", quality=95),
    "progressive": stored(PICTURE, "JPEG", progressive=True),
    "grey jpeg": stored(PICTURE.convert("L"), "JPEG"),
    "grey png": stored(PICTURE.convert("L"), "PNG"),
    "palette": stored(PICTURE.convert("P"), "PNG"),
    "one bit": stored(PICTURE.convert("1"), "PNG"),
    "webp": stored(PICTURE, "WEBP", lossless=True),
    "bmp": stored(PICTURE, "BMP"),
    "tiff": stored(PICTURE, "TIFF"),
    "tiff lzw": stored(PICTURE, "TIFF", compression="tiff_lzw"),
    "tiff cmyk": stored(PICTURE.convert("CMYK"), "TIFF"),
    "gif": stored(PICTURE, "GIF"),
    "cmyk": stored(PICTURE.convert("CMYK"), "JPEG", quality=95),
}


@pytest.mark.parametrize("name", PLAIN)
def test_every_format_reads_as_pillow_reads_it(name: str) -> None:
    expected = np.array(Image.open(io.BytesIO(PLAIN[name])).convert("RGB"), int)
    assert np.abs(decode(PLAIN[name]) - expected).mean() < 2


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("number", range(1, 9))
def test_pictures_are_turned_upright(format: str, number: int) -> None:
    options = {"lossless": True} if format == "WEBP" else {}
    data = stored(PICTURE, format, exif=turned(number), **options)
    expected = np.array(ImageOps.exif_transpose(Image.open(io.BytesIO(data))), int)
    image = decode(data)
    assert image.shape == expected.shape
    assert np.abs(image - expected).mean() < 2


def test_alpha_is_laid_on_white() -> None:
    alpha = np.zeros(PIXELS.shape[:2], np.uint8)
    alpha[:, ::2] = 255
    image = decode(stored(Image.fromarray(np.dstack([PIXELS, alpha])), "PNG"))
    np.testing.assert_array_equal(image[:, ::2], PIXELS[:, ::2])
    assert (image[:, 1::2] == 255).all()


@pytest.mark.parametrize("extension", [".png", ".tif"])
@pytest.mark.parametrize("grey", [False, True])
def test_sixteen_bits_are_scaled_to_eight(extension: str, grey: bool) -> None:
    deep = PIXELS.astype(np.uint16) * 257
    data = cv2.imencode(extension, deep[..., 1] if grey else deep[..., ::-1])[1].tobytes()
    expected = np.repeat(PIXELS[..., 1:2], 3, 2) if grey else PIXELS
    np.testing.assert_array_equal(decode(data), expected)


def test_the_suffix_does_not_matter(tmp_path: Path) -> None:
    file = tmp_path / "no suffix, (and) ünïcode"
    file.write_bytes(PLAIN["webp"])
    np.testing.assert_array_equal(read_photo(file).image, PIXELS)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("name", ["jpeg", "grey png"])
def test_a_file_that_ends_early_is_broken(name: str, share: float) -> None:
    data = PLAIN[name]
    with pytest.raises(SetAsideError) as fault:
        decode(data[: int(len(data) * share)])
    assert fault.value.reason is Reason.BROKEN_PICTURE


@pytest.mark.parametrize("data", [b"", b"hello", b"\0" * 4096])
def test_what_is_no_picture_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(SetAsideError) as fault:
        decode(data)
    assert fault.value.reason is Reason.NOT_A_PICTURE


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 100_000)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    with pytest.raises(SetAsideError) as fault:
        decode(bomb)
    assert fault.value.reason is Reason.TOO_MANY_PIXELS
    with pytest.raises(SetAsideError) as small:
        decode(PLAIN["bmp"], max_pixels=1000)
    assert small.value.reason is Reason.TOO_MANY_PIXELS


def test_folders_pipes_and_absent_files_have_reasons(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, reason in (
        (tmp_path, Reason.NOT_A_PICTURE),
        (pipe, Reason.NOT_A_PICTURE),
        (tmp_path / "no", Reason.UNREADABLE),
    ):
        with pytest.raises(SetAsideError) as fault:
            read_photo(path)
        assert fault.value.reason is reason
        assert str(tmp_path) not in fault.value.detail


@given(
    name=st.sampled_from(sorted(PLAIN)),
    places=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=12),
)
@settings(max_examples=120, deadline=None)
def test_damaged_files_give_a_picture_or_a_reason(name: str, places: list[tuple[int, int]]) -> None:
    data = bytearray(PLAIN[name])
    for at, value in places:
        data[at % len(data)] = value
    try:
        image = decode(bytes(data), max_pixels=1_000_000)
    except SetAsideError:
        return
    assert image.dtype == np.uint8
    assert image.shape[2] == 3


def test_png_gives_back_the_pixels_and_jpeg_nearly() -> None:
    np.testing.assert_array_equal(decode(encode_image(PIXELS, "png")), PIXELS)
    assert np.abs(decode(encode_image(PIXELS, "jpg", 95)).astype(int) - PIXELS).mean() < 4
    with pytest.raises(ValueError, match="gif"):
        encode_image(PIXELS, "gif")


def animated() -> bytes:
    frames = [Image.fromarray(np.roll(PIXELS, 8 * number, axis=1)) for number in range(3)]
    return stored(frames[0], "PNG", save_all=True, append_images=frames[1:])


def test_what_is_raised_while_the_orientation_is_read_is_the_files_reason() -> None:
    data = bytearray(animated())
    data[data.index(b"IDAT") + 10] ^= 255
    with pytest.raises(SetAsideError) as fault:
        decode(bytes(data))
    assert fault.value.reason is Reason.BROKEN_PICTURE
    assert "\n" not in fault.value.detail


@pytest.mark.parametrize("data", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 96 96\n%%EndComments\nshowpage\n"])
def test_a_document_is_no_picture(data: bytes) -> None:
    with pytest.raises(SetAsideError) as fault:
        decode(data)
    assert fault.value.reason is Reason.NOT_A_PICTURE


def test_every_format_that_may_be_opened_is_one_of_pillows() -> None:
    Image.init()
    assert set(FORMATS) - {"AVIF"} <= set(Image.OPEN)  # AVIF: not in every build
    assert not {"EPS", "WMF", "FITS", "HDF5", "GRIB", "BUFR", "ICO", "ICNS"} & set(FORMATS)


@pytest.mark.parametrize("name", ["grey png", "webp", "tiff", "gif", "cmyk"])
def test_pillows_own_limit_of_pixels_is_not_ours(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert decode(PLAIN[name], max_pixels=PIXELS.shape[0] * PIXELS.shape[1]).shape == PIXELS.shape
    assert Image.MAX_IMAGE_PIXELS == 1000
    with pytest.raises(SetAsideError, match="is more than 9999 pixels"):
        decode(PLAIN[name], max_pixels=9999)


@pytest.mark.parametrize("alpha", [False, True])
def test_twelve_bits_in_a_file_of_sixteen_are_stretched_and_noted(alpha: bool) -> None:
    deep = 700 + PIXELS.astype(np.uint16) * 12
    opaque = np.full((*PIXELS.shape[:2], 1), 65535, np.uint16)
    data = cv2.imencode(".png", np.dstack([deep[..., ::-1], opaque]) if alpha else deep[..., ::-1])[1].tobytes()
    low, high = int(PIXELS.min()), int(PIXELS.max())
    photo = photo_of(data)
    assert photo.levels == (700 + 12 * low, 700 + 12 * high)
    expected = (PIXELS.astype(float) - low) * 255 / (high - low)
    assert np.abs(photo.image - expected).max() <= 0.5


@pytest.mark.parametrize("values", [[0, 4096], [0, 65535], [3000, 3000]])
def test_other_ranges_of_sixteen_bits_are_scaled_as_they_are(values: list[int]) -> None:
    deep = np.resize(np.array(values, np.uint16), (40, 40))
    photo = photo_of(cv2.imencode(".png", deep)[1].tobytes())
    assert photo.levels is None
    assert photo.image.max() == round(values[1] / 257)


def test_messages_of_decoders_stay_off_the_terminal_and_pythons_own_do_not(tmp_path: Path) -> None:
    data = bytearray(PLAIN["grey png"])
    data[data.index(b"IDAT") + 30] ^= 255  # libpng tells of a wrong checksum
    (tmp_path / "broken.png").write_bytes(data)
    jpeg = PLAIN["jpeg"]
    middle = len(jpeg) // 2
    (tmp_path / "broken.jpg").write_bytes(jpeg[:middle] + jpeg[middle + 40 :])  # and libjpeg of corrupt data
    code = (
        "import sys; from contextlib import suppress; from pathlib import Path\n"
        "from maskgen.core.images import read_photo; from maskgen.core.quiet import quieten\n"
        "from maskgen.core.reasons import SetAsideError\n"
        "if sys.argv[1] == 'quiet': quieten()\n"
        "for name in ('broken.png', 'broken.jpg'):\n"
        "    with suppress(SetAsideError): read_photo(Path(sys.argv[2], name))\n"
        "print('a sentence', file=sys.stderr)\n"
    )
    said = {
        how: subprocess.run(
            [sys.executable, "-c", code, how, str(tmp_path)], capture_output=True, text=True, check=True
        ).stderr
        for how in ("loud", "quiet")
    }
    assert said["quiet"] == "a sentence\n"
    assert said["loud"].endswith("a sentence\n")
    assert len(said["loud"]) > len(said["quiet"])


def test_the_detail_of_a_damaged_picture_is_the_same_each_time() -> None:
    whole = cv2.imencode(".jpg", astronaut())[1].tobytes()
    noise = np.random.default_rng(0).integers(0, 256, 5000, np.uint8).tobytes()
    with pytest.raises(SetAsideError) as caught:  # its size can be read, and Pillow names the object that it read from
        decode(whole[:600] + noise + whole[5600:])
    assert caught.value.reason is Reason.BROKEN_PICTURE
    assert caught.value.detail == "the decoder stopped: it is not what its header says"


def of_depth(kind: str, side: int = 90) -> bytes:
    """A PNG of 16 bits, of all their range or of a narrow one, or of 8 bits with transparent pixels."""
    rng = np.random.default_rng(0)
    channels = {"grey": 1, "rgb": 3, "rgba": 4}[kind.split()[0]]
    deep = rng.integers(900, 3000 if "narrow" in kind else 60_000, (side, side, channels)).astype(np.uint16)
    if channels == 4:
        deep[..., 3] = rng.integers(0, 65536, (side, side))
    values = (deep >> 8).astype(np.uint8) if "8" in kind else deep
    return cv2.imencode(".png", values[..., 0] if channels == 1 else values)[1].tobytes()


DEEP = ["grey", "grey narrow", "rgb", "rgb narrow", "rgba", "rgba narrow", "rgba 8"]
CLEAR = PICTURE.convert("P")
CLEAR.info["transparency"] = 3
STRIPPED = {kind: of_depth(kind) for kind in DEEP} | PLAIN | {"clear gif": stored(CLEAR, "GIF")}
STRIPPED |= {
    "grey with alpha": stored(PICTURE.convert("LA"), "PNG"),
    "deep tiff": stored(PICTURE.convert("I;16"), "TIFF"),
}


@pytest.mark.parametrize("pixels", [1, 200, 1000])
@pytest.mark.parametrize("name", STRIPPED)
def test_a_picture_is_the_same_in_strips_of_any_height(name: str, pixels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = photo_of(STRIPPED[name])
    monkeypatch.setattr("maskgen.core.images._STRIP", pixels)
    strips = photo_of(STRIPPED[name])
    np.testing.assert_array_equal(strips.image, whole.image)
    assert strips.levels == whole.levels


@pytest.mark.parametrize("kind", ["rgba", "rgba narrow"])
def test_sixteen_bits_with_alpha_are_as_one_by_one(kind: str) -> None:
    data = of_depth(kind, 12)
    photo = photo_of(data)
    low, high = photo.levels or (0, 65535)
    assert (photo.levels is None) == (kind == "rgba")
    blue_first = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    for (row, column), _ in np.ndenumerate(photo.image[..., 0]):
        *colour, alpha = map(int, blue_first[row, column])
        clear = (alpha * 255 + 32767) // 65535
        eight = [((value - low) * 255 + (high - low) // 2) // (high - low) for value in colour[::-1]]
        expected = [(value * clear + 255 * (255 - clear) + 127) // 255 for value in eight]
        assert photo.image[row, column].tolist() == expected


@pytest.mark.parametrize(("kind", "most"), [("rgba", 12), ("rgba narrow", 12), ("rgb", 10), ("rgba 8", 8), ("grey", 6)])
def test_a_large_picture_takes_few_bytes_a_pixel(kind: str, most: int) -> None:
    """Of arrays; the decoder takes as much as the picture that it returns, in memory of its own."""
    data = of_depth(kind, 2000)
    photo_of(data)
    tracemalloc.start()
    try:
        photo_of(data)
        assert tracemalloc.get_traced_memory()[1] < most * 2000 * 2000
    finally:
        tracemalloc.stop()


def test_a_plain_jpeg_does_without_pillow() -> None:
    code = """
import sys
import cv2, numpy
from maskgen.core.images import encode_image, photo_of
print(photo_of(encode_image(numpy.full((9, 12, 3), 80, numpy.uint8))).image.shape, "PIL" in sys.modules)
print(photo_of(encode_image(numpy.full((9, 12, 3), 80, numpy.uint8), "png")).image.shape, "PIL" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["(9, 12, 3) False", "(9, 12, 3) True"]
