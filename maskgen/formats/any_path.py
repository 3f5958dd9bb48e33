"""Paths of files: local, or in an object store through fsspec.

A `RemotePath` has the methods of `Path` that runs and sources need, so that most code works with both.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from maskgen.core.extras import need
from maskgen.core.reasons import UserError

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
# The package that fsspec needs for each scheme, and the extra that installs it.
_NEEDS = {"s3": ("s3fs", "s3"), "s3a": ("s3fs", "s3"), "gs": ("gcsfs", "gs"), "gcs": ("gcsfs", "gs")}
_NEEDS |= {"hf": ("huggingface_hub", "hf")}


@dataclass(frozen=True, slots=True, order=True)
class RemotePath:
    """A file or a folder of an object store, by its address: `s3://bucket/folder/file`, no `/` at its end."""

    url: str

    def __truediv__(self, name: object) -> RemotePath:
        """A path below; a complete address stays unchanged."""
        text = str(name)
        return (
            RemotePath(text)
            if is_remote(text)
            else RemotePath(f"{self.url.rstrip('/')}/{text.lstrip('/')}".rstrip("/"))
        )

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The part after the last `/`."""
        return self.url.partition("://")[2].rpartition("/")[2]

    @property
    def parts(self) -> tuple[str, ...]:
        """Bucket, folders and name."""
        return tuple(self.url.partition("://")[2].split("/"))

    @property
    def suffix(self) -> str:
        """As `Path.suffix`."""
        return Path(self.name).suffix

    @property
    def parent(self) -> RemotePath:
        """The folder that holds it; a bucket's is itself."""
        scheme, _, rest = self.url.partition("://")
        return RemotePath(f"{scheme}://{rest.rpartition('/')[0] or rest}")

    def with_suffix(self, suffix: str) -> RemotePath:
        """As `Path.with_suffix`."""
        return self.parent / Path(self.name).with_suffix(suffix).name

    def resolve(self) -> RemotePath:
        """Itself: addresses are absolute."""
        return self

    def absolute(self) -> RemotePath:
        """Itself."""
        return self

    def is_relative_to(self, other: object) -> bool:
        """Whether it is the other path or below it."""
        return self.url == str(other) or self.url.startswith(f"{other}/")

    def exists(self) -> bool:
        """Whether there is an object of this name, or any below it."""
        with self._told() as (files, path):
            return bool(files.exists(path))

    def is_file(self) -> bool:
        """Whether there is an object of this name."""
        with self._told() as (files, path):
            return bool(files.isfile(path))

    def is_dir(self) -> bool:
        """Whether there are objects below it."""
        with self._told() as (files, path):
            return bool(files.isdir(path))

    def size(self) -> int:
        """Its bytes."""
        with self._told() as (files, path):
            return int(files.info(path)["size"])

    def read_bytes(self, start: int | None = None, end: int | None = None) -> bytes:
        """The whole object, or the bytes from `start` up to `end`."""
        with self._told() as (files, path):
            return bytes(files.cat_file(path, start=start, end=end))

    def read_text(self, encoding: str = "utf-8") -> str:
        """The whole object as text."""
        return self.read_bytes().decode(encoding)

    def write_bytes(self, data: bytes, new: bool = False) -> None:
        """Write it atomically.

        Raises:
            FileExistsError: with `new`, if it exists.
        """
        with self._told() as (files, path):
            files.pipe_file(path, data, mode="create" if new else "overwrite")
            files.invalidate_cache()

    def upload(self, file: Path) -> None:
        """Upload a local file, in parts if it is large."""
        with self._told() as (files, path):
            files.put_file(str(file), path)
            files.invalidate_cache()

    def open(self, mode: str = "rb") -> IO[bytes]:
        """Open it for random access."""
        with self._told() as (files, path):
            opened: IO[bytes] = files.open(path, mode)
            return opened

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove it."""
        try:
            with self._told() as (files, path):
                files.rm_file(path)
                files.invalidate_cache()
        except FileNotFoundError:
            if not missing_ok:
                raise

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:
        """Do nothing: an object store has no folders."""

    def names(self) -> list[str]:
        """The names of the files directly in it; none if it does not exist."""
        try:
            with self._told() as (files, path):
                found = files.ls(path, detail=True, refresh=True)
        except FileNotFoundError:
            return []
        return [one["name"].rpartition("/")[2] for one in found if one["type"] == "file" and one["name"] != path]

    def walk(self) -> list[str]:
        """Every file at any depth, by its path below this one; none if it does not exist."""
        with self._told() as (files, path):
            start = files._strip_protocol(path).rstrip("/") + "/"
            return [name.removeprefix(start) for name in files.find(path) if name.startswith(start)]

    @contextmanager
    def _told(self) -> Iterator[tuple[Any, str]]:
        """The store and the path in it; errors become OSErrors that name the address."""
        files, path = _store(self.url)
        try:
            yield files, path
        except FileNotFoundError:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.url) from None
        except OSError as fault:
            # Exceptions of the stores' libraries have other arguments; errno alone selects the right class.
            kind = type(fault) if fault.errno is None and type(fault).__module__ == "builtins" else OSError
            raise kind(fault.errno or errno.EIO, fault.strerror or _first_line(fault), self.url) from fault
        except (UserError, NotImplementedError):
            raise
        except Exception as fault:  # the stores' libraries raise a hundred kinds of exceptions
            raise OSError(errno.EIO, _first_line(fault), self.url) from fault


AnyPath = Path | RemotePath


def is_remote(text: str) -> bool:
    """Whether a path is an address: `s3://...`."""
    return _ADDRESS.match(text) is not None


def any_path(text: str | Path | RemotePath) -> AnyPath:
    """Parse a path or an address; `file://` is local.

    Example:
        >>> any_path("s3://bucket/faces/")
        RemotePath(url='s3://bucket/faces')

    Raises:
        UserError: the scheme is not supported.
    """
    if isinstance(text, (Path, RemotePath)):
        return text
    if text.lower().startswith("file://"):
        return Path(text[len("file://") :])
    if not is_remote(text):
        return Path(text)
    scheme, _, rest = text.partition("://")
    if not rest.strip("/"):
        raise UserError(f"{text} names no bucket: write {scheme}://BUCKET/FOLDER.")
    return RemotePath(f"{scheme.lower()}://{rest.strip('/')}")


def check_path_readable(where: AnyPath) -> None:
    """Raise UserError where the package for an address is not installed, or the scheme is not supported."""
    if isinstance(where, RemotePath):
        _store(where.url)


def _store(url: str) -> tuple[Any, str]:
    """fsspec's file system for an address, and the path in it."""
    scheme = url.partition("://")[0]
    if scheme in _NEEDS:
        files = _files(scheme, os.getpid())
        return files, files._strip_protocol(url)
    try:
        if scheme in ("http", "https"):  # fsspec reads these, but their folders cannot be listed
            raise ValueError("it is a web page, which has no folders")
        if scheme in ("ftp", "ftps", "sftp", "ssh", "smb"):
            raise ValueError("it is a file server, not an object store; mount it")
        files, path = need("fsspec.core", "s3").url_to_fs(url)
    except (ValueError, ImportError) as error:
        known = ", ".join(f"{name}://" for name in ("s3", "gs", "hf"))
        raise UserError(f"{url} cannot be read ({_first_line(error)}): give a folder, or {known}.") from error
    except OSError as error:
        raise OSError(error.errno or errno.EIO, error.strerror or _first_line(error), url) from error
    return files, path


@lru_cache
def _files(scheme: str, process: int) -> Any:
    """One file system for all threads of a process; fsspec would create one per thread, each with its connections."""
    del process
    need(*_NEEDS[scheme])
    # No cache of listings where other processes write; read-only sources are cached.
    kept = {} if scheme == "hf" else {"use_listings_cache": False}
    return need("fsspec", _NEEDS[scheme][1]).filesystem(scheme, **kept)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0].rstrip(". ") or type(error).__name__
