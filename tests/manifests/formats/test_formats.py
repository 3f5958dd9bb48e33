"""The pair lists of others: pairs.txt, pairs_label.txt and .bin."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from manifest_makers import Row, images_of, rows, write_run

from maskgen.core.reasons import UserError
from maskgen.formats.bin_sets import load_bin
from maskgen.formats.faults import ContainerError
from maskgen.manifests.catalogue import read_runs
from maskgen.manifests.formats.bin_pairs import save_bin
from maskgen.manifests.formats.label_pairs import load_label_pairs, save_label_pairs
from maskgen.manifests.formats.lfw_pairs import ListedPair, Wear, listed_pairs, load_lfw_pairs, resolve, save_lfw_pairs
from maskgen.manifests.pairs import PairRules
from maskgen.manifests.plan import ManifestSettings
from maskgen.manifests.schema import Pairs

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
NAME = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6)
LISTED = st.builds(ListedPair, NAME, st.integers(1, 600), NAME, st.integers(1, 600))


def test_lfw_pairs_of_the_real_file(photographs: Path) -> None:
    pairs = load_lfw_pairs(photographs / "lfw_pairs.txt")
    assert sum(pair.same for pair in pairs) == 292 and len(pairs) == 584
    assert pairs[0] == ListedPair("Angela_Bassett", 1, "Angela_Bassett", 5)


@pytest.mark.parametrize(
    "text",
    [
        "2\t1\nA_B\t1\t4\nA_B\t1\tC\t2\n",
        "A_B 1 4\nA_B 1 C 2",
        "1\nA_B 1 4\r\n\r\nA_B 1 C 2\r\n",
        "name,imagenum1,imagenum2,\nA_B,1,4,\nA_B,1,C,2\n",
        "A_B,1,4\nA_B, 1, C, 2\n",
    ],
)
def test_pairs_txt_with_and_without_header_by_tabs_commas_or_spaces(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text(text)
    assert load_lfw_pairs(path) == [ListedPair("A_B", 1, "A_B", 4), ListedPair("A_B", 1, "C", 2)]


@pytest.mark.parametrize("line", ["A one 2", "A 1", "A 1 B 2 3", "A\t1\t\t2"])
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "pairs.txt"
    path.write_text("1\t1\n" + line + "\n")
    with pytest.raises(ValueError, match="line 2"):
        load_lfw_pairs(path)


@SHARED
@given(pairs=st.lists(LISTED, max_size=8))
def test_written_pairs_txt_is_read_back(tmp_path: Path, pairs: list[ListedPair]) -> None:
    path = tmp_path / "pairs.txt"
    save_lfw_pairs(path, pairs)
    assert load_lfw_pairs(path) == [p for p in pairs if p.same] + [p for p in pairs if not p.same]


@pytest.mark.parametrize(("wear", "kinds"), [("bare", (0, 0)), ("masked", (1, 1)), ("mixed", (0, 1))])
def test_listed_pairs_are_found_on_a_run_as_they_are_to_be_worn(
    tmp_path: Path, wear: str, kinds: tuple[int, int]
) -> None:
    images = images_of(tmp_path / "r", rows(3, 3, ["bare", "n95"]))
    listed = [ListedPair("p000", 1, "p000", 3), ListedPair("p001", 2, "p002", 1)]
    resolved = resolve(images, listed, Wear(wear), ManifestSettings())
    assert not resolved.left_out
    for pairs, names in (
        (resolved.drawn.same, ("p000/p000_0001.jpg", "p000/p000_0003.jpg")),
        (resolved.drawn.diff, ("p001/p001_0002.jpg", "p002/p002_0001.jpg")),
    ):
        got = images.keys[int(pairs.first[0])].as_py(), images.keys[int(pairs.second[0])].as_py()
        assert got == names
        assert (images.kind[pairs.first[0]], images.kind[pairs.second[0]]) == kinds


def test_pairs_that_cannot_be_made_are_each_told(tmp_path: Path) -> None:
    images = images_of(tmp_path / "r", rows(2, 2, ["n95"]))
    listed = [
        ListedPair("p000", 1, "p000", 2),
        ListedPair("nobody", 1, "p000", 2),
        ListedPair("p000", 9, "p000", 2),
        ListedPair("p000", 1, "p000", 1),
    ]
    resolved = resolve(images, listed, Wear.MASKED, ManifestSettings())
    assert resolved.counts() == {"listed": 4, "made": 1, "left_out": 3}
    reasons = [reason for _, reason in resolved.left_out]
    assert "nobody called nobody" in reasons[0] and "no photograph 9" in reasons[1] and "one image" in reasons[2]
    bare = resolve(images, listed[:1], Wear.BARE, ManifestSettings())
    assert "has no bare image" in bare.left_out[0][1]


def test_two_masks_on_one_photograph_are_a_pair_only_where_that_is_allowed(tmp_path: Path) -> None:
    images = images_of(tmp_path / "r", rows(2, 2, ["n95", "kn95", "bare"]))
    listed = [ListedPair("p000", 1, "p000", 1)] * 8
    for wear in (Wear.MIXED, Wear.MASKED):
        resolved = resolve(images, listed, wear, ManifestSettings())
        assert len(resolved.drawn.same) == 0
        assert {reason for _, reason in resolved.left_out} <= {"both are one image", "both are one photograph"}
    allowed = resolve(images, listed, Wear.MIXED, ManifestSettings(rules=PairRules(allow_same_source=True)))
    assert len(allowed.drawn.same) == 2  # the bare image with each masked one
    assert [reason for _, reason in allowed.left_out] == ["it is listed already"] * 6


def test_photographs_of_other_names_are_numbered_in_order(tmp_path: Path) -> None:
    named = [Row("Ann", name, "n95") for name in ("b.jpg", "a.jpg", "c.jpg")]
    images = images_of(tmp_path / "r", [*named, *rows(1, 3, ["n95"])])
    pairs = Pairs(np.array([0, 3]), np.array([2, 5]))
    listed = listed_pairs(images, pairs)
    assert listed == [ListedPair("Ann", 1, "Ann", 3), ListedPair("p000", 1, "p000", 3)]
    again = resolve(images, listed, Wear.MASKED, ManifestSettings()).drawn.same
    assert again.first.tolist() == [0, 3] and again.second.tolist() == [2, 5]


def test_people_of_one_folder_name_go_by_their_whole_path(tmp_path: Path) -> None:
    both = [Row(person, f"{i}.jpg", "n95") for person in ("x/Ann", "y/Ann") for i in (1, 2)]
    images = images_of(tmp_path / "r", both)
    listed = listed_pairs(images, Pairs(np.array([0, 0]), np.array([1, 2])))
    assert listed == [ListedPair("x/Ann", 1, "x/Ann", 2), ListedPair("x/Ann", 1, "y/Ann", 1)]
    assert len(resolve(images, listed, Wear.MASKED, ManifestSettings()).drawn.diff) == 1


def test_people_of_one_name_in_two_runs_are_two_people_in_a_pairs_txt(tmp_path: Path) -> None:
    """A person is a folder of a run; a line `Ann 1 1` for both would call an impostor pair genuine."""
    wanted = [Row(person, f"{i}.jpg", "n95") for person in ("Ann", "Bob", "x/Cy", "y/Cy") for i in (1, 2)]
    runs = [("a", write_run(tmp_path / "a", wanted)), ("b", write_run(tmp_path / "b", wanted[:2]))]
    images = read_runs(runs)
    pairs = Pairs(np.array([0, 0, 8, 2]), np.array([1, 8, 9, 4]))
    listed = listed_pairs(images, pairs)
    assert listed == [
        ListedPair("a/Ann", 1, "a/Ann", 2),
        ListedPair("a/Ann", 1, "b/Ann", 1),
        ListedPair("b/Ann", 1, "b/Ann", 2),
        ListedPair("Bob", 1, "a/x/Cy", 1),
    ]
    again = resolve(images, [*listed, ListedPair("Ann", 1, "Ann", 2)], Wear.MASKED, ManifestSettings())
    assert [len(again.drawn.same), len(again.drawn.diff)] == [2, 2]
    assert [reason for _, reason in again.left_out] == ["the runs have 2 people called Ann"]


def test_a_name_with_a_tab_or_line_break_cannot_be_in_a_pairs_txt(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="leave out --also lfw"):
        save_lfw_pairs(tmp_path / "pairs.txt", [ListedPair("A", 1, "B\nC", 2)])
    assert not (tmp_path / "pairs.txt").exists()


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_only_a_line_feed_ends_a_pair(tmp_path: Path, odd: str) -> None:
    path, name = tmp_path / "pairs.txt", f"A{odd}B"
    save_lfw_pairs(path, [ListedPair(name, 1, name, 2)])
    assert load_lfw_pairs(path) == [ListedPair(name, 1, name, 2)]
    texts = [pa.array([f"{name}/{number}.jpg"], pa.large_string()) for number in (1, 2)]
    save_label_pairs(path, *texts, np.array([True]))
    first, second, _ = load_label_pairs(path)
    assert [first, second] == [[f"{name}/1.jpg"], [f"{name}/2.jpg"]]


def test_pairs_label_is_two_paths_and_a_truth(tmp_path: Path) -> None:
    path = tmp_path / "pairs_label.txt"
    first, second = (
        pa.array(["a b/1.jpg", "é/1.jpg"], pa.large_string()),
        pa.array(["a b/2.jpg", "ö/2.jpg"], pa.large_string()),
    )
    save_label_pairs(path, first, second, np.array([True, False]))
    assert path.read_text(encoding="utf-8") == "a b/1.jpg\ta b/2.jpg\t1\né/1.jpg\tö/2.jpg\t0\n"
    with pytest.raises(UserError, match="tab"):
        save_label_pairs(path, pa.array(["a\tb"], pa.large_string()), second[:1], np.array([True]))


def test_the_real_bin_is_read(photographs: Path) -> None:
    pictures, same = load_bin(photographs / "formats" / "small_lfw.bin")
    assert len(pictures) == 2 * len(same) > 0
    assert all(picture[:2] == b"\xff\xd8" for picture in pictures)
    with (photographs / "formats" / "small_lfw.bin").open("rb") as file:
        file.seek(0)
        assert len(pictures[0]) > 1000


@SHARED
@given(pairs=st.lists(st.tuples(st.binary(max_size=20), st.binary(max_size=20), st.booleans()), max_size=6))
def test_a_written_bin_is_read_back_and_is_what_others_expect(
    tmp_path: Path, pairs: list[tuple[bytes, bytes, bool]]
) -> None:
    path = tmp_path / "a.bin"
    pictures = [picture for first, second, _ in pairs for picture in (first, second)]
    same = [truth for _, _, truth in pairs]
    save_bin(path, pictures, same)
    assert load_bin(path) == (pictures, same)
    assert plain_load(path) == (pictures, same)


def plain_load(path: Path) -> object:
    """As InsightFace's own loader does it."""
    return pickle.loads(path.read_bytes(), encoding="bytes")  # noqa: S301


