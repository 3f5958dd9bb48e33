"""The person of a photograph: by default the folder that holds it (`folder.py: Folder.of`).

Containers and tables name the person themselves: `tables.py` (a column), `maskgen/formats/tars/people.py` (.cls, .json,
folder) and `maskgen/formats/recordio/people.py` (labels).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from maskgen.formats.any_path import AnyPath

from .folder import Folder
from .output_names import escape

# VGGFace2 holds every photograph twice, in folders of these names.
_CROPS = re.compile(r"(?:^|/)(loose|tight)_crop[^/]*(?=/)")


def person_of_folder(source: AnyPath, path: str, others: Mapping[str, object]) -> tuple[str | None, str | None]:
    """The person of a folder, and the folder of its outputs; None where the path names both.

    Files directly in the source belong to a person named after the source, or `.` where another person has that name.
    """
    if path:
        return None, None
    name = source.resolve().name
    return "." if not name or name in others else escape(name), ""


def joined_crops(folders: list[Folder]) -> tuple[list[Folder], tuple[str, ...]]:
    """Merge VGGFace2's loose and tight crops of one person, where SOURCE holds both; returns folders and notes."""
    found = {match[1] for folder in folders if "_crop" in folder.person and (match := _CROPS.search(folder.person))}
    if len(found) < 2:
        return folders, ()
    note = (
        "SOURCE holds loose and tight crops of the same photographs: they count as one person's, and a pair may be two "
        "crops of one photograph. Name one of the two folders to keep them apart."
    )
    return [_without_crop(folder) for folder in folders], (note,)


def _without_crop(folder: Folder) -> Folder:
    person = _CROPS.sub("", folder.person).lstrip("/")
    return replace(folder, person=person, into=person) if person != folder.person else folder
