"""Templates: the built-in ones are whole, and a fault in one is a sentence that names file, key and expectation."""

import re
import shutil
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from skimage.data import astronaut

from maskgen import Masker, MaskerSettings, mask_photo
from maskgen.core.images import encode_image
from maskgen.core.kindspec import PRINTS
from maskgen.core.reasons import UserError
from maskgen.masks import kinds
from maskgen.masks.kinds import load_kind, load_kinds, printed_kind
from maskgen.masks.template import built_in_template, read_template, template_names
from maskgen.pipelines.cli import main

NO_NUMBERS = ("nan", "inf", "true", "1e6")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    source = resources.files("maskgen.mask_templates").joinpath("surgical")
    with resources.as_file(source) as folder:
        return Path(shutil.copytree(folder, tmp_path / "mine"))


def change(folder: Path, old: str, new: str) -> None:
    file = folder / "template.toml"
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize("name", template_names())
def test_built_in_templates_have_large_textures_and_real_relief(name: str) -> None:
    template = built_in_template(name)
    for look in template.looks:
        pictures = look.pictures()
        assert pictures.texture.shape[:2] == look.size
        assert min(look.size) >= 1024
        assert pictures.relief.std() > 0
    assert template.top.shape[1] == template.bottom.shape[1] == 3


def test_a_copy_reads_as_the_original(copied: Path) -> None:
    np.testing.assert_array_equal(read_template(copied).top, built_in_template("surgical").top)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('title = "', 'titel = "', "titel"),
        ('green = "#44b4a8"', 'green = "green"', "colours.green"),
        ('at = "bridge"', 'at = "brigde"', "outline.top[0].at"),
        ("clearance = 0.035", 'clearance = "thin"', "form.clearance"),
        ("taut = 0.85", "taut = 7", "form.taut"),
        ('texture = "texture.png"', 'texture = "../../secret.png"', "texture"),
        ('relief = "relief.png"', 'relief = "gone.png"', "relief"),
        ("taut = 0.85", "taut = nan", "form.taut"),
        ("taut = 0.85", "taut = true", "form.taut"),
        *(("move = [0.0,", f"move = [{wrong},", "move: expected three numbers from -10 to 10") for wrong in NO_NUMBERS),
        *(("from = [1.0,", f"from = [{wrong},", "from: expected two numbers: u 0..1") for wrong in (*NO_NUMBERS, "2")),
        *(("lift = [\n    [0.01,", f"lift = [\n    [{wrong},", "form.lift: expected two or") for wrong in NO_NUMBERS),
    ],
)
def test_a_fault_names_file_and_key(copied: Path, old: str, new: str, says: str) -> None:
    change(copied, old, new)
    with pytest.raises(UserError) as fault:
        read_template(copied)
    assert "template.toml" in str(fault.value)
    assert says in str(fault.value)
    assert "\n" not in str(fault.value)


def with_looks(folder: Path, **shares: float) -> Path:
    """A copy with further looks, each of the usual pictures."""
    page = folder / "template.toml"
    text = page.read_text("utf-8").partition("[[look]]")[0]
    rows = (
        f'[[look]]\nname = "{name}"\nshare = {share}\ntexture = "texture.png"\nrelief = "relief.png"\n'
        for name, share in shares.items()
    )
    page.write_text(text + "".join(rows), "utf-8")
    return folder


def test_each_look_has_a_name_of_its_own(copied: Path) -> None:
    with pytest.raises(UserError, match=r"look\[0\].name: expected a name that no other look has, .*'plain'"):
        read_template(with_looks(copied, plain=0.3))
    page = with_looks(copied, one=0.3, two=0.3) / "template.toml"
    page.write_text(page.read_text("utf-8").replace('"two"', '"one"'), "utf-8")
    with pytest.raises(UserError, match=r"look\[1\].name: expected a name that no other look has, .*'one'"):
        read_template(copied)


def test_shares_that_add_up_to_one_leave_none_for_the_usual_look(copied: Path) -> None:
    shares = {"a": 0.7, "b": 0.1, "c": 0.1, "d": 0.1}
    assert sum(shares.values()) != 1.0
    template = read_template(with_looks(copied, **shares))
    assert [look.share for look in template.looks] == [0.0, *shares.values()]
    assert template.look_number(0.0) == template.look_number(float(np.nextafter(1.0, 0.0))) == 1


def test_a_template_may_begin_with_a_byte_order_mark(copied: Path) -> None:
    """Some editors on Windows write one."""
    page = copied / "template.toml"
    page.write_bytes(b"\xef\xbb\xbf" + page.read_bytes())
    assert read_template(copied).name == "mine"


