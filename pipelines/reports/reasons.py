"""Explanations of the reasons for which photographs and faces are set aside."""

from __future__ import annotations

from maskgen.core.reasons import Reason

MEANING: dict[str, str] = {
    Reason.UNREADABLE: "the file could not be read",
    Reason.NOT_A_PICTURE: "the file is not a picture",
    Reason.BROKEN_PICTURE: "the picture does not decode",
    Reason.TOO_MANY_PIXELS: "larger than --max-pixels",
    Reason.TOO_SMALL: "the face is too small",
    Reason.NO_FACE: "no face was found",
    Reason.LOW_SCORE: "the detector's score is low",
    Reason.ALREADY_MASKED: "the face already wears a mask (--masked-input keep uses it)",
    Reason.NO_LANDMARKS: "the landmarks could not be found",
    Reason.EXTREME_POSE: "the head is turned too far (--max-yaw, --max-pitch)",
    Reason.DOUBTFUL_FIT: "the landmarks are unreliable (--min-trust)",
    Reason.UNCLEAR_ORIENTATION: "it is not clear which way the face is up",
    Reason.CONTRADICTS_LABEL: "it looks masked but is labelled bare, or the other way round",
    Reason.NO_POINTS: "the file of given points has no row for it",
    Reason.BAD_POINTS: "its row in the file of given points cannot be used",
    Reason.MASK_UNSAID: "its mask label or its person is unknown",
    Reason.NAME_TOO_LONG: "the output's name would be too long",
    Reason.CRASHED: "the worker process died on it twice",
}
