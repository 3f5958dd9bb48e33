"""Datasets for PyTorch's DataLoader over lists and RecordIO sets."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from maskgen.core.reasons import UserError
from maskgen.data import ListDataset, RecordDataset, to_tensor

MAGIC = struct.pack("<I", 0xCED7230A)


def png(value: int) -> bytes:
    picture = np.full((112, 112, 3), (value, 20, 200), np.uint8)
    done, data = cv2.imencode(".png", picture[..., ::-1])
    assert done
    return data.tobytes()


def framed(data: bytes) -> bytes:
    return MAGIC + struct.pack("<I", len(data)) + data + bytes(-len(data) % 4)


def insightface_set(folder: Path, counts: list[int]) -> Path:
    """A header, pictures from 1 on, and one record a person, as InsightFace's sets are; pictures of person p are p."""
    folder.mkdir(exist_ok=True)
    many = sum(counts)
    records = [(0, (many + 1, many + 1 + len(counts)), b"")]
    first = 1
    ranges = []
    for person, count in enumerate(counts):
        records += [(first + at, (float(person),), png(person * 100 + at)) for at in range(count)]
        ranges.append((first, first + count))
        first += count
    records += [(many + 1 + at, ends, b"") for at, ends in enumerate(ranges)]
    data, index = b"", ""
    for number, labels, picture in records:
        index += f"{number}\t{len(data)}\n"
        head = struct.pack("<IfQQ", 0, labels[0], number, 0)
        if len(labels) > 1:
            head = struct.pack("<IfQQ", len(labels), 0.0, number, 0) + np.asarray(labels, "<f4").tobytes()
        data += framed(head + picture)
    (folder / "train.rec").write_bytes(data)
    (folder / "train.idx").write_text(index)
    return folder


def packed(number: int, label: float | list[float], picture: bytes) -> bytes:
    """`mxnet.recordio.pack(IRHeader(0, label, number, 0), picture)`: a list of labels stands before the picture."""
    if isinstance(label, list):
        return struct.pack("<IfQQ", len(label), 0.0, number, 0) + np.asarray(label, "<f4").tobytes() + picture
    return struct.pack("<IfQQ", 0, label, number, 0) + picture


def rec_builder_set(folder: Path, labels: Sequence[float | list[float]], picture: Callable[[int], bytes] = png) -> Path:
    """As InsightFace's `RecBuilder.add_image` and `close` write a set: pictures from 0, no header, no people."""
    folder.mkdir(exist_ok=True)
    data, index = b"", ""
    for number, label in enumerate(labels):
        index += f"{number}\t{len(data)}\n"
        data += framed(packed(number, label, picture(number)))
    (folder / "train.rec").write_bytes(data)
    (folder / "train.idx").write_text(index)
    return folder


def written_list(folder: Path) -> Path:
    for person in range(3):
        for number in range(2):
            (folder / f"{person}_{number}.png").write_bytes(png(person * 10 + number))
    rows = [f"{person}_{number}.png,{person + 5}" for person in range(3) for number in range(2)]
    (folder / "train.csv").write_text("\n".join(["path,target", *rows]) + "\n")
    return folder


def test_a_record_set_has_its_pictures_and_nothing_else(tmp_path: Path) -> None:
    dataset = RecordDataset(insightface_set(tmp_path, [2, 3, 1]))
    assert len(dataset) == 6
    assert dataset.num_classes == 3
    assert [int(label) for _, label in (dataset[at] for at in range(6))] == [0, 0, 1, 1, 1, 2]
    image, label = dataset[3]
    assert label.dtype == torch.int64
    assert image.dtype == torch.float32
    assert image.shape == (3, 112, 112)
    assert torch.allclose(image[:, 50, 50], (torch.tensor([101.0, 20, 200]) - 127.5) / 127.5)
    assert torch.equal(dataset[-1][0], dataset[5][0])
    with pytest.raises(IndexError):
        dataset[6]


