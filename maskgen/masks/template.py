"""Mask templates: a folder with `template.toml` and its pictures, read, checked and turned into a record.

A template is data, documented in `docs/adding_a_mask.md`. The message for each fault names the file and the key.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import cv2
import numpy as np

from maskgen.core.cache.kept_files import build_of
from maskgen.core.kindspec import COLOUR
from maskgen.core.quiet import silenced
from maskgen.core.reasons import UserError
from maskgen.core.records import Doubles
from maskgen.masks.pose.head import NAMED, PLACES, place

MAX_SIDE = 8192  # largest side of a texture, in pixels, checked before decoding
# Part labels of a mask's pixels; the numbers are those of `--segmentation classes`, 0 is no mask.
FARTHEST = 10  # eye distances of a move or a lift
PARTS = {"cloth": 1, "strap": 2, "valve": 3, "window": 4, "shield": 5, "glasses": 6}
USUAL_LOOK = "plain"  # the look that a template's own pictures give
ROUNDING = 1e-9  # of a sum of shares: 0.7 + 0.1 + 0.1 + 0.1 is not quite 1
ROLES = {"mask": "cloth", "shield": "shield", "glasses": "glasses"}  # part label of a template's sheet by its role


@dataclass(frozen=True, slots=True)
class Strap:
    """An ear loop or a head strap, `[[ribbon]]` in the file.

    Attributes:
        path: (n, 3) in head coordinates, the right side; the left side is its mirror image.
        from_cloth: (u, v) where it leaves the cloth, or None.
        colour: "#rrggbb" or "mask", the mask's own.
        height_above_skin: in eye distances.
        slack: how far it may hang, 0..1.
    """

    path: Doubles
    width: float
    from_cloth: tuple[float, float] | None
    colour: str
    height_above_skin: float
    slack: float


@dataclass(frozen=True, slots=True)
class LookPictures:
    """The pictures of one look of a mask.

    Attributes:
        texture: uint8 (h, w, 4), RGB that is multiplied with the colour, and an alpha channel: 255 for material, 0 for
            a cut-out.
        height: uint8 (h, w) of the cloth, from 0 to `depth` eye distances, for folds and weave.
        clear: uint8 (h, w), how much light the material lets through, 255 for all; None if all is opaque.
        parts: uint8 (h, w), values of PARTS; None if all is the same part.
    """

    texture: np.ndarray
    height: np.ndarray
    depth: float
    clear: np.ndarray | None = None
    parts: np.ndarray | None = None

    @property
    def material_and_clear(self) -> np.ndarray | None:
        """uint8 (h, w, 2): where there is material, and how clear it is; None where all is cloth and opaque."""
        material = cv2.extractChannel(self.texture, 3)
        if self.clear is None and int(material.min()) == 255:
            return None
        return cv2.merge([material, np.zeros_like(material) if self.clear is None else self.clear])

    @property
    def relief(self) -> np.ndarray:
        """The height above the middle, float32 (h, w), in eye distances; stored as bytes to save memory."""
        return (self.height.astype(np.float32) / 255 - 0.5) * self.depth


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a template: another model of the same mask.

    Attributes:
        share: of the masks of this form that have this look, 0..1.
        size: rows and columns of its pictures.
        pictures: returns them; those of a built-in template are decoded at every call and not kept.
    """

    name: str
    share: float
    size: tuple[int, int]
    pictures: Callable[[], LookPictures]


@dataclass(frozen=True, slots=True, eq=False)  # compared by identity
class Template:
    """One form of mask, as its file defines it.

    Attributes:
        colours: name to "#rrggbb"; the first is the default.
        top, bottom: (n, 3), the right half of the outline from the middle outward, in head coordinates.
        lift: (rows, columns), distance of the sheet from its taut shape, from the top edge down and from the middle
            outward, in eye distances.
        crease: depth of the random creases, in eye distances.
        ruled: whether the sheet is straight from the top edge to the bottom one, as bent plastic is.
        role: one of ROLES. Only a "mask" stays below the eyes and has other wearing positions.
        straps: ear loops and head straps.
        looks: the usual one first; their shares add up to 1.
    """

    name: str
    title: str
    colours: Mapping[str, str]
    top: Doubles
    bottom: Doubles
    clearance: float
    taut: float
    lift: Doubles
    crease: float
    gloss: float
    straps: tuple[Strap, ...]
    looks: tuple[Look, ...]
    role: str = "mask"
    ruled: bool = False

    def look_number(self, draw: float) -> int:
        """The index of the look that a draw of 0..1 selects; never one with a share of 0."""
        until = 0.0
        for number, look in enumerate(self.looks):
            until += look.share
            if draw < until:
                return number
        return next(number for number, look in enumerate(self.looks) if look.share > 0)  # a sum just below 1


