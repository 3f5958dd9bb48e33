"""One spelling for each path of lists, so that equal pictures are equal texts."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from maskgen.formats.any_path import AnyPath, RemotePath, is_remote

from ..columns.texts import GrowingTexts
from ..csv_table import joined
from ..schema import Bools

_AT_ONCE = 1 << 18  # paths
# "." at the start, or after a folder; "//"; and ".." after a folder that it leaves.
_ODD = r"^\./|//|/\./|^/\.\./|(?:^|/)(?:[^/.]|\.[^/.]|\.\.[^/])[^/]*/\.\./"


def one_spelling(paths: Any, root: AnyPath) -> tuple[Any, NDArray[np.int32]]:
    """The paths without ".", "//" and "..", large_string (n,); those given if none has any. And codes of their folders.

    Where some are absolute and others are not, all are relative to `root`. Symbolic links are not followed, except in
    `root` itself.

    Args:
        paths: large_string (n,), none of them empty.
        root: base of relative paths.
    """
    spelling = _Spelling.of(paths, root)
    folders, names = _folders(paths)
    odd = spelling.odd_folders(names)  # the folders are far fewer than the paths, and are needed anyway
    if not odd.any() and not spelling.mixed:
        return paths, folders
    texts = GrowingTexts()
    for start, part in zip(range(0, len(paths), _AT_ONCE), _parts(paths), strict=True):
        rows = odd[folders[start : start + _AT_ONCE]]
        texts.add(spelling.spelled(part, rows | _absolute(part) if spelling.mixed else rows))
    alike = texts.array()
    return alike, _folders(alike)[0]


def _folders(paths: Any) -> tuple[NDArray[np.int32], Any]:
    """Codes of the folders of paths, and the folders; in parts, since the texts of all are as large as the paths."""
    parts = [pa.array([], pa.large_string()).dictionary_encode()]
    for part in _parts(paths):
        # A tar is not a person's folder: in a run written in tars, people are spread over them.
        outside = pc.replace_substring_regex(part, r"(?s)[^/]*\.(tar|tgz|tar\.gz)/", "")
        parts.append(pc.replace_substring_regex(outside, r"(?s)/?[^/]*$", "").dictionary_encode())
    alike = pa.chunked_array(parts).unify_dictionaries()
    codes = np.concatenate([part.indices.to_numpy(zero_copy_only=False) for part in alike.chunks])
    return codes, alike.chunks[-1].dictionary


def _parts(paths: Any) -> Iterator[Any]:
    return (paths.slice(start, _AT_ONCE) for start in range(0, len(paths), _AT_ONCE))


@dataclass(frozen=True, slots=True)
class _Spelling:
    """How paths are spelled.

    Attributes:
        bases: the root's folder, with and without its symbolic links; none for an object store.
        mixed: absolute paths become relative ones.
        url: the start of addresses below a root in an object store, else "".
    """

    bases: tuple[str, ...]
    mixed: bool
    url: str

    @classmethod
    def of(cls, paths: Any, root: AnyPath) -> _Spelling:
        """The spelling for these paths."""
        if isinstance(root, RemotePath):
            return cls((), False, f"{root}/")
        absolute = sum(int(_absolute(part).sum()) for part in _parts(paths))
        bases = (root.resolve().as_posix(), root.absolute().as_posix())
        return cls(bases, 0 < absolute < len(paths), "")

    def odd_folders(self, folders: Any) -> Bools:
        """Which of the folders have another spelling, bool (k,)."""
        within = joined(folders, "/")
        found = _bools(pc.match_substring_regex(within, _ODD)) | self._returning(within)
        return found | _starts(within, self.url) if self.url else found

    def _returning(self, paths: Any) -> Bools:
        """Paths that leave the root and enter it, or one of the folders above it, again."""
        found, up = np.zeros(len(paths), np.bool_), ""
        for name in reversed(self.bases[0].strip("/").split("/") if self.bases else ()):
            up += "../"
            found |= _starts(paths, f"{up}{name}/")
        return found

    def spelled(self, paths: Any, odd: Bools) -> Any:
        """The paths with the odd ones in their other spelling; each folder is worked out once."""
        if not odd.any():
            return paths
        mask = pa.array(odd)
        parted = pc.extract_regex(paths.filter(mask), r"(?s)^(?P<folder>.*/|)(?P<name>[^/]*)$")
        folders = parted.field("folder").dictionary_encode()
        other = pa.array([self._folder(text) for text in folders.dictionary.to_pylist()], pa.large_string())
        names = parted.field("name").cast(pa.large_string())
        return pc.replace_with_mask(paths, mask, joined(other.take(folders.indices), names))

    def _folder(self, text: str) -> str:
        """The folder of a path with "/" at its end, or ""."""
        if is_remote(text):
            return text.removeprefix(self.url)
        if self.mixed and _is_absolute(text):
            ways = (posixpath.relpath(_rooted(text), _rooted(base)) for base in self.bases)
            found = min(ways, key=lambda way: way.count("../"))
        elif self.bases and not _is_absolute(text):
            base = _rooted(self.bases[0])
            found = posixpath.relpath(posixpath.join(base, text), base)
        else:
            found = posixpath.normpath(_rooted(text) if text.startswith("/") else text)
        return "" if found == "." else f"{found.rstrip('/')}/"


def _is_absolute(text: str) -> bool:
    return text.startswith("/") or (os.name == "nt" and text[1:2] == ":")


def _absolute(paths: Any) -> Bools:
    found = _starts(paths, "/")
    return found | _bools(pc.match_substring_regex(paths, "^[A-Za-z]:")) if os.name == "nt" else found


def _rooted(text: str) -> str:
    """With one "/" in front: a second one has a meaning for `posixpath`, and a drive of Windows has none."""
    return "/" + text.lstrip("/")


def _starts(paths: Any, start: str) -> Bools:
    return _bools(pc.starts_with(paths, start))


def _bools(values: Any) -> Bools:
    return np.array(values.to_numpy(zero_copy_only=False), np.bool_)
