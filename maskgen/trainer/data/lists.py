"""Training and evaluation lists: addresses of pictures and their targets, from CSV files or containers.

`--data` may be
    a folder with `train.csv`, else with `train.rec`, else with tars
    a `.csv`, a `.rec` or a `.tar`, if the folder holds several
The evaluation pairs are `eval_same.csv` and `eval_diff.csv` in that folder, or in its parent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from maskgen.core.reasons import UserError
from maskgen.formats.containers import open_tar
from maskgen.formats.faults import ContainerError
from maskgen.formats.range_reads import open_sequential
from maskgen.formats.recordio.index import load_index
from maskgen.formats.recordio.people import record_people
from maskgen.formats.recordio.stream import label_text
from maskgen.formats.tars.people import folder_of, photographs
from maskgen.manifests.list_alignment import alignment_of_list
from maskgen.manifests.lists import read_columns, refuse_unfinished, require_columns
from maskgen.manifests.schema import EVAL_DIFF, EVAL_SAME, IMAGE_COLUMNS, PAIR_COLUMNS, TRAIN, Ints

REC = "train.rec"
_TARS = (".tar", ".tar.gz", ".tgz")


@dataclass(frozen=True, slots=True)
class TrainingList:
    """Training pictures.

    Attributes:
        root: base of relative addresses.
        addresses: large_string (n,), for `maskgen.formats.reading`.
        targets: int64 (n,), 0 to n_classes - 1, each with at least one picture.
        labels: the person of each target, as in the list.
        digest: changes with the list.
        alignment: of the crops, see `core.alignment_names`; "" if unknown.
    """

    root: Path
    addresses: Any
    targets: Ints
    labels: tuple[str, ...]
    digest: str
    alignment: str = ""

    def __len__(self) -> int:
        return len(self.targets)

    def numbers(self) -> tuple[int, ...]:
        """Each target's number in the list; its index if people have names."""
        if all(label.isascii() and label.isdecimal() for label in self.labels):
            return tuple(map(int, self.labels))
        return tuple(range(len(self.labels)))

    def counts(self) -> Ints:
        """The number of pictures of each target, int64 (n_classes,)."""
        return np.bincount(self.targets, minlength=len(self.labels)).astype(np.int64)


@dataclass(frozen=True, slots=True)
class EvalPairs:
    """Evaluation pairs: `same` and `different`, int64 (n, 2), are rows of `addresses`, which has each picture once.

    `alignment` is that of the crops, "" if unknown.
    """

    root: Path
    addresses: Any
    same: Ints
    different: Ints
    digest: str
    alignment: str = ""


def read_training_list(data: Path, least: int = 2) -> TrainingList:
    """Read the training list of `data`.

    Raises:
        UserError: there is no list, it cannot be read, is unfinished, or has fewer people than `least`.
    """
    source = _source(data)
    here = source if source.is_dir() else source.parent
    for folder in (here, here.parent):  # of tars in a folder of their own
        refuse_unfinished(folder)
    try:
        found = _read(source)
    except ContainerError as fault:
        raise UserError(f"{source} cannot be read: {fault}.") from None
    if not len(found):
        raise UserError(f"{source} holds no pictures: name a list that `maskgen pairs` wrote, or a set of pictures.")
    if len(found.labels) < least:
        raise UserError(f"{source} holds pictures of 1 person: training needs at least two people.")
    return found


def _source(data: Path) -> Path:
    if data.is_file():
        return data
    if not data.is_dir():
        raise UserError(f"{data} is not there: give a folder that `maskgen pairs` wrote, or a .rec or tars.")
    for name in (TRAIN, REC):
        if (data / name).is_file():
            return data / name
    return data


def _read(source: Path) -> TrainingList:
    name = source.name.lower()
    if name.endswith(".csv"):
        return _from_csv(source)
    if name.endswith(".rec"):
        return _from_rec(source)
    if name.endswith(_TARS) and source.is_file():
        return _from_tars(source.parent, [source])
    if source.is_file():
        raise UserError(f"{source} is not a known list: give a .csv, a .rec, a .tar, or a folder of them.")
    tars = sorted(path for path in source.iterdir() if path.name.lower().endswith(_TARS))
    if not tars:
        raise UserError(f"{source} holds no {TRAIN}, no {REC} and no tars: give a folder that `maskgen pairs` wrote.")
    return _from_tars(source, tars)


