"""The kernels' memory: arrays are copied into it, and results are views of it.

The kernels, C in `kernels/`, are compiled to WebAssembly, which the package `wasmtime` translates for the processor
when they are first used, in about 35 ms. They see no memory but this one; an access outside it raises `wasmtime.Trap`.
"""

from __future__ import annotations

import contextlib
import math
import struct
import threading
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import wasmtime
from numpy.typing import NDArray

from maskgen.core.kernels.calls import Call, call_of

PAGE = 1 << 16  # bytes by which the memory grows
ALIGNED = 64  # bytes; a processor's cache line
AFTER = 64  # bytes that a kernel may read and write beyond the end of an array
SMALL = 1 << 12  # bytes up to which it is faster to copy an array twice than to make a view to copy it into
MOST_KEPT = 1 << 27  # bytes of a memory that is used again; WebAssembly's memory cannot shrink
CONSTANTS = 1 << 20  # bytes for arrays that stay
KEPT = 1 << 25  # bytes for copies that are used again, of which only what is written takes memory
RESERVED = 1 << 29  # bytes of addresses where the usual 4 GiB are refused, as under `ulimit -v`
FLOAT, SPAN = 4, 8  # bytes of a number, and of a `Span` of `kernels/spans.h`
BLUR_ROW = 3 * SPAN  # bytes that a blur takes for each row, see `kernels/blur.h`
_OF_THREAD = threading.local()


def arena_of_thread() -> Arena:
    """This thread's arena, made when first used."""
    kept: Arena | None = getattr(_OF_THREAD, "arena", None)
    if kept is None:
        kept = _OF_THREAD.arena = Arena()
    return kept


