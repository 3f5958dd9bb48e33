"""Randomness that depends on what is drawn, never on when or where."""

from __future__ import annotations

import hashlib

import numpy as np


def rng_for(seed: int, *names: str | int) -> np.random.Generator:
    """A generator of its own for each (seed, name, name, ...): same names, same draws, in any order and process.

    Args:
        seed: the run's seed, any integer.
        names: what the draws are for, as the photograph's key and the variant. `1` and `"1"` differ.

    Source: PCG64 seeded with 128 bits of BLAKE2b over the names, each with its length and type, so that no two lists
        of names run together.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in (seed, *names):
        text = str(name).encode("utf-8", "surrogatepass")
        digest.update(f"{type(name).__name__}:{len(text)}:".encode())
        digest.update(text)
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest.digest(), "little")))
