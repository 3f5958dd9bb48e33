"""Analyses of faces that are kept between epochs: the same as made anew, and never in the way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from maskgen.core.records import Image
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import AnalysedFace, analyse_face
from maskgen.people import sample_people
from maskgen.pipelines.train.kept_analyses import KeptAnalyses, packed, remove, unpacked
from maskgen.pipelines.train.online_masks import OnlineMasker

KINDS = ("world", "n95", "surgical_blue")


@pytest.fixture(scope="module")
def portraits() -> list[tuple[Image, np.ndarray]]:
    return [(one.image, one.points68) for _, _, one in sample_people(4, 2, size=96)]


def drawn(portraits: list[tuple[Image, np.ndarray]], folder: Path, kept: KeptAnalyses | None) -> list[bytes]:
    """The pictures that an epoch shows."""
    np.save(folder / "points.npy", np.array([points for _, points in portraits], np.float32))
    rows = range(len(portraits))
    masker = OnlineMasker(folder / "points.npy", KINDS, 1.0, kept)
    rngs = [rng_for(3, "augment", 0, row) for row in rows]
    found = masker([image for image, _ in portraits], [{"row": row} for row in rows], rngs)
    return [one.tobytes() for one in found]


def numbers(analysed: AnalysedFace) -> list[bytes]:
    """Every number of an analysis, by its bits."""
    light, camera = analysed.light, analysed.camera
    rest = None if light.unexplained is None else light.unexplained.off_and_seen
    arrays = (camera.rotation, camera.shift, light.direction, light.cast, light.tone.tint, light.skin, rest)
    single = [camera.scale, light.level, light.tone.colour, light.top, light.lift, analysed.fit_error]
    single += [analysed.grain.blur, analysed.grain.noise, analysed.grain.colour]
    arrays += (analysed.shift, analysed.eyes, analysed.outline, np.array(single))
    return [b"" if one is None else one.tobytes() + str((one.shape, one.dtype)).encode() for one in arrays]


def test_an_analysis_comes_back_bit_for_bit(portraits: list[tuple[Image, np.ndarray]]) -> None:
    for image, points in portraits:
        analysed = analyse_face(image, points.astype(np.float32))
        assert numbers(unpacked(packed(analysed))) == numbers(analysed)
        dark = replace(analysed, light=replace(analysed.light, unexplained=None, skin=None))
        assert numbers(unpacked(packed(dark))) == numbers(dark)


def test_masks_are_the_same_with_kept_analyses(portraits: list[tuple[Image, np.ndarray]], tmp_path: Path) -> None:
    without = drawn(portraits, tmp_path, None)
    kept = KeptAnalyses.begin(tmp_path / "kept", len(portraits) - 1, 1.0)
    assert kept.read(0) is None
    assert drawn(portraits, tmp_path, kept) == without
    assert [kept.read(row) is None for row in range(len(portraits))] == [False] * (len(portraits) - 1) + [True]
    assert drawn(portraits, tmp_path, kept) == without
    remove(kept.path)
    assert drawn(portraits, tmp_path, kept) == without  # a missing file keeps nothing
    assert not kept.path.exists()


def test_a_damaged_analysis_is_made_again(portraits: list[tuple[Image, np.ndarray]], tmp_path: Path) -> None:
    kept = KeptAnalyses.begin(tmp_path / "kept", len(portraits), 1.0)
    without = drawn(portraits, tmp_path, kept)
    data = bytearray(kept.path.read_bytes())
    data[100] ^= 1
    kept.path.write_bytes(data[:-5])
    last = len(portraits) - 1
    assert [kept.read(row) is None for row in (0, 1, last)] == [True, False, True]
    assert drawn(portraits, tmp_path, kept) == without
    assert kept.path.stat().st_size == len(data)
    remove(kept.path)


def test_a_full_disk_keeps_nothing(portraits: list[tuple[Image, np.ndarray]], tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    assert drawn(portraits, tmp_path, KeptAnalyses(full, len(portraits))) == drawn(portraits, tmp_path, None)


@pytest.mark.parametrize(("most_gb", "rows"), [(0.0, 0), (1e-5, 2), (1.0, 8)])
def test_it_is_no_larger_than_asked(most_gb: float, rows: int, tmp_path: Path) -> None:
    assert KeptAnalyses.begin(tmp_path / "kept", 8, most_gb).rows == rows