class Arena:
    """Arrays one after the other in the kernels' memory, given up together by `begin`."""

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        """Take a new memory; the old one is released first: there may be no addresses for two. If there are none for
        the new one either, the next `begin` tries again."""
        self.__dict__.clear()
        self._bytes = np.empty(0, np.uint8)
        self._rooms: dict[int, tuple[int, NDArray[Any]]] = {}
        self._store, self._exports = _instance()
        self._memory: Any = self._exports["memory"]
        self._functions: dict[str, Call] = {}
        self._see()
        self._constant = _aligned(self._exports["__heap_base"].value(self._store))
        self._first_kept = self._constant + CONSTANTS
        self._first = self._next = self._first_kept + KEPT
        self._constants: dict[str, int] = {}
        self._next_kept: int = self._first_kept
        self._kept: dict[int, tuple[int, NDArray[Any]]] = {}
        self._full = False
        if self._first > len(self._bytes):
            self._grow(self._first)

    def begin(self) -> None:
        """Give up all arrays but constants; views of them are no longer valid."""
        if not 0 < len(self._bytes) <= MOST_KEPT:
            self._renew()
        if self._full:
            self._next_kept, self._full = self._first_kept, False
            self._kept.clear()
        self._next = self._first
        self._rooms.clear()

    def begin_after(self, array: NDArray[Any]) -> None:
        """Give up all arrays after this one of `room`; all, if it is not of `room`."""
        if at := self._place(array):
            self._next = _aligned(at + array.nbytes + AFTER)
        else:
            self.begin()

    def call(self, name: str, job: int) -> Any:
        """Run a kernel on the job at this address; WebAssembly's whole numbers have a sign."""
        if name not in self._functions:
            self._functions[name] = call_of(self._store, self._exports[name])
        return self._functions[name](job if job < 1 << 31 else job - (1 << 32))

    def put(self, array: NDArray[Any]) -> int:
        """The address of a copy of an array."""
        at = self.space(array.nbytes)
        self._write(at, array)
        return at

    def kept(self, array: NDArray[Any]) -> int:
        """The address of a copy of an array that nobody changes. The copy is made once, and again after all copies
        have been forgotten for want of room, by `begin`."""
        found = self._kept.get(id(array))
        if found is not None:
            return found[0]
        at, after = self._next_kept, _aligned(self._next_kept + array.nbytes + AFTER)
        if after > self._first:
            self._full = True
            return self.put(array)
        self._next_kept = after
        self._write(at, array)
        self._kept[id(array)] = at, array  # held, so that no other array gets its number
        return at

    def address(self, array: NDArray[Any]) -> int:
        """The address of an array of `room`; of another, that of a copy."""
        return self._place(array) or self.put(array)

    def room(self, shape: tuple[int, ...], dtype: Any) -> tuple[int, NDArray[Any]]:
        """The address of a new array, and the array; its values are undefined."""
        dtype = np.dtype(dtype)
        at = self.space(math.prod(shape) * dtype.itemsize)
        array: NDArray[Any] = np.ndarray(shape, dtype, self._view, at)
        self._rooms[id(array)] = at, array  # held, so that no other array gets its number
        return at, array

    def space(self, count: int) -> int:
        """The address of so many bytes; their values are undefined."""
        at = self._next
        after = (at + count + AFTER + ALIGNED - 1) & -ALIGNED  # `_aligned`, without a call
        if after > self._size:
            self._grow(after)
        self._next = after
        return at

    def job(self, of: JobType, *numbers: float) -> int:
        """The address of a job with these numbers, those of rows one by one.

        Raises:
            struct.error: there are more or fewer.
        """
        at = self.space(of.packed.size)
        self.fill(at, of, *numbers)
        return at

    def fill(self, at: int, of: JobType, *numbers: float) -> None:
        """Write the numbers of a job to an address."""
        of.packed.pack_into(self._view, at, *numbers)

    def constant(self, name: str, make: Callable[[], NDArray[Any]]) -> int:
        """The address of an array that stays as long as this memory; it is made when first asked for.

        Raises:
            MemoryError: all constants are larger than CONSTANTS.
        """
        if name not in self._constants:
            array, at = make(), self._constant
            self._constant = _aligned(at + array.nbytes + AFTER)
            if self._constant > self._first_kept:
                raise MemoryError(f"{name}: no room for constants")
            self._write(at, array)
            self._constants[name] = at
        return self._constants[name]

    def _place(self, array: NDArray[Any]) -> int:
        """The address of an array of `room`; 0 of another."""
        found = self._rooms.get(id(array))
        return 0 if found is None else found[0]

    def _write(self, at: int, array: NDArray[Any]) -> None:
        """Copy an array to an address."""
        if array.nbytes <= SMALL:
            self._view[at : at + array.nbytes] = array.tobytes()
        else:
            np.ndarray(array.shape, array.dtype, self._view, at)[...] = array

    def _grow(self, size: int) -> None:
        more = -(-(size - len(self._bytes)) // PAGE)
        try:
            self._memory.grow(self._store, more)
        except wasmtime.WasmtimeError as error:
            raise MemoryError(f"no {size / 1e6:.0f} MB for the pixels of one mask: {error}") from error
        self._see()

    def _see(self) -> None:
        """View all of the memory, which does not move when it grows. Every view of it keeps it from being released."""
        buffer: Any = self._memory.get_buffer_ptr(self._store)
        buffer.owner = self._store
        self._bytes = np.frombuffer(buffer, np.uint8)
        self._view, self._size = self._bytes.data, len(self._bytes)


def fields(*lines: str) -> np.dtype[Any]:
    """The type of a kernel's structure: names of addresses and counts, of numbers with a sign with ":i", of floats with
    ":f", of doubles with ":d", of rows with ":12f", without a sign with ":4u"."""
    kinds = {"": "<u4", "u": "<u4", "i": "<i4", "f": "<f4", "d": "<f8"}
    named = [name.partition(":")[::2] for line in lines for name in line.split()]
    each = [(name, kinds[kind[-1:]], int(kind[:-1] or 1)) for name, kind in named]
    return np.dtype([(name, kind) if count == 1 else (name, kind, count) for name, kind, count in each])


class JobType:
    """The structure of a kernel's job, see `fields`. Numbers are packed one by one, in a quarter of the time that NumPy
    takes for a structure with rows."""

    def __init__(self, *lines: str) -> None:
        self.fields = fields(*lines)
        codes = {"<u4": "I", "<i4": "i", "<f4": "f", "<f8": "d"}
        each = [self.fields[name] for name in self.fields.names or ()]
        types = [of.subdtype or (of, (1,)) for of in each]
        self.packed = struct.Struct("<" + "".join(f"{count[0]}{codes[of.str]}" for of, count in types))


def _aligned(address: int) -> int:
    return (address + ALIGNED - 1) & -ALIGNED


def _instance() -> tuple[wasmtime.Store, Any]:
    """A new instance of the kernels; with few addresses where many are refused.

    Raises:
        MemoryError: there is no room for either.
    """
    try:
        return _instance_with(None)
    except wasmtime.WasmtimeError:
        try:
            return _instance_with(RESERVED)
        except wasmtime.WasmtimeError as error:
            raise MemoryError(f"no memory for the pixels of a mask: {error}") from error


def _instance_with(reserved: int | None) -> tuple[wasmtime.Store, Any]:
    engine, module = _compiled(reserved)
    store = wasmtime.Store(engine)
    return store, wasmtime.Instance(store, module, []).exports(store)


def compile_kernels() -> None:
    """Compile the kernels for all threads, and for processes that are forked later; a fault shows when they are
    used."""
    with contextlib.suppress(wasmtime.WasmtimeError):
        _compiled(None)


@cache
def _compiled(reserved: int | None) -> tuple[wasmtime.Engine, wasmtime.Module]:
    """The compiled kernels with their engine. Threads that are first at the same time have one of each, that fit."""
    config = wasmtime.Config()
    # A forked process would not have the threads.
    config.parallel_compilation = False
    config.memory_may_move = False
    if reserved is not None:
        config.memory_reservation = reserved
        config.memory_reservation_for_growth = 0
    engine = wasmtime.Engine(config)
    return engine, wasmtime.Module(engine, files("maskgen.core.kernels").joinpath("kernels.wasm").read_bytes())
