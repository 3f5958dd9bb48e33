"""Errors of the operating system as sentences for the user."""

from __future__ import annotations

import errno

AGAIN = "give the same command again"


def explain(error: OSError, again: str = AGAIN) -> str:
    """An operating system error as one sentence that says what to do.

    Args:
        again: how the command is repeated.
    """
    where = error.filename or "the output folder or standard output"  # which a full disk may hold, too
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full at {where}: free some space and {again}."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{where} may not be written or read: fix its permissions, or name another folder."
    if error.errno == errno.EMFILE:
        return "Too many files are open: give fewer --workers, or raise the limit (ulimit -n)."
    return f"{where}: {error.strerror or error}. Fix it and {again}."