class _TomlTable:
    """A parsed TOML table with its file and key, for error messages."""

    def __init__(self, source: str, table: Mapping[str, Any], inside: str = "") -> None:
        self.source, self.table, self.inside = source, table, inside

    def fail(self, key: str, expected: str) -> UserError:
        found = repr(self.table[key]) if key in self.table else "nothing"
        return UserError(f"{self.source}: {self.inside}{key}: expected {expected}, found {found}")

    def get(self, key: str, expected: str, check: Callable[[Any], bool], default: Any = None) -> Any:
        value = self.table.get(key, default)
        if value is None or not check(value):
            raise self.fail(key, expected)
        return value

    def text(self, key: str, default: str | None = None) -> str:
        return str(self.get(key, "a text", lambda v: isinstance(v, str) and bool(v.strip()), default))

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        return float(self.get(key, f"a number from {low} to {high}", lambda v: _is_number(v, low, high), default))

    def page(self, key: str) -> _TomlTable:
        table = self.get(key, "a table", lambda v: isinstance(v, dict))
        return _TomlTable(self.source, table, f"{self.inside}{key}.")

    def pages(self, key: str) -> list[_TomlTable]:
        rows = self.get(key, "an array of tables", _all_of(dict), [])
        return [_TomlTable(self.source, row, f"{self.inside}{key}[{i}].") for i, row in enumerate(rows)]

    def only(self, *keys: str) -> None:
        """Raise for the first key that is not one of these: a misspelt key must not be ignored."""
        for key in self.table:
            if key not in keys:
                raise UserError(f"{self.source}: {self.inside}{key}: no such key; the keys here are {', '.join(keys)}")


def _all_of(kind: type) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, list) and all(isinstance(item, kind) for item in v)


def _is_number(v: Any, low: float, high: float) -> bool:
    """Whether it is a number, low <= v <= high: no NaN, neither true nor false."""
    return isinstance(v, int | float) and not isinstance(v, bool) and low <= v <= high


def _numbers(n: int, low: float = -FARTHEST, high: float = FARTHEST) -> Callable[[Any], bool]:
    def fits(v: Any) -> bool:
        return isinstance(v, list) and len(v) == n and all(_is_number(x, low, high) for x in v)

    return fits


def _tie(page: _TomlTable) -> Doubles:
    """One point of an edge or strap: a named place and a shift from it."""
    page.only("at", "move")
    name = page.text("at")
    if name not in NAMED and name not in PLACES:
        places = sorted([*NAMED, *PLACES])
        near = difflib.get_close_matches(name, places, 3)
        raise page.fail("at", f"{' or '.join(near)}" if near else f"one of the places {', '.join(places)}")
    expected = f"three numbers from -{FARTHEST} to {FARTHEST}: right, down, forward"
    shift = page.get("move", expected, _numbers(3), [0.0, 0.0, 0.0])
    return place(name) + np.array(shift, float)


def _path(page: _TomlTable, key: str, least: int) -> Doubles:
    ties = page.pages(key)
    if len(ties) < least:
        raise page.fail(key, f"at least {least} tied points")
    return np.array([_tie(tie) for tie in ties])


def _strap(page: _TomlTable) -> Strap:
    page.only("path", "width", "from", "colour", "rides", "slack")
    fits = _numbers(2, 0, 1)
    start = page.get("from", "two numbers: u 0..1 and v 0..1 on the sheet", fits) if "from" in page.table else None
    colour = page.get("colour", '"mask" or a colour such as "#ffffff"', lambda v: v == "mask" or _is_colour(v))
    leaves = None if start is None else (float(start[0]), float(start[1]))
    return Strap(
        _path(page, "path", 1),
        page.number("width", 0.005, 0.5),
        leaves,
        str(colour),
        page.number("rides", 0, 0.5, 0.02),
        page.number("slack", 0, 1, 0.0),
    )


