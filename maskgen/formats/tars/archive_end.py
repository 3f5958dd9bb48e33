"""Whether a tar ends as it should: in the zeros of its end and of its last record, with nothing behind them.

Zeros also stand in place of members: of a header that was lost, of what a download has not written yet. Where more
follows them they are no end that all readers agree on: `tar` stops there, `tar -i` reads on.
"""

from __future__ import annotations

from ..faults import ContainerError
from ..gzip_ranges import GzipRanges
from ..range_reads import RangeReader

BLOCK = 512
_PIECE = 1 << 16
_MOST_ALWAYS = 1 << 15  # bytes of zeros that any archive may end with; tar's records have 10,240 unless told otherwise
_RECORDS = [1 << power for power in range(15, 23)]  # larger records of tar (`-b`), in bytes, to which it is padded
_ENDS = (b"\xff\xd9", b"IEND\xaeB`\x82")  # of JPEG and PNG
_WITH_ENDS = (".jpg", ".jpeg", ".jpe", ".jfif", ".png")


def check_end(pieces: RangeReader, header: bytes, at: int, last: tuple[str, int, int]) -> None:
    """Raise ContainerError unless the archive ends as it should, of gzip with the right checksum.

    Args:
        pieces: the archive.
        header: what was read at `at` as a header: at most a block, zeros if it is a whole one.
        at: its place.
        last: name, offset and size of the member before, whose size is 0 if there is none.
    """
    if not at and len(header) < BLOCK:
        raise ContainerError("it is no tar archive" if header else "it is empty")
    if not header or any(header):
        raise ContainerError("it ends early")
    zeros, to_the_end = _zeros(pieces, at)
    if not to_the_end:
        raise ContainerError(
            f"it goes on behind the zeros that end it at byte {at}: it is damaged there, or archives were joined, "
            "which are read as files of their own"
        )
    if not _is_padding(zeros, at + zeros) or _ends_in_zeros(pieces, *last):
        raise ContainerError(f"zeros stand in place of its end, from byte {at} on or before: it was not written whole")
    if isinstance(pieces, GzipRanges):
        pieces.check_rest()


def _zeros(pieces: RangeReader, at: int) -> tuple[int, bool]:
    """How many zeros follow, counted until they are too many, and whether nothing else follows them."""
    zeros = 0
    while zeros < 2 * _RECORDS[-1]:
        data = pieces.read(at + zeros, _PIECE)
        rest = data.lstrip(b"\0")
        zeros += len(data) - len(rest)
        if rest or len(data) < _PIECE:
            return zeros, not rest
    return zeros, True


def _is_padding(zeros: int, size: int) -> bool:
    """Whether an archive of this size may end in so many zeros: two blocks, and up to a whole number of records."""
    return zeros <= _MOST_ALWAYS or any(not size % record and zeros < record + 2 * BLOCK for record in _RECORDS)


def _ends_in_zeros(pieces: RangeReader, name: str, offset: int, size: int) -> bool:
    """Whether zeros stand in place of a picture's end. In a gzip file they cannot: it would not unpack."""
    if isinstance(pieces, GzipRanges) or not name.lower().endswith(_WITH_ENDS):
        return False
    tail = pieces.read(offset + max(size - _PIECE, 0), min(size, _PIECE))
    return tail.endswith(bytes(8)) and not tail.rstrip(b"\0").endswith(_ENDS)
