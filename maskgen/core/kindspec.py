"""Mask kinds as written on the command line, then =WEIGHT.

NAME, FORM:COLOUR, FORM:COLOUR+PRINT, FORM:COLOUR+PRINT+INK, FORM:PICTURE, FOLDER, world or world:FORM.
"""

from __future__ import annotations

import difflib
import hashlib
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maskgen.core.reasons import UserError

COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
DEFAULT_KINDS = ("surgical_green", "surgical_blue", "n95", "kn95", "cloth_black")
BARE = "bare"  # in place of a kind, a face without a mask
WORLD = "world"  # masks as they occur in public, each drawn at random
DEFAULT_MIN_TRUST = 0.4
SEEDS = (-(2**63), 2**64 - 1)  # the least and the greatest
FARTHEST_YAW, FARTHEST_PITCH = 80.0, 90.0  # degrees of a head that is masked unless asked otherwise
# What is drawn on cloth of a colour that was asked for; `masks.world.named_prints` draws it.
PRINTS = ("dots", "stripes", "checks", "flowers", "paisley", "leopard", "hearts", "stars")
FACES = ("subject", "largest", "central", "all")  # of a photograph, see `faces.choose`
WEARINGS = ("proper", "nose_out", "chin_out", "under_chin")


@dataclass(frozen=True, slots=True)
class KindSpec:
    """One mask kind.

    Attributes:
        form: a built-in mask's name, or a template folder.
        dye: "" for the mask's own colour, "#rrggbb" in lower case, "#rrggbb+PRINT" or "#rrggbb+PRINT+#rrggbb", or the
            path of a picture to print on it; for "world" the form of all masks, "" for any.
        weight: relative frequency.
    """

    form: str
    dye: str = ""
    weight: float = 1.0

    @property
    def folder(self) -> Path | None:
        """The template's folder, None for a built-in mask."""
        return Path(self.form) if re.search(r"[/\\.]", self.form) else None

    @property
    def pattern(self) -> Path | None:
        """The picture to print on the mask."""
        no_file = not self.dye or self.dye.startswith("#") or self.form == WORLD
        return None if no_file else Path(self.dye)

    @property
    def name(self) -> str:
        """Its name in outputs and the catalogue.

        Example:
            >>> parse_kind("cloth:prints/check.png=2").name, parse_kind("my/masks/snout:#FF8800").name
            ('cloth:check', 'snout:#ff8800')
        """
        form = self.folder.resolve().name if self.folder else self.form
        dye = self.pattern.stem if self.pattern else self.dye
        return f"{form}:{dye}" if dye else form

    @property
    def text(self) -> str:
        """Its command-line form without weight, with the colour as #rrggbb."""
        return f"{self.form}:{self.dye}" if self.dye else self.form

    @property
    def weighted_text(self) -> str:
        """Its command-line form with its weight, if any; files by absolute paths."""
        form = str(self.folder.absolute()) if self.folder else self.form
        dye = str(self.pattern.absolute()) if self.pattern else self.dye
        typed = f"{form}:{dye}" if dye else form
        # The last "=" starts the weight; a folder's name may contain others.
        return typed if self.weight == 1.0 and "=" not in typed else f"{typed}={self.weight!r}".removesuffix(".0")

    def fingerprint(self) -> str:
        """A digest that changes with the mask or its weight, also if one of its files was edited."""
        files = [self.pattern] if self.pattern else []
        if self.folder and self.folder.is_dir():
            files += sorted(path for path in self.folder.iterdir() if path.is_file())
        weight = "" if self.weight == 1.0 else f"={self.weight:g}"
        if not files:
            return self.text + weight
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.name.encode("utf-8", "surrogateescape") + b"\0" + path.read_bytes())
        return f"{self.name}{weight} ({digest.hexdigest()[:16]})"


def weighted(text: str, option: str) -> tuple[str, float]:
    """Split NAME=WEIGHT; the default weight is 1.

    Raises:
        UserError: the weight is not a positive number.

    Example:
        >>> weighted("n95=3", "--kinds"), weighted("n95", "--kinds")
        (('n95', 3.0), ('n95', 1.0))
    """
    name, equals, number = text.rpartition("=")
    if not equals:
        return text.strip(), 1.0
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not 0 < weight < math.inf:
        raise UserError(f"{option} {text}: {number!r} is not a weight: give a number above 0, as in {name or 'n95'}=3.")
    return name.strip(), weight


def texts_of(values: object, option: str) -> tuple[str, ...]:
    """Kinds or wearing positions as a tuple; one text is a tuple of one.

    Args:
        values: a text or some texts in an order; an iterator is read once.
        option: "--kinds" or "--wear".

    Raises:
        UserError: a dict, a set, or something else than texts.

    Example:
        >>> texts_of("n95", "--kinds"), texts_of(["n95=3", "kn95"], "--kinds")
        (('n95',), ('n95=3', 'kn95'))
    """
    example, kind = {"--kinds": "n95=3"}.get(option, "proper=3"), type(values).__name__
    if isinstance(values, Mapping):
        raise UserError(f"{option} is a {kind}: give a tuple, with weights as in {example}.")
    if isinstance(values, (set, frozenset)):  # in another process it has another order, and masks are drawn by theirs
        raise UserError(f"{option} is a {kind}, which has no order: give a tuple.")
    texts = tuple(values) if isinstance(values, Iterable) and not isinstance(values, (str, bytes)) else (values,)
    for text in texts:
        if not isinstance(text, str):
            raise UserError(f"{option} {text!r} is not a text: give texts, as in {example}.")
    return texts


