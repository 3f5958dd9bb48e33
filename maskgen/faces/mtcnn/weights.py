"""The weights of MTCNN's three networks, read from the installed package `mtcnn` without importing or unpickling it.

facenet-pytorch has the same weights; those of `mtcnn` need neither PyTorch nor TensorFlow. A file is an LZ4 frame
around a pickle of NumPy arrays, written by joblib. This module executes only the few pickle instructions that such a
file needs and refuses all others, so no code in the file can run.
"""

from __future__ import annotations

import importlib.util
import io
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from maskgen.core.reasons import UserError
from maskgen.core.records import Floats

MOST_BYTES = 1 << 24  # greatest size of a decompressed file
# Layers in the order of the files; each has a weight and a bias, or the slopes of a PReLU.
LAYERS = {
    "pnet": ("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "conv4_2", "conv4_1"),
    "rnet": ("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "dense4", "prelu4", "dense5_2", "dense5_1"),
    "onet": (
        *("conv1", "prelu1", "conv2", "prelu2", "conv3", "prelu3", "conv4", "prelu4"),
        *("dense5", "prelu5", "dense6_2", "dense6_3", "dense6_1"),
    ),
}  # fmt: skip
GLOBALS = {
    ("joblib.numpy_pickle", "NumpyArrayWrapper"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
}
_MARK = object()


def load_weights(name: str) -> dict[str, Floats]:
    """The weights of "pnet", "rnet" or "onet".

    Returns:
        float32 arrays by "LAYER.weight" and "LAYER.bias": convolutions (out, in, height, width), dense layers (out, in)
        for inputs in the order column, row, channel, and the slopes (channels,) of PReLU.

    Raises:
        UserError: the package is not installed, or its file is not as expected.
    """
    path = weights_file(name)
    try:
        return _named(LAYERS[name], read_arrays(path))
    except (OSError, ValueError) as fault:
        raise UserError(f"{path}: not the weights of mtcnn 1.0 ({fault})") from fault


def weights_file(name: str) -> Path:
    """The file of the weights of "pnet", "rnet" or "onet", which may be absent.

    Raises:
        UserError: the package is not installed.
    """
    spec = importlib.util.find_spec("mtcnn")
    if spec is None or not spec.submodule_search_locations:
        raise UserError("MTCNN's weights are missing: pip install 'mtcnn>=1.0,<1.1'")
    return Path(spec.submodule_search_locations[0]) / "assets" / "weights" / f"{name}.lz4"


def _named(layers: tuple[str, ...], arrays: list[Floats]) -> dict[str, Floats]:
    left = iter(arrays)
    weights: dict[str, Floats] = {}
    for layer in layers:
        try:
            weight = next(left)
            if layer.startswith("prelu"):
                weights[f"{layer}.weight"] = weight.reshape(-1)
                continue
            # The files hold (height, width, in, out), or (in, out).
            order = (3, 2, 0, 1) if weight.ndim == 4 else (1, 0)
            weights[f"{layer}.weight"] = np.ascontiguousarray(weight.transpose(order))
            weights[f"{layer}.bias"] = next(left)
        except StopIteration:
            raise ValueError("too few arrays") from None
    if next(left, None) is not None:
        raise ValueError("too many arrays")
    return weights


def read_arrays(path: Path) -> list[Floats]:
    """The float32 arrays of a list that joblib wrote with LZ4 compression.

    Raises:
        ValueError: the file does not contain such a list.
        OSError: the file cannot be read.
    """
    import lz4.frame

    with lz4.frame.open(path) as file:
        try:
            data = file.read(MOST_BYTES + 1)
        except (RuntimeError, EOFError) as fault:
            raise ValueError("no whole LZ4 frame") from fault
    if len(data) > MOST_BYTES:
        raise ValueError("larger than any of these networks")
    return _Machine(data).run()


class _Array:
    """Stands for a NumpyArrayWrapper; `value` is the array that follows it in the file."""

    def __init__(self) -> None:
        self.value: Floats | None = None


class _Machine:
    """Executes the pickle instructions of a list of float32 arrays.

    `_stack` holds the objects made so far; a class is a tuple (module, name), and the dtype float32 is the text "f4".
    """

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)
        self._stack: list[Any] = []
        self._memo: list[Any] = []
        self._size = len(data)

    def run(self) -> list[Floats]:
        """The arrays."""
        try:
            for code, argument, _ in pickletools.genops(self._file):
                self._step(code.name, argument)
            (found,) = self._stack
            if not found:
                raise ValueError("no list of arrays")
            return [one.value for one in found]
        except (IndexError, AttributeError, TypeError, KeyError) as fault:
            raise ValueError("no list of arrays") from fault

    def _step(self, name: str, argument: Any) -> None:
        if name in ("PROTO", "FRAME", "STOP"):
            return
        if name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name]())
        elif name in ("BININT", "BININT1", "BININT2", "SHORT_BINUNICODE", "BINUNICODE"):
            self._stack.append(argument)
        elif name in ("BINGET", "LONG_BINGET"):
            self._stack.append(self._memo[argument])
        elif name == "MEMOIZE":
            self._memo.append(self._stack[-1])
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            self._stack.append(tuple(self._popped(int(name[-1]))))
        elif name in _MARKED:
            above = self._above()
            _MARKED[name](self._stack, above)
        elif name in _MAKERS:
            getattr(self, _MAKERS[name])()
        else:
            raise ValueError(f"the instruction {name} is not one of a list of arrays")

    def _popped(self, many: int) -> list[Any]:
        values = self._stack[-many:]
        del self._stack[-many:]
        return values

    def _above(self) -> list[Any]:
        """Remove the topmost mark and the values above it from the stack; return these values."""
        at = max(place for place, value in enumerate(self._stack) if value is _MARK)
        values = self._stack[at + 1 :]
        del self._stack[at:]
        return values

    def _global(self) -> None:
        module, name = self._popped(2)
        if (module, name) not in GLOBALS:
            raise ValueError(f"{module}.{name} is no part of a list of arrays")
        self._stack.append((module, name))

    def _new(self) -> None:
        kind, arguments = self._popped(2)
        if kind != ("joblib.numpy_pickle", "NumpyArrayWrapper") or arguments:
            raise ValueError("an object that is no array")
        self._stack.append(_Array())

    def _reduce(self) -> None:
        kind, arguments = self._popped(2)
        if kind != ("numpy", "dtype") or arguments[0] != "f4":
            raise ValueError("an array that is not of float32")
        self._stack.append("f4")

    def _build(self) -> None:
        target, state = self._stack[-1 - 1], self._popped(1)[0]
        if target == "f4":
            if state[1] != "<":
                raise ValueError("an array of another byte order")
        else:
            target.value = self._array(state)

    def _array(self, state: dict[str, Any]) -> Floats:
        """The array in the bytes that follow: one byte with the length of the padding, the padding, and the data."""
        shape = tuple(map(int, state["shape"]))
        if state["order"] not in ("C", "F") or state["dtype"] != "f4" or min(shape, default=1) < 1:
            raise ValueError("an array of another layout")
        count = int(np.prod([min(side, self._size) for side in shape]))
        self._file.seek(self._file.read(1)[0], io.SEEK_CUR)
        data = self._file.read(count * 4) if count * 4 <= self._size else b""
        if len(data) != count * 4:
            raise ValueError("it ends early")
        return np.frombuffer(data, "<f4").reshape(shape, order=state["order"]).astype(np.float32)


def _extend(stack: list[Any], above: list[Any]) -> None:
    stack[-1].extend(above)


def _set(stack: list[Any], above: list[Any]) -> None:
    stack[-1].update(zip(above[::2], above[1::2], strict=True))


def _tuple(stack: list[Any], above: list[Any]) -> None:
    stack.append(tuple(above))


_CONSTANTS: dict[str, Callable[[], Any]] = {
    "MARK": lambda: _MARK,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
}
_MARKED: dict[str, Callable[[list[Any], list[Any]], None]] = {"APPENDS": _extend, "SETITEMS": _set, "TUPLE": _tuple}
_MAKERS = {"STACK_GLOBAL": "_global", "NEWOBJ": "_new", "REDUCE": "_reduce", "BUILD": "_build"}
