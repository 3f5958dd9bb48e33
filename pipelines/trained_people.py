"""The people that a model was trained on, if it names them, and their overlap with a benchmark.

`maskgen train` writes people.txt beside its checkpoints, one name a line.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgen.core.reasons import UserError, why_unreadable

TRAINED_PEOPLE = "people.txt"
_NOT_SAID = "the model does not name the people that it was trained on."


def names_of(data: Path) -> list[str]:
    """The names of the training people, sorted, from people.csv of `maskgen pairs`; empty without one.

    Args:
        data: the folder of the lists, or one list.
    """
    from maskgen.manifests.csv_table import read_csv
    from maskgen.manifests.schema import PEOPLE, Split

    path = (data if data.is_dir() else data.parent) / PEOPLE
    if not path.is_file():
        return []
    try:
        columns = read_csv(path).columns
    except (ValueError, OSError) as error:
        raise UserError(f"{path} cannot be read: {why_unreadable(error)}.") from None
    if not {"person", "split"} <= set(columns):
        raise UserError(f"{path} has no columns person and split: it was not written by `maskgen pairs`.")
    rows = zip(columns["person"].to_pylist(), columns["split"].to_pylist(), strict=True)
    # A line break in a folder's name would be two names.
    return sorted({" ".join(str(name).split()) for name, split in rows if split == Split.TRAIN})


@dataclass(frozen=True, slots=True)
class TrainedPeople:
    """Names as in the training lists; None where unknown."""

    names: tuple[str, ...] | None

    def overlap(self, people: Iterable[str]) -> dict[str, Any]:
        """The people in both, ignoring separators in names (`Ann_Lee` is `AnnLee`)."""
        if self.names is None:
            return self.unknown()
        known = {_plain(name) for name in self.names}
        return {"people": sorted(person for person in set(people) if _plain(person) in known)}

    def unknown(self) -> dict[str, Any]:
        """The reason why nothing can be compared."""
        reason = _NOT_SAID if self.names is None else "the benchmark does not name its people."
        return {"people": None, "reason": reason}


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
