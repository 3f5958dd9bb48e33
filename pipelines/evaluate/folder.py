"""The report's folder of `maskgen evaluate`: its files, and what may be in it at the start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maskgen.core.reasons import UserError

from ..checks import show_path
from ..folder_owner import Owner, owner_of, read_or_empty, refuse_other_owner
from ..interrupts import tidied
from ..reports.page.page import NAME as PAGE
from ..runs.lock import LOCK, hold

PLOTS = DISTANCES, ROC, DET, CONFUSION = "distances.png", "roc.png", "det.png", "confusion.png"
PEOPLE = "identified.csv"  # of an evaluation with --gallery
ERRORS = "errors.png"
UNREADABLE, TEXT, RESULTS = "unreadable.csv", "results.md", "results.json"
FILES = (*PLOTS, PEOPLE, ERRORS, UNREADABLE, PAGE, TEXT, RESULTS)
# Lists by which the folder of lists, or of a gallery, is evaluated: named or not, it is the same data.
OWN_LISTS = ("test.csv", "gallery.csv")
# There while an evaluation writes: its files may be replaced. Other programs write a roc.png, too.
UNFINISHED = "unfinished.txt"


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Make the report's folder and hold it while the block runs; removed again where a failed block left it empty.

    Raises:
        UserError: another evaluation works in it.
    """
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)

    def remove() -> None:
        if new and [path.name for path in folder.iterdir()] == [LOCK]:
            (folder / LOCK).unlink()
            for one in new:
                if not any(one.iterdir()):
                    one.rmdir()

    try:
        with hold(folder / LOCK), tidied(remove):
            yield
    except BaseException:
        remove()
        raise


def refuse_report(folder: Path) -> None:
    """Raise UserError unless the folder is missing, empty, or that of an evaluation, finished or not."""
    from maskgen.core.atomic_writes import finished_name

    refuse_other_owner(folder, Owner.EVALUATE, "--report")
    if not folder.is_dir() or owner_of(folder) is Owner.EVALUATE:
        return
    there = {finished_name(path.name) for path in folder.iterdir()}
    known = {UNFINISHED, LOCK, *(FILES if (folder / UNFINISHED).is_file() else ())}
    if strangers := there - known:
        raise UserError(
            f"--report {show_path(folder)} holds files that no evaluation wrote (such as {min(strangers)}): name a new "
            "or empty folder."
        )


def refuse_replacing(folder: Path, model: str, data: Path) -> None:
    """Raise UserError where a folder that nobody named holds the results of another model or of other data.

    Args:
        data: the folder or file that is evaluated.
    """
    found = read_or_empty(folder / RESULTS)
    judged = (found.get("benchmark") or {}).get("folder") or found.get("gallery") or found.get("data") or ""
    given = (found.get("model") or {}).get("given", "")
    for was, now in ((judged, str(data)), (given, model)):
        if _differ(was, now):
            raise UserError(f"{show_path(folder)} holds the results of {was}: name a folder with --report.")


def _differ(was: str, now: str) -> bool:
    """Whether both paths are there and are not the same; a list of `OWN_LISTS` is its folder.

    A path that is no longer there may be that of a folder that has moved, or of a start in another folder.
    """
    first, second = (path.parent if path.name in OWN_LISTS else path for path in (Path(was), Path(now)))
    return bool(was) and was != now and first.exists() and second.exists() and not first.samefile(second)