@pytest.mark.parametrize("protocol", [0, 2, 3, 4, 5])
@pytest.mark.parametrize("labels", ["list", "array", "scalars"])
def test_bins_of_numpy_arrays_by_any_protocol(tmp_path: Path, protocol: int, labels: str) -> None:
    arrays = [np.frombuffer(data, np.uint8).copy() for data in (b"abc", b"defg", b"h", b"ij")]
    truths = {"list": [True, False], "array": np.array([True, False]), "scalars": [np.True_, np.False_]}
    path = tmp_path / "a.bin"
    path.write_bytes(pickle.dumps((arrays, truths[labels]), protocol=protocol))
    assert load_bin(path) == ([b"abc", b"defg", b"h", b"ij"], [True, False])


class _Command:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def test_a_bin_that_is_a_program_is_refused_and_not_run(tmp_path: Path) -> None:
    path, marker = tmp_path / "a.bin", tmp_path / "marker"
    path.write_bytes(pickle.dumps(([_Command(marker)], [])))
    with pytest.raises(ValueError, match="asks for"):
        load_bin(path)
    assert not marker.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a pickle",
        pickle.dumps(([b"a"], [True])),
        pickle.dumps(([1, 2], [True])),
        pickle.dumps(([b"a", b"b"], ["yes"])),
        pickle.dumps({"a": 1}),
        pickle.dumps(([np.array(["a", "b"], object), b"b"], [True])),
        pickle.dumps(([np.zeros(3), b"b"], [True])),
        pickle.dumps(([b"a", b"b"], [True]))[:-4],
        b"\x80\x04r\xff\xff\xff\x7f.",
    ],
)
def test_what_is_no_bin_is_a_value_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError):
        load_bin(path)


def test_an_uneven_bin_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 pictures for 1 pairs"):
        save_bin(tmp_path / "a.bin", [b"a"], [True])
    assert not io.BytesIO().read() and not list(tmp_path.iterdir())


def test_a_length_beyond_the_file_is_refused_before_memory_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "long.bin").write_bytes(b"\x80\x05]\x96" + (10**17).to_bytes(8, "little") + b"abc.")
    with pytest.raises(ContainerError) as error:
        load_bin(tmp_path / "long.bin")
    assert "expected 100000000000000000 bytes" in str(error.value.__cause__)