def css_colour(name: str) -> str | None:
    """ "#rrggbb" of a CSS colour name, ignoring case; None for an unknown name.

    Example:
        >>> css_colour("Teal"), css_colour("teel")
        ('#008080', None)
    """
    from PIL import ImageColor

    if name.lower() not in ImageColor.colormap:
        return None
    return "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(name.lower()))


def colour_hint(form: str, dye: str) -> str:
    """A suggestion for a colour, a print or its ink that is not one, as a clause of a sentence.

    Args:
        dye: as after the form's colon, whole: COLOUR, COLOUR+PRINT or COLOUR+PRINT+COLOUR.
    """
    colour, plus, rest = (part.strip() for part in dye.lower().partition("+"))
    drawn, inked, ink = (part.strip() for part in rest.partition("+"))
    near, printed, inks = _near_colour(colour), difflib.get_close_matches(drawn, PRINTS, 1), _near_colour(ink)
    if near and plus and not printed:
        return f"the prints are {', '.join(PRINTS)}, as in {form}:{near}+{PRINTS[0]}"
    if near and (inks or not inked):
        return f"did you mean {form}:{'+'.join([near, *printed, *([inks] if inked else [])])}?"
    return f"a colour is a CSS name or six digits, as in {form}:teal or {form}:#ff8800"


def _near_colour(word: str) -> str:
    """The CSS name nearest to a word, for six digits their own if they have one; "" where none is near."""
    from PIL import ImageColor

    if COLOUR.fullmatch(word):
        return next((name for name in ImageColor.colormap if css_colour(name) == word), word)
    return next(iter(difflib.get_close_matches(word, ImageColor.colormap, 1)), "")


def _normal_dye(dye: str) -> str:
    """The colours as "#rrggbb" in lower case; anything else unchanged."""
    colour, _, rest = dye.partition("+")
    drawn, _, ink = rest.partition("+")
    # A file may have a "+" in its name: only what can be nothing else is taken as a print.
    if drawn in PRINTS:
        return "+".join([_normal_colour(colour), drawn, *([_normal_colour(ink)] if ink else [])])
    return _normal_colour(dye)


def _normal_colour(dye: str) -> str:
    if COLOUR.fullmatch(dye):
        return dye.lower()
    return (css_colour(dye) if dye.isalpha() else None) or dye


def parse_kind(text: str) -> KindSpec:
    """Parse a mask kind; its existence is not checked.

    Raises:
        UserError: the weight is not a positive number, or nothing follows the colon, as where a script's variable for
            the colour is empty.

    Example:
        >>> parse_kind("surgical:teal=2")
        KindSpec(form='surgical', dye='#008080', weight=2.0)
        >>> parse_kind("cloth:red+dots").name
        'cloth:#ff0000+dots'
    """
    name, weight = weighted(text, "--kinds")
    form, colon, dye = name.rpartition(":")
    if not colon or len(form) == 1:  # one letter before a colon is a Windows drive
        return KindSpec(name, "", weight)
    if not dye:
        other = f"{form}:surgical" if form == WORLD else f"{form}:teal"
        raise UserError(f"mask kind {name!r} has nothing behind the colon: give {form}, or {other}")
    return KindSpec(form, dye if form == WORLD else _normal_dye(dye), weight)


def parse_wear(text: str) -> tuple[str, float]:
    """Parse a wearing position and its weight.

    Raises:
        UserError: the position does not exist.
    """
    name, weight = weighted(text, "--wear")
    if "," in name:
        raise UserError(f"--wear {name} is unknown: give each position as a text of its own.")
    if name not in WEARINGS:
        raise UserError(f"--wear {name} is unknown: give {', '.join(WEARINGS)}, with weights as in nose_out=2.")
    return name, weight


def check_kinds(kinds: Sequence[str]) -> None:
    """Raise UserError unless there is a kind, each with a valid weight, and none twice."""
    names = [parse_kind(text).name for text in kinds]
    if not names:
        raise UserError("--kinds names no mask: give at least one.")
    if len({file_name(name) for name in names}) != len(names):
        raise UserError("--kinds names a mask twice: name each once, and rename one of two files of one name.")


def check_wear(wear: Sequence[str]) -> None:
    """Raise UserError unless there is a wearing position, each with a valid weight, and none twice."""
    names = [parse_wear(text)[0] for text in wear]
    if not names:
        raise UserError("--wear names no wearing position: give at least one.")
    if len(set(names)) != len(names):
        raise UserError("--wear names a position twice: name each once.")


def file_name(kind: str) -> str:
    """A mask's name as part of a file name.

    Example:
        >>> file_name("surgical:#ff8800"), file_name("n95")
        ('surgical-ff8800', 'n95')
    """
    return re.sub(r"[^\w-]+", "-", kind)
