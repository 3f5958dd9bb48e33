"""What is wrong with a container as a whole."""

from __future__ import annotations


class ContainerError(ValueError):
    """A container that cannot be read; the message says why, in words that follow the container's name.

    Example:
        >>> str(ContainerError("it ends in the middle of a record"))
        'it ends in the middle of a record'
    """
