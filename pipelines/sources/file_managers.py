"""Files that a file manager writes beside photographs: they are passed over and counted."""

from __future__ import annotations

from maskgen.core.reasons import counted

_NAMES = (".ds_store", "thumbs.db", "desktop.ini")
_INITIALS = "._TtDd"  # of their names; the others need not be looked at


def is_of_file_manager(name: str) -> bool:
    """Whether a file manager wrote the file of this name; `._1.jpg` holds what macOS knows of `1.jpg`."""
    return name[:1] in _INITIALS and (name.startswith("._") or name.lower() in _NAMES)


def note_of(passed_over: int) -> tuple[str, ...]:
    """The message about so many files; none for none."""
    if not passed_over:
        return ()
    told = counted(passed_over, "file of a file manager is", "files of a file manager are")
    return (f"{told} passed over (.DS_Store, Thumbs.db, desktop.ini, ._*).",)
