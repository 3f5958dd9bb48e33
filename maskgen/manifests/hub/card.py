"""README.md of a hub folder: YAML metadata for loaders and the hub, and a text for readers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maskgen.core.reasons import counted

from .parquet import Column

UNKNOWN_LICENCE = "unknown"
UNSTATED_CONSENT = "not stated"
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))


@dataclass(frozen=True, slots=True)
class Part:
    """One configuration of the set: `config` is its name, `files` a pattern below the folder.

    `rows` and `size` are the rows and bytes of its files.
    """

    config: str
    split: str
    files: str
    rows: int
    size: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """The content of the card.

    Attributes:
        name: of the set.
        licence: an identifier of hubs, such as "cc-by-nc-4.0".
        consent: the consent of the people shown, in a sentence.
        parts: the configurations.
        people: the number of people.
        kinds: the number of training pictures by mask.
        alignment: of the crops, "" if unknown.
        maskgen, seed: version and seed of the masks.
    """

    name: str
    licence: str
    consent: str
    parts: tuple[Part, ...]
    people: int
    kinds: tuple[tuple[str, int], ...]
    alignment: str
    maskgen: str
    seed: int

    def text(self) -> str:
        """The whole file."""
        return "\n".join([*self._head(), "", *self._body(), ""])

    def _head(self) -> Iterator[str]:
        total = sum(part.rows for part in self.parts)
        yield "---"
        yield f"license: {_quoted(self.licence)}"
        yield f"pretty_name: {_quoted(self.name)}"
        yield f"consent: {_quoted(self.consent)}"
        yield "task_categories:\n- image-feature-extraction"
        yield "tags:\n- face-recognition\n- masked-faces\n- biometrics\n- synthetic-masks"
        yield "size_categories:\n- " + next((name for most, name in _SIZES if total < most), "n>10M")
        yield "configs:"
        for number, part in enumerate(self.parts):
            yield f"- config_name: {part.config}"
            yield "  data_files:"
            yield f"  - split: {part.split}\n    path: {part.files}"
            if not number:
                yield "  default: true"
        yield "dataset_info:"
        for part in self.parts:
            yield from _info(part)
        yield "---"

    def _body(self) -> Iterator[str]:
        yield f"# {self.name}"
        yield ""
        yield f"Face crops of {counted(self.people, 'person')}, with and without drawn masks, for face recognition."
        for part in self.parts:
            yield from ["", f"## {part.config}", "", f"`{part.files}`, {counted(part.rows, 'row')}.", ""]
            yield from _table(
                [("column", "type", "what it holds"), *((f"`{c.name}`", c.kind, c.about) for c in part.columns)]
            )
        yield from ["", "## How it was made", ""]
        yield f"maskgen {self.maskgen}, seed {self.seed}. The faces are photographs; the masks are drawn."
        yield f"Alignment of the crops: {self.alignment or 'not known'}."
        yield from [
            "",
            *_table([("wears", "training pictures"), *((kind, f"{count:,}") for kind, count in self.kinds)]),
        ]
        yield from [
            "",
            "## Licence",
            "",
            f"{self.licence}. The licence of the photographs applies to the masked ones too.",
        ]
        yield from ["", "## Consent of the people shown", "", f"{self.consent}."]
        yield from ["", "Faces of people are biometric data. Whoever publishes or uses them answers for it."]


def _info(part: Part) -> Iterator[str]:
    yield f"- config_name: {part.config}"
    yield "  features:"
    for column in part.columns:
        yield f"  - name: {column.name}\n    dtype: {column.kind}"
    # Without num_bytes `datasets` ignores the split, and does not notice that rows are missing.
    yield f"  splits:\n  - name: {part.split}\n    num_bytes: {part.size}\n    num_examples: {part.rows}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    first, *rest = ["| " + " | ".join(row) + " |" for row in rows]
    return [first, "|" + "---|" * len(rows[0]), *rest]


def _quoted(text: str) -> str:
    """A text as YAML: JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)
