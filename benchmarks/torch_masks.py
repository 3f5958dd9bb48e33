"""Masks a second of the renderer in PyTorch on a device, beside the CPU's renderer, and how far their pictures differ.

    maskgen mask PHOTOGRAPHS RUN --unmasked-share 1 --size 112
    OPENBLAS_NUM_THREADS=1 python benchmarks/torch_masks.py RUN [--device cuda] [--batch 256] [--pictures 1024]
    OPENBLAS_NUM_THREADS=1 python benchmarks/torch_masks.py --drawn 112        # drawn people, if there is no run

Masks of --kinds on the bare crops of RUN. One process and thread. Analysis, plan and the CPU's renderer by processor
time, PyTorch's by the clock, with and without the transfer of plans and pictures to the card; on a CPU by processor
time too. Medians of three rounds in turns, after one that fills the caches. Memory is the most that one batch takes.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import torch

from maskgen.core.images import decode
from maskgen.core.kindspec import DEFAULT_KINDS, parse_kind
from maskgen.core.reasons import SetAsideError
from maskgen.core.records import Image
from maskgen.masks.apply_mask import AnalysedFace, apply_mask
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_of_kind
from maskgen.people import sample_people
from maskgen.torch_masks import BatchMasker
from maskgen.torch_masks.batch_masker import PlannedBatch

NEAR = 2  # grey levels
ROUNDS = 3

Face = tuple[Image, np.ndarray]


def faces_of(run: Path, most: int) -> list[Face]:
    """Bare crops and their landmarks."""
    table = pq.read_table(run / "catalogue.parquet", columns=["path", "kind", "points68"])
    rows = [row for row in table.to_pylist() if row["kind"] == "bare"][:most]
    return [
        (decode((run / row["path"]).read_bytes()), np.array(row["points68"], np.float32).reshape(68, 2)) for row in rows
    ]


def drawn(size: int, most: int) -> list[Face]:
    people = sample_people(max(most // 8, 1), min(most, 8), size=size)
    return [(portrait.image, portrait.points68.astype(np.float32)) for _, _, portrait in people]


def clocked(work: Callable[[], object], clock: Callable[[], float]) -> float:
    begun = clock()
    work()
    return clock() - begun


class Batches:
    """The faces of a run as batches on a device."""

    def __init__(self, faces: Sequence[Face], kinds: Sequence[str], batch: int, device: str) -> None:
        self.device, self.masker = torch.device(device), BatchMasker(kinds, parts=False, at_once=batch)
        groups = [faces[at : at + batch] for at in range(0, len(faces), batch)]
        self.images = [torch.from_numpy(np.stack([image.transpose(2, 0, 1) for image, _ in some])) for some in groups]
        self.points = [np.stack([points for _, points in some]) for some in groups]
        self.keys = [[f"{number} {at}" for at in range(len(some))] for number, some in enumerate(groups)]
        self.analyse()
        self.plan()
        self.there = [(images.to(self.device), plan.to(self.device)) for images, plan in self.batches()]

    def analyse(self) -> None:
        """Analyse all faces."""
        self.analysed = [self.masker.analyse(*both) for both in zip(self.images, self.points, strict=True)]

    def plan(self) -> None:
        """Plan a mask for each face."""
        every = zip(self.images, self.analysed, self.keys, strict=True)
        self.plans = [self.masker.plan(*one) for one in every]

    def batches(self) -> Iterator[tuple[torch.Tensor, PlannedBatch]]:
        """Pictures and plans in the CPU's memory."""
        return zip(self.images, self.plans, strict=True)

    def render(self, moved: bool) -> None:
        """Render all batches, with their transfer or without."""
        for images, plan in self.batches() if moved else self.there:
            self.masker.render(images.to(self.device, non_blocking=True), plan)
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def on_cpu(self) -> list[Image]:
        """The CPU's pictures of the same masks."""
        kinds, found = {parse_kind(text).name: load_kind(text) for text in self.masker.kinds}, []
        for images, faces, plan, keys in zip(self.images, self.analysed, self.plans, self.keys, strict=True):
            for image, face, name, key in zip(images, faces, plan.kinds, keys, strict=True):
                picture = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
                found.append(picture)
                if name and isinstance(face, AnalysedFace):
                    try:
                        mask = plan_of_kind(0, key, 0, name, {"proper": 1.0})
                        found[-1] = apply_mask(picture, face, mask, kinds[name]).image
                    except SetAsideError:
                        continue
        return found

    def worst(self, wanted: Sequence[Image]) -> float:
        """The largest share of a picture's pixels that differ by more than NEAR levels."""
        found = [self.masker.render(*one).images.permute(0, 2, 3, 1).cpu().numpy() for one in self.there]
        pairs = zip(np.concatenate(found), wanted, strict=True)
        return max(float((np.abs(one.astype(int) - other).max(2) > NEAR).mean()) for one, other in pairs)


def memory(measured: Batches) -> float:
    """Bytes that the first batch takes on the device, more than its pictures and its plan."""
    if measured.device.type == "cuda":
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        measured.masker.render(*measured.there[0])
        return float(torch.cuda.max_memory_allocated() - before)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    measured.masker.render(*measured.there[0])
    return 1024.0 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


def measure(measured: Batches) -> None:
    count = sum(map(len, measured.keys))
    side, batch = measured.images[0].shape[-1], len(measured.keys[0])
    taken = memory(measured) / batch / 1e6
    wanted = measured.on_cpu()
    measured.render(moved=True)
    rounds = []
    for _ in range(ROUNDS):
        slow = [clocked(work, time.process_time) for work in (measured.analyse, measured.plan, measured.on_cpu)]
        clock = time.process_time if measured.device.type == "cpu" else time.perf_counter
        slow += [clocked(partial(measured.render, moved), clock) for moved in (True, False)]
        rounds.append(slow)
    named = ("analysis of a face", "plan of a mask", "the CPU's renderer", "with transfers", "on the device alone")
    print(f"{count:,} crops of {side} pixels, {len(measured.masker.kinds)} kinds, batches of {batch}")
    for name, seconds in zip(named, (statistics.median(one) for one in zip(*rounds, strict=True)), strict=True):
        where = measured.device if name in named[-2:] else "one core"
        print(f"{name:<20} {count / seconds:>10,.0f} a second {1e3 * seconds / count:>8.3f} ms   {where}")
    print(f"memory at the peak   {taken:.1f} MB a mask")
    off = measured.worst(wanted)
    print(f"off by more than {NEAR} levels: {off:.2%} of the pixels of the worst picture")
    fast = statistics.median(one[-1] for one in rounds)
    print(f"{count / fast:,.0f} masks a second on {measured.device}, {off:.2%} of the pixels of the worst picture off")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--drawn", type=int, default=112, help="side of the drawn people's pictures, without a run")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--pictures", type=int, default=1024)
    parser.add_argument("--kinds", default=",".join(DEFAULT_KINDS))
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    faces = faces_of(asked.run, asked.pictures) if asked.run else drawn(asked.drawn, asked.pictures)
    measure(Batches(faces, asked.kinds.split(","), asked.batch, asked.device))


if __name__ == "__main__":
    main()
