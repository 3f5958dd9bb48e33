"""Whether other projects' own loading code reads what `maskgen pairs --also` writes.

    python benchmarks/other_trainers.py REPOSITORIES

REPOSITORIES holds clones of insightface (deepinsight), CVLface and AdaFace (mk-minchul), FaceX-Zoo (JDAI-CV) and
SOTA-Face-Recognition-Train-and-Test (HaiyuWu), each under its name; those that are missing are left out. A set of drawn
people is masked and written in every format. Each project's classes are imported from its files, in a process of its
own, and every sample is compared with train.csv or test.csv.

Packages of theirs that are not installed are replaced: MXNet by a loop over the records, augmentations and bcolz by
nothing. arcface_torch has two lines of dataset.py replaced, as docs/formats.md says, and then trains for a few steps
with its own loader, backbone and loss on the CPU. Prints a line for each: samples compared, and the outcome.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import importlib.util
import subprocess
import sys
import tempfile
import types
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

SIDE = 112
ALSO = ("cvlface", "adaface", "facexzoo", "lmdb")


def make_lists(folder: Path) -> Path:
    """Twelve drawn people of four photographs, bare and masked, in every format."""
    from maskgen.core.images import encode_image
    from maskgen.people import sample_people

    for name, number, portrait in sample_people(12, 4, seed=3, size=160):
        (folder / "people" / name).mkdir(parents=True, exist_ok=True)
        (folder / "people" / name / f"{number}.png").write_bytes(encode_image(portrait.image, "png"))
    program = [sys.executable, "-P", "-c", "from maskgen.pipelines.cli import main; main()"]
    mask = ["mask", folder / "people", folder / "run", "--align", "arcface", "--size", str(SIDE), "--bare"]
    pairs = ["pairs", "--run", folder / "run", folder / "lists", *(word for name in ALSO for word in ("--also", name))]
    for command in (mask, pairs):
        subprocess.run([*program, *map(str, command)], check=True, capture_output=True)
    return folder / "lists"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def trained(lists: Path) -> list[tuple[int, np.ndarray]]:
    """Target and picture, uint8 RGB, of each row of train.csv."""
    return [(int(row["target"]), rgb(lists / row["path"])) for row in rows_of(lists / "train.csv")]


def rgb(path: Path) -> np.ndarray:
    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)


def same(found: Any, wanted: np.ndarray, most: float = 3.0) -> None:
    """Raise where pictures differ by more than decoders of JPEG do, in steps of 0 to 255."""
    assert found.shape == wanted.shape, (found.shape, wanted.shape)
    off = np.abs(np.asarray(found, np.float64) - wanted).max()
    assert off <= most, f"a picture differs by {off:.1f}"


def stand_in(name: str, **members: Any) -> None:
    """A module in the place of one that is not installed."""
    module = types.ModuleType(name)
    module.__dict__.update(members)
    sys.modules[name] = module


class Records:
    """`mxnet.recordio.MXIndexedRecordIO`, as far as these projects use it."""

    def __init__(self, index: str, records: str, mode: str) -> None:
        from maskgen.formats.range_reads import open_sequential
        from maskgen.formats.recordio.index import load_index

        assert mode == "r" and Path(index) == Path(records).with_suffix(".idx")
        self._pieces = open_sequential(Path(records))
        self._index = load_index(Path(records), self._pieces)
        self.keys = self._index.ids.tolist()

    def read_idx(self, number: int) -> bytes:
        """A record's bytes."""
        from maskgen.formats.recordio.stream import read_record

        place = self._index.find(int(number))
        assert place is not None
        return read_record(self._pieces, *place)

    def close(self) -> None:
        """Nothing is held open."""


def unpacked(record: bytes) -> tuple[SimpleNamespace, bytes]:
    """`mxnet.recordio.unpack`."""
    from maskgen.formats.recordio.stream import unpack

    found = unpack(record)
    label = np.array(found.labels, np.float32) if found.many else found.labels[0]
    return SimpleNamespace(flag=len(found.labels) if found.many else 0, label=label, id=found.id), found.picture


def decoded(picture: bytes) -> SimpleNamespace:
    """`mxnet.image.imdecode`: RGB."""
    image = cv2.cvtColor(cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
    return SimpleNamespace(asnumpy=lambda: image)


def cvlface(repository: Path, lists: Path) -> int:
    """`RepeatedWithLdmkThetaMXDataset`: pictures, labels and landmarks."""
    recordio = SimpleNamespace(MXIndexedRecordIO=Records, unpack=unpacked)
    stand_in("mxnet", recordio=recordio, image=SimpleNamespace(imdecode=decoded))
    keeps = SimpleNamespace(augment=lambda sample: sample)
    stand_in("data_augs", make_augmenter=lambda version, params: keeps)
    sys.path.insert(0, str(repository / "cvlface/research/recognition/code/run_v1"))
    module = importlib.import_module("dataset.repeated_dataset_with_ldmk_theta")
    told = SimpleNamespace(
        ldmk_path="ldmk_5points.csv", disable_repeat=True, skip_aug_prob_in_disable_repeat=0.0,
        repeated_augment_prob=0.0, use_same_image=False, second_img_augment=False,
    )  # fmt: skip
    found = module.RepeatedWithLdmkThetaMXDataset(str(lists), 0, "basic", None, told)
    found.transform = np.asarray
    template = np.array([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]]) / SIDE
    off = []
    for index, (target, image) in enumerate(trained(lists)):
        sample, label, landmarks, *_ = found[index]
        assert int(label) == target
        same(sample, image)
        off.append(np.abs(landmarks.numpy() - template).max() * SIDE)
    assert np.median(off) < 8, "the landmarks do not lie where the crops are aligned to"
    return len(found)


