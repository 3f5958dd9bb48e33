"""Calls of kernels by wasmtime's C interface.

`wasmtime.Func` looks up a function's type at each call, which takes ten times as long as the call itself.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import wasmtime

Call = Callable[[int], Any]
# What wasmtime binds of its C interface for its own use. A release may name it otherwise: see `call_of`.
_BOUND = ("wasmtime_val_t", "wasmtime_func_call", "wasm_trap_t", "WASMTIME_I32")
_OWN = ((wasmtime.Store, "_context"), (wasmtime.Trap, "_from_ptr"), (wasmtime.WasmtimeError, "_from_ptr"))


def call_of(store: wasmtime.Store, function: wasmtime.Func) -> Call:
    """A call of a function of one whole number of 32 bits, with one or no result, for one thread at a time.

    It raises `wasmtime.Trap` as the function does, and is the function's own call where wasmtime does not bind its C
    interface as this module knows it.
    """
    bindings = getattr(wasmtime, "_ffi", None)
    known = [*((bindings, name) for name in _BOUND), *_OWN, (function, "_func")]
    if not all(hasattr(owner, name) for owner, name in known):
        return lambda number: function(store, number)
    return _direct(bindings, store, function)


def _direct(bindings: Any, store: wasmtime.Store, function: wasmtime.Func) -> Call:
    call, count = bindings.wasmtime_func_call, len(function.type(store).results)
    given, found = (bindings.wasmtime_val_t * 1)(), (bindings.wasmtime_val_t * max(count, 1))()
    given[0].kind = bindings.WASMTIME_I32.value
    number, result, own = given[0].of, found[0].of, ctypes.byref(function._func)
    pointer = ctypes.POINTER(bindings.wasm_trap_t)

    def called(job: int) -> Any:
        number.i32, trap = job, pointer()
        if error := call(store._context(), own, given, 1, found, count, ctypes.byref(trap)):
            raise wasmtime.WasmtimeError._from_ptr(error)
        if trap:
            raise wasmtime.Trap._from_ptr(trap)
        return result.i32 if count else None

    return called
