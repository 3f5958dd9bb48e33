"""A page's parts, for tests: its data, its text, and whether it asks for anything from outside."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._open: dict[str, str | None] | None = None
        self._glued = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "wbr":  # a place for a line's end, no character
            self._glued = True
            return
        self.tags.append((tag, dict(attrs)))
        self._open = dict(attrs) if tag in ("script", "style") else None

    def handle_endtag(self, tag: str) -> None:
        self._open = None

    def handle_data(self, data: str) -> None:
        if self._open is None and self._glued:
            self.texts[-1] += data
            self._glued = False
        elif self._open is None:
            self.texts.append(data)
        else:
            self.scripts.append((self._open, data))


class PageFile:
    """A report.html as a test looks at it."""

    def __init__(self, path: Any) -> None:
        self.bytes: bytes = Path(path).read_bytes() if isinstance(path, str) else path.read_bytes()
        reader = _Reader()
        reader.feed(self.bytes.decode("utf-8"))
        self.tags, self.scripts = reader.tags, reader.scripts
        self.text = " ".join(" ".join(reader.texts).split())
        self.data: dict[str, Any] = next(json.loads(text) for told, text in self.scripts if told.get("id") == "data")

    def items(self, gallery: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.data["galleries"][gallery]["items"]
        return found

    @property
    def asked_for(self) -> list[str]:
        """Addresses that a browser would fetch."""
        named = [
            value or "" for _, told in self.tags for key, value in told.items() if key in ("src", "href", "srcset")
        ]
        styles = re.findall(rb"url\(([^)]*)\)|@import", self.bytes)
        return [one for one in named if not one.startswith(("#", "data:"))] + [one.decode() for one in styles]
