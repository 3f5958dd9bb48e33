"""Analyses of faces that are kept between epochs: the same as made anew, and never in the way."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import AnalysedFace, analyse_face
from maskgen.people import sample_people
from maskgen.pipelines.train import online_masks
from maskgen.pipelines.train.device_masks import DevicePlanner
from maskgen.pipelines.train.kept_analyses import KeptAnalyses, packed, unpacked
from maskgen.pipelines.train.online_masks import FACE, OnlineMasker

KINDS = ("world", "n95", "surgical_blue")
Portraits = list[tuple[Image, np.ndarray]]


@pytest.fixture(scope="module")
def portraits() -> Portraits:
    return [(one.image, one.points68) for _, _, one in sample_people(4, 2, size=96)]


@pytest.fixture
def analysed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many faces each call analyses."""
    counts: list[int] = []
    real = online_masks.analyse_faces

    def counted(images: list[Image], points: list[np.ndarray]) -> list[AnalysedFace]:
        counts.append(len(images))
        return real(images, points)  # type: ignore[return-value]

    monkeypatch.setattr(online_masks, "analyse_faces", counted)
    return counts


def masker(portraits: Portraits, folder: Path, kept: KeptAnalyses | None) -> OnlineMasker:
    faces = np.zeros(len(portraits), FACE)
    faces["points"] = [points for _, points in portraits]
    np.save(folder / "points.npy", faces)
    return OnlineMasker(folder / "points.npy", KINDS, 1.0, kept)


def drawn(portraits: Portraits, folder: Path, kept: KeptAnalyses | None) -> list[bytes]:
    """The pictures that an epoch shows."""
    rows = range(len(portraits))
    rngs = [rng_for(3, "augment", 0, row) for row in rows]
    images = [image for image, _ in portraits]
    return [one.tobytes() for one in masker(portraits, folder, kept)(images, [{"row": row} for row in rows], rngs)]


def there(kept: KeptAnalyses, rows: range) -> list[bool]:
    return [kept.read(row) is not None for row in rows]


def numbers(analysed: AnalysedFace) -> list[bytes]:
    """Every number of an analysis, by its bits."""
    light, camera = analysed.light, analysed.camera
    rest = None if light.unexplained is None else light.unexplained.off_and_seen
    arrays = (camera.rotation, camera.shift, light.direction, light.cast, light.tone.tint, light.skin, rest)
    single = [camera.scale, light.level, light.tone.colour, light.top, light.lift, analysed.fit_error]
    single += [analysed.grain.blur, analysed.grain.noise, analysed.grain.colour]
    arrays += (analysed.shift, analysed.eyes, analysed.outline, np.array(single))
    return [b"" if one is None else one.tobytes() + str((one.shape, one.dtype)).encode() for one in arrays]


def test_an_analysis_comes_back_bit_for_bit(portraits: Portraits) -> None:
    for image, points in portraits:
        analysed = analyse_face(image, points.astype(np.float32))
        assert numbers(unpacked(packed(analysed))) == numbers(analysed)
        dark = replace(analysed, light=replace(analysed.light, unexplained=None, skin=None))
        assert numbers(unpacked(packed(dark))) == numbers(dark)


def test_faces_are_analysed_once_and_masks_are_the_same(
    portraits: Portraits, tmp_path: Path, analysed: list[int]
) -> None:
    without, count = drawn(portraits, tmp_path, None), len(portraits)
    kept = KeptAnalyses.begin(tmp_path / "kept", count - 1, 1.0)
    assert not any(there(kept, range(count)))
    assert drawn(portraits, tmp_path, kept) == without
    assert there(kept, range(count)) == [True] * (count - 1) + [False]
    assert drawn(portraits, tmp_path, kept) == without
    assert analysed == [count, count, 1]


