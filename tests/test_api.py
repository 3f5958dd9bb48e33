"""The library's calls on the built-in portrait and drawn people."""

import dataclasses
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from drawn_people import drawn_people
from skimage.data import astronaut

import maskgen
from maskgen import api
from maskgen.api import Masker, MaskerSettings, Output
from maskgen.core.alignment_names import stored_alignment
from maskgen.core.images import Photo, encode_image
from maskgen.core.kindspec import DEFAULT_KINDS
from maskgen.core.reasons import Reason, SetAsideError, UserError
from maskgen.core.records import Face
from maskgen.core.seeding import rng_for
from maskgen.faces.crop_by_alignment import arcface_template
from maskgen.faces.detect import MtcnnDetector
from maskgen.faces.locate import faces_with_landmarks
from maskgen.faces.upright_crop import five_points
from maskgen.masker import masker
from maskgen.masks.kinds import printed_kind
from maskgen.people import Scene, draw_person, draw_portrait


def test_one_call_masks_the_portrait() -> None:
    picture = astronaut()
    masked = maskgen.mask_photo(picture, "n95")
    assert masked.image.shape == picture.shape
    assert masked.coverage.shape == picture.shape[:2]
    assert masked.record["kind"] == "n95"
    assert masked.coverage.max() == 255
    again = maskgen.mask_photo(picture, "n95")
    np.testing.assert_array_equal(masked.image, again.image)
    assert (maskgen.mask_photo(picture, "n95", seed=1).image != masked.image).any()
    assert maskgen.mask_photo(picture, size=112).image.shape == (112, 112, 3)


