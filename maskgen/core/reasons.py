"""Why a photograph, or a face in it, was set aside; and counts in the sentences that say so."""

from __future__ import annotations

from enum import StrEnum
from numbers import Integral, Real
from typing import TypeGuard


class Reason(StrEnum):
    """Every expected fault. Any other exception is a bug and stops the run with the file's name."""

    UNREADABLE = "unreadable"  # the file cannot be read
    NOT_A_PICTURE = "not_a_picture"
    BROKEN_PICTURE = "broken_picture"  # the header is a picture's, but it does not decode
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_SMALL = "too_small"
    NO_FACE = "no_face"
    LOW_SCORE = "low_score"
    ALREADY_MASKED = "already_masked"  # the face wears a mask in the photograph
    NO_LANDMARKS = "no_landmarks"
    UNCLEAR_ORIENTATION = "unclear_orientation"  # it may not be a face, or not be upright at its landmarks
    NO_POINTS = "no_points"  # the file of given points has no row for it
    BAD_POINTS = "bad_points"  # its row in the file of given points cannot be used
    EXTREME_POSE = "extreme_pose"
    DOUBTFUL_FIT = "doubtful_fit"
    CONTRADICTS_LABEL = "contradicts_label"  # it looks masked but is labelled bare, or the other way round
    MASK_UNSAID = "mask_unsaid"  # its mask label or its person is unknown
    NAME_TOO_LONG = "name_too_long"  # the output's name is too long for the file system
    CRASHED = "crashed"  # the worker process died on it twice


class SetAsideError(Exception):
    """A photograph or face that cannot be used, with the reason and a detail in words.

    Example:
        >>> str(SetAsideError(Reason.TOO_SMALL, "12x9 pixels"))
        'too_small: 12x9 pixels'
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type[SetAsideError], tuple[Reason, str]]:
        return type(self), (self.reason, self.detail)


class UserError(Exception):
    """A fault that the user can correct; its message is one sentence that says how."""


def why_unreadable(error: Exception) -> str:
    """What is wrong with a file, as a clause without the words of the library that reads it.

    Example:
        >>> why_unreadable(UnicodeDecodeError("utf-8", b"", 0, 1, "invalid start byte"))
        'it is not UTF-8 text'
    """
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8 text"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)


def is_number(value: object, whole: bool = False) -> TypeGuard[float]:
    """Whether a value is a number, of NumPy too, or a whole one; True and False are none."""
    return isinstance(value, Integral if whole else Real) and not isinstance(value, bool)


def why_no_number(value: object, low: float, high: float) -> str:
    """What is wrong with a value that should be a number, low <= value <= high, as a clause; "" for nothing.

    Between whole limits the number is a whole one.

    Example:
        >>> why_no_number(1.5, 0, 9), why_no_number(2, 0.0, 1.0), why_no_number(2, 0, 9)
        ('is not a whole number', 'is out of range: give 0.0 to 1.0', '')
    """
    whole = isinstance(low, int) and isinstance(high, int)
    if not is_number(value, whole):
        return f"is not a {'whole ' if whole else ''}number"
    return "" if low <= value <= high else f"is out of range: give {low} to {high}"


def check_flag(name: str, value: object) -> None:
    """Raise UserError unless the value is True or False: any text, "no" too, would count as True."""
    if type(value).__name__ not in ("bool", "bool_"):  # the second is NumPy's
        raise UserError(f"{name}={value!r} is neither True nor False.")


_PLURALS = {"person": "people", "process": "processes"}


def counted(number: int, thing: str, things: str = "") -> str:
    """A count and what is counted, in the singular for 1.

    Args:
        things: the plural where it is not `thing` with an s, as where a verb follows.

    Example:
        >>> counted(1, "pair"), counted(1200, "person"), counted(1, "pair is", "pairs are")
        ('1 pair', '1,200 people', '1 pair is')
    """
    return f"{number:,} {thing if number == 1 else things or _PLURALS.get(thing, thing + 's')}"


def are(number: int) -> str:
    """The verb of a count: "is" for 1, otherwise "are"."""
    return "is" if number == 1 else "are"


def csv_fault(error: Exception) -> str:
    """What is wrong with a line, by a `csv.Error` of reading with strict=True: without that, an open quotation mark
    would make one value of all lines after it."""
    return "a quotation mark in it, or before it, is not closed" if "end of data" in str(error) else str(error)
