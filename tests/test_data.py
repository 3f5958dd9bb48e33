"""Datasets for PyTorch's DataLoader over lists and RecordIO sets."""

from __future__ import annotations

import pickle
import struct
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


def test_a_list_has_targets_from_zero_and_keeps_its_own_numbers(tmp_path: Path) -> None:
    dataset = ListDataset(written_list(tmp_path) / "train.csv")
    assert dataset.labels == ("5", "6", "7")
    assert [int(dataset[at][1]) for at in range(6)] == [0, 0, 1, 1, 2, 2]


def test_a_transform_gets_the_picture_as_it_is(tmp_path: Path) -> None:
    dataset = RecordDataset(insightface_set(tmp_path, [1, 1]) / "train.rec", transform=lambda image: image)
    assert dataset[1][0].dtype == np.uint8
    assert dataset[1][0][0, 0].tolist() == [100, 20, 200]


@pytest.mark.parametrize("make", [insightface_set, None])
def test_workers_read_what_one_process_reads(tmp_path: Path, make: object) -> None:
    dataset = RecordDataset(insightface_set(tmp_path, [4, 4])) if make else ListDataset(written_list(tmp_path))
    again = pickle.loads(pickle.dumps(dataset))  # noqa: S301 - its own bytes
    assert torch.equal(again[2][0], dataset[2][0])
    loader = torch.utils.data.DataLoader(dataset, 2, num_workers=2, multiprocessing_context="spawn")
    found = [(images, labels) for images, labels in loader]
    assert torch.equal(torch.cat([labels for _, labels in found]), torch.as_tensor(dataset.targets))
    assert torch.equal(
        torch.cat([images for images, _ in found]), torch.stack([dataset[i][0] for i in range(len(dataset))])
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


def test_what_is_no_set_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no RecordIO file: give a \.rec"):
        RecordDataset(tmp_path)
    folder = written_list(tmp_path)
    (folder / "1_0.png").unlink()
    dataset = ListDataset(folder)
    with pytest.raises(UserError, match=r"1_0\.png in .* cannot be read"):
        dataset[2]


def test_pictures_are_from_minus_one_to_one() -> None:
    ends = to_tensor(np.array([[[0, 255, 0]]], np.uint8))
    assert ends.flatten().tolist() == [-1.0, 1.0, -1.0]
