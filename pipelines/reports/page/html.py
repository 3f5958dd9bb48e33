"""HTML text in which every value is escaped, so that no file or person name can inject markup."""

from __future__ import annotations

import re
from html import escape

# Where a long name or path may go on in the next line: after these marks, but not within a number or an option's name,
# and before a capital within a name. page.js has the same.
_BREAKS = re.compile(r"(?<=[_/\\=@+])(?=[^\s_/\\=@+])|(?<=\w[,:-])(?=[^\W\d_]|#)|(?<=[a-z])(?=[A-Z])")


class Markup(str):
    """Text that is already HTML."""

    __slots__ = ()


def markup(value: object) -> Markup:
    """Any value as HTML: escaped, unless it is already markup.

    Example:
        >>> markup("<b>")
        '&lt;b&gt;'
    """
    return value if isinstance(value, Markup) else Markup(escape(_readable(str(value))))


def join(parts: object, between: str = "") -> Markup:
    """The parts one after the other, each escaped as `markup` does."""
    return Markup(between.join(markup(part) for part in parts))  # type: ignore[attr-defined]


def breakable(text: str) -> Markup:
    """Text that a browser breaks between the words of a name or path, where it breaks at all.

    Example:
        >>> breakable("Ann_Lee/a.jpg")
        'Ann_<wbr>Lee/<wbr>a.jpg'
    """
    return join(_BREAKS.split(text), "<wbr>")


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """An element. `class_` is the attribute class, `aria_label` is aria-label; None and False leave one out.

    Example:
        >>> tag("td", "a<b", class_="name", hidden=True)
        '<td class="name" hidden>a&lt;b</td>'
    """
    named = (_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    return Markup(f"<{name}{''.join(named)}>{join(content)}</{name}>")


def _attribute(name: str, value: object) -> str:
    if value is None or value is False:
        return ""
    return f" {name}" if value is True else f' {name}="{markup(value)}"'


def _readable(text: str) -> str:
    """The text as valid HTML: lone surrogates as escapes, control characters as visible symbols."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(chr(0x2400 + ord(one)) if ord(one) < 32 and one not in "\n\t" else one for one in text)
