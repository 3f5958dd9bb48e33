"""OUT of a gallery: its paths, the check before writing, and atomic writes.

faces/PERSON/bare|masked/NAME.jpg       aligned
originals/PERSON/bare|masked/FILE       on request, the original photographs
gallery.csv, people.csv, set_aside.csv, warnings.csv, contact_sheet.png, report.html, report.json    written last
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maskgen.core.reasons import UserError

from ..checks import differences
from ..folder_owner import SETTINGS, Owner, refuse_other_owner
from ..reports.progress import Notify
from ..runs.json_files import read_json, read_settings, remove, settings_bytes
from .report import FILE_BYTES
from .settings import GALLERY, PHOTOGRAPHS

PEOPLE, SET_ASIDE, WARNINGS = "people.csv", "set_aside.csv", "warnings.csv"
SHEET, PAGE, REPORT = "contact_sheet.png", "report.html", "report.json"
COLUMNS = {
    GALLERY: ("path", "target", "person", "masked", "role", "source", "width", "height", "box", "score", "alignment"),
    PEOPLE: ("target", "person", "bare", "masked", "as_expected"),
    SET_ASIDE: ("path", "reason", "detail"),
    WARNINGS: ("path", "source", "said", "looks", "score"),
}
_OURS = ("faces", "originals", GALLERY, PEOPLE, SET_ASIDE, WARNINGS, SHEET, PAGE, REPORT, SETTINGS)


@dataclass(frozen=True, slots=True)
class GalleryFolder:
    """The output folder of a gallery."""

    root: Path

    @property
    def lock(self) -> Path:
        """The lock of the process that writes here."""
        return self.root / ".lock"

    def refuse_other_owner(self) -> None:
        """Raise UserError where the folder is not for galleries, also with --overwrite."""
        refuse_other_owner(self.root, Owner.GALLERY, "OUT")

    def begin(self, deciding: Mapping[str, object], overwrite: bool, notify: Notify) -> dict[str, Any] | None:
        """Prepare the folder for these settings; returns the report if the gallery is already finished.

        A finished gallery of which a file is missing or has another size than was written is made again.

        Raises:
            UserError: the folder holds other files, or a gallery with other settings.
        """
        from maskgen.core.atomic_writes import remove_parts

        self.refuse_other_owner()
        stored = read_settings(self.root)
        remove_parts(self.root, "*" if stored is not None else SETTINGS)
        if overwrite and stored is not None:
            remove(self.root, _OURS)
        elif stored is not None:
            if differing := differences(_others(stored), _others(deciding)):
                raise UserError(
                    f"{self.root} holds a gallery with other settings: {', '.join(differing)}. "
                    "Choose another OUT, or give --overwrite."
                )
            was, now = stored.get(PHOTOGRAPHS), deciding.get(PHOTOGRAPHS)
            if was != now:
                raise UserError(
                    f"{self.root} holds a gallery, and {_change(str(was), str(now))} since: give --overwrite to make "
                    "it again, or choose another OUT."
                )
            if (done := read_json(self.root / REPORT)) is not None:
                if not (why := self._damage(done)):
                    return done
                notify(f"{self.root}: {why}; the gallery is made again.")
                (self.root / REPORT).unlink()
        elif any(path.name != self.lock.name for path in self.root.iterdir()):
            raise UserError(f"OUT {self.root} holds files that no gallery wrote: choose an empty or new folder.")
        self.place(SETTINGS, settings_bytes(Owner.GALLERY, deciding))
        return None

    def sizes(self, paths: Iterable[str]) -> dict[str, int]:
        """Bytes of these files and of the tables and the sheet, by path; without the page, whose size varies."""
        from maskgen.formats.local_or_remote_files import size_of

        found = {name: size_of(self.root / name) for name in (*paths, GALLERY, PEOPLE, SET_ASIDE, WARNINGS, SHEET)}
        return {name: size for name, size in found.items() if size >= 0}

    def _damage(self, report: Mapping[str, Any]) -> str:
        """What is wrong with a file of a finished gallery; "" for nothing."""
        from maskgen.formats.local_or_remote_files import different_file

        sizes = report.get(FILE_BYTES, {})  # none in earlier galleries
        return different_file(self.root, sizes) or ("" if (self.root / PAGE).is_file() else f"{PAGE} is missing")

    def place(self, name: str, data: bytes) -> None:
        """Write a file below the folder atomically; the report once all other files are on the disk."""
        from maskgen.core.atomic_writes import write_atomic
        from maskgen.formats.local_or_remote_files import persist

        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name == REPORT:
            persist(self.root)
        write_atomic(path, data, durable=name in (SETTINGS, REPORT))

    def place_table(self, name: str, rows: Iterable[Sequence[object]]) -> None:
        """Write one of the CSV files."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(COLUMNS[name])
        table.writerows(rows)
        self.place(name, text.getvalue().encode())


def _others(settings: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if name != PHOTOGRAPHS}


def _change(was: str, now: str) -> str:
    """What happened to SOURCE between two digests: `54 (HASH)` of photographs, HASH of a run."""
    (before, counted, _), after = was.partition(" ("), now.partition(" (")[0]
    if not counted:
        return "the run in SOURCE was made anew"
    if before == after:
        return f"some of the {before} files of SOURCE, or its people, were changed"
    return f"the {before} files of SOURCE became {after}"
