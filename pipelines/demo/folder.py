"""OUT of `maskgen demo`: its entries, and what may be in it at the start."""

from __future__ import annotations

from pathlib import Path

from maskgen.core.reasons import UserError

from ..checks import show_path
from ..folder_owner import COMMAND, SETTINGS, Owner, owner_of, refuse_other_owner
from ..runs.json_files import checksummed_bytes

SAMPLE, RUN, LISTS = "sample", "masked", "manifests"


def refuse_out(out: Path) -> None:
    """Raise UserError unless OUT is missing, empty, or that of a demo, finished or not."""
    from maskgen.core.atomic_writes import finished_name

    refuse_other_owner(out, Owner.DEMO, "OUT")
    if not out.is_dir() or owner_of(out) is Owner.DEMO:
        return
    known = {SETTINGS}
    if owner_of(out / RUN) is Owner.MASK:  # earlier versions wrote no settings.json
        known |= {SAMPLE, RUN, LISTS}
    if strangers := {finished_name(path.name) for path in out.iterdir()} - known:
        raise UserError(
            f"OUT {show_path(out)} holds files that no demo wrote (such as {min(strangers)}): name a new or empty "
            "folder."
        )


def begin(out: Path) -> None:
    """Make OUT and mark it as that of a demo."""
    from maskgen.core.atomic_writes import remove_parts_of, write_atomic

    out.mkdir(parents=True, exist_ok=True)
    remove_parts_of(out / SETTINGS)
    write_atomic(out / SETTINGS, checksummed_bytes({COMMAND: Owner.DEMO}))
