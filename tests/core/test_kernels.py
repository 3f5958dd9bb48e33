"""The compiled kernels: they are those of the sources; their memory; their rasteriser against slow loops."""

import hashlib
import multiprocessing
import struct
import subprocess
import sys
import textwrap
import threading
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import wasmtime

from maskgen.core.kernels import area, calls
from maskgen.core.kernels import arena as arena_module
from maskgen.core.kernels.arena import KEPT, MOST_KEPT, RESERVED, Arena, JobType, arena_of_thread, fields
from maskgen.core.records import Floats
from maskgen.faces import shape_predictor
from maskgen.masks import composite, mesh_points, rasteriser, render
from maskgen.masks.apply_mask import analyse_and_apply, analyse_face, apply_mask
from maskgen.masks.kinds import load_kind
from maskgen.masks.lighting import blur_and_noise, exposure, jpeg_blocks, mesh_values
from maskgen.masks.plan import MaskPlan
from maskgen.masks.rasteriser import Canvas, rasterise
from maskgen.masks.world import design_atlas
from maskgen.people import sample_people

SOURCES = Path(__file__).parents[2] / "kernels"
TRIANGLE = np.array([[10.0, 5.0, -2.0], [50.0, 8.0, 9.0], [14.0, 35.0, 4.0]])
ONE = np.array([[0, 1, 2]], np.int32)


def masked() -> np.ndarray:
    _, _, portrait = next(iter(sample_people(1, 1, size=112)))
    return analyse_and_apply(portrait.image, portrait.points68, MaskPlan(), load_kind("n95")).image


def test_the_kernels_are_compiled_from_the_sources() -> None:
    paths = sorted([*SOURCES.glob("*.c"), *SOURCES.glob("*.h")])
    sources = hashlib.sha256(b"".join(path.name.encode() + b"\0" + path.read_bytes() for path in paths)).digest()
    compiled = files("maskgen.core.kernels").joinpath("kernels.wasm").read_bytes()
    assert compiled.endswith(b"sources" + sources), "run kernels/build.py"


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("ziglang")
    result = tmp_path / "again.wasm"
    build = "import pathlib, sys; sys.path.insert(0, sys.argv[1]); import build; build.build(pathlib.Path(sys.argv[2]))"
    subprocess.run([sys.executable, "-P", "-c", build, str(SOURCES), str(result)], check=True)
    assert result.read_bytes() == files("maskgen.core.kernels").joinpath("kernels.wasm").read_bytes()


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("render", render._JOB),
        ("composite", composite._JOB),
        ("rasterise", rasteriser._JOB),
        ("cloth", design_atlas._JOB),
        ("jpeg_blocks", jpeg_blocks._JOB),
        ("carry", mesh_values._JOB),
        ("place", mesh_points._JOB),
        ("landmarks", shape_predictor._JOB),
        ("exposure", exposure._JOB),
        ("areas", area._JOB),
        ("grain", blur_and_noise._JOB),
    ],
)
def test_a_job_is_as_long_as_its_kernel_reads(name: str, job: JobType) -> None:
    arena = Arena()
    assert arena._exports[f"size_of_{name}"](arena._store) == job.fields.itemsize == job.packed.size


def test_the_numbers_of_a_job_are_packed_as_numpy_reads_them() -> None:
    arena, of = Arena(), JobType("wide:2d count", "moved:i share:f colours:2u")
    at = arena.job(of, 0.25, -3.0, 7, -2, 0.5, 1, 2**32 - 1)
    read = np.ndarray((), of.fields, arena._bytes.data, at)
    assert read["wide"].tolist() == [0.25, -3.0]
    assert (read["count"], read["moved"], read["share"]) == (7, -2, 0.5)
    assert read["colours"].tolist() == [1, 2**32 - 1]
    with pytest.raises(struct.error):
        arena.job(of, 0.25)


