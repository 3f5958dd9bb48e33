"""Output names of photographs: valid on any file system and unique in a folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

NUL = "\0"  # the one character that no file name can contain
_ESCAPED = re.compile(r"\\(\\|x[0-9a-f]{2}|u[0-9a-f]{4})")
_AWKWARD = re.compile(r"[\\\ud800-\udfff]")
_NO_FOLDER = re.compile(r"[/\\%\x00-\x1f\x7f]|^\.+$|^ | $")


def output_stems(names: Sequence[str]) -> list[str]:
    """The output name of each file of a folder: its stem, or its full name where stems clash.

    Example:
        >>> output_stems(["a.jpg", "a.png", "b.c.jpg"])
        ['a.jpg', 'a.png', 'b.c']
    """
    plain = _without_one_suffix(NUL.join(names))
    stems = plain[0][:-1].split(NUL) if plain else [stem_of(name) for name in names]
    if len(set(stems)) == len(stems) and set(stems).isdisjoint(names):
        return stems
    count = Counter(stems)
    # A file named "a.jpg.png" has the stem "a.jpg", which is the whole name of another.
    whole = set(names)
    return [
        stem if count[stem] == 1 and (stem == name or stem not in whole) else name
        for name, stem in zip(names, stems, strict=True)
    ]


def packed_stems(packed: str) -> str:
    r"""The output names of a folder's files, which are distinct; both joined by NUL.

    Example:
        >>> packed_stems("1.jpg\0002.jpg")
        '1\x002'
    """
    plain = _without_one_suffix(packed)
    if plain and plain[1] not in plain[0]:  # no stem is the whole name of another
        return plain[0][:-1]
    return NUL.join(output_stems(packed.split(NUL)))


def _without_one_suffix(packed: str) -> tuple[str, str] | None:
    """The stems of files that all have the same plain suffix, each ended by NUL, and that suffix, also ended by NUL;
    None where they have not.

    A text is cut in a tenth of the time of its names.
    """
    ended = packed + NUL
    end = "." + ended[: ended.index(NUL) + 1].rpartition(".")[2]
    stems = ended.replace(end, NUL)
    every = (packed.count(NUL) + 1) * (len(end) - 1)
    if len(ended) - len(stems) != every or packed.startswith(".") or NUL + "." in packed or len(end) == 2:
        return None
    return stems, end


def stem_of(name: str) -> str:
    """A file name without its last suffix; `.hidden` and `name.` have none.

    `Path.stem` treats trailing dots differently since Python 3.14; output names must not change.
    """
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and suffix and stem.strip(".") else name


def escape(text: str) -> str:
    r"""A file name as text that UTF-8 can hold, so that `unescape` gives it back.

    A byte that is no UTF-8 becomes `\xNN`, a lone surrogate (Windows) `\uNNNN`, and a backslash is doubled.
    """
    return _AWKWARD.sub(_escape_one, text) if _AWKWARD.search(text) else text


def unescape(text: str) -> str:
    """The inverse of `escape`."""
    return _ESCAPED.sub(_unescape_one, text)


def _escape_one(match: re.Match[str]) -> str:
    code = ord(match[0])
    if match[0] == "\\":
        return "\\\\"
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else f"\\u{code:04x}"


def _unescape_one(match: re.Match[str]) -> str:
    body = match[1]
    if body == "\\":
        return "\\"
    return chr(int(body[1:], 16) + (0xDC00 if body[0] == "x" else 0))


def folder_name(text: str) -> str:
    """Any text as a valid folder name, with invalid characters as %XX; different texts get different names.

    Example:
        >>> folder_name("Ann / Bob"), folder_name("..")
        ('Ann %2F Bob', '%2E%2E')
    """
    if text.isalnum():  # of millions of people most
        return text
    return escape(_NO_FOLDER.sub(lambda found: "".join(f"%{ord(one):02X}" for one in found[0]), text) or "%")
