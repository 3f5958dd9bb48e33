"""maskgen: turn any face dataset into a masked-face dataset, with the record of every photograph."""

from maskgen._version import __version__

__all__ = ["__version__"]