@pytest.mark.parametrize(
    "labels", [[0.0, 0.0, 1.0, 2.0, 2.0], [[0.0, 7.5], [0.0, 2.5], [1.0, 0.0], [2.0, 3.0], [2.0, 5.0]]]
)
def test_insightfaces_builder_begins_with_a_picture(tmp_path: Path, labels: list[float | list[float]]) -> None:
    """With lists of labels its records look like a header, and the first of them is a picture all the same."""
    dataset = RecordDataset(rec_builder_set(tmp_path, labels))
    assert [int(dataset[at][1]) for at in range(len(dataset))] == [0, 0, 1, 2, 2]
    assert [round(float(dataset[at][0][0, 50, 50]) * 127.5 + 127.5) for at in range(5)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("many", [False, True])
def test_a_set_may_be_of_one_picture(tmp_path: Path, many: bool) -> None:
    dataset = RecordDataset(rec_builder_set(tmp_path, [[3.0, 1.0] if many else 3.0]))
    assert (len(dataset), dataset.num_classes, dataset.labels) == (1, 1, ("3",))
    assert int(dataset[0][1]) == 0


@pytest.mark.parametrize("label", [np.nan, np.inf])
def test_a_label_that_is_no_number_is_nobodys(tmp_path: Path, label: float) -> None:
    """It was taken for 0, which made its picture one of the first person's."""
    with pytest.raises(UserError, match=f"record 2 has the label {label}, which names no person"):
        RecordDataset(rec_builder_set(tmp_path, [0.0, 0.0, label, 1.0]))


def test_grey_pictures_and_gaps_in_the_labels(tmp_path: Path) -> None:
    grey = cv2.imencode(".jpg", np.full((112, 112), 90, np.uint8))[1].tobytes()
    dataset = RecordDataset(rec_builder_set(tmp_path, [16777215.0, 5.0, 100.0, 5.0], lambda _: grey))
    assert dataset.labels == ("5", "100", "16777215")
    assert dataset.targets.tolist() == [0, 0, 1, 2]
    assert torch.allclose(dataset[0][0], torch.tensor((90 - 127.5) / 127.5), atol=2 / 127.5)


def test_a_list_has_targets_from_zero_and_keeps_its_own_numbers(tmp_path: Path) -> None:
    dataset = ListDataset(written_list(tmp_path) / "train.csv")
    assert dataset.labels == ("5", "6", "7")
    assert [int(dataset[at][1]) for at in range(6)] == [0, 0, 1, 1, 2, 2]


def test_a_transform_gets_the_picture_as_it_is(tmp_path: Path) -> None:
    dataset = RecordDataset(insightface_set(tmp_path, [1, 1]) / "train.rec", transform=lambda image: image)
    assert dataset[1][0].dtype == np.uint8
    assert dataset[1][0][0, 0].tolist() == [100, 20, 200]


def test_workers_read_what_one_process_reads(tmp_path: Path) -> None:
    """Of both kinds of sets, and in processes that are started anew."""
    listed, recorded = tmp_path / "listed", tmp_path / "recorded"
    listed.mkdir()
    sets = [ListDataset(written_list(listed)), RecordDataset(insightface_set(recorded, [4, 4]))]
    for dataset in sets:
        again = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - its own bytes
        assert torch.equal(again[2][0], dataset[2][0])
    both = torch.utils.data.ConcatDataset(sets)
    loader = torch.utils.data.DataLoader(both, 2, num_workers=2, multiprocessing_context="spawn")
    found = [(images, labels) for images, labels in loader]
    targets = torch.cat([torch.as_tensor(dataset.targets) for dataset in sets])
    assert torch.equal(torch.cat([labels for _, labels in found]), targets)
    assert torch.equal(
        torch.cat([images for images, _ in found]), torch.stack([both[at][0] for at in range(len(both))])
    )


def test_a_network_learns_from_it_in_a_few_steps(tmp_path: Path) -> None:
    """The loop of arcface_torch in small: its loader's samples go into a network and a class matrix."""
    torch.manual_seed(0)
    loader = torch.utils.data.DataLoader(RecordDataset(insightface_set(tmp_path, [8, 8])), 8, shuffle=True)
    network = torch.nn.Sequential(torch.nn.AvgPool2d(56), torch.nn.Flatten(), torch.nn.Linear(12, 2))
    optimiser = torch.optim.SGD(network.parameters(), 0.1)
    losses = []
    for _ in range(40):
        for images, labels in loader:
            loss = torch.nn.functional.cross_entropy(network(images), labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_it_takes_the_place_of_arcface_torchs_dataset(tmp_path: Path) -> None:
    """`RecordDataset(root_dir, transform)` for `MXFaceDataset(root_dir, local_rank)`, with its own transform.

    Its loader's settings and the loop of train_v2.py, a margin on the cosine included, in small and on a CPU.
    """
    transforms = pytest.importorskip("torchvision.transforms")
    transform = transforms.Compose(
        [
            transforms.ToPILImage(),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5]),
        ]
    )
    train_set = RecordDataset(insightface_set(tmp_path, [6, 6]), transform)
    torch.manual_seed(0)
    sampler = torch.utils.data.DistributedSampler(train_set, num_replicas=1, rank=0, shuffle=True, seed=2048)
    loader = torch.utils.data.DataLoader(train_set, 4, sampler=sampler, drop_last=True)
    backbone = torch.nn.Sequential(torch.nn.AvgPool2d(56), torch.nn.Flatten(), torch.nn.Linear(12, 8))
    centres = torch.nn.Parameter(torch.randn(train_set.num_classes, 8))
    optimiser = torch.optim.SGD([*backbone.parameters(), centres], lr=0.1, momentum=0.9, weight_decay=5e-4)
    losses = []
    for epoch in range(12):
        sampler.set_epoch(epoch)
        for img, local_labels in loader:
            assert img.shape == (4, 3, 112, 112)
            assert local_labels.dtype == torch.int64
            normalised = torch.nn.functional.normalize
            cosine = normalised(backbone(img)) @ normalised(centres).T
            margin = 0.2 * torch.nn.functional.one_hot(local_labels, train_set.num_classes)
            loss = torch.nn.functional.cross_entropy(8 * (cosine - margin), local_labels)
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(backbone.parameters(), 5)
            optimiser.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_what_is_no_set_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no RecordIO file: give a \.rec"):
        RecordDataset(tmp_path)
    with pytest.raises(UserError, match=r"none is not there: give a folder"):
        ListDataset(tmp_path / "none")
    folder = written_list(tmp_path)
    (folder / "1_0.png").unlink()
    dataset = ListDataset(folder)
    with pytest.raises(UserError, match=r"1_0\.png in .* cannot be read"):
        dataset[2]


def test_pictures_are_from_minus_one_to_one() -> None:
    ends = to_tensor(np.array([[[0, 255, 0]]], np.uint8))
    assert ends.flatten().tolist() == [-1.0, 1.0, -1.0]