def test_the_devices_masks_use_them(portraits: Portraits, tmp_path: Path, analysed: list[int]) -> None:
    kept, count = KeptAnalyses.begin(tmp_path / "kept", len(portraits), 1.0), len(portraits)
    planner = DevicePlanner(masker(portraits, tmp_path, kept))
    for _ in range(2):
        rngs = [rng_for(3, "augment", 0, row) for row in range(count)]
        plans = planner.plan(
            [image for image, _ in portraits], [(1.0, 1.0)] * count, [{"row": row} for row in range(count)], rngs
        )
        assert all(plan is not None for plan in plans)
    assert analysed == [count, 0]


def test_rows_after_a_hole_are_kept(portraits: Portraits, tmp_path: Path) -> None:
    kept = KeptAnalyses.begin(tmp_path / "kept", 5, 1.0)
    kept.write(3, analyse_face(portraits[0][0], portraits[0][1].astype(np.float32)))
    assert there(kept, range(5)) == [False, False, False, True, False]


def test_a_damaged_analysis_is_made_again(portraits: Portraits, tmp_path: Path) -> None:
    kept = KeptAnalyses.begin(tmp_path / "kept", len(portraits), 1.0)
    without = drawn(portraits, tmp_path, kept)
    data = bytearray(kept.path.read_bytes())
    data[100] ^= 1
    kept.path.write_bytes(data[:-5])
    assert there(kept, range(len(portraits))) == [False, *[True] * (len(portraits) - 2), False]
    assert drawn(portraits, tmp_path, kept) == without
    assert all(there(kept, range(len(portraits))))


def test_a_row_of_another_start_or_place_is_not_taken(portraits: Portraits, tmp_path: Path) -> None:
    old = KeptAnalyses.begin(tmp_path / "old", 3, 1.0)
    drawn(portraits, tmp_path, old)
    new = KeptAnalyses.begin(tmp_path / "new", 3, 1.0)
    new.path.write_bytes(old.path.read_bytes())  # as of a loader that outlived its run
    assert not any(there(new, range(3)))
    data = old.path.read_bytes()
    stride = len(data) // 3
    old.path.write_bytes(data[stride : 2 * stride] + data[:stride] + data[2 * stride :])
    assert there(old, range(3)) == [False, False, True]


def test_each_process_has_a_handle_of_its_own(
    portraits: Portraits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptAnalyses.begin(tmp_path / "kept", len(portraits), 1.0)
    assert kept.read(0) is None  # opens it
    opened: list[Path] = []
    real = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: (opened.append(Path(path)), real(path, *rest))[1])
    drawn(portraits, tmp_path, kept)
    assert kept.path not in opened
    monkeypatch.setattr(os, "getpid", lambda: -1)  # as after a fork
    assert all(there(kept, range(len(portraits))))
    assert opened.count(kept.path) == 1
    again, arguments = kept.__reduce__()
    assert all(there(again(*arguments), range(len(portraits))))


@pytest.mark.parametrize("at", ["full", "missing", "folder"])
def test_a_file_that_cannot_be_used_keeps_nothing(at: str, portraits: Portraits, tmp_path: Path) -> None:
    path = {"full": Path("/dev/full"), "missing": tmp_path / "none/kept", "folder": tmp_path / "folder"}[at]
    (tmp_path / "folder/inside").mkdir(parents=True)
    if at == "full" and not path.exists():
        pytest.skip("this system has no /dev/full")
    kept = KeptAnalyses(path, 8, b"mark") if at == "full" else KeptAnalyses.begin(path, 8, 1.0)
    assert drawn(portraits, tmp_path, kept) == drawn(portraits, tmp_path, None)
    assert drawn(portraits, tmp_path, KeptAnalyses(path, 8, b"mark")) == drawn(portraits, tmp_path, None)
    assert not any(there(kept, range(8)))


@pytest.mark.parametrize(("most_gb", "rows"), [(0.0, 0), (1e-5, 2), (1.0, 8)])
def test_it_is_no_larger_than_asked(most_gb: float, rows: int, tmp_path: Path) -> None:
    assert KeptAnalyses.begin(tmp_path / "kept", 8, most_gb).rows == rows


def test_it_leaves_most_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=40_000))
    assert KeptAnalyses.begin(tmp_path / "kept", 8, 1.0).rows == 2
