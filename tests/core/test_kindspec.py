"""What a person may type to name masks and ways of wearing them."""

from pathlib import Path

import pytest

from maskgen.core.kindspec import KindSpec, file_name, parse_kind, parse_wear
from maskgen.core.reasons import UserError


def test_names_colours_prints_folders_and_weights() -> None:
    assert parse_kind("n95") == KindSpec("n95")
    assert parse_kind("n95=3") == KindSpec("n95", "", 3.0)
    orange = parse_kind("surgical:#FF8800=0.5")
    assert (orange.name, orange.text, orange.weight) == ("surgical:#ff8800", "surgical:#ff8800", 0.5)
    printed = parse_kind("cloth:prints/dots.png")
    assert (printed.name, printed.pattern) == ("cloth:dots", Path("prints/dots.png"))
    own = parse_kind("my/masks/snout")
    assert (own.name, own.folder) == ("snout", Path("my/masks/snout"))


def test_css_names_are_colours_in_one_normal_form() -> None:
    for text in ("surgical:teal", "surgical:Teal", "surgical:#008080"):
        assert parse_kind(text) == KindSpec("surgical", "#008080")
    assert parse_kind("surgical:rebeccapurple").dye == "#663399"
    assert parse_kind("my/snout:grey=2") == KindSpec("my/snout", "#808080", 2.0)
    assert parse_kind("cloth:./teal").pattern == Path("teal")
    assert parse_kind("world:tan").dye == "tan"


def test_a_kind_in_full_means_the_same_in_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a=b").mkdir()
    monkeypatch.chdir(tmp_path / "a=b")
    written = [parse_kind(text).weighted_text for text in ("n95=3", "surgical:teal", "./snout", "cloth:a.png=0.5")]
    here = tmp_path / "a=b"
    assert written == ["n95=3", "surgical:#008080", f"{here}/snout=1", f"cloth:{here}/a.png=0.5"]
    assert parse_kind(written[2]) == KindSpec(f"{here}/snout")


@pytest.mark.parametrize("text", ["n95=", "n95=0", "n95=-1", "n95=many", "n95=nan", "n95=inf"])
def test_weights_are_numbers_above_nought(text: str) -> None:
    with pytest.raises(UserError, match="weight"):
        parse_kind(text)


def test_ways_of_wearing() -> None:
    assert parse_wear("nose_out=2") == ("nose_out", 2.0)
    with pytest.raises(UserError, match="under_chin"):
        parse_wear("on_the_hat")


def test_the_fingerprint_follows_the_files(tmp_path: Path) -> None:
    picture = tmp_path / "print.png"
    picture.write_bytes(b"one")
    before = parse_kind(f"cloth:{picture}").fingerprint()
    assert parse_kind(f"cloth:{picture}").fingerprint() == before
    picture.write_bytes(b"two")
    assert parse_kind(f"cloth:{picture}").fingerprint() != before


def test_file_names_hold_no_signs() -> None:
    assert file_name("surgical:#ff8800") == "surgical-ff8800"