def test_a_huge_texture_is_refused_before_it_is_decoded(copied: Path) -> None:
    cv2.imwrite(str(copied / "texture.png"), np.zeros((1, 9000), np.uint8))
    with pytest.raises(UserError, match="texture"):
        read_template(copied)


def test_a_kind_in_any_colour_and_a_mistyped_one() -> None:
    assert load_kind("surgical:#ff8800").colour == "#ff8800"
    with pytest.raises(UserError, match="surgical_blue"):
        load_kind("surgical_bleu")


@pytest.mark.parametrize("text", ["n95=3=4", "n95=3=1", "world:kn95=2=3", "surgical:teal=2=3"])
def test_a_kind_has_one_weight(text: str) -> None:
    with pytest.raises(UserError, match="=[23]'"):
        load_kinds([text])
    with pytest.raises(UserError, match="=[23]'"):
        Masker(MaskerSettings((text,)))


def test_a_folders_name_may_hold_an_equals_sign(copied: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a=1" / "snout=2"
    shutil.copytree(copied, folder)
    (kind,) = load_kinds([f"{folder}=3"])
    assert kind.name == "snout=2" == load_kind(f"{folder}=1").name


@pytest.mark.parametrize("motif", PRINTS)
def test_a_print_has_both_colours_and_is_the_same_each_time(motif: str) -> None:
    kind = load_kind(f"cloth:red+{motif}+#00ff00")
    assert (kind.name, kind.colour, kind.print, kind.colours) == (
        f"cloth:#ff0000+{motif}+#00ff00", "#ff0000", motif, ("#ff0000", "#00ff00"),
    )  # fmt: skip
    level = kind.looks[0].levels[0].colours
    red, green = (level[..., at].astype(int) for at in (0, 1))
    assert (red > green + 80).mean() > 0.1 and (green > red + 80).mean() > 0.02
    kinds._made.cache_clear()
    assert np.array_equal(
        load_kind(f"cloth:red+{motif}+lime").looks[0].levels[0].colours, kind.looks[0].levels[0].colours
    )


def test_ink_shows_on_any_cloth() -> None:
    assert load_kind("surgical:navy+dots").colours == ("#000080", "#ffffff")
    assert load_kind("surgical:ivory+dots").colours == ("#fffff0", "#202020")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cloth:#ff0000+dotz", "the prints are dots"),
        ("cloth:redd+dots", "did you mean cloth:red.dots"),
        ("cloth:red+dotz", "did you mean cloth:red.dots"),
        ("cloth:red+zzz", "the prints are dots, stripes,"),
        ("cloth:red+dots+whit", "'whit' is no colour: did you mean cloth:red.dots.white?"),
        ("cloth:red+dots+goldd", "did you mean cloth:red.dots.gold?"),
        ("cloth:redd+dots+goldd", "did you mean cloth:red.dots.gold?"),
        ("cloth:redd+dotz+goldd", "did you mean cloth:red.dots.gold?"),
        ("cloth:#123456+dots+goldd", "did you mean cloth:#123456.dots.gold?"),
        ("cloth:red+dots+qqqq", "a colour is a CSS name or six digits"),
        ("cloth:red+dots+white+blue", "is no"),
        ("clot:red+dots", "did you mean cloth"),
    ],
)
def test_a_misspelt_print_is_told(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        load_kind(text)


def test_a_picture_in_memory_prints_as_its_file_does(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    (tmp_path / "red+dots.png").write_bytes(encode_image(picture, "png"))
    kind, given = load_kind(f"cloth:{tmp_path}/red+dots.png"), printed_kind("cloth:red+dots.png", picture)
    assert kind.name == given.name
    assert np.array_equal(kind.looks[0].levels[0].colours, given.looks[0].levels[0].colours)


def test_a_copied_form_with_a_flat_texture_is_a_new_kind(tmp_path: Path) -> None:
    """The way that docs/adding_a_mask.md goes."""
    folder = tmp_path / "tiger"
    assert CliRunner().invoke(main, ["kinds", "--copy", "cloth", str(folder)]).exit_code == 0
    stripes = np.full((256, 256, 3), (232, 140, 20), np.uint8)
    stripes[:, ::16] = 20
    (folder / "texture.png").write_bytes(encode_image(stripes, "png"))
    (folder / "relief.png").write_bytes(encode_image(np.full((256, 256, 3), 128, np.uint8), "png"))
    text = (folder / "template.toml").read_text()
    text = text.replace('black = "#000000"', 'print = "#ffffff"')
    (folder / "template.toml").write_text(text)
    kind = load_kind(str(folder))
    assert kind.name == "tiger"
    worn = mask_photo(astronaut(), str(folder))
    red, _, blue = np.median(worn.image[worn.coverage == 255], axis=0)
    assert red > blue + 80
    assert CliRunner().invoke(main, ["kinds", "--copy", "cloth", str(folder)]).exit_code == 2
    (folder / "template.toml").write_text(text.replace("under_eye", "under_eey"))
    with pytest.raises(
        UserError, match=r"template\.toml: outline\.top\[1\]\.at: expected under_eye.*, found 'under_eey'"
    ):
        read_template(folder)
    (folder / "template.toml").write_text(text.replace("under_eye", "0"))
    with pytest.raises(UserError, match="expected one of the places bridge, brow, "):
        read_template(folder)


def test_a_copy_of_which_only_the_pictures_were_replaced_has_one_look(tmp_path: Path) -> None:
    """Further looks would put the built-in texture on a part of the masks without a word."""
    for form in template_names():
        folder, built_in = tmp_path / f"my_{form}", built_in_template(form)
        told = CliRunner().invoke(main, ["kinds", "--copy", form, str(folder)])
        assert told.exit_code == 0
        copy = read_template(folder)
        assert [(look.name, look.share) for look in copy.looks] == [("plain", 1.0)]
        page = folder / "template.toml"
        text = page.read_text("utf-8")
        assert repr(copy.straps) == repr(built_in.straps)
        further = [look.name for look in built_in.looks[1:]]
        assert ("comments" in told.output) == bool(further) and all(name in told.output for name in further)
        page.write_text(re.sub(r"^# (?=\[\[look|\w+ = )", "", text, flags=re.MULTILINE), "utf-8")
        assert [(look.name, look.share) for look in read_template(folder).looks] == [
            (look.name, look.share) for look in built_in.looks
        ]


def test_the_preview_shows_every_look_that_masks_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(main, ["kinds", "--kind", "n95", "--kind", "cloth", "--kind", "pitta", "--kind", "kf94"])
    assert told.exit_code == 0, told.output
    assert "looks: plain 60 %, pleated 40 %" in told.output and "flat" not in told.output
    shown = {name: cv2.imread(f"mask_previews/{name}.png") for name in ("n95", "cloth", "pitta", "kf94")}
    assert {name: picture.shape[:2] for name, picture in shown.items()} == {
        "n95": (320, 640),
        "cloth": (320, 640),
        "pitta": (320, 960),
        "kf94": (320, 320),
    }
    plain, valve = shown["n95"][:, :320].astype(int), shown["n95"][:, 320:].astype(int)
    other = np.abs(plain - valve).max(2)
    assert other[:100].max() < 12  # the same portrait above the mask; JPEG's blocks aside
    assert (other > 40).sum() > 100  # the valve


def test_a_picture_or_an_empty_folder_in_place_of_a_template(tmp_path: Path) -> None:
    (tmp_path / "print.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"name the form before it, as in cloth:.*print\.png"):
        load_kind(str(tmp_path / "print.png"))
    with pytest.raises(UserError, match="`maskgen kinds --copy cloth FOLDER` makes one"):
        load_kind(str(tmp_path))


@pytest.mark.parametrize("name", ["bare", "chin_out", "world", "cloth", "n95"])
def test_a_template_has_no_name_that_means_something_else_in_the_catalogue(copied: Path, name: str) -> None:
    folder = copied.rename(copied.with_name(name))
    link = copied.with_name("link")
    link.symlink_to(folder)
    for one in (folder, link):
        with pytest.raises(UserError, match=f"{name!r}.*: give the folder another name"):
            load_kind(str(one))
    told = CliRunner().invoke(main, ["kinds", "--copy", "surgical", str(copied.with_name("other") / name)])
    assert told.exit_code == 2 and "give the folder another name" in told.output
    assert not copied.with_name("other").exists()


def test_form_and_kind_of_a_template_have_one_name(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied)
    masked = mask_photo(astronaut(), ".")
    assert masked.record["form"] == masked.record["kind"] == "mine"


@pytest.mark.parametrize("text", ["surgical:", "world:=2", "./mine:"])
def test_a_colon_with_nothing_behind_it_is_told(text: str) -> None:
    with pytest.raises(UserError, match=f"nothing behind the colon: give {text.partition(':')[0]}, or"):
        MaskerSettings((text,))


def test_a_folder_named_without_its_path_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="write ./mine"):
        load_kind("mine")
