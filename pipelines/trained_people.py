"""The people that a model was trained on, if it names them, and their overlap with those that it is judged on.

`maskgen train` writes people.txt beside its checkpoints, one name a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgen.core.reasons import UserError, why_unreadable

TRAINED_PEOPLE = "people.txt"
_NOT_SAID = "the model does not name the people that it was trained on."
_LISTS = "the lists do not name their people (there is no people.csv of `maskgen pairs` beside them)."


def names_of(data: Path) -> list[str]:
    """The names of the training people, sorted, from people.csv of `maskgen pairs`; empty without one.

    Args:
        data: the folder of the lists, or one list.
    """
    from maskgen.manifests.schema import PEOPLE, Split

    columns = _people_csv(data)
    if not columns:
        return []
    if not {"person", "split"} <= set(columns):
        path = (data if data.is_dir() else data.parent) / PEOPLE
        raise UserError(f"{path} has no columns person and split: it was not written by `maskgen pairs`.")
    rows = zip(columns["person"].to_pylist(), columns["split"].to_pylist(), strict=True)
    return sorted({_one_line(name) for name, split in rows if split == Split.TRAIN})


def names_of_targets(data: Path, targets: Sequence[int]) -> list[str] | None:
    """The names of these people of lists, from people.csv; None if it is missing or does not have one of them.

    Args:
        data: the folder of the lists, or one list.
        targets: the numbers of people in the lists.
    """
    columns = _people_csv(data)
    if not {"target", "person"} <= set(columns):
        return None
    rows = zip(columns["target"].to_pylist(), columns["person"].to_pylist(), strict=True)
    names = {target: _one_line(name) for target, name in rows}
    found = [names.get(str(target)) for target in targets]
    return None if None in found else [name for name in found if name is not None]


def _people_csv(data: Path) -> Mapping[str, Any]:
    """The columns of people.csv beside lists; empty without one.

    Raises:
        UserError: it cannot be read.
    """
    from maskgen.manifests.csv_table import read_csv
    from maskgen.manifests.schema import PEOPLE

    path = (data if data.is_dir() else data.parent) / PEOPLE
    if not path.is_file():
        return {}
    try:
        return read_csv(path).columns
    except (ValueError, OSError) as error:
        raise UserError(f"{path} cannot be read: {why_unreadable(error)}.") from None


def _one_line(name: str) -> str:
    """A name for people.txt, where the line break in a folder's name would make two names."""
    return " ".join(name.split())


@dataclass(frozen=True, slots=True)
class TrainedPeople:
    """Names as in the training lists; None where unknown."""

    names: tuple[str, ...] | None

    def overlap(self, people: Iterable[str]) -> dict[str, Any]:
        """The people in both, ignoring separators in names (`Ann_Lee` is `AnnLee`), and the number `of` all judged."""
        if self.names is None:
            return self.unknown(_NOT_SAID)
        known, judged = {_plain(name) for name in self.names}, set(people)
        return {"people": sorted(person for person in judged if _plain(person) in known), "of": len(judged)}

    def unknown(self, reason: str) -> dict[str, Any]:
        """The reason why nothing can be compared.

        Args:
            reason: of those whom the model is judged on.
        """
        return {"people": None, "reason": _NOT_SAID if self.names is None else reason}

    def overlap_of_lists(self, data: Path, targets: Sequence[int]) -> dict[str, Any]:
        """As `overlap`, for people of the lists of `maskgen pairs`; see `names_of_targets`."""
        people = names_of_targets(data, targets)
        return self.unknown(_LISTS) if people is None else self.overlap(people)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.rpartition("/")[2].lower() if letter.isalnum())


def trained_people(model: str) -> TrainedPeople:
    """The people of a model: of a `maskgen train` run from its people.txt, of `masked` from the list with its weights.

    Args:
        model: as `maskgen evaluate` takes it.
    """
    from maskgen.embedders.masked import NAME as MASKED
    from maskgen.embedders.masked import trained_on

    if model == MASKED:
        return TrainedPeople(trained_on())
    folder = Path(model)
    for place in (folder, folder.parent):
        if (place / TRAINED_PEOPLE).is_file():
            return TrainedPeople(tuple(_names_in(place / TRAINED_PEOPLE)))
    return TrainedPeople(None)


def _names_in(path: Path) -> list[str]:
    """The names of a people.txt.

    Raises:
        UserError: it is damaged.
    """
    try:
        return path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise UserError(f"{path} is damaged (it is not UTF-8): put a copy of it back, or remove it.") from None
