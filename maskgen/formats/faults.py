"""The exception for unreadable containers."""

from __future__ import annotations


class ContainerError(ValueError):
    """A container that cannot be read; the message is a clause to follow the container's name.

    Example:
        >>> str(ContainerError("it ends in the middle of a record"))
        'it ends in the middle of a record'
    """
