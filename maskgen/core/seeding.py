"""Random generators by key: draws depend on the key, never on order or process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from maskgen.core.reasons import is_number


def rng_for(seed: int, *names: str | int) -> np.random.Generator:
    """An independent generator for each (seed, name, name, ...): same names, same draws, in any order and process.

    Args:
        seed: the run's seed, any integer, NumPy's too.
        names: the key, such as the photograph's key and the variant. `1` and `"1"` differ.

    Raises:
        TypeError: the seed or a name is neither a whole number nor a text.

    Source: PCG64 seeded with 128 bits of BLAKE2b over the names, each with its length and type, so that different lists
        of names have different hashes.
    """
    digest = hashlib.blake2b(_key(seed, names), digest_size=16).digest()
    # The same as with the number of 128 bits, which NumPy would first take apart into these words.
    return np.random.Generator(np.random.PCG64(np.frombuffer(digest, "<u4")))


def words_for(count: int, seed: int, *names: str | int) -> NDArray[np.uint32]:
    """`count` independent words of 32 random bits for each (seed, name, ...), keyed as `rng_for`.

    It takes a few microseconds, a generator some fifty to be made. A larger count begins with the same words.

    Source: the output of SHAKE-128 over the names.
    """
    return np.frombuffer(hashlib.shake_128(_key(seed, names)).digest(4 * count), "<u4").astype(np.uint32, copy=False)


def key_texts(keys: object, each: str) -> list[str]:
    """Keys of draws, one for each of some pictures, as plain texts: NumPy's would draw otherwise.

    Args:
        each: what each key is for, "photograph" or "picture".

    Raises:
        TypeError: one text in place of several, or something that is no text.
    """
    if isinstance(keys, str):
        raise TypeError(f"keys are one text, {keys!r}: give a list, a key for each {each}")
    if not isinstance(keys, Iterable):
        raise TypeError(f"keys are {keys!r}: give a list of texts, a key for each {each}")
    found = list(keys)
    for key in found:
        if not isinstance(key, str):
            raise TypeError(f"key {key!r} is not a text: give {str(key)!r}")
    return [str.__str__(key) for key in found]


def _key(seed: int, names: tuple[str | int, ...]) -> bytes:
    parts = []
    for name in map(_plain, (seed, *names)):
        text = str(name).encode("utf-8", "surrogatepass")
        parts += [f"{type(name).__name__}:{len(text)}:".encode(), text]
    return b"".join(parts)


def _plain(name: object) -> str | int:
    """A name as Python's own type: NumPy's numbers and texts would draw otherwise."""
    if type(name) is int or type(name) is str:  # two microseconds less, of three
        return name
    if isinstance(name, str):
        return str.__str__(name)
    if is_number(name, whole=True):
        return int(name)
    raise TypeError(f"{name!r} cannot be a seed or key of random draws: give a whole number or a text")
