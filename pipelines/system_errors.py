"""Errors of the operating system as sentences for the user, and interruptions that other errors hide."""

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


def was_interrupted(error: BaseException) -> bool:
    """Whether an error is an interruption (Ctrl+C), or was raised on the way of one.

    Libraries turn an interruption into a fault of their own, as PyTorch's exporter does, and Python 3.11 where it comes
    while a class is made.
    """
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, KeyboardInterrupt):
            return True
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            waiting += [one.__cause__, one.__context__]
    return False
