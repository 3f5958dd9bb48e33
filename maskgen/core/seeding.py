"""Random generators by key: draws depend on the key, never on order or process."""

from __future__ import annotations

import hashlib

import numpy as np


def rng_for(seed: int, *names: str | int) -> np.random.Generator:
    """An independent generator for each (seed, name, name, ...): same names, same draws, in any order and process.

    Args:
        seed: the run's seed, any integer.
        names: the key, such as the photograph's key and the variant. `1` and `"1"` differ.

    Source: PCG64 seeded with 128 bits of BLAKE2b over the names, each with its length and type, so that different lists
        of names have different hashes.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name in (seed, *names):
        text = str(name).encode("utf-8", "surrogatepass")
        digest.update(f"{type(name).__name__}:{len(text)}:".encode())
        digest.update(text)
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest.digest(), "little")))