def test_fields_follow_each_other() -> None:
    job = fields("first second:f", "third:3f")
    assert fields("wide:2d", "narrow").itemsize == 20
    assert job.itemsize == 20 and [job.fields[name][1] for name in job.names] == [0, 4, 8]


def test_arrays_keep_their_values_while_the_memory_grows() -> None:
    arena = Arena()
    first, view = arena.room((5,), np.float32)
    view[:] = range(5)
    second = arena.put(np.arange(10_000_000))
    assert view.tolist() == [0, 1, 2, 3, 4] and second > first
    assert arena.address(view) == first
    assert arena.address(view[::2]) != first, "not in order, so a copy"
    arena.begin_after(view)
    assert first < arena.space(1) <= second
    arena.begin()
    assert arena.space(1) == first


def test_the_memory_of_a_very_large_picture_is_released() -> None:
    arena = Arena()
    arena.room((MOST_KEPT,), np.uint8)
    assert len(arena._bytes) > MOST_KEPT
    arena.begin()
    assert len(arena._bytes) < MOST_KEPT
    at, values = arena.room((3,), np.float32)
    values[:] = 1
    assert arena.address(values) == at


def test_a_view_outlives_the_memory_that_its_arena_released() -> None:
    arena = Arena()
    _, large = arena.room((MOST_KEPT,), np.uint8)
    large[:] = 7
    arena.begin()
    arena.room((MOST_KEPT,), np.uint8)[1][:] = 3
    assert large[0] == large[-1] == 7


def test_addresses_use_all_of_the_memory() -> None:
    arena = Arena()
    arena.space((1 << 31) + 1000)  # addresses, not memory: nothing is written
    pixels_at, pixels = arena.room((20, 20, 4), np.float32)
    at, job = arena.room((1,), rasteriser._JOB.fields)
    given = TRIANGLE[:, [0, 1, 2]].astype(np.float32), np.ones((3, 3), np.float32), ONE
    job[0] = (20, 20, pixels_at, arena.space(160), *map(arena.put, given), 1)
    assert at > 1 << 31
    arena.call("rasterise", at)
    assert (pixels[..., 0] == 1).sum() > 50


def test_a_refused_memory_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    arena = Arena()
    arena.space(MOST_KEPT)

    def refused(reserved: int | None) -> None:
        raise wasmtime.WasmtimeError("mmap failed")

    with monkeypatch.context() as patch:
        patch.setattr(arena_module, "_instance_with", refused)
        for _ in range(2):
            with pytest.raises(MemoryError, match="no memory for the pixels of a mask: mmap failed"):
                arena.begin()
    arena.begin()
    assert arena.room((3,), np.float32)[1].shape == (3,)


