"""Of several processes of one training, one tells what all of them found."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from maskgen.core.reasons import UserError


class ToldElsewhereError(UserError):
    """A fault of which another process tells.

    torchrun ends all processes as soon as one has failed, so one that has nothing to tell must not be the first to end.
    """


def is_first() -> bool:
    """Whether this is the first of all processes, or the only one."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def told_once() -> Iterator[None]:
    """Faults of the block are those of all of a machine's processes; the last of them tells.

    Raises:
        ToldElsewhereError: in the others. The last one, as it also has no GPU where there are too few.
    """
    try:
        yield
    except UserError as error:
        last = int(os.environ.get("LOCAL_WORLD_SIZE", "1")) - 1
        if os.environ.get("LOCAL_RANK", str(last)) == str(last):
            raise
        raise ToldElsewhereError(str(error)) from None