def test_faults_have_reasons() -> None:
    with pytest.raises(SetAsideError) as fault:
        maskgen.mask_photo(np.full((200, 200, 3), 99, np.uint8))
    assert fault.value.reason is Reason.NO_FACE
    with pytest.raises(UserError, match="did you mean"):
        maskgen.mask_photo(astronaut(), "n96")
    with pytest.raises(TypeError, match=r"the name of one mask, such as 'n95', not \['n95', 'kn95'\]"):
        maskgen.mask_photo(astronaut(), ["n95", "kn95"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("align", "size", "margin"),
    [
        ("arcface", 112, None),
        ("arcface", 128, None),
        ("arcface-scaled", 96, None),
        ("facenet", 160, None),
        ("facenet", 160, 14.0),
        ("maskgen", 160, 0.5),
    ],
)
def test_a_masked_crop_has_the_alignment_that_was_asked_for(align: str, size: int, margin: float | None) -> None:
    picture = np.ascontiguousarray(astronaut())
    settings = MaskerSettings(("n95",), align=align, size=size, margin=margin, bare=True)
    (result,) = Masker(settings).process(["portrait"], [Photo(picture, "")])
    assert isinstance(result, list)
    for one in result:
        assert isinstance(one, Output)
        assert one.row["alignment"] == stored_alignment(align, size, margin)
        assert one.image.shape == (one.row["height"], one.row["width"], 3) == (size, size, 3)
        points = np.array(one.row["points68"]).reshape(68, 2)
        matrix = np.array(one.row["matrix"]).reshape(2, 3)
        source = np.array(one.row["source_points68"]).reshape(68, 2)
        assert np.abs(source @ matrix[:, :2].T + matrix[:, 2] - points).max() < 0.05
        if align.startswith("arcface"):
            off = five_points(points) - arcface_template(align, size)
            assert np.abs(off.mean(0)).max() < 0.1  # a least-squares fit keeps the middle
            assert np.abs(off).mean() < 0.05 * size  # she smiles broadly
    masked = next(one for one in result if isinstance(one, Output) and one.kind == "n95")
    assert masked.coverage is not None
    assert masked.coverage.shape == (size, size)
    mouth = np.array(masked.row["points68"]).reshape(68, 2)[48:].mean(0).round().astype(int)
    assert masked.coverage[mouth[1], mouth[0]] == 255


def photos() -> list[Photo]:
    return [Photo(portrait.image, f"{name}{number}") for name, number, portrait in drawn_people(3, 2, seed=3)]


def outputs(settings: MaskerSettings, chosen: list[Photo]) -> dict[tuple[str, str], Output]:
    results = Masker(settings).process([photo.sha256 for photo in chosen], chosen)
    return {
        (photo.sha256, one.kind): one
        for photo, result in zip(chosen, results, strict=True)
        if isinstance(result, list)
        for one in result
        if isinstance(one, Output)
    }


def test_a_mask_is_the_same_alone_or_among_others_and_whichever_kinds_are_asked_for() -> None:
    every = outputs(MaskerSettings(per_photo="all", bare=True), photos())
    assert {kind for _, kind in every} == {*DEFAULT_KINDS, "bare"}
    alone = outputs(MaskerSettings(("kn95",), per_photo=1), photos()[2:3])
    ((key, one),) = alone.items()
    np.testing.assert_array_equal(one.image, every[key].image)
    assert one.row["points68"] == every[key].row["points68"]


def test_faces_are_studied_together_without_a_trace_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = MaskerSettings(("n95",), crop="none", min_trust=0.0, masked_input="keep")
    every = photos()

    def one_too_small(*args: Any) -> list[list[Face | SetAsideError]]:
        found = faces_with_landmarks(*args)
        face = found[1][0]
        assert isinstance(face, Face)
        found[1][0] = dataclasses.replace(face, points68=face.points68 * np.float32(0.02))
        return found

    monkeypatch.setattr(masker, "faces_with_landmarks", one_too_small)
    together, small = outputs(settings, every), Masker(settings).process(["a", "b"], every[:2])[1]
    assert isinstance(small, SetAsideError)
    assert small.reason is Reason.TOO_SMALL
    assert len(together) == len(every) - 1
    monkeypatch.setattr(masker, "TOGETHER", 2)
    for key, apart in outputs(settings, every).items():
        np.testing.assert_array_equal(apart.image, together[key].image)
        assert apart.row == together[key].row


def test_shares_and_numbers() -> None:
    assert {kind for _, kind in outputs(MaskerSettings(unmasked_share=1.0), photos())} == {"bare"}
    two = outputs(MaskerSettings(per_photo=2), photos())
    assert len(two) == 2 * len(photos())


@pytest.mark.parametrize("options", [{}, {"align": "facenet"}, {"align": "facenet", "size": 97}, {"crop": "none"}])
def test_parts_are_named_on_request_and_change_no_picture(options: dict[str, Any]) -> None:
    kinds = ("shield", "surgical_blue")
    plain = outputs(MaskerSettings(kinds, per_photo="all", bare=True, **options), photos()[:2])
    named = outputs(MaskerSettings(kinds, per_photo="all", bare=True, parts=True, **options), photos()[:2])
    for key, one in named.items():
        np.testing.assert_array_equal(one.image, plain[key].image)
        assert plain[key].parts is None
        assert one.parts is not None and one.coverage is not None
        assert one.parts.shape == one.coverage.shape == one.image.shape[:2]
        least, most = {"bare": ({0}, {0}), "shield": ({5}, {0, 2, 5}), "surgical_blue": ({1}, {0, 1, 2})}[one.kind]
        assert least <= set(np.unique(one.parts).tolist()) <= most
        assert (one.parts[one.coverage > 127] > 0).all()
        assert (one.coverage[one.parts > 0] > 60).all()
        assert (one.coverage[(one.parts > 0) & (one.parts != 2)] > 127).all()


def test_occluders_are_kept_on_request() -> None:
    loose = dataclasses.replace(draw_person(rng_for(3, "front")), style="loose", hair=np.array([48.0, 34.0, 28.0]))
    chosen = [*photos(), Photo(draw_portrait(loose, Scene(size=(260, 260))).image, "loose")]
    ignored = outputs(MaskerSettings(("surgical_blue",)), chosen)
    kept = outputs(MaskerSettings(("surgical_blue",), occluders="keep", bare=True), chosen)
    assert all("in_front" not in one.row for one in ignored.values())
    assert {one.row["in_front"] for one in kept.values() if one.kind == "bare"} == {0.0}
    assert any(one.row["in_front"] > 0 for one in kept.values())
    for key, one in ignored.items():
        changed = (kept[key].image != one.image).any(2).mean()
        assert changed < 0.005 if kept[key].row["in_front"] == 0 else changed > 0


def test_one_call_names_parts() -> None:
    masked = maskgen.mask_photo(astronaut(), "n95", parts=True)
    assert masked.parts is not None
    assert maskgen.mask_photo(astronaut(), "n95").parts is None
    assert (masked.parts[masked.coverage > 127] > 0).all()


def test_every_face_of_a_whole_photograph() -> None:
    left, right = photos()[0].image, photos()[3].image
    both = Photo(np.hstack([left, right]), "both")
    (one,) = outputs(MaskerSettings(("surgical_blue",), crop="none", faces="all"), [both]).values()
    assert one.image.shape == both.image.shape
    assert one.coverage is not None
    assert (one.coverage[:, :250] == 255).any()
    assert (one.coverage[:, 250:] == 255).any()
    (other,) = one.others
    assert (one.row["face"], other["face"], other["faces_found"]) == (0, 1, 2)
    assert other["outline"] and other["outline"] != one.row["outline"]


def test_each_face_of_a_whole_photograph_draws_its_own_mask() -> None:
    kinds = ("surgical_blue", "n95", "cloth_black", "kn95")
    settings = MaskerSettings(kinds, wear=("proper", "chin_out"), crop="none", faces="all")
    both = np.hstack([photos()[0].image, photos()[3].image])
    drawn = outputs(settings, [Photo(both, f"both{at}") for at in range(12)])
    pairs = [(one.row, other) for one in drawn.values() for other in one.others]
    assert len(pairs) == 12
    assert all(kind == one.row["kind"] for (_, kind), one in drawn.items())
    for column in ("kind", "wearing"):
        assert 0 < sum(first[column] != other[column] for first, other in pairs) < 12
    every = outputs(MaskerSettings(kinds, per_photo="all", crop="none", faces="all"), [Photo(both, "every")])
    assert {kind for _, kind in every} == set(kinds)
    assert {one.others[0]["kind"] for one in every.values()} == set(kinds)


def test_every_face_that_is_not_masked_is_told_with_its_place() -> None:
    both = np.hstack([photos()[0].image, photos()[3].image])
    masker = Masker(MaskerSettings(("n95",), crop="none", faces="all", min_trust=1.0))
    (result,) = masker.process(["a"], [Photo(both, "a")])
    assert isinstance(result, list) and len(result) == 2
    assert all(isinstance(one, SetAsideError) and "face at" in one.detail for one in result)


def test_a_mask_that_would_lie_outside_is_its_faces_fault() -> None:
    """As on a photograph that ends at the eyes."""
    whole, other = photos()[:2]
    masker = Masker(MaskerSettings(("n95", "kn95"), crop="none", per_photo="all", min_trust=0.0))
    ((face,),) = faces_with_landmarks(
        [whole.image], masker.detector.detect([whole.image]), "largest", masker._landmarker
    )
    assert isinstance(face, Face)
    top = round(float(face.points68[27, 1]))
    ends = Photo(whole.image[:top], "ends")
    fault, fine = masker.process(["ends", "other"], [ends, other], [[face], []])
    assert isinstance(fault, SetAsideError)
    assert fault.reason is Reason.DOUBTFUL_FIT
    assert [one.kind for one in fine if isinstance(one, Output)] == ["n95", "kn95"]
    beside = Photo(whole.image[:top], "beside")
    higher = (face.points68 - [0, 60]).astype(np.float32)
    first, last = dataclasses.replace(face, points68=higher, of=2), dataclasses.replace(face, index=1, of=2)
    (both,) = masker.process(["beside"], [beside], [[first, last]])
    masks = [one for one in both if isinstance(one, Output)]
    assert [one.kind for one in masks] == ["n95", "kn95"]
    assert [one.reason for one in both if isinstance(one, SetAsideError)] == [Reason.DOUBTFUL_FIT]
    assert all(one.others == () for one in masks)


def test_kinds_are_drawn_by_weight() -> None:
    masker = Masker(MaskerSettings(("n95=3", "kn95")))
    drawn = [masker._drawn_kinds(str(key), 0)[0].name for key in range(2000)]
    assert 0.72 < drawn.count("n95") / 2000 < 0.78


def test_ways_of_wearing_are_drawn_by_weight_and_recorded() -> None:
    some = outputs(MaskerSettings(("surgical_blue",), wear=("proper", "chin_out")), photos())
    ways = {one.row["wearing"] for one in some.values()}
    assert ways == {"proper", "chin_out"}
    (low,) = outputs(MaskerSettings(("kn95",), wear=("under_chin",)), photos()[:1]).values()
    (high,) = outputs(MaskerSettings(("kn95",)), photos()[:1]).values()
    assert low.coverage is not None and high.coverage is not None
    assert np.nonzero(low.coverage > 127)[0].mean() > np.nonzero(high.coverage > 127)[0].mean() + 10


def test_any_colour_and_any_print(tmp_path: Path) -> None:
    orange = maskgen.mask_photo(astronaut(), "cloth:#ff8800")
    red, green, blue = np.median(orange.image[orange.coverage == 255], axis=0)
    assert red > green + 60 > blue + 90
    halves = np.zeros((64, 64, 3), np.uint8)
    halves[:, :32, 0], halves[:, 32:, 2] = 220, 220
    (tmp_path / "halves.png").write_bytes(encode_image(halves, "png"))
    printed = maskgen.mask_photo(astronaut(), f"cloth:{tmp_path / 'halves.png'}")
    assert printed.record["kind"] == "cloth:halves"
    x = np.nonzero(printed.coverage == 255)[1]
    cloth = printed.image[printed.coverage == 255].astype(float)
    left, right = (cloth[side].mean(0) for side in (x < np.quantile(x, 0.3), x > np.quantile(x, 0.7)))
    assert left[0] > left[2] + 60 and right[2] > right[0] + 60


def test_looks_are_recorded() -> None:
    some = outputs(MaskerSettings(("n95",)), [Photo(photos()[0].image, f"copy{at}") for at in range(24)])
    assert {one.row["look"] for one in some.values()} == {"plain", "valve"}


def test_doubtful_faces_are_set_aside_on_request() -> None:
    (kept,) = outputs(MaskerSettings(("n95",)), photos()[:1]).values()
    sure = kept.row["trust"]
    assert 0.4 < sure < 1
    result = Masker(MaskerSettings(("n95",), min_trust=sure + 0.001)).process(["a"], photos()[:1])[0]
    assert isinstance(result, SetAsideError) and result.reason is Reason.DOUBTFUL_FIT


@pytest.mark.parametrize("axis", ["yaw", "pitch"])
def test_heads_that_turn_farther_than_asked_are_set_aside(axis: str) -> None:
    (kept,) = outputs(MaskerSettings(("n95",)), photos()[:1]).values()
    turned = abs(kept.row[axis])
    limit: dict[str, Any] = {f"max_{axis}": turned + 0.02}
    (same,) = outputs(MaskerSettings(("n95",), **limit), photos()[:1]).values()
    np.testing.assert_array_equal(same.image, kept.image)
    limit = {f"max_{axis}": max(turned - 0.02, 0.0)}
    result = Masker(MaskerSettings(("n95",), **limit)).process(["a"], photos()[:1])[0]
    assert isinstance(result, SetAsideError) and result.reason is Reason.EXTREME_POSE
    assert result.detail.startswith(axis)


def test_a_kind_that_was_made_is_worn_and_pickled() -> None:
    kind = printed_kind("cloth:green.png", np.full((8, 8, 3), (0, 200, 0), np.uint8))
    masker = Masker(MaskerSettings(("n95", "cloth:green.png"), crop="none", per_photo="all"), made=(kind,))
    for one in (masker, pickle.loads(pickle.dumps(masker))):  # noqa: S301 - our own bytes
        result = one.process(["a"], [Photo(astronaut(), "a")])[0]
        assert isinstance(result, list)
        masked = [output for output in result if isinstance(output, Output)]
        assert [output.kind for output in masked] == ["n95", "cloth:green"]
        assert masked[1].coverage is not None
        red, green, _ = np.median(masked[1].image[masked[1].coverage == 255], axis=0)
        assert green > red + 60


def test_a_picture_comes_in_any_form(tmp_path: Path) -> None:
    picture = astronaut()
    data = encode_image(picture, "png")
    (tmp_path / "a.png").write_bytes(data)
    of_pixels = maskgen.mask_photo(picture, "n95")
    of_file = maskgen.mask_photo(tmp_path / "a.png", "n95")
    for one, same in (
        (maskgen.mask_photo(str(tmp_path / "a.png"), "n95"), of_file),
        (maskgen.mask_photo(data, "n95"), of_file),
        (maskgen.mask_photo(PIL.Image.fromarray(picture), "n95"), of_pixels),
        (maskgen.mask_photo(np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)]), "n95"), of_pixels),
    ):
        np.testing.assert_array_equal(one.image, same.image)
    assert maskgen.mask_photo(np.ascontiguousarray(picture[..., 1]), "n95").image.shape == picture.shape
    turned = PIL.Image.fromarray(np.ascontiguousarray(np.rot90(picture)))
    turned.getexif()[0x0112] = 6  # to be turned clockwise
    np.testing.assert_array_equal(maskgen.mask_photo(turned, "n95").image, of_pixels.image)
    for wrong in (picture.astype(np.float32), picture[None], np.zeros((0, 0, 3), np.uint8)):
        with pytest.raises(ValueError, match="uint8 RGB"):
            maskgen.mask_photo(wrong)
    with pytest.raises(TypeError, match="give a path, bytes, a PIL image"):
        maskgen.mask_photo(3)
    with pytest.raises(SetAsideError, match="unreadable"):
        maskgen.mask_photo(tmp_path / "b.png")


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I;16L"])
@pytest.mark.parametrize("span", [65535, 4000])
def test_pil_images_of_16_bits_are_scaled_as_files_are(mode: str, span: int, tmp_path: Path) -> None:
    grey = (astronaut()[..., 1].astype(np.uint32) * span // 255).astype(">u2" if mode == "I;16B" else "<u2")
    picture = PIL.Image.frombytes(mode, grey.shape[::-1], grey.tobytes())
    PIL.Image.fromarray(grey.astype(np.uint16)).save(tmp_path / "g16.png")
    file, opened = (maskgen.any_picture.photo_from(one) for one in (tmp_path / "g16.png", picture))
    np.testing.assert_array_equal(opened.image, file.image)
    assert opened.levels == file.levels
    assert maskgen.mask_photo(picture, "n95").record["kind"] == "n95"


@pytest.mark.parametrize(("mode", "dtype"), [("I", np.int32), ("F", np.float32)])
def test_pil_images_of_no_fixed_range_are_refused(mode: str, dtype: Any) -> None:
    picture = PIL.Image.fromarray(astronaut()[..., 1].astype(dtype) * 257)
    assert picture.mode == mode
    with pytest.raises(ValueError, match=f"mode {mode} have no fixed range: scale them to 0..255"):
        maskgen.mask_photo(picture)


def test_a_masked_face_shows_itself() -> None:
    masked = maskgen.mask_photo(astronaut(), "n95", size=112)
    assert "\n" not in repr(masked) and str(masked).startswith("MaskedFace(n95, 112x112 pixels, yaw ")
    shown = maskgen.any_picture.photo_from(masked._repr_png_()).image
    np.testing.assert_array_equal(shown, masked.image)


def test_one_masker_serves_call_after_call(monkeypatch: pytest.MonkeyPatch) -> None:
    maskgen.mask_photo(astronaut(), "n95", seed=3)
    monkeypatch.setattr(api, "Masker", None)
    maskgen.mask_photo(astronaut(), "n95", seed=3)


def test_a_masker_pickles_as_its_settings() -> None:
    settings = MaskerSettings(("n95",), size=112)
    masker = Masker(settings, MtcnnDetector(aligned=True))
    data = pickle.dumps(masker)
    assert len(data) < 2000
    again = pickle.loads(data)  # noqa: S301
    assert again.settings == settings and again.detector.one_face
    np.testing.assert_array_equal(again.mask(astronaut()).image, masker.mask(astronaut()).image)
    chosen = photos()[0]
    with pytest.raises(SetAsideError, match="none is given"):
        masker.mask(chosen, [])


def test_public_names_are_there_and_load_late() -> None:
    assert {name for name in maskgen.__all__ if getattr(maskgen, name) is None} == set()
    assert maskgen.SetAsideError is SetAsideError and maskgen.Photo is Photo
    assert maskgen.augment.MaskAugment is not None and "Mark" in dir(maskgen)
    with pytest.raises(AttributeError, match="no attribute 'masks_on'"):
        maskgen.masks_on  # noqa: B018


@pytest.mark.parametrize("form", [str, Path])
def test_the_sample_s_folder_is_a_text_or_a_path(form: Any, tmp_path: Path) -> None:
    api.draw_sample(form(tmp_path / "sample"), 1, 1)
    assert [path.name for path in (tmp_path / "sample").rglob("*.png")] == ["01.png"]