def _is_colour(v: Any) -> bool:
    return isinstance(v, str) and COLOUR.fullmatch(v) is not None


def _colours(page: _TomlTable) -> dict[str, str]:
    table = page.get("colours", "a table of names and colours", lambda v: isinstance(v, dict) and len(v) > 0)
    inner = _TomlTable(page.source, table, "colours.")
    return {name: str(inner.get(name, 'a colour such as "#44b4a8"', _is_colour)).lower() for name in table}


def _lift(page: _TomlTable) -> Doubles:
    def fits(v: Any) -> bool:
        return _all_of(list)(v) and len(v) > 1 and len(v[0]) > 1 and all(_numbers(len(v[0]))(row) for row in v)

    expected = f"two or more rows of two or more numbers from -{FARTHEST} to {FARTHEST}, all of one length"
    return np.array(page.get("lift", expected, fits), float)


def _file(folder: Traversable, page: _TomlTable, key: str) -> Traversable:
    """A file of the template's folder; no name may leave it."""
    name = page.text(key)
    if "/" in name or "\\" in name or name.startswith("."):
        raise page.fail(key, "the name of a file in this folder")
    file = folder.joinpath(name)
    if not file.is_file():
        raise page.fail(key, "the name of a PNG file in this folder")
    return file


def _size(page: _TomlTable, key: str, head: bytes) -> tuple[int, int]:
    """Rows and columns, by the first 24 bytes of a PNG."""
    columns, rows = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20)) if len(head) == 24 else (0, 0)
    if head[:8] != b"\x89PNG\r\n\x1a\n" or not 0 < min(rows, columns) <= max(rows, columns) <= MAX_SIDE:
        raise page.fail(key, f"a PNG of at most {MAX_SIDE} pixels a side")
    return rows, columns


def _picture(folder: Traversable, page: _TomlTable, key: str, channels: int) -> np.ndarray:
    """A PNG of the template's folder as uint8 (h, w, channels)."""
    data = np.frombuffer(_file(folder, page, key).read_bytes(), np.uint8)
    _size(page, key, data[:24].tobytes())
    with silenced():
        picture = cv2.imdecode(data, cv2.IMREAD_UNCHANGED if channels == 4 else cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise page.fail(key, "a PNG that decodes")
    return _four(picture) if channels == 4 else picture


def _four(picture: np.ndarray) -> np.ndarray:
    """Any decoded PNG as RGBA, 8 bit."""
    if picture.dtype == np.uint16:
        picture = (picture >> 8).astype(np.uint8)
    if picture.ndim == 2:
        return cv2.cvtColor(picture, cv2.COLOR_GRAY2RGBA)
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGBA if picture.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)


