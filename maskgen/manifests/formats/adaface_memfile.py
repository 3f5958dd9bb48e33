"""Test pairs for AdaFace's validation: NAME/memfile/mem_file.dat with .conf, and NAME_list.npy.

mem_file.dat      float32 (2 pairs, 3, side, side), blue, green, red, -1 to 1: first and second of each pair in turn
mem_file.dat.conf its shape and type as JSON
NAME_list.npy     bool (pairs,), whether each pair is genuine

Source: `load_bin` of convert.py, `read_memmap` and `get_val_pair` of evaluate_utils.py, AdaFace, commit c60eaa7.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from maskgen.core.atomic_writes import atomic_file, save_array, write_atomic
from maskgen.core.records import Image

NAME = "test"
DATA, CONF, LIST = f"{NAME}/memfile/mem_file.dat", f"{NAME}/memfile/mem_file.dat.conf", f"{NAME}_list.npy"


def save_memfile(folder: Path, images: Iterable[Image], same: Sequence[bool], size: int) -> None:
    """Write the three files.

    Args:
        images: uint8 RGB (size, size, 3), first and second of each pair in turn.
        same: whether each pair is genuine.
    """
    count = 2 * len(same)
    with atomic_file(folder / DATA) as file:
        for image, _ in zip(images, range(count), strict=True):
            file.write(memory_of(image).tobytes())
    write_atomic(folder / CONF, json.dumps({"shape": [count, 3, size, size], "dtype": "float32"}).encode())
    save_array(folder / LIST, np.array(same, np.bool_))


def memory_of(image: Image) -> np.ndarray:
    """A picture, uint8 RGB (side, side, 3), as float32 BGR (3, side, side), -1 to 1."""
    values = image[..., ::-1].transpose(2, 0, 1).astype(np.float32)
    return np.ascontiguousarray((values / np.float32(255) - np.float32(0.5)) / np.float32(0.5))
