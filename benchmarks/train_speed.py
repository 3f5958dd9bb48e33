"""How fast each recipe trains, and whether it waits for data: steps on random tensors, on pictures, and the loader.

    python benchmarks/train_speed.py PHOTOGRAPHS [--device cuda] [--recipes model1 model3 effnet-b2] [--batch-size 128]
        [--workers 14] [--steps 50] [--warm-up 8] [--set train.precision=bf16 --set train.channels_last=true]

PHOTOGRAPHS is a folder of pictures, of which crops of 160 pixels are made, JPEG, each listed many times, as 1,000
people. *random* is the recipe's whole step (network, loss, gradients, optimizer) on one batch that lies on the device;
*pictures* the same step fed by the loader; *loader* the loader by itself. Times are of a device that has done all it
was given; warm-up steps are left out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import cv2
import numpy as np
import torch

from maskgen.core.images import encode_image, read_photo
from maskgen.core.seeding import rng_for
from maskgen.trainer.data.lists import read_training_list
from maskgen.trainer.data.picture_batches import Batch, Loader, Pictures
from maskgen.trainer.data.samplers import build_batches
from maskgen.trainer.distributed import joined
from maskgen.trainer.learner import Learner
from maskgen.trainer.recipes.loading import load_recipe
from maskgen.trainer.recipes.recipe import Recipe
from maskgen.trainer.state import State, new_state

SIDE, PEOPLE, ROWS = 160, 1000, 200_000


def write_list(photographs: Path, out: Path) -> None:
    """Crops as files, and a list of ROWS of them."""
    found = sorted(path for path in photographs.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))[:1000]
    names = []
    for number, path in enumerate(found):
        image = read_photo(path).image
        side = min(image.shape[:2])
        top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
        crop = cv2.resize(image[top : top + side, left : left + side], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        names.append(f"{number}.jpg")
        (out / names[-1]).write_bytes(encode_image(crop, "jpg", 95))
    if not names:
        raise SystemExit(f"{photographs} holds no picture.")
    lines = [f"{names[row % len(names)]},{row % PEOPLE}\n" for row in range(ROWS)]
    (out / "train.csv").write_text("path,target\n" + "".join(sorted(lines, key=lambda line: int(line.split(",")[1]))))


def endless(loader: Loader, recipe: Recipe, targets: np.ndarray) -> Iterator[Batch]:
    batches = build_batches(recipe.data, recipe.train.batch_size, targets, recipe.train.seed)
    for epoch in count():
        batches.set_epoch(epoch)
        yield from loader.epoch(batches, epoch)


def seconds(once: Callable[[], None], asked: argparse.Namespace, device: torch.device) -> float:
    """Of one call, on average, once it is warm."""
    for _ in range(asked.warm_up):
        once()
    done(device)
    begun = time.perf_counter()
    for _ in range(asked.steps):
        once()
    done(device)
    return (time.perf_counter() - begun) / asked.steps


def done(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def stepper(state: State, learner: Learner, device: torch.device) -> Callable[[Batch], None]:
    def step(batch: Batch) -> None:
        state.optimizer.zero_grad(set_to_none=True)
        loss, _ = learner(batch.values.to(device, non_blocking=True), batch.targets.to(device, non_blocking=True))
        state.scaler.scale(loss).backward()
        state.scaler.step(state.optimizer)
        state.scaler.update()

    return step


def measure(name: str, asked: argparse.Namespace, lists: Path) -> str:
    """A row of the table."""
    chosen = [f"data.workers={asked.workers}", *asked.set]
    recipe = load_recipe(name, chosen)
    if recipe.data.sampler == "shuffle" and asked.batch_size:
        recipe = load_recipe(name, [f"train.batch_size={asked.batch_size}", *chosen])
    listed = read_training_list(lists)
    with joined(asked.device) as ranks:
        state = new_state(recipe, listed, 1000, False, ranks.device)
        learner = Learner(state.model, state.loss, recipe.data, recipe.train).train()
        rows = Pictures(listed.root, listed.addresses, listed.targets, recipe.data.size, recipe.data.flip, 0)
        feed = endless(Loader(rows, asked.workers, ranks.device.type == "cuda"), recipe, listed.targets)
        size, side = recipe.train.batch_size, recipe.data.size
        pixels = rng_for(0, "pixels").integers(0, 256, (size, side, side, 3), dtype=np.uint8)
        people = torch.arange(size) % PEOPLE
        random = Batch(torch.from_numpy(pixels).to(ranks.device), people.to(ranks.device), (), ())
        step = stepper(state, learner, ranks.device)
        alone = size / seconds(lambda: step(random), asked, ranks.device)
        fed = size / seconds(lambda: step(next(feed)), asked, ranks.device)
        loader = size / seconds(lambda: _take(feed), asked, torch.device("cpu"))
        again = size / seconds(lambda: step(random), asked, ranks.device)
    alone = max(alone, again)
    shape = f"{recipe.train.precision}, {side} px, {size}"
    return (
        f"| {name} | {shape} | {alone:,.0f} | {fed:,.0f} | {fed / alone:.3f} | {loader:,.0f} | {loader / alone:.2f} |"
    )


def _take(feed: Iterator[Batch]) -> None:
    next(feed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--recipes", nargs="+", default=["model1", "model2", "model3", "effnet-b2", "small"])
    parser.add_argument("--batch-size", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--warm-up", type=int, default=8)
    parser.add_argument("--set", action="append", default=[])
    asked = parser.parse_args()
    torch.backends.cudnn.benchmark = True
    with tempfile.TemporaryDirectory() as folder:
        write_list(asked.photographs, Path(folder))
        print(f"{torch.cuda.get_device_name() if torch.cuda.is_available() else 'CPU'}, {asked.workers} loaders")
        print("| recipe | precision, side, batch | random, images/s | pictures, images/s | ratio | loader | ratio |")
        print("|---|---|---|---|---|---|---|")
        for name in asked.recipes:
            print(measure(name, asked, Path(folder)), flush=True)


if __name__ == "__main__":
    main()
