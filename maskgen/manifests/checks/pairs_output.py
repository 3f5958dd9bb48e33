"""What lies beside the lists that `maskgen pairs` wrote: their people and their report."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgen.core.reasons import UserError

from ..schema import PEOPLE, PEOPLE_COLUMNS, REPORT
from ..table import read_csv


@dataclass(frozen=True, slots=True)
class PairsOutput:
    """What lies beside the lists: people.csv, as person and split by target, and how the pairs were drawn."""

    people: dict[int, tuple[str, str]] | None
    protocol: str | None
    allow_same_source: bool | None

    @property
    def reference(self) -> bool:
        """Whether people may be in eval and in test, as the reference protocol has them."""
        return self.protocol == "reference"


def read_pairs_output(folder: Path) -> PairsOutput:
    """Read people.csv and report.json, where they are there.

    Raises:
        UserError: people.csv is no such file.
    """
    report = _report(folder)
    allow = report.get("settings", {}).get("--allow-same-source") if report else None
    return PairsOutput(_people(folder / PEOPLE), report.get("protocol"), allow)


def absent_lists(folder: Path) -> list[str]:
    """Files that report.json says were written and that are not there."""
    rows = _report(folder).get("rows", {})
    names = [name for name in rows if not (folder / name).exists()] if isinstance(rows, dict) else []
    return sorted(names)


def _report(folder: Path) -> dict[str, Any]:
    try:
        report = json.loads((folder / REPORT).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return report if isinstance(report, dict) and "protocol" in report else {}


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
