"""Masks that are put on while it trains."""

from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from full_disk import full_after
from list_makers import png, write_csv
from runs import report, train, weights

from maskgen.core.reasons import UserError
from maskgen.core.seeding import rng_for
from maskgen.masks.apply_mask import analyse_and_apply
from maskgen.masks.kinds import load_kind
from maskgen.masks.plan import plan_mask
from maskgen.people import sample_people
from maskgen.pipelines.train.device_masks import DevicePlanner
from maskgen.pipelines.train.folder import ANALYSES
from maskgen.pipelines.train.online_masks import POINTS, OnlineMasker, write_points
from maskgen.trainer.data.lists import TrainingList, read_training_list
from maskgen.trainer.data.picture_batches import Loader, Pictures
from maskgen.trainer.loop import End, Loop

PEOPLE, EACH = 3, 4
KINDS = ("n95", "surgical_blue=2")


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lists of a run's bare crops and of one masked picture; the run's catalogue knows two more."""
    root = tmp_path_factory.mktemp("online")
    rows = []
    for name, number, portrait in sample_people(PEOPLE, EACH, size=96):
        path = root / f"run/faces/{name}/faces/{number}__bare.png"  # a person may be called "faces"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(portrait.image))
        points = np.round(portrait.points68.astype(np.float64), 2).ravel().tolist()
        rows.append((path.relative_to(root / "run").as_posix(), "bare", points))
    masked = ("faces/person_01/faces/1__n95.png", "n95", rows[0][2])
    (root / "run" / masked[0]).write_bytes((root / "run" / rows[0][0]).read_bytes())
    listed = [*rows[:-1], masked]
    catalogue = [rows[-1], *reversed(listed), ("faces/nobody/1__bare.png", "bare", rows[0][2])]
    columns = dict(zip(("path", "kind", "points68"), map(list, zip(*catalogue, strict=True)), strict=True))
    pq.write_table(pa.table(columns), root / "run/catalogue.parquet", row_group_size=5)
    (root / "lists").mkdir()
    people = [int(path.split("/")[1][-2:]) - 1 for path, _, _ in listed]
    whose = [(f"../run/{path}", person) for (path, _, _), person in zip(listed, people, strict=True)]
    write_csv(root / "lists/train.csv", ("path", "target"), whose)
    return root / "lists"


def pictures(lists: Path, folder: Path, share: float = 1.0, seed: int = 0) -> tuple[Pictures, TrainingList]:
    listed = read_training_list(lists)
    write_points(folder, listed)
    painter = OnlineMasker(folder / POINTS, KINDS, share)
    return Pictures(listed.root, listed.addresses, listed.targets, 96, seed=seed, augment=painter), listed


def shown(rows: Pictures, epoch: int, workers: int = 0) -> list[np.ndarray]:
    batches = [[row] for row in range(len(rows))]
    return [batch.values[0].numpy() for batch in Loader(rows, workers).epoch(batches, epoch)]


def test_bare_pictures_get_the_mask_that_their_points_say(lists: Path, tmp_path: Path) -> None:
    rows, listed = pictures(lists, tmp_path)
    bare = Pictures(listed.root, listed.addresses, listed.targets, 96)
    found, before = shown(rows, 0), shown(bare, 0)
    changed = [not np.array_equal(one, other) for one, other in zip(found, before, strict=True)]
    assert changed == [True] * (len(rows) - 1) + [False]  # the last wears one already
    truth = next(sample_people(1, 1, size=96))[2].points68
    rng = rng_for(0, "augment", 0, 0)
    kind = ("n95", "surgical_blue")[int(rng.random(2)[1] * 3 >= 1)]
    points = np.round(truth.astype(np.float64), 2).astype(np.float32)
    assert np.array_equal(found[0], analyse_and_apply(before[0], points, plan_mask(rng), load_kind(kind)).image)


def test_masks_on_uncertain_landmarks_are_those_of_the_catalogues_certainty(lists: Path, tmp_path: Path) -> None:
    own = Path(shutil.copytree(lists.parent, tmp_path / "own"))
    first = read_training_list(own / "lists").addresses[0].as_py()
    table = pq.read_table(own / "run/catalogue.parquet")
    errors = [0.1 if first.endswith(path) else None for path in table["path"].to_pylist()]
    table = table.append_column("expected_error", pa.array(errors, pa.float64()))
    pq.write_table(table, own / "run/catalogue.parquet")
    painter = pictures(own / "lists", tmp_path)[0].augment
    assert isinstance(painter, OnlineMasker)
    sure, unsure = (painter.draw({"row": row}, np.random.default_rng(0)) for row in (1, 0))
    assert sure is not None and unsure is not None and sure.plan.unsure == 0
    assert unsure.plan.unsure == pytest.approx(0.1)
    assert replace(unsure.plan, unsure=0.0) == sure.plan


def test_an_epochs_masks_are_its_own_and_the_seeds(lists: Path, tmp_path: Path) -> None:
    rows, _ = pictures(lists, tmp_path)
    first, again, second = shown(rows, 0), shown(rows, 0, workers=2), shown(rows, 1)
    assert all(np.array_equal(one, other) for one, other in zip(first, again, strict=True))
    assert not any(np.array_equal(one, other) for one, other in zip(first[:-1], second[:-1], strict=True))
    others = shown(pictures(lists, tmp_path, seed=1)[0], 0)
    assert not any(np.array_equal(one, other) for one, other in zip(first[:-1], others[:-1], strict=True))


def test_the_share_is_of_pictures_and_each_epoch_anew(lists: Path, tmp_path: Path) -> None:
    rows, listed = pictures(lists, tmp_path, share=0.3)
    before = shown(Pictures(listed.root, listed.addresses, listed.targets, 96), 0)
    masked = [[not np.array_equal(a, b) for a, b in zip(shown(rows, e), before, strict=True)] for e in range(8)]
    assert 0.15 < np.mean(masked) < 0.45
    assert len({tuple(one) for one in masked}) > 1


def test_a_face_that_no_mask_fits_stays_bare(lists: Path, tmp_path: Path) -> None:
    rows, _ = pictures(lists, tmp_path)
    image = np.full((96, 96, 3), 90, np.uint8)
    faces = np.load(tmp_path / POINTS)
    faces["points"][0] *= 0.05
    np.save(tmp_path / "tiny.npy", faces)
    painter = OnlineMasker(tmp_path / "tiny.npy", KINDS, 1.0)
    (same,) = painter([image], [{"row": 0}], [np.random.default_rng(0)])
    assert same is image


def test_a_picture_is_the_same_alone_and_in_a_batch(lists: Path, tmp_path: Path) -> None:
    rows, _ = pictures(lists, tmp_path)
    together = rows.items([(0, row) for row in range(len(rows))])
    alone = [rows[0, row] for row in range(len(rows))]
    assert all(np.array_equal(one.value, other.value) for one, other in zip(together, alone, strict=True))  # type: ignore[arg-type]


def test_a_run_trains_on_them(lists: Path, tmp_path: Path) -> None:
    online = ("--set", "data.masks=online", "--set", "data.mask_kinds=n95,cloth_black", "--epochs", "1")
    result = train(lists, tmp_path / "online", *online)
    assert "1 of 12 pictures already shows a mask" in result.output
    train(lists, tmp_path / "again", *online, "--workers", "2")
    train(lists, tmp_path / "stored", "--epochs", "1")
    assert weights(tmp_path / "online") == weights(tmp_path / "again") != weights(tmp_path / "stored")
    assert report(tmp_path / "online")["settings"]["the masks"] == ["n95", "cloth_black"]
    other = ("--set", "data.masks=online", "--set", "data.mask_kinds=kn95", "--epochs", "1")
    assert "data.mask_kinds (was n95,cloth_black, now kn95)" in train(lists, tmp_path / "online", *other, code=2).output
    unknown = ("--set", "data.masks=online", "--set", "data.mask_kinds=n59")
    assert "no mask kind 'n59'" in train(lists, tmp_path / "unknown", *unknown, code=2).output


def test_kept_analyses_do_not_change_the_weights(lists: Path, tmp_path: Path) -> None:
    online = ("--set", "data.masks=online", "--set", "data.mask_kinds=n95,cloth_black", "--epochs", "2")
    train(lists, tmp_path / "kept", *online)
    train(lists, tmp_path / "none", *online, "--set", "data.analyses_gb=0")
    assert weights(tmp_path / "kept") == weights(tmp_path / "none")
    done = train(lists, tmp_path / "kept", *online, "--set", "data.analyses_gb=1").output
    assert "holds this training already" in done  # it does not decide the result


def test_a_run_keeps_analyses_until_it_ends(lists: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    online = ("--set", "data.masks=online", "--set", "data.mask_kinds=n95", "--epochs", "3")
    sizes: list[int] = []
    real = Loop.run

    def watched(loop: Loop) -> End:
        end = real(loop)
        sizes.append((tmp_path / "run" / ANALYSES).stat().st_size)
        return end

    monkeypatch.setattr(Loop, "run", watched)
    train(lists, tmp_path / "run", *online, "--max-steps", "2")
    (tmp_path / "run" / ANALYSES).write_bytes(b"what a killed run left")
    train(lists, tmp_path / "run", *online, "--resume")
    assert len(sizes) == 2
    assert min(sizes) > 10_000
    assert not (tmp_path / "run" / ANALYSES).exists()

    def broken(loop: Loop) -> End:
        watched(loop)
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "run", broken)
    train(lists, tmp_path / "run", *online, "--overwrite", code=130)
    assert len(sizes) == 3
    assert not (tmp_path / "run" / ANALYSES).exists()


def finished(rows: Pictures, batches: list[list[int]], workers: int = 0) -> torch.Tensor:
    return torch.cat([batch.on(torch.device("cpu")).values for batch in Loader(rows, workers).epoch(batches, 2)])


@pytest.mark.parametrize("size", [96, 64])
def test_masks_of_the_device_are_the_cpus(size: int, lists: Path, tmp_path: Path) -> None:
    rows, _ = pictures(lists, tmp_path, share=0.7)
    assert isinstance(rows.augment, OnlineMasker)
    there = replace(rows, size=size, flip=True, augment=None, planner=DevicePlanner(rows.augment))
    whole = finished(there, [list(range(len(rows)))])
    assert torch.equal(finished(there, [[row] for row in range(len(rows))]), whole)
    assert torch.equal(finished(there, [[0, 1, 2, 3, 4], list(range(5, len(rows)))], workers=2), whole)
    here = finished(replace(rows, size=size, flip=True), [list(range(len(rows)))])
    bare = finished(replace(rows, size=size, flip=True, augment=None), [list(range(len(rows)))])
    for found, wanted, plain in zip(whole, here, bare, strict=True):
        assert torch.equal(found, plain) == torch.equal(wanted, plain)
        off = (found.int() - wanted.int()).abs().amax(2)
        # A mask of the network's size is drawn at that size, not reduced to it.
        assert (off > (2 if size == 96 else 24)).float().mean() <= (0.01 if size == 96 else 0.05)
    masked = [not torch.equal(found, plain) for found, plain in zip(whole, bare, strict=True)]
    assert 0 < sum(masked) < len(rows)


def test_a_run_trains_on_masks_of_the_device(lists: Path, tmp_path: Path) -> None:
    online = ("--set", "data.masks=online", "--set", "data.mask_kinds=n95", "--set", "data.renderer=torch")
    train(lists, tmp_path / "torch", *online, "--epochs", "1")
    train(lists, tmp_path / "again", *online, "--epochs", "1", "--workers", "2")
    train(lists, tmp_path / "bare", "--epochs", "1")
    assert weights(tmp_path / "torch") == weights(tmp_path / "again") != weights(tmp_path / "bare")
    other = train(lists, tmp_path / "torch", *online[:4], "--epochs", "1", code=2).output
    assert "data.renderer (was torch, now cpu)" in other


def test_a_full_disk_is_told_and_leaves_no_half_of_the_points(lists: Path, tmp_path: Path) -> None:
    listed = read_training_list(lists)
    with full_after(1_000), pytest.raises(OSError, match="File too large") as caught:
        write_points(tmp_path, listed)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / POINTS))
    assert list(tmp_path.iterdir()) == []


def test_lists_without_points_are_refused(lists: Path, tmp_path: Path) -> None:
    addresses = pa.array(["elsewhere/faces/a.png", "b.png"], pa.large_string())
    nobody = TrainingList(tmp_path, addresses, np.array([0, 1]), ("0", "1"), "")
    with pytest.raises(UserError, match="no parent folder is a run"):
        write_points(tmp_path, nobody)
    addresses = pa.array(["../run/faces/unlisted.png"], pa.large_string())
    with pytest.raises(UserError, match="does not list it"):
        write_points(tmp_path, TrainingList(lists, addresses, np.array([0]), ("0",), ""))
    addresses = pa.array(["../run/faces/person_01/faces/1__n95.png"], pa.large_string())
    with pytest.raises(UserError, match="the list has none"):
        write_points(tmp_path, TrainingList(lists, addresses, np.array([0]), ("0",), ""))


@pytest.mark.parametrize("damage", [b"", b"PAR1 and no more", None])
def test_a_damaged_catalogue_is_a_sentence(lists: Path, tmp_path: Path, damage: bytes | None) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "lists").mkdir()
    if damage is None:  # a face of one point
        row = {"path": ["faces/a.png"], "kind": ["bare"], "points68": [[1.0, 2.0]]}
        pq.write_table(pa.table(row), tmp_path / "run" / "catalogue.parquet")
    else:
        (tmp_path / "run" / "catalogue.parquet").write_bytes(damage)
    addresses = pa.array(["../run/faces/a.png"], pa.large_string())
    with pytest.raises(UserError, match=r"catalogue\.parquet cannot be read \("):
        write_points(tmp_path, TrainingList(tmp_path / "lists", addresses, np.array([0]), ("0",), ""))