def read_template(folder: Traversable, trusted: bool = False) -> Template:
    """The template in a folder; all its pictures are decoded and checked now, unless it is trusted.

    Raises:
        UserError: a fault; the message names the file, the key and the expected value.
    """
    file = folder.joinpath("template.toml")
    try:
        table = tomllib.loads(file.read_text("utf-8-sig"))  # editors on Windows may write a byte order mark
    except OSError:
        raise UserError(
            f"{folder}: no template.toml in this folder: name a template's folder; `maskgen kinds --copy cloth FOLDER` "
            "makes one"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise UserError(f"{file}: not TOML: {fault}") from None
    page = _TomlTable(str(file), table)
    page.only(
        "title", "role", "colours", "texture", "relief", "relief_depth", "clear", "parts", "outline", "form", "gloss",
        "ribbon", "look",
    )  # fmt: skip
    outline, form = page.page("outline"), page.page("form")
    outline.only("top", "bottom")
    form.only("clearance", "taut", "ruled", "lift", "crease")
    return Template(
        name=folder.name,
        title=page.text("title"),
        colours=_colours(page),
        top=_path(outline, "top", 3),
        bottom=_path(outline, "bottom", 3),
        clearance=form.number("clearance", 0.0, 0.5),
        taut=form.number("taut", 0.0, 1.0),
        lift=_lift(form),
        crease=form.number("crease", 0.0, 0.1, 0.012),
        gloss=page.number("gloss", 0.0, 1.0, 0.0),
        straps=tuple(_strap(row) for row in page.pages("ribbon")),
        looks=_looks(folder, page, trusted),
        role=str(page.get("role", f"one of {', '.join(ROLES)}", lambda v: v in ROLES, "mask")),
        ruled=bool(form.get("ruled", "true or false", lambda v: isinstance(v, bool), False)),
    )


def _looks(folder: Traversable, page: _TomlTable, trusted: bool) -> tuple[Look, ...]:
    """The usual look and the further ones."""
    depth = page.number("relief_depth", 0.0, 0.5, 0.05)
    further: list[Look] = []
    for row in page.pages("look"):
        row.only("name", "share", "texture", "relief", "clear", "parts")
        if row.text("name") in (USUAL_LOOK, *(look.name for look in further)):
            raise row.fail("name", "a name that no other look has, nor the template itself")
        further.append(_look(folder, row, row.text("name"), row.number("share", 0.0, 1.0), depth, trusted))
    rest = 1.0 - sum(look.share for look in further)
    if rest < -ROUNDING:
        raise page.fail("look", "shares that add up to 1 at most")
    looks = (_look(folder, page, USUAL_LOOK, rest if rest > ROUNDING else 0.0, depth, trusted), *further)
    if len({look.size for look in looks}) > 1:
        raise page.fail("look", f"textures of one size, {looks[0].size[1]} x {looks[0].size[0]} here")
    return looks


def _look(folder: Traversable, page: _TomlTable, name: str, share: float, depth: float, trusted: bool) -> Look:
    if trusted:
        with _file(folder, page, "texture").open("rb") as file:
            size = _size(page, "texture", file.read(24))
        return Look(name, share, size, partial(_pictures, folder, page, depth))
    pictures = _pictures(folder, page, depth)
    rows, columns = pictures.height.shape
    return Look(name, share, (rows, columns), partial(_as_read, pictures))


def _as_read(pictures: LookPictures) -> LookPictures:
    """The pictures; at module level, so that a template can be pickled."""
    return pictures


def _pictures(folder: Traversable, page: _TomlTable, depth: float) -> LookPictures:
    height = _picture(folder, page, "relief", 1)
    texture = _picture(folder, page, "texture", 4)
    planes = [_picture(folder, page, key, 1) if key in page.table else None for key in ("clear", "parts")]
    for key, plane in zip(("relief", "clear", "parts"), (height, *planes), strict=True):
        if plane is not None and plane.shape != texture.shape[:2]:
            raise page.fail(key, f"a PNG as large as the texture, {texture.shape[1]} x {texture.shape[0]}")
    clear, parts = planes
    if parts is not None and not np.isin(parts, list(PARTS.values())).all():
        raise page.fail("parts", f"a PNG whose values are {', '.join(f'{at} ({part})' for part, at in PARTS.items())}")
    return LookPictures(texture, height, depth, clear, parts)


def _built_in() -> Traversable:
    return resources.files("maskgen.mask_templates")


@cache
def template_names() -> tuple[str, ...]:
    """The names of the built-in templates, sorted."""
    return tuple(sorted(f.name for f in _built_in().iterdir() if f.joinpath("template.toml").is_file()))


def template_files(name: str) -> dict[str, bytes]:
    """The files of a built-in template, by name.

    Raises:
        UserError: there is none of this name.
    """
    if name not in template_names():
        raise UserError(f"there is no form {name!r}: give one of {', '.join(template_names())}")
    return {file.name: file.read_bytes() for file in _built_in().joinpath(name).iterdir() if file.is_file()}


@cache
def built_in_template(name: str) -> Template:
    """A built-in template by its folder's name, read once.

    Raises:
        KeyError: there is none of this name.
    """
    if name not in template_names():
        raise KeyError(name)
    return read_template(_built_in().joinpath(name), trusted=True)


def build_of_template(template: Template) -> str | None:
    """What tells apart all that is made of a built-in template; None of a user's, which may change at any time."""
    if template.name not in template_names() or built_in_template(template.name) is not template:
        return None
    build = build_of("maskgen.masks", "maskgen.mask_templates")
    return build and f"{template.name}\0{build}"
