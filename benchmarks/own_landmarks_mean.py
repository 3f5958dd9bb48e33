"""The mean of two sets of weights of one landmark network, of which one began with the other.

    python benchmarks/own_landmarks_mean.py OLD.npz NEW.npz MEAN.npz

On photographs the mean is better than both, see docs/landmarks.md: what long training on drawings adds beyond what
photographs share with them differs from pass to pass, and a mean loses most of it.

Source: Wortsman et al., Model soups: averaging weights of multiple fine-tuned models improves accuracy without
increasing inference time, ICML 2022.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np

from maskgen.core.atomic_writes import write_atomic


def mean_of(old: Path, new: Path) -> bytes:
    """The mean of the arrays of two files, float16, as such a file."""
    held = io.BytesIO()
    with np.load(old) as first, np.load(new) as second:
        if [(name, first[name].shape) for name in sorted(first.files)] != [
            (name, second[name].shape) for name in sorted(second.files)
        ]:
            raise SystemExit(f"{old} and {new} are not weights of one network")
        means = {name: (first[name].astype(np.float32) + second[name]) / 2 for name in first.files}
    np.savez_compressed(held, **{name: mean.astype(np.float16) for name, mean in means.items()})
    return held.getvalue()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("old", "new", "mean"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    write_atomic(asked.mean, mean_of(asked.old, asked.new))
