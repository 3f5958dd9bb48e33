"""people.csv and report.json beside lists of `maskgen pairs`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgen.core.reasons import UserError

from ..csv_table import read_csv
from ..report import stored_report
from ..schema import PEOPLE, PEOPLE_COLUMNS


@dataclass(frozen=True, slots=True)
class PairsOutput:
    """The content of people.csv, as person and split by target, and of report.json.

    Attributes:
        leaked: photographs that are, byte for byte, in training and in evaluation; `--allow-leak` allowed them.
        such: some of them by their names.
    """

    people: dict[int, tuple[str, str]] | None
    protocol: str | None
    allow_same_source: bool | None
    leaked: int = 0
    such: tuple[str, ...] = ()

    @property
    def reference(self) -> bool:
        """Whether the reference protocol was used, which allows people in both eval and test."""
        return self.protocol == "reference"


def read_pairs_output(folder: Path) -> PairsOutput:
    """Read people.csv and report.json if they exist.

    Raises:
        UserError: people.csv is invalid, or report.json is damaged.
    """
    report = stored_report(folder)
    allow = report.get("settings", {}).get("--allow-same-source") if report else None
    return PairsOutput(_people(folder / PEOPLE), report.get("protocol"), allow, *_leaked(report))


def _leaked(report: dict[str, Any]) -> tuple[int, tuple[str, ...]]:
    leaks = report.get("leaks")
    if not isinstance(leaks, dict):
        return 0, ()
    found, such = leaks.get("photographs_in_training_and_evaluation"), leaks.get("such_photographs")
    return found if isinstance(found, int) else 0, tuple(map(str, such)) if isinstance(such, list) else ()


def absent_lists(folder: Path) -> list[str]:
    """Files that report.json names and that are missing.

    Raises:
        UserError: report.json is damaged.
    """
    rows = stored_report(folder).get("rows", {})
    names = [name for name in rows if not (folder / name).exists()] if isinstance(rows, dict) else []
    return sorted(names)


def _people(path: Path) -> dict[int, tuple[str, str]] | None:
    """Person and split by target."""
    if not path.is_file():
        return None
    try:
        columns = read_csv(path).columns
        values = [columns[name].to_pylist() for name in PEOPLE_COLUMNS]
        return {int(target): (name, split) for target, name, _, _, split in zip(*values, strict=True)}
    except (ValueError, KeyError) as error:
        raise UserError(f"{path} is not a people.csv of `maskgen pairs` ({error}): write it again.") from error
