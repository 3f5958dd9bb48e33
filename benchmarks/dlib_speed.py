"""How fast dlib's network is here and in dlib, on the same crops, chips and all, turn by turn in one process.

    python benchmarks/dlib_speed.py FOLDER_OF_CROPS [--pictures 128] [--threads 1]

Needs dlib (dlib-bin), which the program itself does not.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import dlib
import numpy as np
import torch

from maskgen.core.images import decode
from maskgen.core.records import Image
from maskgen.embedders.chip_alignment import ChipAligner
from maskgen.embedders.dlib_resnet import dlib_resnet
from maskgen.trainer.networks.dlib_weights import dlib_file

ROUNDS = 3


def taken(embed: Callable[[Sequence[Image]], object], crops: Sequence[Image]) -> float:
    begun = time.perf_counter()
    embed(crops)
    return (time.perf_counter() - begun) / len(crops) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=128)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    crops = [decode(path.read_bytes()) for path in sorted(asked.folder.rglob("*.jpg"))[: asked.pictures]]
    ours, chipper = dlib_resnet(), ChipAligner()
    net = dlib.face_recognition_model_v1(str(dlib_file()))

    def theirs(images: Sequence[Image]) -> list[object]:
        return [net.compute_face_descriptor(chip) for chip in chipper.chips(images)]

    rounds = [(taken(theirs, crops), taken(ours.embed, crops)) for _ in range(ROUNDS)]
    before, after = np.median(rounds, axis=0)
    print(f"{len(crops)} crops, {asked.threads} thread(s): dlib {before:.1f} ms a face, here {after:.1f} ms,")
    print(f"{np.median([one / other for one, other in rounds]):.1f} times as fast (median of {ROUNDS} rounds)")


if __name__ == "__main__":
    main()
