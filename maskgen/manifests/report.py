"""report.json of `maskgen pairs`, read back beside its lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from maskgen.core.checksummed_json import CHECKSUM, parse, parse_checksummed
from maskgen.core.reasons import UserError

from .schema import REPORT


def stored_report(folder: Path) -> dict[str, Any]:
    """The report beside lists; empty if there is none, or one of another program.

    Raises:
        UserError: it is damaged.
    """
    try:
        data = (folder / REPORT).read_bytes()
    except OSError:
        return {}
    try:
        report = parse(data)
        # version 0.1.0 wrote none
        return parse_checksummed(data) if CHECKSUM in report else report if "protocol" in report else {}
    except ValueError as error:
        raise UserError(
            f"{folder / REPORT} is damaged ({error}): write the lists again, or remove it to go on without."
        ) from None