def _from_csv(path: Path) -> TrainingList:
    columns = read_columns(path, IMAGE_COLUMNS[:1])
    if set(PAIR_COLUMNS[2:]) & set(columns):
        raise UserError(f"{path} is a list of pairs: give a list of single pictures, as {TRAIN}.")
    require_columns(path, columns, IMAGE_COLUMNS)
    return _listed(path.parent, columns["path"], columns["target"].to_pylist(), path.read_bytes())


def _from_rec(rec: Path) -> TrainingList:
    pieces = open_sequential(rec)
    people = record_people(rec, pieces, load_index(rec, pieces))
    addresses = pa.array([f"{rec.name}/{number}" for number in people.ids.tolist()], pa.large_string())
    labels = [label_text(label) for label in people.labels.tolist()]
    content = people.labels.tobytes() + people.ids.tobytes() + people.offsets.tobytes()
    return _listed(rec.parent, addresses, labels, content)


def _from_tars(root: Path, tars: Sequence[Path]) -> TrainingList:
    found = [(address, person) for tar in tars for address, person in _in_tar(tar)]
    addresses = pa.array([address for address, _ in found], pa.large_string())
    content = "\n".join(f"{address}\0{person}" for address, person in found).encode("utf-8", "surrogatepass")
    return _listed(root, addresses, [person for _, person in found], content)


def _in_tar(tar: Path) -> Iterator[tuple[str, str]]:
    """The address and the person of each photograph of a tar.

    Raises:
        UserError: it is damaged: what is missing would change the labels of all people.
    """
    try:
        found, fault = photographs(open_tar(tar))
    except ContainerError as error:
        found, fault = [], str(error)
    if fault:
        raise UserError(f"{tar} cannot be read: {fault}.")
    for one in found:
        yield f"{tar.name}/{one.name}", one.person or folder_of(one.name) or tar.name.partition(".")[0]


def _listed(root: Path, addresses: Any, people: Sequence[str], content: bytes) -> TrainingList:
    """The list with people numbered from 0: by value if all are numbers, else by name."""
    names = sorted(set(people), key=_order(people))
    number = {name: at for at, name in enumerate(names)}
    targets = np.fromiter((number[person] for person in people), np.int64, len(people))
    alignment = alignment_of_list(root, addresses)
    return TrainingList(root, addresses, targets, tuple(names), hashlib.sha256(content).hexdigest(), alignment)


def _order(people: Sequence[str]) -> Any:
    numbers = all(person.isascii() and person.isdecimal() for person in people)
    return (lambda name: (int(name), name)) if numbers else (lambda name: (0, name))


def read_eval_pairs(data: Path) -> tuple[EvalPairs | None, str]:
    """Read the evaluation pairs beside the training list; None and the reason if a list is missing or has no rows.

    Raises:
        UserError: a list cannot be read.
    """
    here = data if data.is_dir() else data.parent
    for folder in (here, here.parent):
        if (folder / EVAL_SAME).is_file() and (folder / EVAL_DIFF).is_file():
            pairs = _pairs(folder)
            empty = [name for name, own in ((EVAL_SAME, pairs.same), (EVAL_DIFF, pairs.different)) if not len(own)]
            if empty:
                return None, f"{' and '.join(empty)} {'has' if len(empty) == 1 else 'have'} no rows"
            return pairs, ""
    missing = [f"no {name}" for name in (EVAL_SAME, EVAL_DIFF) if not (here / name).is_file()]
    return None, f"there is {' and '.join(missing)} beside the list"


def _pairs(folder: Path) -> EvalPairs:
    columns = [read_columns(folder / name, PAIR_COLUMNS) for name in (EVAL_SAME, EVAL_DIFF)]
    flat = pa.concat_arrays([table[name] for table in columns for name in ("path", "pair_path")])
    encoded = flat.dictionary_encode()
    rows = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    lengths = [len(table["path"]) for table in columns]
    content = b"".join((folder / name).read_bytes() for name in (EVAL_SAME, EVAL_DIFF))
    same, different = _twos(rows[: 2 * lengths[0]]), _twos(rows[2 * lengths[0] :])
    addresses = encoded.dictionary.cast(pa.large_string())
    alignment = alignment_of_list(folder, addresses)
    return EvalPairs(folder, addresses, same, different, hashlib.sha256(content).hexdigest(), alignment)


def _twos(rows: NDArray[np.int64]) -> Ints:
    """First rows followed by second rows, reshaped to (first, second)."""
    return np.ascontiguousarray(rows.reshape(2, -1).T)