def test_threads_that_are_first_at_the_same_time_have_all_of_the_memory() -> None:
    for _ in range(5):
        arena_module._compiled.cache_clear()
        ready, sizes = threading.Barrier(8), []

        def first(ready: threading.Barrier = ready, sizes: list[int] = sizes) -> None:
            ready.wait()
            arena = Arena()
            arena.space(RESERVED + 1)  # addresses only
            sizes.append(len(arena._bytes))

        threads = [threading.Thread(target=first) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(sizes) == 8


@pytest.mark.parametrize("filled", [0, 0x47, 0xFF])
def test_a_mask_does_not_depend_on_what_was_in_the_memory(filled: int) -> None:
    _, _, portrait = next(iter(sample_people(1, 1, size=48)))
    image = cv2.GaussianBlur(portrait.image, (0, 0), 2)  # the mask is blurred as much: wider than what is drawn of it
    analysed = analyse_face(image, portrait.points68)
    arena = arena_of_thread()
    for name in ("n95", "window", "surgical_blue"):
        kind = load_kind(name)
        first = apply_mask(image, analysed, MaskPlan(), kind, parts=True)
        arena._bytes[arena._first :] = filled
        again = apply_mask(image, analysed, MaskPlan(), kind, parts=True)
        for one, other in ((first.image, again.image), (first.coverage, again.coverage), (first.parts, again.parts)):
            assert one is not None and other is not None
            assert np.array_equal(one, other)


def test_constants_stay_and_have_a_limit() -> None:
    arena = Arena()
    at = arena.constant("numbers", lambda: np.arange(100))
    arena.begin()
    arena.put(np.zeros(1000))
    assert arena.constant("numbers", lambda: np.zeros(100)) == at
    assert np.ndarray((100,), np.int64, arena._bytes.data, at).tolist() == list(range(100))
    with pytest.raises(MemoryError, match="large: no room for constants"):
        arena.constant("large", lambda: np.zeros(1 << 20))


def test_more_than_32_bits_address_is_a_clear_error() -> None:
    with pytest.raises(MemoryError, match="no 50.. MB for the pixels of one mask"):
        Arena().space(5_000_000_000)


def test_a_kernel_reaches_no_other_memory() -> None:
    arena = Arena()
    at, job = arena.room((1,), rasteriser._JOB.fields)
    job[0] = (10, 10, 0xFFFF0000, 64, 0, 0, 0, 0)
    with pytest.raises(wasmtime.Trap):
        arena.call("rasterise", at)


def _functions() -> tuple[wasmtime.Store, list[wasmtime.Func]]:
    """One of no result, one of the number that it is given, one that traps."""
    bodies = "", "(result i32) local.get 0", "unreachable"
    text = "".join(f'(func (export "{number}") (param i32) {body})' for number, body in enumerate(bodies))
    store = wasmtime.Store()
    exports: Any = wasmtime.Instance(store, wasmtime.Module(store.engine, f"(module {text})"), []).exports(store)
    return store, [exports[str(number)] for number in range(len(bodies))]


@pytest.mark.parametrize("bound", [True, False])
def test_a_call_is_that_of_the_function(bound: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not bound:
        monkeypatch.setattr(calls, "_BOUND", ("of another release",))
    store, functions = _functions()
    none, same, trap = (calls.call_of(store, function) for function in functions)
    del store, functions
    assert none(1) is None
    assert [same(-7), same(1 << 30)] == [-7, 1 << 30]
    with pytest.raises(wasmtime.Trap, match="unreachable"):
        trap(1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits addresses as Linux does")
def test_few_addresses_are_enough() -> None:
    script = """
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (3_000_000_000, 3_000_000_000))
        import numpy as np
        from maskgen.masks.rasteriser import rasterise
        corners = np.array([[0.0, 0, 0], [19, 0, 0], [0, 19, 0]])
        drawn = rasterise(20, 20, corners, np.array([[0, 1, 2]]), np.ones((3, 3)))
        print((drawn[..., 0] > 0).sum())
    """
    out = subprocess.run(
        [sys.executable, "-P", "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "210"


def test_threads_do_not_disturb_each_other() -> None:
    alone, found = masked(), []
    threads = [threading.Thread(target=lambda: found.extend(masked() for _ in range(5))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 15 and all(np.array_equal(one, alone) for one in found)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
def test_a_forked_process_draws_the_same_mask() -> None:
    alone = masked()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert np.array_equal(pool.apply(masked), alone)


def inside(x: float, y: float) -> tuple[float, float, float]:
    a, b, c = TRIANGLE[:, :2]
    m = np.array([b - a, c - a]).T
    s, t = np.linalg.solve(m, np.array([x, y]) - a)
    return 1 - s - t, s, t


@pytest.mark.parametrize("order", [[0, 1, 2], [1, 0, 2], [2, 1, 0]])
def test_values_are_interpolated_where_a_slow_loop_says(order: list[int]) -> None:
    corners = np.array([[0.1, 0.2, 0.9], [0.9, 0.4, 0.5], [0.3, 0.8, 0.7]])
    drawn = rasterise(40, 60, TRIANGLE, np.array([order], np.int32), corners)
    for y in range(40):
        for x in range(60):
            shares = np.array(inside(x, y))
            if shares.min() > 1e-4:
                np.testing.assert_allclose(drawn[y, x, :3], shares @ corners, atol=1e-5)
                assert drawn[y, x, 3] == pytest.approx(shares @ TRIANGLE[:, 2], abs=1e-4)
            elif shares.min() < -1e-4:
                assert drawn[y, x].tolist() == [0, 0, 0, -np.inf]


def random_mesh(seed: int) -> tuple[Floats, np.ndarray]:
    """A bent grid over more than a picture of 50 x 70 pixels, some of its points at whole pixels, and its triangles."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(-5, 75, 14), np.linspace(-5, 55, 11))
    points = np.stack([x, y, np.zeros_like(x)], -1)
    points[1:-1, 1:-1, :2] += rng.uniform(-1.5, 1.5, (9, 12, 2))
    points[::3] = np.rint(points[::3])
    points[..., 2] = rng.uniform(-3, 3, x.shape)
    at = np.arange(x.size).reshape(x.shape)
    corners = [at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]]
    halves = np.stack([np.stack([corners[k] for k in which], -1) for which in ((0, 1, 2), (3, 2, 1))])
    return points.reshape(-1, 3), halves.reshape(-1, 3).astype(np.int32)


@pytest.mark.parametrize("seed", range(5))
def test_neighbours_leave_no_gap(seed: int) -> None:
    points, triangles = random_mesh(seed)
    assert (rasterise(50, 70, points, triangles, np.ones_like(points))[..., :3] == 1).all()


@pytest.mark.parametrize("seed", range(5))
def test_what_is_nearer_hides_what_is_behind_as_with_opencv(seed: int) -> None:
    points, triangles = random_mesh(seed)
    other = points * [1, 1, -1] + [0.3, 0.2, 0]
    both, values = np.concatenate([points, other]), np.random.default_rng(seed).random((2 * len(points), 3)) * 0.9 + 0.1
    every = np.concatenate([triangles, triangles + np.int32(len(points))])
    drawn, canvas = rasterise(50, 70, both, every, values)[..., :3].copy(), Canvas(50, 70)
    canvas.draw(both, every, values)
    off = np.abs(drawn - canvas.values).max(-1)
    assert np.mean(off > 0.01) < 0.02, "all but pixels on the line where the two surfaces cross"
    backward = rasterise(50, 70, both, every[::-1].copy(), values)[..., :3]
    np.testing.assert_allclose(drawn, backward, atol=1e-4)


def test_flat_triangles_and_those_outside_are_not_drawn() -> None:
    flat = np.array([[10.0, 5.0, 0.0], [20.0, 5.0, 0.0], [30.0, 5.0, 0.0]])
    for points in (flat, TRIANGLE + [100, 0, 0], TRIANGLE - [0, 100, 0], TRIANGLE * np.nan):
        assert not rasterise(40, 60, points, ONE, np.ones((3, 3)))[..., :3].any()


def test_copies_of_arrays_are_kept_until_there_is_no_room_for_more() -> None:
    arena, arrays = Arena(), [np.full(KEPT // 4, number, np.uint8) for number in range(5)]
    arena.begin()
    places = [arena.kept(array) for array in arrays[:3]]
    arena.begin()
    assert [arena.kept(array) for array in arrays[:3]] == places
    for array in arrays:
        at = arena.kept(array)
        assert np.array_equal(arena._bytes[at : at + len(array)], array)
    assert arena.kept(arrays[0]) == places[0], "nothing is given up while a mask may need it"
    arena.begin()
    assert arena.kept(arrays[4]) == places[0]
    again = arena.kept(arrays[0])
    assert np.array_equal(arena._bytes[again : again + len(arrays[0])], arrays[0])