def adaface(repository: Path, lists: Path) -> int:
    """`CustomImageFolderDataset`, and `get_val_pair` on the memfile."""
    stand_in("bcolz")
    sys.path.insert(0, str(repository))
    folder = importlib.import_module("dataset.image_folder_dataset")
    found = folder.CustomImageFolderDataset(str(lists / "imgs"), output_dir=tempfile.mkdtemp())
    for index, (target, image) in enumerate(trained(lists)):
        sample, label = found[index]
        assert label == target
        same(np.asarray(sample)[..., ::-1], image)  # it trains on blue, green, red
    array, alike = importlib.import_module("evaluate_utils").get_val_pair(str(lists), "test")
    wanted = rows_of(lists / "test.csv")
    assert alike.tolist() == [row["target"] == row["pair_target"] for row in wanted]
    for at, row in enumerate(wanted):
        for half, name in enumerate(("path", "pair_path")):
            same((array[2 * at + half].transpose(1, 2, 0)[..., ::-1] * 0.5 + 0.5) * 255, rgb(lists / row[name]))
    return len(found) + len(array)


def facexzoo(repository: Path, lists: Path) -> int:
    """`ImageDataset`."""
    sys.path.insert(0, str(repository / "data_processor"))
    found = importlib.import_module("train_dataset").ImageDataset(str(lists), str(lists / "train_list.txt"))
    for index, (target, image) in enumerate(trained(lists)):
        sample, label = found[index]
        assert label == target
        shown = sample.numpy().transpose(1, 2, 0)[..., ::-1] / 0.0078125 + 127.5
        same(shown if np.abs(shown - image).max() <= 3 else shown[:, ::-1], image)  # it mirrors every second one
    return len(found)


def sota(repository: Path, lists: Path) -> int:
    """`LMDB`."""
    stand_in("sota", __path__=[str(repository / "data")])  # its __init__ imports more than is needed
    found = importlib.import_module("sota.data_loader_train_lmdb").LMDB(str(lists / "train.lmdb"))
    wanted = trained(lists)
    assert found.classnum == len({target for target, _ in wanted})
    for index, (target, image) in enumerate(wanted):
        sample, label = found[index]
        assert label == target
        same(np.asarray(sample), image)
    return len(found)


def arcface_torch(repository: Path, lists: Path) -> int:
    """dataset.py with two lines replaced; its loader, its smallest backbone and its loss."""
    import torch

    here = repository / "recognition" / "arcface_torch"
    sys.path.insert(0, str(here))
    text = (here / "dataset.py").read_text("utf-8")
    lines = {
        "import mxnet as mx": "from maskgen.data import RecordDataset",
        "MXFaceDataset(root_dir=root_dir, local_rank=local_rank)": "RecordDataset(root_dir, TRANSFORM)",
    }
    for before, after in lines.items():
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    module = types.ModuleType("dataset")
    exec(compile(text, "dataset.py", "exec"), module.__dict__)  # noqa: S102 - the project under test
    steps = module.transforms
    module.TRANSFORM = steps.Compose(
        [steps.ToPILImage(), steps.RandomHorizontalFlip(), steps.ToTensor(), steps.Normalize([0.5] * 3, [0.5] * 3)]
    )
    # Its DataLoaderX copies to a CUDA card ahead of need; here there may be none.
    module.DataLoaderX = lambda local_rank, pin_memory, **options: torch.utils.data.DataLoader(**options)
    loader = module.get_dataloader(str(lists), 0, 8, num_workers=0)
    return steps_taken(loader, trained(lists))


def steps_taken(loader: Any, wanted: list[tuple[int, np.ndarray]]) -> int:
    """Train for an epoch; returns the samples that were seen."""
    import torch

    torch.manual_seed(0)
    backbone = importlib.import_module("backbones").get_model("mbf", fp16=False, num_features=64)
    margin = importlib.import_module("losses").CombinedMarginLoss(64, 1.0, 0.5, 0.0)
    centres = torch.nn.Parameter(torch.randn(len({target for target, _ in wanted}), 64))
    optimiser = torch.optim.SGD([*backbone.parameters(), centres], lr=0.01)
    assert sorted(int(label) for _, label in loader.dataset) == sorted(target for target, _ in wanted)
    seen = 0
    for images, labels in loader:
        cosine = torch.nn.functional.normalize(backbone(images)) @ torch.nn.functional.normalize(centres).T
        loss = torch.nn.functional.cross_entropy(margin(cosine.clamp(-1, 1), labels.reshape(-1, 1)), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        assert bool(torch.isfinite(loss))
        seen += len(images)
    assert seen >= 8
    return seen


CHECKS = {
    "CVLface": cvlface,
    "AdaFace": adaface,
    "FaceX-Zoo": facexzoo,
    "SOTA-Face-Recognition-Train-and-Test": sota,
    "insightface": arcface_torch,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repositories", type=Path)
    parser.add_argument("--one", nargs=2, metavar=("NAME", "LISTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        name, lists = options.one
        print(CHECKS[name](options.repositories / name, Path(lists)))
        return
    with tempfile.TemporaryDirectory() as folder:
        lists, failed = make_lists(Path(folder)), False
        for name, check in CHECKS.items():
            said = "no clone"
            if (options.repositories / name).is_dir():
                command = [sys.executable, "-P", __file__, str(options.repositories), "--one", name, str(lists)]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                lines = (done.stderr if done.returncode else done.stdout).strip().splitlines() or [""]
                failed |= bool(done.returncode)
                said = lines[-1] if done.returncode else f"{lines[-1]} samples, all as in the lists"
            print(f"{name:<40}{(check.__doc__ or '').splitlines()[0]:<84}{said}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
